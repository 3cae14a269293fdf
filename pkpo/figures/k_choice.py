"""Figures and sentences of "Which k should I use?"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from pkpo.analysis.k_choice import EQUAL_GAIN, KChoice
from pkpo.figures.style import INK, LEGEND_BELOW, axis, figure, k_colour, line, scatter_trace

NEARLY = 0.95
"""Share of the best gain from which another k is called nearly as good."""


def plot_gain(found: KChoice) -> go.Figure:
    """What a step for each k brings, at the tries of use and at a single one; the best k as a dot."""
    curves = [(found.tries, found.gain, f"best of {found.tries}", "solid")]
    if found.tries > 1:
        curves.append((1, found.single_gain, "a single try", "dot"))
    traces = [
        line(
            found.ks,
            gain,
            k_colour(tries),
            label,
            dash=dash,
            mode="lines+markers",
            marker={"size": 5},
            hovertemplate="%{y:.0%}",
        )
        for tries, gain, label, dash in curves
    ]
    traces.append(
        scatter_trace(
            x=[found.best],
            y=[float(found.gain[found.best - 1])],
            mode="markers",
            name=f"k = {found.best}",
            marker={"size": 15, "color": k_colour(found.tries), "symbol": "star"},
            hoverinfo="skip",
        )
    )
    return figure(
        traces,
        axis("k that is trained for"),
        axis("gain of a step, of the best one", tickformat=".0%", rangemode="tozero"),
        "",
        **LEGEND_BELOW,
    )


def plot_today(found: KChoice) -> go.Figure:
    """What the model solves today within so many tries."""
    ticks = [k for k in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024) if k <= found.tried[-1]]
    here = float(found.solved[np.searchsorted(found.tried, found.tries)])
    return figure(
        [
            line(found.tried, found.solved, INK, "today", width=3, hovertemplate="%{y:.1%}"),
            scatter_trace(
                x=[found.tries],
                y=[here],
                mode="markers",
                name=f"{found.tries} tries",
                marker={"size": 12, "color": k_colour(found.tries)},
                hoverinfo="skip",
            ),
        ],
        axis("tries per problem", type="log", tickvals=ticks),
        axis("solved", tickformat=".0%", range=[0, 1.02]),
        "",
        margin={"l": 62, "r": 14, "t": 14, "b": 50},
    )


def describe_choice(found: KChoice) -> str:
    """The answer in words: the best k, those nearly as good, and the cost at a single try."""
    near = [int(k) for k, gain in zip(found.ks, found.gain, strict=True) if gain >= NEARLY]
    told = f"**Train for k = {found.best}.**"
    if len(near) > 1:
        told += f" k from {near[0]} to {near[-1]} brings at least {NEARLY:.0%} as much per step."
    if found.tries == 1:
        return told
    if np.ptp(found.gain - found.single_gain) < EQUAL_GAIN:
        return told + (
            " Your problems that can be learned are equally hard: every k pulls the same way, and only "
            "noise decides."
        )
    single = float(found.single_gain[found.best - 1])
    one = float(found.gain[0])
    return told + (
        f" A step for it brings pass@1 {single:.0%} of what a step can bring it; one for k = 1 brings "
        f"pass@{found.tries} {one:.0%}."
    )


def describe_silence(found: KChoice) -> str:
    """How many groups teach nothing."""
    ks: Sequence[int] = sorted({1, found.best, found.n})
    told = ", ".join(f"{found.silent[k - 1]:.0%} at k = {k}" for k in ks)
    return f"Groups of {found.n} that teach nothing: {told}."
