"""The variance lab's figures, and what they say in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from pkpo import analysis
from pkpo.analysis.enumeration import rho_variance, rho_variance_asymptote
from pkpo.analysis.monte_carlo import variance_margin
from pkpo.analysis.settings import CANONICAL, LOO
from pkpo.estimators import get_estimator
from pkpo.figures.style import (
    FONT,
    INK,
    OTHER_COLOURS,
    SOFT,
    axis,
    band,
    estimator_colour,
    fade,
    figure,
    k_colour,
    line,
    scatter_trace,
)

REACH = 3.0  # the map's colours end at 2^3 times
NEUTRAL = "#eceef1"
LEGEND_ABOVE = {
    "showlegend": True,
    "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
    "margin": {"l": 66, "r": 14, "t": 64, "b": 50},
}
MEASURES = {
    "variance": "variance of one estimate",
    "mse": "mean squared error of one estimate",
    "bias": "length of the bias",
    "signal_to_noise": "signal-to-noise: |gradient|² / variance",
    "ratio": "variance over that of the best unbiased one shown",
}


def objective_of(name: str) -> str:
    """What an estimator's expected direction is the gradient of, where known."""
    if name == analysis.CENTRED_AGAIN:
        return "max@k, less the mean weight: biased"
    return get_estimator(name).optimises


def estimator_label(name: str) -> str:
    """An estimator's label, also of those that only the lab knows."""
    return name if name == analysis.CENTRED_AGAIN else get_estimator(name).label


def _colour(name: str) -> str:
    return OTHER_COLOURS[1] if name == analysis.CENTRED_AGAIN else estimator_colour(name)


# --- The winner map -------------------------------------------------------------------------------


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


# --- Curves ---------------------------------------------------------------------------------------


def plot_curves(points: Sequence[analysis.CurvePoint], axis_name: str, measure: str) -> go.Figure:
    """One measure of every estimator along an axis; exact as lines, measured as points."""
    best = _best(points)
    traces = []
    for name in dict.fromkeys(point.estimator for point in points):
        mine = [point for point in points if point.estimator == name]
        x = [point.x for point in mine]
        rows = [_read(point, measure, best) for point in mine]
        value, low, high, exact = (np.array(column) for column in zip(*rows, strict=True))
        known = not np.isnan(exact).all()
        traces.append(band(x, low, high, _colour(name), legendgroup=name))
        if known:
            traces.append(
                line(
                    x,
                    exact,
                    _colour(name),
                    estimator_label(name),
                    legendgroup=name,
                    hovertemplate="%{y:.4g}",
                )
            )
        traces.append(
            line(
                x,
                value,
                _colour(name),
                f"{estimator_label(name)}, measured" if known else estimator_label(name),
                mode="markers" if known else "lines+markers",
                marker={"size": 6, "color": _colour(name), "opacity": 0.75},
                hovertemplate="%{y:.4g}",
                legendgroup=name,
                showlegend=not known,
                meta={"estimator": name},
            )
        )
    log = axis_name in ("n", "ways", "dimension")
    return figure(
        traces,
        axis(
            analysis.AXES[axis_name],
            type="log" if log else "linear",
            **({"tickvals": sorted({p.x for p in points})[::2]} if log else {}),
        ),
        axis(MEASURES[measure], type="log", exponentformat="power", nticks=8),
        "",
        **LEGEND_ABOVE,
    )


def _best(points: Sequence[analysis.CurvePoint]) -> dict[float, analysis.CurvePoint]:
    """At every x the unbiased estimator with the least variance."""
    result: dict[float, analysis.CurvePoint] = {}
    for point in points:
        if get_estimator(point.estimator).unbiased:
            other = result.get(point.x)
            if other is None or _variance(point) < _variance(other):
                result[point.x] = point
    return result


def _variance(point: analysis.CurvePoint) -> float:
    return point.exact.variance if point.exact else point.measured.variance.value


