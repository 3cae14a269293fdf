"""What an estimator makes of a pass rate, and rates along runs (`pkpo.analysis.rate_weights`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from pkpo import analysis
from pkpo.estimators import get_estimator
from pkpo.figures.style import INK, axis, estimator_colour, fade, figure, line
from pkpo.figures.variance_lab.labels import LEGEND_ABOVE

HARD, EVEN = 0.05, 0.5
"""Pass rates that sentences compare."""
DRAWN = ("sloo_minus_one", "rloo", "grpo", "maxrl", "passk_training", "rs_grpo")
"""Estimators that have a line; the table has them all."""
_CUT = (0.02, 0.98)  # closed forms may go to infinity beyond
_HEADROOM = 1.08


def plot_rate_weights(found: Sequence[analysis.RateWeight], n: int, k: int) -> go.Figure:
    """The exact w(p) of `DRAWN` as lines; dotted, what each tends to for large groups.

    The axis ends above what any line has at `HARD`, or at 0 for lines up to k.
    """
    traces = []
    drawn = drawn_rates(found)
    for one in drawn:
        name = one.estimators[0]
        colour = estimator_colour(name)
        traces.append(line(one.p, one.weight, colour, _label(one), hovertemplate="%{y:.3f}"))
        form = one.form
        if form and not form.exact:
            p = one.p[(one.p >= _CUT[0]) & (one.p <= _CUT[1])]
            traces.append(
                line(
                    p,
                    form.value(p, n, k),
                    colour,
                    "large n",
                    dash="dot",
                    width=1.5,
                    hoverinfo="skip",
                    showlegend=False,
                )
            )
    top = _HEADROOM * max(k, *(max(one.at(HARD), one.at(1 - HARD)) for one in drawn))
    return figure(
        traces,
        axis("pass rate p of a prompt", range=[0, 1]),
        axis("weight w(p) of its ∇p", range=[0, top], nticks=7),
        "",
        **LEGEND_ABOVE,
    )


def drawn_rates(found: Sequence[analysis.RateWeight]) -> list[analysis.RateWeight]:
    """Those that have a line: of estimators that are alike, one in `DRAWN` will do."""
    return [one for one in found if set(one.estimators) & set(DRAWN)]


def _label(one: analysis.RateWeight) -> str:
    first, *others = (get_estimator(name).label for name in one.estimators)
    return f"{first} and {len(others)} more" if others else first


def describe_rate_weights(found: Sequence[analysis.RateWeight]) -> str:
    """How much more a hard prompt counts than one that is solved every other time, for `DRAWN`."""
    parts = [
        f"{get_estimator(one.estimators[0]).label}: {one.at(HARD) / one.at(EVEN):.2g}"
        for one in drawn_rates(found)
        if one.at(EVEN) > 0
    ]
    return (
        f"A prompt solved once in {1 / HARD:.0f} tries counts as much as this many that are solved "
        f"every other time. {'; '.join(parts)}."
    )


def tabulate_rate_weights(found: Sequence[analysis.RateWeight]) -> list[dict]:
    """The same as rows: the closed form, values, and which others are the same."""
    return [
        {
            "estimator": get_estimator(one.estimators[0]).label,
            "w(p)": ("" if one.form.exact else "large n: ") + one.form.formula
            if one.form
            else "no closed form",
            **{f"w({p:g})": one.at(p) for p in (HARD, EVEN, 1 - HARD)},
            "the same": ", ".join(get_estimator(name).label for name in one.estimators[1:]),
        }
        for one in found
    ]


def plot_rate_history(
    history: Sequence[tuple[int, np.ndarray]], tries: int, colour: str, n: int, k: int
) -> go.Figure:
    """How many prompts have which pass rate, from faint to full over updates, and w(p) above them.

    Args:
      history: the update, and how many of `tries` answers to each prompt were right, `[P]`.
      tries: answers to each prompt.
      colour: of the last update.
      n: samples per group in training.
      k: attempts that count in training.
    """
    right = np.arange(tries + 1)
    traces = []
    for place, (update, counts) in enumerate(history):
        share = np.bincount(counts.astype(int), minlength=tries + 1) / len(counts)
        shade = fade(colour, 0.25 + 0.75 * (place + 1) / len(history))
        label = f"update {update}"
        traces.append(
            line(right / tries, share, shade, label, line_shape="hvh", hovertemplate="%{y:.1%}")
        )
    p = np.linspace(0, 1, 201)
    weight = analysis.rate_weight("sloo_minus_one", p, n, k)
    traces.append(
        line(
            p,
            weight,
            INK,
            f"w(p) at k = {k}",
            dash="dot",
            width=2,
            yaxis="y2",
            hovertemplate="%{y:.2f}",
        )
    )
    return figure(
        traces,
        axis("pass rate p of a problem", range=[-0.02, 1.02]),
        axis("share of problems", rangemode="tozero", tickformat=".0%"),
        "",
        yaxis2=axis(
            "w(p)",
            overlaying="y",
            side="right",
            range=[0, _HEADROOM * float(weight.max())],
            showgrid=False,
            tickmode="auto",
            nticks=5,
        ),
        **LEGEND_ABOVE | {"margin": {"l": 66, "r": 56, "t": 64, "b": 50}},
    )
