"""Charts over updates that grow while a run goes on, and keep their zoom, cursor and legend choice.

The browser holds the curves. Each message brings what came after the last one; a browser that has
missed some, or has just been reloaded, asks for everything.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from plotly.io.json import to_json_plotly

from app.player.packing import PLOTLY_URL, floats
from pkpo.figures.progress import Panel, thin
from pkpo.figures.style import axis, figure

POINTS = 3_000  # of one metric, over all curves, sent of what is already there

_HERE = Path(__file__).parent
_COMPONENT = st.components.v2.component(
    "pkpo_live_charts",
    html="<section class='lc' aria-label='Charts over updates'><div class='lc-key'></div>"
    "<div class='lc-charts'></div><p class='lc-error' role='alert' hidden></p></section>",
    css=(_HERE / "livecharts.css").read_text(encoding="utf-8"),
    js=(_HERE / "livecharts.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


@dataclass(frozen=True, slots=True)
class Series:
    """One curve per chart: of a run, or the mean of several."""

    name: str
    """What it is of; a curve of the same label and another name begins anew."""
    label: str
    colour: str
    curves: Mapping[str, np.ndarray]
    """"update" and the metrics, `[T]` each; points already shown must not change."""
    errors: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Half the height of a band around a metric's curve."""


def show(
    series: Sequence[Series],
    panels: Sequence[Panel],
    marks: Sequence[tuple[int, str]] = (),
    *,
    key: str,
) -> None:
    """Show the charts.

    Args:
      series: the curves.
      panels: the charts.
      marks: updates and words, to stand under the axis.
      key: names the component on the page; the charts live as long as it.
    """
    scene = _digest([[s.label, s.colour] for s in series], [p.column for p in panels])
    known = f"{key} sent"
    if st.session_state.get(known, {}).get("scene") != scene:
        st.session_state[known] = {"scene": scene}
    sent = st.session_state[known]
    columns = [panel.column for panel in panels]
    data = {
        "plotly": PLOTLY_URL,
        "scene": scene,
        "panels": [_panel(panel) for panel in panels],
        "series": [_news(s, columns, sent.get(s.name, -1), POINTS // len(series)) for s in series],
        "marks": [{"update": update, "words": words} for update, words in marks],
        "alt": [_alt(panel, series) for panel in panels],
    }
    for one in series:
        sent[one.name] = _last(one)

    def resend() -> None:
        st.session_state[known] = {"scene": scene}

    _COMPONENT(data=data, key=key, on_missed_change=resend, height="content")


def _last(one: Series) -> int:
    updates = np.asarray(one.curves.get("update", ()))
    return int(updates[-1]) if len(updates) else -1


def _news(one: Series, columns: Sequence[str], after: int, at_most: int) -> dict[str, Any]:
    """What a curve has beyond an update."""
    updates = np.asarray(one.curves.get("update", ()))
    start = int(np.searchsorted(updates, after, side="right"))
    points: dict[str, Any] = {}
    for column in columns:
        if column not in one.curves or start == len(updates):
            continue
        x, y = updates[start:], np.asarray(one.curves[column][start:])
        kept = thin(x, y, at_most)
        points[column] = {"x": floats(x[kept]), "y": floats(y[kept])}
        if column in one.errors:
            points[column]["error"] = floats(np.asarray(one.errors[column][start:])[kept])
    return {
        "name": one.name,
        "label": one.label,
        "colour": one.colour,
        "after": after,
        "last": _last(one),
        "points": points,
    }


@lru_cache(maxsize=64)  # every session asks at every poll
def _panel(panel: Panel) -> dict[str, Any]:
    """A chart without its curves; read-only."""
    x = axis("update", nticks=6, rangemode="tozero")
    y = axis("", nticks=5, fixedrange=True, rangemode="tozero" if panel.steps else "normal")
    margin = {"l": 52, "r": 12, "t": 8, "b": 46}
    drawn = figure([], x, y, "", margin=margin)
    spec = drawn.to_plotly_json()["layout"]
    del spec["title"], spec["template"]
    return {
        "column": panel.column,
        "title": panel.title,
        "steps": panel.steps,
        "layout": json.loads(to_json_plotly(spec)),
    }


def _alt(panel: Panel, series: Sequence[Series]) -> str:
    ends = [
        f"{s.label}: {s.curves[panel.column][-1]:.3f} at update {_last(s)}"
        for s in series
        if len(s.curves.get(panel.column, ()))
    ]
    return f"{panel.title}. {'; '.join(ends[:8]) or 'Nothing yet'}."


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
