"""The executor whose updates are computed on a Ray cluster."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np

from pkpo.config import Change
from pkpo.runs.environment import read_positive
from pkpo.runs.executor import LocalExecutor
from pkpo.runs.provenance import CLUSTER_CPUS
from pkpo.runs.run import Run
from pkpo.runs.store import Store
from pkpo.runs.trainer import Trainer


class RayExecutor(LocalExecutor):
    """One worker process per run on this machine, whose updates are computed on a Ray cluster.

    Runs at the same time: PKPO_WORKERS, or as many as the cluster has CPUs. How many these are, a worker
    notes in its run's provenance once it has met the cluster; while nobody has, one run goes alone.

    Args:
      store: where the runs are.
      address: the cluster's, see `ray_address`.
    """

    def __init__(self, store: Store, address: str):
        limited = "PKPO_WORKERS" in os.environ
        super().__init__(store, {"cpu": read_positive("PKPO_WORKERS", 1)} if limited else {})
        self.address = address
        self._cpus = 1  # that this process has met itself

    def where(self, device: str) -> str:
        """See `Executor`."""
        return f"on the Ray cluster at {self.address}"

    def trainer(
        self, run: Run, changes: Sequence[Change], state: Mapping[str, np.ndarray] | None
    ) -> Trainer:
        """See `Executor`."""
        from pkpo.runs.ray_trainer import RayTrainer

        self.store.note(run.id, f"waits for a CPU of the Ray cluster at {self.address}")
        trainer = RayTrainer(self.address, run, changes, state)
        self.store.describe(run.id, trainer.provenance)
        self._cpus = trainer.provenance[CLUSTER_CPUS]
        return trainer

    def slots_now(self, running: Sequence[Run]) -> Mapping[str, int]:
        """See `LocalExecutor`."""
        noted = (run.provenance.get(CLUSTER_CPUS, 1) for run in running)
        return self.slots or {"cpu": max([self._cpus, *noted])}

    def environment_of_worker(self) -> dict[str, str]:
        """See `LocalExecutor`."""
        settings = super().environment_of_worker() | {"PKPO_RAY_ADDRESS": self.address}
        if not self.slots:
            del settings["PKPO_WORKERS"]
        return settings
