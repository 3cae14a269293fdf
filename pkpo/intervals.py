"""Intervals of means over seeds and problems: Student's t, which knows how few the seeds are.

In simulations of 2 to 10 seeds and 20 to 500 problems `joint_t_interval` held the true mean in 94 to 99
of 100 cases. Satterthwaite's degrees of freedom of the sum, the usual way, held it in 87 to 98: too
seldom where two or three seeds differ more than the problems leave in doubt.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from scipy.special import nctdtrinc, stdtrit

CONFIDENCE = 0.95
"""Of the intervals."""
POWER = 0.8
"""How often a difference must be told from 0 for samples to be called enough."""
COUNTS_SEARCHED = 1_000_000
"""No more samples are counted than this."""
ROUNDED = 1e-12
"""A difference below it is rounding."""
Standing = Literal["above", "below", "undecided"]
"""How something stands to what it is compared with, as far as is known."""


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


def mean_and_error(values: Any) -> tuple[float, float]:
    """The mean and its standard error, see `mean_variances`; the error of a single value is nan.

    Args:
      values: `[S]` of seeds, `[P]` of prompts, or `[S, P]` of both; differences, if runs are compared,
        of the same seed and prompt.
    """
    values = np.asarray(values, float)
    parts = mean_variances(values, range(values.ndim))
    error = sum(part.value for part in parts) ** 0.5 if parts else np.nan
    return float(values.mean()), float(error)


def joint_t_interval(
    mean: Any, parts: Sequence[MeanVariance], confidence: float = CONFIDENCE
) -> tuple[Any, Any]:
    """Both ends of an interval that holds the mean at least as often as it says, if parts are normal.

    Every part has the t of its own degrees of freedom, and the half lengths are added as errors are, by
    their squares (Banerjee 1961, Sankhya A 23). No parts: nothing is known, and the ends are infinite.
    """
    if not parts:
        return mean - np.inf, mean + np.inf
    half = np.sqrt(
        sum(part.value * stdtrit(part.freedom, (1 + confidence) / 2) ** 2 for part in parts)
    )
    return mean - half, mean + half


def deciding_count(
    mean: float, varied: Sequence[MeanVariance], fixed: Sequence[MeanVariance] = ()
) -> int | None:
    """How many samples of a kind give `POWER` of all repeats an interval without 0.

    The true difference and the variances are taken to be as found. A part alone then needs the mean to
    be as many standard errors from 0 as gives the noncentral t that power; parts are joined as in
    `joint_t_interval`, which makes the power rather larger (in simulations .80 to .81).

    Args:
      mean: the difference.
      varied: parts that get the same number of samples, such as the seeds of two results.
      fixed: parts that stay as they are.

    Returns:
      Samples of each varied part in all, 2 or more; None where not even `COUNTS_SEARCHED` are enough.
    """

    def decides(count: int) -> bool:
        grown = [MeanVariance(p.value * (p.freedom + 1) / count, count - 1) for p in varied]
        return sum(_sure_errors(p.freedom) ** 2 * p.value for p in (*fixed, *grown)) <= mean**2

    if not varied or abs(mean) < ROUNDED or not decides(COUNTS_SEARCHED):
        return None
    return 2 + bisect_left(range(2, COUNTS_SEARCHED), True, key=decides)


@lru_cache(maxsize=4096)
def _sure_errors(freedom: int) -> float:
    """Standard errors from 0 at which `POWER` of t intervals leave 0 out."""
    return float(nctdtrinc(freedom, 1 - POWER, stdtrit(freedom, (1 + CONFIDENCE) / 2)))


def standing(low: float, high: float) -> Standing:
    """How a difference stands to 0, from both ends of its interval; undecided if 0 is within it."""
    return "above" if low > 0 else "below" if high < 0 else "undecided"


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean difference with both ends of its `CONFIDENCE` interval."""

    mean: float
    low: float
    high: float

    @classmethod
    def from_samples(cls, values: Any, tries: int = 1) -> Difference:
        """From paired differences by `joint_t_interval`; the ends are infinite where nothing is known.

        Args:
          values: `[S]` of seeds, `[P]` of prompts, or `[S, P]` of both.
          tries: so many intervals hold together as often as one does (Bonferroni).
        """
        values = np.asarray(values, float)
        mean, confidence = values.mean(), 1 - (1 - CONFIDENCE) / tries
        low, high = joint_t_interval(mean, mean_variances(values, range(values.ndim)), confidence)
        return cls(float(mean), float(low), float(high))

    @property
    def standing(self) -> Standing:
        """See `standing`."""
        return standing(self.low, self.high)
