"""What a page about a problem shows, as numbers: runs and everything exact around them."""

from pkpo.studies.runs import Study, to_csv, to_json
from pkpo.studies.toy import GRID, LANDMARKS, SPREAD_POINTS, ToyStudy, toy_study

__all__ = [
    "GRID",
    "LANDMARKS",
    "SPREAD_POINTS",
    "Study",
    "ToyStudy",
    "to_csv",
    "to_json",
    "toy_study",
]
