"""Figures and sentences of graded samples: pass@k, two results compared, reliability."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from pkpo.evaluation import Curve, Evaluation, PairedComparison
from pkpo.figures.style import (
    INK,
    LEGEND_BELOW,
    OTHER_COLOURS,
    axis,
    band,
    fade,
    figure,
    line,
)

RESULT_COLOURS = (OTHER_COLOURS[1], OTHER_COLOURS[2])
"""Of the first and the second result."""
NAME_CHARACTERS = 28
_TICKS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


def plain_name(name: str) -> str:
    """A file's name for a figure: short, and without what Plotly would read as HTML.

    What is cut is in the middle: names of one's own runs mostly differ at their end.
    """
    text = re.sub(r"[<>&$\s]+", " ", name).strip()
    half = NAME_CHARACTERS // 2
    return text if len(text) <= NAME_CHARACTERS else f"{text[: half - 1]}…{text[-half:]}"


def plot_evaluations(found: Sequence[Evaluation]) -> go.Figure:
    """Pass@k or max@k by k with 95% bands; dotted what the plug-in would have said, thin each seed."""
    traces = []
    binary = all(one.results.binary for one in found)
    for one, colour in zip(found, RESULT_COLOURS, strict=False):
        ks = np.array(one.curve.ks)
        traces.append(band(ks, one.curve.low, one.curve.high, colour))
        traces += _seed_lines(one.curve, colour)
        if one.plug_in is not None:
            traces.append(
                line(
                    ks,
                    one.plug_in,
                    colour,
                    "plug-in",
                    dash="dot",
                    width=1.5,
                    hovertemplate="%{y:.1%}",
                    showlegend=one is found[0],
                )
            )
        traces.append(
            line(
                ks,
                one.curve.mean,
                colour,
                plain_name(one.name),
                mode="lines+markers",
                marker={"size": 5},
                hovertemplate="%{y:.1%}" if binary else "%{y:.4g}",
            )
        )
    return figure(
        traces,
        _k_axis(max(one.curve.ks[-1] for one in found)),
        axis("pass@k", tickformat=".0%") if binary else axis("max@k"),
        "",
        **LEGEND_BELOW,
    )


def plot_comparison(found: PairedComparison, binary: bool) -> go.Figure:
    """The second less the first by k, with its 95% band; shaded where one is surely ahead."""
    curve, form = found.difference, "%{y:+.1%}" if binary else "%{y:+.4g}"
    ks = np.array(curve.ks)
    return figure(
        [
            band(ks, curve.low, curve.high, INK),
            *_seed_lines(curve, INK),
            line(ks, np.zeros(len(ks)), INK, "", width=1, hoverinfo="skip"),
            line(
                ks,
                curve.mean,
                INK,
                "second − first",
                mode="lines+markers",
                marker={
                    "size": 9,
                    "color": [_ahead_colour(curve.low[i], curve.high[i]) for i in range(len(ks))],
                },
                hovertemplate=form,
            ),
        ],
        _k_axis(curve.ks[-1]),
        axis("second − first", **({"tickformat": "+.0%"} if binary else {})),
        "",
        margin={"l": 66, "r": 14, "t": 24, "b": 50},
    )


def plot_coverage(found: Sequence[Evaluation]) -> go.Figure:
    """The share of problems solved at least so often; shaded what Cover@τ itself may be."""
    traces = []
    for one, colour in zip(found, RESULT_COLOURS, strict=False):
        if cover := one.coverage:
            rates = np.array(cover.thresholds)
            traces.append(band(rates, cover.at_least, cover.at_most, colour))
            traces.append(
                line(
                    rates,
                    cover.mean,
                    colour,
                    plain_name(one.name),
                    hovertemplate="%{y:.1%}",
                )
            )
    return figure(
        traces,
        axis("solved at least so often, τ", tickformat=".0%", range=[0, 1.02]),
        axis("share of problems", tickformat=".0%", range=[0, 1.02]),
        "",
        **LEGEND_BELOW,
    )


def _seed_lines(curve: Curve, colour: str) -> list[dict]:
    """Every seed's own curve, thin, in one trace with gaps; none of one seed alone."""
    if not curve.seeds:
        return []
    x = np.array([*curve.ks, np.nan])
    y = [np.append(values, np.nan) for values in curve.seeds.values()]
    return [
        line(
            np.tile(x, len(y)),
            np.concatenate(y),
            fade(colour, 0.75),
            "seeds",
            width=1,
            hoverinfo="skip",
            showlegend=False,
        )
    ]


