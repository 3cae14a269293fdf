"""Runs of the language model compared: what training changed, over seeds and problem by problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pkpo.config import RunConfig
from pkpo.estimators import rho
from pkpo.lm.measured import KS
from pkpo.runs.record import Record
from pkpo.runs.sweep import Spread

HELD_OUT = "held_out_pass@{k}"
ROLLING = "pass@{k}"
TRIES = max(KS)
"""Answers to each held-out problem."""


def curve(rows: Sequence[Mapping[str, float]], column: str) -> dict[int, Spread]:
    """Pass@k by k, over seeds.

    Args:
      rows: per seed, the metrics of an update.
      column: `HELD_OUT` or `ROLLING`; a k that a run does not give is left out.
    """
    names = {k: column.format(k=k) for k in KS}
    return {
        k: Spread.of([row[name] for row in rows])
        for k, name in names.items()
        if all(name in row for row in rows)
    }


def at(records: Sequence[Record], column: str, place: int) -> dict[int, Spread]:
    """The same of records, at the event in that place: 0 before training, -1 after."""
    return curve([{n: c[place] for n, c in r.columns.items()} for r in records], column)


def over_updates(
    columns: Sequence[Mapping[str, np.ndarray]], names: Sequence[str]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Means over seeds and, of several, their standard errors, up to the update all have reached.

    Args:
      columns: per seed, "update" and the metrics, `[T]` each.
      names: the metrics that are wanted; one that a seed lacks is left out.
    """
    reached = min(len(found.get("update", ())) for found in columns)
    spreads = {
        name: Spread.of([found[name][:reached] for found in columns])
        for name in ("update", *names)
        if reached and all(name in found for found in columns)
    }
    means = {name: spread.mean for name, spread in spreads.items()}
    errors = {name: spread.error for name, spread in spreads.items() if len(columns) > 1}
    return means, errors


def by_seed(configs: Sequence[RunConfig]) -> list[list[int]]:
    """The places of configs that differ in their seed only, together."""
    groups: dict[RunConfig, list[int]] = {}
    for place, config in enumerate(configs):
        groups.setdefault(config.replace(seed=0), []).append(place)
    return list(groups.values())


def measured(record: Record, kind: str) -> list[int]:
    """The updates of which a record has details of a kind."""
    return sorted(update for update, found in record.details.items() if kind in found)


def solved(record: Record, update: int) -> np.ndarray:
    """How many of `TRIES` answers to each held-out problem earned the reward, `[P]`."""
    return np.array(record.details[update]["held_out"], float)


def binary(config: RunConfig) -> bool:
    """Whether an answer earns 0 or 1, so that what was solved can be counted."""
    return getattr(config, "reward", "") in ("strict", "answer")


def repeated(config: RunConfig) -> bool:
    """Whether the same few problems are trained on again and again, so that each has a before."""
    return getattr(config, "problems", "") == "hard"


def gain(records: Sequence[Record], k: int, baseline: Sequence[Record] = ()) -> Spread:
    """What training, or training otherwise, changed in pass@k: paired problem by problem.

    The error is that of `Spread.crossed`, over seeds and problems.

    Args:
      records: a run per seed, all measured on the same problems.
      k: tries.
      baseline: runs to compare with, of the same seeds; without them, the start of the same runs.
    """
    after = _pass_at(records, k, -1)
    gains = after - (_pass_at(baseline, k, -1) if baseline else _pass_at(records, k, 0))  # [S, P]
    return Spread.crossed(gains)


def _pass_at(records: Sequence[Record], k: int, place: int) -> np.ndarray:
    counts = np.array([solved(record, measured(record, "held_out")[place]) for record in records])
    rewards = np.arange(TRIES) < counts[..., None]
    return rho(rewards, k)
