"""Mixtures of loo-1 and canonical (the estimators dial:ALPHA): which has the least variance?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pkpo.analysis.enumeration import enumerate_outcomes
from pkpo.analysis.estimation_problems import SoftmaxProblem
from pkpo.analysis.monte_carlo import run_monte_carlo
from pkpo.analysis.settings import AnalysisSettings, allows
from pkpo.analysis.variance_curves import group_count


@dataclass(frozen=True, slots=True)
class DialVariance:
    """The variance of the dial over its α: exactly a parabola."""

    at_zero: float
    """The variance of loo-1 (α = 0)."""
    at_one: float
    """The variance of canonical (α = 1)."""
    curvature: float
    """The coefficient of α²."""

    def variance(self, alpha):
        """The variance at α."""
        linear = self.at_one - self.at_zero - self.curvature
        return self.at_zero + linear * alpha + self.curvature * alpha**2

    @property
    def best(self) -> float:
        """The α with the least variance; nan where α has no effect."""
        if not self.curvature > 1e-12 * max(self.at_zero, self.at_one):
            return math.nan
        return (self.curvature - (self.at_one - self.at_zero)) / (2 * self.curvature)

    @property
    def gain(self) -> float:
        """The variance of the better end over that of the best α."""
        if math.isnan(self.best):
            return 1.0
        least = self.variance(self.best)
        return min(self.at_zero, self.at_one) / least if least > 0 else math.inf


def dial_variance(settings: AnalysisSettings) -> DialVariance:
    """How the variance depends on the dial's α at this point; on the hill from the same groups.

    Raises:
      ValueError: k = n, where the dial does not exist.
    """
    names = ("sloo_minus_one", "dial:0.5", "canonical")
    if not allows("dial:0.5", settings.n, settings.k):
        raise ValueError(f"k must be below n = {settings.n} for the dial, got {settings.k}")
    problem = settings.make()
    if isinstance(problem, SoftmaxProblem):
        low, middle, high = (
            enumerate_outcomes(problem, name, settings.n, settings.k).variance for name in names
        )
    else:
        found = run_monte_carlo(
            problem, names, settings.n, settings.k, group_count(settings), settings.seed
        )
        low, middle, high = (found[name].variance.value for name in names)
    return DialVariance(low, high, 2 * (low + high - 2 * middle))


def dial_variance_along(
    settings: AnalysisSettings, axis: str
) -> tuple[np.ndarray, list[DialVariance]]:
    """The same along an axis, wherever k < n: the values of the axis, and the variances."""
    points = [p for p in settings.along(axis) if allows("dial:0.5", p.n, p.k)]
    return np.array([getattr(p, axis) for p in points]), [dial_variance(p) for p in points]
