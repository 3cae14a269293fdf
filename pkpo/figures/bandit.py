"""The bandit's figures, and what they say in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from pkpo import analysis
from pkpo.comparisons import BEST_OF, BanditComparison
from pkpo.comparisons.comparison import ks_used
from pkpo.figures import comparison
from pkpo.figures.comparison import updates_axis
from pkpo.figures.style import (
    INK,
    REWARD_COLOURS,
    Styles,
    axis,
    figure,
    line,
    reward_colour,
    scatter_trace,
)

ROLLING_MEAN_UPDATES = 20  # updates over which shares of groups are averaged
BAR_WIDTH = (-0.42, 0.02)  # where an arm's bar stands, of the arm's width from its middle
LABELLED = 24  # arms that have room for a label each
LANE = 0.86  # height of a probability of 1 where prompts have a lane each, of the lane's


@dataclass(frozen=True, slots=True)
class Lanes:
    """How the stage lays out policies: one lane for all prompts that share it, or one for each."""

    prompts: tuple[tuple[int, ...], ...]
    """Per lane, its prompts; the first lane is the highest."""
    scale: float
    """Height of a probability of 1; lanes lie 1 apart."""
    colours: tuple[tuple[str, ...], ...]
    """Per lane and arm, after the arm's reward (its mean over the lane's prompts)."""

    @property
    def bases(self) -> list[int]:
        """Where each lane's probability of 0 is drawn."""
        return [len(self.prompts) - 1 - lane for lane in range(len(self.prompts))]


def lanes(study: BanditComparison) -> Lanes:
    """The layout of a study's stage."""
    every = range(study.bandit.prompts)
    groups = (tuple(every),) if study.prompts_alike else tuple((p,) for p in every)
    means = np.array([study.bandit.rewards[list(group)].mean(axis=0) for group in groups])
    return Lanes(
        prompts=groups,
        scale=1.0 if len(groups) == 1 else LANE,
        colours=tuple(map(tuple, _colours(study, means))),
    )


def reward_colours(study: BanditComparison) -> list[list[str]]:
    """The colour of every arm's reward at every prompt, `[prompts][arms]`."""
    return _colours(study, study.bandit.rewards)


def _colours(study: BanditComparison, rewards: np.ndarray) -> list[list[str]]:
    low, high = _reward_range(study)
    return [[reward_colour((r - low) / (high - low)) for r in row] for row in rewards.tolist()]


def _reward_range(study: BanditComparison) -> tuple[float, float]:
    """The ends of the colour scale; 0 is in it, so that a lone reward has a colour."""
    low = min(0.0, float(study.bandit.rewards.min()))
    return low, max(float(study.bandit.rewards.max()), low + 1e-12)


def plot_bandit_stage(study: BanditComparison) -> go.Figure:
    """Room for the arms' probabilities, and where they started; the bars move and are drawn later."""
    layout, arms = lanes(study), np.arange(study.bandit.arms)
    places = arms + 1
    start = study.probabilities[0][0]
    ends = np.column_stack(
        [places + BAR_WIDTH[0], places + BAR_WIDTH[1], np.full(len(arms), np.nan)]
    ).ravel()
    traces = []
    for group, base in zip(layout.prompts, layout.bases, strict=True):
        first = start[group[0]]
        rewards = study.bandit.rewards[list(group)].mean(axis=0)
        heights = base + layout.scale * first
        lane = f" at prompt {group[0] + 1}" if len(layout.prompts) > 1 else ""
        traces += [
            line(ends, np.repeat(heights, 3), INK, "start", width=1.5, hoverinfo="skip"),
            scatter_trace(
                x=places,
                y=heights,
                mode="markers",
                marker={"size": 16, "opacity": 0},
                name="start",
                customdata=np.column_stack([first, rewards]),
                hovertemplate=f"reward %{{customdata[1]:.3g}}{lane}, start %{{customdata[0]:.3f}}"
                "<extra></extra>",
            ),
        ]
    title, labels = _arm_labels(study)
    if title == _COLOURED:
        traces.append(_colour_key(study))
    return figure(
        traces,
        axis(
            title,
            range=[0.4, study.bandit.arms + 0.6],
            tickvals=places,
            ticktext=labels,
            showgrid=False,
        ),
        axis("probability", range=[0, 1.04], nticks=6)
        if len(layout.prompts) == 1
        else axis(
            "",
            range=[0, len(layout.prompts)],
            tickvals=layout.bases,
            ticktext=[f"prompt {group[0] + 1}" for group in layout.prompts],
        ),
        "How likely each arm is: the chosen run as bars, the others as lines",
        margin={"l": 76 if len(layout.prompts) > 1 else 56, "r": 14, "t": 12, "b": 46},
    )


_COLOURED = "arm (bars coloured by reward)"


