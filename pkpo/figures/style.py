"""The palette and the parts that every figure is made of.

A k and an estimator keep their colour everywhere. Colours are told apart by colour-blind readers:
k values are Okabe and Ito's set in order, estimators Paul Tol's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pkpo.comparisons.settings import compared_field
from pkpo.config import RunConfig
from pkpo.estimators import ESTIMATORS

INK = "#6b7280"  # axes, references: readable on light and on dark
SOFT = "rgba(127, 127, 127, 0.16)"  # grid, fills

K_COLOURS = {
    1: "#0072b2",
    2: "#56b4e9",
    4: "#009e73",
    8: "#e69f00",
    16: "#d55e00",
    32: "#cc79a7",
    64: "#8c510a",
}
ESTIMATOR_COLOURS = {
    "sloo_minus_one": "#aa3377",
    "canonical": "#228833",
    "s": "#ee6677",
    "sloo": "#4477aa",
    "dial": "#b5a642",
    "mix": "#5d8a66",
    "naive": "#ee99aa",
    "naive_baselined": "#77aadd",
    "sloo_minus_one_partitioned": "#c98ac0",
    "rloo": "#33a9c9",
    "reinforce": "#999999",
    "grpo": "#ee8866",
    "dr_grpo": "#44bb99",
    "maxrl": "#994455",
    "tailrl": "#6699cc",
    "passk_training": "#9aa333",
    "lstat": "#cc7755",
    "rs_grpo": "#5566aa",
    "entropic": "#aa7733",
}
OTHER_COLOURS = ("#d6278f", "#7a5cc9", "#8a9a2b", "#5f7d8c")
"""For runs that are neither a k nor an estimator, such as annealed ones."""
TOWARDS, AWAY, NO_WEIGHT = "#3fa34d", "#9970ab", "#9aa0a6"
"""A sample's weight: its probability is raised, lowered, or left alone (ColorBrewer PRGn)."""
REWARD_COLOURS = ("#3b4f8a", "#6f7690", "#98917f", "#c9b45f", "#fdd835")
"""From the least to the greatest reward (after Cividis, without its darkest end)."""

LEGEND_BELOW = {
    "showlegend": True,
    "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
    "margin": {"l": 62, "r": 14, "t": 64, "b": 50},
}
"""Layout of a figure with its legend above."""
FONT = "Source Sans, Source Sans Pro, system-ui, sans-serif"

CHECKED = False
"""Whether Plotly checks every figure that is made, at twice the cost; the tests have it so."""

Styles = Sequence[tuple[str, str]]
"""Each run's label and colour."""


def k_colour(k: int) -> str:
    """The colour of a k everywhere; between powers of two, the mix of its neighbours."""
    if k in K_COLOURS:
        return K_COLOURS[k]
    position = min(math.log2(k), math.log2(max(K_COLOURS)))
    below = 2 ** math.floor(position)
    above = min(2 * below, max(K_COLOURS))
    return _mix(K_COLOURS[below], K_COLOURS[above], position - math.floor(position))


def estimator_colour(name: str) -> str:
    """The colour of an estimator everywhere; "dial:0.3" has the dial's.

    Estimators that somebody else registered take the spare colours in order.
    """
    key = name.partition(":")[0]
    if key in ESTIMATOR_COLOURS:
        return ESTIMATOR_COLOURS[key]
    others = [other for other in ESTIMATORS if other not in ESTIMATOR_COLOURS]
    return OTHER_COLOURS[others.index(key) % len(OTHER_COLOURS) if key in others else 0]


def reward_colour(share: float) -> str:
    """The colour of a reward that lies `share` of the way from the least to the greatest."""
    position = min(max(share, 0.0), 1.0) * (len(REWARD_COLOURS) - 1)
    below = min(int(position), len(REWARD_COLOURS) - 2)
    return _mix(REWARD_COLOURS[below], REWARD_COLOURS[below + 1], position - below)


def run_styles(configs: Sequence[RunConfig]) -> list[tuple[str, str]]:
    """A label and a colour for each of the compared runs, after what they differ in."""
    field = compared_field(configs)
    labels, colours = [], []
    for config in configs:
        schedule = config.k_schedule
        if field in ("", "schedule"):
            label, colour = (
                schedule.describe(),
                k_colour(schedule(0)) if schedule.is_constant else "",
            )
        elif field == "estimator":
            label, colour = config.estimator_entry.label, estimator_colour(config.estimator)
        else:
            label, colour = f"{field.replace('_', ' ')} = {getattr(config, field)}", ""
        labels.append(label)
        colours.append(colour)
    return list(zip(labels, distinct_colours(colours), strict=True))


