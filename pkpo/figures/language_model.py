"""Figures and sentences of the language model's page: pass@k, problems won and lost, groups."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pkpo.comparisons.word_problems import HELD_OUT_COMPLETIONS, has_partial_rewards
from pkpo.config import EVAL_KS, RunConfig
from pkpo.estimators import get_estimator, transform
from pkpo.figures.run_curves import Panel, differing_fields
from pkpo.figures.style import INK, OTHER_COLOURS, axis, fade, figure, k_colour, line
from pkpo.intervals import Difference
from pkpo.runs.sweep import SeedMean
from pkpo.training.tasks.word_problems import WordProblemsConfig

BEFORE = "Before training"
APART = 0.055
"""Least distance between two labels at the end of lines, as a share of the figure's height."""
LABEL_ROOM = 26  # letters of a label at the end of a line
TICKS = EVAL_KS

_SOLVED = ("Training problems: by a single try", "Training problems: within {k} tries")
_EARNED = ("Training problems: reward of a single try", "Training problems: best of {k} rewards")
_SHARED = (
    Panel("entropy", "Entropy of a token, nats"),
    Panel("cumulative_solve_rate", "Training problems solved at all"),
)
_K = Panel("k", "k at each update")


def language_panels(config: WordProblemsConfig) -> list[Panel]:
    """The charts over updates; with held-out problems for a fixed set, if measured on the way."""
    many = min(config.n, HELD_OUT_COMPLETIONS)
    single, best = _EARNED if has_partial_rewards(config) else _SOLVED
    own = [Panel("pass@1", single), Panel(f"pass@{many}", best.format(k=many))]
    if config.abstention:
        own.append(Panel("abstention_share", "Training problems: abstains"))
    if config.problems == "fresh" or config.interval >= config.steps:
        return [*own, *_SHARED, Panel("valid_chain_share", "Every equation true"), _K]
    unseen = Panel(
        f"held_out_pass@{HELD_OUT_COMPLETIONS}",
        f"Unseen problems: within {HELD_OUT_COMPLETIONS} tries",
    )
    return [*own, unseen, *_SHARED, _K]


def method_styles(configs: Sequence[RunConfig]) -> list[tuple[str, str]]:
    """A label and a colour for runs: a constant k has its own, others those that are left.

    What they differ in besides schedule and entropy bonus is part of the label.
    """
    fields = differing_fields(configs) if configs else []
    more = [name for name in fields if name not in ("schedule", "entropy_bonus", "seed")]
    found: list[tuple[str, str]] = []
    spare = iter(OTHER_COLOURS * len(configs))
    told = _schedules(configs)
    for config in configs:
        bonus = getattr(config, "entropy_bonus", 0.0)
        extra = [f"entropy bonus {bonus:g}"] if bonus else []
        extra += [f"{name.replace('_', ' ')} {_short(getattr(config, name))}" for name in more]
        schedule = config.k_schedule
        colour = k_colour(schedule(0)) if schedule.is_constant and not bonus else next(spare)
        if colour in {used for _, used in found}:
            colour = next(spare)
        found.append((", ".join([told[schedule.describe()], *extra]), colour))
    return found


def _schedules(configs: Sequence[RunConfig]) -> dict[str, str]:
    """Schedules in words, without the updates of their switches where that tells them apart."""
    whole = {config.k_schedule.describe() for config in configs}
    short = {text: re.sub(r" from update \d+", "", text) for text in whole}
    alike = Counter(short.values())
    return {text: cut if alike[cut] == 1 else text for text, cut in short.items()}


def _short(value: Any) -> str:
    """A value in a label: of a path, its end."""
    return str(value).rpartition("/")[2]


def _cut(label: str) -> str:
    return label if len(label) <= LABEL_ROOM else f"{label[: LABEL_ROOM - 1]}…"


