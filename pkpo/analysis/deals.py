"""Dealing k of n samples, as one tries k times: how often is the best of them right?"""

from __future__ import annotations

import numpy as np

DEAL_LIMIT = 10_000


def deal_samples(n: int, k: int, deals: int, seed: int) -> np.ndarray:
    """The places of k different samples of n, in each of several deals.

    The first deals stay the same when more follow.

    Returns:
      `[deals, k]`, increasing along each row; every subset is equally likely.

    Raises:
      ValueError: k outside 1..n, or deals outside 0..`DEAL_LIMIT`.
    """
    if not 1 <= k <= n:
        raise ValueError(f"k must be from 1 to n = {n}, got {k}")
    if not 0 <= deals <= DEAL_LIMIT:
        raise ValueError(f"deals must be from 0 to {DEAL_LIMIT:,}, got {deals}")
    noise = np.random.default_rng((seed, n, k)).random((deals, n))
    return np.sort(np.argsort(noise, axis=1)[:, :k], axis=1)


def deals_won(right: np.ndarray, dealt: np.ndarray) -> np.ndarray:
    """`[deals]`: whether a deal holds a right sample.

    Args:
      right: `[n]`, which samples are right.
      dealt: from `deal_samples`.
    """
    won: np.ndarray = np.asarray(right, bool)[dealt].any(axis=1)
    return won
