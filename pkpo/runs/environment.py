"""Environment variables: where runs are kept and computed, and how much may be asked for."""

from __future__ import annotations

import errno
import importlib.util
import math
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pkpo.config import RunConfig
from pkpo.training.tasks.registry import get_task

Number = TypeVar("Number", int, float)

ROOT = Path(__file__).resolve().parents[2]
"""The folder from which `python -m pkpo` finds this very package."""
ROOM = 64 * 1024  # bytes, without which a disk is full
_ADDRESS = re.compile(r"auto|[\w.-]+:\d{1,5}|\[[0-9a-fA-F:]+\]:\d{1,5}")


def data_folder() -> Path:
    """PKPO_DATA_DIR (`~` is one's home), or `data-runs` in the project's folder.

    Once installed, that is in the current folder.
    """
    if named := os.environ.get("PKPO_DATA_DIR"):
        return Path(os.path.expanduser(named)).absolute()
    return (ROOT if (ROOT / "pyproject.toml").exists() else Path.cwd()) / "data-runs"


def read_positive(name: str, default: Number) -> Number:
    """A variable's value, of the default's type; the default if it is not set.

    Raises:
      ValueError: it is not a number above 0.
    """
    text = os.environ.get(name)
    if text is None:
        return default
    try:
        value = type(default)(text)
        allowed = 0 < value < math.inf
    except ValueError:
        allowed = False
    if not allowed:
        kind = "whole number" if type(default) is int else "number"
        raise ValueError(f"{name} must be a {kind} above 0, got {text[:40]!r}")
    return value


def ray_address() -> str:
    """PKPO_RAY_ADDRESS, the Ray cluster that computes the runs; "" if this machine does.

    "auto" is the cluster that this machine is a node of, HOST:PORT the one with that head.

    Raises:
      ValueError: it is neither, or Ray is not installed.
    """
    address = os.environ.get("PKPO_RAY_ADDRESS", "")
    if address and not _ADDRESS.fullmatch(address):
        raise ValueError(f"PKPO_RAY_ADDRESS must be auto or HOST:PORT, got {address[:40]!r}")
    if address and importlib.util.find_spec("ray") is None:
        raise ValueError(
            f"PKPO_RAY_ADDRESS is {address[:40]}, but Ray is not installed: "
            "pip install 'pkpo-lab[ray]', or unset it"
        )
    return address


def run_device(config: RunConfig) -> str:
    """Where a run is to compute here: what its task says; nodes of a cluster choose by themselves.

    Raises:
      ValueError: PKPO_DEVICE or PKPO_RAY_ADDRESS is not what it must be.
    """
    return "cpu" if ray_address() else get_task(config.task).device(config)


def error_reason(reason: OSError) -> str:
    """Why a file could not be written, in a few words."""
    full = reason.errno in (errno.ENOSPC, errno.EDQUOT)
    return "the disk is full" if full else reason.strerror or str(reason)


def is_full(folder: Path) -> bool:
    """Whether a folder's disk has less than the database and a log need to say something."""
    try:
        return shutil.disk_usage(folder).free < ROOM
    except OSError:
        return False


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What visitors may ask for, so that nobody starves the others."""

    queued: int = 50
    """Runs of one owner that wait at the same time."""
    from_address: int = 50
    """Those from one network address: an owner is a browser, and can be another one at will."""
    in_all: int = 500
    """Those of all owners."""
    steps: int = 200_000
    """Updates of one run."""

    @classmethod
    def from_environment(cls) -> Limits:
        """The limits that PKPO_QUEUE_LIMIT, _ADDRESS and _TOTAL and PKPO_STEPS_LIMIT set.

        Where PKPO_QUEUE_ADDRESS says nothing, an address may have what one owner may.

        Raises:
          ValueError: one of them is not a whole number above 0.
        """
        queued = read_positive("PKPO_QUEUE_LIMIT", cls.queued)
        return cls(
            queued=queued,
            from_address=read_positive("PKPO_QUEUE_ADDRESS", queued),
            in_all=read_positive("PKPO_QUEUE_TOTAL", cls.in_all),
            steps=read_positive("PKPO_STEPS_LIMIT", cls.steps),
        )