def plot_pass_at_k(
    before: Mapping[int, SeedMean] | None,
    after: Sequence[tuple[str, str, Mapping[int, SeedMean]]],
    y: tuple[float, float],
) -> go.Figure:
    """Pass@k against k, before training and after, with bands of one standard error.

    Args:
      before: by k; None where it is not known.
      after: label, colour and values by k.
      y: the range of the vertical axis.
    """
    lines = [*([(BEFORE, INK, before)] if before else []), *after]
    traces = []
    for label, colour, values in lines:
        ks = list(values)
        means = np.array([values[k].mean for k in ks])
        errors = np.nan_to_num([values[k].error for k in ks])
        if errors.any():
            traces.append(
                line(
                    [*ks, *ks[::-1]],
                    [*(means + errors), *(means - errors)[::-1]],
                    colour,
                    label,
                    width=0,
                    fill="toself",
                    fillcolor=fade(colour, 0.18),
                    hoverinfo="skip",
                )
            )
        dash = "dot" if label == BEFORE else "solid"
        told = [f" ± {error:.1%}" if error else "" for error in errors]
        traces.append(
            line(
                ks,
                means,
                colour,
                label,
                dash=dash,
                width=3,
                customdata=told,
                hovertemplate="%{y:.1%}%{customdata}",
            )
        )
    ends = [
        (_cut(label), colour, list(values.values())[-1].mean) for label, colour, values in lines
    ]
    last = max(max(values) for _, _, values in lines)
    longest = max(len(label) for label, _, _ in ends)
    return figure(
        traces,
        axis(
            "tries per problem",
            type="log",
            tickvals=TICKS,
            range=[-0.03, float(np.log10(last)) + 0.03],
        ),
        axis("", tickformat=".0%", range=y, nticks=7),
        "",
        annotations=_end_labels(ends, last, y),
        margin={"l": 48, "r": 16 + 7.2 * longest, "t": 10, "b": 46},
    )


def _end_labels(
    ends: Sequence[tuple[str, str, float]], x: float, y: tuple[float, float]
) -> list[dict]:
    """Labels behind the ends of lines, moved apart where they would lie on one another."""
    height = y[1] - y[0]
    places: list[float] = []
    for _, _, value in sorted(ends, key=lambda end: end[2]):
        places.append(max(value, places[-1] + APART * height) if places else value)
    over = max(places[-1] - y[1], 0.0)
    ordered = sorted(ends, key=lambda end: end[2])
    return [
        {
            "x": float(np.log10(x)),
            "y": place - over,
            "text": f"<b>{label}</b>",
            "font": {"color": colour, "size": 14},
            "showarrow": False,
            "xanchor": "left",
            "xshift": 8,
        }
        for (label, colour, _), place in zip(ordered, places, strict=True)
    ]


def value_range(curves: Sequence[Mapping[int, SeedMean]]) -> tuple[float, float]:
    """A range that holds all these values with their bands."""
    means = np.array([s.mean for values in curves for s in values.values()])
    errors = np.nan_to_num([s.error for values in curves for s in values.values()])
    low, high = float((means - errors).min()), float((means + errors).max())
    margin = max(0.06 * (high - low), 0.01)
    return max(low - margin, 0.0), min(high + margin, 1.0 + margin / 2)


def plot_before_and_after(before: np.ndarray, after: np.ndarray, colour: str) -> go.Figure:
    """How many problems went from so many right answers to so many, `[P]` each."""
    counts = np.zeros((HELD_OUT_COMPLETIONS + 1, HELD_OUT_COMPLETIONS + 1))
    np.add.at(counts, (after.astype(int), before.astype(int)), 1)
    heat = {
        "type": "heatmap",
        "z": np.log1p(counts),
        "customdata": counts,
        "colorscale": [[0, "rgba(127, 127, 127, 0.05)"], [1, colour]],
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
        "hovertemplate": f"%{{customdata}} problems: %{{x}} of {HELD_OUT_COMPLETIONS} right before, "
        "%{y} after<extra></extra>",
    }
    ends = [-0.5, HELD_OUT_COMPLETIONS + 0.5]
    diagonal = line(ends, ends, INK, "as before", width=1, dash="dot", hoverinfo="skip")
    ticks = {
        "tickvals": list(range(0, HELD_OUT_COMPLETIONS + 1, 4)),
        "range": ends,
        "showgrid": False,
    }
    return figure(
        [heat, diagonal],
        axis(f"right of {HELD_OUT_COMPLETIONS} before", **ticks),
        axis("after", **ticks),
        "",
        hovermode="closest",
        margin={"l": 48, "r": 8, "t": 8, "b": 46},
    )


