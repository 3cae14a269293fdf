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
