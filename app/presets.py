"""Presets of the problems' pages: a name, what to see, and the settings that show it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pkpo.comparisons.settings import parse_comparison
from pkpo.config import RunConfig
from pkpo.lm.experiments import ABSTENTION_RUN, GSM_SYMBOLIC_RUN, HARD_RUN, HARD_UNSEEN_RUN
from pkpo.training.recording import Recording
from pkpo.training.tasks.bandit import BanditConfig
from pkpo.training.tasks.gaussian_hill import HillConfig

PresetClaim = Callable[[Sequence[Recording]], bool]
"""What a preset's sentence says of its runs, in their order; holds at seeds 0 to 9."""


@dataclass(frozen=True, slots=True)
class PresetGoal:
    """What to reach by turning k, at the last update."""

    column: str
    """Of the recording."""
    player: str
    """The player's name for it."""
    at_least: float

    @property
    def text(self) -> str:
        """The task."""
        return f"Reach {self.column} of at least {self.at_least:.2f} at the last update"


@dataclass(frozen=True, slots=True)
class Preset:
    """A setting of a page: fields that differ from the task's defaults, and a comparison."""

    name: str
    message: str
    compare: str = ""
    changes: dict[str, Any] = field(default_factory=dict)
    claims: Mapping[str, PresetClaim] = field(default_factory=dict)
    """By optimizer, what the sentence claims of the exact values."""
    goal: PresetGoal | None = None
    """Of a task for the visitor; it stays while only the schedule changes, after its first k."""

    def runs(self, task: str) -> tuple[RunConfig, ...]:
        """The runs that it compares."""
        return parse_comparison({"task": task, **self.changes}, self.compare)


# --- What sentences claim -------------------------------------------------------------------------


def _ends(runs: Sequence[Recording], column: str) -> list[float]:
    return [float(run[column][-1]) for run in runs]


def _ascending(values: Sequence[float]) -> bool:
    return all(one < other for one, other in itertools.pairwise(values))


def _bolder(runs: Sequence[Recording]) -> bool:
    return _ascending(_ends(runs, "theta"))


def _risk_pays(runs: Sequence[Recording]) -> bool:
    single, best = _ends(runs, "max@1"), _ends(runs, "max@8")
    return single[1] < single[0] and best[1] > best[0]


def _annealing_beats_both(runs: Sequence[Recording]) -> bool:
    one, eight, annealed = _ends(runs, "max@1")
    return annealed > 1.1 * max(one, eight)


def _annealing_ties(runs: Sequence[Recording]) -> bool:
    one, eight, annealed = _ends(runs, "max@1")
    return abs(annealed - one) < 0.01 and annealed > 1.1 * eight


def _settles_with_samples(runs: Sequence[Recording]) -> bool:
    least, _, _, most = (float(np.std(run["theta"][-50:])) for run in runs)
    return least > most


def _only_eight_escapes(runs: Sequence[Recording]) -> bool:
    one, *_, eight = _ends(runs, "theta")
    return one < 0.4 and eight > 0.6


def _all_stay(runs: Sequence[Recording]) -> bool:
    return max(_ends(runs, "theta")) < 0.4


def _annealing_wins_both(runs: Sequence[Recording]) -> bool:
    single, best = _ends(runs, "max@1"), _ends(runs, "max@8")
    return single[0] < 0.61 and single[0] < single[1] < single[2] and min(best[1:]) > 0.99


def _annealing_finds_it(runs: Sequence[Recording]) -> bool:
    one, eight, annealed = _ends(runs, "max@1")
    return annealed > 0.99 and annealed > eight and annealed > one - 0.01


def _trapped(runs: Sequence[Recording]) -> bool:
    return _ends(runs, "max@1")[0] < 0.65


def _jackpot_by_eight(runs: Sequence[Recording]) -> bool:
    one, _, eight = _ends(runs, "max@1")
    return one < 0.51 and eight > 0.6


def _jackpot_found(runs: Sequence[Recording]) -> bool:
    return _ends(runs, "max@1")[2] > 0.6


def _crowding(runs: Sequence[Recording]) -> bool:
    single, best = _ends(runs, "max@1"), _ends(runs, "max@8")
    return best[0] < 0.55 and best[1] > 0.85 and single[1] < single[0]


