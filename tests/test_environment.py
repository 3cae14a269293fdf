"""What `make` installs: the lock fits the ranges, and an environment that cannot be used is noticed."""

from __future__ import annotations

import http.server
import importlib.util
import os
import re
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.browser.browser import DIRECTLY

ROOT = Path(__file__).resolve().parents[1]
spec = importlib.util.spec_from_file_location("environment", ROOT / ".ci" / "environment.py")
environment = importlib.util.module_from_spec(spec)
spec.loader.exec_module(environment)

PLATFORMS = [
    {"sys_platform": system, "platform_machine": machine, "platform_system": name}
    | {"python_version": version, "python_full_version": f"{version}.0"}
    for system, name, machine in (
        ("linux", "Linux", "x86_64"),
        ("linux", "Linux", "aarch64"),
        ("darwin", "Darwin", "arm64"),
        ("darwin", "Darwin", "x86_64"),
    )
    for version in ("3.11", "3.12", "3.13", "3.14")
]


def wanted() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    listed = [*environment.requirements("requirements-dev.txt"), *project["dependencies"]]
    apart = {"gsm-symbolic", "wandb", "trackio"}  # which are installed by those who ask for them
    listed += [line for name, lines in extras.items() if name not in apart for line in lines]
    listed = [line for line in listed if not line.startswith("pkpo-lab")]  # built of this project
    return [Requirement(line) for line in listed]


def locked() -> list[Requirement]:
    lines = (ROOT / environment.LOCK).read_text().splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


# torch has no build for Intel Macs, which the extras of pyproject.toml do not say.
NOT_FOR_INTEL = {"torch", "peft", "accelerate"}


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda p: " ".join(list(p.values())[::2]))
def test_the_lock_has_one_fitting_version_of_all_that_is_wanted(platform):
    versions: dict[str, list[str]] = {}
    for line in locked():
        if line.marker is None or line.marker.evaluate(platform):
            versions.setdefault(normal(line.name), []).append(str(line.specifier)[2:])
    intel = platform["sys_platform"] == "darwin" and platform["platform_machine"] == "x86_64"
    for asked in wanted():
        if asked.marker is not None and not asked.marker.evaluate(platform):
            continue
        if intel and asked.name in NOT_FOR_INTEL:
            assert normal(asked.name) not in versions
            continue
        found = versions.get(normal(asked.name), [])
        assert len(found) == 1, f"{asked}: {found}"
        assert asked.specifier.contains(found[0]), f"{asked}: {found}"


def test_torch_is_pinned_exactly():
    pinned = [r for r in map(Requirement, environment.requirements("requirements.txt"))]
    assert [str(r.specifier) for r in pinned if r.name == "torch"] == ["==2.13.0"]


def test_the_app_needs_neither_ray_nor_tools_for_tests():
    named = {Requirement(line).name for line in environment.requirements("requirements.txt")}
    assert not named & {"ray", "pytest", "playwright", "ruff", "mypy", "hypothesis"}


@pytest.fixture
def folder(tmp_path):
    """An environment in use, as far as the check looks."""
    made = tmp_path / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", made], check=True)
    packages = next(made.glob("lib/python*/site-packages"))
    for name in ("pip", "numpy"):
        (packages / f"{name}.py").touch()
    (made / ".ready-app").write_text(environment.state_of(made))
    return made


@pytest.fixture
def without_pip(monkeypatch):
    """New environments hold no pip, which takes seconds to install and is none of their tests'."""
    bare = [sys.executable, "-m", "venv", "--without-pip"]

    def run(*command):
        assert command[:3] == (sys.executable, "-m", "venv")
        subprocess.run([*bare, *command[3:]], check=True)

    monkeypatch.setattr(environment, "run", run)


def test_an_environment_in_use_is_kept(folder):
    assert environment.fault_of(folder) == ""
    assert environment.make(folder, "app") == 0


def test_what_tests_need_holds_what_the_app_needs(folder, monkeypatch):
    monkeypatch.setattr(environment, "install", lambda python, wanted: pytest.fail(wanted))
    (folder / ".ready-app").rename(folder / ".ready-all")
    assert environment.make(folder, "app") == 0


def test_one_that_lost_its_python_is_made_anew(folder, without_pip, monkeypatch, capsys):
    python = folder / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    (folder / "left.txt").touch()
    monkeypatch.setattr(environment, "install", lambda python, wanted: None)
    assert environment.make(folder, "app") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == ".venv has lost its Python; it is made anew."
    assert not (folder / "left.txt").exists()


def test_one_whose_python_was_replaced_is_noticed(folder):
    packages = next(folder.glob("lib/python*/site-packages"))
    packages.rename(packages.with_name("of-another-python"))
    assert environment.fault_of(folder) == "has lost its packages: its Python was replaced"


def test_one_that_was_moved_or_left_half_made_is_noticed(folder):
    moved = folder.with_name("elsewhere")
    folder.rename(moved)
    assert environment.fault_of(moved) == "was moved or copied here"
    (moved / ".ready-app").unlink()
    assert environment.fault_of(moved) == "was left half made"


def test_a_failed_installation_leaves_no_mark(tmp_path, without_pip, monkeypatch):
    def fail(python, wanted):
        raise subprocess.CalledProcessError(7, "pip")

    monkeypatch.setattr(environment, "install", fail)
    assert environment.make(tmp_path / ".venv", "app") == 7
    assert environment.fault_of(tmp_path / ".venv") == "was left half made"


def test_where_torch_has_no_build_it_says_so(monkeypatch):
    monkeypatch.delenv("PKPO_TORCH", raising=False)
    monkeypatch.setattr(environment.sysconfig, "get_config_var", lambda name: "cpython-312-x86_64")
    monkeypatch.setattr(environment.sys, "platform", "linux")
    assert environment.without_torch() == ""
    monkeypatch.setattr(
        environment.sysconfig, "get_config_var", lambda name: "cpython-312-x86_64-linux-musl"
    )
    assert environment.without_torch() == "Linux with musl, such as Alpine"
    monkeypatch.setattr(environment.sys, "platform", "darwin")
    monkeypatch.setattr(environment.platform, "machine", lambda: "x86_64")
    assert environment.without_torch() == "an Intel Mac"


@pytest.mark.parametrize("target", ["app", "classroom"])
def test_a_port_can_be_named(target):
    command = ["make", "--dry-run", target, "PORT=8600"]
    # As from a shell of one's own, also where `make test` runs this test.
    alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    said = subprocess.run(
        command, cwd=ROOT, env=alone, capture_output=True, text=True, check=True
    ).stdout
    assert "--server.port=8600" in said.splitlines()[-1]


def test_this_machine_is_asked_without_a_proxy(monkeypatch):
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with DIRECTLY.open(f"http://127.0.0.1:{server.server_port}/", timeout=5) as answer:
            assert answer.status == 204
        server.shutdown()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["{file}"], "Nothing can be written to {file}: File exists."),
        (["{file}/wheels"], "Nothing can be written to {file}/wheels: Not a directory."),
        (["here", "https://example.org", "there"], "Too much is given: here https://example.org t"),
    ],
)
def test_wheels_that_cannot_be_built_are_refused_in_a_sentence(tmp_path, given, sentence):
    file = tmp_path.resolve() / "file"
    file.touch()
    words = [word.format(file=file) for word in given]
    command = [sys.executable, str(ROOT / ".ci" / "packages" / "build.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(sentence.format(file=file)) and done.stderr.count("\n") == 1
