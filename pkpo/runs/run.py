"""What a run is: its id, its statuses and how they follow one another, its place in the queue."""

from __future__ import annotations

import re
import secrets
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pkpo.config import Change, RunConfig
from pkpo.runs.process import Process
from pkpo.training.tasks.registry import run_config

TRANSITIONS: dict[str, tuple[str, ...]] = {
    "queued": ("running", "stopped"),
    "running": ("finished", "stopped", "interrupted", "failed"),
    "stopped": ("queued",),
    "interrupted": ("queued",),
    "failed": ("queued",),
    "finished": (),
}
"""Where each status can lead."""
STATUSES = tuple(TRANSITIONS)
_VERBS = {"queued": "resumed", "running": "started", "stopped": "stopped"}
_ID = re.compile(r"[0-9a-f]{12}")


class StoreError(Exception):
    """The store cannot do its work: full, read-only, damaged or held by another process."""


class NotOurs(Exception):
    """A run is no longer the worker's that asks."""


class Interrupted(Exception):
    """What computed a run's updates is gone; it can go on from its last checkpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is known of a run at one moment. Times are seconds since 1970."""

    id: str
    name: str
    task: str
    settings: dict[str, Any]
    """The config as `RunConfig.to_dict` gives it; empty if it can no longer be read."""
    owner: str
    """Who asked for it; "" is the machine's own user."""
    address: str
    """From where, as visitors' limits know it; "" where that does not matter."""
    sweep: str
    """What runs that were submitted together have in common; "" for a single one."""
    device: str
    log: tuple[str, ...]
    """The trackers that its metrics also go to, see `pkpo.runs.trackers`."""
    status: str
    message: str
    """Why it ended, or what was unusual when it went on; one line."""
    step: int
    """The last update with an event."""
    metrics: dict[str, Any]
    """That event."""
    provenance: dict[str, Any]
    """Versions, device, pace, memory and so on of the worker that trained it last."""
    created: float
    queued: float
    started: float | None
    finished: float | None
    heartbeat: float | None
    stop_requested: float | None
    process: Process | None
    """The worker, while it runs."""

    @property
    def config(self) -> RunConfig:
        """The settings.

        Raises:
          ValueError: they are not, or no longer, those of a task.
        """
        if not self.settings:
            raise ValueError(f"the settings of run {self.id} are damaged")
        return run_config(**self.settings)


@dataclass(frozen=True, slots=True)
class Requests:
    """What a worker is asked to do before its next update."""

    stop: bool
    changes: list[Change]


def new_id() -> str:
    """An id that nothing has yet."""
    return secrets.token_hex(6)


def check_id(id: str) -> str:
    """The same id, if it is one; what passes can be part of a path.

    Raises:
      ValueError: it is not.
    """
    if not _ID.fullmatch(str(id)):
        raise ValueError(f"a run's id has 12 characters of 0-9 and a-f, got {str(id)[:40]!r}")
    return id


def check_transition(id: str, status: str, to: str) -> None:
    """Refuse a status that cannot follow.

    Raises:
      ValueError: naming both, and the statuses from which it can be reached.
    """
    if to not in TRANSITIONS[status]:
        sources = [name for name, targets in TRANSITIONS.items() if to in targets]
        raise ValueError(
            f"run {id} is {status} and cannot be {_VERBS.get(to, to)}: it must be "
            f"{' or '.join(sources)}"
        )


def fair_order(waiting: Sequence[tuple[str, str]], served: Mapping[str, float]) -> list[str]:
    """The order in which waiting runs start: owners in turn, each owner's runs as submitted.

    Args:
      waiting: ids and owners, in order of submission.
      served: when an owner's run was last started; whoever waits longest is next.
    """
    queues: dict[str, deque[str]] = {}
    for id, owner in waiting:
        queues.setdefault(owner, deque()).append(id)
    turns, turn, order = dict(served), max(served.values(), default=0.0), []
    while queues:
        owner = min(queues, key=lambda name: turns.get(name, -1.0))  # of equals, who asked first
        order.append(queues[owner].popleft())
        if not queues[owner]:
            del queues[owner]
        turn += 1.0
        turns[owner] = turn
    return order
