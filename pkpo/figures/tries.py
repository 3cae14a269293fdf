"""The tries of one problem: how likely the best of k is right."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from pkpo.estimators import pass_at_k
from pkpo.figures.style import LEGEND_BELOW, axis, figure

TRY_KS = (1, 4, 16)


def plot_tries(asked: Sequence[tuple[str, str, int, int]]) -> go.Figure:
    """Bars of pass@k for each k of `TRY_KS` that the tries allow, the unbiased estimate (ρ).

    Args:
      asked: of each model label, colour, tries n, and how many of them are right.
    """
    bars = []
    for label, colour, n, right in asked:
        ks = [k for k in TRY_KS if k <= n]
        values = [float(pass_at_k(n, right, k)) for k in ks]
        bars.append(
            {
                "type": "bar",
                "name": label,
                "x": [f"pass@{k}" for k in ks],
                "y": values,
                "marker": {"color": colour},
                "texttemplate": "%{y:.0%}",
                "textposition": "outside",
                "cliponaxis": False,
                "customdata": [f"{right} of {n} right"] * len(ks),
                "hovertemplate": "%{y:.1%}; %{customdata}",
            }
        )
    return figure(
        bars,
        axis("", type="category"),
        axis("", range=[0, 1.12], tickformat=".0%", tickvals=[0, 0.5, 1]),
        "",
        **LEGEND_BELOW,
        barmode="group",
        bargap=0.25,
    )
