"""Which executor trains the runs: this machine, or a Ray cluster."""

from __future__ import annotations

from pkpo.runs.environment import ray_address
from pkpo.runs.executor import Executor, LocalExecutor
from pkpo.runs.ray_executor import RayExecutor
from pkpo.runs.store import Store


def make_executor(store: Store) -> Executor:
    """The executor that the environment asks for: PKPO_RAY_ADDRESS, or this machine.

    Raises:
      ValueError: a variable is not what it must be.
    """
    return RayExecutor(store, address) if (address := ray_address()) else LocalExecutor(store)
