"""Moments along an axis, and single estimates (`pkpo.analysis.variance_curves`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from pkpo import analysis
from pkpo.analysis.monte_carlo import variance_margin
from pkpo.estimators import get_estimator
from pkpo.figures.style import (
    INK,
    SOFT,
    axis,
    band,
    figure,
    line,
    scatter_trace,
)
from pkpo.figures.variance_lab.labels import LEGEND_ABOVE, colours_of_estimators, estimator_label

MEASURES = {
    "variance": "variance of one estimate",
    "mse": "mean squared error of one estimate",
    "bias": "length of the bias",
    "signal_to_noise": "signal-to-noise: |gradient|² / variance",
    "ratio": "variance over that of the best unbiased one shown",
}


def plot_curves(points: Sequence[analysis.CurvePoint], axis_name: str, measure: str) -> go.Figure:
    """One measure of every estimator along an axis; exact as lines, measured as points."""
    best = _best(points)
    traces = []
    colours = colours_of_estimators(point.estimator for point in points)
    for name in colours:
        mine = [point for point in points if point.estimator == name]
        x = [point.x for point in mine]
        rows = [_read(point, measure, best) for point in mine]
        value, low, high, exact = (np.array(column) for column in zip(*rows, strict=True))
        known = not np.isnan(exact).all()
        traces.append(band(x, low, high, colours[name], legendgroup=name))
        if known:
            traces.append(
                line(
                    x,
                    exact,
                    colours[name],
                    estimator_label(name),
                    legendgroup=name,
                    hovertemplate="%{y:.4g}",
                )
            )
        traces.append(
            line(
                x,
                value,
                colours[name],
                f"{estimator_label(name)}, measured" if known else estimator_label(name),
                mode="markers" if known else "lines+markers",
                marker={"size": 6, "color": colours[name], "opacity": 0.75},
                hovertemplate="%{y:.4g}",
                legendgroup=name,
                showlegend=not known,
                meta={"estimator": name},
            )
        )
    log = axis_name in ("n", "ways", "dimension")
    return figure(
        traces,
        axis(
            analysis.AXES[axis_name],
            type="log" if log else "linear",
            **({"tickvals": sorted({p.x for p in points})[::2]} if log else {}),
        ),
        axis(MEASURES[measure], type="log", exponentformat="power", nticks=8),
        "",
        **LEGEND_ABOVE,
    )


def _best(points: Sequence[analysis.CurvePoint]) -> dict[float, analysis.CurvePoint]:
    """At every x the unbiased estimator with the least variance."""
    result: dict[float, analysis.CurvePoint] = {}
    for point in points:
        if get_estimator(point.estimator).unbiased:
            other = result.get(point.x)
            if other is None or _variance(point) < _variance(other):
                result[point.x] = point
    return result


def _variance(point: analysis.CurvePoint) -> float:
    return point.exact.variance if point.exact else point.measured.variance.value


def _read(
    point: analysis.CurvePoint, measure: str, best: dict[float, analysis.CurvePoint]
) -> tuple[float, float, float, float]:
    """Value, ends of its 95% interval, and exact value; nan where there is none (or 0, on a log)."""
    found, exact = point.measured, point.exact
    if measure == "ratio":
        if point.x not in best:
            return (np.nan,) * 4
        unit, other = best[point.x].measured, best[point.x].exact
        gap, size = variance_margin(found, unit), unit.variance.value  # paired: the same groups
        true = exact.variance / other.variance if exact and other and other.variance > 0 else np.nan
        if size == 0:
            return np.nan, np.nan, np.nan, true
        return 1 + gap.value / size, max(1 + gap.low / size, 1e-3), 1 + gap.high / size, true
    if measure == "bias":
        reach = 2 * found.bias_error
        low, high = max(found.bias - reach, found.bias / 4), found.bias + reach
        return found.bias, low, high, exact.bias if exact and exact.bias > 1e-12 else np.nan
    m = getattr(found, measure)
    return m.value, m.low, m.high, getattr(exact, measure) if exact else np.nan


def describe_curves(points: Sequence[analysis.CurvePoint], axis_name: str) -> str:
    """Who has the least variance along the axis, from the numbers."""
    best = _best(points)
    if not best:
        return "None of these is unbiased for max@k: less variance buys a bias."
    stretches: list[list] = []
    for x in sorted(best):
        name = best[x].estimator
        if stretches and stretches[-1][0] == name:
            stretches[-1][2] = x
        else:
            stretches.append([name, x, x])
    spans = [
        f"{estimator_label(name)} " + (f"at {a:g}" if a == b else f"from {a:g} to {b:g}")
        for name, a, b in stretches[:5]
    ]
    more = "; ..." if len(stretches) > 5 else "."
    along = f"Least variance among the unbiased ones, over {analysis.AXES[axis_name]}: "
    return along + "; ".join(spans) + more


def plot_cloud(found: dict[str, np.ndarray]) -> go.Figure:
    """Single estimates along the exact gradient, one dot each, with mean and standard deviation."""
    away = np.abs(np.concatenate(list(found.values())) - 1)
    width = 1.1 * float(np.quantile(away, 0.98)) or 1.0
    traces = []
    colours = colours_of_estimators(found)
    for row, (name, values) in enumerate(found.items()):
        mean, sd = float(values.mean()), float(values.std(ddof=1))
        lift = np.random.default_rng(row).uniform(-0.3, 0.3, values.size)  # only to part the dots
        traces.append(
            scatter_trace(
                x=values,
                y=row + lift,
                mode="markers",
                marker={"size": 4, "color": colours[name], "opacity": 0.3},
                name=estimator_label(name),
                hovertemplate="%{x:.3f}<extra></extra>",
                meta={"estimator": name},
            )
        )
        traces.append(
            scatter_trace(
                x=[mean],
                y=[row],
                mode="markers",
                marker={
                    "symbol": "diamond",
                    "size": 14,
                    "color": colours[name],
                    "line": {"width": 2, "color": "white"},
                },
                error_x={"type": "data", "array": [sd], "color": INK, "thickness": 2.5, "width": 8},
                name=estimator_label(name),
                hovertemplate=f"mean {mean:.3f}, s.d. {sd:.3f}<extra></extra>",
            )
        )
    rule = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
    return figure(
        traces,
        axis("along the exact gradient<br>(1: the truth)", range=[1 - width, 1 + width]),
        axis(
            "",
            range=[len(found) - 0.5, -0.5],
            tickvals=list(range(len(found))),
            ticktext=[estimator_label(name) for name in found],
        ),
        "",
        hovermode="closest",
        shapes=[
            rule | {"x0": 1, "x1": 1, "line": {"color": INK, "width": 2, "dash": "dash"}},
            rule | {"x0": 0, "x1": 0, "line": {"color": SOFT, "width": 2}},
        ],
        margin={"l": 150, "r": 14, "t": 12, "b": 64},
    )


def describe_cloud(found: dict[str, np.ndarray]) -> str:
    """Mean and scatter of each, in words."""
    parts = [
        f"{estimator_label(name)}: mean {values.mean():.2f}, s.d. {values.std(ddof=1):.2f}"
        for name, values in found.items()
    ]
    return "; ".join(parts) + "."