def _costs_single_tries(runs: Sequence[Recording]) -> bool:
    single, best = _ends(runs, "max@1"), _ends(runs, "max@8")
    return single[1] < single[0] - 0.1 and best[1] > best[0] + 0.2


def _does_not_fall(runs: Sequence[Recording]) -> bool:
    going_on = runs[1]["max@1"]
    return going_on[-1] > going_on[150] - 0.005 and _ends(runs, "max@8")[1] > 0.99


def _variety(runs: Sequence[Recording]) -> bool:
    _, two, four, eight = _ends(runs, "entropy")
    one = _ends(runs, "entropy")[0]
    return max(one, two) < four < eight


def _sooner_and_less_sure(runs: Sequence[Recording]) -> bool:
    takes_off = [int(np.argmax(run["max@1"] >= 0.1)) for run in runs]
    return _ascending(takes_off[::-1]) and _ascending(_ends(runs, "max@1")[::-1])


def _less_sure(runs: Sequence[Recording]) -> bool:
    one, *_, eight = _ends(runs, "max@1")
    return eight < 0.96 < one


def _both(claim: PresetClaim) -> Mapping[str, PresetClaim]:
    return {"sgd": claim, "normalised": claim}


# --- The presets ----------------------------------------------------------------------------------

HILL_PRESETS = (
    Preset(
        "Paper, Figure 1",
        "The larger k, the closer to the cliff the best policy stands: with more attempts, "
        "falling off costs less.",
        compare="schedule 1 2 4 8",
        claims=_both(_bolder),
    ),
    Preset(
        "Risk seeking pays",
        "If you keep the best of 8, train for the best of 8: the bold policy's single attempts are "
        "worse, its best of 8 is better.",
        compare="schedule 1 8",
        claims=_both(_risk_pays),
    ),
    Preset(
        "Annealing wins",
        "From a start where single attempts rarely score, the gradient for k = 1 is small, and k = 1 "
        "crawls while k = 8 runs. Switching from 8 to 1 on the way ends with the best single attempt. "
        "With steps of equal length k = 1 gets there, too.",
        compare="schedule 1 8 8@0,1@180",
        changes={"theta": 0.0},
        claims={"sgd": _annealing_beats_both, "normalised": _annealing_ties},
    ),
    Preset(
        "Variance hurts",
        "With k near n, few samples decide the gradient: at n = 8 and k = 8, θ goes on jumping; with "
        "n = 64 for the same k, it jumps less.",
        compare="n 8 10 16 64",
        changes={"learning_rate": 0.05, "steps": 150},
        claims=_both(_settles_with_samples),
    ),
    Preset(
        "Stuck at pass@1",
        "k = 1 climbs the nearer, lower peak and stays: every way off it costs single attempts. "
        "For k = 8 a rare look at the higher peak is enough: it makes one large step. With steps of "
        "equal length none gets away.",
        compare="schedule 1 2 4 8",
        changes={
            "shape": "two-peaks",
            "theta": 0.1,
            "n": 32,
            "steps": 250,
            "learning_rate": 0.01,
        },
        claims={"sgd": _only_eight_escapes, "normalised": _all_stay},
    ),
)

