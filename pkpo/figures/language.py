"""The paper's language-model figures, drawn from their tables (see `pkpo.paper.language`)."""

from __future__ import annotations

import plotly.graph_objects as go

from pkpo.figures.style import LEGEND, OTHER_COLOURS, axis, band, figure, groups, k_colour, line
from pkpo.lm.experiments import METHODS
from pkpo.paper.recipe import Table

METHOD_COLOURS = {
    "k1": k_colour(1),
    "k2": k_colour(2),
    "k4": k_colour(4),
    "k8": k_colour(8),
    "tzsm25": k_colour(16),
    "annealed": OTHER_COLOURS[0],
    "entropy": OTHER_COLOURS[1],
}
GAP = 0.09  # between panels, of the figure
HEIGHT = 250  # of a panel


def over_updates(table: Table, columns: int) -> go.Figure:
    """Every panel's curves over updates: means over seeds, with their standard errors as bands.

    Metrics of training groups are lines; those of held-out problems have a marker wherever they were
    measured, and lines between, dotted where the panel has the others too.

    Args:
      table: see `pkpo.paper.language`.
      columns: panels side by side.
    """
    panels = groups(table, "panel")
    lines = -(-len(panels) // columns)
    width, height = (1 + GAP) / columns - GAP, (1 + GAP) / lines - GAP
    seen: set[str] = set()
    traces, axes = [], {}
    for place, (name, rows) in enumerate(panels):
        number = "" if place == 0 else str(place + 1)
        on = {"xaxis": f"x{number}", "yaxis": f"y{number}"}
        both = len(set(rows["problems"])) == 2
        for method, own in groups(rows, "method"):
            colour = METHOD_COLOURS[method]
            for problems, part in groups(own, "problems"):
                x, mean, error = part["update"], part["mean"], part["error"]
                measured = problems == "held-out"
                more = {"mode": "lines+markers", "marker": {"size": 7}} if measured else {}
                traces += [
                    band(x, mean - error, mean + error, colour, legendgroup=method, **on),
                    line(
                        x,
                        mean,
                        colour,
                        METHODS[method].label,
                        dash="dot" if measured and both else "solid",
                        customdata=error,
                        hovertemplate="%{y:.3f} ± %{customdata:.3f}" + f" ({problems})",
                        legendgroup=method,
                        showlegend=method not in seen,
                        **more,
                        **on,
                    ),
                ]
                seen.add(method)
        left = place % columns * (width + GAP)
        bottom = (lines - 1 - place // columns) * (height + GAP)
        last = place + columns >= len(panels)
        axes[f"xaxis{number}"] = axis(
            "update" if last else "", domain=[left, min(left + width, 1)], anchor=f"y{number}"
        )
        axes[f"yaxis{number}"] = axis(
            name, domain=[bottom, min(bottom + height, 1)], anchor=f"x{number}"
        )
    return figure(
        traces,
        axes.pop("xaxis"),
        axes.pop("yaxis"),
        "",
        **LEGEND,
        height=HEIGHT * lines + 120,
        **axes,
    )
