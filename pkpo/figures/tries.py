"""The tries of one problem: how likely the best of k is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from pkpo.figures.style import LEGEND_BELOW, axis, figure


def plot_tries(asked: Sequence[tuple[str, str, str, Mapping[int, float]]]) -> go.Figure:
    """Bars of pass@k, side by side for each k.

    Args:
      asked: of each model label, colour, what is said beside its values, and pass@k by k.
    """
    bars = [
        {
            "type": "bar",
            "name": label,
            "x": [f"pass@{k}" for k in values],
            "y": list(values.values()),
            "marker": {"color": colour},
            "texttemplate": "%{y:.0%}",
            "textposition": "outside",
            "cliponaxis": False,
            "customdata": [said] * len(values),
            "hovertemplate": "%{y:.1%}; %{customdata}",
        }
        for label, colour, said, values in asked
    ]
    return figure(
        bars,
        axis("", type="category"),
        axis("", range=[0, 1.12], tickformat=".0%", tickvals=[0, 0.5, 1]),
        "",
        **LEGEND_BELOW,
        barmode="group",
        bargap=0.25,
    )
