"""What estimators optimise, and the variance of an estimate of pass@k (`pkpo.analysis.objectives`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from pkpo import analysis
from pkpo.analysis.enumeration import rho_variance, rho_variance_asymptote
from pkpo.figures.style import (
    axis,
    figure,
    k_colour,
    line,
)
from pkpo.figures.variance_lab.labels import LEGEND_ABOVE, colours_of_estimators, estimator_label


def plot_cosines(found: Sequence[analysis.ExpectedDirection]) -> go.Figure:
    """Each expected direction's cosine with the gradient of max@k, for every k."""
    return _targets(found, "cosine", axis("cosine with ∇max@k", range=[0, 1.04]))


def plot_scales(found: Sequence[analysis.ExpectedDirection]) -> go.Figure:
    """Each expected direction's component along the gradient of max@k, in units of its length."""
    return _targets(found, "scale", axis("scale: 1 is unbiased", rangemode="tozero"))


def _targets(found: Sequence[analysis.ExpectedDirection], column: str, y: dict) -> go.Figure:
    colours = colours_of_estimators(target.estimator for target in found)
    traces = [
        line(
            np.arange(1, len(target.cosine) + 1),
            getattr(target, column),
            colours[target.estimator],
            estimator_label(target.estimator),
            mode="lines+markers",
            dash="dash" if target.estimator == "tailrl" else "solid",
            marker={"size": 6, "color": colours[target.estimator]},
            hovertemplate="%{y:.3f}",
        )
        for target in found
    ]
    return figure(traces, axis("k of max@k", nticks=10), y, "", **LEGEND_ABOVE)


def plot_value_variance(n: int, ks: Sequence[int]) -> go.Figure:
    """The variance of ρ(n, c, k) over the pass rate: exact, and Corollary 3's asymptote."""
    p = np.linspace(0.01, 0.99, 99)
    exact, asymptote = rho_variance(n, ks, p), rho_variance_asymptote(n, ks, p)
    traces = []
    for k, true, far in zip(ks, exact, asymptote, strict=True):
        traces.append(line(p, true, k_colour(k), f"k = {k}, exact", hovertemplate="%{y:.4g}"))
        traces.append(
            line(
                p,
                far,
                k_colour(k),
                f"k = {k}, Corollary 3",
                dash="dot",
                width=1.5,
                hovertemplate="%{y:.4g}",
            )
        )
    top = float(max(exact.max(), asymptote.max()))
    return figure(
        traces,
        axis("pass rate p"),
        axis(f"variance of ρ({n}, c, k)", range=[0, 1.05 * top]),
        "",
        **LEGEND_ABOVE,
    )