def _arm_labels(study: BanditComparison) -> tuple[str, list[str]]:
    """The title under the arms, and what stands under each: its reward, its prompts, or its number."""
    rewards, arms = study.bandit.rewards, range(1, study.bandit.arms + 1)
    if len(arms) > LABELLED:
        return _COLOURED, [str(arm) if arm % 5 == 0 else "" for arm in arms]
    if len(rewards) == 1:
        return "arms, by their reward", [f"{reward:g}" for reward in rewards[0]]
    if not study.prompts_alike:
        return _COLOURED, [str(arm) for arm in arms]
    best = rewards == study.bandit.highest[:, None]
    return (
        "arms, by the prompts that they are best for",
        [_spans(np.flatnonzero(column) + 1) for column in best.T],
    )


def _spans(numbers: np.ndarray) -> str:
    """Ascending whole numbers in short: "1-3, 5"; "none" for no numbers."""
    if not len(numbers):
        return "none"
    parts = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    return ", ".join(f"{p[0]}-{p[-1]}" if len(p) > 1 else f"{p[0]}" for p in parts)


def _colour_key(study: BanditComparison) -> dict:
    """An invisible trace that carries the colour scale."""
    low, high = _reward_range(study)
    steps = np.linspace(0, 1, len(REWARD_COLOURS)).tolist()
    return scatter_trace(
        x=[None],
        y=[None],
        mode="markers",
        hoverinfo="skip",
        marker={
            "color": [low],
            "cmin": low,
            "cmax": high,
            "colorscale": [list(pair) for pair in zip(steps, REWARD_COLOURS, strict=True)],
            "showscale": True,
            "colorbar": {"thickness": 10, "outlinewidth": 0, "nticks": 4, "tickformat": "~g"},
        },
    )


def plot_best_of_k(study: BanditComparison, styles: Styles) -> go.Figure:
    """The exact best-of-k curves at the start and, faint, at the end; those between move."""
    traces = [
        line(
            BEST_OF,
            study.best_of[0][0],
            INK,
            "start",
            width=1.5,
            dash="dot",
            hovertemplate="%{y:.3f}",
        )
    ]
    traces += [
        line(
            BEST_OF,
            curve[-1],
            colour,
            f"end, {label}",
            width=2,
            opacity=0.3,
            hovertemplate="%{y:.3f}",
        )
        for curve, (label, colour) in zip(study.best_of, styles, strict=True)
    ]
    low = min(float(curve.min()) for curve in study.best_of)
    high = max(float(curve.max()) for curve in study.best_of)
    low = min(low, 0.0)
    edge = 0.05 * (high - low or 1.0)
    ticks = [2**i for i in range(7)]
    return figure(
        traces,
        axis(
            "k",
            type="log",
            range=[math.log10(0.92), math.log10(70)],
            tickvals=ticks,
            ticktext=[str(k) for k in ticks],
        ),
        axis("exact max@k", range=[low - edge, high + edge], nticks=6),
        "Best of k now (dotted: start, faint: end)",
    )


def plot_entropy(study: BanditComparison, styles: Styles) -> go.Figure:
    """The policies' entropy, mean over prompts, and that of a uniform policy."""
    last = max(len(r) for r in study.recordings) - 1
    traces = [
        line(
            [0, last],
            [math.log(study.bandit.arms)] * 2,
            INK,
            "all arms alike",
            width=1.2,
            dash="dot",
            hoverinfo="skip",
        )
    ]
    traces += [
        line(np.arange(len(r)), r["entropy"], colour, label, hovertemplate="%{y:.3f}")
        for r, (label, colour) in zip(study.recordings, styles, strict=True)
    ]
    return figure(
        traces,
        updates_axis(study),
        axis("nats", rangemode="tozero", nticks=6),
        "Entropy (dotted: all arms alike)",
    )


def plot_solved_and_dead(study: BanditComparison, styles: Styles) -> go.Figure:
    """Prompts solved so far, and shares of groups that taught nothing lately: all wrong, all right."""
    traces = []
    for r, (label, colour) in zip(study.recordings, styles, strict=True):
        updates = np.arange(len(r))
        for name, curve, style in (
            ("solved", r["cumulative_solve_rate"], {}),
            ("all wrong", rolling_mean(r["all_wrong"]), {"dash": "dash", "width": 1.8}),
            ("all right", rolling_mean(r["all_right"]), {"dash": "dot", "width": 1.8}),
        ):
            traces.append(
                line(updates, curve, colour, f"{name}, {label}", hovertemplate="%{y:.0%}", **style)
            )
    return figure(
        traces,
        updates_axis(study),
        axis(
            f"share ({ROLLING_MEAN_UPDATES} updates)",
            range=[-0.04, 1.06],
            nticks=6,
            tickformat=".0%",
        ),
        "Solved; all wrong – –; all right ···",
    )


