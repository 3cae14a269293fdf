"""What compared runs of any task have in common."""

from __future__ import annotations

import csv
import io
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


def comparison_csv(study: Comparison, labels: Sequence[str]) -> str:
    """Every run's curves, one row per run and update."""
    out = io.StringIO()
    writer = csv.writer(out)
    for index, (label, recording) in enumerate(zip(labels, study.recordings, strict=True)):
        columns = recording.columns
        if index == 0:
            writer.writerow(["run", *columns])
        rows = zip(*(curve.tolist() for curve in columns.values()), strict=True)
        writer.writerows([label, *row] for row in rows)
    return out.getvalue()


def comparison_json(study: Comparison) -> str:
    """Every run's settings."""
    return json.dumps([r.config.to_dict() for r in study.recordings], indent=2)
