"""Questions of our own about schedules, on the toy problem and bandits: which order, at what cost."""

from __future__ import annotations

from typing import Any

import numpy as np

from pkpo.analysis.interference import interference
from pkpo.config import RunConfig
from pkpo.intervals import mean_and_error
from pkpo.paper.recipe import Claim, FigureRecipe, Table, make_table
from pkpo.paper.trained_runs import claim_above, claim_not_below
from pkpo.training.recording import Recording, record_runs
from pkpo.training.tasks.bandit import BanditConfig
from pkpo.training.tasks.gaussian_hill import HillConfig

SEEDS = 5
SCHEDULE_STEPS, SWITCH = 200, 120
EVERY = 4
"""Updates between those that are drawn."""

# --- Which order? -----------------------------------------------------------------------------

DIRECTION: dict[str, Any] = {
    "problems": {
        "the hill": HillConfig(steps=SCHEDULE_STEPS),
        "the trap": BanditConfig(bandit="trap", steps=SCHEDULE_STEPS),
        "crowded prompts": BanditConfig(bandit="crowded", steps=SCHEDULE_STEPS),
    },
    "schedules": {
        "k = 1": {"schedule": "1"},
        "k = 8": {"schedule": "8"},
        "8, then 1": {"schedule": f"8@0,1@{SWITCH}"},
        "1, then 8": {"schedule": f"1@0,8@{SWITCH}"},
        "half of each": {"schedule": "8", "estimator": "mix:0.5"},
    },
    "k_eval": (1, 8),
}


def _by_schedule(base: RunConfig, seed: int) -> dict[str, list[Recording]]:
    """A run of every schedule and seed."""
    schedules = DIRECTION["schedules"]
    runs = record_runs(
        [
            base.replace(**settings, seed=at)
            for settings in schedules.values()
            for at in range(seed, seed + SEEDS)
        ]
    )
    return {name: list(runs[i * SEEDS : (i + 1) * SEEDS]) for i, name in enumerate(schedules)}


def _direction(seed: int) -> tuple[Table, list[Claim]]:
    found = {problem: _by_schedule(base, seed) for problem, base in DIRECTION["problems"].items()}
    rows = [
        (problem, k, name, update, *mean_and_error(_values(runs, k, update)))
        for problem, by_schedule in found.items()
        for k in DIRECTION["k_eval"]
        for name, runs in by_schedule.items()
        for update in range(0, SCHEDULE_STEPS + 1, EVERY)
    ]
    table = make_table(("problem", "k_eval", "schedule", "update", "mean", "error"), rows)

    def ends(problem: str, name: str, k: int) -> np.ndarray:
        return _values(found[problem][name], k, SCHEDULE_STEPS)

    trap, hill, crowded = "the trap", "the hill", "crowded prompts"
    after = ends(crowded, "1, then 8", 1)
    before = _values(found[crowded]["1, then 8"], 1, SWITCH)
    return table, [
        claim_above(
            "In the trap 8, then 1 ends above k = 1 at max@1: it leaves the trap first.",
            ends(trap, "8, then 1", 1) - ends(trap, "k = 1", 1),
        ),
        claim_above(
            "In the trap 1, then 8 comes too late: at max@8, too, it ends below 8, then 1.",
            ends(trap, "8, then 1", 8) - ends(trap, "1, then 8", 8),
        ),
        claim_not_below(
            "On the hill the order costs nothing: 8, then 1 ends at max@1 no lower than k = 1.",
            ends(hill, "8, then 1", 1) - ends(hill, "k = 1", 1),
        ),
        claim_above(
            "On the hill 1, then 8 ends above 8, then 1 at max@8: the last k decides.",
            ends(hill, "1, then 8", 8) - ends(hill, "8, then 1", 8),
        ),
        claim_above(
            "Where prompts crowd each other, going on with k = 8 costs single tries.",
            before - after,
        ),
        claim_above(
            "There 1, then 8 ends above 8, then 1 at max@8: the last k decides.",
            ends(crowded, "1, then 8", 8) - ends(crowded, "8, then 1", 8),
        ),
        claim_above(
            "Half of each gradient in every update leaves the trap as well: above k = 1 at max@1.",
            ends(trap, "half of each", 1) - ends(trap, "k = 1", 1),
        ),
        claim_above(
            "Where prompts crowd each other, half of each costs single tries against k = 1.",
            ends(crowded, "k = 1", 1) - ends(crowded, "half of each", 1),
        ),
    ]