def _k_axis(most: int) -> dict:
    ticks = [k for k in _TICKS if k <= most]
    return axis("tries, k", type="log", tickvals=ticks, ticktext=[str(k) for k in ticks])


def _ahead_colour(low: float, high: float) -> str:
    return RESULT_COLOURS[1] if low > 0 else RESULT_COLOURS[0] if high < 0 else INK


def describe_evaluation(found: Evaluation) -> str:
    """What one result says, in a sentence."""
    curve, last = found.curve, len(found.curve.ks) - 1
    at = [_value(found, i) for i in dict.fromkeys((0, last))]
    if found.results.binary:
        told = f"With one try {at[0]} of the problems are solved"
        more = f", within {curve.ks[last]} tries {at[-1]}" if last else ""
    else:
        told = f"A single try earns {at[0]} on average"
        more = f", the best of {curve.ks[last]} {at[-1]}" if last else ""
    return f"{told}{more}."


def describe_seeds(found: Evaluation) -> str:
    """How far the seeds of one result lie apart; "" of one seed alone."""
    curve, last = found.curve, len(found.curve.ks) - 1
    if not curve.seeds:
        return ""
    at = []
    for i in dict.fromkeys((0, last)):
        ends = [f(values[i] for values in curve.seeds.values()) for f in (min, max)]
        low, high = (f"{x:.1%}" if found.results.binary else f"{x:.4g}" for x in ends)
        at.append(f"from {low} to {high} at k = {curve.ks[i]}")
    return f"{len(curve.seeds)} seeds, {' and '.join(at)}."


def _value(found: Evaluation, i: int) -> str:
    curve = found.curve
    if found.results.binary:
        return f"{curve.mean[i]:.1%} ({100 * curve.low[i]:.1f} to {100 * curve.high[i]:.1f})"
    return f"{curve.mean[i]:.4g} ({curve.low[i]:.4g} to {curve.high[i]:.4g})"


def describe_comparison(found: PairedComparison, binary: bool) -> str:
    """Who is ahead from which k on, by how much, and who solves what the other never does."""
    curve = found.difference
    sides = [(k, who) for k, who in found.ahead if who != "neither"]
    if not sides:
        told = "**No k at which either is surely ahead**"
    elif len({who for _, who in sides}) > 1:
        told = "**The curves cross**"
    else:
        told = f"**The {sides[0][1]} is surely ahead somewhere, the other nowhere**"
    words = {"first": "the first is ahead", "second": "the second is ahead"}
    stretches = ", ".join(
        f"from k = {k} on {words.get(who, 'neither is surely ahead')}" for k, who in found.ahead
    )
    changes = " and ".join(
        f"{_change(found, i, binary)} at k = {curve.ks[i]}"
        for i in dict.fromkeys((0, len(curve.ks) - 1))
    )
    return f"{told}: {stretches}. The second less the first: {changes}."


def _change(found: PairedComparison, i: int, binary: bool) -> str:
    curve = found.difference
    mean, low, high = float(curve.mean[i]), float(curve.low[i]), float(curve.high[i])
    if binary:
        text = f"{100 * mean:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})"
    else:
        text = f"{mean:+.4g} ({low:+.4g} to {high:+.4g})"
    return text.replace("-", "−")


def describe_coverage(found: Sequence[Evaluation], rate: float = 0.5) -> str:
    """The share of problems solved more often than not."""
    told = []
    for one in found:
        if cover := one.coverage:
            i = int(np.abs(np.array(cover.thresholds) - rate).argmin())
            told.append(
                f"{plain_name(one.name)}: {cover.mean[i]:.1%} of the problems "
                f"({cover.at_least[i]:.1%} to {cover.at_most[i]:.1%})"
            )
    return f"Solved at least {rate:.0%} of the time: {'; '.join(told)}."