def rolling_mean(values: np.ndarray) -> np.ndarray:
    """The mean of the last `ROLLING_MEAN_UPDATES` values at each place, of fewer at the beginning."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - ROLLING_MEAN_UPDATES, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)


# --- In words ----------------------------------------------------------------------------------


def bandit_takeaway(study: BanditComparison, styles: Styles) -> str:
    """The one message of a study, from its numbers; no line breaks inside "k = 8"."""
    return comparison.keep_together(_message(study, styles))


def _message(study: BanditComparison, styles: Styles) -> str:
    key = study.compared_k
    if len(study.recordings) == 1:
        r, reached, (label, _) = study.recordings[0], study.reached[0], styles[0]
        return (
            f"Trained with {label}: max@{key} goes from {reached[0]:.2f} to {reached[-1]:.2f}, max@1 "
            f"from {r['max@1'][0]:.2f} to {r['max@1'][-1]:.2f}, the policy's entropy from "
            f"{r['entropy'][0]:.2f} to {r['entropy'][-1]:.2f} nats."
        )
    if message := comparison.alike_or_ranked(study, styles):
        return message
    worst, best = comparison.extremes(study)
    highest = study.reached[best][-1]
    if highest - study.reached[worst][-1] < comparison.DIFFERENCE_SHOWN:
        ends = "; ".join(
            f"{label}: {r['max@1'][-1]:.2f} and {r['entropy'][-1]:.2f}"
            for r, (label, _) in zip(study.recordings, styles, strict=True)
        )
        return (
            f"{comparison.at_the_end(study)} all runs reach max@{key} = {highest:.2f}. Their max@1, and "
            f"their entropy in nats: {ends}."
        )
    first, last = (
        f"{styles[i][0]} has max@{key} = {study.reached[i][-1]:.2f} and max@1 = "
        f"{study.recordings[i]['max@1'][-1]:.2f}"
        for i in (best, worst)
    )
    return f"{comparison.at_the_end(study)}, {first}; {last}."


def bandit_legend(study: BanditComparison) -> str:
    """How to read the stage."""
    of = "" if study.bandit.prompts == 1 else ", mean over prompts"
    binary = ", here pass@k" if study.bandit.binary else ""
    return (
        f"max@k: expected best of k draws{of}{binary}. Grey lines: the start. Dots: the chosen run's "
        "draws, stacked as high as their share."
    )


def plot_pass_rates(study: BanditComparison) -> go.Figure:
    """Room for prompts by pass rate and for w(p); both move and are drawn later."""
    tops = [
        analysis.rate_weight(r.config.estimator, np.array([0.05, 0.95]), r.config.n, k).max()
        for r in study.recordings
        for k in ks_used([r])
    ]
    return figure(
        [line([0, 1], [1, 1], INK, "the mean reward", width=1, dash="dot", hoverinfo="skip")],
        axis("pass rate p of a prompt", range=[-0.03, 1.03]),
        axis("w(p)", range=[0, 1.08 * float(max(tops))], nticks=6),
        "Bars: share of prompts; line: their w(p)",
    )


def describe_bandit(study: BanditComparison, styles: Styles) -> dict[str, str]:
    """Alternative texts of the charts, from their data."""
    ends, curves, values, entropies, groups, rates = [], [], [], [], [], []
    for r, p, curve, reached, solved, (label, _) in zip(
        study.recordings,
        study.probabilities,
        study.best_of,
        study.reached,
        study.pass_rates,
        styles,
        strict=True,
    ):
        rates.append(f"{label}: from {solved[-1].min():.3f} to {solved[-1].max():.3f}")
        mean = p[-1].mean(axis=0)
        ends.append(f"{label}: arm {mean.argmax() + 1} with {mean.max():.3f}")
        curves.append(f"{label}: from {curve[-1, 0]:.3f} for k = 1 to {curve[-1, -1]:.3f}")
        values.append(
            f"{label}: max@{study.compared_k} {reached[-1]:.3f}, max@1 {r['max@1'][-1]:.3f}"
        )
        entropies.append(f"{label}: from {r['entropy'][0]:.3f} to {r['entropy'][-1]:.3f}")
        groups.append(
            f"{label}: solved {r['cumulative_solve_rate'][-1]:.0%}, groups that taught nothing because "
            f"all were wrong {r['all_wrong'].mean():.1%}, because all were right "
            f"{r['all_right'].mean():.1%} on average"
        )
    bandit = study.bandit
    return {
        "stage": f"{bandit.label}: {bandit.arms} arms, {bandit.prompts} prompt"
        f"{'s' if bandit.prompts > 1 else ''}. Likeliest arm at the end: {'; '.join(ends)}.",
        "best": f"Exact max@k for k from 1 to {BEST_OF[-1]}. At the end: {'; '.join(curves)}.",
        "value": f"Exact values over updates. At the end: {'; '.join(values)}.",
        "entropy": f"Entropy in nats over updates. {'; '.join(entropies)}.",
        "groups": f"Prompts solved so far and groups that taught nothing. {'; '.join(groups)}.",
        "rates": f"Prompts by pass rate, and their w(p). At the end: {'; '.join(rates)}.",
    }
