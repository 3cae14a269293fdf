"""Questions about schedules, drawn from their tables (see `pkpo.paper.schedule_questions`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import plotly.graph_objects as go

from pkpo.figures.style import (
    OTHER_COLOURS,
    axis,
    band,
    estimator_colour,
    figure,
    k_colour,
    line,
    split_table,
)
from pkpo.paper.recipe import Table

SCHEDULE_COLOURS = {
    "k = 1": k_colour(1),
    "k = 8": k_colour(8),
    "8, then 1": OTHER_COLOURS[0],
    "1, then 8": OTHER_COLOURS[3],
    "half of each": estimator_colour("mix"),
}
SHARING_DASHES = ("solid", "dash", "dot")
COLUMN_GAP = 0.1  # between panels, of the figure
ROW_HEIGHT = 230
HEADING = 24
"""Pixels of the columns' titles, below the legend."""


def plot_direction(table: Table) -> go.Figure:
    """Exact max@1 (above) and max@8 (below) over updates, a column for each problem."""
    cells = [
        (row, column, f"max@{k}" if not column else "", problem, rows)
        for column, (problem, part) in enumerate(split_table(table, "problem"))
        for row, (k, rows) in enumerate(split_table(part, "k_eval"))
    ]
    return draw_panels(
        cells, "schedule", lambda name, place: (SCHEDULE_COLOURS[name], "solid", name)
    )


def plot_interference(table: Table) -> go.Figure:
    """The cosine of the two gradients, and what they do to max@1 and max@8, over updates."""
    cells = [
        (0, column, "", panel, rows)
        for column, (panel, rows) in enumerate(split_table(table, "panel"))
    ]
    return draw_panels(
        cells,
        "sharing",
        lambda share, place: (
            OTHER_COLOURS[place],
            SHARING_DASHES[place],
            "all parameters shared" if share == 1 else f"{share:g} of them shared",
        ),
    )


def draw_panels(
    cells: Sequence[tuple[int, int, str, str, Table]],
    by: str,
    look: Callable[[Any, int], tuple[str, str, str]],
    x_name: str = "update",
) -> go.Figure:
    """Curves with their standard errors as bands.

    Args:
      cells: row, column, the vertical axis's title, the column's title, and the table of each panel.
      by: the column of a table whose values are curves.
      look: a value and its place -> colour, dash and label.
      x_name: the column of a table along the horizontal axis.
    """
    rows, columns = 1 + max(cell[0] for cell in cells), 1 + max(cell[1] for cell in cells)
    width, height = (1 + COLUMN_GAP) / columns - COLUMN_GAP, (1 + COLUMN_GAP) / rows - COLUMN_GAP
    traces, axes, titles = [], {}, []
    told: set[str] = set()  # labels in the legend
    for index, (row, column, title, heading, found) in enumerate(cells):
        number = "" if index == 0 else str(index + 1)
        on = {"xaxis": f"x{number}", "yaxis": f"y{number}"}
        for place, (value, part) in enumerate(split_table(found, by)):
            colour, dash, label = look(value, place)
            x, mean, error = part[x_name], part["mean"], part["error"]
            traces += [
                band(x, mean - error, mean + error, colour, legendgroup=label, **on),
                line(
                    x,
                    mean,
                    colour,
                    label,
                    dash=dash,
                    customdata=error,
                    hovertemplate="%{y:.3f} ± %{customdata:.3f}",
                    legendgroup=label,
                    showlegend=label not in told,
                    **on,
                ),
            ]
            told.add(label)
        left, bottom = column * (width + COLUMN_GAP), (rows - 1 - row) * (height + COLUMN_GAP)
        axes[f"xaxis{number}"] = axis(
            "update" if row + 1 == rows else "",
            domain=[left, min(left + width, 1)],
            anchor=f"y{number}",
        )
        axes[f"yaxis{number}"] = axis(
            title, domain=[bottom, min(bottom + height, 1)], anchor=f"x{number}"
        )
        if row == 0:
            titles.append(
                {
                    "text": heading,
                    "x": left + width / 2,
                    "y": 1.0,
                    "xref": "paper",
                    "yref": "paper",
                    "xanchor": "center",
                    "yanchor": "bottom",
                    "showarrow": False,
                }
            )
    drawn = ROW_HEIGHT * rows
    legend = {"orientation": "h", "x": 0, "yanchor": "bottom", "y": 1 + HEADING / drawn}
    margin = {"l": 62, "r": 14, "t": 90, "b": 50}
    return figure(
        traces,
        axes.pop("xaxis"),
        axes.pop("yaxis"),
        "",
        showlegend=True,
        legend=legend,
        margin=margin,
        height=drawn + margin["t"] + margin["b"],
        annotations=titles,
        **axes,
    )
