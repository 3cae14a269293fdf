"""How much gradient estimates scatter, by Monte Carlo."""

from __future__ import annotations

import numpy as np

from pkpo.config import RunConfig
from pkpo.estimators import transform
from toy_envs.gaussian_hill import reward_shape


def gradient_spread(
    config: RunConfig,
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
