"""Figures of one group: weights as bars, and an estimator's matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from pkpo.analysis.group_weights import GroupWeights
from pkpo.estimators import get_estimator
from pkpo.figures.style import AWAY, INK, TOWARDS, axis, distinct_colours, estimator_colour, figure


def plot_group_weights(rewards: Sequence[float], weighed: Sequence[GroupWeights]) -> go.Figure:
    """One group of bars per sample, one bar per estimator."""
    places = [f"r{i + 1} = {reward:g}" for i, reward in enumerate(rewards)]
    shown = [w for w in weighed if w.weights is not None]
    colours = distinct_colours([estimator_colour(w.estimator) for w in shown])
    traces = [
        {
            "type": "bar",
            "x": places,
            "y": w.weights,
            "name": get_estimator(w.estimator).label,
            "marker": {"color": colour},
            "hovertemplate": "%{y:.4f}",
        }
        for w, colour in zip(shown, colours, strict=True)
    ]
    return figure(
        traces,
        axis("sample", type="category"),
        axis("weight", zeroline=True, zerolinecolor=INK),
        "",
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        margin={"l": 62, "r": 14, "t": 64, "b": 50},
        barmode="group",
        bargap=0.25,
    )


def describe_group_weights(weighed: Sequence[GroupWeights]) -> str:
    """The same in words."""
    return "Weights per sample. " + " ".join(
        f"{get_estimator(w.estimator).label}: {', '.join(f'{x:.3f}' for x in w.weights)}."
        for w in weighed
        if w.weights is not None
    )


def plot_weight_matrix(estimator: str, values: np.ndarray) -> go.Figure:
    """The matrix that turns sorted rewards into weights."""
    n = len(values)
    reach = float(np.abs(values).max()) or 1.0
    places = [str(i + 1) for i in range(n)]
    heat = {
        "type": "heatmap",
        "x": places,
        "y": places,
        "z": values,
        "zmin": -reach,
        "zmax": reach,
        "colorscale": [[0, AWAY], [0.5, "#e5e7eb"], [1, TOWARDS]],
        "xgap": 1,
        "ygap": 1,
        "colorbar": {"thickness": 12, "outlinewidth": 0, "tickfont": {"color": INK}},
        "hovertemplate": "weight %{y} gets %{z:.4f} of reward %{x}<extra></extra>",
    }
    if n <= 10:
        heat |= {"texttemplate": "%{z:.2g}", "textfont": {"size": 12, "color": "#1b232c"}}
    return figure(
        [heat],
        axis("sorted reward (1: smallest)", type="category"),
        axis("weight of", type="category", autorange="reversed"),
        "",
        hovermode="closest",
        margin={"l": 62, "r": 14, "t": 12, "b": 50},
    )
