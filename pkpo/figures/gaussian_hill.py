"""The toy problem's figures, and what they say in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from pkpo.comparisons import HillComparison
from pkpo.figures import comparison
from pkpo.figures.comparison import updates_axis
from pkpo.figures.style import INK, SOFT, axis, fade, figure, k_colour, line, scatter_trace


def plot_hill_stage(study: HillComparison) -> go.Figure:
    """The reward, and the exact max@k of every landmark k as a function of θ with its optimum."""
    x = _outline(study)
    traces = [
        line(
            x,
            study.shape(x),
            INK,
            "reward g(x)",
            width=1.5,
            fill="tozeroy",
            fillcolor=SOFT,
            hovertemplate="%{y:.3f}",
        )
    ]
    for k in study.landmarks:
        colour, best = k_colour(k), study.optima[k]
        traces.append(
            line(
                study.theta,
                study.curves[k],
                colour,
                f"max@{k}",
                hovertemplate="%{y:.3f}",
                meta={"k": k},
            )
        )
        traces.append(
            scatter_trace(
                x=[best.theta],
                y=[best.value],
                mode="markers",
                marker={
                    "symbol": "star",
                    "size": 13,
                    "color": colour,
                    "line": {"width": 1, "color": "white"},
                },
                name=f"best θ for k = {k}",
                hovertemplate=f"{best.value:.3f} at θ = {best.theta:.3f}",
                showlegend=False,
            )
        )
    top = max(study.shape.highest, max(float(c.max()) for c in study.curves.values()))
    return figure(
        traces,
        axis(
            "x, and the policy's mean θ",
            range=[study.theta[0], study.theta[-1]],
            hoverformat=".3f",
        ),
        axis("reward, max@k", range=[-0.06 * top, 1.1 * top], nticks=6),
        "Where each policy stands on the exact max@k of its k (★ is the best θ)"
        if not any(r.config.learn_sigma for r in study.recordings)
        else "Policies, and the exact max@k for the σ at the start (★ is the best θ for it)",
        showlegend=True,
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom"},
        margin={"l": 56, "r": 14, "t": 62, "b": 46},
    )


def _outline(study: HillComparison) -> np.ndarray:
    """x for drawing the reward: the grid, and both sides of every end of a segment."""
    ends = np.array([x for s in study.shape.segments for x in s.ends])
    nudge = 1e-9 * np.maximum(1.0, np.abs(ends))
    return np.unique(np.concatenate([study.theta, ends - nudge, ends, ends + nudge]))


def plot_theta(study: HillComparison, styles: Sequence[tuple[str, str]]) -> go.Figure:
    """θ of every run over updates, against the exact optimum of each landmark k."""
    updates = np.arange(max(len(r) for r in study.recordings))
    traces = [
        line(
            updates[[0, -1]],
            [study.optima[k].theta] * 2,
            k_colour(k),
            f"best θ for k = {k}",
            width=1.2,
            dash="dot",
            hoverinfo="skip",
        )
        for k in study.landmarks
    ]
    traces += [
        line(updates[: len(r["theta"])], r["theta"], colour, label, hovertemplate="%{y:.3f}")
        for r, (label, colour) in zip(study.recordings, styles, strict=True)
    ]
    return figure(
        traces,
        updates_axis(study),
        axis("θ", nticks=6),
        "θ, and the best θ for each k (dotted)",
    )


def plot_gradient(study: HillComparison, styles: Sequence[tuple[str, str]]) -> go.Figure:
    """Every run's gradient estimates against the exact gradient and its scatter; one run in view.

    The title holds `{label}` in place of the run in view.
    Traces carry `meta.setting`, the run that they belong to; all but the last start hidden.
    """
    traces = []
    for index, (r, (_, colour)) in enumerate(zip(study.recordings, styles, strict=True)):
        updates = np.arange(len(r))
        at, spread = study.spread_updates[index], study.spread[index]
        exact = r["exact_gradient"][at]
        mine = {"meta": {"setting": index}, "visible": index == len(study.recordings) - 1}
        band = np.concatenate([exact + spread, (exact - spread)[::-1]])
        traces += [
            scatter_trace(
                x=np.concatenate([at, at[::-1]]),
                y=band,
                fill="toself",
                fillcolor=fade(colour, 0.18),
                line={"width": 0},
                mode="lines",
                name="exact ± one standard deviation of an estimate",
                hoverinfo="skip",
                **mine,
            ),
            scatter_trace(
                x=updates,
                y=r["gradient"],
                mode="markers",
                marker={"size": 4, "color": colour, "opacity": 0.55},
                name="estimate",
                hovertemplate="%{y:.3f}",
                **mine,
            ),
            line(
                updates,
                r["exact_gradient"],
                INK,
                "exact",
                width=2,
                hovertemplate="%{y:.3f}",
                **mine,
            ),
        ]
    return figure(
        traces,
        updates_axis(study),
        axis("d max@k / dθ", nticks=6),
        "Gradient for {label}: dots, exact, ± 1 s.d.",
    )


# --- In words ----------------------------------------------------------------------------------


def hill_takeaway(study: HillComparison, styles: Sequence[tuple[str, str]]) -> str:
    """The one message of a study, from its numbers; no line breaks inside "k = 8"."""
    return comparison.keep_together(_message(study, styles))


def _message(study: HillComparison, styles: Sequence[tuple[str, str]]) -> str:
    key = study.compared_k
    if len(study.recordings) == 1:
        r, reached, (label, _) = study.recordings[0], study.reached[0], styles[0]
        goal = None if r.config.learn_sigma else study.optima.get(int(r["k"][-1]))
        aim = f" (the best is {goal.theta:.2f})" if goal else ""
        return (
            f"Trained with {label}, the policy moves from θ = {r['theta'][0]:.2f} to "
            f"{r['theta'][-1]:.2f}{aim}: max@{key} goes from {reached[0]:.2f} to {reached[-1]:.2f}, "
            f"max@1 from {r['max@1'][0]:.2f} to {r['max@1'][-1]:.2f}."
        )
    if not comparison.are_alike(study) and max(reached[-1] for reached in study.reached) < 0.005:
        return f"{comparison.at_the_end(study)} no run finds a reward: max@{key} = 0.00 for all."
    if message := comparison.alike_or_ranked(study, styles):
        return message
    worst, best = comparison.extremes(study)
    ends = study.reached[best][-1]
    if ends - study.reached[worst][-1] < comparison.DIFFERENCE_SHOWN:
        scatters = "; ".join(
            f"{label}: {spread[-1]:.2f}"
            for spread, (label, _) in zip(study.spread, styles, strict=True)
        )
        return (
            f"{comparison.at_the_end(study)} all runs reach max@{key} = {ends:.2f}. The standard "
            f"deviation of one gradient estimate there is: {scatters}."
        )
    first, last = (
        f"at θ = {study.recordings[i]['theta'][-1]:.2f} with max@{key} = {study.reached[i][-1]:.2f} "
        f"and max@1 = {study.recordings[i]['max@1'][-1]:.2f}"
        for i in (best, worst)
    )
    end = comparison.at_the_end(study)
    return f"{end}, {styles[best][0]} stands {first}; {styles[worst][0]} {last}."


def hill_legend(study: HillComparison) -> str:
    """How to read the stage."""
    first = study.recordings[0].config
    at_first = " at first" if first.learn_sigma else ""
    return (
        f"Each policy draws x from a bell around its θ (σ = {first.sigma:g}{at_first}). max@k: expected "
        f"best reward of k draws. Large dots: policies; small dots: the draws of the chosen run, "
        f"sized by |weight|."
    )


def describe_hill(study: HillComparison, styles: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Alternative texts of the four toy charts, from their data."""
    ends = "; ".join(
        f"{label}: from {r['theta'][0]:.2f} to {r['theta'][-1]:.2f}"
        for r, (label, _) in zip(study.recordings, styles, strict=True)
    )
    optima = ", ".join(f"{best.theta:.3f} for k = {k}" for k, best in study.optima.items())
    values = "; ".join(
        f"{label}: max@{study.compared_k} {reached[-1]:.3f}, max@1 {r['max@1'][-1]:.3f}"
        for r, reached, (label, _) in zip(study.recordings, study.reached, styles, strict=True)
    )
    scatter = "; ".join(
        f"{label}: standard deviation from {spread[0]:.2f} to {spread[-1]:.2f}"
        for spread, (label, _) in zip(study.spread, styles, strict=True)
    )
    return {
        "stage": f"Reward ({study.shape.label}) and exact max@k over θ. Best θ: {optima}.",
        "theta": f"θ over updates. {ends}. Best θ: {optima}.",
        "value": f"Exact values over updates. At the end: {values}.",
        "gradient": f"Gradient estimates against the exact gradient over updates. {scatter}.",
    }
