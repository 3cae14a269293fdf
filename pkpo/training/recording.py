"""Whole runs as arrays: train to the end, and keep every update."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pkpo.config import Change, RunConfig
from pkpo.training.loop import BLOCK, Event, Loop, lockstep_key
from pkpo.training.tasks.registry import get_task

ARRAYS = ("parameters", "samples", "rewards", "weights")
STATE_EVERY_UPDATES = 16
"""Updates between the states that a recording keeps."""


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
    states: dict[int, dict[str, np.ndarray]]
    """`Loop.state` by update, for `continue_run`; none of a run that was steered, or whose is large."""

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def final(self) -> dict[str, float]:
        """The trained policy's numbers: the last row of `columns`."""
        return {name: curve[-1].item() for name, curve in self.columns.items()}


RecordRuns = Callable[[Sequence[RunConfig]], tuple[Recording, ...]]
"""`record_runs`, or what gives the same recordings."""


def record_run(config: RunConfig) -> Recording:
    """Train to the end and keep everything."""
    return _record(Loop(config))[0]


def record_runs(configs: Sequence[RunConfig]) -> tuple[Recording, ...]:
    """Several runs, to the numbers that each has alone, bit for bit.

    Those that agree in what `lockstep_key` names are trained in lockstep: four take little longer than
    one.

    Raises:
      ValueError: the first of them that cannot be trained to its end.
    """
    groups: dict[Any, list[int]] = {}
    for place, config in enumerate(configs):
        groups.setdefault(lockstep_key(config) or place, []).append(place)
    recordings: dict[int, Recording] = {}
    try:
        for places in groups.values():
            several = [configs[place] for place in places]
            loop = Loop(several) if len(several) > 1 else Loop(several[0])
            recordings |= zip(places, _record(loop), strict=True)
    except ValueError:  # one by one, whichever is the first says what is wrong with it
        return tuple(record_run(config) for config in configs)
    return tuple(recordings[place] for place in range(len(configs)))


def replay_run(config: RunConfig, changes: Sequence[Change]) -> Recording:
    """A run as it was steered: the same numbers again, bit for bit; see `train`."""
    return _record(Loop(config, changes))[0]


def continue_run(recording: Recording, schedule: str) -> Recording:
    """The run under another schedule, of which only what changes is trained.

    Give a schedule that agrees with the recording's up to some update, "8@0,1@120" after "8": the run
    goes on from the loop's own state there (the nearest of `Recording.states` before it), and what came
    earlier is taken over. The noise of an update depends on seed and update only, so that the numbers
    are those of `record_run(recording.config.replace(schedule=schedule))`, bit for bit.

    Raises:
      ValueError: as `record_run`.
    """
    config = recording.config.replace(schedule=schedule)
    wanted = config.k_schedule.values(recording["update"])
    same = int(np.argmin(np.append(wanted == recording["k"], False)))  # updates before the change
    start = max((update for update in recording.states if update <= same), default=None)
    if start is None:
        return record_run(config)
    loop = Loop(config)
    loop.load(recording.states[start])
    (rest,) = _record(loop)
    return Recording(
        config=config,
        columns={
            name: np.concatenate([curve[:start], rest[name]])
            for name, curve in recording.columns.items()
        },
        details={update: x for update, x in recording.details.items() if update < start}
        | rest.details,
        states={update: x for update, x in recording.states.items() if update < start}
        | rest.states,
        **{
            name: np.concatenate([getattr(recording, name)[:start], getattr(rest, name)])
            for name in ARRAYS
        },
    )


def _record(loop: Loop) -> list[Recording]:
    """Train a loop to its end; a recording for each of its runs."""
    keeps_states = (
        get_task(loop.config.task).lockstep and not loop.changes
    )  # small, and of no others
    states: list[dict[int, dict[str, np.ndarray]]] = [{} for _ in loop.configs]
    events: list[Event] = []
    while loop.update <= loop.config.steps:
        if keeps_states and loop.update % STATE_EVERY_UPDATES == 0:
            for run, kept in enumerate(states):
                kept[loop.update] = loop.state(run)
        events.append(next(loop))
    for start in range(0, len(events), BLOCK):
        loop.complete(events[start : start + BLOCK])

    def gather(values: Iterable[Any]) -> list[np.ndarray]:
        """Every run's array, `[T, ...]`."""
        whole = np.array(list(values))
        return [whole] if loop.is_alone else list(np.swapaxes(whole, 0, 1).copy())

    arrays = {name: gather(getattr(event, name) for event in events) for name in ARRAYS}
    columns = {"k": gather(event.k for event in events)}
    columns |= {name: gather(e.metrics[name] for e in events) for name in events[0].metrics}
    updates = np.array([event.update for event in events])
    details = {event.update: event.details for event in events if event.details}
    return [
        Recording(
            config=config,
            columns={"update": updates, **{name: rows[run] for name, rows in columns.items()}},
            details=details,
            states=states[run],
            **{name: rows[run] for name, rows in arrays.items()},
        )
        for run, config in enumerate(loop.configs)
    ]
