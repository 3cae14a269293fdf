"""Where PyTorch has no build: every page comes up, and what needs it says so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

BLOCKED = """
import sys
class Nowhere:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "transformers", "peft", "accelerate"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Nowhere())
import importlib.util
real = importlib.util.find_spec
def find_spec(name, package=None):
    return None if name in ("torch", "transformers", "peft", "accelerate") else real(name, package)
importlib.util.find_spec = find_spec
"""

PAGES = """
import json
from streamlit.testing.v1 import AppTest
told = {}
for page, view in PAGES:
    app = AppTest.from_file("app/script.py", default_timeout=60)
    app.run()
    if page != "start":
        app.switch_page(f"app_pages/{page}.py")
    if view:
        app.query_params["view"] = view
    app.run()
    told[page + view] = {
        "exceptions": [e.message for e in app.exception],
        "errors": [e.value for e in app.error],
        "buttons": {b.label: b.disabled for b in app.button},
    }
print(json.dumps(told))
"""

SEEN = [
    *((page, "") for page in ("start", "toy_problem", "bandit", "runs", "estimators")),
    *((page, "") for page in ("variance_lab", "paper_figures")),
    *(("language_model", view) for view in ("", "train", "group", "problems", "playground")),
]


def run(code: str, tmp_path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", BLOCKED + code]
    environment = {"PKPO_DATA_DIR": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    done = run(f"PAGES = {SEEN!r}\n{PAGES}", tmp_path_factory.mktemp("runs"))
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("page", ["".join(where) for where in SEEN])
def test_every_page_comes_up(told, page):
    assert told[page]["exceptions"] == []


@pytest.mark.parametrize("view", ["train", "playground"])
def test_what_needs_it_says_so(told, view):
    (error,) = told[f"language_model{view}"]["errors"]
    assert "torch" in error and "pkpo" in error and "Intel Macs" in error
    assert told["language_modeltrain"]["buttons"]["Train"] is True  # disabled


@pytest.mark.parametrize("how", ["", "--background"])
def test_the_command_line_says_so(how, tmp_path):
    arguments = f"train --task word-problems --steps 1 {how}".split()
    done = run(f"from pkpo.__main__ import main\nraise SystemExit(main({arguments!r}))", tmp_path)
    assert done.returncode != 0
    (line,) = done.stderr.splitlines()
    assert "needs torch, which is not installed: pip install 'pkpo-lab[lm]'" in line
