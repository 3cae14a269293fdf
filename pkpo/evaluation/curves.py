"""Pass@k or max@k by k with bootstrap intervals, and two results compared problem by problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pkpo.estimators import rho
from pkpo.evaluation.files import Results

BOOTSTRAP_REPLICATES = 2000
COUNTS_HELD = 4_000_000  # of resampled problems, at once
K_SHOWN = 1024  # no k beyond this, however many samples there are


@dataclass(frozen=True, slots=True)
class Curve:
    """A quantity by k: its mean over problems, and a 95% interval from resampled problems."""

    ks: tuple[int, ...]
    mean: np.ndarray
    """`[K]`"""
    low: np.ndarray
    """`[K]`"""
    high: np.ndarray
    """`[K]`"""


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """Two results on the problems that both have."""

    problems: tuple[str, ...]
    difference: Curve
    """The second's mean minus the first's, paired problem by problem."""
    ahead: tuple[tuple[int, str], ...]
    """From which k on who is ahead: "first", "second" or "neither"; the interval excludes 0."""
    won: tuple[str, ...]
    """Problems that only the second ever solves (a reward above all of the first's)."""
    lost: tuple[str, ...]


def allowed_ks(results: Results, ks: Sequence[int] = ()) -> tuple[int, ...]:
    """The k to estimate at: those asked for, or all that every problem has samples for, to `K_SHOWN`.

    Raises:
      ValueError: a k beyond the samples of some problem.
    """
    most = results.smallest_n
    for k in ks:
        if not 1 <= k <= most:
            name = min(results.rewards, key=lambda problem: len(results.rewards[problem]))
            raise ValueError(
                f"k must be from 1 to {most}, the samples of problem {name[:40]!r}, got {k}"
            )
    return tuple(ks) or tuple(range(1, min(most, K_SHOWN) + 1))


def per_problem(results: Results, ks: Sequence[int]) -> np.ndarray:
    """Each problem's unbiased estimate of max@k (arXiv:2505.15201, Eq. 12), `[P, K]`.

    For rewards 0 and 1 that is pass@k (Eq. 3).
    """
    rows = list(results.rewards.values())
    sizes = np.array([len(x) for x in rows])
    found = np.empty((len(rows), len(ks)))
    for size in np.unique(sizes).tolist():
        here = np.flatnonzero(sizes == size)
        rewards = np.sort(np.stack([rows[i] for i in here]), axis=1)
        for column, k in enumerate(ks):
            found[here, column] = rho(rewards, k)
    return found


def estimate_curve(results: Results, ks: Sequence[int] = (), seed: int = 0) -> Curve:
    """Unbiased pass@k (max@k for other rewards) by k, its mean over problems.

    Args:
      results: the graded samples.
      ks: default all k up to the fewest samples that a problem has, and to `K_SHOWN`.
      seed: of the bootstrap.

    Raises:
      ValueError: a k beyond the samples of some problem.
    """
    ks = allowed_ks(results, ks)
    return _bootstrap(ks, per_problem(results, ks), seed)


def plug_in_curve(results: Results, ks: Sequence[int]) -> np.ndarray:
    """What 1 - (1 - c/n)^k would say of rewards 0 and 1, `[K]`: biased, too low for k > 1."""
    rates = np.array([x.mean() for x in results.rewards.values()])
    return (1 - (1 - rates[:, None]) ** np.asarray(ks)).mean(axis=0)


def coverage(results: Results, thresholds: Sequence[float]) -> np.ndarray:
    """Cover@τ (arXiv:2510.08325): the share of problems whose mean reward is τ or more, `[T]`."""
    rates = np.array([x.mean() for x in results.rewards.values()])
    return (rates[:, None] >= np.asarray(thresholds) - 1e-12).mean(axis=0)


def compare_results(
    first: Results, second: Results, ks: Sequence[int] = (), seed: int = 0
) -> PairedComparison:
    """The second against the first, on the problems that both have.

    Raises:
      ValueError: no problem in common, or a k beyond the samples of some problem.
    """
    names = tuple(name for name in first.rewards if name in second.rewards)
    if not names:
        raise ValueError("the two results must have problems in common, got none")
    both = [Results({name: found.rewards[name] for name in names}) for found in (first, second)]
    fewest = min(both, key=lambda found: found.smallest_n)
    ks = allowed_ks(fewest, ks)
    one, other = (per_problem(found, ks) for found in both)
    difference = _bootstrap(ks, other - one, seed)
    signs = np.where(difference.low > 0, 1, np.where(difference.high < 0, -1, 0))
    changes = [0, *(np.flatnonzero(np.diff(signs)) + 1).tolist()]
    words = {1: "second", -1: "first", 0: "neither"}
    best = [np.array([found.rewards[name].max() for name in names]) for found in both]
    return PairedComparison(
        problems=names,
        difference=difference,
        ahead=tuple((ks[place], words[int(signs[place])]) for place in changes),
        won=tuple(name for name, a, b in zip(names, *best, strict=True) if b > a),
        lost=tuple(name for name, a, b in zip(names, *best, strict=True) if a > b),
    )


def _bootstrap(ks: tuple[int, ...], values: np.ndarray, seed: int) -> Curve:
    """Means over problems of values `[P, K]`, with percentile intervals over resampled problems."""
    count, rng = len(values), np.random.default_rng(seed)
    at_once = max(1, COUNTS_HELD // count)
    sums = [
        rng.multinomial(count, np.full(count, 1 / count), min(at_once, BOOTSTRAP_REPLICATES - done))
        @ values
        for done in range(0, BOOTSTRAP_REPLICATES, at_once)
    ]
    low, high = np.percentile(np.concatenate(sums) / count, (2.5, 97.5), axis=0)
    return Curve(ks, values.mean(axis=0), low, high)
