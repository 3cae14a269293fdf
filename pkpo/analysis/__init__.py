"""The variance lab: which estimator has the least variance, where, and why.

Every function takes a `LabSettings` and gives the numbers of one figure. Finite bandits are exact, by
enumeration of outcome counts; the paper's toy problem is measured.
"""

from pkpo.analysis.budget import SPREAD, Budget, budget
from pkpo.analysis.dial import Dial, best_dials, dial
from pkpo.analysis.scatters import Point, cloud, curves, replicates
from pkpo.analysis.settings import (
    AXES,
    PROBLEMS,
    SHOWN,
    UNBIASED,
    LabSettings,
    known,
)
from pkpo.analysis.targets import CENTRED, PROMPT_RATES, TARGETS, Target, targets
from pkpo.analysis.winner import GRID, RULE, Explanation, WinnerMap, explain, winner_map

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
