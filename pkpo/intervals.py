"""Intervals of means over seeds and problems: Student's t, which knows how few the seeds are."""

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


def t_interval(mean: Any, parts: Sequence[MeanVariance]) -> tuple[Any, Any]:
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
    half = np.sqrt(total) * stdtrit(freedom, (1 + CONFIDENCE) / 2)
    return mean - half, mean + half
