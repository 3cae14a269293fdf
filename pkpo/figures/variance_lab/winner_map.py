"""The winner map, its advice and its explanation (`pkpo.analysis.winner_map`)."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from pkpo import analysis
from pkpo.analysis.settings import CANONICAL, LOO
from pkpo.figures.style import (
    FONT,
    INK,
    axis,
    estimator_colour,
    fade,
    figure,
    scatter_trace,
)
from pkpo.figures.variance_lab.labels import estimator_label

REACH = 3.0  # the map's colours end at 2^3 times


NEUTRAL = "#eceef1"


def plot_winner_map(found: analysis.WinnerMap, scale: bool = True) -> go.Figure:
    """Loo-1 against canonical by colour, every estimator's variance on hover.

    Args:
      found: the numbers.
      scale: whether to draw the colour bar.
    """
    ratio = found.log_ratio
    numeric = found.axis in ("p", "theta")
    x = found.x.tolist() if numeric else [f"{value:g}" for value in found.x.tolist()]
    k = [str(value) for value in found.k.tolist()]
    heat = {
        "type": "heatmap",
        "x": x,
        "y": k,
        "z": np.clip(ratio, -REACH, REACH),
        "zmin": -REACH,
        "zmax": REACH,
        "colorscale": [
            [0, estimator_colour(LOO)],
            [0.5, NEUTRAL],
            [1, estimator_colour(CANONICAL)],
        ],
        "customdata": _hover(found),
        "hovertemplate": "%{customdata}<extra></extra>",
        "hoverongaps": False,
        "xgap": 1,
        "ygap": 1,
        "showscale": scale,
        "colorbar": {
            "thickness": 14,
            "outlinewidth": 0,
            "tickvals": [-3, -2, -1, 0, 1, 2, 3],
            "ticktext": ["loo-1, 8×", "4×", "2×", "equal", "2×", "4×", "canonical, 8×"],
            "tickfont": {"color": INK},
            "title": {"text": "less variance<br> ", "side": "top", "font": {"color": INK}},
        },
    }
    only = np.isnan(ratio) & ~np.isnan(found.variances[LOO])
    rest = {
        "type": "heatmap",
        "x": x,
        "y": k,
        "z": np.where(only, 1.0, np.nan),
        "colorscale": [
            [0, fade(estimator_colour(LOO), 0.35)],
            [1, fade(estimator_colour(LOO), 0.35)],
        ],
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
        "hovertemplate": "k = n: of these, only s and loo-1 exist<extra></extra>",
        "hoverongaps": False,
    }
    rows, columns = np.nonzero(~found.decided & ~np.isnan(ratio) & (found.k[:, None] > 1))
    open_cells = scatter_trace(
        x=[x[column] for column in columns],
        y=[k[row] for row in rows],
        mode="markers",
        marker={"symbol": "circle", "size": 4, "color": INK},
        hoverinfo="skip",
        showlegend=False,
    )
    kind = {"nticks": 8} if numeric else {"type": "category", "nticks": 9, "tickangle": 0}
    across = axis(analysis.AXES[found.axis], **kind)
    return figure(
        [heat, rest, open_cells],
        across,
        axis("k", type="category", nticks=16),
        "",
        hovermode="closest",
        annotations=_regions(found, x),
        margin={"l": 52, "r": 14, "t": 12, "b": 50},
    )


def _hover(found: analysis.WinnerMap) -> list[list[str]]:
    """Text of every cell: who wins, by how much, and all variances."""
    result = []
    for row, k in enumerate(found.k.tolist()):
        cells = []
        for column, x in enumerate(found.x.tolist()):
            here = {name: v[row, column] for name, v in found.variances.items()}
            ranked = sorted((v, name) for name, v in here.items() if not np.isnan(v))
            lines = [f"k = {k}, {found.axis} = {x:g}"]
            least = ranked[0][0] if ranked else 0.0
            for v, name in ranked:
                times = f" ({v / least:.2f}×)" if least > 0 else ""
                lines.append(f"{estimator_label(name)}: {v:.4g}{times}")
            cells.append("<br>".join(lines))
        result.append(cells)
    return result


def _regions(found: analysis.WinnerMap, x: list) -> list[dict]:
    """A name on the cell nearest the middle of each estimator's region, with its largest margin."""
    result = []
    ratio = np.nan_to_num(found.log_ratio)
    for name, short, lead in ((LOO, "loo-1", -ratio), (CANONICAL, "canonical", ratio)):
        inside = lead > 0.25
        if inside.sum() < 0.06 * inside.size:
            continue
        cells, weight = np.argwhere(inside), np.clip(lead[inside], 0, REACH)
        away = (cells - weight @ cells / weight.sum()) / inside.shape
        row, column = cells[(away**2).sum(axis=1).argmin()].tolist()  # the region may be bent
        result.append(
            {
                "x": x[column] if isinstance(x[column], float) else column,
                "y": row,
                "text": f"<b>{short}</b><br>up to {_times(lead.max())} less",
                "showarrow": False,
                "font": {"size": 15, "color": "#ffffff", "family": FONT},
                "bgcolor": fade(estimator_colour(name), 0.85),
                "borderpad": 4,
            }
        )
    return result