def plot_first_solved(solved: Sequence[tuple[str, str, np.ndarray]], steps: int) -> go.Figure:
    """When each problem of a fixed set was first solved; those never solved lie above the rest.

    Args:
      solved: label, colour and, `[P]`, the updates; -1 for never.
      steps: updates of a run.
    """
    never, apart = steps * 1.1, steps * 0.02  # apart: so that no method hides another
    shown = [
        (label, colour, np.where(updates < 0, never, updates)) for label, colour, updates in solved
    ]
    order = np.argsort(shown[0][2], kind="stable")
    traces = [
        line(
            np.arange(1, len(order) + 1),
            updates[order] + apart * (place - (len(shown) - 1) / 2),
            colour,
            label,
            mode="markers",
            marker={"color": colour, "size": 7, "opacity": 0.8},
            customdata=[
                "never" if update == never else f"at update {update:.0f}"
                for update in updates[order]
            ],
            hovertemplate="%{customdata}",
        )
        for place, (label, colour, updates) in enumerate(shown)
    ]
    ticks = [*np.linspace(0, steps, 5).round().tolist(), never]
    return figure(
        traces,
        axis(f"problems, in the order in which {shown[0][0]} solved them"),
        axis(
            "first solved at update",
            tickvals=ticks,
            ticktext=[*(f"{tick:.0f}" for tick in ticks[:-1]), "never"],
        ),
        "",
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        margin={"l": 62, "r": 14, "t": 40, "b": 46},
    )


# --- In words ----------------------------------------------------------------------------------


Pair = tuple[Mapping[int, SeedMean], Mapping[int, SeedMean]]


def headline(labels: Sequence[str], unseen: Sequence[Pair]) -> str:
    """What each method solves of unseen problems within many tries.

    Args:
      labels: of the methods.
      unseen: pass@k before and after.
    """
    k = max(unseen[0][0])
    ends = [(now[k].mean, label) for label, (_, now) in zip(labels, unseen, strict=True)]
    ends.sort(reverse=True)
    (best, first), *others = ends
    told = [f"Trained for {first}, {k} tries solve {_percent(best)} of unseen problems"]
    told += [f"{label}: {_percent(value)}" for value, label in others]
    return "; ".join([*told, f"before training: {_percent(unseen[0][0][k].mean)}"])


def headline_of_fixed(
    labels: Sequence[str], training: Sequence[Pair], unseen: Sequence[Pair]
) -> str:
    """How far the best method on a fixed set came there, and on unseen problems."""
    k = min(max(training[0][0]), max(unseen[0][0]))
    best = max(range(len(labels)), key=lambda i: training[i][1][k].mean)
    there, elsewhere = (
        " to ".join(_percent(values[k].mean) for values in pairs[best])
        for pairs in (training, unseen)
    )
    return (
        f"Within {k} tries {labels[best]} went from {there} of the problems that it trained on, "
        f"and from {elsewhere} of unseen problems"
    )


def change_in_points(change: Difference) -> str:
    """A change in pass@k, in points, with its interval."""
    mean, low, high = (100 * x for x in (change.mean, change.low, change.high))
    return f"{mean:+.1f} ({low:.1f} to {high:.1f})".replace("-", "−")


def contrast(label: str, other: str, single: Difference, many: Difference) -> str:
    """How a method stands to another, each difference being the first's less the other's."""
    opposed = {single.standing, many.standing} == {"above", "below"}
    return (
        f"**{label}** is {_stands(many, other)} at the best of {HELD_OUT_COMPLETIONS} "
        f"{'but' if opposed else 'and'} {_stands(single, 'it')} at a single try: by "
        f"{change_in_points(many)} and {change_in_points(single)} points."
    )