def _read(
    point: analysis.CurvePoint, measure: str, best: dict[float, analysis.CurvePoint]
) -> tuple[float, float, float, float]:
    """Value, ends of its 95% interval, and exact value; nan where there is none (or 0, on a log)."""
    found, exact = point.measured, point.exact
    if measure == "ratio":
        if point.x not in best:
            return (np.nan,) * 4
        unit, other = best[point.x].measured, best[point.x].exact
        gap, size = variance_margin(found, unit), unit.variance.value  # paired: the same groups
        true = exact.variance / other.variance if exact and other and other.variance > 0 else np.nan
        if size == 0:
            return np.nan, np.nan, np.nan, true
        return 1 + gap.value / size, max(1 + gap.low / size, 1e-3), 1 + gap.high / size, true
    if measure == "bias":
        reach = 2 * found.bias_error
        low, high = max(found.bias - reach, found.bias / 4), found.bias + reach
        return found.bias, low, high, exact.bias if exact and exact.bias > 1e-12 else np.nan
    m = getattr(found, measure)
    return m.value, m.low, m.high, getattr(exact, measure) if exact else np.nan


def describe_curves(points: Sequence[analysis.CurvePoint], axis_name: str) -> str:
    """Who has the least variance along the axis, from the numbers."""
    best = _best(points)
    if not best:
        return "None of these is unbiased for max@k: less variance buys a bias."
    stretches: list[list] = []
    for x in sorted(best):
        name = best[x].estimator
        if stretches and stretches[-1][0] == name:
            stretches[-1][2] = x
        else:
            stretches.append([name, x, x])
    spans = [
        f"{estimator_label(name)} " + (f"at {a:g}" if a == b else f"from {a:g} to {b:g}")
        for name, a, b in stretches[:5]
    ]
    more = "; ..." if len(stretches) > 5 else "."
    along = f"Least variance among the unbiased ones, over {analysis.AXES[axis_name]}: "
    return along + "; ".join(spans) + more


# --- The dial -------------------------------------------------------------------------------------


def plot_dial(found: analysis.DialVariance, alpha: float) -> go.Figure:
    """The variance over α, the two ends, the minimum, and where the slider stands."""
    middle = found.best if np.isfinite(found.best) else 0.5
    reach = max(1.25, abs(middle - 0.5) + 0.75)
    x = np.linspace(min(0.5 - reach, alpha), max(0.5 + reach, alpha), 121)
    traces = [
        line(x, found.variance(x), estimator_colour("dial"), "dial", hovertemplate="%{y:.4g}")
    ]
    marks = [(0.0, LOO, "circle"), (1.0, CANONICAL, "circle")]
    for at, name, symbol in marks:
        traces.append(
            _mark(at, found.variance(at), estimator_label(name), estimator_colour(name), symbol)
        )
    if np.isfinite(found.best):
        traces.append(
            _mark(
                found.best,
                found.variance(found.best),
                "least",
                estimator_colour("dial"),
                "star",
                15,
            )
        )
    traces.append(_mark(alpha, found.variance(alpha), "the slider", INK, "diamond", 11))
    return figure(
        traces,
        axis("α: 0 is loo-1, 1 is canonical"),
        axis("variance of one estimate", rangemode="tozero"),
        "",
        **LEGEND_ABOVE,
    )


def describe_dial(found: analysis.DialVariance, alpha: float) -> str:
    """The variance at the slider, and where it is least."""
    here = f"At α = {alpha:.2f} the variance is {found.variance(alpha):.4g}. "
    if not np.isfinite(found.best):
        return here + "α has no effect at this point."
    gain = f"{found.gain:.2f} times less than the better end"
    return here + f"Least at α = {found.best:.2f}: {gain}."


