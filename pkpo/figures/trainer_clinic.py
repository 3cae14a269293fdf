"""What a trainer makes of a group, and where its expected direction points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from pkpo.analysis import ExpectedDirection
from pkpo.figures.style import INK, OTHER_COLOURS, axis, estimator_colour, figure, line
from pkpo.figures.variance_lab.labels import LEGEND_ABOVE

USED = OTHER_COLOURS[3]
EXACT_WITHIN = 1e-9
"""Below it a number is rounding."""


def plot_used_weights(
    rewards: Sequence[float], used: np.ndarray, unbiased: np.ndarray | None
) -> go.Figure:
    """The weights that enter the loss beside the unbiased ones, per sample."""
    places = [f"r{i + 1} = {reward:g}" for i, reward in enumerate(rewards)]
    bars = [("unbiased for max@k", unbiased, estimator_colour("sloo_minus_one"))]
    bars += [("this trainer", used, USED)]
    traces = [
        {
            "type": "bar",
            "x": places,
            "y": values,
            "name": name,
            "marker": {"color": colour},
            "hovertemplate": "%{y:.4f}",
        }
        for name, values, colour in bars
        if values is not None
    ]
    return figure(
        traces,
        axis("sample", type="category"),
        axis("weight", zeroline=True, zerolinecolor=INK),
        "",
        barmode="group",
        bargap=0.25,
        **LEGEND_ABOVE,
    )


def plot_followed_objective(
    found: ExpectedDirection, k: int, name: str = "this trainer"
) -> go.Figure:
    """The expected direction's cosine with the gradient of max@j, for every j; k is marked."""
    j = np.arange(1, len(found.cosine) + 1)
    low = min(0.0, float(found.cosine.min()))
    mark = line([k, k], [low, 1.04], INK, f"k = {k}", dash="dot", width=1.5, hoverinfo="skip")
    curve = line(
        j,
        found.cosine,
        USED,
        name,
        mode="lines+markers",
        marker={"size": 6, "color": USED},
        hovertemplate="%{y:.4f}",
    )
    return figure(
        [mark, curve],
        axis("j of max@j", nticks=10),
        axis("cosine with ∇max@j", range=[low * 1.04, 1.04]),
        "",
        **LEGEND_ABOVE,
    )


def describe_direction(found: ExpectedDirection, k: int, lengths_count: bool) -> str:
    """What the trainer follows, in a sentence or two.

    Args:
      found: its expected direction.
      k: what it is meant to train for.
      lengths_count: the loss divides by lengths, so that the scale has no meaning.
    """
    cosine, scale = float(found.cosine[k - 1]), float(found.scale[k - 1])
    if np.abs(found.scale).max() < EXACT_WITHIN:
        return "**It trains nothing**: the expected gradient is 0."
    if cosine > 1 - EXACT_WITHIN:
        if lengths_count:
            return f"The direction is that of max@{k}."
        if abs(scale - 1) < EXACT_WITHIN:
            return f"**Unbiased**: the expected gradient is that of max@{k}."
        times = f"{1 / scale:.3g} times too small" if scale < 1 else f"{scale:.3g} times too large"
        return f"The direction is that of max@{k}, **the step {times}**."
    near, best = found.nearest, float(found.cosine[found.nearest - 1])
    text = f"**Biased**: its cosine with ∇max@{k} is {cosine:.3f}"
    if near != k:
        text += f"; it points nearest to max@{near} ({best:.3f})"
    if lengths_count:
        return f"{text}."
    return f"{text}. The bias is {found.bias[k - 1]:.0%} of the gradient's length."