def _stands(change: Difference, to: str) -> str:
    words = {"above": "ahead of", "below": "behind", "undecided": "not clearly apart from"}
    return f"{words[change.standing]} {to}"


def describe_group(rewards: Sequence[float], weighed_by: Sequence[tuple[str, int]]) -> str:
    """What happens in a group, and what weights it leads to.

    Args:
      rewards: `[n]`.
      weighed_by: estimators and k; those that do not allow this group are left out.
    """
    g = np.array(rewards, float)
    best, worst = int(g.argmax()), int(g.argmin())
    right = int((g == 1).sum())
    if set(rewards) <= {0.0, 1.0}:
        told = [f"{right} of {len(g)} {'earns' if right == 1 else 'earn'} the reward."]
        names = ("one that does", "one that does not")
    else:
        told = [f"The best earns {g[best]:.2f}, the worst {g[worst]:.2f}."]
        names = ("the best one", "the worst one")
    for name, k in dict.fromkeys(weighed_by):
        entry = get_estimator(name)
        try:
            weights = transform(g, k, name)
        except ValueError:
            continue
        label = f"**{entry.label}{f', k = {k}' if entry.uses_k else ''}**"
        if not weights.any():
            told.append(f"{label} gives nobody any weight: nothing is learned from it.")
        elif g[best] == g[worst]:
            told.append(f"{label} gives each {weight_in_words(weights[best])}.")
        else:
            each = zip(names, (best, worst), strict=True)
            told.append(
                f"{label} gives {', '.join(f'{who} {weight_in_words(weights[i])}' for who, i in each)}."
            )
    return " ".join(told)


def largest_weight(rewards: Sequence[float], weighed_by: Sequence[tuple[str, int]]) -> float:
    """The largest magnitude of a weight in a group; 1 if all are 0.

    Args:
      rewards: `[n]`.
      weighed_by: estimators and k; those that do not allow this group are left out.
    """
    found = [0.0]
    for name, k in weighed_by:
        with suppress(ValueError):
            found.append(float(np.abs(transform(np.array(rewards, float), k, name)).max()))
    return max(found) or 1.0


def weight_in_words(weight: float) -> str:
    """A weight with its sign."""
    digits = "+.3f" if abs(weight) >= 0.0005 else "+.0e" if weight else ".0f"
    return f"{weight:{digits}}".replace("-", "−", 1) if weight < 0 else f"{weight:{digits}}"


def describe_moved(before: np.ndarray, after: np.ndarray) -> str:
    """How many problems were gained and lost, `[P]` right answers each."""
    gained, lost = _gained(before, after), _gained(after, before)
    return (
        f"{gained} of {int((before == 0).sum())} never solved before are solved now; "
        f"{lost} of {int((before > 0).sum())} solved before are not any more."
    )


def lost_and_gained(labels: Sequence[str], changes: Sequence[tuple[np.ndarray, np.ndarray]]) -> str:
    """The same of several methods, in a line."""
    told = [
        f"{label} wins {_gained(before, after)} and loses {_gained(after, before)}"
        for label, (before, after) in zip(labels, changes, strict=True)
    ]
    return f"Of {len(changes[0][0]):,} unseen problems {'; '.join(told)}"


def _gained(before: np.ndarray, after: np.ndarray) -> int:
    return int(((before == 0) & (after > 0)).sum())


def first_to_solve(labels: Sequence[str], solved: Sequence[np.ndarray]) -> str:
    """How many problems of a fixed set were ever solved, and by one method alone; `[P]` updates."""
    ever = np.array([updates >= 0 for updates in solved])
    told = []
    for i, label in enumerate(labels):
        alone = int((ever[i] & ~np.delete(ever, i, axis=0).any(axis=0)).sum())
        only = f", {alone} of them no other did" if len(labels) > 1 else ""
        told.append(f"**{label}** solved {int(ever[i].sum())} at some time{only}")
    return f"Of {ever.shape[1]} training problems {'; '.join(told)}."


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"
