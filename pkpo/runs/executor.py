"""Executors: who brings queued runs to workers, and notices what became of them.

There is no daemon. Whoever is there, a page, the command line or a worker that has just finished, calls
`reconcile`; any number of processes may do so at the same time.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from pkpo.config import Change
from pkpo.runs.environment import ROOT, error_reason, is_full, read_positive
from pkpo.runs.process import Process
from pkpo.runs.run import Run
from pkpo.runs.store import Store
from pkpo.runs.trainer import LocalTrainer, Trainer

FAR_SILENCE = (
    600.0  # seconds without a sign of life after which a process elsewhere may be given up
)
START_GRACE = 30.0  # seconds that a claimed run may take to have a process at all
STOP_GRACE = 15.0  # seconds between asking a worker to stop and killing it; PKPO_STOP_GRACE
LOG = "worker.log"

THREADS = {
    name: "1"
    for name in (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    )
}
"""One thread per worker: two collapse where workers share cores."""


class Executor(Protocol):
    """The call behind which runs are trained, on this machine or on others."""

    def where(self, device: str) -> str:
        """Where runs of a device compute, in words."""

    def at_once(self, device: str) -> int:
        """How many runs of a device compute at the same time, as far as is known."""

    def reconcile(self) -> None:
        """Make the store and the world agree: mark what died, kill what would not stop, start what may.

        Cheap when nothing is to be done, and safe to call from many processes at once.

        Raises:
          StoreError: the store cannot be read or written.
        """

    def give_up(self, id: str) -> None:
        """Before a run is resumed: mark it as interrupted if its worker is elsewhere and long silent.

        A worker that cannot be seen from here, in another container or on another machine, is not
        known to be gone: only somebody who asks for it takes its run away, after `FAR_SILENCE`. If
        it comes back, it notices at its next update and ends.

        Raises:
          ValueError: there is no such run, or its worker, elsewhere, gave a sign of life lately.
          StoreError: the store cannot be read or written.
        """

    def trainer(
        self, run: Run, changes: Sequence[Change], state: Mapping[str, np.ndarray] | None
    ) -> Trainer:
        """What computes a run's updates; for its worker.

        Args:
          run: the run.
          changes: those that hold from updates which have been, or come next.
          state: where it goes on; None at the beginning.
        """


class LocalExecutor:
    """One worker process per run on this machine: as many as it has cores, one per accelerator.

    Args:
      store: where the runs are.
      slots: a device -> runs at the same time; default PKPO_WORKERS or the number of cores for "cpu".
        A device that is not named serves one.
      stop_grace: seconds that a worker has to stop; default PKPO_STOP_GRACE or `STOP_GRACE`.
    """

    def __init__(
        self,
        store: Store,
        slots: Mapping[str, int] | None = None,
        stop_grace: float | None = None,
    ):
        self.store = store
        self.slots = (
            {"cpu": read_positive("PKPO_WORKERS", cores())} if slots is None else dict(slots)
        )
        self.stop_grace = stop_grace or read_positive("PKPO_STOP_GRACE", STOP_GRACE)
        self._children: list[subprocess.Popen] = []

    def where(self, device: str) -> str:
        """See `Executor`."""
        return f"on this machine's {'CPU' if device == 'cpu' else 'GPU'}"

    def at_once(self, device: str) -> int:
        """See `Executor`."""
        return self.slots_now(self.store.runs(status="running")).get(device, 1)

    def reconcile(self) -> None:
        """See `Executor`."""
        self._children = [child for child in self._children if child.poll() is None]  # reaps
        running = self.store.runs(status="running")
        for run in running:
            self._look_after(run)
        slots = self.slots_now(running)
        lost = [run.id for run in running if _far(run) and _silence(run) > FAR_SILENCE]
        for id in self.store.claim(lambda device: slots.get(device, 1), lost):
            self._launch(id)

    def give_up(self, id: str) -> None:
        """See `Executor`."""
        run = self.store.run(id)
        if run.status != "running" or not _far(run):
            return
        silence = _silence(run)
        if silence <= FAR_SILENCE:
            raise ValueError(
                f"run {id} is running in another container or on another machine, whose worker gave a "
                f"sign of life {silence:.0f} s ago; it can be taken over after {FAR_SILENCE:.0f} s"
            )
        self.store.end(id, run.process, "interrupted", f"no sign of life for {silence:.0f} s")

    def trainer(
        self, run: Run, changes: Sequence[Change], state: Mapping[str, np.ndarray] | None
    ) -> Trainer:
        """See `Executor`."""
        return LocalTrainer(run.config, changes, state)

    def slots_now(self, running: Sequence[Run]) -> Mapping[str, int]:
        """How many runs each device serves now."""
        return self.slots

    def _look_after(self, run: Run) -> None:
        waited = time.time() - run.stop_requested if run.stop_requested else 0.0
        if run.process is not None and run.process.alive:
            if waited > self.stop_grace:
                _kill(run.process)
        elif self._gone(run, waited):
            if run.stop_requested:
                message = "ended by force, or gone before it could stop by itself"
                self.store.end(run.id, run.process, "stopped", message)
            else:
                message = "its worker is gone: killed, or the machine was restarted"
                said = last_line(self.store.files(run.id) / LOG)
                if said:
                    message += f"; it last said: {said}"
                elif is_full(self.store.folder):
                    message += "; it could say nothing: the disk is full"
                self.store.end(run.id, run.process, "interrupted", message)

    def _gone(self, run: Run, waited: float) -> bool:
        """Whether a run's worker, which is not seen, is no more.

        Args:
          run: the run.
          waited: seconds since it was asked to stop; 0 if it was not.
        """
        if run.process is None:
            return _silence(run) > START_GRACE
        if not _far(run):
            return True
        asked = run.process.before_restart or waited > self.stop_grace
        return asked and _silence(run) > FAR_SILENCE

    def _launch(self, id: str) -> None:
        folder, device = self.store.files(id), self.store.run(id).device
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / LOG).open("wb") as log:
                child = subprocess.Popen(
                    [sys.executable, "-m", "pkpo", "worker", id],
                    cwd=ROOT,
                    env=os.environ
                    | THREADS
                    | self.environment_of_worker()
                    | {"PKPO_DEVICE": device},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # it outlives whoever started it
                )
        except OSError as reason:
            self.store.end(
                id, None, "failed", f"its worker could not be started: {error_reason(reason)}"
            )
            return
        self._children.append(child)
        if process := Process.from_pid(child.pid):
            self.store.launched(id, process)

    def environment_of_worker(self) -> dict[str, str]:
        """What makes a worker's own call of `reconcile` do the same."""
        return {
            "PKPO_DATA_DIR": str(self.store.folder),
            "PKPO_WORKERS": str(self.slots.get("cpu", 1)),
            "PKPO_STOP_GRACE": str(self.stop_grace),
            "PKPO_RAY_ADDRESS": "",
        }


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def last_line(log: Path) -> str:
    """The last line of a log, shortened; "" if there is none."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return lines[-1][:200] if lines else ""


def _far(run: Run) -> bool:
    """Whether a run has a worker that cannot be seen from here."""
    return run.process is not None and not run.process.visible


def _silence(run: Run) -> float:
    """Seconds since a run's last sign of life; a clock that was put back is silence too."""
    return abs(time.time() - (run.heartbeat or 0.0))


def _kill(process: Process) -> None:
    try:
        os.kill(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # it went by itself, or it is somebody else's
