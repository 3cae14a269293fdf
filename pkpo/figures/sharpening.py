"""Does training only sharpen? Drawn from its table (see `pkpo.paper.sharpening_question`)."""

from __future__ import annotations

import plotly.graph_objects as go

from pkpo.figures.schedule_questions import draw_panels
from pkpo.figures.style import INK, k_colour, split_table
from pkpo.paper.recipe import Table

STAGE_LOOKS = {
    "before training": (INK, "dot"),
    "k = 1": (k_colour(1), "solid"),
    "k = 8": (k_colour(8), "solid"),
}
"""Colour and dash of each curve."""


def plot_sharpening(table: Table) -> go.Figure:
    """Pass@k over k (left, logarithmic), and the share of problems over how often they are solved."""
    cells = [
        (0, column, "", f"problems solved {panel}", rows)
        for column, (panel, rows) in enumerate(split_table(table, "panel"))
    ]
    drawn = draw_panels(cells, "curve", lambda name, _: (*STAGE_LOOKS[name], name), "x")
    ks, rates = (sorted(set(cell[-1]["x"])) for cell in cells)
    drawn.update_layout(
        xaxis={"type": "log", "tickvals": ks, "title": {"text": "tries, k"}},
        xaxis2={
            "tickvals": rates,
            "tickformat": ".0%",
            "title": {"text": "solved at least so often"},
        },
        yaxis={"tickformat": ".0%"},
        yaxis2={"tickformat": ".0%"},
    )
    return drawn
