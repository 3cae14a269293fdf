"""A run as files: its metrics as CSV, its settings as JSON, its newest checkpoint."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pkpo.config import Change
from pkpo.runs import checkpoint
from pkpo.runs.run import Run
from pkpo.runs.store import Store


def metrics_csv(columns: Mapping[str, np.ndarray]) -> str:
    """Curves as `Store.events` gives them, one row per event."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows(zip(*(curve.tolist() for curve in columns.values()), strict=True))
    return out.getvalue()


def settings_json(run: Run, changes: Sequence[Change]) -> str:
    """Config and changes, from which `replay_run` gives the same numbers, and their origin."""
    return json.dumps(
        {
            "id": run.id,
            "name": run.name,
            "status": run.status,
            "step": run.step,
            "config": run.settings,
            "changes": [dataclasses.asdict(change) for change in changes],
            "provenance": run.provenance,
        },
        indent=2,
    )


def export_run(store: Store, id: str, out: Path) -> list[Path]:
    """Write a run's files into a folder, which is made if it is missing; returns them.

    Raises:
      OSError: the folder cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    files = [out / f"{id}.csv", out / f"{id}.json"]
    files[0].write_text(metrics_csv(store.events(id)), encoding="utf-8")
    settings = settings_json(store.run(id), store.changes(id))
    files[1].write_text(settings, encoding="utf-8")
    if (source := checkpoint.newest_file(store.files(id))) is not None:
        files.append(out / f"{id}.safetensors")
        shutil.copyfile(source, files[-1])
    return files
