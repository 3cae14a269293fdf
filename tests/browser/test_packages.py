"""The wheels: what they hold, and the library and the app as pip installs them, far from the project."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.browser import browser as real

ROOT = real.ROOT
pytestmark = pytest.mark.slow
VERSIONS = ("3.11", "3.12", "3.13", "3.14")


def _pythons() -> list[str]:
    """A Python of every version that this machine has, the one that runs the tests among them."""
    kept = sorted(Path.home().glob(".pyenv/versions/3.*/bin/python3.??"))
    asked = [str(path) for path in kept] + [f"python{version}" for version in VERSIONS]
    found = {".".join(map(str, sys.version_info[:2])): sys.executable}
    for path in asked:
        version = path.rpartition("python")[2]
        if version in VERSIONS and version not in found and shutil.which(path):
            works = subprocess.run([path, "-c", "import venv, ssl"], capture_output=True)
            found |= {version: path} if works.returncode == 0 else {}
    return list(found.values())


PYTHONS = _pythons()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ALONE = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

DRIVEN = """
import json, sys
import numpy as np, gymnasium, pkpo, toy_envs
from fractions import Fraction
worst = 0.0
for case in json.load(open(sys.argv[1]))["cases"]:
    for name in ("s", "sloo", "sloo_minus_one"):
        if name in case:
            found = pkpo.transform(np.array(case["rewards"], float), case["k"], name)
            exact = [float(Fraction(x)) for x in case[name]]
            worst = max(worst, float(np.abs(found - exact).max() / max(1.0, np.abs(exact).max())))
environment = gymnasium.make("pkpo/GaussianHill-v0")
environment.reset(seed=0)
reward = environment.step(np.array([0.5]))[1]
there = [name for name in ("torch", "streamlit", "plotly", "app") if name in sys.modules]
print(json.dumps({"worst": worst, "reward": float(reward), "there": there, "at": pkpo.__file__}))
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    subprocess.run([sys.executable, ".ci/packages/build.py", str(folder)], cwd=ROOT, check=True)
    return folder


def held(wheels: Path, name: str) -> dict[str, int]:
    """The sizes of the files that a wheel holds, without what describes it."""
    (wheel,) = wheels.glob(f"{name}-*.whl")
    with zipfile.ZipFile(wheel) as opened:
        return {
            entry.filename: entry.file_size
            for entry in opened.infolist()
            if ".dist-info/" not in entry.filename
        }


def of_project(folder: str, place: str = "", without: tuple[str, ...] = ()) -> dict[str, int]:
    found = (path for path in (ROOT / folder).rglob("*") if path.is_file())
    names = {str(path.relative_to(ROOT)): path.stat().st_size for path in found}
    return {
        place + name: size
        for name, size in names.items()
        if "__pycache__" not in name and not name.startswith(without)
    }


def test_every_file_is_in_one_wheel(wheels):
    data = ("pkpo/lm/models/", "pkpo/lm/recorded/")
    assert held(wheels, "pkpo_lab") == of_project("pkpo", without=data) | of_project("toy_envs")
    assert held(wheels, "pkpo_lab_data") == of_project(data[0]) | of_project(data[1])
    app = of_project("app", "pkpo_lab_app/") | of_project(".streamlit", "pkpo_lab_app/app/")
    assert held(wheels, "pkpo_lab_app") == app
    (library,) = wheels.glob("pkpo_lab-*.whl")
    assert library.stat().st_size < 1_000_000


def test_the_page_of_the_library_has_no_link_that_leads_nowhere(wheels, tmp_path):
    def page(folder: Path) -> str:
        (wheel,) = folder.glob("pkpo_lab-*.whl")
        with zipfile.ZipFile(wheel) as opened:
            (name,) = (n for n in opened.namelist() if n.endswith("/METADATA"))
            return opened.read(name).decode()

    assert set(re.findall(r"]\(([^)]{5})", page(wheels))) == {"https"}
    address = "https://example.org/lab/raw/main"
    build = [sys.executable, ".ci/packages/build.py", str(tmp_path), address]
    subprocess.run(build, cwd=ROOT, check=True)
    assert f"]({address}/app/static/toy-problem.png)" in page(tmp_path)
    for file in re.findall(rf"{address}/([^)]+)\)", page(tmp_path)):
        assert (ROOT / file).is_file(), file


