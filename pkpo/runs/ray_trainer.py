"""Training on a Ray cluster, seen from the worker process that drives it.

Only the updates are computed on the cluster: the worker writes the store and the checkpoints, and hears
of changes and stops. Its counterpart is an actor, which computes a block of updates when it is asked
for one, rather than a task that streams its events, which would run ahead: no update is ever computed
that a change should have been in. When the worker is gone, Ray ends the actor; when the actor is gone,
the run is interrupted, and can go on from its last checkpoint.
"""

from __future__ import annotations

import logging
import os
import platform
import socket
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import ray
from ray.exceptions import RayActorError, RayTaskError

import pkpo
from pkpo.config import Change
from pkpo.plugins import load_plugins
from pkpo.runs.provenance import CLUSTER_CPUS, provenance
from pkpo.runs.run import Interrupted, Run
from pkpo.runs.trainer import Block, LocalTrainer

CONNECT_SECONDS = 30.0  # in which a cluster must answer
PLACE_SECONDS = 300.0  # in which it must have a CPU free


class RayTrainer:
    """Computes in an actor of a cluster, on one CPU; see `Trainer`.

    Args:
      address: the cluster's, see `ray_address`.
      run, changes, state: see `Executor.trainer`.

    Attributes:
      provenance: what the numbers depend on there.

    Raises:
      ConnectionError: the cluster does not answer, or has no CPU free.
      ImportError: the cluster does not have this package.
      Interrupted: the actor is gone.
      ValueError: the cluster has another version of this package, or cannot train such a run.
    """

    def __init__(
        self,
        address: str,
        run: Run,
        changes: Sequence[Change],
        state: Mapping[str, np.ndarray] | None,
    ):
        _join(address)
        self._node = f"the Ray cluster at {address}"
        # The number of CPUs, given, also sets the number of threads: one, as in every worker.
        on_a_node: Any = ray.remote(num_cpus=1)(_Actor)
        self._actor = on_a_node.options(name=run.id).remote()
        begun = self._actor.begin.remote(pkpo.__version__, run, changes, state)
        if not ray.wait([begun], timeout=PLACE_SECONDS)[0]:
            raise ConnectionError(f"{self._node} had no CPU free for {PLACE_SECONDS:g} s")
        self.update, found = self._result(begun)
        cpus = int(ray.cluster_resources().get("CPU", 1))
        self.provenance: dict[str, Any] = {**found, CLUSTER_CPUS: cpus}
        self._node = f"node {found['node']}"

    def advance(self, changes: Sequence[Change], told_to_stop: Callable[[], bool]) -> Block:
        """See `Trainer`; a stop waits for the block, which is short."""
        return self._result(self._actor.advance.remote(changes))

    def state(self) -> dict[str, np.ndarray]:
        """See `Trainer`."""
        return self._result(self._actor.state.remote())

    def cost(self) -> dict[str, float]:
        """See `Trainer`; of the process on the node."""
        return self._result(self._actor.cost.remote())

    def _result(self, asked: ray.ObjectRef) -> Any:
        try:
            return ray.get(asked)
        except RayTaskError as reason:
            raise reason.cause from reason
        except RayActorError as reason:
            if reason.actor_init_failed:
                last = str(reason).splitlines()[-1]
                raise ImportError(f"{self._node} cannot use pkpo-lab: {last}") from reason
            raise Interrupted(
                f"its process on {self._node} no longer answers: killed, or the node is gone"
            ) from reason


class _Actor:
    """What runs on a node."""

    def begin(
        self,
        version: str,
        run: Run,
        changes: Sequence[Change],
        state: Mapping[str, np.ndarray] | None,
    ) -> tuple[int, dict[str, Any]]:
        """Make ready; returns the next update, and what its numbers depend on here."""
        if pkpo.__version__ != version:
            raise ValueError(
                f"node {platform.node()} has version {pkpo.__version__} of pkpo-lab, "
                f"it must be {version} as where the run was started"
            )
        load_plugins()
        self._trainer = LocalTrainer(run.config, changes, state)
        found = provenance(run.task, run.device)
        found["packages"]["ray"] = ray.__version__
        return self._trainer.update, {**found, "node": platform.node(), "process": os.getpid()}

    def advance(self, changes: Sequence[Change]) -> Block:
        """See `LocalTrainer`."""
        block = self._trainer.advance(changes)
        if block.failure is not None:  # what has no traceback any more once it has travelled
            block.failure.add_note("".join(traceback.format_exception(block.failure)))
        return block

    def state(self) -> dict[str, np.ndarray]:
        """See `LocalTrainer`."""
        return self._trainer.state()

    def cost(self) -> dict[str, float]:
        """See `LocalTrainer`."""
        return self._trainer.cost()


def _join(address: str) -> None:
    """Make this process a driver of a cluster, or give up in time: Ray itself tries for minutes."""
    unreachable = f"no Ray cluster answers at {address} (PKPO_RAY_ADDRESS)"
    if address != "auto":
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
        except (OSError, OverflowError) as reason:
            raise ConnectionError(f"{unreachable}: {reason}") from None
    problems: list[Exception] = []

    def connect() -> None:
        try:
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
        except Exception as reason:
            problems.append(reason)

    # In a thread of its own it can be given up, and leaves this process's signal handlers alone.
    connecting = threading.Thread(target=connect, daemon=True)
    connecting.start()
    connecting.join(CONNECT_SECONDS)
    if problems:
        said = " ".join(str(problems[0]).split()).partition(". ")[0]
        refused = f"the Ray cluster at {address} (PKPO_RAY_ADDRESS) cannot be joined"
        silent = isinstance(problems[0], ConnectionError)
        raise ConnectionError(f"{unreachable if silent else refused}: {said}") from problems[0]
    if connecting.is_alive():
        raise ConnectionError(f"{unreachable} within {CONNECT_SECONDS:g} s")
