"""Recorded runs, kept by their settings: what moved is trained, the rest is there already."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from dataclasses import fields

from pkpo.config import RunConfig
from pkpo.training.recording import Recording, continue_run, record_runs


class RunCache:
    """Recordings of the runs that were asked for last, bounded, for several threads; read-only.

    Runs that are missing are trained in lockstep. Of a single one whose schedule alone is new, only what
    follows the change is trained. The numbers are those that each run has alone, bit for bit.

    Args:
      size: recordings that are kept.
    """

    def __init__(self, size: int):
        self._size = size
        self._lock = threading.Lock()
        self._kept: dict[RunConfig, Recording] = {}
        self._newest: dict[
            Hashable, RunConfig
        ] = {}  # but for the schedule -> the last one asked for

    def record(self, configs: Sequence[RunConfig]) -> tuple[Recording, ...]:
        """The runs' recordings.

        Raises:
          ValueError: as `record_runs`.
        """
        with self._lock:
            known = {c: self._kept.pop(c) for c in dict.fromkeys(configs) if c in self._kept}
            missing = [c for c in dict.fromkeys(configs) if c not in known]
            near = self._newest.get(_unscheduled(missing[0])) if len(missing) == 1 else None
            like = self._kept.get(near) if near else None
            self._kept |= known  # the last ones to go
        if like is not None:
            trained = [continue_run(like, missing[0].schedule)]
        else:
            trained = list(record_runs(missing)) if missing else []
        found = known | dict(zip(missing, trained, strict=True))
        with self._lock:
            self._kept |= found
            for config in missing:
                self._newest.pop(_unscheduled(config), None)
                self._newest[_unscheduled(config)] = config
            _shorten(self._kept, self._size)
            _shorten(self._newest, self._size)
        return tuple(found[config] for config in configs)


def _unscheduled(config: RunConfig) -> Hashable:
    return config.task, *(
        getattr(config, field.name) for field in fields(config) if field.name != "schedule"
    )


def _shorten(store: dict, size: int) -> None:
    for key in list(store)[:-size]:
        del store[key]
