"""Identity of a process: an id alone can be given to another process later, or elsewhere."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """A process id, when that process started, as the system writes it, and where."""

    pid: int
    started: str
    """TIME after START-OF-THE-MACHINE in PID-NAMESPACE on MACHINE."""

    @classmethod
    def from_pid(cls, pid: int) -> Process | None:
        """The living process of that id; None if there is none, or it only waits to be reaped."""
        started = _from_proc(pid) if Path("/proc/self/stat").exists() else _from_ps(pid)
        return cls(pid, f"{started} after {_place()}") if started else None

    @classmethod
    def this_one(cls) -> Process:
        """The process that asks."""
        found = cls.from_pid(os.getpid())
        assert found is not None, "a process that runs is found"
        return found

    @property
    def alive(self) -> bool:
        """Whether this very process is there, as far as can be seen from here."""
        return Process.from_pid(self.pid) == self

    @property
    def visible(self) -> bool:
        """Whether it could be seen from here: it is of this start of the machine, in this PID namespace.

        Another machine's or container's cannot, and that it is not `alive` from here says nothing.
        """
        return _parts(self._place)[:2] == _parts(_place())[:2]

    @property
    def before_restart(self) -> bool:
        """Whether it belongs to an earlier start of this machine, as far as machines have names."""
        boot, _, machine = _parts(self._place)
        own_boot, _, own_machine = _parts(_place())
        return machine == own_machine != "" and boot != own_boot

    @property
    def _place(self) -> str:
        return self.started.partition(" after ")[2]


@cache
def _place() -> str:
    """Where this process sees others: a start of the machine, a PID namespace, the machine's name.

    The name is "" where the system gives the machine none of its own, as in most containers.
    """
    if Path("/proc/self/ns/pid").exists():
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        namespace = os.readlink("/proc/self/ns/pid")
    else:
        boot, namespace = _asked("sysctl", "-n", "kern.bootsessionuuid"), "all"
    try:
        given = Path("/etc/machine-id").read_text(encoding="utf-8").strip()
    except OSError:
        given = ""
    return f"{boot} in {namespace} on {f'{platform.node()} {given}' if given else ''}"


def _parts(place: str) -> tuple[str, str, str]:
    boot, _, rest = place.partition(" in ")
    namespace, _, machine = rest.partition(" on ")
    return boot, namespace, machine


def _from_proc(pid: int) -> str:
    """Ticks from the machine's start to the process's."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    state, *rest = stat.rpartition(")")[2].split()  # the name before it may hold anything
    return "" if state in "ZX" else rest[18]


def _from_ps(pid: int) -> str:
    """The same, as a date, where there is no /proc, such as on macOS."""
    shown = _asked("ps", "-o", "stat=,lstart=", "-p", str(pid)).split()
    return "" if not shown or shown[0].startswith("Z") else " ".join(shown[1:])


def _asked(*command: str) -> str:
    environment = os.environ | {"LC_ALL": "C", "TZ": "UTC"}
    return subprocess.run(command, env=environment, capture_output=True, text=True).stdout.strip()
