"""How estimates scatter: curves along an axis, and single estimates as a cloud."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pkpo.enumeration import Moments, enumerable, moments
from pkpo.estimators import transform
from pkpo.analysis.settings import REPLICATES, LabSettings, allows
from pkpo.problems import Problem, SoftmaxProblem
from pkpo.variance import Scatter, scatter


@dataclass(frozen=True, slots=True)
class Point:
    """One estimator at one point of a curve."""

    estimator: str
    x: float
    measured: Scatter
    exact: Moments | None


def curves(settings: LabSettings, axis: str, estimators: Sequence[str]) -> list[Point]:
    """Measured, and where possible exact, moments along an axis; where an estimator is allowed.

    Raises:
      ValueError: an unknown axis or estimator, or one that does not take this problem's rewards.
    """
    result = []
    for point in settings.along(axis):
        problem = point.make()
        found = scatter(problem, estimators, point.n, point.k, replicates(point), point.seed)
        for name, measured in found.items():
            result.append(
                Point(name, float(getattr(point, axis)), measured, _exact(problem, name, point))
            )
    return result


def replicates(settings: LabSettings) -> int:
    """Groups that are drawn at this point: the paper's 10,000, fewer where each has many numbers."""
    size = {"hill": settings.dimension, "graded": 4 * settings.ways}
    return REPLICATES if size.get(settings.problem, settings.ways + settings.wrong) <= 64 else 2000


def _exact(problem: Problem, estimator: str, point: LabSettings) -> Moments | None:
    if not isinstance(problem, SoftmaxProblem):
        return None
    if not enumerable(estimator, point.n, len(set(problem.rewards))):
        return None
    return moments(problem, estimator, point.n, point.k)


# --- The cloud -------------------------------------------------------------------------------------


def cloud(settings: LabSettings, estimators: Sequence[str], groups: int = 2000) -> dict:
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
