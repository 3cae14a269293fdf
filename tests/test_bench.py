"""Every benchmark runs, at its smallest size; its figures mean nothing there."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.__main__ import BENCHES
from tests.browser.browser import ROOT
from tests.pretrained_models import llama, questions_file

WITH_A_BROWSER = ("page", "figures", "hand")
WITH_A_SERVER = ("classroom", "class")


def run_smallest(name: str, monkeypatch, capsys) -> None:
    bench = importlib.import_module(f"tests.bench.{name}")
    for constant, value in bench.SMALLEST.items():
        assert hasattr(bench, constant), f"{name}.SMALLEST names {constant}, which is not there"
        monkeypatch.setattr(bench, constant, value)
    bench.main()
    assert len(capsys.readouterr().out.splitlines()) > 1


@pytest.mark.parametrize("name", [x for x in BENCHES if x not in (*WITH_A_BROWSER, *WITH_A_SERVER)])
def test_it_runs(name, monkeypatch, capsys):
    run_smallest(name, monkeypatch, capsys)


SMALLEST_ALONE = """
import importlib, sys
bench = importlib.import_module(f"tests.bench.{sys.argv[1]}")
for constant, value in bench.SMALLEST.items():
    assert hasattr(bench, constant), constant
    setattr(bench, constant, value)
bench.main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", [*WITH_A_BROWSER, *WITH_A_SERVER])
def test_it_runs_with_a_server(name):
    """In a process of its own: another browser may be open in this one."""
    command = [sys.executable, "-c", SMALLEST_ALONE, name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 1


@pytest.mark.slow
def test_the_gpu_s_runs_on_a_cpu(monkeypatch, tmp_path):
    """With a tiny model; TRL's part is left out."""
    pytest.importorskip("transformers")
    pytest.importorskip("peft")
    from tests.bench import cuda

    monkeypatch.setenv("PKPO_DEVICE", "cpu")
    for name, value in {"PROMPTS": 2, "N": 8, "TESTED": 4}.items():
        monkeypatch.setattr(cuda, name, value)
    model, problems = tmp_path / "model", tmp_path / "problems"
    problems.mkdir()
    made = Path(questions_file(problems, 24).removeprefix("gsm8k:"))
    lines = made.read_text(encoding="utf-8").splitlines()
    for part, own in (("train", lines[:12]), ("test", lines[12:])):
        (problems / f"{part}.jsonl").write_text("\n".join(own), encoding="utf-8")
    parts = ["machine", "estimators", "sampling", "updates", "training"]
    out = tmp_path / "out.json"
    given = [str(llama(model)), str(problems), "--limit", "8", "--seconds", "0.1"]
    cuda.main([*given, "--only", *parts, "--out", str(out)])
    found = json.loads(out.read_text())
    assert list(found) == parts and not any("failed" in part for part in found.values()), found
    weights = [x for name, x in found["estimators"].items() if " torch.float" in name]
    assert len(weights) >= 30 and max(weights) == 0  # the same device, twice
