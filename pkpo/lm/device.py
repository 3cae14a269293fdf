"""Where language models compute; no torch is needed to look, unless that may be a GPU."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from pkpo.extras import missing
from pkpo.lm.folders import ours

DEVICES = ("cpu", "cuda")


def check_torch() -> None:
    """Refuse what cannot be computed without PyTorch.

    Raises:
      ValueError: it is not installed.
    """
    if importlib.util.find_spec("torch") is None:
        needed = missing("a language model", ModuleNotFoundError(name="torch"))
        raise ValueError(f"{needed} (there is no build of it for Intel Macs and Alpine Linux)")


def device_of(model: str | Path) -> str:
    """One of `DEVICES`: PKPO_DEVICE or, where it is not set, what suits a model.

    Ours are small and then compute on the CPU, all others on a GPU if there is one.

    Raises:
      ValueError: PKPO_DEVICE is none of these, or is cuda where there is none; or PyTorch is not
        installed.
    """
    check_torch()
    named = os.environ.get("PKPO_DEVICE", "")
    if named not in ("", *DEVICES):
        raise ValueError(f"PKPO_DEVICE must be {' or '.join(DEVICES)}, got {named[:40]!r}")
    if named == "cpu" or (not named and ours(model)):
        return "cpu"
    if _cuda_is_there():
        return "cuda"
    if named:
        raise ValueError("PKPO_DEVICE must be cpu where torch finds no GPU, got 'cuda'")
    return "cpu"


def _cuda_is_there() -> bool:
    try:
        import torch  # late: it takes seconds
    except ModuleNotFoundError:
        return False
    return torch.cuda.is_available()