def installed(python: str, wheels: Path, folder: Path, what: str, *, lowest: bool) -> Path:
    """A new environment with one of the wheels; its folder of programs."""
    subprocess.run([python, "-m", "venv", str(folder)], check=True, env=ALONE)
    limits = folder / "lowest.txt"
    listed = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["app"]]
    asked = [Requirement(line) for line in listed if not line.startswith("pkpo-lab")]
    least = {
        one.name: next(s.version for s in one.specifier if s.operator == ">=") for one in asked
    }
    limits.write_text(
        "".join(f"{name}=={version}.*\n" for name, version in least.items()) if lowest else ""
    )
    pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    found = ["--find-links", str(wheels), "--constraint", str(limits)]
    subprocess.run([*pip, *found, what], check=True, env=ALONE)
    return folder / "bin"


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("python", "lowest"), [(PYTHONS[0], True), *((path, False) for path in PYTHONS)]
)
def test_the_library_alone(wheels, tmp_path, python, lowest):
    programs = installed(python, wheels, tmp_path / "made", "pkpo-lab", lowest=lowest)
    away = tmp_path / "away"
    away.mkdir()

    def run(*command: str) -> subprocess.CompletedProcess:
        command = (str(programs / command[0]), *command[1:])
        return subprocess.run(command, cwd=away, env=ALONE, capture_output=True, text=True)

    done = run("python", "-c", DRIVEN, str(ROOT / "tests" / "golden" / "estimators.json"))
    said = json.loads(done.stdout) if done.returncode == 0 else pytest.fail(done.stderr)
    assert said["worst"] < 1e-14 and said["reward"] == 0.25 and said["there"] == []
    assert Path(said["at"]).is_relative_to(tmp_path)

    trained = run("pkpo", "train", "--steps", "3", "--json")
    assert trained.returncode == 0, trained.stderr
    assert "estimators" in run("pkpo", "--help").stdout
    extra = "which is not installed: pip install 'pkpo-lab[app]'\n"
    for command, reason in {
        ("app",): "pkpo app: the app needs pkpo_lab_app, ",
        ("figures", "--out", "f"): "pkpo figures: drawing needs plotly, ",
    }.items():
        refused = run("pkpo", *command)
        assert (refused.returncode, refused.stderr) == (2, reason + extra)
    assert not list(away.iterdir())


@pytest.mark.timeout(900)
@pytest.mark.parametrize("lowest", [False, True], ids=["newest", "lowest"])
def test_the_app_from_any_folder(wheels, tmp_path, chromium, lowest):
    programs = installed(sys.executable, wheels, tmp_path / "made", "pkpo-lab[app]", lowest=lowest)
    away = tmp_path / "away"
    (away / "app").mkdir(parents=True)
    (away / "app" / "__main__.py").write_text("raise SystemExit('of somebody else')")
    port = real.free_port()
    command = [str(programs / "pkpo"), "app", "--server.port", str(port)]
    with real.serving(command, port, away) as address:
        page = chromium.new_context().new_page()
        page.goto(f"{address}/toy-problem")
        page.wait_for_selector(".pk-player[data-ready]")
        page.goto(f"{address}/language-model")
        page.get_by_text("The model").first.wait_for()
        assert page.locator("[data-testid=stException]").count() == 0
        # The settings of the project hold here, too: 17 pixels, no menu of a developer's.
        assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "17px"
        page.context.close()
    figures = subprocess.run(
        [str(programs / "pkpo"), "figures", "--recorded", "--only", "fig3", "--out", "figures"],
        cwd=away,
        env=ALONE,
        capture_output=True,
        text=True,
    )
    assert figures.returncode in (0, 1), figures.stderr
    assert list((away / "figures").glob("*.html"))
