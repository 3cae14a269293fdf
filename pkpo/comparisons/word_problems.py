"""Runs of the language model compared: what training changed, over seeds and problem by problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pkpo.config import RunConfig
from pkpo.estimators import rho
from pkpo.intervals import Difference
from pkpo.lm.problem_sets import PASS_KS
from pkpo.runs.records import RunRecord
from pkpo.runs.sweep import SeedMean

HELD_OUT_PASS = "held_out_pass@{k}"
ROLLING_PASS = "pass@{k}"
HELD_OUT_COMPLETIONS = max(PASS_KS)
"""Answers to each held-out problem."""


def pass_at_k_by_k(rows: Sequence[Mapping[str, float]], column: str) -> dict[int, SeedMean]:
    """Pass@k by k, over seeds.

    Args:
      rows: per seed, the metrics of an update.
      column: `HELD_OUT_PASS` or `ROLLING_PASS`; a k that a run does not give is left out.
    """
    names = {k: column.format(k=k) for k in PASS_KS}
    return {
        k: SeedMean.from_values([row[name] for row in rows])
        for k, name in names.items()
        if all(name in row for row in rows)
    }


def pass_at_k_at(records: Sequence[RunRecord], column: str, place: int) -> dict[int, SeedMean]:
    """The same of records, at the event in that place: 0 before training, -1 after."""
    return pass_at_k_by_k([{n: c[place] for n, c in r.columns.items()} for r in records], column)


def average_over_seeds(
    columns: Sequence[Mapping[str, np.ndarray]], names: Sequence[str]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Means over seeds and, of several, their standard errors, up to the update all have reached.

    Args:
      columns: per seed, "update" and the metrics, `[T]` each.
      names: the metrics that are wanted; one that a seed lacks is left out.
    """
    reached = min(len(found.get("update", ())) for found in columns)
    spreads = {
        name: SeedMean.from_values([found[name][:reached] for found in columns])
        for name in ("update", *names)
        if reached and all(name in found for found in columns)
    }
    means = {name: spread.mean for name, spread in spreads.items()}
    errors = {name: spread.error for name, spread in spreads.items() if len(columns) > 1}
    return means, errors


def group_by_seed(configs: Sequence[RunConfig]) -> list[list[int]]:
    """The places of configs that differ in their seed only, together."""
    groups: dict[RunConfig, list[int]] = {}
    for place, config in enumerate(configs):
        groups.setdefault(config.replace(seed=0), []).append(place)
    return list(groups.values())


def updates_with(record: RunRecord, kind: str) -> list[int]:
    """The updates of which a record has details of a kind."""
    return sorted(update for update, found in record.details.items() if kind in found)


def solved_counts(record: RunRecord, update: int) -> np.ndarray:
    """How many of `HELD_OUT_COMPLETIONS` answers to each held-out problem earned the reward, `[P]`."""
    return np.array(record.details[update]["held_out"], float)


def has_binary_reward(config: RunConfig) -> bool:
    """Whether an answer counts as 0 or 1 where it is measured: what was solved can be counted."""
    return getattr(config, "reward", "") in ("strict", "answer")


def has_partial_rewards(config: RunConfig) -> bool:
    """Whether what is wrong may earn something in training, so that pass@k there is of rewards."""
    return not has_binary_reward(config) or getattr(config, "abstention", 0) > 0


def has_fixed_problems(config: RunConfig) -> bool:
    """Whether the same few problems are trained on again and again, so that each has a before."""
    return getattr(config, "problems", "") == "hard"


def pass_at_k_gain(
    records: Sequence[RunRecord], k: int, baseline: Sequence[RunRecord] = ()
) -> Difference:
    """What training, or training otherwise, changed in pass@k: paired by seed and problem.

    Args:
      records: a run per seed, all measured on the same problems.
      k: tries.
      baseline: runs to compare with, of the same seeds; without them, the start of the same runs.
    """
    after = _pass_at(records, k, -1)
    gains = after - (_pass_at(baseline, k, -1) if baseline else _pass_at(records, k, 0))  # [S, P]
    return Difference.from_samples(gains)


def _pass_at(records: Sequence[RunRecord], k: int, place: int) -> np.ndarray:
    counts = np.array(
        [solved_counts(record, updates_with(record, "held_out")[place]) for record in records]
    )
    rewards = np.arange(HELD_OUT_COMPLETIONS) < counts[..., None]
    return rho(rewards, k)
