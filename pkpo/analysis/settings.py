"""Settings of the variance lab: a problem, n and k, and the axes that curves run over."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pkpo.analysis.estimation_problems import (
    EstimationProblem,
    GaussianProblem,
    binary_problem,
    graded_problem,
)
from pkpo.estimators import ESTIMATORS, get_estimator
from pkpo.fields import check_field, setting

LOO, CANONICAL = "sloo_minus_one", "canonical"
"""The two unbiased estimators that the lab holds against each other."""

PROBLEM_KINDS = {
    "binary": "Right or wrong",
    "graded": "Four reward levels",
    "hill": "The paper's hill",
}
UNBIASED = ("s", "sloo", "sloo_minus_one", "canonical")
"""The all-subset estimators that are unbiased at every k: what the winner map compares."""
DEFAULT_ESTIMATORS = ("s", "sloo", "sloo_minus_one", "canonical", "dial:0.5", "rloo", "grpo")
AXES = {
    "n": "samples per group, n",
    "k": "attempts that count, k",
    "p": "pass rate p",
    "ways": "ways to be right",
    "theta": "θ",
    "dimension": "dimension of the policy",
}
"""What a curve or map can run over; which of them a problem has: `AnalysisSettings.axes`."""
REPLICATES = 10_000
WAYS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
DIMENSIONS = (1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisSettings:
    """The point that the lab looks at.

    Raises:
      ValueError: naming the field, its value and what is allowed.
    """

    problem: str = setting("binary", "what is sampled", choices=tuple(PROBLEM_KINDS))
    n: int = setting(16, "samples per group", low=2, high=64)
    k: int = setting(4, "attempts that count", low=1, high=64)
    p: float = setting(0.3, "pass rate", low=0.005, high=0.995)
    ways: int = setting(1, "equally likely ways to be right (to reach a level)", low=1, high=500)
    wrong: int = setting(1, "equally likely ways to be wrong", low=1, high=500)
    theta: float = setting(1.0, "the policy's mean on the hill", low=-1.0, high=2.0)
    dimension: int = setting(1, "coordinates; all but the first are nuisance", low=1, high=100)
    seed: int = setting(0, "random seed", low=0, high=2**32 - 2)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            check_field(field, getattr(self, field.name))
        if self.k > self.n:
            raise ValueError(f"k must be at most n = {self.n}, got {self.k}")

    def replace(self, **changes) -> AnalysisSettings:
        """The same settings with some changed."""
        return dataclasses.replace(self, **changes)

    @property
    def axes(self) -> tuple[str, ...]:
        """What can be varied here, of `AXES`."""
        own = {"binary": ("p", "ways"), "graded": ("ways",), "hill": ("theta", "dimension")}
        return ("k", "n", *own[self.problem])

    def make(self) -> EstimationProblem:
        """The problem at this point."""
        if self.problem == "hill":
            return GaussianProblem(self.theta, dimension=self.dimension)
        if self.problem == "graded":
            return graded_problem(self.ways)
        return binary_problem(self.p, self.ways, self.wrong)

    def along(self, axis: str) -> list[AnalysisSettings]:
        """The same settings at the values of an axis that make sense, ascending.

        Raises:
          ValueError: the problem has no such axis.
        """
        if axis not in self.axes:
            raise ValueError(f"axis must be one of {', '.join(self.axes)}, got {axis!r}")
        widest = 24 if self.problem == "graded" else 64  # as far as outcome counts reach
        values: dict[str, Sequence] = {
            "k": range(1, self.n + 1) if self.n <= 20 else spaced_whole_numbers(1, self.n),
            "n": sorted(
                {
                    n
                    for n in (*spaced_whole_numbers(2, 64), self.k, self.k + 1)
                    if max(2, self.k) <= n <= widest
                }
            ),
            "p": np.linspace(0.02, 0.98, 33).round(3).tolist(),
            "ways": WAYS,
            "theta": np.linspace(0.3, 1.3, 21).round(3).tolist(),
            "dimension": DIMENSIONS,
        }
        return [self.replace(**{axis: value}) for value in values[axis]]


def spaced_whole_numbers(low: int, high: int) -> list[int]:
    """Whole numbers from low to high, ever further apart."""
    steps = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64)
    return [step for step in steps if low <= step <= high]


def allows(estimator: str, n: int, k: int) -> bool:
    """Whether the estimator is defined for this n and k."""
    return k in get_estimator(estimator).allowed_k(n)


def check_estimators(names: Sequence[str]) -> tuple[str, ...]:
    """The names of estimators, each checked and once.

    Raises:
      ValueError: none, or one that is not registered.
    """
    if not names:
        raise ValueError(f"estimators: choose at least one of {', '.join(ESTIMATORS)}")
    for name in names:
        get_estimator(name)
    return tuple(dict.fromkeys(names))
