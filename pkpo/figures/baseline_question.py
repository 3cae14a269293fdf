"""Can the baseline choose itself? Drawn from its table (see `pkpo.paper.baseline_question`)."""

from __future__ import annotations

import plotly.graph_objects as go

from pkpo.figures.schedule_questions import draw_panels
from pkpo.figures.style import INK, OTHER_COLOURS, estimator_colour, split_table
from pkpo.paper.baseline_question import ENDS, SELF_CHOSEN, SHOWN
from pkpo.paper.recipe import Table

LOOKS = {
    **dict(
        zip(SHOWN, ((OTHER_COLOURS[1], dash) for dash in ("solid", "dash", "dot")), strict=True)
    ),
    "mean of the rule": (INK, "longdash"),
    "mean of the best α": (INK, "dot"),
    **{name: (estimator_colour(key), "solid") for name, key in ENDS.items()},
    SELF_CHOSEN: (OTHER_COLOURS[1], "dash"),
}
"""Colour and dash of each curve."""


def plot_adaptive(table: Table) -> go.Figure:
    """Variance over earlier groups (left, both axes logarithmic), and what is learned from it."""
    cells = [
        (0, column, "", panel, rows)
        for column, (panel, rows) in enumerate(split_table(table, "panel"))
    ]
    drawn = draw_panels(cells, "curve", lambda name, _: (*LOOKS[name], name), "x")
    ticks = sorted(set(cells[0][-1]["x"]))
    drawn.update_layout(
        xaxis={"type": "log", "tickvals": ticks, "title": {"text": "earlier groups"}},
        yaxis={"type": "log", "tickvals": [0.9, 1, 1.1, 1.3, 1.5, 2, 3, 4, 5, 10, 20]},
    )
    return drawn
