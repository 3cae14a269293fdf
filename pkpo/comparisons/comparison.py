"""What compared runs of any task have in common."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np

from pkpo.config import EVAL_KS, RunConfig
from pkpo.training.recording import Recording


class Comparison(Protocol):
    """One to four runs of a task."""

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """The runs."""

    @property
    def compared_k(self) -> int:
        """The k at which all runs are compared besides k = 1."""

    @property
    def reached(self) -> tuple[np.ndarray, ...]:
        """Per run, the exact max@compared_k over updates, `[T]`."""


def ks_used(recordings: Sequence[Recording]) -> list[int]:
    """Every k that some run takes, ascending."""
    return sorted({int(k) for r in recordings for k in np.unique(r["k"])})


@lru_cache(maxsize=1024)
def largest_k(config: RunConfig) -> int:
    """The largest k that a run's schedule takes."""
    return int(config.k_schedule.values(np.arange(config.steps + 1)).max())


def compared_k(configs: Sequence[RunConfig]) -> int:
    """The k at which runs are compared besides k = 1: the same on every page.

    The least of `EVAL_KS` that is no less than the largest k of all, or the last of them; 8 where all
    train for k = 1.
    """
    largest = max(map(largest_k, configs))
    if largest == 1:
        return 8
    return next((k for k in EVAL_KS if k >= largest), EVAL_KS[-1])


def comparison_columns(study: Comparison, labels: Sequence[str]) -> dict[str, np.ndarray]:
    """Every run's curves, one row per run and update, each with the label of its run."""
    recordings = study.recordings
    runs = np.repeat(np.array(labels), [len(recording) for recording in recordings])
    return {"run": runs} | {
        name: np.concatenate([recording[name] for recording in recordings])
        for name in recordings[0].columns
    }


def comparison_json(study: Comparison) -> str:
    """Every run's settings."""
    return json.dumps([r.config.to_dict() for r in study.recordings], indent=2)
