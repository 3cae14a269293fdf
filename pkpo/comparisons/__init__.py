"""Compared runs of one task, with everything exact around them: the numbers of a problem's page."""

from pkpo.comparisons.bandit import BEST_OF, BanditComparison, compare_bandits
from pkpo.comparisons.comparison import Comparison, comparison_columns, comparison_json
from pkpo.comparisons.gaussian_hill import (
    CURVE_POINTS,
    DEVIATION_POINTS,
    MARKED_KS,
    HillComparison,
    compare_hills,
)

__all__ = [
    "BEST_OF",
    "BanditComparison",
    "CURVE_POINTS",
    "Comparison",
    "DEVIATION_POINTS",
    "HillComparison",
    "MARKED_KS",
    "compare_bandits",
    "compare_hills",
    "comparison_columns",
    "comparison_json",
]
