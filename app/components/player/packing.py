"""What the browser gets of any study: arrays as base64, figures as JSON, formulas as MathML."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from plotly.io.json import to_json_plotly

from app.components.wire import PLOTLY_URL, floats
from app.formulas import mathml
from pkpo import figures
from pkpo.comparisons import Comparison
from pkpo.comparisons.comparison import ks_used
from pkpo.comparisons.settings import command_line
from pkpo.estimators import Estimator
from pkpo.figures.style import Styles

HEAVIEST = (
    "The heaviest: reward {reward}, weight {weight}; {weighty} of {size} samples carry weight."
)
JOINTLY = "The one changed line: the group's rewards become weights, jointly, for k = {k}. "
WITHOUT_K = "The rewards become weights; this estimator knows no k. "
FORMULA_SYMBOLS = {
    "q_i": "q_i: mean best of the size-k subsets that hold sample i. ",
    "^{(-i)}": "v^(-i): mean best of subsets without it. ",
    "v_k": "v_k: mean best of all of them. ",
}
"""What the symbols of the estimators' formulas mean."""


@dataclass(frozen=True, slots=True)
class PlayerPanel:
    """A chart: the JavaScript class that draws what moves in it, and what Plotly draws."""

    kind: str
    """A key of CHARTS in player.js."""
    draw: Callable[[], go.Figure]
    span: int = 1
    """Columns of the page's three."""
    column: str = ""
    """Of "lines": the runs' column whose value at the play head is dotted."""
    single: bool = False
    """Of "lines": one run in view, with `meta.setting` on its traces."""
    on_request: Callable[[], dict[str, Any]] | None = None
    """Of a chart that is shown where it is asked for by name: what its JavaScript reads besides."""


def pack(
    study: Comparison, styles: Styles, panels: Sequence[str], contents: dict[str, Any]
) -> dict[str, Any]:
    """The whole message; `contents` is what a kind of study adds.

    Args:
      study: the runs.
      styles: each run's label and colour.
      panels: names of charts; for none all that are not on request.
      contents: "panels" (name -> `PlayerPanel`), "alts", "phases" (title, text, LaTeX), "columns" (per
        run, name -> array), and whatever else the panels' JavaScript reads.
    """
    charts: Mapping[str, PlayerPanel] = contents.pop("panels")
    names = panels or [name for name, panel in charts.items() if panel.on_request is None]
    for name in names:
        if more := charts[name].on_request:
            contents |= more()
    alts, phases, columns = (contents.pop(name) for name in ("alts", "phases", "columns"))
    data: dict[str, Any] = {
        "plotly": PLOTLY_URL,
        "figures": {name: _figure(charts[name], alts[name]) for name in names},
        "weightColours": {
            "towards": figures.TOWARDS,
            "away": figures.AWAY,
            "none": figures.NO_WEIGHT,
        },
        "task": study.recordings[0].config.task,
        "command": command_line([recording.config for recording in study.recordings]),
        "compared_k": study.compared_k,
        "kColours": {str(k): figures.k_colour(k) for k in ks_used(study.recordings)},
        "focus": len(study.recordings) - 1,
        "phases": [
            {"title": title, "text": text, "formula": mathml(latex) if latex else ""}
            for title, text, latex in phases
        ],
        "runs": [
            {
                "label": label,
                "colour": colour,
                "n": recording.config.n,
                "anneals": not recording.config.k_schedule.is_constant,
                "transforms": _transforms(recording.config.estimator_entry),
                "columns": {
                    "k": floats(recording["k"]),
                    "samples": floats(recording.samples),
                    "rewards": floats(recording.rewards),
                    "weights": floats(recording.weights),
                    "reached": floats(reached),
                    "atOne": floats(recording["max@1"]),
                    **{name: floats(values) for name, values in own.items()},
                },
            }
            for recording, reached, own, (label, colour) in zip(
                study.recordings, study.reached, columns, styles, strict=True
            )
        ],
        **contents,
    }
    data["id"] = hashlib.sha256(json.dumps(data).encode()).hexdigest()[:16]
    return data


def _figure(panel: PlayerPanel, alt: str) -> dict[str, Any]:
    """A figure without its title, which the page shows as a caption that wraps."""
    spec = panel.draw().to_plotly_json()
    title = spec["layout"].pop("title")["text"]
    spec["layout"]["margin"]["t"] = 12
    return {
        "json": to_json_plotly(spec),
        "title": title,
        "alt": alt,
        "kind": panel.kind,
        "span": panel.span,
        "column": panel.column,
        "single": panel.single,
    }


def _transforms(estimator: Estimator) -> list[dict[str, str]]:
    """Formula and text of the rule at k = 1, and of that at other k."""
    return [
        {
            "formula": mathml("w_i = " + estimator.formula_at(k)),
            "text": _transform_text(estimator, k),
        }
        for k in (1, 2)
    ]


def _transform_text(estimator: Estimator, k: int) -> str:
    text = JOINTLY if estimator.uses_k else WITHOUT_K
    formula = estimator.formula_at(k)
    plain_v = "v_k" in formula.replace("v_k^{(-i)}", "")
    used = [
        meaning
        for symbol, meaning in FORMULA_SYMBOLS.items()
        if (plain_v if symbol == "v_k" else symbol in formula)
    ]
    return text + HEAVIEST + (" " + "".join(used).strip() if used else "")
