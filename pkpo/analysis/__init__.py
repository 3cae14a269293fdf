"""The variance lab: which estimator has the least variance, where, and why.

Every function takes a `LabSettings` and gives the numbers of one figure. Finite bandits are exact, by
enumeration of outcome counts; the paper's toy problem is measured.
"""

from pkpo.analysis.dial import DialVariance, dial_variance_along, dial_variance
from pkpo.analysis.objectives import CENTRED_AGAIN, PROMPT_RATES, TRAINED_ESTIMATORS, ExpectedDirection, expected_directions
from pkpo.analysis.sample_budget import MIXED_PASS_RATES, SampleBudget, split_budget
from pkpo.analysis.settings import (
    AXES,
    PROBLEM_KINDS,
    DEFAULT_ESTIMATORS,
    UNBIASED,
    AnalysisSettings,
    check_estimators,
)
from pkpo.analysis.variance_curves import CurvePoint, sample_estimates, moments_along, group_count
from pkpo.analysis.winner_map import WINNER_GRID, RULE_THRESHOLD, WinnerExplanation, WinnerMap, explain_winner, compute_winner_map

__all__ = [
    "AXES",
    "CENTRED",
    "GRID",
    "PROBLEMS",
    "PROMPT_RATES",
    "RULE",
    "SHOWN",
    "SPREAD",
    "TARGETS",
    "UNBIASED",
    "Budget",
    "Dial",
    "Explanation",
    "LabSettings",
    "Point",
    "Target",
    "WinnerMap",
    "best_dials",
    "budget",
    "cloud",
    "curves",
    "dial",
    "explain",
    "known",
    "replicates",
    "targets",
    "winner_map",
]
