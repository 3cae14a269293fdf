"""A fixed number of samples per update: many prompts, or large groups?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pkpo.analysis.enumeration import enumerate_outcomes
from pkpo.analysis.estimation_problems import binary_problem
from pkpo.analysis.settings import AnalysisSettings, allows

MIXED_PASS_RATES = (0.02, 0.1, 0.3, 0.6, 0.9)
"""Pass rates of the prompts of a mixed set."""


@dataclass(frozen=True, slots=True)
class SampleBudget:
    """The variance of an update's gradient when its samples are split as prompts times n."""

    total: int
    """Samples per update."""
    n: np.ndarray
    """`[N]`, the group sizes: divisors of the total."""
    same: dict[str, np.ndarray]
    """By estimator `[N]`: every prompt has the settings' pass rate."""
    mixed: dict[str, np.ndarray]
    """By estimator `[N]`: prompts drawn from `MIXED_PASS_RATES`, whose choice adds variance."""


def split_budget(
    settings: AnalysisSettings, estimators: Sequence[str], total: int = 64
) -> SampleBudget:
    """Exact, for prompts whose logits all move with one shared parameter, and right-or-wrong rewards.

    Raises:
      ValueError: a total that is not from 2 to 256.
    """
    if not 2 <= total <= 256:
        raise ValueError(f"total must be from 2 to 256, got {total}")
    sizes = [n for n in range(2, total + 1) if total % n == 0]
    shape = len(sizes)
    same = {name: np.full(shape, np.nan) for name in estimators}
    mixed = {name: np.full(shape, np.nan) for name in estimators}
    for place, n in enumerate(sizes):
        for name in estimators:
            if settings.k <= n and allows(name, n, settings.k):
                prompts = total // n
                within = [_shared(p, name, n, settings.k) for p in (settings.p, *MIXED_PASS_RATES)]
                same[name][place] = within[0][1] / prompts
                means = np.array([mean for mean, _ in within[1:]])
                noise = np.mean([variance for _, variance in within[1:]])
                mixed[name][place] = (noise + means.var()) / prompts
    return SampleBudget(total, np.array(sizes), same, mixed)


def _shared(p: float, estimator: str, n: int, k: int) -> tuple[float, float]:
    """Mean and variance of the estimate by a parameter that shifts the logit of being right.

    Two arms' logits move by (-1/2, 1/2), so the derivative is half the difference of theirs, and a
    vector along that direction has twice its square.
    """
    found = enumerate_outcomes(binary_problem(p), estimator, n, k)
    return float(found.mean[1] - found.mean[0]) / 2, found.variance / 2
