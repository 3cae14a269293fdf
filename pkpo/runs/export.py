"""A run as files: its metrics as CSV and Parquet, its settings as JSON, its newest checkpoint."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pkpo.columns import FORMATS
from pkpo.config import Change
from pkpo.runs import checkpoint
from pkpo.runs.run import Run
from pkpo.runs.store import Store


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


def write_metrics(
    columns: Mapping[str, np.ndarray], out: Path, name: str
) -> tuple[list[Path], str]:
    """Write a run's metrics into a folder in every format that can be written here.

    Args:
      columns: as `Store.events` or `Recording.columns` give them.
      out: the folder.
      name: the files', without their ending.

    Returns:
      The files; and why one was left out, "" if none was.

    Raises:
      OSError: the folder cannot be written.
    """
    files, problem = [], ""
    for form in FORMATS.values():
        try:
            content = form.write(columns)
        except ValueError as reason:
            problem = str(reason)
            continue
        files.append(out / f"{name}.{form.ending}")
        files[-1].write_bytes(content)
    return files, problem


def export_run(store: Store, id: str, out: Path) -> tuple[list[Path], str]:
    """Write a run's files into a folder, which is made if it is missing.

    Returns:
      The files; and why one was left out, "" if none was.

    Raises:
      OSError: the folder cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    files, problem = write_metrics(store.events(id), out, id)
    files.append(out / f"{id}.json")
    settings = settings_json(store.run(id), store.changes(id))
    files[-1].write_text(settings, encoding="utf-8")
    if (source := checkpoint.newest_file(store.files(id))) is not None:
        files.append(out / f"{id}.safetensors")
        shutil.copyfile(source, files[-1])
    return files, problem
