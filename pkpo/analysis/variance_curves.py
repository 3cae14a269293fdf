"""Moments of the estimators along an axis, and single estimates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pkpo.analysis.enumeration import ExactMoments, can_enumerate, enumerate_outcomes
from pkpo.analysis.estimation_problems import EstimationProblem, SoftmaxProblem
from pkpo.analysis.monte_carlo import MonteCarlo, run_monte_carlo
from pkpo.analysis.settings import REPLICATES, AnalysisSettings, allows
from pkpo.estimators import transform


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One estimator at one point of a curve."""

    estimator: str
    x: float
    measured: MonteCarlo
    exact: ExactMoments | None


def moments_along(
    settings: AnalysisSettings, axis: str, estimators: Sequence[str]
) -> list[CurvePoint]:
    """Measured, and where possible exact, moments along an axis; where an estimator is allowed.

    Raises:
      ValueError: an unknown axis or estimator, or one that does not take this problem's rewards.
    """
    result = []
    for point in settings.along(axis):
        problem = point.make()
        found = run_monte_carlo(
            problem, estimators, point.n, point.k, group_count(point), point.seed
        )
        for name, measured in found.items():
            result.append(
                CurvePoint(
                    name, float(getattr(point, axis)), measured, _exact(problem, name, point)
                )
            )
    return result


def group_count(settings: AnalysisSettings) -> int:
    """Groups that are drawn at this point: the paper's 10,000, fewer where each has many numbers."""
    size = {"hill": settings.dimension, "graded": 4 * settings.ways}
    return REPLICATES if size.get(settings.problem, settings.ways + settings.wrong) <= 64 else 2000


def _exact(
    problem: EstimationProblem, estimator: str, point: AnalysisSettings
) -> ExactMoments | None:
    if not isinstance(problem, SoftmaxProblem):
        return None
    if not can_enumerate(estimator, point.n, len(set(problem.rewards))):
        return None
    return enumerate_outcomes(problem, estimator, point.n, point.k)


# --- The cloud -------------------------------------------------------------------------------------


def sample_estimates(
    settings: AnalysisSettings, estimators: Sequence[str], groups: int = 2000
) -> dict:
    """Single estimates seen along the exact gradient, in units of its length: 1 is the truth.

    Returns:
      By estimator that allows n and k, `[groups]`.

    Raises:
      ValueError: the exact gradient vanishes here, or rewards that an estimator does not take.
    """
    problem = settings.make()
    exact = problem.gradient(settings.k)
    length = float(exact @ exact)
    if length < 1e-24:
        raise ValueError(
            "the exact gradient vanishes here, so that there is nothing to compare with"
        )
    rng = np.random.default_rng((settings.seed, settings.n))
    rewards, estimates = problem.draw(rng, groups, settings.n)
    return {
        name: estimates(transform(rewards, settings.k, name)) @ exact / length
        for name in estimators
        if allows(name, settings.n, settings.k)
    }
