"""The player: a recorded study of the toy problem, played back in the browser.

`payload` packs a study once, as compact arrays and Plotly figures, and `play` sends it; play, pause,
step and scrub then need no server.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import latex2mathml.converter
import numpy as np
import plotly.graph_objects as go
import streamlit as st
from plotly.io.json import to_json_plotly

from pkpo import figures
from pkpo.estimators import Estimator
from pkpo.studies import ToyStudy

PLOTLY_URL = "./app/static/plotly/plotly-basic-4.1.1.min.js"  # see the README beside it

_HERE = Path(__file__).parent
_COMPONENT = st.components.v2.component(
    "pkpo_player",
    html=(_HERE / "player.html").read_text(encoding="utf-8"),
    css=(_HERE / "player.css").read_text(encoding="utf-8")
    + f".pk-towards {{ background: {figures.TOWARDS}; }}"
    f" .pk-away {{ background: {figures.AWAY}; }}"
    f" .pk-none {{ background: {figures.NO_WEIGHT}; }}",
    js=(_HERE / "player.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)

PHASES = (
    (
        "Sample",
        "Draw n = {n} attempts from the policy: θ = {theta}, σ = {sigma}.",
        r"x_1, \dots, x_n \sim \mathcal{N}(\theta, \sigma^2)",
    ),
    (
        "Score",
        "Each attempt gets its own reward; the best of these is {best}.",
        r"r_i = g(x_i)",
    ),
    ("Transform", "", ""),
    (
        "Update",
        "Ordinary policy gradient with these weights: {gradient} (coloured arrow; grey: exactly "
        "{exact}). With the learning rate, θ goes from {theta} to {next}.",
        r"\theta \leftarrow \theta + \eta \sum_i w_i \, \nabla_\theta \log \pi_\theta(x_i)",
    ),
)
"""Title, text and LaTeX of the four phases of an update; the third's are the estimator's."""

HEAVIEST = "The heaviest: reward {reward}, weight {weight}; {weighty} of {n} samples carry weight."
JOINTLY = "The one changed line: the group's rewards become weights, jointly, for k = {k}. "
WITHOUT_K = "The rewards become weights; this estimator knows no k. "
SYMBOLS = {
    "q_i": "q_i: mean best of the size-k subsets that hold sample i. ",
    "^{(-i)}": "v^(-i): mean best of subsets without it. ",
    "v_k": "v_k: mean best of all of them. ",
}
"""What the symbols of the estimators' formulas mean."""


PANELS = ("stage", "theta", "value", "gradient")
"""The charts, in order."""


def play(data: dict[str, Any], *, key: str) -> None:
    """Show a study with its playback controls.

    Args:
      data: from `payload`.
      key: names the component on the page; its charts keep their state while the key lives.
    """
    _COMPONENT(data=data, key=key, height="content")


def payload(
    study: ToyStudy, styles: Sequence[tuple[str, str]], panels: Sequence[str]
) -> dict[str, Any]:
    """What the browser gets: the study, each run's label and colour, and which charts to show."""
    alts = figures.toy.describe(study, styles)
    makers = {
        "stage": lambda: figures.toy.stage(study),
        "theta": lambda: figures.toy.theta_over_updates(study, styles),
        "value": lambda: figures.value_over_updates(study, styles),
        "gradient": lambda: figures.toy.gradient_over_updates(study, styles),
    }
    data: dict[str, Any] = {
        "plotly": PLOTLY_URL,
        "figures": {name: _figure(makers[name](), alts[name]) for name in panels},
        "grid": _floats(study.theta),
        "curves": {str(k): _floats(curve) for k, curve in study.curves.items()},
        "colours": {str(k): figures.k_colour(k) for k in study.curves},
        "weightColours": {
            "towards": figures.TOWARDS,
            "away": figures.AWAY,
            "none": figures.NO_WEIGHT,
        },
        "note": figures.toy.key(study),
        "yardstick": study.yardstick,
        "focus": len(study.recordings) - 1,
        "phases": [
            {"title": title, "text": text, "formula": _mathml(latex) if latex else ""}
            for title, text, latex in PHASES
        ],
        "runs": [
            {
                "label": label,
                "colour": colour,
                "n": recording.config.n,
                "anneals": not recording.config.k_schedule.is_constant,
                "formula": _weight_formula(recording.config.estimator_entry),
                "transformText": _transform_text(recording.config.estimator_entry),
                "columns": {
                    "k": _floats(recording["k"]),
                    "theta": _floats(recording["theta"]),
                    "sigma": _floats(recording["sigma"]),
                    "samples": _floats(recording.samples),
                    "rewards": _floats(recording.rewards),
                    "weights": _floats(recording.weights),
                    "gradient": _floats(recording["gradient"]),
                    "exact": _floats(recording["exact_gradient"]),
                    "value": _floats(recording["value"]),
                    "reached": _floats(reached),
                    "atOne": _floats(recording["max@1"]),
                },
            }
            for recording, reached, (label, colour) in zip(
                study.recordings, study.reached, styles, strict=True
            )
        ],
    }
    data["id"] = hashlib.sha256(json.dumps(data).encode()).hexdigest()[:16]
    return data


def _figure(figure: go.Figure, alt: str) -> dict[str, str]:
    """A figure without its title, which the page shows as a caption that wraps."""
    spec = figure.to_plotly_json()
    title = spec["layout"].pop("title")["text"]
    spec["layout"]["margin"]["t"] = 12
    return {"json": to_json_plotly(spec), "title": title, "alt": alt}


def _floats(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values, np.float32).tobytes()).decode()


def _weight_formula(estimator: Estimator) -> str:
    return _mathml("w_i = " + estimator.formula)


def _transform_text(estimator: Estimator) -> str:
    text = JOINTLY if estimator.uses_k else WITHOUT_K
    formula = estimator.formula
    plain_v = "v_k" in formula.replace("v_k^{(-i)}", "")
    used = [
        meaning
        for symbol, meaning in SYMBOLS.items()
        if (plain_v if symbol == "v_k" else symbol in formula)
    ]
    return text + HEAVIEST + (" " + "".join(used).strip() if used else "")


@lru_cache(maxsize=64)
def _mathml(latex: str) -> str:
    return latex2mathml.converter.convert(latex, display="block")
