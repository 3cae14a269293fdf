"""Charts of lessons as data: axes, and layers that the browser draws (`app/components/lesson/scene.js`).

A layer is always there, or with `after` only once the learner has answered. In a task a layer has a
picture for every place of the sliders: what moves under the hand is looked up, not computed, there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneAxis:
    """An axis of a scene."""

    title: str
    low: float = 0.0
    high: float = 1.0
    ticks: tuple[float, ...] = ()
    """Where numbers stand; evenly spaced for none."""
    names: tuple[str, ...] = ()
    """What stands at the ticks instead of numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneLayer:
    """Something that is drawn."""

    kind: Literal["line", "band", "bars", "points", "star", "rule"]
    """A line through points, a band between y and top, upright bars, dots, stars, upright rules."""
    x: Any
    """`[P]`; in a task `[P]` for all places of the sliders, or `[places, P]`."""
    y: Any = ()
    """`[P]`, or `[places, P]`; a rule has none."""
    top: Any = ()
    """The upper edge of a band, shaped like y."""
    colour: str
    name: str = ""
    """In the legend; without, it has no entry there."""
    after: bool = False
    """Only once the learner has answered."""
    dashed: bool = False
    width: float = 0.8
    """Of a bar, in units of x."""
    shift: float = 0.0
    """Of bars, to stand side by side."""
    printed: int | None = None
    """Decimals with which the values of bars and stars are printed at them; None for not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A chart."""

    title: str
    """What it shows, in a few words: its accessible name begins with it."""
    x: SceneAxis
    y: SceneAxis
    layers: tuple[SceneLayer, ...] = ()


def pack_scene(scene: Scene) -> dict[str, Any]:
    """A scene as plain data; numbers with six digits."""
    return {
        "title": scene.title,
        "x": _pack_axis(scene.x),
        "y": _pack_axis(scene.y),
        "layers": [
            {name: getattr(layer, name) for name in ("kind", "colour", "name", "after", "dashed")}
            | {name: getattr(layer, name) for name in ("width", "shift", "printed")}
            | {name: _numbers(getattr(layer, name)) for name in ("x", "y", "top")}
            for layer in scene.layers
        ],
    }


def _pack_axis(axis: SceneAxis) -> dict[str, Any]:
    ticks = axis.ticks or tuple(np.linspace(axis.low, axis.high, 6).tolist())
    return {
        "title": axis.title,
        "low": axis.low,
        "high": axis.high,
        "ticks": [float(f"{tick:.6g}") for tick in ticks],
        "names": list(axis.names),
    }


def _numbers(values: Any) -> list[Any]:
    found = np.asarray(values, float)
    rounded = np.array([float(f"{value:.6g}") for value in found.ravel()]).reshape(found.shape)
    return rounded.tolist()


def update_line(curve: Any, colour: str, name: str = "", *, after: bool = False) -> SceneLayer:
    """A line over the updates 0, 1, ...

    Args:
      curve: `[T]`, or `[places, T]`.
      colour: of the line.
      name: in the legend; without, it has no entry there.
      after: only once the learner has answered.
    """
    updates = np.arange(np.shape(curve)[-1])
    return SceneLayer(kind="line", x=updates, y=curve, colour=colour, name=name, after=after)


def named_axis(names: Sequence[str], title: str = "") -> SceneAxis:
    """An axis for bars at 0, 1, ..., each with its name below."""
    places = tuple(float(place) for place in range(len(names)))
    return SceneAxis(title=title, low=-0.6, high=len(names) - 0.4, ticks=places, names=tuple(names))


def ticks_at(values: Iterable[float]) -> tuple[float, ...]:
    """Ticks at just these values."""
    return tuple(float(value) for value in values)
