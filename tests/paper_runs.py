"""Made-up runs for the recipes of the language model: what they must find is known."""

from __future__ import annotations

import numpy as np

from pkpo import pass_at_k
from pkpo.lm.experiments import EXPERIMENTS
from pkpo.paper.trained_runs import DRAWN_POINTS, Runs
from pkpo.runs.records import RunRecord

Rates = tuple[float, float]
"""The share of problems that are solved 9 times of 10, and the chance at the others."""
World = dict[str, dict[str, Rates]]
"""By experiment: where each method ends."""

PROBLEMS = 1600
START: dict[str, Rates] = {"fresh": (0.5, 0.06), "hard": (0.02, 0.04)}
PAPER: World = {
    "fresh": {
        "k1": (0.78, 0.0),
        "k2": (0.68, 0.2),
        "k4": (0.58, 0.28),
        "k8": (0.4, 0.34),
        "annealed": (0.74, 0.15),
        "tzsm25": (0.4, 0.1),
        "entropy": (0.7, 0.01),
    },
    "hard": {
        "k1": (0.2, 0.0),
        "k2": (0.3, 0.04),
        "k4": (0.35, 0.08),
        "k8": (0.4, 0.12),
        "annealed": (0.45, 0.04),
        "tzsm25": (0.1, 0.04),
        "entropy": (0.2, 0.02),
    },
}
"""If the paper is right."""
_OTHERS = {"k1": "k8", "k2": "k4", "k4": "k2", "k8": "k1", "tzsm25": "k2"}
WRONG: World = {
    name: ends
    | {method: ends[other] for method, other in _OTHERS.items()}
    | {"annealed": (0.3, 0.01)}
    for name, ends in PAPER.items()
}
"""If the opposite is true."""


def runs(world: World) -> Runs:
    """Records of both experiments, all their methods and seeds."""
    return {
        name: {
            method: [_record(name, method, seed, ends) for seed in EXPERIMENTS[name].seeds]
            for method in EXPERIMENTS[name].methods
        }
        for name, ends in world.items()
    }


def _record(name: str, method: str, seed: int, ends: dict[str, Rates]) -> RunRecord:
    config = EXPERIMENTS[name].configs()[method, seed]
    updates = np.arange(config.steps + 1)
    easy, other = _way(name, method, updates / config.steps, ends)
    # The annealed run is that of k = 8 up to the switch.
    noises = np.random.default_rng((seed, *map(ord, "k8" if method == "annealed" else method)))
    noise, firsts = noises.normal(0, 0.01, updates.size), noises.random(PROBLEMS)
    columns = {
        "update": updates,
        "k": config.k_schedule.values(updates),
        "entropy": 0.05 + 0.2 * other + noise,
        "cumulative_solve_rate": 0.3 * easy + other,
        "lucky_share": easy + noise,
    }
    details = {}
    for k in (1, 2, 4, 8, 16):
        best = easy * (1 - 0.1**k) + (1 - easy) * (1 - (1 - other) ** k)
        columns[f"pass@{k}"] = best + noise
        columns[f"held_out_pass@{k}"] = np.zeros(updates.size)
    columns["mean_reward"] = columns["pass@1"]
    columns["abstention_share"] = 1 - easy
    own = np.random.default_rng((seed, *map(ord, method)))
    for update in range(0, config.steps + 1, config.interval):
        chances = np.where(np.arange(PROBLEMS) < easy[update] * PROBLEMS, 0.9, other[update])
        counts = own.binomial(DRAWN_POINTS, chances)
        for k in (1, 2, 4, 8, 16):
            mean = pass_at_k(DRAWN_POINTS, counts, k).mean()
            columns[f"held_out_pass@{k}"][update : update + config.interval] = mean
        details[update] = {"held_out": counts.astype(float).tolist()}
    solved = firsts < columns["cumulative_solve_rate"][-1]
    details[config.steps]["first_solved"] = np.where(solved, 5, -1).tolist()
    provenance = {
        "code": "0123456789abcdef",
        "packages": {"torch": "2.13"},
        "device": "cpu",
        "platform": "Linux",
        "seconds": 120.0,
        "finished": 1.8e9,
    }
    return RunRecord(
        config=config, changes=(), columns=columns, details=details, provenance=provenance
    )


def _way(name: str, method: str, share: np.ndarray, ends: dict[str, Rates]) -> np.ndarray:
    """The rates `[2, T]` over the share of training that is done."""
    start = np.array(START[name])[:, None]
    end = np.array(ends[method])[:, None]
    if method == "annealed":
        eight = start + (np.array(ends["k8"])[:, None] - start) * share
        switched = np.clip((share - 0.6) / 0.4, 0, 1)
        return eight + (end - eight) * switched
    stalls = end[1] == 0
    return start + (end - start) * np.minimum(share * (2 if stalls else 1), 1)
