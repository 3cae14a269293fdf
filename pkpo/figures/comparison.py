"""Figures and words that fit compared runs of any task."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from pkpo.comparisons import Comparison
from pkpo.figures.style import axis, figure, line

DIFFERENCE_SHOWN = 0.005  # a smaller difference is none in words of two decimals


def plot_value(study: Comparison, styles: Sequence[tuple[str, str]]) -> go.Figure:
    """The exact max@1 (dashed) and max@compared_k (solid) that every run has reached."""
    traces = []
    for r, reached, (label, colour) in zip(study.recordings, study.reached, styles, strict=True):
        updates = np.arange(len(r))
        for k, curve, dash in ((study.compared_k, reached, "solid"), (1, r["max@1"], "dash")):
            traces.append(
                line(
                    updates,
                    curve,
                    colour,
                    f"max@{k}, {label}",
                    dash=dash,
                    width=2.5 if dash == "solid" else 1.8,
                    hovertemplate="%{y:.3f}",
                )
            )
    return figure(
        traces,
        updates_axis(study),
        axis("exact value", rangemode="tozero", nticks=6),
        f"max@{study.compared_k} (solid) and max@1 (dashed)",
    )


def updates_axis(study: Comparison) -> dict:
    """The axis of all charts over updates."""
    last = max(len(r) for r in study.recordings) - 1
    return axis("update", range=[0, last], nticks=6)


# --- In words ----------------------------------------------------------------------------------


def at_the_end(study: Comparison) -> str:
    """The beginning of a sentence about the end of the runs."""
    steps = study.recordings[0].config.steps
    return f"After {steps} update{'s' if steps > 1 else ''}"


def keep_together(text: str) -> str:
    """The text without line breaks inside "k = 8"."""
    return text.replace(" = ", "\u00a0=\u00a0")


def are_alike(study: Comparison) -> bool:
    """Whether all runs went the same way."""
    first, *others = study.recordings
    return all(np.array_equal(first.parameters, r.parameters) for r in others)


def extremes(study: Comparison) -> tuple[int, int]:
    """The runs that ended lowest and highest at the compared k, by place."""
    ends = [reached[-1] for reached in study.reached]
    return ends.index(min(ends)), ends.index(max(ends))


def alike_or_ranked(study: Comparison, styles: Sequence[tuple[str, str]]) -> str:
    """What there is to say of runs that are all the same, or where one anneals; else "".

    Annealing is about single attempts: the runs are put in order of max@1.
    """
    if are_alike(study):
        return f"{at_the_end(study)} all runs are the same: what differs has no effect here."
    if all(r.config.k_schedule.is_constant for r in study.recordings):
        return ""
    ends = [
        (label, r["max@1"][-1], reached[-1])
        for r, reached, (label, _) in zip(study.recordings, study.reached, styles, strict=True)
    ]
    order = "; ".join(
        f"{label}: {one:.2f} (max@{study.compared_k} = {many:.2f})"
        for label, one, many in sorted(ends, key=lambda end: -end[1])
    )
    return f"{at_the_end(study)}, max@1 is, in order, {order}."
