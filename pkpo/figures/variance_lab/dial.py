"""Mixtures of loo-1 and canonical (`pkpo.analysis.dial`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from pkpo import analysis
from pkpo.analysis.settings import CANONICAL, LOO
from pkpo.figures.style import (
    INK,
    axis,
    estimator_colour,
    figure,
    line,
    scatter_trace,
)
from pkpo.figures.variance_lab.labels import LEGEND_ABOVE, estimator_label


def plot_dial(found: analysis.DialVariance, alpha: float) -> go.Figure:
    """The variance over α, the two ends, the minimum, and where the slider stands."""
    middle = found.best if np.isfinite(found.best) else 0.5
    reach = max(1.25, abs(middle - 0.5) + 0.75)
    x = np.linspace(min(0.5 - reach, alpha), max(0.5 + reach, alpha), 121)
    traces = [
        line(x, found.variance(x), estimator_colour("dial"), "mixture", hovertemplate="%{y:.4g}")
    ]
    marks = [(0.0, LOO, "circle"), (1.0, CANONICAL, "circle")]
    for at, name, symbol in marks:
        traces.append(
            _mark(at, found.variance(at), estimator_label(name), estimator_colour(name), symbol)
        )
    if np.isfinite(found.best):
        traces.append(
            _mark(
                found.best,
                found.variance(found.best),
                "least",
                estimator_colour("dial"),
                "star",
                15,
            )
        )
    traces.append(_mark(alpha, found.variance(alpha), "the slider", INK, "diamond", 11))
    return figure(
        traces,
        axis("α: 0 is loo-1, 1 is canonical"),
        axis("variance of one estimate", rangemode="tozero"),
        "",
        **LEGEND_ABOVE,
    )


def describe_dial(found: analysis.DialVariance, alpha: float) -> str:
    """The variance at the slider, and where it is least."""
    here = f"At α = {alpha:.2f} the variance is {found.variance(alpha):.4g}. "
    if not np.isfinite(found.best):
        return here + "α has no effect at this point."
    gain = f"{found.gain:.2f} times less than the better end"
    return here + f"Least at α = {found.best:.2f}: {gain}."


def _mark(x: float, y: float, name: str, colour: str, symbol: str, size: int = 12) -> dict:
    style = {
        "symbol": symbol,
        "size": size,
        "color": colour,
        "line": {"width": 1, "color": "white"},
    }
    return scatter_trace(
        x=[x],
        y=[y],
        mode="markers",
        name=name,
        marker=style,
        hovertemplate="%{y:.4g} at α = %{x:.2f}",
    )


def plot_best_dials(
    x: np.ndarray, found: Sequence[analysis.DialVariance], axis_name: str
) -> go.Figure:
    """The best α along an axis, between the two published ends."""
    log = axis_name in ("n", "ways", "dimension")
    ends = [
        line(
            x[[0, -1]], [at, at], estimator_colour(name), estimator_label(name), dash="dot", width=1.5,
            hoverinfo="skip",
        )
        for at, name in ((0, LOO), (1, CANONICAL))
    ]  # fmt: skip
    best = line(
        x,
        [d.best for d in found],
        estimator_colour("dial"),
        "best α",
        mode="lines+markers",
        customdata=[d.gain for d in found],
        hovertemplate="α = %{y:.2f}, %{customdata:.2f}× less than the better end",
    )
    return figure(
        [*ends, best],
        axis(analysis.AXES[axis_name], type="log" if log else "linear"),
        axis("best α", range=[-2.2, 2.2]),
        "",
        **LEGEND_ABOVE,
    )
