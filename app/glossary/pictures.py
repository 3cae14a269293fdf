"""Small pictures of terms: SVG texts, drawn from numbers that the library computes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

import numpy as np
from scipy.special import entr

from pkpo.analysis.enumeration import enumerate_outcomes
from pkpo.analysis.estimation_problems import binary_problem
from pkpo.estimators import ESTIMATORS, pass_at_k, transform
from pkpo.figures import AWAY, NO_WEIGHT, TOWARDS
from pkpo.figures.style import FONT, INK, estimator_colour, k_colour, reward_colour
from pkpo.schedules import parse
from toy_envs.discrete import value_at_k
from toy_envs.gaussian_hill import objective, optimum

Numbers = Sequence[float] | np.ndarray
Draw = Callable[[], str]
"""What makes a picture, as an SVG text."""

WIDTH, HEIGHT = 220, 96
_LINE = 14
"""Between texts that stand one above the other."""
_LEFT, _RIGHT, _TOP, _FLOOR = 8, 212, 14, 78
_CURVES_END = _RIGHT - 46  # their names stand behind it
_KS = tuple(range(1, 17))

PICTURED_GROUP = (0.2, 0.5, 0.9, 1.0)
"""The rewards whose weights are pictured; below, of estimators that take only 0 and 1."""
PICTURED_BINARY_GROUP = (0.0, 0.0, 1.0, 0.0)
PICTURED_K = 2


def _svg(marks: Sequence[str], alt: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        f"<title>{escape(alt)}</title>{''.join(marks)}</svg>"
    )


def _text(x: float, y: float, text: str, anchor: str = "middle", colour: str = INK) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="12" fill="{colour}" '
        f'font-family="{FONT}">{escape(text)}</text>'
    )


def _rule(y: float, end: float = _RIGHT) -> str:
    return f'<path d="M{_LEFT} {y:.1f}H{end}" stroke="{INK}" fill="none"/>'


def draw_bars(values: Numbers, labels: Sequence[str], colours: Sequence[str], alt: str) -> str:
    """One bar a value, up or down from a common line, with its label below."""
    low, high = min(0.0, *values), max(0.0, *values)
    scale = (_FLOOR - _TOP) / ((high - low) or 1.0)
    zero = _TOP + high * scale
    slot = (_RIGHT - _LEFT) / len(values)
    marks = [_rule(zero)]
    for place, (value, label, colour) in enumerate(zip(values, labels, colours, strict=True)):
        x, height = _LEFT + slot * (place + 0.5), abs(value) * scale
        top = zero - max(value, 0.0) * scale
        marks.append(
            f'<rect x="{x - 0.3 * slot:.1f}" y="{top:.1f}" width="{0.6 * slot:.1f}" '
            f'height="{height:.1f}" fill="{colour}"/>'
        )
        marks.append(_text(x, HEIGHT - 4, label))
    return _svg(marks, alt)


def draw_curves(
    x: Numbers, curves: Sequence[tuple[str, str, Numbers]], below: str, alt: str
) -> str:
    """Lines over a common axis; of each its label, colour and values, and what the axis is."""
    spans = np.concatenate([np.asarray(values, float) for _, _, values in curves])
    low, high = min(0.0, float(spans.min())), float(spans.max())
    across = (_CURVES_END - _LEFT) / (max(x) - min(x))
    scale = (_FLOOR - _TOP) / ((high - low) or 1.0)
    marks = [_rule(_FLOOR, _CURVES_END), _text((_LEFT + _CURVES_END) / 2, HEIGHT - 4, below)]
    ends: list[tuple[float, str, str]] = []
    for label, colour, values in curves:
        at = [
            (_LEFT + (a - min(x)) * across, _FLOOR - (b - low) * scale)
            for a, b in zip(x, values, strict=True)
        ]
        path = "L".join(f"{a:.1f} {b:.1f}" for a, b in at)
        marks.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        ends.append((at[-1][1], label, colour))
    free = math.inf  # the lowest label first; those above keep a line's distance
    for y, label, colour in sorted(ends, reverse=True):
        free = min(y + 4, free - _LINE)
        x_dot, y_dot = _CURVES_END + 3, free - 4
        marks.append(f'<circle cx="{x_dot}" cy="{y_dot:.1f}" r="3" fill="{colour}"/>')
        marks.append(_text(x_dot + 5, free, label, "start"))
    return _svg(marks, alt)


def draw_dots(rows: Sequence[tuple[str, Sequence[str]]], alt: str) -> str:
    """Rows of dots, each with a text before it."""
    step = (_FLOOR - _TOP) / len(rows)
    marks = []
    for place, (label, colours) in enumerate(rows):
        y = _TOP + step * (place + 0.5)
        marks.append(_text(_LEFT, y + 4, label, "start"))
        gap = min(16.0, (_RIGHT - 100) / len(colours))
        marks += [
            f'<circle cx="{100 + gap * (i + 0.5):.1f}" cy="{y:.1f}" r="{0.4 * gap:.1f}" '
            f'fill="{colour}"/>'
            for i, colour in enumerate(colours)
        ]
    return _svg(marks, alt)


# --- Of the goal ----------------------------------------------------------------------------------


def pass_at_k_picture() -> str:
    """Pass@k against k for a problem solved in 3 of 10 tries."""
    values = value_at_k([0.0, 1.0], [0.7, 0.3], _KS)
    return draw_curves(
        _KS,
        [("pass@k", k_colour(1), values)],
        "tries, k",
        f"pass@k of a problem with pass rate 0.3: {values[0]:.2f} at k = 1, {values[7]:.2f} at k = 8.",
    )


def cover_picture() -> str:
    """What pass@k weighs Cover@τ with, for two k."""
    tau = np.linspace(0.0, 1.0, 41)
    return draw_curves(
        tau,
        [(f"k = {k}", k_colour(k), k * (1 - tau) ** (k - 1)) for k in (1, 4)],
        "pass rate, τ",
        "The weight of Cover@τ in pass@k: even for k = 1; for k = 4 it is 4 at τ = 0 and 0 at 1.",
    )


def hill_picture(ks: Sequence[int] = (1, 8)) -> str:
    """Max@k on the hill with the cliff, against the policy's mean."""
    theta = np.linspace(0.3, 1.3, 61)
    return draw_curves(
        theta,
        [(f"k = {k}", k_colour(k), objective(theta, k)) for k in ks],
        "mean of the policy, θ",
        "max@k on the hill with a cliff: "
        + ", ".join(f"best mean {optimum(k).theta:.2f} for k = {k}" for k in ks)
        + ".",
    )


