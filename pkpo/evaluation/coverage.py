"""Cover@τ: how many problems are solved how reliably, beside what pass@k says of lucky hits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr, bdtrc, gammaln

from pkpo.evaluation.curves import K_SHOWN, mean_with_interval
from pkpo.evaluation.files import Results

DOUBT = 0.025  # chance of a count so far on one side, from which a problem counts as undecided
ROUNDING = 1e-9
CHANCES_HELD = 2_000_000  # of counts among drawn samples, at once


@dataclass(frozen=True, slots=True)
class Coverage:
    """The share of problems that are solved at least so often, by the rate τ that is asked for.

    Cover@τ (arXiv:2510.08325) is the share of problems whose pass rate p is τ or more. No function of
    n samples is unbiased for it: what can be estimated without bias are polynomials in p of degree n,
    and a step is none. So two things stand here. `mean` is unbiased for the share of problems that
    get at least τ·m of m fresh samples right (G-Pass@m, arXiv:2412.13147), which nears Cover@τ as m
    grows. `at_least` and `at_most` bracket Cover@τ itself, by the problems whose samples leave no doubt.
    """

    thresholds: tuple[float, ...]
    """The rates τ."""
    samples: int
    """The m of `mean`."""
    mean: np.ndarray
    """`[T]`"""
    low: np.ndarray
    """`[T]`, of a 95% interval, made as that of a `Curve`."""
    high: np.ndarray
    """`[T]`"""
    at_least: np.ndarray
    """`[T]`, the share of problems whose exact 95% interval lies at τ or above; mean over seeds."""
    at_most: np.ndarray
    """`[T]`, one less the share of those whose interval lies below τ."""


def estimate_coverage(
    results: Results, thresholds: Sequence[float], samples: int = 0, seed: int = 0
) -> Coverage:
    """The share of problems that are solved at least so often.

    Args:
      results: graded samples, rewards 0 and 1.
      thresholds: rates τ, over 0 and up to 1.
      samples: the m fresh samples in question; 0: the fewest that a problem has, at most `K_SHOWN`.
        Take the same for results that are compared.
      seed: of the bootstrap.

    Raises:
      ValueError: rewards other than 0 and 1, a rate outside its range, or more samples than a problem
        has.
    """
    if not results.binary:
        raise ValueError("rewards must be 0 or 1 for a pass rate, got others")
    for rate in thresholds:
        if not 0 < rate <= 1:
            raise ValueError(f"thresholds must be over 0 and up to 1, got {rate:g}")
    drawn = samples or min(results.smallest_n, K_SHOWN)
    if not 1 <= drawn <= results.smallest_n:
        raise ValueError(f"samples must be from 1 to {results.smallest_n}, got {drawn}")
    rates = np.asarray(thresholds, float)
    wanted = np.ceil(drawn * rates - ROUNDING).astype(int)
    solved, above, below = [], [], []
    for one in results.seeds:
        n = np.array([len(x) for x in one.rewards.values()])
        c = np.array([x.sum() for x in one.rewards.values()]).astype(int)
        solved.append(_chances(n, c, drawn)[:, wanted])
        more = bdtrc(c[:, None] - 1.0, n[:, None], rates)  # P(as many right or more | p = τ)
        above.append(np.where(c[:, None] == 0, 1.0, more) <= DOUBT)
        below.append(bdtr(c[:, None].astype(float), n[:, None], rates) <= DOUBT)
    mean, low, high = mean_with_interval(np.stack(solved), seed, (0.0, 1.0))
    return Coverage(
        tuple(thresholds),
        drawn,
        mean,
        low,
        high,
        np.mean(above, axis=(0, 1)),
        1 - np.mean(below, axis=(0, 1)),
    )


def _chances(n: np.ndarray, c: np.ndarray, drawn: int) -> np.ndarray:
    """Of every problem, the chance that at least j of so many samples drawn from its n are right.

    Returns:
      `[P, drawn + 1]`, by j.
    """
    pairs, place = np.unique(np.stack([n, c]), axis=1, return_inverse=True)
    j = np.arange(drawn + 1)
    found = np.empty((pairs.shape[1], drawn + 1))
    at_once = max(1, CHANCES_HELD // (drawn + 1))
    for start in range(0, pairs.shape[1], at_once):
        size, right = pairs[:, start : start + at_once, None].astype(float)
        wrong = size - right
        possible = (j <= right) & (drawn - j <= wrong)
        with np.errstate(invalid="ignore"):
            logs = (
                _log_choose(right, np.minimum(j, right))
                + _log_choose(wrong, np.clip(drawn - j, 0, wrong))
                - _log_choose(size, drawn)
            )
        chances = np.where(possible, np.exp(logs), 0.0)
        chances /= chances.sum(axis=1, keepdims=True)
        found[start : start + at_once] = chances[:, ::-1].cumsum(axis=1)[:, ::-1]
    return np.minimum(found[place.reshape(-1)], 1.0)


def _log_choose(n: np.ndarray, k: np.ndarray | int) -> np.ndarray:
    return gammaln(n + 1) - gammaln(np.asarray(k) + 1.0) - gammaln(n - k + 1)
