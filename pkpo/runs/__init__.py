"""Runs: long work that survives, queues, compares and can be steered.

A run is data in a `Store`; an `Executor` brings queued runs to worker processes, one each, which compute
on this machine or on a Ray cluster.

    store = Store()
    executor = make_executor(store)
    id = store.submit(BanditConfig(steps=10_000))
    executor.reconcile()             # now and then: starts what may start, notices what died
    store.run(id).status             # queued, running, finished, stopped, interrupted, failed
    store.events(id, after=500)      # curves by name, as `Recording.columns`
    store.steer(id, k=2)             # from its next update on
"""

from pkpo.runs.environment import Limits, data_folder
from pkpo.runs.executor import Executor, LocalExecutor
from pkpo.runs.executors import make_executor
from pkpo.runs.ray_executor import RayExecutor
from pkpo.runs.run import STATUSES, Run, StoreError
from pkpo.runs.store import Store

__all__ = [
    "Executor",
    "Limits",
    "LocalExecutor",
    "RayExecutor",
    "Run",
    "STATUSES",
    "Store",
    "StoreError",
    "data_folder",
    "make_executor",
]
