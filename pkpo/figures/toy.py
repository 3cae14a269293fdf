"""The toy problem's figures, and what they say in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from pkpo.figures.style import INK, SOFT, axis, fade, figure, k_colour, line, scatter
from pkpo.schedules import Schedule
from pkpo.studies import ToyStudy


def stage(study: ToyStudy) -> go.Figure:
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
            scatter(
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


def _outline(study: ToyStudy) -> np.ndarray:
    """x for drawing the reward: the grid, and both sides of every end of a segment."""
    ends = np.array([x for s in study.shape.segments for x in s.ends])
    nudge = 1e-9 * np.maximum(1.0, np.abs(ends))
    return np.unique(np.concatenate([study.theta, ends - nudge, ends, ends + nudge]))


def theta_over_updates(study: ToyStudy, styles: Sequence[tuple[str, str]]) -> go.Figure:
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
        _updates_axis(study),
        axis("θ", nticks=6),
        "θ, and the best θ for each k (dotted)",
    )


def value_over_updates(study: ToyStudy, styles: Sequence[tuple[str, str]]) -> go.Figure:
    """The exact max@1 (dashed) and max@yardstick (solid) that every run has reached."""
    traces = []
    for r, reached, (label, colour) in zip(study.recordings, study.reached, styles, strict=True):
        updates = np.arange(len(r))
        for k, curve, dash in ((study.yardstick, reached, "solid"), (1, r["max@1"], "dash")):
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
        _updates_axis(study),
        axis("exact value", rangemode="tozero", nticks=6),
        f"max@{study.yardstick} (solid) and max@1 (dashed)",
    )


def gradient_over_updates(study: ToyStudy, styles: Sequence[tuple[str, str]]) -> go.Figure:
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
            scatter(
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
            scatter(
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
        _updates_axis(study),
        axis("d max@k / dθ", nticks=6),
        "Gradient for {label}: dots, exact, ± 1 s.d.",
    )


def _updates_axis(study: ToyStudy) -> dict:
    last = max(len(r) for r in study.recordings) - 1
    return axis("update", range=[0, last], nticks=6)


def schedule_preview(schedule: Schedule, steps: int) -> go.Figure:
    """K over updates, small."""
    updates = np.unique(np.linspace(0, steps, min(steps + 1, 400)).round().astype(int))
    ks = schedule.values(updates)
    trace = line(updates, ks, k_colour(int(ks[0])), "k", hovertemplate="k = %{y}<extra></extra>")
    trace["line"]["shape"] = "hv"
    return figure(
        [trace],
        axis("update", nticks=4),
        axis("k", rangemode="tozero", nticks=4),
        "",
        height=130,
        margin={"l": 34, "r": 6, "t": 6, "b": 36},
    )


# --- In words ----------------------------------------------------------------------------------


def takeaway(study: ToyStudy, styles: Sequence[tuple[str, str]]) -> str:
    """The one message of a study, from its numbers; no line breaks inside "k = 8"."""
    return _message(study, styles).replace(" = ", "\u00a0=\u00a0")


def _message(study: ToyStudy, styles: Sequence[tuple[str, str]]) -> str:
    runs = list(zip(study.recordings, study.reached, styles, strict=True))
    key, steps = study.yardstick, study.recordings[0].config.steps
    after = f"After {steps} update{'s' if steps > 1 else ''}"
    if len(runs) == 1:
        r, reached, (label, _) = runs[0]
        goal = None if r.config.learn_sigma else study.optima.get(int(r["k"][-1]))
        aim = f" (the best is {goal.theta:.2f})" if goal else ""
        return (
            f"Trained with {label}, the policy moves from θ = {r['theta'][0]:.2f} to "
            f"{r['theta'][-1]:.2f}{aim}: max@{key} goes from {reached[0]:.2f} to {reached[-1]:.2f}, "
            f"max@1 from {r['max@1'][0]:.2f} to {r['max@1'][-1]:.2f}."
        )
    if all(np.array_equal(r["theta"], runs[0][0]["theta"]) for r, _, _ in runs):
        return f"{after} all runs are the same: what differs has no effect here."
    if max(reached[-1] for _, reached, _ in runs) < 0.005:
        return f"{after} no run finds a reward: max@{key} = 0.00 for all."
    if any(not r.config.k_schedule.is_constant for r in study.recordings):
        ends = [(label, r["max@1"][-1], reached[-1]) for r, reached, (label, _) in runs]
        ranked = sorted(ends, key=lambda end: -end[1])
        order = "; ".join(
            f"{label}: {one:.2f} (max@{key} = {many:.2f})" for label, one, many in ranked
        )
        return f"{after}, max@1 is, in order, {order}."
    worst, best = (pick(runs, key=lambda run: run[1][-1]) for pick in (min, max))
    if best[1][-1] - worst[1][-1] < 0.005:
        scatters = "; ".join(
            f"{label}: {spread[-1]:.2f}"
            for spread, (label, _) in zip(study.spread, styles, strict=True)
        )
        return (
            f"{after} all runs reach max@{key} = {best[1][-1]:.2f}. The standard deviation of one "
            f"gradient estimate there is: {scatters}."
        )
    return (
        f"{after}, {best[2][0]} stands at θ = {best[0]['theta'][-1]:.2f} with max@{key} = "
        f"{best[1][-1]:.2f} and max@1 = {best[0]['max@1'][-1]:.2f}; {worst[2][0]} at "
        f"θ = {worst[0]['theta'][-1]:.2f} with max@{key} = {worst[1][-1]:.2f} and max@1 = "
        f"{worst[0]['max@1'][-1]:.2f}."
    )


def key(study: ToyStudy) -> str:
    """How to read the stage."""
    first = study.recordings[0].config
    at_first = " at first" if first.learn_sigma else ""
    return (
        f"Each policy draws x from a bell around its θ (σ = {first.sigma:g}{at_first}). max@k: expected "
        f"best reward of k draws. Large dots: policies; small dots: the draws of the chosen run, "
        f"sized by |weight|."
    )


def describe(study: ToyStudy, styles: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Alternative texts of the four toy charts, from their data."""
    ends = "; ".join(
        f"{label}: from {r['theta'][0]:.2f} to {r['theta'][-1]:.2f}"
        for r, (label, _) in zip(study.recordings, styles, strict=True)
    )
    optima = ", ".join(f"{best.theta:.3f} for k = {k}" for k, best in study.optima.items())
    values = "; ".join(
        f"{label}: max@{study.yardstick} {reached[-1]:.3f}, max@1 {r['max@1'][-1]:.3f}"
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
