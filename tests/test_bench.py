"""Every benchmark runs, at its smallest size; its figures mean nothing there."""

from __future__ import annotations

import importlib

import pytest

from tests.bench.__main__ import BENCHES

WITH_A_BROWSER = ("page", "figures")
WITH_A_SERVER = ("classroom",)


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


@pytest.mark.slow
@pytest.mark.parametrize("name", [*WITH_A_BROWSER, *WITH_A_SERVER])
def test_it_runs_with_a_server(name, monkeypatch, capsys):
    run_smallest(name, monkeypatch, capsys)
