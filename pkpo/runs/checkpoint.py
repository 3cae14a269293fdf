"""Checkpoints: a loop's state in a file that is either whole or known to be damaged.

A file is written under another name, brought to the disk and renamed; it carries a digest of its
arrays. The newest two are kept, so that there is one to go back to.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from pkpo.runs.environment import error_reason

KEPT_CHECKPOINTS = 2
_NAME = re.compile(r"update-(\d{1,12})\.safetensors")


class CheckpointError(Exception):
    """A checkpoint that cannot be written or used; says which and why."""


def write_checkpoint(folder: Path, state: Mapping[str, np.ndarray]) -> Path:
    """Keep a state, named by its "update", and forget all but the newest.

    Raises:
      CheckpointError: the disk is full, or the folder cannot be written.
    """
    arrays = {name: np.array(x, order="C") for name, x in state.items()}
    path = folder / f"update-{int(state['update'])}.safetensors"
    aside = path.with_suffix(".part")
    try:
        for left in folder.glob("*.part"):  # by a worker that was killed
            left.unlink(missing_ok=True)
        with aside.open("wb") as file:
            file.write(save(arrays, {"sha256": _digest(arrays)}))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        _sync(folder)
        for old in saved(folder)[KEPT_CHECKPOINTS:]:
            old.unlink(missing_ok=True)
    except OSError as reason:
        with suppress(OSError):
            aside.unlink(missing_ok=True)  # what is half a file takes room on a full disk
        raise CheckpointError(
            f"{path.name} could not be written ({error_reason(reason)})"
        ) from reason
    return path


def saved(folder: Path) -> list[Path]:
    """The checkpoints in a folder, newest first."""
    return sorted((p for p in folder.glob("*") if _NAME.fullmatch(p.name)), key=_update)[::-1]


def read_checkpoint(path: Path) -> dict[str, np.ndarray]:
    """The state in a file.

    Raises:
      CheckpointError: it is cut off, changed, or no checkpoint.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}
            digest = (file.metadata() or {}).get("sha256")
    except (SafetensorError, OSError, KeyError, ValueError) as reason:
        raise CheckpointError(f"{path.name} is damaged ({_line(reason)})") from reason
    if digest != _digest(arrays):
        raise CheckpointError(f"{path.name} is damaged (its contents have changed)")
    return arrays


def newest(folder: Path, at_most: int) -> tuple[dict[str, np.ndarray] | None, list[str]]:
    """The state to go on from, and what was wrong with newer ones.

    Args:
      folder: where the checkpoints are.
      at_most: the highest update that may come next; a checkpoint beyond it is passed over.

    Returns:
      The newest whole state, None if there is none.
    """
    problems: list[str] = []
    for path in saved(folder):
        if _update(path) > at_most:
            continue
        try:
            return read_checkpoint(path), problems
        except CheckpointError as reason:
            problems.append(str(reason))
    return None, problems


def newest_file(folder: Path) -> Path | None:
    """The newest whole checkpoint in a folder; None if there is none."""
    for path in saved(folder):
        try:
            read_checkpoint(path)
        except CheckpointError:
            continue
        return path
    return None


def _update(path: Path) -> int:
    found = _NAME.fullmatch(path.name)
    return int(found[1]) if found else -1


def _digest(arrays: Mapping[str, np.ndarray]) -> str:
    found = hashlib.sha256()
    for name in sorted(arrays):
        found.update(f"{name} {arrays[name].dtype} {arrays[name].shape}\n".encode())
        found.update(arrays[name].tobytes())
    return found.hexdigest()


def _sync(folder: Path) -> None:
    """Bring a rename to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _line(reason: Exception) -> str:
    return str(reason).splitlines()[0] if str(reason) else type(reason).__name__
