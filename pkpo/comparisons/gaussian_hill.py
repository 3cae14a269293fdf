"""The toy problem: runs on one reward shape, and everything exact around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pkpo.analysis.monte_carlo import gradient_deviation
from pkpo.comparisons.comparison import compared_k, ks_used
from pkpo.config import RunConfig
from pkpo.training.recording import Recording, RecordRuns, record_runs
from toy_envs import gaussian_hill
from toy_envs.gaussian_hill import Optimum, RewardShape

CURVE_POINTS = 221  # points of an exact curve over θ
MARKED_KS = 6  # at most so many k have their curve and optimum marked
DEVIATION_POINTS = 25  # updates at which the scatter of the gradient estimate is measured


@dataclass(frozen=True, slots=True)
class HillComparison:
    """One to four runs on the same reward, and the exact values behind them."""

    recordings: tuple[Recording, ...]
    shape: RewardShape
    theta: np.ndarray
    """`[G]` grid over which curves are drawn."""
    curves: dict[int, np.ndarray]
    """k -> exact max@k over the grid, `[G]`, for every k that a run takes; σ is the first run's."""
    landmarks: tuple[int, ...]
    """The k whose optimum is marked."""
    optima: dict[int, Optimum]
    """The best θ of every landmark."""
    compared_k: int
    """The k at which all runs are compared besides k = 1."""
    reached: tuple[np.ndarray, ...]
    """Per run, the exact max@compared_k over updates, `[T]`."""
    spread_updates: tuple[np.ndarray, ...]
    """Per run, the updates at which its gradient's scatter is known, `[U]`."""
    spread: tuple[np.ndarray, ...]
    """Per run, the standard deviation of single gradient estimates there, `[U]`."""


def compare_hills(configs: Sequence[RunConfig], record: RecordRuns = record_runs) -> HillComparison:
    """Train every config (all on the same reward shape) and gather what is exactly known.

    Args:
      configs: the runs'.
      record: gives their recordings.
    """
    recordings = record(configs)
    shape = gaussian_hill.reward_shape(recordings[0].config.shape)
    sigma = recordings[0].config.sigma
    ks, common = ks_used(recordings), compared_k([r.config for r in recordings])
    landmarks = _spread_out(sorted({1, *ks}), MARKED_KS)
    grid = np.linspace(*_window(recordings, shape), CURVE_POINTS)
    curves = gaussian_hill.exact(grid, sorted({*ks, *landmarks}), sigma, shape).value
    marks = [
        np.unique(np.linspace(0, len(r) - 1, DEVIATION_POINTS).round().astype(int))
        for r in recordings
    ]
    return HillComparison(
        recordings=recordings,
        shape=shape,
        theta=grid,
        curves=dict(zip(sorted({*ks, *landmarks}), curves, strict=True)),
        landmarks=landmarks,
        optima={k: gaussian_hill.optimum(k, sigma, shape) for k in landmarks},
        compared_k=common,
        reached=tuple(_reached(r, common) for r in recordings),
        spread_updates=tuple(marks),
        spread=tuple(
            gradient_deviation(r.config, r["theta"][at], r["sigma"][at], r["k"][at])
            for r, at in zip(recordings, marks, strict=True)
        ),
    )


def _reached(recording: Recording, k: int) -> np.ndarray:
    """The exact max@k over a run's updates, `[T]`."""
    if f"max@{k}" in recording.columns:
        return recording[f"max@{k}"]
    config = recording.config
    return gaussian_hill.exact(recording["theta"], (k,), recording["sigma"], config.shape).value[0]


def _spread_out(values: list[int], count: int) -> tuple[int, ...]:
    """At most `count` of the values, the first and last among them, even on a log scale."""
    if len(values) <= count:
        return tuple(values)
    wanted = np.geomspace(values[0], values[-1], count)
    return tuple(sorted({min(values, key=lambda v: abs(np.log(v / w))) for w in wanted}))


def _window(recordings: Sequence[Recording], shape: RewardShape) -> tuple[float, float]:
    """The stretch of the x-axis to show: the reward's support and where the policies go."""
    left, right = shape.support
    margin = 0.15 * (right - left)
    lowest = min(float(r["theta"].min()) for r in recordings)
    highest = max(float(r["theta"].max()) for r in recordings)
    width = max(right - left, 1e-6)
    return (
        max(min(left - margin, lowest - margin), left - 3 * width),
        min(max(right + margin, highest + margin), right + 3 * width),
    )
