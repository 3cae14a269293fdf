"""The store and the executor that all visitors share, and runs that are read once for all."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import streamlit as st

from app.controls.markdown import problem_text
from pkpo.figures.run_curves import NOISY_MEAN_UPDATES, charted_metrics, smooth_if_noisy
from pkpo.runs import Run, Store, StoreError, data_folder, make_executor

ENGINE_PATIENCE = (
    2.0  # seconds to wait for another process that writes, while somebody looks at a page
)
FRESH_SECONDS = 0.3  # seconds for which one look serves all who ask
KEPT_RUNS = 192  # runs that are held; the largest sweep has 160
PACE = 5.0  # seconds over which updates per second are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSnapshot:
    """A run as it was at one moment; read-only."""

    at: float
    """Seconds since 1970, when it began to be read."""
    run: Run
    changes: int
    """How often it has been steered."""
    place: str
    """Its place in the queue, in words; "" where it does not wait."""
    curves: Mapping[str, np.ndarray]
    """What is drawn: "update" and metrics, float32 `[T]`; noisy ones as `progress.drawn` means them."""
    ends: Mapping[str, np.ndarray]
    """The last values of each metric as they are stored: what the next mean needs."""
    beats: tuple[tuple[float, int], ...]
    """Times, and the update that was reached then."""
    packed: dict[tuple, bytes] = field(default_factory=dict)
    """What has been made of it for those who ask."""

    @property
    def pace(self) -> float:
        """Updates per second of the last seconds; 0 where it is not known."""
        if len(self.beats) < 2:
            return 0.0
        (start, first), (end, last) = self.beats[0], self.beats[-1]
        return (last - first) / (end - start) if end > start else 0.0


class Engine:
    """One per data directory and server."""

    def __init__(self, folder: Path):
        self.store = Store(folder, timeout=ENGINE_PATIENCE)
        self.executor = make_executor(self.store)
        self._looking, self._reading = threading.Lock(), threading.Lock()
        self._looked = 0.0
        self._seen: OrderedDict[str, RunSnapshot] = OrderedDict()

    def look(self, now: bool = False) -> None:
        """Let the executor do its work; however many ask, not more often than once in `FRESH_SECONDS`.

        Args:
          now: do it in any case.

        Raises:
          StoreError: see `Executor.reconcile`.
        """
        with self._looking:
            if now or time.monotonic() - self._looked > FRESH_SECONDS:
                self._looked = time.monotonic()
                self.executor.reconcile()

    def snapshot(self, id: str) -> RunSnapshot:
        """A run, read anew if that was longer ago than `FRESH_SECONDS`.

        Raises:
          StoreError, ValueError: see `Store.events`.
        """
        with self._reading:
            held = self._seen.pop(id, None)
            if held is None or abs(time.time() - held.at) > FRESH_SECONDS:
                held = self._read(id, held)
            self._seen[id] = held
            while len(self._seen) > KEPT_RUNS:
                self._seen.popitem(last=False)
            return held

    def _read(self, id: str, held: RunSnapshot | None) -> RunSnapshot:
        at = time.time()
        run = self.store.run(id)  # first: of one that is over nothing will be missing
        curves = dict(held.curves) if held else {}
        ends = dict(held.ends) if held else {}
        news = self.store.events(id, after=int(curves["update"][-1]) if curves else -1)
        for name in ("update", *charted_metrics()):
            if name in news:
                before = ends.get(name, np.empty(0))
                values = np.concatenate([before, news[name]])
                ends[name] = values[-(NOISY_MEAN_UPDATES - 1) :]
                more = smooth_if_noisy(name, values)[len(before) :].astype(np.float32)
                curves[name] = np.concatenate([curves.get(name, np.empty(0, np.float32)), more])
        place = ""
        if run.status == "queued" and id in (queue := self.store.queue()):
            place = f"place {queue.index(id) + 1} of {len(queue)} in the queue"
        return RunSnapshot(
            at=at,
            run=run,
            changes=len(self.store.changes(id)),
            place=place,
            curves=curves,
            ends=ends,
            beats=_beats(run, held.beats if held else ()),
        )


def _beats(run: Run, before: tuple[tuple[float, int], ...]) -> tuple[tuple[float, int], ...]:
    """Signs of life of the last seconds, the newest last."""
    if run.status != "running" or not run.heartbeat:
        return ()
    if before and run.step <= before[-1][1]:
        return before
    beats = (*before, (run.heartbeat, run.step))
    return tuple(beat for beat in beats[:-2] if run.heartbeat - beat[0] < PACE) + beats[-2:]


@lru_cache(maxsize=4)
def _engine(folder: Path) -> Engine:
    return Engine(folder)


def engine() -> Engine:
    """The engine of this server's data directory.

    Raises:
      StoreError: the store cannot be opened.
    """
    return _engine(data_folder())


def reopen() -> None:
    """After a `StoreError`: once the store is repaired, it must be opened anew."""
    _engine.cache_clear()


@contextmanager
def explain_errors() -> Iterator[None]:
    """Say what is wrong with the store, a run's id or a wish, in one line."""
    try:
        yield
    except StoreError as reason:
        reopen()
        st.error(problem_text(reason), icon=":material/database_off:")
    except ValueError as reason:
        st.error(problem_text(reason), icon=":material/error:")