def _mark(x: float, y: float, name: str, colour: str, symbol: str, size: int = 12) -> dict:
    style = {
        "symbol": symbol,
        "size": size,
        "color": colour,
        "line": {"width": 1, "color": "white"},
    }
    return scatter_trace(
        x=[x],
        y=[y],
        mode="markers",
        name=name,
        marker=style,
        hovertemplate="%{y:.4g} at α = %{x:.2f}",
    )


def plot_best_dials(
    x: np.ndarray, found: Sequence[analysis.DialVariance], axis_name: str
) -> go.Figure:
    """The best α along an axis, between the two published ends."""
    log = axis_name in ("n", "ways", "dimension")
    ends = [
        line(
            x[[0, -1]], [at, at], estimator_colour(name), estimator_label(name), dash="dot", width=1.5,
            hoverinfo="skip",
        )
        for at, name in ((0, LOO), (1, CANONICAL))
    ]  # fmt: skip
    best = line(
        x,
        [d.best for d in found],
        estimator_colour("dial"),
        "best α",
        mode="lines+markers",
        customdata=[d.gain for d in found],
        hovertemplate="α = %{y:.2f}, %{customdata:.2f}× less than the better end",
    )
    return figure(
        [*ends, best],
        axis(analysis.AXES[axis_name], type="log" if log else "linear"),
        axis("best α", range=[-2.2, 2.2]),
        "",
        **LEGEND_ABOVE,
    )


# --- Single estimates -----------------------------------------------------------------------------


def plot_cloud(found: dict[str, np.ndarray]) -> go.Figure:
    """Single estimates along the exact gradient, one dot each, with mean and standard deviation."""
    away = np.abs(np.concatenate(list(found.values())) - 1)
    width = 1.1 * float(np.quantile(away, 0.98)) or 1.0
    traces = []
    for row, (name, values) in enumerate(found.items()):
        mean, sd = float(values.mean()), float(values.std(ddof=1))
        lift = np.random.default_rng(row).uniform(-0.3, 0.3, values.size)  # only to part the dots
        traces.append(
            scatter_trace(
                x=values,
                y=row + lift,
                mode="markers",
                marker={"size": 4, "color": _colour(name), "opacity": 0.3},
                name=estimator_label(name),
                hovertemplate="%{x:.3f}<extra></extra>",
                meta={"estimator": name},
            )
        )
        traces.append(
            scatter_trace(
                x=[mean],
                y=[row],
                mode="markers",
                marker={
                    "symbol": "diamond",
                    "size": 14,
                    "color": _colour(name),
                    "line": {"width": 2, "color": "white"},
                },
                error_x={"type": "data", "array": [sd], "color": INK, "thickness": 2.5, "width": 8},
                name=estimator_label(name),
                hovertemplate=f"mean {mean:.3f}, s.d. {sd:.3f}<extra></extra>",
            )
        )
    rule = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
    return figure(
        traces,
        axis("along the exact gradient<br>(1: the truth)", range=[1 - width, 1 + width]),
        axis(
            "",
            range=[len(found) - 0.5, -0.5],
            tickvals=list(range(len(found))),
            ticktext=[estimator_label(name) for name in found],
        ),
        "",
        hovermode="closest",
        shapes=[
            rule | {"x0": 1, "x1": 1, "line": {"color": INK, "width": 2, "dash": "dash"}},
            rule | {"x0": 0, "x1": 0, "line": {"color": SOFT, "width": 2}},
        ],
        margin={"l": 150, "r": 14, "t": 12, "b": 64},
    )


def describe_cloud(found: dict[str, np.ndarray]) -> str:
    """Mean and scatter of each, in words."""
    parts = [
        f"{estimator_label(name)}: mean {values.mean():.2f}, s.d. {values.std(ddof=1):.2f}"
        for name, values in found.items()
    ]
    return "; ".join(parts) + "."


# --- Budget, targets, value -------------------------------------------------------------------------


