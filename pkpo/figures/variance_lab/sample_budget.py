"""One budget of samples, many prompts or large groups (`pkpo.analysis.sample_budget`)."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from pkpo import analysis
from pkpo.figures.style import (
    axis,
    figure,
    line,
)
from pkpo.figures.variance_lab.labels import LEGEND_ABOVE, colours_of_estimators, estimator_label


def plot_budget(found: analysis.SampleBudget) -> go.Figure:
    """An update's variance over the group size; solid: prompts alike, dashed: prompts that differ."""
    traces = []
    colours = colours_of_estimators(found.same)
    for name in found.same:
        for values, dash, what in (
            (found.same[name], "solid", "alike"),
            (found.mixed[name], "dash", "mixed"),
        ):
            traces.append(
                line(
                    found.n,
                    values,
                    colours[name],
                    estimator_label(name) if what == "alike" else f"{estimator_label(name)}, mixed",
                    dash=dash,
                    mode="lines+markers",
                    marker={"size": 7, "color": colours[name]},
                    hovertemplate="%{y:.4g}",
                    legendgroup=name,
                    showlegend=what == "alike",
                )
            )
    return figure(
        traces,
        axis("samples per prompt, n", type="log", tickvals=found.n.tolist()),
        axis("variance of an update's gradient", type="log", dtick=1, exponentformat="power"),
        "",
        **LEGEND_ABOVE,
    )


def describe_budget(found: analysis.SampleBudget, k: int) -> str:
    """The best split of each kind, over the estimators shown."""
    words = []
    for values, what in ((found.same, "prompts alike"), (found.mixed, "pass rates that differ")):
        ends = [
            (float(curve[place]), name, int(found.n[place]))
            for name, curve in values.items()
            for place in range(found.n.size)
            if not np.isnan(curve[place])
        ]
        if not ends:
            return f"No split of {found.total} samples allows k = {k}."
        variance, name, n = min(ends)
        words.append(
            f"with {what}, {found.total // n} × n = {n} ({estimator_label(name)}, {variance:.3g})"
        )
    return (
        f"Best split of {found.total} samples, as prompts × n, for k = {k}: "
        + "; ".join(words)
        + "."
    )
