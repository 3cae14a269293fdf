"""What a page about a problem shows, as numbers: runs and everything exact around them."""

from pkpo.studies.bandit import BEST_OF, BanditStudy, bandit_study
from pkpo.studies.runs import Study, to_csv, to_json
from pkpo.studies.toy import GRID, LANDMARKS, SPREAD_POINTS, ToyStudy, toy_study

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
