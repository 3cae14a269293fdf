"""A worker: the process that trains one run, stores its events, and obeys.

Started by an executor as `python -m pkpo worker ID`. SIGTERM stops it as gracefully as `runs stop`.
Events come first, then the checkpoint that follows them: what is lost when it is killed is computed
again, to the same numbers.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

from pkpo.runs import checkpoint
from pkpo.runs.environment import error_reason, read_positive
from pkpo.runs.executor import Executor
from pkpo.runs.executors import make_executor
from pkpo.runs.process import Process
from pkpo.runs.provenance import provenance
from pkpo.runs.run import Interrupted, NotOurs, Run, StoreError
from pkpo.runs.store import Store
from pkpo.runs.trackers import MetricsLog, TrackedRun, rows_of

STORE_RETRY_SECONDS = 60.0  # seconds to wait for a database that is held by others
BEAT = 1.0  # seconds between signs of life, however long an update takes
CHECKPOINT_SECONDS = 2.0  # between checkpoints; PKPO_CHECKPOINT_SECONDS
RESERVE = 64 * 1024  # bytes kept free, so that on a full disk a worker can still say so


def main(id: str) -> int:
    """Train a claimed run; returns the exit status (1: it failed, 2: it is not ours to train)."""
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: stopping.append(number))
    process = Process.this_one()
    try:
        store = Store(timeout=STORE_RETRY_SECONDS)
        executor = make_executor(store)
        asked_for = store.run(id)
        run, count = store.begin(id, process, provenance(asked_for.task, asked_for.device))
    except (StoreError, ValueError) as reason:
        print(f"pkpo worker: {reason}", file=sys.stderr)
        return 2
    reserve = store.files(id) / "reserve"
    try:
        reserve.parent.mkdir(parents=True, exist_ok=True)
        reserve.write_bytes(bytes(RESERVE))
        with _beating(store, id, process):
            stopped = train_until_stopped(
                store, run, count, process, executor, lambda: bool(stopping)
            )
        store.end(id, process, "stopped" if stopped else "finished")
    except NotOurs as reason:
        print(f"pkpo worker: {reason}", file=sys.stderr)
        return 2
    except Interrupted as reason:
        traceback.print_exc()
        store.end(id, process, "interrupted", str(reason))
        return 1
    except Exception as reason:  # whatever it is, the run's page must say it
        reserve.unlink(missing_ok=True)
        traceback.print_exc()
        store.end(id, process, "failed", _failure_message(reason))
        return 1
    finally:
        reserve.unlink(missing_ok=True)
        executor.reconcile()  # the next one starts though nobody may be watching
    return 0


@contextmanager
def _beating(store: Store, id: str, process: Process) -> Iterator[None]:
    """Give signs of life meanwhile, from a thread of its own: those who cannot see us go by them."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(BEAT):
            with suppress(StoreError):  # whoever trains meets it too, and says it
                store.beat(id, process)

    thread = threading.Thread(target=beat, name="beat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _failure_message(reason: Exception) -> str:
    """Why training failed, in one line."""
    if isinstance(reason, OSError) and reason.filename:
        return f"{reason.filename} could not be written: {error_reason(reason)}"
    if isinstance(reason, OSError) and reason.errno:
        return f"its files could not be written: {error_reason(reason)}"
    return (str(reason).splitlines() or [type(reason).__name__])[0]


def train_until_stopped(
    store: Store,
    run: Run,
    count: int,
    process: Process,
    executor: Executor,
    told_to_stop: Callable[[], bool],
) -> bool:
    """Go on with a run until it is over or is to stop; returns whether it was to stop.

    Args:
      store: where it is.
      run: the run.
      count: how many of its events are stored. A checkpoint beyond them is not used, so that no
        event is ever missing.
      process: this one.
      executor: says where the updates are computed.
      told_to_stop: asked between updates, see `Trainer.advance`.

    Raises:
      NotOurs, StoreError: see `Store.append`.
      Interrupted: what computed the updates is gone.
      ValueError: training diverged.
      CheckpointError: a checkpoint could not be written.
    """
    folder = store.files(run.id)
    state, problems = checkpoint.newest(folder, count)
    trainer = executor.trainer(run, store.changes(run.id), state)
    update = trainer.update
    said = [f"{'; '.join(problems)}: it went on from update {update}"] if problems else []
    store.note(run.id, "".join(said))
    tracked = TrackedRun(task=run.task, id=run.id, config=run.settings, folder=store.folder)
    with closing(
        MetricsLog(run.log, tracked, lambda also: store.note(run.id, "; ".join([*said, *also])))
    ) as log:
        if run.log:  # begun anew, with what is known of the run
            log.log(rows_of(store.events(run.id)))
            store.describe(run.id, {"logged_to": "; ".join(log.lines)})
        interval = read_positive("PKPO_CHECKPOINT_SECONDS", CHECKPOINT_SECONDS)
        last = time.monotonic()
        asked = store.append(run.id, process, [], update)
        while True:
            stop = asked.stop or told_to_stop()
            over = update > run.config.steps
            if over or stop or time.monotonic() - last > interval:
                checkpoint.write_checkpoint(folder, trainer.state())
                store.describe(run.id, trainer.cost())
                last = time.monotonic()
            if over or stop:
                return not over
            block = trainer.advance(asked.changes, told_to_stop)
            update = block.upcoming
            upcoming = update if update <= run.config.steps else None
            asked = store.append(run.id, process, block.rows, upcoming, block.details)
            log.log(block.rows)
            if block.failure is not None:
                raise block.failure
