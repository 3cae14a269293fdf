"""Runs: what the store costs, how fast it is read, and four writers with twenty readers at once."""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from pkpo.runs import LocalExecutor, Store, worker
from pkpo.runs.process import Process
from pkpo.training.loop import train
from pkpo.training.recording import record_run
from pkpo.training.tasks.bandit import BanditConfig

STEPS = 10_000
WRITERS, READERS, POLL = 4, 20, 0.5
SMALLEST = {"STEPS": 20, "WRITERS": 1, "READERS": 2}


def _row(what: str, value: str) -> None:
    print(f"{what:<70}{value:>16}", flush=True)


def _wait(store: Store, ids: list[str]) -> None:
    local = LocalExecutor(store)
    while any(store.run(id).status in ("queued", "running") for id in ids):
        local.reconcile()
        time.sleep(0.05)
    assert all(store.run(id).status == "finished" for id in ids)


def _alone(folder: Path) -> None:
    """One run in the background, against the same training in this process."""
    config = BanditConfig(steps=STEPS)
    used = time.process_time()
    for _ in train(config):
        pass
    plain = time.process_time() - used
    _row(f"train, {STEPS} updates of the bandit: processor seconds", f"{plain:.2f}")
    store, process = Store(folder), Process.this_one()
    id = store.submit(config)
    store.claim(lambda device: 1)
    run, count = store.begin(id, process, {})
    store.files(id).mkdir(parents=True)
    used = time.process_time()
    worker.train_until_stopped(store, run, count, process, LocalExecutor(store), lambda: False)
    stored = time.process_time() - used
    _row("the same as a worker does it, with its store and checkpoints", f"{stored:.2f}")
    store.end(id, process, "finished")
    start = time.perf_counter()
    id = store.submit(config)
    _wait(store, [id])
    _row("the same from submission to the end, in a process of its own: s", _s(start))
    start = time.perf_counter()
    events = store.events(id)
    seconds = time.perf_counter() - start
    _row("reading all of its events at once: events/s", f"{(STEPS + 1) / seconds:,.0f}")
    want = record_run(config).columns
    assert all(np.array_equal(events[name], want[name]) for name in want)
    store.close()


def _together(folder: Path) -> None:
    """Several workers, and readers that ask for what is new, as a page does."""
    store = Store(folder)
    configs = [BanditConfig(steps=STEPS, seed=seed) for seed in range(WRITERS)]
    sweep = store.submit_together(configs)
    ids = [run.id for run in store.runs(sweep=sweep)]
    over, problems, polls, counts = threading.Event(), [], [], []

    def read(place: int) -> None:
        own, id, seen = Store(folder), ids[place % WRITERS], -1
        while True:
            last = over.is_set()
            start = time.perf_counter()
            try:
                new = own.events(id, after=seen).get("update", ())
            except Exception as reason:  # to be shown, whatever it is
                problems.append(str(reason))
                break
            polls.append(time.perf_counter() - start)
            seen += len(new)
            if last:
                break
            over.wait(POLL)
        counts.append(seen + 1)
        own.close()

    readers = [threading.Thread(target=read, args=(place,)) for place in range(READERS)]
    start = time.perf_counter()
    for reader in readers:
        reader.start()
    local = LocalExecutor(store, {"cpu": WRITERS})
    while any(store.run(id).status in ("queued", "running") for id in ids):
        local.reconcile()
        time.sleep(0.05)
    seconds = time.perf_counter() - start
    over.set()
    for reader in readers:
        reader.join()
    name = f"{WRITERS} workers at once, {READERS} readers every {POLL} s"
    _row(f"{name}: events stored/s", f"{WRITERS * (STEPS + 1) / seconds:,.0f}")
    _row(
        "  a reader's wait: median, worst ms", f"{_ms(statistics.median(polls))}, {_ms(max(polls))}"
    )
    lost = sum(STEPS + 1 - count for count in counts)
    _row("  events lost, errors", f"{lost}, {len(problems)}")
    store.close()


def _s(start: float) -> str:
    return f"{time.perf_counter() - start:.2f}"


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f}"


def main() -> None:
    """Print the table."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        _alone(Path(folder) / "alone")
        _together(Path(folder) / "together")
