"""The paper's figures, drawn from their tables (see `pkpo.paper`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import plotly.graph_objects as go

from pkpo.estimators import get_estimator
from pkpo.figures import language
from pkpo.figures.style import (
    LEGEND,
    axis,
    band,
    estimator_colour,
    figure,
    groups,
    k_colour,
    line,
)
from pkpo.paper.recipe import Table

DASHES = {
    "naive": "dash",
    "naive_baselined": "dash",
    "sloo_minus_one_partitioned": "dash",
}
"""Partitioned estimators are dashed, those over all subsets solid."""


def figure_1(table: Table) -> go.Figure:
    """max_g@k over θ (left) and its derivative (right)."""
    traces = []
    for k, rows in groups(table, "k"):
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
        **LEGEND,
        xaxis2=axis("θ", range=span, domain=[0.57, 1], anchor="y2"),
        yaxis2=axis("d max@k / dθ", anchor="x2", zeroline=True, zerolinecolor="#9aa0a6"),
    )


def figure_2(table: Table) -> go.Figure:
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
        for k, rows in groups(table, "k")
    ]
    return figure(
        traces,
        axis("place in the sorted group", dtick=1),
        axis("weight", rangemode="tozero"),
        "",
        **LEGEND,
    )


def figure_4(table: Table) -> go.Figure:
    """Variance over n, log scale, with 95% intervals."""
    traces = []
    for name, rows in groups(table, "estimator"):
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
        **LEGEND,
    )


def figure_5(table: Table) -> go.Figure:
    """Mean transformed reward over the raw reward, one panel per estimator."""
    names = list(dict.fromkeys(table["estimator"]))
    traces, more = [], {}
    width, gap = (1 - 0.06 * (len(names) - 1)) / len(names), 0.06
    for index, (name, rows) in enumerate(groups(table, "estimator")):
        panel = "" if index == 0 else str(index + 1)
        for k, part in groups({key: list(column) for key, column in rows.items()}, "k"):
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
    layout = LEGEND | {"margin": {"l": 62, "r": 14, "t": 64, "b": 66}}
    return figure(traces, more.pop("xaxis"), more.pop("yaxis"), "", **layout, **more)


DRAW: dict[str, Callable[[Table], go.Figure]] = {
    "fig1": figure_1,
    "fig2": figure_2,
    "fig3": partial(language.over_updates, columns=3),
    "fig4": figure_4,
    "fig5": figure_5,
    "fig6": partial(language.over_updates, columns=2),
    "fig7": partial(language.over_updates, columns=3),
    "fig8": partial(language.over_updates, columns=2),
    "which": language.which_estimator,
    "faster": partial(language.over_updates, columns=3),
    "answer": partial(language.over_updates, columns=3),
    "bonus": language.by_bonus,
}
"""Recipe key -> its figure, from the recipe's table."""
