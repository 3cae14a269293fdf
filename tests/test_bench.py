"""Every benchmark runs, at its smallest size; its figures mean nothing there."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from tests.bench.__main__ import BENCHES
from tests.browser.browser import ROOT

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