WHY = (
    "Why: loo-1 pushes up every right sample and leaves wrong ones alone. If right samples pull the "
    "same way, that is signal; if each pulls its own way, it is noise that a baseline over the whole "
    "group removes. Where hardly any sample is right, the two differ little."
)


RULES = {
    "the rule": "this rule",
    "always loo-1": "always loo-1",
    "always canonical": "always canonical",
}


def advice(found: analysis.WinnerExplanation) -> str:
    """Which baseline to use when, and what the rule costs, as Markdown."""
    rows = "\n".join(
        f"| {text} | {found.costs[name][0] - 1:.0%} | {found.costs[name][1]:.1f}× |"
        for name, text in RULES.items()
    )
    return (
        "**Which baseline, when?** Take **canonical** where there is more than one way to be right, or "
        f"where k·p is below {analysis.RULE_THRESHOLD:g}; otherwise **loo-1**.\n\n"
        f"| extra variance over the better one | mean | worst |\n|---|---|---|\n{rows}\n\n"
        f"{found.cells:,} right-or-wrong problems, exact."
    )


FACTORS = {
    "p, k and ways": "ways, p and k",
    "p and ways": "ways and p",
    "ways": "ways to be right",
    "p": "pass rate p",
    "k": "k",
    "wrong": "ways to be wrong",
    "n": "n",
}


def plot_explanation(found: analysis.WinnerExplanation) -> go.Figure:
    """How much of the winner's lead each factor explains, alone and together."""
    names = list(FACTORS)
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": [100 * found.shares[name] for name in names],
        "y": [FACTORS[name] for name in names],
        "marker": {"color": [estimator_colour(CANONICAL) if " " in n else INK for n in names]},
        "texttemplate": "%{x:.0f}%",
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{x:.1f}%<extra></extra>",
    }
    return figure(
        [bars],
        axis("% explained", range=[0, 108]),
        axis("", autorange="reversed", type="category"),
        "",
        hovermode="closest",
        margin={"l": 132, "r": 14, "t": 8, "b": 46},
    )


def _times(log2: float) -> str:
    factor = 2.0**log2
    return f"{factor:.0f}×" if factor >= 10 else f"{factor:.1f}×"


def describe_map(found: analysis.WinnerMap) -> str:
    """The map in one sentence, from its numbers."""
    ratio = found.log_ratio[found.k > 1]
    known = ratio[~np.isnan(ratio)]
    if not known.size:
        return "Nothing to compare: loo-1 and canonical differ for 1 < k < n, where rewards vary."
    loo, canonical = (known < 0).mean(), (known > 0).mean()
    return (
        f"loo-1 has less variance in {loo:.0%} of the cells (up to {_times(max(-known.min(), 0))}), "
        f"canonical in {canonical:.0%} (up to {_times(max(known.max(), 0))})."
    )
