"""What every study of compared runs has, whatever they learn."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from pkpo.training import Recording


class Comparison(Protocol):
    """One to four runs of a task."""

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """The runs."""

    @property
    def yardstick(self) -> int:
        """The k at which all runs are compared besides k = 1."""

    @property
    def reached(self) -> tuple[np.ndarray, ...]:
        """Per run, the exact max@yardstick over updates, `[T]`."""


def ks_used(recordings: Sequence[Recording]) -> list[int]:
    """Every k that some run takes, ascending."""
    return sorted({int(k) for r in recordings for k in np.unique(r["k"])})


def yardstick(recordings: Sequence[Recording]) -> int:
    """The k at which to compare these runs besides k = 1: the largest, or 8 where all train for 1."""
    largest = ks_used(recordings)[-1]
    return largest if largest > 1 else 8


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
