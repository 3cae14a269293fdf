r"""Exact bias and variance of gradient estimates on a finite bandit, by enumerating outcome counts.

A symmetric estimator's weights depend only on how often each reward level occurs in the group. Given
those counts, the samples of a level are independent draws of its arms. With $\mu_l$ the mean of the
score $\nabla\log\pi$ within level l and $\tau_l$ the mean of its squared length, the sums
$U_l = \sum_i w_i$ and $V_l = \sum_i w_i^2$ over the samples of level l give

$$E[g] = \sum_l E[U_l]\,\mu_l, \qquad
  E|g|^2 = E\Big|\sum_l U_l\,\mu_l\Big|^2 + \sum_l E[V_l]\,(\tau_l - |\mu_l|^2).$$

There are C(n+L-1, L-1) counts for L levels, whatever the number of arms: 969 for n = 16 and L = 4, where
there are four thousand million groups.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from pkpo.analysis.estimation_problems import SoftmaxProblem
from pkpo.estimators import get_estimator, transform
from pkpo.estimators.weights import pass_at_k_table

COUNT_LIMIT = 10_000  # outcome counts that are enumerated
Weigh = Callable[[np.ndarray, int], np.ndarray]
"""(rewards `[..., n]`, k) -> weights `[..., n]`: symmetric, and hashable, so that it is cached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactMoments:
    """Exact moments of one estimator's gradient estimates."""

    estimator: str
    mean: np.ndarray
    """`[arms]`, by the logits."""
    variance: float
    """The trace of the covariance."""
    problem: SoftmaxProblem
    k: int

    @property
    def gradient(self) -> np.ndarray:
        """`[arms]`, the exact gradient of max@k."""
        return self.problem.gradient(self.k)

    @property
    def bias(self) -> float:
        """Length of the difference between mean and gradient."""
        return float(np.linalg.norm(self.mean - self.gradient))

    @property
    def mse(self) -> float:
        """Mean squared distance from the exact gradient."""
        return self.variance + self.bias**2

    @property
    def signal_to_noise(self) -> float:
        """Squared length of the exact gradient over the variance."""
        gradient = self.gradient
        signal = float(gradient @ gradient)
        return signal / self.variance if self.variance > 0 else math.inf


def can_enumerate(estimator: str | Weigh, n: int, levels: int) -> bool:
    """Whether this estimator can be enumerated at this group size and number of reward levels."""
    counts = math.comb(n + levels - 1, levels - 1)
    symmetric = get_estimator(estimator).symmetric if isinstance(estimator, str) else True
    return symmetric and counts <= COUNT_LIMIT


def enumerate_outcomes(
    problem: SoftmaxProblem, estimator: str | Weigh, n: int, k: int, centre: bool = False
) -> ExactMoments:
    """Exact mean and variance of one estimator's gradient estimates.

    Args:
      problem: a softmax policy at one prompt.
      estimator: its name, or a function that weighs; it must be symmetric in the samples.
      n: samples per group.
      k: attempts that count.
      centre: subtract the group's mean from the weights, as a trainer may do again.

    Raises:
      ValueError: an estimator that is not symmetric or does not allow n and k, or too many counts.
    """
    known = _levels(problem)
    if not can_enumerate(estimator, n, len(known.levels)):
        raise ValueError(
            f"estimator {estimator!r} with n = {n} and {len(known.levels)} reward levels cannot be "
            f"enumerated: it must be symmetric, with at most {COUNT_LIMIT} outcome counts"
        )
    counts, ways, sums, squares = _level_sums(estimator, n, k, known.levels, centre)
    chance = np.exp(ways + counts @ known.log_mass)  # [C], sums to 1
    mean = (chance @ sums) @ known.scores
    across = chance @ ((sums @ known.gram) * sums).sum(axis=1)
    noise = (chance @ squares) @ (known.lengths - np.diag(known.gram))
    return ExactMoments(
        estimator=str(estimator),
        mean=mean,
        variance=max(float(across + noise - mean @ mean), 0.0),
        problem=problem,
        k=k,
    )