def _values(runs: list[Recording], k: int, update: int) -> np.ndarray:
    """`[S, 1]`: exact max@k of each seed's policy, in the shape that claims take."""
    return np.array([[run[f"max@{k}"][update]] for run in runs])


# --- When does training for k cost single tries? --------------------------------------------------

INTERFERENCE: dict[str, Any] = {
    "base": BanditConfig(bandit="crowded", schedule=f"1@0,8@{SWITCH}", steps=SCHEDULE_STEPS),
    "sharing": (1.0, 0.5, 0.2),
    "k": 8,
}


def _interference(seed: int) -> tuple[Table, list[Claim]]:
    base, k = INTERFERENCE["base"], INTERFERENCE["k"]
    rows, cosines, losses = [], {}, {}
    for sharing in INTERFERENCE["sharing"]:
        runs = record_runs(
            [base.replace(sharing=sharing, seed=at) for at in range(seed, seed + SEEDS)]
        )
        found = np.array(
            [interference(run.parameters, k, base.bandit, sharing).cosine for run in runs]
        )
        curves = {
            f"cosine of ∇max@1 and ∇max@{k}": found,
            "max@1": np.array([run["max@1"] for run in runs]),
            f"max@{k}": np.array([run[f"max@{k}"] for run in runs]),
        }
        rows += [
            (panel, sharing, update, *mean_and_error(curve[:, [update]]))
            for panel, curve in curves.items()
            for update in range(0, SCHEDULE_STEPS + 1, EVERY)
        ]
        cosines[sharing] = found[:, [SWITCH]]
        losses[sharing] = curves["max@1"][:, [SWITCH]] - curves["max@1"][:, [-1]]
    table = make_table(("panel", "sharing", "update", "mean", "error"), rows)
    all_shared, *less = INTERFERENCE["sharing"]
    return table, [
        claim_above(
            f"With all parameters shared the gradients point apart when k becomes {k}.",
            -cosines[all_shared],
        ),
        claim_above("There single tries are lost from then on.", losses[all_shared]),
        *(
            claim
            for sharing in less
            for claim in (
                claim_above(
                    f"With {sharing:g} of them shared they point the same way.", cosines[sharing]
                ),
                claim_not_below(
                    f"With {sharing:g} of them shared no single tries are lost.", -losses[sharing]
                ),
            )
        ),
    ]


def _parameters(given: dict[str, Any]) -> dict[str, Any]:
    """The same with runs' settings as data."""
    shown = {
        "base": lambda base: base.to_dict(),
        "problems": lambda problems: {name: base.to_dict() for name, base in problems.items()},
    }
    return {name: shown.get(name, lambda x: x)(value) for name, value in given.items()}


SCHEDULE_RECIPES = (
    FigureRecipe(
        "direction",
        "Which order: 8, then 1, or 1, then 8, or both at once?",
        "The same updates, samples and step size. Which k comes last decides, but where k = 1 is "
        "caught, k = 8 must come first. Half of each: the two gradients, mixed in every update.",
        _parameters(DIRECTION),
        _direction,
        kind="own",
        errors_over="seeds",
    ),
    FigureRecipe(
        "interference",
        "When does training for k cost single tries?",
        "Six prompts that share parameters; k = 8 after k = 1. Where the two gradients point apart, "
        "single tries are lost (arXiv:2602.21189).",
        _parameters(INTERFERENCE),
        _interference,
        kind="own",
        errors_over="seeds",
    ),
)
"""On the toy problem and bandits; computed in a few seconds."""
