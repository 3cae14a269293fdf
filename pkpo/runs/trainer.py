"""Trainers: a run's loop, advanced by as many updates at a time as are stored together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from pkpo.config import Change, RunConfig
from pkpo.runs.provenance import peak_memory
from pkpo.training.loop import BLOCK, Event, Loop

BLOCK_SECONDS = 0.1  # a block has so many seconds' events, or BLOCK


@dataclass(frozen=True, slots=True)
class Block:
    """Updates that follow one another."""

    rows: list[dict[str, Any]]
    """As `Store.append` takes them."""
    details: dict[int, dict[str, Any]]
    """By update, where there are any."""
    upcoming: int
    """The update after them; steps + 1 when the run is over."""
    failure: Exception | None
    """Why no other will follow, such as a divergence."""


class Trainer(Protocol):
    """What computes a run's updates, in the worker's own process or elsewhere."""

    update: int
    """The one with which it goes on."""

    def advance(self, changes: Sequence[Change], told_to_stop: Callable[[], bool]) -> Block:
        """The next updates.

        Args:
          changes: hold from the next update on.
          told_to_stop: asked after every update, where it can be; ends the block early.

        Raises:
          Interrupted: what computes them is gone.
        """

    def state(self) -> dict[str, np.ndarray]:
        """What a checkpoint keeps, see `Loop.state`."""

    def cost(self) -> dict[str, float]:
        """Updates per second so far, and `peak_memory`."""


class LocalTrainer:
    """Computes in this process.

    Args:
      config: the run's.
      changes: those of its updates so far.
      state: where it goes on; None at the beginning.
    """

    def __init__(
        self,
        config: RunConfig,
        changes: Sequence[Change],
        state: Mapping[str, np.ndarray] | None,
    ):
        self._loop = Loop(config, changes)
        if state is not None:
            self._loop.load(state)
        self.update = self._loop.update
        self._begun = time.monotonic()

    def advance(
        self, changes: Sequence[Change], told_to_stop: Callable[[], bool] = lambda: False
    ) -> Block:
        """See `Trainer`."""
        for change in changes:
            self._loop.steer(change)
        events: list[Event] = []
        failure = None
        end = time.monotonic() + BLOCK_SECONDS
        try:
            for event in self._loop:
                events.append(event)
                if len(events) == BLOCK or time.monotonic() > end or told_to_stop():
                    break
        except Exception as reason:  # what came before a divergence is worth keeping
            failure = reason
        rows = [
            {"update": event.update, "k": event.k, **event.metrics}
            for event in (self._loop.complete(events) if events else [])
        ]
        details = {event.update: event.details for event in events if event.details}
        return Block(rows, details, self._loop.update, failure)

    def state(self) -> dict[str, np.ndarray]:
        """See `Trainer`."""
        return self._loop.state()

    def cost(self) -> dict[str, float]:
        """See `Trainer`."""
        rate = (self._loop.update - self.update) / (time.monotonic() - self._begun)
        return {"updates_per_second": float(f"{rate:.3g}"), **peak_memory()}