@dataclass(frozen=True, slots=True)
class _Levels:
    """A problem's arms, gathered by reward."""

    levels: tuple[float, ...]
    log_mass: np.ndarray
    """`[L]` log probability of each level."""
    scores: np.ndarray
    """`[L, arms]` mean of ∇log π = e_a - π within each level."""
    lengths: np.ndarray
    """`[L]` mean of its squared length."""
    gram: np.ndarray
    """`[L, L]` inner products of `scores`."""


@functools.lru_cache(maxsize=256)
def _levels(problem: SoftmaxProblem) -> _Levels:
    chances = np.array(problem.probabilities)
    levels, level = np.unique(problem.rewards, return_inverse=True)
    mass = np.bincount(level, chances)
    within = np.zeros((levels.size, chances.size))
    within[level, np.arange(chances.size)] = chances
    within /= mass[:, None]
    scores = within - chances
    lengths = 1 - 2 * within @ chances + chances @ chances
    return _Levels(tuple(levels.tolist()), np.log(mass), scores, lengths, scores @ scores.T)


@functools.lru_cache(maxsize=4096)
def _level_sums(
    estimator: str | Weigh, n: int, k: int, levels: tuple[float, ...], centre: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Counts `[C, L]`, log of how many groups have each, and sums of w and of w² by level `[C, L]`."""
    counts, ways = _counts(n, len(levels))
    rewards = np.repeat(np.tile(levels, len(counts)), counts.ravel()).reshape(-1, n)  # sorted
    if isinstance(estimator, str):
        weights = transform(rewards, k, estimator)
    else:
        weights = estimator(rewards, k)
    if centre:
        weights = weights - weights.mean(axis=1, keepdims=True)
    ends = np.pad(np.cumsum(counts, axis=1), ((0, 0), (1, 0)))

    def by_level(values: np.ndarray) -> np.ndarray:
        totals = np.pad(np.cumsum(values, axis=1), ((0, 0), (1, 0)))
        return np.diff(np.take_along_axis(totals, ends, axis=1), axis=1)

    return counts, ways, by_level(weights), by_level(weights**2)


@functools.lru_cache(maxsize=128)
def _counts(n: int, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """Every way to share n samples among levels, `[C, L]` (stars and bars), and log multinomials."""
    places = n + levels - 1
    bars = np.array(list(itertools.combinations(range(places), levels - 1)), int)
    edges = np.pad(bars, ((0, 0), (1, 1)), constant_values=((0, 0), (-1, places)))
    counts = np.diff(edges, axis=1) - 1
    return counts, gammaln(n + 1) - gammaln(counts + 1).sum(axis=1)


# --- The value estimate -------------------------------------------------------------------------


def rho_variance(n: int, k: Sequence[int], p: np.ndarray) -> np.ndarray:
    """Exact variance of ρ(n, c, k), c ~ Binomial(n, p), for 0/1 rewards (arXiv:2505.15201, Eq. 3).

    Args:
      n: samples.
      k: attempts kept, each 1 <= k <= n.
      p: `[P]` pass rates in (0, 1).

    Returns:
      `[len(k), P]`

    Raises:
      ValueError: a k outside 1..n.
    """
    _check_ks(k, n)
    p = np.asarray(p, float)
    c = np.arange(n + 1)
    ways = gammaln(n + 1) - gammaln(c + 1) - gammaln(n - c + 1)
    chance = np.exp(ways[:, None] + c[:, None] * np.log(p) + (n - c)[:, None] * np.log1p(-p))
    value = np.array([pass_at_k_table(n, attempts, n) for attempts in k])  # [K, n+1]
    mean = -np.expm1(np.asarray(k)[:, None] * np.log1p(-p))  # pass@k
    return np.einsum("cp,kcp->kp", chance, (value[:, :, None] - mean[:, None, :]) ** 2)


def rho_variance_asymptote(n: int, k: Sequence[int], p: np.ndarray) -> np.ndarray:
    """What it tends to as n grows: k² p (1-p)^(2k-1) / n (Corollary 3); as `rho_variance`."""
    _check_ks(k, n)
    p, ks = np.asarray(p, float), np.asarray(k)[:, None]
    return ks**2 * p * (1 - p) ** (2 * ks - 1) / n


def _check_ks(k: Sequence[int], n: int) -> None:
    if not k or not all(1 <= attempts <= n for attempts in k):
        raise ValueError(f"k must hold values from 1 to n = {n}, got {list(k)}")
