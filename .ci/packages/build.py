"""Build the wheels: `python .ci/packages/build.py [FOLDER [ADDRESS]]`, by default into dist/.

The library is built of the project's own pyproject.toml; the app, the models and the recorded runs are
wheels of their own, each described by a file beside this one. All are built of a copy of what they
hold, so that nothing that lies about gets in. Needs setuptools, and nothing of the network.

ADDRESS is where this project's files can be read, such as https://HOST/OWNER/NAME/raw/main: README's
picture and links lead there from the library's page. Without one they are left out.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LIBRARY = ("pkpo", "toy_envs", "pyproject.toml", "README.md")
"""What the library is built of."""
WITHIN = re.compile(r"(!?)\[([^]]+)]\((?!https?:|#)([^)]+)\)")
"""A picture or a link of README to a file of this project."""


def main(folder: Path, address: str = "") -> int:
    """Build all of them; the exit status."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as reason:
        print(f"Nothing can be written to {folder}: {reason.strerror}.", file=sys.stderr)
        return 2
    version = re.search(r'__version__ = "(.+)"', (ROOT / "pkpo" / "__init__.py").read_text())[1]
    data = tomllib.loads((HERE / "pkpo-lab-data.toml").read_text())["tool"]["staged"]
    stage = ROOT / "build" / "packages"
    shutil.rmtree(stage, ignore_errors=True)
    copy({name: name for name in LIBRARY}, stage / "pkpo-lab", leave_out=data)
    page = stage / "pkpo-lab" / "README.md"
    page.write_text(page_text(page.read_text(encoding="utf-8"), address), encoding="utf-8")
    for description in HERE.glob("*.toml"):
        text = description.read_text(encoding="utf-8").replace("VERSION", version)
        copy(tomllib.loads(text)["tool"]["staged"], stage / description.stem)
        (stage / description.stem / "pyproject.toml").write_text(text, encoding="utf-8")
    for project in sorted(stage.iterdir()):
        shutil.copy(ROOT / "LICENSE", project)
        pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check")
        own = ("--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(project))
        built = subprocess.run([*pip, *own])
        if built.returncode:  # pip has said why
            return built.returncode
    return 0


def page_text(readme: str, address: str) -> str:
    """README as the page of a package, which knows no other files."""

    def elsewhere(found: re.Match[str]) -> str:
        picture, words, file = found.groups()
        if address:
            return f"{picture}[{words}]({address.rstrip('/')}/{file})"
        return "" if picture else words

    return WITHIN.sub(elsewhere, readme)


def copy(places: dict[str, str], target: Path, leave_out: dict[str, str] | None = None) -> None:
    """Copy files and folders of the project, without those to be left out and without caches."""
    left_out = {str(ROOT / name) for name in leave_out or ()}

    def ignore(folder: str, names: list[str]) -> set[str]:
        return {
            name for name in names if name == "__pycache__" or str(Path(folder, name)) in left_out
        }

    for name, place in places.items():
        source, goal = ROOT / name, target / place
        goal.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, goal, ignore=ignore, dirs_exist_ok=True)
        else:
            shutil.copy(source, goal)


if __name__ == "__main__":
    given = sys.argv[1:]
    if len(given) > 2:
        print(f"Too much is given: {' '.join(given)}. {__doc__.splitlines()[0]}", file=sys.stderr)
        sys.exit(2)
    sys.exit(main(Path(given[0] if given else ROOT / "dist").resolve(), *given[1:]))
