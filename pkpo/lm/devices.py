"""Choose the device of a language model, and how much memory generation may take."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pkpo.extras import missing
from pkpo.lm.paths import ours

DEVICES = ("cpu", "cuda")
GIB = 2**30
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Where a container on Linux says how much memory it may use."""


def check_torch() -> None:
    """Refuse what cannot be computed without PyTorch.

    Raises:
      ValueError: it is not installed.
    """
    if importlib.util.find_spec("torch") is None:
        needed = missing("a language model", ModuleNotFoundError(name="torch"))
        raise ValueError(f"{needed} (there is no build of it for Intel Macs and Alpine Linux)")


def choose_device(model: str | Path) -> str:
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


def sampling_memory(device: str) -> int:
    """Bytes that rows which are sampled, or differentiated, together may take.

    It follows from the memory that is built in, or allowed to the container, and not from what happens
    to be free: the batch decides how sums are rounded, and a resumed run must go on as it began.

    Args:
      device: one of `DEVICES`.

    Returns:
      A quarter of a GPU's memory; an eighth of the machine's, at most 2 GiB: more rows at once make a
      CPU no faster.
    """
    if device == "cuda":
        import torch

        return torch.cuda.mem_get_info()[1] // 4
    return min(_machine_memory() // 8, 2 * GIB)


def _machine_memory() -> int:
    found = []
    for path in map(Path, _LIMITS):
        try:
            found.append(int(path.read_text()))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    try:
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):  # not on Windows
        found.append(8 * GIB)
    return min(found)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let PyTorch, if it is there, use one thread meanwhile: more would add in another order.

    Workers have it from their environment; others get their own number of threads back.
    """
    if importlib.util.find_spec("torch") is None:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _cuda_is_there() -> bool:
    try:
        import torch  # late: it takes seconds
    except ModuleNotFoundError:
        return False
    return torch.cuda.is_available()
