"""Whole runs as arrays: train to the end, and keep every update."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pkpo.config import Change, RunConfig
from pkpo.training.loop import train


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A whole run as arrays of T = steps + 1 rows, one per event (see `Event`).

    `recording["theta"]` is the column of that name: "update", "k", or one of the task's metrics.
    """

    config: Any
    """The task's subclass of `RunConfig`."""
    parameters: np.ndarray
    """`[T, d]`, or `[T, 0]`"""
    samples: np.ndarray
    """`[T, n]` or `[T, prompts, n]`, as are `rewards` and `weights`."""
    rewards: np.ndarray
    weights: np.ndarray
    columns: dict[str, np.ndarray]
    """The run's scalar curves by name, each `[T]`."""
    details: dict[int, dict[str, Any]]
    """By update, where there are any."""

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def final(self) -> dict[str, float]:
        """The trained policy's numbers: the last row of `columns`."""
        return {name: curve[-1].item() for name, curve in self.columns.items()}


def record_run(config: RunConfig) -> Recording:
    """Train to the end and keep everything."""
    return replay_run(config, ())


def replay_run(config: RunConfig, changes: Sequence[Change]) -> Recording:
    """A run as it was steered: the same numbers again, bit for bit; see `train`."""
    events = list(train(config, changes))
    names = ("parameters", "samples", "rewards", "weights")
    arrays = {name: np.array([getattr(event, name) for event in events]) for name in names}
    columns = {
        name: np.array([getattr(event, name) for event in events]) for name in ("update", "k")
    }
    columns |= {name: np.array([e.metrics[name] for e in events]) for name in events[0].metrics}
    details = {event.update: event.details for event in events if event.details}
    return Recording(config=config, columns=columns, details=details, **arrays)
