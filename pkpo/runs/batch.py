"""Submit configs, wait for all of them, return their records."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from pkpo.config import RunConfig
from pkpo.runs.executor import Executor
from pkpo.runs.executors import make_executor
from pkpo.runs.records import RunRecord, load_record
from pkpo.runs.run import TRANSITIONS, Run
from pkpo.runs.store import Store

POLL_SECONDS = 0.5  # seconds between looks


def run_all(
    store: Store, configs: Sequence[RunConfig], progress: Callable[[float], object] = lambda _: None
) -> list[RunRecord]:
    """Train every config in workers, as many at a time as there is room for.

    A run that the store already has, of the same settings and not steered, is taken up: a finished
    one as it is, another where it stands. So what was broken off goes on when it is asked for again.

    Args:
      store: where the runs are kept.
      configs: what to train; all different.
      progress: is told the share of all updates that are done, now and then.

    Returns:
      A record for each config.

    Raises:
      ValueError: a run failed, or somebody stopped or steered it.
      KeyboardInterrupt: the runs were stopped for it, to go on when they are asked for again.
      StoreError: see `Store`.
    """
    executor = make_executor(store)
    ids = _begin(store, executor, configs)
    total = sum(config.steps for config in configs)
    try:
        while True:
            executor.reconcile()
            runs = [store.run(id) for id in ids]
            for run in runs:
                if run.status in ("failed", "stopped"):
                    reason = run.message or "no reason given"
                    raise ValueError(f"run {run.id} {run.status}: {reason}")
                if run.status == "interrupted":
                    store.resume(run.id)
            progress(sum(run.step for run in runs) / total)
            if all(run.status == "finished" for run in runs):
                break
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        _stop(store, executor, ids)
        raise
    records = [load_record(store, id) for id in ids]
    if steered := [id for id, record in zip(ids, records, strict=True) if record.changes]:
        raise ValueError(f"run {steered[0]} was steered, so it is not what was asked for")
    return records


def _begin(store: Store, executor: Executor, configs: Sequence[RunConfig]) -> list[str]:
    """Queue what is not finished or under way; the ids of all."""
    known, ids = _unsteered(store, configs), []
    for config in configs:
        run = known.get(config)
        if run is not None:
            with suppress(ValueError):  # its worker is elsewhere, and lives
                executor.give_up(run.id)
        if run is not None and "queued" in TRANSITIONS[run.status]:
            store.resume(run.id)
        ids.append(store.submit(config) if run is None else run.id)
    return ids


def _stop(store: Store, executor: Executor, ids: Sequence[str]) -> None:
    """Stop the runs that are not over, and wait for them."""
    for id in reversed(ids):  # those that wait first: none of them is to start meanwhile
        if store.run(id).status in ("queued", "running"):
            store.stop(id)
    while any(store.run(id).status == "running" for id in ids):
        executor.reconcile()
        time.sleep(POLL_SECONDS)


def _unsteered(store: Store, configs: Sequence[RunConfig]) -> dict[RunConfig, Run]:
    """For each config a run in the store that went as it says, the one that is furthest."""
    order = ("stopped", "interrupted", "queued", "running", "finished")
    found: dict[RunConfig, Run] = {}
    for run in sorted(
        store.runs(status=order), key=lambda run: (order.index(run.status), run.step)
    ):
        with suppress(ValueError):  # settings of another version of this program
            if run.config in configs and not store.changes(run.id):
                found[run.config] = run
    return found
