"""Make the project's Python environment, or find it ready: `python .ci/environment.py app|all|newest|lock`.

`app` installs what the app needs into .venv, `all` what tests and benchmarks need besides, both in the
versions of requirements.lock. `newest` makes .venv-newest of the newest versions that the ranges allow,
without the lock. `lock` resolves requirements.lock anew. Whatever is ready already costs a tenth of a
second. Only the standard library is used.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = "requirements.lock"
LISTS = {"app": "requirements.txt", "all": "requirements-dev.txt"}
NEEDS_TORCH = re.compile(r"(torch|peft|accelerate)\b")
NO_TORCH = (
    "PyTorch has no build for this machine ({}): the app comes up without language models of its own; "
    "all other pages work."
)
LOCK_HEAD = """\
# The versions that `make`, Docker and CI install, for Python 3.11 to 3.14 on Linux and macOS, as
# constraints: pip install -r requirements.txt -c requirements.lock. Written by `make upgrade`.
"""


def main(wanted: str) -> int:
    """Make it; the exit status."""
    if sys.version_info < (3, 11):
        print(
            f"PKPO Lab needs Python 3.11 or newer; this is {platform.python_version()}. "
            "Try: make PYTHON=python3.12 ..."
        )
        return 1
    os.chdir(ROOT)
    if wanted == "lock":
        return resolve()
    folder = ROOT / (".venv-newest" if wanted == "newest" else ".venv")
    with alone(folder):
        return make(folder, wanted)


def make(folder: Path, wanted: str) -> int:
    """Bring a folder to what is wanted."""
    python = folder / "bin" / "python"
    done = folder / f".ready-{wanted}"
    if folder.exists() and (fault := fault_of(folder)):
        print(f"{folder.name} {fault}; it is made anew.", flush=True)
        shutil.rmtree(folder)
    state = state_of(folder, wanted)
    if any(mark.is_file() and mark.read_text() == state for mark in marks(folder, wanted)):
        return 0
    start = time.monotonic()
    print(f"Installing what {'the app needs' if wanted == 'app' else 'is needed'} ...", flush=True)
    try:
        if not python.exists():
            run(sys.executable, "-m", "venv", str(folder))
        install(python, wanted)
    except subprocess.CalledProcessError as reason:
        return reason.returncode or 1
    done.write_text(state)
    print(f"Installed into {folder.name} in {time.monotonic() - start:.0f} s.", flush=True)
    return 0


def install(python: Path, wanted: str) -> None:
    """Install requirements and the project itself."""
    listed = LISTS.get(wanted, LISTS["all"])
    reason = without_torch()
    if reason:
        print(NO_TORCH.format(reason), flush=True)
    lines = [line for line in requirements(listed) if not (reason and NEEDS_TORCH.match(line))]
    chosen = python.parent.parent / "requirements.txt"
    chosen.write_text("\n".join(lines) + "\n", encoding="utf-8")
    pip = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    locked = ("--upgrade",) if wanted == "newest" else ("--constraint", LOCK)
    # Compiled afterwards, on all cores at once.
    run(*pip, "--no-compile", *locked, "--requirement", str(chosen))
    run(*pip, "--no-deps", "--no-build-isolation", "--editable", ".")
    packages = subprocess.check_output(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    ).strip()
    compiling = (str(python), "-m", "compileall", "-q", "-j", "0", packages)
    subprocess.run(compiling, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def requirements(name: str) -> list[str]:
    """The lines of a file of requirements and of those that it includes."""
    lines: list[str] = []
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            lines += requirements(line.removeprefix("-r ").strip())
        elif line and not line.startswith("#"):
            lines.append(line)
    return lines


def without_torch() -> str:
    """Why PyTorch cannot be installed here; "" where it can."""
    if os.environ.get("PKPO_TORCH", "") == "no":
        return "PKPO_TORCH=no"
    if sys.platform == "darwin" and platform.machine() != "arm64":
        return "an Intel Mac"
    if "musl" in str(sysconfig.get_config_var("SOABI")):
        return "Linux with musl, such as Alpine"
    return ""


def state_of(folder: Path, wanted: str) -> str:
    """What an environment was made of and for; another text asks for an installation."""
    names = (*LISTS.values(), LOCK, "pyproject.toml")
    content = b"".join((ROOT / name).read_bytes() for name in names)
    return f"{hashlib.sha256(content).hexdigest()} {folder} {without_torch()}\n"


def marks(folder: Path, wanted: str) -> list[Path]:
    """The files that say that what is wanted is there: with `all`, what the app needs is, too."""
    return [folder / f".ready-{name}" for name in dict.fromkeys((wanted, "all"))]


def fault_of(folder: Path) -> str:
    """What is wrong with an environment, "" if it can be used or added to."""
    known = [mark for name in ("app", "all", "newest") if (mark := folder / f".ready-{name}").exists()]
    if not known:
        return "was left half made"
    if str(folder) not in known[0].read_text().split():
        return "was moved or copied here"
    there = "import importlib.util as u, sys; sys.exit(not (u.find_spec('pip') and u.find_spec('numpy')))"
    try:
        found = subprocess.run([str(folder / "bin" / "python"), "-c", there], capture_output=True)
    except OSError:
        return "has lost its Python"
    return "has lost its packages: its Python was replaced" if found.returncode else ""


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait until nobody else makes this environment."""
    import fcntl

    with open(f"{folder}.making", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print(f"Another command is making {folder.name}; waiting for it.", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def resolve() -> int:
    """Write the lock: the newest versions that the ranges allow, for every platform at once."""
    folder = ROOT / "build" / "resolver"
    try:
        run(sys.executable, "-m", "venv", "--clear", str(folder))
        python = str(folder / "bin" / "python")
        run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv>=0.9")
        compiled = "pip compile --universal --python-version 3.11 --upgrade --no-header --no-annotate"
        compiled += f" --quiet --no-emit-index-url {LISTS['all']} --output-file {LOCK}"
        run(python, "-m", "uv", *compiled.split())
    except subprocess.CalledProcessError as reason:
        return reason.returncode or 1
    lock = ROOT / LOCK
    lock.write_text(LOCK_HEAD + lock.read_text(encoding="utf-8"), encoding="utf-8")
    print(f"{LOCK} is resolved anew; `make test` says whether all still works.")
    return 0


def run(*command: str) -> None:
    """Run a command; CalledProcessError if it fails."""
    subprocess.run(command, check=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit(130)
