"""A run as one object, and as one file: settings, curves, details and origin, wherever it was kept."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pkpo.config import Change
from pkpo.runs.store import Store
from pkpo.training.tasks.registry import run_config

CURVE_DIGITS = 6
"""Significant digits of a curve in a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What is known of a run that has begun."""

    config: Any
    """The task's subclass of `RunConfig`."""
    changes: tuple[Change, ...]
    """How it was steered."""
    columns: Mapping[str, np.ndarray]
    """"update", "k" and every metric, `[T]` each."""
    details: Mapping[int, Mapping[str, Any]]
    """By update, where there are any; see the task."""
    provenance: Mapping[str, Any]
    """Its id, versions, device and so on; of a run that is over also "finished", when (seconds since
    1970), and "seconds", from its start."""

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def final(self, name: str) -> float:
        """A metric of the trained policy."""
        return float(self.columns[name][-1])


def load_record(store: Store, id: str) -> RunRecord:
    """A run in a store.

    Raises:
      StoreError, ValueError: see `Store`.
    """
    run = store.run(id)
    times = {}
    if run.finished and run.started:
        times = {"finished": run.finished, "seconds": run.finished - run.started}
    return RunRecord(
        config=run.config,
        changes=tuple(store.changes(id)),
        columns=store.events(id),
        details=store.details(id),
        provenance={"id": id} | run.provenance | times,
    )


def write_record(record: RunRecord, path: Path, leave_out: Sequence[str] = ()) -> None:
    """Write a file that `read_record` understands; curves have `CURVE_DIGITS` significant digits.

    Args:
      record: the run.
      path: where to; the name should end in .json.gz.
      leave_out: kinds of details that are not wanted.
    """
    columns = {
        name: [float(f"{x:.{CURVE_DIGITS}g}") for x in curve]
        for name, curve in record.columns.items()
    }
    details = {
        update: kept
        for update, found in record.details.items()
        if (kept := {kind: x for kind, x in found.items() if kind not in leave_out})
    }
    changes = [[c.update, c.k, c.learning_rate] for c in record.changes]
    whole = {
        "config": record.config.to_dict(),
        "changes": changes,
        "columns": columns,
        "details": details,
        "provenance": record.provenance,
    }
    text = json.dumps(whole, separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), mtime=0))  # the same run makes the same file


def read_record(path: Path) -> RunRecord:
    """Read what `write_record` wrote.

    Raises:
      OSError: there is no such file.
      ValueError: it is something else.
    """
    try:
        whole = json.loads(gzip.decompress(path.read_bytes()))
        changes = [Change(update=u, k=k, learning_rate=rate) for u, k, rate in whole["changes"]]
        return RunRecord(
            config=run_config(**whole["config"]),
            changes=tuple(changes),
            columns={name: np.array(curve) for name, curve in whole["columns"].items()},
            details={int(update): found for update, found in whole["details"].items()},
            provenance=whole["provenance"],
        )
    except (EOFError, gzip.BadGzipFile, ValueError, KeyError, TypeError) as reason:
        raise ValueError(f"{path} is not the record of a run ({reason})") from None
