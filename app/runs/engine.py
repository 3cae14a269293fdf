"""The store and the executor that all visitors share, and curves that are read once for all."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np
import streamlit as st

from app.controls import plain
from pkpo.figures.progress import DRAWN, WINDOW, drawn
from pkpo.runs import Run, Store, StoreError, data_folder, make_executor

PATIENCE = 2.0  # seconds to wait for another process that writes, while somebody looks at a page
POLL = 0.7  # seconds between looks at runs that go on
KEPT = 64  # runs whose curves are held
PACE = 5.0  # seconds over which updates per second are counted


class Engine:
    """One per data directory and server."""

    def __init__(self, folder: Path):
        self.store = Store(folder, timeout=PATIENCE)
        self._executor = make_executor(self.store)
        self._looking, self._reading = threading.Lock(), threading.Lock()
        self._looked = 0.0
        self._curves: OrderedDict[str, dict[str, np.ndarray]] = OrderedDict()
        self._ends: dict[tuple[str, str], np.ndarray] = {}
        """Per run and metric, the last values as they are stored: what the next mean needs."""
        self._paces: dict[str, deque[tuple[float, int]]] = {}

    def look(self, now: bool = False) -> None:
        """Let the executor do its work; however many ask, not more often than pages are drawn.

        Args:
          now: do it in any case.

        Raises:
          StoreError: see `Executor.reconcile`.
        """
        if now or time.monotonic() - self._looked > POLL / 2:
            with self._looking:
                self._looked = time.monotonic()
                self._executor.reconcile()

    def curves(self, id: str) -> Mapping[str, np.ndarray]:
        """What is drawn of a run: "update" and metrics, float32 `[T]`; read-only.

        Noisy metrics are means of the last updates, see `progress.drawn`.

        Raises:
          StoreError, ValueError: see `Store.events`.
        """
        with self._reading:
            known = self._curves.pop(id, {})
            last = int(known["update"][-1]) if known else -1
            news = self.store.events(id, after=last)
            for name in ("update", *DRAWN):
                if name in news:
                    old = known.get(name, np.empty(0, np.float32))
                    before = self._ends.get((id, name), np.empty(0))
                    values = np.concatenate([before, news[name]])
                    self._ends[id, name] = values[-(WINDOW - 1) :]
                    more = drawn(name, values)[len(before) :].astype(np.float32)
                    known[name] = np.concatenate([old, more])
            if known:
                self._curves[id] = known
            while len(self._curves) > KEPT:
                gone, _ = self._curves.popitem(last=False)
                self._ends = {at: end for at, end in self._ends.items() if at[0] != gone}
            return dict(known)

    def pace(self, run: Run) -> float | None:
        """Updates per second of the last seconds; None where it is not known."""
        with self._reading:
            if run.status != "running":
                self._paces.pop(run.id, None)
                return None
            seen = self._paces.setdefault(run.id, deque())
            if run.heartbeat and (not seen or run.step > seen[-1][1]):
                seen.append((run.heartbeat, run.step))
            while len(seen) > 2 and seen[-1][0] - seen[0][0] > PACE:
                seen.popleft()
            (start, first), (end, last) = (seen[0], seen[-1]) if seen else ((0.0, 0), (0.0, 0))
        return (last - first) / (end - start) if end > start else None


@lru_cache(maxsize=4)
def _engine(folder: Path) -> Engine:
    return Engine(folder)


def engine() -> Engine:
    """The engine of this server's data directory.

    Raises:
      StoreError: the store cannot be opened.
    """
    return _engine(data_folder())


@contextmanager
def explained() -> Iterator[None]:
    """Say what is wrong with the store, a run's id or a wish, in one line."""
    try:
        yield
    except StoreError as reason:
        _engine.cache_clear()  # once it is repaired, it must be opened anew
        st.error(plain(str(reason)), icon=":material/database_off:")
    except ValueError as reason:
        st.error(plain(str(reason)), icon=":material/error:")
