"""The variance lab: which estimator has the least variance, where, and why.

Every function takes a `AnalysisSettings` and gives the numbers of one figure. Finite bandits are
exact, by enumeration of outcome counts; the paper's toy problem is measured.
"""

from pkpo.analysis.adaptive_dial import AdaptiveDial, ScoreMoments
from pkpo.analysis.dial import DialVariance, dial_variance, dial_variance_along
from pkpo.analysis.k_choice import KChoice, advised_schedules, choose_k, parse_rates
from pkpo.analysis.objectives import (
    CENTRED_AGAIN,
    GRADED_PROMPTS,
    PROMPT_RATES,
    TRAINED_ESTIMATORS,
    ExpectedDirection,
    expected_directions,
)
from pkpo.analysis.rate_weights import (
    RateForm,
    RateWeight,
    rate_form,
    rate_weight,
    rate_weights,
    weight_below,
)
from pkpo.analysis.sample_budget import MIXED_PASS_RATES, SampleBudget, split_budget
from pkpo.analysis.settings import (
    AXES,
    DEFAULT_ESTIMATORS,
    PROBLEM_KINDS,
    UNBIASED,
    AnalysisSettings,
    check_estimators,
)
from pkpo.analysis.variance_curves import CurvePoint, group_count, moments_along, sample_estimates
from pkpo.analysis.verdict import (
    VERDICT_GROUP,
    EstimatorVerdict,
    describe_verdict,
    enumerate_verdict,
)
from pkpo.analysis.winner_map import (
    RULE_THRESHOLD,
    WINNER_GRID,
    WinnerExplanation,
    WinnerMap,
    compute_winner_map,
    explain_winner,
)

__all__ = [
    "AXES",
    "AdaptiveDial",
    "AnalysisSettings",
    "CENTRED_AGAIN",
    "CurvePoint",
    "DEFAULT_ESTIMATORS",
    "DialVariance",
    "ExpectedDirection",
    "GRADED_PROMPTS",
    "KChoice",
    "MIXED_PASS_RATES",
    "PROBLEM_KINDS",
    "PROMPT_RATES",
    "RULE_THRESHOLD",
    "RateForm",
    "RateWeight",
    "SampleBudget",
    "ScoreMoments",
    "TRAINED_ESTIMATORS",
    "UNBIASED",
    "VERDICT_GROUP",
    "EstimatorVerdict",
    "WINNER_GRID",
    "WinnerExplanation",
    "WinnerMap",
    "advised_schedules",
    "check_estimators",
    "choose_k",
    "compute_winner_map",
    "describe_verdict",
    "dial_variance",
    "dial_variance_along",
    "enumerate_verdict",
    "expected_directions",
    "explain_winner",
    "group_count",
    "moments_along",
    "parse_rates",
    "rate_form",
    "rate_weight",
    "rate_weights",
    "weight_below",
    "sample_estimates",
    "split_budget",
]