BANDIT_PRESETS = (
    Preset(
        "Annealing wins both",
        "A likely arm pays 0.6, a rare one 1. k = 1 settles for 0.6 (with steps of equal length it may "
        "find the 1 by luck); k = 8 finds the 1 but goes on trying; first 8, then 1 is best at both.",
        compare="schedule 1 8 8@0,1@150",
        claims={"sgd": _annealing_wins_both, "normalised": _annealing_finds_it},
    ),
    Preset(
        "Rare jackpot",
        "The likeliest arm pays 0.5; one drawn once in a hundred pays 1. k = 1 settles for the sure "
        "half. With k = 8 the jackpot wins, and in the end single attempts are better, too. With k = 2 "
        "it takes luck, and with steps of equal length luck may help k = 1.",
        compare="schedule 1 2 8",
        changes={"bandit": "jackpot"},
        claims={"sgd": _jackpot_by_eight, "normalised": _jackpot_found},
    ),
    Preset(
        "Easy prompts crowd out hard ones",
        "Six prompts share one policy; three have the same right answer. k = 1 gives it to all and "
        "loses the other three prompts. k = 8 keeps every right answer in play.",
        compare="schedule 1 8",
        changes={"bandit": "crowded"},
        claims=_both(_crowding),
    ),
    Preset(
        "k = 8 later: a cost",
        "The same six prompts. From update 150 on one run trains for k = 8: the two gradients point "
        "apart by then, and what the best of 8 gains, single tries lose.",
        compare="schedule 1 1@0,8@150",
        changes={"bandit": "crowded"},
        claims={"sgd": _costs_single_tries},
    ),
    Preset(
        "k = 8 later: no fall",
        "The same again, but a prompt shares only a fifth of its parameters with the others. The "
        "gradients agree: single tries do not fall, they only rise no further.",
        compare="schedule 1 1@0,8@150",
        changes={"bandit": "crowded", "sharing": 0.2},
        claims={"sgd": _does_not_fall},
    ),
    Preset(
        "Wide tie: k keeps variety",
        "Ten of twenty arms are right. With large steps, k = 1 ends on one or a few, whichever were "
        "lucky; for k = 4 more arms stay in use, and for k = 8 nearly all. With steps of equal length "
        "chance decides.",
        compare="schedule 1 2 4 8",
        changes={"bandit": "tie", "learning_rate": 5.0},
        claims={"sgd": _variety},
    ),
    Preset(
        "Your turn: rescue it",
        "k = 1 falls into the trap: it settles for the likely 0.6. Go to the start, press Play, let "
        "it run to update 60 or so, and turn k while it trains.",
        changes={"schedule": "1"},
        claims={"sgd": _trapped},
        goal=PresetGoal("max@1", "atOne", 0.9),
    ),
    Preset(
        "Hard: one in a hundred",
        "The right arm is drawn once in a hundred: most groups teach nothing at first. A larger k "
        "makes more of a rare success and takes off sooner (with steps of equal length all take off "
        "together); a smaller one ends surer.",
        compare="schedule 1 2 4 8",
        changes={"bandit": "hard"},
        claims={"sgd": _sooner_and_less_sure, "normalised": _less_sure},
    ),
)

LANGUAGE = (
    Preset(
        "The paper in minutes",
        "The same model, trained for a single try, for the best of 8, and for the best of 8 and then a "
        "single try: on two thousand problems that it rarely solves, measured on others like them.",
        compare="k1 k8 annealed",
        changes=HARD_UNSEEN_RUN.changed(),
    ),
    Preset(
        "Abstaining pays: k = 1 stalls",
        "An answer that says ? earns 0.5 for sure; a right one earns 1, at first 6 tries in 100. "
        "Recorded here, k = 1 gives up trying; 8, then 1 solves two problems in three at a single try.",
        compare="k1 k8 annealed",
        changes=ABSTENTION_RUN.changed(),
    ),
    Preset(
        "Problems always new",
        "Every update draws new problems, half of which the model solves at once. Less is gained, and "
        "the differences are smaller.",
        compare="k1 k8 annealed",
    ),
    Preset(
        "Stalled at pass@1?",
        "The same 128 hard problems again and again. In the paper k = 1 stalls here and larger k go on; "
        "recorded here, k = 1 did not stall, but 8, then 1 ended ahead of it at one try and at 16.",
        compare="k1 k8 annealed",
        changes=HARD_RUN.changed(),
    ),
    Preset(
        "k = n: too much variance",
        "With k = n only the best answer of a group gets any weight: few samples decide the gradient.",
        compare="k8 tzsm25",
    ),
    Preset(
        "Entropy bonus instead",
        "Exploration paid for directly: k = 1 with a bonus for entropy, beside k = 1 and k = 8.",
        compare="k1 entropy k8",
    ),
    Preset(
        "In the words of GSM8K",
        "Twice the model, and problems of 2 to 6 steps in the words of GSM8K's templates. It needs a "
        "smaller step size, and more patience. Recorded here, k = 1 gained at one try only, "
        "and k = 8 ended ahead of it at 16.",
        compare="k1 k8",
        changes=GSM_SYMBOLIC_RUN.changed(),
    ),
)
"""The presets of the language model's page; each compares keys of `pkpo.lm.experiments.METHODS`."""

PRESETS = {HillConfig.task: HILL_PRESETS, BanditConfig.task: BANDIT_PRESETS}
"""The presets of each problem's page; the first one is what the page opens with."""