def group_picture() -> str:
    """A group of eight answers, two of them right."""
    right = 2
    colours = [TOWARDS] * right + [NO_WEIGHT] * (8 - right)
    return draw_dots([("one problem", colours)], f"Eight answers, {right} of them right.")


def rho_picture() -> str:
    """ρ against k for 16 answers with 3 right."""
    values = [float(pass_at_k(16, 3, k)) for k in _KS]
    return draw_curves(
        _KS,
        [("ρ", k_colour(8), values)],
        "k, of 16 answers with 3 right",
        f"ρ of 16 answers with 3 right: {values[0]:.2f} at k = 1, {values[7]:.2f} at k = 8.",
    )


# --- Of weights and schedules ---------------------------------------------------------------------


def weights_picture(key: str) -> Draw:
    """The weights that an estimator gives to one group, coloured by their sign."""

    def draw() -> str:
        binary = ESTIMATORS[key].binary
        rewards = PICTURED_BINARY_GROUP if binary else PICTURED_GROUP
        weights = transform(np.array(rewards), PICTURED_K, key)
        signs = [TOWARDS if w > 0 else AWAY if w < 0 else NO_WEIGHT for w in weights]
        told = ", ".join(f"{w:.2f}" for w in weights)
        return draw_bars(
            weights,
            [f"{reward:g}" for reward in rewards],
            signs,
            f"Weights of rewards {', '.join(map('{:g}'.format, rewards))} at k = {PICTURED_K}: {told}.",
        )

    return draw


