"""Charts over updates that grow while a run goes on, and keep their zoom, cursor and legend choice.

The browser holds the curves. Those of runs in the store it asks the server for, and again as long as
some go on (see `app.live_routes`), so that no page's script runs while it watches; it says so to the
script once a run is no longer as the page shows it.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from plotly.io.json import to_json_plotly

from app.components.wire import PLOTLY_URL, floats, script
from pkpo.figures.run_curves import Panel, is_share, metric_name, thin_points
from pkpo.figures.style import axis, figure

PATH = "live/runs"
"""Where the server answers, below the app's address."""
POINTS = 3_000  # of one metric, over all curves, sent of what is already there

_HERE = Path(__file__).parent
_COMPONENT = st.components.v2.component(
    "pkpo_live_charts",
    html="<section class='lc' aria-label='Charts over updates'><div class='lc-lines'></div>"
    "<p class='lc-problem' role='alert' hidden></p><div class='lc-key'></div>"
    "<div class='lc-charts'></div><table class='lc-numbers' hidden></table></section>",
    css=(_HERE / "livecharts.css").read_text(encoding="utf-8"),
    js=script(_HERE, "follower", "livecharts"),
    isolate_styles=False,
)


@dataclass(frozen=True, slots=True)
class Series:
    """One curve per chart: of a run, or the mean of several."""

    name: str
    """What it is of; a curve of the same label and another name begins anew."""
    label: str
    colour: str
    curves: Mapping[str, np.ndarray] | None = None
    """"update" and the metrics, `[T]` each. None: the browser follows the runs in the store whose ids
    are the name, joined by "+"."""
    errors: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Half the height of a band around a metric's curve."""


def show_live_charts(
    series: Sequence[Series],
    panels: Sequence[Panel],
    marks: Sequence[tuple[int, str]] = (),
    *,
    key: str,
    drawn: Mapping[str, Mapping[str, Any]] | None = None,
    numbers: Sequence[str] = (),
    baseline: int = 0,
) -> None:
    """Show the charts.

    Args:
      series: the curves.
      panels: the charts.
      marks: updates and words, to stand under the axis.
      key: names the component on the page; the charts live as long as it.
      drawn: per followed series, what the page shows of its `app.live_routes.state`; the script runs
        again once that is no longer so.
      numbers: metrics whose last values stand in a table below.
      baseline: the place of the series that the others are held against there.
    """
    columns = [panel.column for panel in panels]
    data = {
        "plotly": PLOTLY_URL,
        "address": f"./{PATH}",
        "scene": _digest([[s.label, s.colour] for s in series], columns),
        "panels": [_panel(panel) for panel in panels],
        "series": [
            {"name": s.name, "label": s.label, "colour": s.colour}
            | ({} if s.curves is None else new_points(s.curves, s.errors, columns, -1, len(series)))
            for s in series
        ],
        "marks": [{"update": update, "words": words} for update, words in marks],
        "at": time.time(),
        "drawn": drawn or {},
        "numbers": [
            {"column": column, "name": metric_name(column), "percent": is_share(column)}
            for column in numbers
        ],
        "baseline": baseline,
    }
    _COMPONENT(data=data, key=key, on_changed_change=lambda: None, height="content")


def new_points(
    curves: Mapping[str, np.ndarray],
    errors: Mapping[str, np.ndarray],
    columns: Sequence[str],
    after: int,
    together: int,
) -> dict[str, Any]:
    """What curves have beyond an update.

    Args:
      curves: as `Series.curves`.
      errors: as `Series.errors`.
      columns: the metrics that are wanted.
      after: the update; -1 for all.
      together: how many curves share a chart.
    """
    updates = np.asarray(curves.get("update", ()))
    start = int(np.searchsorted(updates, after, side="right"))
    points: dict[str, Any] = {}
    for column in columns:
        if column not in curves or start == len(updates):
            continue
        x, y = updates[start:], np.asarray(curves[column][start:])
        kept = thin_points(x, y, POINTS // together)
        points[column] = {"x": floats(x[kept]), "y": floats(y[kept])}
        if column in errors:
            points[column]["error"] = floats(np.asarray(errors[column][start:])[kept])
    last = int(updates[-1]) if len(updates) else -1
    return {"after": after, "last": max(last, after), "points": points}


@lru_cache(maxsize=64)  # every session asks at every look
def _panel(panel: Panel) -> dict[str, Any]:
    """A chart without its curves; read-only."""
    x = axis("update", nticks=6, rangemode="tozero")
    y = axis("", nticks=5, fixedrange=True, rangemode="tozero" if panel.steps else "normal")
    if panel.percent:
        y |= {"tickformat": ".0%", "rangemode": "nonnegative"}
    margin = {"l": 52, "r": 12, "t": 8, "b": 46}
    drawn = figure([], x, y, "", margin=margin)
    spec = drawn.to_plotly_json()["layout"]
    del spec["title"], spec["template"]
    return {
        "column": panel.column,
        "title": panel.title,
        "steps": panel.steps,
        "measured": panel.measured,
        "percent": panel.percent,
        "layout": json.loads(to_json_plotly(spec)),
    }


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
