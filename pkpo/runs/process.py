"""Which process is meant: a process id alone can be given to another process later."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """A process id and the time at which that process started, as the system writes it."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """The living process of that id; None if there is none, or it only waits to be reaped."""
        started = _from_proc(pid) if Path("/proc/self/stat").exists() else _from_ps(pid)
        return cls(pid, started) if started else None

    @classmethod
    def own(cls) -> Process:
        """The process that asks."""
        found = cls.of(os.getpid())
        assert found is not None, "a process that runs is found"
        return found

    @property
    def alive(self) -> bool:
        """Whether this very process is still there."""
        return Process.of(self.pid) == self


def _from_proc(pid: int) -> str:
    """Ticks from the machine's start to the process's, and which start of the machine that was."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return ""
    state, *rest = stat.rpartition(")")[2].split()  # the name before it may hold anything
    return "" if state in "ZX" else f"{rest[18]} after {boot}"


def _from_ps(pid: int) -> str:
    """The same where there is no /proc, such as on macOS."""
    asked = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    environment = os.environ | {"LC_ALL": "C", "TZ": "UTC"}
    shown = subprocess.run(asked, env=environment, capture_output=True, text=True).stdout.split()
    return "" if not shown or shown[0].startswith("Z") else " ".join(shown[1:])