def distinct_colours(wanted: Sequence[str]) -> list[str]:
    """What is drawn together in colours of its own: the first keeps what it wants, others do not.

    Args:
      wanted: as `estimator_colour` and `k_colour` have them; "" where any will do.
    """
    palette = (*OTHER_COLOURS, *K_COLOURS.values(), *ESTIMATOR_COLOURS.values())
    spare = cycle([colour for colour in palette if colour not in wanted] or palette)
    return [
        colour if colour and colour not in wanted[:place] else next(spare)
        for place, colour in enumerate(wanted)
    ]


def _mix(a: str, b: str, share: float) -> str:
    pairs = ((int(a[i : i + 2], 16), int(b[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(x + (y - x) * share):02x}" for x, y in pairs)


def fade(colour: str, alpha: float) -> str:
    """A "#rrggbb" colour, partly transparent."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {alpha})"


def axis(title: str, **more) -> dict:
    """An axis in the common style; `more` is Plotly's."""
    return {
        "title": {"text": title, "standoff": 6},
        "gridcolor": SOFT,
        "zeroline": False,
        "linecolor": INK,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": SOFT,
        **more,
    }


def figure(traces: Sequence[dict], x: dict, y: dict, title: str, **layout) -> go.Figure:
    """A figure of traces on two axes, in the common style; `layout` is Plotly's."""
    base = {
        "template": {},
        "title": {"text": title, "x": 0, "xanchor": "left", "font": {"size": 15}},
        "font": {"family": FONT, "size": 14, "color": INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 56, "r": 14, "t": 40, "b": 46},
        "hovermode": "x unified",
        "hoverlabel": {"font": {"size": 13}},
        "showlegend": False,
        "xaxis": x,
        "yaxis": y,
    }
    # One call: building a figure piece by piece costs several times as much, as does checking it.
    return go.Figure({"data": list(traces), "layout": base | layout}, _validate=CHECKED)


def line(x, y, colour: str, name: str, **more) -> dict:
    """A line; `more` is Plotly's, with `width` and `dash` for short."""
    style = {"color": colour, "width": more.pop("width", 2.5), "dash": more.pop("dash", "solid")}
    return scatter_trace(**{"x": x, "y": y, "mode": "lines", "name": name, "line": style} | more)


def scatter_trace(**options) -> dict:
    """A scatter trace."""
    return {"type": "scatter", **options}


def band(x, low, high, colour: str, **more) -> dict:
    """What lies between two curves, shaded; `more` is Plotly's."""
    return scatter_trace(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=fade(colour, 0.22),
        hoverinfo="skip",
        showlegend=False,
        **more,
    )


def split_table(table: Mapping[str, Sequence], by: str) -> list[tuple]:
    """A table's rows by the values of a column, in order of appearance: the value, and arrays."""
    column = np.array(table[by])
    arrays = {name: np.array(values) for name, values in table.items()}
    return [
        (value, {name: values[column == value] for name, values in arrays.items()})
        for value in dict.fromkeys(table[by])
    ]


LECTURE_SIZE = 18
"""Pixels that no letter falls below on a lecture hall's screen."""
LECTURE_FACTOR = 1.3


def enlarge_type(drawn: go.Figure) -> go.Figure:
    """The same figure with the type of a lecture hall, and margins that have room for it."""
    content = drawn.to_dict()
    layout = content["layout"]
    layout["font"] = {"size": 14, **layout.get("font", {})}
    _enlarge(content)
    layout["margin"] = {
        side: round(LECTURE_FACTOR * room) for side, room in layout.get("margin", {}).items()
    }
    return go.Figure(content)


def _enlarge(part: Any) -> None:
    if isinstance(part, dict):
        for name, value in part.items():
            if name.endswith("font") and isinstance(value, dict) and "size" in value:
                value["size"] = max(LECTURE_SIZE, round(LECTURE_FACTOR * value["size"]))
            _enlarge(value)
    elif isinstance(part, (list, tuple)):
        for value in part:
            _enlarge(value)
