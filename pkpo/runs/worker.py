"""A worker: the process that trains one run, stores its events, and obeys.

Started by an executor as `python -m pkpo worker ID`. SIGTERM stops it as gracefully as `runs stop`.
Events come first, then the checkpoint that follows them: what is lost when it is killed is computed
again, to the same numbers.
"""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from importlib import metadata
from typing import Any

import pkpo
from pkpo.config import WordProblemsConfig
from pkpo.runs import checkpoint
from pkpo.runs.environment import ROOT, positive
from pkpo.runs.executor import LocalExecutor
from pkpo.runs.process import Process
from pkpo.runs.run import NotOurs, Run, StoreError
from pkpo.runs.store import Store
from pkpo.training import BLOCK, Event, Loop

PATIENCE = 60.0  # seconds to wait for a database that is held by others
APPEND_SECONDS = 0.1  # events of so many seconds, or BLOCK, are stored together
CHECKPOINT_SECONDS = 2.0  # between checkpoints; PKPO_CHECKPOINT_SECONDS
RESERVE = 64 * 1024  # bytes kept free, so that on a full disk a worker can still say so
DTYPES = {WordProblemsConfig.task: "float32"}  # all others float64
PACKAGES = ("numpy", "scipy", "gymnasium", "safetensors", "torch", "transformers", "peft")


def main(id: str) -> int:
    """Train a claimed run; returns the exit status (1: it failed, 2: it is not ours to train)."""
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: stopping.append(number))
    process = Process.own()
    try:
        store = Store(timeout=PATIENCE)
        asked_for = store.run(id)
        run, count = store.begin(id, process, provenance(asked_for.task, asked_for.device))
    except (StoreError, ValueError) as reason:
        print(f"pkpo worker: {reason}", file=sys.stderr)
        return 2
    reserve = store.files(id) / "reserve"
    try:
        reserve.parent.mkdir(parents=True, exist_ok=True)
        reserve.write_bytes(bytes(RESERVE))
        stopped = train(store, run, count, process, lambda: bool(stopping))
        store.end(id, process, "stopped" if stopped else "finished")
    except NotOurs as reason:
        print(f"pkpo worker: {reason}", file=sys.stderr)
        return 2
    except Exception as reason:  # whatever it is, the run's page must say it
        reserve.unlink(missing_ok=True)
        traceback.print_exc()
        message = (str(reason).splitlines() or [type(reason).__name__])[0]
        store.end(id, process, "failed", message)
        return 1
    finally:
        reserve.unlink(missing_ok=True)
        LocalExecutor(store).reconcile()  # the next one starts though nobody may be watching
    return 0


def train(
    store: Store, run: Run, count: int, process: Process, told_to_stop: Callable[[], bool]
) -> bool:
    """Go on with a run until it is over or is to stop; returns whether it was to stop.

    Args:
      store: where it is.
      run: the run.
      count: how many of its events are stored. A checkpoint beyond them is not used, so that no
        event is ever missing.
      process: this one.
      told_to_stop: asked after every update.

    Raises:
      NotOurs, StoreError: see `Store.append`.
      ValueError: training diverged.
      CheckpointError: a checkpoint could not be written.
    """
    folder = store.files(run.id)
    loop = Loop(run.config, store.changes(run.id))
    state, problems = checkpoint.newest(folder, count)
    if state is not None:
        loop.load(state)
    if problems:
        store.note(run.id, f"{'; '.join(problems)}: it went on from update {loop.update}")
    interval = positive("PKPO_CHECKPOINT_SECONDS", CHECKPOINT_SECONDS)
    last = time.monotonic()
    asked = store.append(run.id, process, [], loop.update)
    while True:
        for change in asked.changes:
            loop.steer(change)
        stop = asked.stop or told_to_stop()
        over = loop.update > run.config.steps
        if over or stop or time.monotonic() - last > interval:
            checkpoint.write(folder, loop.state())
            last = time.monotonic()
        if over or stop:
            return not over
        block: list[Event] = []
        try:
            _fill(block, loop, told_to_stop)
        finally:  # what came before a divergence is worth keeping
            rows = [
                {"update": event.update, "k": event.k, **event.metrics}
                for event in (loop.complete(block) if block else [])
            ]
            upcoming = loop.update if loop.update <= run.config.steps else None
            details = {event.update: event.details for event in block if event.details}
            asked = store.append(run.id, process, rows, upcoming, details)


def _fill(block: list[Event], loop: Loop, told_to_stop: Callable[[], bool]) -> None:
    """Add the next events, as many as are to be stored together."""
    end = time.monotonic() + APPEND_SECONDS
    for event in loop:
        block.append(event)
        if len(block) == BLOCK or time.monotonic() > end or told_to_stop():
            return


def provenance(task: str, device: str) -> dict[str, Any]:
    """What a run's numbers may depend on besides its config."""
    return {
        "code": _commit() or pkpo.__version__,
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": device,
        "dtype": DTYPES.get(task, "float64"),
        "threads": int(os.environ.get("OMP_NUM_THREADS", "0")) or os.cpu_count(),
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _commit() -> str:
    """The commit that is checked out, "-dirty" behind it if files differ; "" outside a repository."""
    if not (ROOT / ".git").exists():
        return ""
    asked = ["git", "-C", str(ROOT), "describe", "--always", "--abbrev=40", "--dirty"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, timeout=10).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
