"""One group, looked at closely: every estimator's weights, its matrix, and the subsets behind them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pkpo.estimators import ESTIMATORS, get_estimator, rho, transform

SUBSET_LIMIT = 60  # subsets that are listed one by one


@dataclass(frozen=True, slots=True)
class GroupWeights:
    """What one estimator makes of a group."""

    estimator: str
    weights: np.ndarray | None
    """`[n]`, or None where it cannot weigh this group."""
    refusal: str
    """Why not; empty otherwise."""


def weigh_group(rewards: Sequence[float], k: int, names: Sequence[str] = ()) -> list[GroupWeights]:
    """Every estimator's weights for one group (all registered ones for no names).

    Args:
      rewards: `[n]`.
      k: attempts that count; estimators that do not allow it say so instead.
      names: of estimators.
    """
    result = []
    for name in names or ESTIMATORS:
        try:
            result.append(GroupWeights(name, transform(rewards, k, name), ""))
        except ValueError as reason:
            result.append(GroupWeights(name, None, str(reason)))
    return result


def weight_matrix(estimator: str, n: int, k: int) -> np.ndarray:
    """The n x n matrix M of an estimator that is linear in the sorted rewards: w = M · sort(r).

    Column j is what a unit of the j-th smallest reward adds to every weight: the weights of the step
    (0, .., 0, 1, .., 1) that begins there, less those of the step that begins one later.

    Raises:
      ValueError: the estimator is not linear, or does not allow this n and k.
    """
    entry = get_estimator(estimator)
    if not entry.linear:
        raise ValueError(f"estimator {estimator!r} is not linear in the sorted rewards")
    steps = np.triu(np.ones((n, n)))  # row j: 0 before place j, 1 from it on
    made = np.vstack([transform(steps, k, estimator), np.zeros(n)])
    return (made[:-1] - made[1:]).T


@dataclass(frozen=True, slots=True)
class Subset:
    """One size-k subset: which samples (by place in the group), and its best reward."""

    members: tuple[int, ...]
    best: float
    without: dict[int, float]
    """Member -> the best reward of the others; absent for k = 1."""

    def gain(self, member: int) -> float:
        """What a member adds to the best of the others; all of it for k = 1."""
        return self.best - self.without.get(member, 0.0)


def list_subsets(rewards: Sequence[float], k: int) -> list[Subset]:
    """Every size-k subset of a small group.

    Raises:
      ValueError: k outside 1..n, or more than SUBSET_LIMIT subsets.
    """
    rho(rewards, k)  # checks both
    count = math.comb(len(rewards), k)
    if count > SUBSET_LIMIT:
        raise ValueError(
            f"k = {k} of n = {len(rewards)} makes {count:,} subsets; at most {SUBSET_LIMIT} are listed"
        )
    result = []
    for members in itertools.combinations(range(len(rewards)), k):
        others = {i: max(rewards[j] for j in members if j != i) for i in members} if k > 1 else {}
        result.append(Subset(members, max(rewards[i] for i in members), others))
    return result


def mean_gain(listed: Sequence[Subset], sample: int) -> float:
    """What a sample adds to the best, averaged over all subsets, its own or not.

    Its loo-1 weight (arXiv:2505.15201, Eq. 33) for k >= 2, its weight in s for k = 1.
    """
    return sum(s.gain(sample) for s in listed if sample in s.members) / len(listed)


def count_wins(n: int, k: int) -> list[int]:
    """In how many size-k subsets a sample is the best one, alone or with equals.

    Returns:
      `[n]`: by how many of the other samples are not above it; such a subset is the sample and k - 1 of
      these. All of them together are C(n, k) where no two rewards are equal.

    Raises:
      ValueError: k outside 1..n.
    """
    if not 1 <= k <= n:
        raise ValueError(f"k must be from 1 to n = {n}, got {k}")
    return [math.comb(below, k - 1) for below in range(n)]


SILENCES = ("taught", "all_wrong", "all_right", "all_equal", "all_spared")
"""What a group taught: something, or why nothing. In the last, rewards differ and every weight is 0:
each sample can be spared, as every subset holds another that is as good."""


def explain_silence(rewards: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Why groups taught nothing: all their weights are 0.

    Args:
      rewards: `[..., n]`, of one problem.
      weights: `[..., n]`, what an estimator makes of them.

    Returns:
      `[...]` whole numbers, places in `SILENCES`. all_wrong and all_right are for rewards that are 0 or
      1 throughout; groups of equal rewards are all_equal otherwise.
    """
    binary = bool(np.isin(rewards, (0.0, 1.0)).all())
    low, high = rewards.min(axis=-1), rewards.max(axis=-1)
    equal = np.where(low > 0, 2, 1) if binary else 3
    return np.where(weights.any(axis=-1), 0, np.where(low == high, equal, 4))
