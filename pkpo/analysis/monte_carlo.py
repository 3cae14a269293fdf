"""Bias, variance, mean squared error and signal-to-noise of gradient estimates, by Monte Carlo.

A *problem* (`pkpo.analysis.estimation_problems`) draws groups and knows its exact gradient. Every
estimator sees the same groups (common random numbers), so that differences are the estimators'. The
variance of a gradient with several components is the trace of its covariance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pkpo.analysis.estimation_problems import Estimates, EstimationProblem
from pkpo.estimators import get_estimator, transform
from pkpo.training.tasks.gaussian_hill import HillConfig
from toy_envs.gaussian_hill import reward_shape

Z95 = 1.959963984540054  # two-sided 95% of a normal


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalEstimate:
    """One number with its 95% confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MonteCarlo:
    """How the estimates of one estimator scatter at one n and k, from independent groups."""

    estimator: str
    n: int
    k: int
    replicates: int
    variance: IntervalEstimate
    mse: IntervalEstimate
    bias: float
    """Length of the difference between the mean estimate and the exact gradient."""
    bias_error: float
    """The length that an unbiased estimator's mean would show by chance: sqrt(variance / replicates)."""
    signal_to_noise: IntervalEstimate
    """Squared length of the exact gradient over the variance."""
    squares: np.ndarray
    """`[replicates]` squared distances from the mean estimate, for paired comparisons."""


def run_monte_carlo(
    problem: EstimationProblem,
    estimators: Sequence[str],
    n: int,
    k: int,
    replicates: int = 10_000,
    seed: int = 0,
) -> dict[str, MonteCarlo]:
    """Bias and variance of every estimator that allows this n and k, on the same groups.

    Args:
      problem: draws the groups.
      estimators: names in the registry; those that do not allow n and k are left out.
      n: samples per group.
      k: attempts that count.
      replicates: independent groups, at least 2.
      seed: of the groups; the same seed and n give the same groups.

    Raises:
      ValueError: an unknown estimator, or fewer than 2 replicates.
    """
    if replicates < 2:
        raise ValueError(f"replicates must be at least 2, got {replicates}")
    rewards, estimates_of = problem.draw(np.random.default_rng((seed, n)), replicates, n)
    exact = problem.gradient(k)
    return {
        name: _measure(name, rewards, estimates_of, exact, k)
        for name in estimators
        if k in get_estimator(name).allowed_k(n)
    }


def _measure(
    name: str, rewards: np.ndarray, estimates_of: Estimates, exact: np.ndarray, k: int
) -> MonteCarlo:
    replicates, n = rewards.shape
    estimates = estimates_of(transform(rewards, k, name))
    mean = estimates.mean(axis=0)
    squares = ((estimates - mean) ** 2).sum(axis=1)
    variance = _interval(squares, replicates / (replicates - 1))
    signal = float(exact @ exact)
    return MonteCarlo(
        estimator=name,
        n=n,
        k=k,
        replicates=replicates,
        variance=variance,
        mse=_interval(((estimates - exact) ** 2).sum(axis=1)),
        bias=float(np.linalg.norm(mean - exact)),
        bias_error=math.sqrt(variance.value / replicates),
        signal_to_noise=IntervalEstimate(
            value=_ratio(signal, variance.value),
            low=_ratio(signal, variance.high),
            high=_ratio(signal, variance.low),
        ),
        squares=squares,
    )


def _interval(values: np.ndarray, scale: float = 1.0) -> IntervalEstimate:
    """The mean of i.i.d. values, times a scale, with its 95% interval (central limit theorem)."""
    middle = float(values.mean()) * scale
    reach = Z95 * float(values.std(ddof=1)) / math.sqrt(len(values)) * scale
    return IntervalEstimate(value=middle, low=max(middle - reach, 0.0), high=middle + reach)


def _ratio(a: float, b: float) -> float:
    return a / b if b > 0 else math.inf


def variance_margin(other: MonteCarlo, best: MonteCarlo) -> IntervalEstimate:
    """How much more variance `other` has than `best`, from the same groups, with its 95% interval."""
    return _difference(other.squares - best.squares)


def _difference(values: np.ndarray) -> IntervalEstimate:
    middle = float(values.mean())
    reach = Z95 * float(values.std(ddof=1)) / math.sqrt(len(values))
    return IntervalEstimate(value=middle, low=middle - reach, high=middle + reach)


def gradient_deviation(
    config: HillConfig,
    theta: np.ndarray,
    sigma: np.ndarray,
    k: np.ndarray,
    replicates: int = 128,
) -> np.ndarray:
    """Standard deviation of single gradient estimates (by θ) at several policies of the toy problem.

    Args:
      config: n, estimator, reward shape and seed; every policy draws the same random numbers.
      theta: `[T]` policy means.
      sigma: `[T]` policy standard deviations.
      k: `[T]` the k in force.
      replicates: groups per policy; the relative standard error of the result is about
        1/sqrt(2 replicates) for estimates near normal, 6% at the default.

    Returns:
      `[T]` standard deviations.
    """
    rng = np.random.default_rng((config.seed, 2**32))  # apart from any update's stream
    z = rng.standard_normal((replicates, config.n))
    shape = reward_shape(config.shape)
    spread = np.empty(len(theta))
    for current in np.unique(k):
        rows = np.flatnonzero(k == current)
        samples = theta[rows, None, None] + sigma[rows, None, None] * z
        weights = transform(shape(samples), int(current), config.estimator)
        estimates = (weights * z).sum(-1) / sigma[rows, None]
        spread[rows] = estimates.std(axis=1, ddof=1)
    return spread
