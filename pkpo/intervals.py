"""Intervals of means over seeds and problems: Student's t, which knows how few the seeds are.

Two ways to join what seeds and problems add to the variance. `satterthwaite_interval` estimates the
degrees of freedom of the sum; of two or three seeds that differ more than the problems leave in doubt it
holds the truth in 87 to 93 of 100 cases, not 95. `joint_t_interval` held it in 94 to 99 of 100 in every
case tried, and is longer: by up to a third at three seeds, a tenth at five, more than twice at two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

CONFIDENCE = 0.95
"""Of the intervals."""


@dataclass(frozen=True, slots=True)
class MeanVariance:
    """The variance of a mean, as far as one kind of sample causes it."""

    value: Any
    """A scalar, or an array of the means' shape."""
    freedom: int
    """Its degrees of freedom: one less than the samples."""


def mean_variances(values: np.ndarray, axes: Sequence[int]) -> list[MeanVariance]:
    """What each kind of sample adds to the variance of the mean over all of them.

    What is due to no kind alone, such as the noise of a seed on a problem, is counted with each, so
    that the sum is rather too large than too small.

    Args:
      values: any shape.
      axes: those of the samples, such as (0, 1) of `[seeds, problems, ...]`; of a kind with one sample
        alone nothing is known, and it is left out.
    """
    return [
        MeanVariance(
            values.mean(axis=tuple(other for other in axes if other != axis), keepdims=True)
            .var(axis=axis, ddof=1, keepdims=True)
            .squeeze(tuple(axes))
            / values.shape[axis],
            values.shape[axis] - 1,
        )
        for axis in axes
        if values.shape[axis] > 1
    ]


def satterthwaite_interval(mean: Any, parts: Sequence[MeanVariance]) -> tuple[Any, Any]:
    """Both ends of the interval of a mean whose variance has these parts, of independent samples.

    The sum of the parts has Satterthwaite's degrees of freedom, so that three seeds that differ much
    count as three. No parts: nothing is known, and the ends are infinite.
    """
    if not parts:
        return mean - np.inf, mean + np.inf
    total = sum(part.value for part in parts)
    squares = sum(part.value**2 / part.freedom for part in parts)
    known = squares > 0
    freedom = np.where(known, total**2 / np.where(known, squares, 1.0), 1.0)
    half = np.sqrt(total) * _quantile(freedom)
    return mean - half, mean + half


def joint_t_interval(mean: Any, parts: Sequence[MeanVariance]) -> tuple[Any, Any]:
    """Both ends of an interval that holds the mean at least as often as it says, if parts are normal.

    Every part has the t of its own degrees of freedom, and the half lengths are added as errors are, by
    their squares (Banerjee 1961, Sankhya A 23). No parts: nothing is known, and the ends are infinite.
    """
    if not parts:
        return mean - np.inf, mean + np.inf
    half = np.sqrt(sum(part.value * _quantile(part.freedom) ** 2 for part in parts))
    return mean - half, mean + half


def _quantile(freedom: Any) -> Any:
    return stdtrit(freedom, (1 + CONFIDENCE) / 2)
