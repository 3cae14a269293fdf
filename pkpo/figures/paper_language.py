"""The paper's language-model figures, drawn from their tables (see `pkpo.paper.language`)."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from pkpo.analysis.enumeration import enumerate_outcomes
from pkpo.analysis.estimation_problems import binary_problem
from pkpo.figures.style import (
    LEGEND_BELOW,
    OTHER_COLOURS,
    axis,
    band,
    estimator_colour,
    figure,
    k_colour,
    line,
    scatter_trace,
    split_table,
)
from pkpo.lm.experiments import METHODS
from pkpo.paper.recipe import Table

METHOD_COLOURS = {
    "k1": k_colour(1),
    "k2": k_colour(2),
    "k4": k_colour(4),
    "k8": k_colour(8),
    "tzsm25": k_colour(16),
    "annealed": OTHER_COLOURS[0],
    "annealed-early": OTHER_COLOURS[2],
    "entropy": OTHER_COLOURS[1],
    "canonical": estimator_colour("canonical"),
    "mixture": estimator_colour("mix"),
}
METHOD_LABELS = {name: method.label for name, method in METHODS.items()} | {"mixture": "mixture"}
METHOD_SYMBOLS = {"start": "circle", "trained": "diamond-open", "small": "cross-thin-open"}
GAP = 0.11  # between panels, of the figure
PANEL_HEIGHT = 250  # of a panel
MOST_TICKS = 4  # that have room below a panel, over values of a logarithmic axis


def plot_over_updates(table: Table, columns: int) -> go.Figure:
    """Every panel's curves over updates: means over seeds, with their standard errors as bands.

    Metrics of training groups are lines; those of held-out problems have a marker wherever they were
    measured, and lines between, dotted where the panel has the others too.

    Args:
      table: see `pkpo.paper.language`.
      columns: panels side by side.
    """
    panels = split_table(table, "panel")
    lines = -(-len(panels) // columns)
    width, height = (1 + GAP) / columns - GAP, (1 + GAP) / lines - GAP
    seen: set[str] = set()
    traces, axes = [], {}
    for place, (name, rows) in enumerate(panels):
        number = "" if place == 0 else str(place + 1)
        on = {"xaxis": f"x{number}", "yaxis": f"y{number}"}
        both = len(set(rows["problems"])) == 2
        for method, own in split_table(rows, "method"):
            colour = METHOD_COLOURS[method]
            for problems, part in split_table(own, "problems"):
                x, mean, error = part["update"], part["mean"], part["error"]
                measured = problems == "held-out"
                more = {"mode": "lines+markers", "marker": {"size": 7}} if measured else {}
                traces += [
                    band(x, mean - error, mean + error, colour, legendgroup=method, **on),
                    line(
                        x,
                        mean,
                        colour,
                        METHOD_LABELS[method],
                        dash="dot" if measured and both else "solid",
                        customdata=error,
                        hovertemplate="%{y:.3f} ± %{customdata:.3f}" + f" ({problems})",
                        legendgroup=method,
                        showlegend=method not in seen,
                        **more,
                        **on,
                    ),
                ]
                seen.add(method)
        left = place % columns * (width + GAP)
        bottom = (lines - 1 - place // columns) * (height + GAP)
        last = place + columns >= len(panels)
        axes[f"xaxis{number}"] = axis(
            "update" if last else "", domain=[left, min(left + width, 1)], anchor=f"y{number}"
        )
        axes[f"yaxis{number}"] = axis(
            name.replace(", ", "<br>"),
            domain=[bottom, min(bottom + height, 1)],
            anchor=f"x{number}",
        )
    return figure(
        traces,
        axes.pop("xaxis"),
        axes.pop("yaxis"),
        "",
        **LEGEND_BELOW | {"margin": {"l": 80, "r": 14, "t": 64, "b": 50}},  # titles of two lines
        height=PANEL_HEIGHT * lines + 120,
        **axes,
    )


def plot_by_setting(table: Table) -> go.Figure:
    """Held-out pass@k at the end over a setting: a line for each method, a level for one without it.

    Args:
      table: see `table_by_setting` of `pkpo.paper.language`. Where all values are above 0, their axis is
        logarithmic.
    """
    panels = split_table(table, "panel")
    width = (1 + GAP) / len(panels) - GAP
    seen: set[str] = set()
    traces, axes = [], {}
    for place, (panel, rows) in enumerate(panels):
        number = "" if place == 0 else str(place + 1)
        measured, setting = panel.split(", ", 1)
        values = sorted({x for x in rows["x"].tolist() if x == x})
        ends, logarithmic = np.array([values[0], values[-1]]), values[0] > 0
        for method, part in split_table(rows, "method"):
            colour, label = METHOD_COLOURS[method], METHOD_LABELS[method]
            shown = {"showlegend": method not in seen, "legendgroup": method}
            on = {"xaxis": f"x{number}", "yaxis": f"y{number}"}
            if np.isnan(part["x"]).all():
                level, error = part["mean"].repeat(2), part["error"].repeat(2)
                traces += [
                    band(ends, level - error, level + error, colour, legendgroup=method, **on),
                    line(ends, level, colour, label, **shown, **on),
                ]
            else:
                order = np.argsort(part["x"])
                points = {
                    "mode": "lines+markers",
                    "marker": {"size": 8},
                    "error_y": {"array": part["error"][order]},
                }
                x, mean = part["x"][order], part["mean"][order]
                traces.append(line(x, mean, colour, label, **points, **shown, **on))
            seen.add(method)
        left = place * (width + GAP)
        axes[f"xaxis{number}"] = axis(
            setting,
            domain=[left, min(left + width, 1)],
            anchor=f"y{number}",
            type="log" if logarithmic else "linear",
            tickformat="~g",
            tickangle=0,
            **({"dtick": 1} if logarithmic and len(values) > MOST_TICKS else {"tickvals": values}),
        )
        low, high = min(rows["mean"]), max(rows["mean"])
        axes[f"yaxis{number}"] = axis(
            f"{measured}, held out",
            anchor=f"x{number}",
            rangemode="tozero" if low < high / 2 else "normal",
        )
    layout = LEGEND_BELOW | {"margin": {"l": 62, "r": 14, "t": 30, "b": 50}}
    return figure(traces, axes.pop("xaxis"), axes.pop("yaxis"), "", **layout, **axes)


def plot_estimator_choice(table: Table) -> go.Figure:
    """Every prompt's variance of loo-1 over canonical's, by pass rate and by effective dimension.

    The variances are those that all its samples imply (`expected_variance` of
    `pkpo.lm.gradient_variance`). The lines are exact: what one Bernoulli parameter would show
    (`binary_problem` of `pkpo.analysis.estimation_problems`).

    Args:
      table: see `pkpo.lm.gradient_variance`.
    """
    found = dict(split_table(table, "estimator"))
    loo, canonical = (found[name] for name in ("sloo_minus_one", "canonical"))
    traces = []
    for k in dict.fromkeys(canonical["k"].tolist()):
        own = {"legendgroup": str(k), "name": f"k = {k}"}
        traces.append(_exact(k) | own | {"showlegend": False})
        for checkpoint, symbol in METHOD_SYMBOLS.items():
            ours, theirs = (
                rows["expected"][(rows["k"] == k) & (rows["checkpoint"] == checkpoint)]
                for rows in (loo, canonical)
            )
            alive = (ours > 0) & (theirs > 0)
            at = (canonical["k"] == k) & (canonical["checkpoint"] == checkpoint)
            for panel, factor in (("", "pass_rate"), ("2", "dimension")):
                traces.append(
                    scatter_trace(
                        x=canonical[factor][at][alive],
                        y=ours[alive] / theirs[alive],
                        mode="markers",
                        marker={"color": k_colour(k), "symbol": symbol, "size": 8},
                        hovertemplate=f"%{{y:.2f}} ({checkpoint})",
                        showlegend=panel == "" and checkpoint == "start",
                        xaxis=f"x{panel}",
                        yaxis=f"y{panel}",
                        **own,
                    )
                )
    scale = {"type": "log", "dtick": "D2"}
    return figure(
        traces,
        axis("pass rate of the prompt", domain=[0, 0.47], range=[0, 1.02]),
        axis("variance of loo-1 / canonical", **scale),
        "",
        **LEGEND_BELOW | {"hovermode": "closest"},
        xaxis2=axis("effective dimension of a group's scores", domain=[0.53, 1], anchor="y2"),
        yaxis2=axis("", anchor="x2", matches="y", **scale),
    )


def _exact(k: int) -> dict:
    """The ratio for one Bernoulli parameter, over its pass rate."""
    rates = np.linspace(0.02, 0.98, 49)
    ratios = [
        enumerate_outcomes(binary_problem(p), "sloo_minus_one", 16, k).variance
        / enumerate_outcomes(binary_problem(p), "canonical", 16, k).variance
        for p in rates.tolist()
    ]
    return line(rates, ratios, k_colour(k), "", width=1.5, hoverinfo="skip")
