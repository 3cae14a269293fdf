"""What a page about a problem shows, as numbers: runs and everything exact around them."""

from pkpo.comparisons.bandit import BEST_OF, BanditComparison, compare_bandits
from pkpo.comparisons.comparison import Comparison, comparison_csv, comparison_json
from pkpo.comparisons.gaussian_hill import CURVE_POINTS, MARKED_KS, DEVIATION_POINTS, HillComparison, compare_hills

__all__ = [
    "BEST_OF",
    "BanditStudy",
    "GRID",
    "LANDMARKS",
    "SPREAD_POINTS",
    "Study",
    "ToyStudy",
    "bandit_study",
    "to_csv",
    "to_json",
    "toy_study",
]