def plot_budget(found: analysis.SampleBudget) -> go.Figure:
    """An update's variance over the group size; solid: prompts alike, dashed: prompts that differ."""
    traces = []
    for name in found.same:
        for values, dash, what in (
            (found.same[name], "solid", "alike"),
            (found.mixed[name], "dash", "mixed"),
        ):
            traces.append(
                line(
                    found.n,
                    values,
                    _colour(name),
                    estimator_label(name) if what == "alike" else f"{estimator_label(name)}, mixed",
                    dash=dash,
                    mode="lines+markers",
                    marker={"size": 7, "color": _colour(name)},
                    hovertemplate="%{y:.4g}",
                    legendgroup=name,
                    showlegend=what == "alike",
                )
            )
    return figure(
        traces,
        axis("samples per prompt, n", type="log", tickvals=found.n.tolist()),
        axis("variance of an update's gradient", type="log", dtick=1, exponentformat="power"),
        "",
        **LEGEND_ABOVE,
    )


def describe_budget(found: analysis.SampleBudget, k: int) -> str:
    """The best split of each kind, over the estimators shown."""
    words = []
    for values, what in ((found.same, "prompts alike"), (found.mixed, "pass rates that differ")):
        ends = [
            (float(curve[place]), name, int(found.n[place]))
            for name, curve in values.items()
            for place in range(found.n.size)
            if not np.isnan(curve[place])
        ]
        if not ends:
            return f"No split of {found.total} samples allows k = {k}."
        variance, name, n = min(ends)
        words.append(
            f"with {what}, {found.total // n} × n = {n} ({estimator_label(name)}, {variance:.3g})"
        )
    return (
        f"Best split of {found.total} samples, as prompts × n, for k = {k}: "
        + "; ".join(words)
        + "."
    )


def plot_cosines(found: Sequence[analysis.ExpectedDirection]) -> go.Figure:
    """Each expected direction's cosine with the gradient of max@k, for every k."""
    return _targets(found, "cosine", axis("cosine with ∇max@k", range=[0, 1.04]))


def plot_scales(found: Sequence[analysis.ExpectedDirection]) -> go.Figure:
    """Each expected direction's component along the gradient of max@k, in units of its length."""
    return _targets(found, "scale", axis("scale: 1 is unbiased", rangemode="tozero"))


def _targets(found: Sequence[analysis.ExpectedDirection], column: str, y: dict) -> go.Figure:
    traces = [
        line(
            np.arange(1, len(target.cosine) + 1),
            getattr(target, column),
            _colour(target.estimator),
            estimator_label(target.estimator),
            mode="lines+markers",
            dash="dash" if target.estimator == "tailrl" else "solid",
            marker={"size": 6, "color": _colour(target.estimator)},
            hovertemplate="%{y:.3f}",
        )
        for target in found
    ]
    return figure(traces, axis("k of max@k", nticks=10), y, "", **LEGEND_ABOVE)


def plot_value_variance(n: int, ks: Sequence[int]) -> go.Figure:
    """The variance of ρ(n, c, k) over the pass rate: exact, and Corollary 3's asymptote."""
    p = np.linspace(0.01, 0.99, 99)
    exact, asymptote = rho_variance(n, ks, p), rho_variance_asymptote(n, ks, p)
    traces = []
    for k, true, far in zip(ks, exact, asymptote, strict=True):
        traces.append(line(p, true, k_colour(k), f"k = {k}, exact", hovertemplate="%{y:.4g}"))
        traces.append(
            line(
                p,
                far,
                k_colour(k),
                f"k = {k}, Corollary 3",
                dash="dot",
                width=1.5,
                hovertemplate="%{y:.4g}",
            )
        )
    top = float(max(exact.max(), asymptote.max()))
    return figure(
        traces,
        axis("pass rate p"),
        axis(f"variance of ρ({n}, c, k)", range=[0, 1.05 * top]),
        "",
        **LEGEND_ABOVE,
    )
