"""The winner map: which unbiased estimator has the least variance where, and what explains it."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from pkpo.analysis.enumeration import enumerate_outcomes
from pkpo.analysis.estimation_problems import GaussianProblem, SoftmaxProblem, binary_problem
from pkpo.analysis.group_weights import weight_matrix
from pkpo.analysis.monte_carlo import Z95
from pkpo.analysis.settings import (
    REPLICATES,
    UNBIASED,
    AnalysisSettings,
    allows,
    spaced_whole_numbers,
)
from toy_envs.gaussian_hill import reward_shape


@dataclass(frozen=True, slots=True)
class WinnerMap:
    """Variances of the unbiased estimators over k and one other axis."""

    axis: str
    x: np.ndarray
    """`[X]`"""
    k: np.ndarray
    """`[K]`"""
    variances: dict[str, np.ndarray]
    """By estimator, `[K, X]`; nan where it does not allow n and k."""
    decided: np.ndarray
    """`[K, X]`: exact, or the difference between loo-1 and canonical is beyond its 95% interval."""

    @property
    def log_ratio(self) -> np.ndarray:
        """`[K, X]` log2 of loo-1's variance over canonical's; nan where one is missing or both are 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log2(self.variances["sloo_minus_one"] / self.variances["canonical"])


def compute_winner_map(settings: AnalysisSettings, axis: str) -> WinnerMap:
    """The variances over k (all values up to n) and an axis other than k.

    Raises:
      ValueError: the problem has no such axis.
    """
    points = settings.replace(k=1).along(axis)
    x = np.array([getattr(point, axis) for point in points])
    ks = np.array([point.k for point in points[-1].along("k")])
    if axis == "n":  # every k that fits the widest group
        ks = np.array(spaced_whole_numbers(1, int(x.max())))
    shape = (ks.size, x.size)
    variances = {name: np.full(shape, np.nan) for name in UNBIASED}
    decided = np.ones(shape, bool)
    for column, point in enumerate(points):
        rows = np.flatnonzero(ks <= point.n)
        allowed = ks[rows].tolist()
        found, sure = _variances(point, allowed)
        for name in UNBIASED:
            variances[name][rows, column] = found[name]
        decided[rows, column] = sure
    return WinnerMap(axis, x, ks, variances, decided)


def _variances(point: AnalysisSettings, ks: list[int]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Each unbiased estimator's variance at every k, and where loo-1 and canonical surely differ."""
    problem = point.make()
    if isinstance(problem, SoftmaxProblem):
        found = {
            name: np.array(
                [
                    enumerate_outcomes(problem, name, point.n, k).variance
                    if allows(name, point.n, k)
                    else np.nan
                    for k in ks
                ]
            )
            for name in UNBIASED
        }
        return found, np.ones(len(ks), bool)
    return _measured(point, ks)


def _measured(point: AnalysisSettings, ks: list[int]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The same on the hill, from one set of groups for all k: w = M · sorted rewards.

    Scores of the nuisance coordinates are independent of the rewards: each adds E|w|²/σ².
    """
    one = GaussianProblem(point.theta)
    rng = np.random.default_rng((point.seed, point.n))
    z = rng.standard_normal((REPLICATES // 2, point.n))
    rewards = reward_shape(one.shape)(point.theta + one.sigma * z)
    order = np.argsort(rewards, axis=1)
    rewards, z = np.take_along_axis(rewards, order, 1), np.take_along_axis(z, order, 1)
    found = {name: np.full(len(ks), np.nan) for name in UNBIASED}
    decided = np.ones(len(ks), bool)
    for place, k in enumerate(ks):
        squares = {}
        for name in UNBIASED:
            if not allows(name, point.n, k):
                continue
            weights = rewards @ weight_matrix(name, point.n, k).T
            estimates = (weights * z).sum(axis=1)
            spread = (estimates - estimates.mean()) ** 2
            if point.dimension > 1:
                spread += (point.dimension - 1) * (weights**2).sum(axis=1)
            squares[name] = spread / one.sigma**2
            found[name][place] = squares[name].sum() / (len(spread) - 1)
        if "canonical" in squares:
            gap = squares["sloo_minus_one"] - squares["canonical"]
            reach = Z95 * gap.std(ddof=1) / math.sqrt(gap.size)
            decided[place] = abs(gap.mean()) > reach
    return found, decided


# --- What explains it ------------------------------------------------------------------------------

WINNER_GRID: dict[str, tuple] = {
    "p": (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97),
    "k": (2, 3, 4, 6, 8, 12, 16, 24),
    "n": (8, 16, 32, 64),
    "ways": (1, 2, 3, 5, 10, 50, 500),
    "wrong": (1, 5, 50),
}
"""Right-or-wrong problems on which the explanation rests; k < n."""
RULE_THRESHOLD = 0.8
"""The rule's threshold for k · p."""


@dataclass(frozen=True, slots=True)
class WinnerExplanation:
    """How well each factor, alone, predicts log2 of loo-1's variance over canonical's; and rules."""

    cells: int
    shares: dict[str, float]
    """Explained share of the variance of that logarithm, by factor or "p and ways"."""
    costs: dict[str, tuple[float, float]]
    """By rule: mean and worst factor of variance paid for not knowing which one is better."""


def explain_winner() -> WinnerExplanation:
    """Take the exact winner apart over `WINNER_GRID`."""
    rows, logs = [], []
    for p, ways, wrong in itertools.product(
        WINNER_GRID["p"], WINNER_GRID["ways"], WINNER_GRID["wrong"]
    ):
        problem = binary_problem(p, ways, wrong)
        for k, n in itertools.product(WINNER_GRID["k"], WINNER_GRID["n"]):
            if k < n:
                loo, canonical = (
                    enumerate_outcomes(problem, name, n, k).variance
                    for name in ("sloo_minus_one", "canonical")
                )
                rows.append((p, k, n, ways, wrong))
                logs.append(math.log2(loo / canonical))
    factors, y = np.array(rows), np.array(logs)

    def share(*columns: int) -> float:
        _, group = np.unique(factors[:, columns], axis=0, return_inverse=True)
        group = group.ravel()
        means = np.bincount(group, y) / np.bincount(group)
        return float(1 - ((y - means[group]) ** 2).mean() / y.var())

    def cost(canonical: np.ndarray) -> tuple[float, float]:
        paid = 2 ** np.where(canonical, np.maximum(-y, 0), np.maximum(y, 0))
        return float(paid.mean()), float(paid.max())

    p, k, _, ways, _ = factors.T
    return WinnerExplanation(
        cells=y.size,
        shares={name: share(place) for place, name in enumerate(WINNER_GRID)}
        | {"p and ways": share(0, 3), "p, k and ways": share(0, 1, 3)},
        costs={
            "always loo-1": cost(np.zeros(y.size, bool)),
            "always canonical": cost(np.ones(y.size, bool)),
            "the rule": cost((ways > 1) | (k * p < RULE_THRESHOLD)),
        },
    )