def sums_picture() -> str:
    """The sum of a group's weights by two unbiased estimators."""
    keys = ("sloo_minus_one", "canonical")
    sums = [float(transform(np.array(PICTURED_GROUP), PICTURED_K, key).sum()) for key in keys]
    return draw_bars(
        sums,
        ["loo-1", "canonical"],
        [estimator_colour(key) for key in keys],
        f"Sum of the weights of one group: {sums[0]:.2f} by loo-1, {abs(sums[1]):.2f} by canonical.",
    )


def rewards_picture() -> str:
    """The rewards of one group, as bars."""
    low, high = min(PICTURED_GROUP), max(PICTURED_GROUP)
    return draw_bars(
        PICTURED_GROUP,
        [f"{reward:g}" for reward in PICTURED_GROUP],
        [reward_colour((reward - low) / (high - low)) for reward in PICTURED_GROUP],
        f"Four rewards: {', '.join(map('{:g}'.format, PICTURED_GROUP))}.",
    )


def schedule_picture(*texts: str) -> Draw:
    """K over updates, by one schedule or more."""

    def draw() -> str:
        updates = np.arange(201)
        curves = [
            (schedule.pieces[0].shape or "step", k_colour(k), schedule.values(updates))
            for schedule, k in zip(map(parse, texts), (8, 2), strict=False)
        ]
        told = "; ".join(parse(text).describe() for text in texts)
        return draw_curves(updates, curves, "update", told + ".")

    return draw


def dead_groups_picture() -> str:
    """Three groups: all wrong, mixed, all right."""
    rows = [("all wrong", 0), ("mixed", 3), ("all right", 8)]
    return draw_dots(
        [(label, [TOWARDS] * right + [NO_WEIGHT] * (8 - right)) for label, right in rows],
        "A group all wrong and one all right teach nothing; a mixed one does.",
    )


def entropy_picture() -> str:
    """A spread distribution and a peaked one, each with its entropy in nats."""
    chances = [(0.25, 0.25, 0.25, 0.25), (0.94, 0.02, 0.02, 0.02)]
    told = [f"{entr(p).sum():.2f}" for p in chances]
    return draw_bars(
        [*chances[0], 0.0, *chances[1]],
        ["", f"{told[0]} nats", *[""] * 4, f"{told[1]} nats", "", ""],
        [k_colour(8)] * 5 + [k_colour(1)] * 4,
        f"Four equal chances: {told[0]} nats. One chance of 0.94 and three of 0.02: {told[1]} nats.",
    )


def ways_picture() -> str:
    """One way to be right, and five."""
    rows = [("one way", 1), ("five ways", 5)]
    return draw_dots(
        [(label, [TOWARDS] * ways + [NO_WEIGHT] * (10 - ways)) for label, ways in rows],
        "Ten possible answers: one of them right, or five.",
    )


def held_out_picture() -> str:
    """Problems trained on, and problems kept apart."""
    return draw_dots(
        [("trained on", [k_colour(1)] * 8), ("held out", [k_colour(8)] * 4)],
        "Problems to train on, and others that training never sees.",
    )


def noise_picture() -> str:
    """The standard deviation of two estimators' gradients at the same point, as bars."""
    from_engine = {"s": "s", "loo-1": "sloo_minus_one"}
    spread = [_gradient_spread(key) for key in from_engine.values()]
    return draw_bars(
        spread,
        list(from_engine),
        [estimator_colour(key) for key in from_engine.values()],
        f"Standard deviation of the gradient estimate, k = 4, n = 16, on right-or-wrong rewards: s "
        f"{spread[0]:.2f}, loo-1 {spread[1]:.2f}.",
    )


def _gradient_spread(key: str) -> float:
    return math.sqrt(enumerate_outcomes(binary_problem(0.3), key, 16, 4).variance)
