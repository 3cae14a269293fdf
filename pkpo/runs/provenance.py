"""What a run's numbers may depend on besides its config, and what computing them takes."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
from importlib import metadata
from typing import Any

import pkpo
from pkpo.runs.environment import ROOT
from pkpo.training.tasks.registry import get_task

CLUSTER_CPUS = "cluster_cpus"  # in the provenance of a run on a cluster
PACKAGES = ("numpy", "scipy", "gymnasium", "safetensors", "torch", "transformers", "peft")


def provenance(task: str, device: str) -> dict[str, Any]:
    """What the numbers that this process computes depend on."""
    return {
        **versions(),
        "device": device,
        "dtype": get_task(task).dtype,
        "threads": int(os.environ.get("OMP_NUM_THREADS", "0")) or os.cpu_count(),
    }


def versions() -> dict[str, Any]:
    """The code, the packages, Python and the platform that compute here."""
    return {
        "code": _commit() or pkpo.__version__,
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        "python": platform.python_version(),
        "platform": platform.platform(),
    }


def peak_memory() -> dict[str, int]:
    """The most that this process has held so far, in MiB: of memory and, if it used one, of a GPU's."""
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, KiB elsewhere
    found = {"peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)}
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        found["peak_gpu_memory_mib"] = round(torch.cuda.max_memory_allocated() / 2**20)
    return found


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _commit() -> str:
    """The commit that is checked out, "-dirty" behind it if files differ; "" outside a repository."""
    if not (ROOT / ".git").exists():
        return ""
    asked = ["git", "-C", str(ROOT), "describe", "--always", "--abbrev=40", "--dirty"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, timeout=10).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
