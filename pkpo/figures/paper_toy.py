"""The paper's figures, drawn from their tables (see `pkpo.paper`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import plotly.graph_objects as go

from pkpo.estimators import get_estimator
from pkpo.figures import baseline_question, paper_language, schedule_questions, sharpening
from pkpo.figures.style import (
    LEGEND_BELOW,
    axis,
    band,
    estimator_colour,
    figure,
    k_colour,
    line,
    split_table,
)
from pkpo.paper.recipe import Table

DASHES = {
    "naive": "dash",
    "naive_baselined": "dash",
    "sloo_minus_one_partitioned": "dash",
}
"""Partitioned estimators are dashed, those over all subsets solid."""


def plot_figure_1(table: Table) -> go.Figure:
    """max_g@k over θ (left) and its derivative (right)."""
    traces = []
    for k, rows in split_table(table, "k"):
        x = rows["theta"]
        for name, panel in (("value", ""), ("gradient", "2")):
            traces.append(
                line(
                    x,
                    rows[name],
                    k_colour(k),
                    f"k = {k}",
                    hovertemplate="%{y:.4f}",
                    legendgroup=str(k),
                    showlegend=name == "value",
                    xaxis=f"x{panel}",
                    yaxis=f"y{panel}",
                )
            )
    span = [min(table["theta"]), max(table["theta"])]
    return figure(
        traces,
        axis("θ", range=span, domain=[0, 0.45]),
        axis("max@k", rangemode="tozero"),
        "",
        **LEGEND_BELOW,
        xaxis2=axis("θ", range=span, domain=[0.57, 1], anchor="y2"),
        yaxis2=axis("d max@k / dθ", anchor="x2", zeroline=True, zerolinecolor="#9aa0a6"),
    )


def plot_figure_2(table: Table) -> go.Figure:
    """The weight of each sorted reward in ρ."""
    traces = [
        line(
            rows["index"],
            rows["weight"],
            k_colour(k),
            f"k = {k}",
            mode="lines+markers",
            marker={"size": 8, "color": k_colour(k)},
            hovertemplate="%{y:.4f}",
        )
        for k, rows in split_table(table, "k")
    ]
    return figure(
        traces,
        axis("place in the sorted group", dtick=1),
        axis("weight", rangemode="tozero"),
        "",
        **LEGEND_BELOW,
    )


def plot_figure_4(table: Table) -> go.Figure:
    """Variance over n, log scale, with 95% intervals."""
    traces = []
    for name, rows in split_table(table, "estimator"):
        colour = estimator_colour(name)
        traces.append(band(rows["n"], rows["ci_low"], rows["ci_high"], colour, legendgroup=name))
        traces.append(
            line(
                rows["n"],
                rows["variance"],
                colour,
                get_estimator(name).label,
                dash=DASHES.get(name, "solid"),
                mode="lines+markers",
                marker={"size": 7, "color": colour},
                hovertemplate="%{y:.3f}",
                legendgroup=name,
            )
        )
    return figure(
        traces,
        axis("samples per group, n", dtick=4),
        axis("variance of one gradient estimate", type="log", dtick=1),
        "",
        **LEGEND_BELOW,
    )


def plot_figure_5(table: Table) -> go.Figure:
    """Mean transformed reward over the raw reward, one panel per estimator."""
    names = list(dict.fromkeys(table["estimator"]))
    traces, more = [], {}
    width, gap = (1 - 0.06 * (len(names) - 1)) / len(names), 0.06
    for index, (name, rows) in enumerate(split_table(table, "estimator")):
        panel = "" if index == 0 else str(index + 1)
        for k, part in split_table({key: list(column) for key, column in rows.items()}, "k"):
            traces.append(
                line(
                    part["reward"],
                    part["weight"],
                    k_colour(k),
                    f"k = {k}",
                    hovertemplate="%{y:.4f}",
                    legendgroup=str(k),
                    showlegend=index == 0,
                    xaxis=f"x{panel}",
                    yaxis=f"y{panel}",
                )
            )
        left = index * (width + gap)
        title = f"raw reward<br><b>{get_estimator(name).label}</b>"
        more[f"xaxis{panel}"] = axis(title, domain=[left, left + width], anchor=f"y{panel}")
        more[f"yaxis{panel}"] = axis(
            "transformed reward" if index == 0 else "",
            anchor=f"x{panel}",
            zeroline=True,
            zerolinecolor="#9aa0a6",
            **({} if index == 0 else {"matches": "y"}),
        )
    layout = LEGEND_BELOW | {"margin": {"l": 62, "r": 14, "t": 64, "b": 66}}
    return figure(traces, more.pop("xaxis"), more.pop("yaxis"), "", **layout, **more)


DRAW: dict[str, Callable[[Table], go.Figure]] = {
    "fig1": plot_figure_1,
    "fig2": plot_figure_2,
    "fig3": partial(paper_language.plot_over_updates, columns=3),
    "fig4": plot_figure_4,
    "fig5": plot_figure_5,
    "fig6": partial(paper_language.plot_over_updates, columns=2),
    "fig7": partial(paper_language.plot_over_updates, columns=3),
    "fig8": partial(paper_language.plot_over_updates, columns=2),
    "fig8-unseen": partial(paper_language.plot_over_updates, columns=2),
    "which": paper_language.plot_estimator_choice,
    "faster": partial(paper_language.plot_over_updates, columns=3),
    "answer": partial(paper_language.plot_over_updates, columns=3),
    "bonus": paper_language.plot_by_setting,
    "rate": paper_language.plot_by_setting,
    "stall": partial(paper_language.plot_over_updates, columns=2),
    "stall-map": paper_language.plot_by_setting,
    "mixture": paper_language.plot_by_setting,
    "direction": schedule_questions.plot_direction,
    "interference": schedule_questions.plot_interference,
    "adaptive": baseline_question.plot_adaptive,
    "sharpening": sharpening.plot_sharpening,
}
"""Recipe key -> its figure, from the recipe's table."""
