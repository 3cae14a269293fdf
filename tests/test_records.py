"""Runs as records: what a file keeps, and many runs trained to the end."""

from __future__ import annotations

import json
import sqlite3
import time

import numpy as np
import pytest

from pkpo.runs import Store, batch
from pkpo.runs.process import Process
from pkpo.runs.records import CURVE_DIGITS, load_record, read_record, write_record
from pkpo.training.recording import record_run
from pkpo.training.tasks.bandit import BanditConfig
from pkpo.training.tasks.gaussian_hill import HillConfig

CONFIG = BanditConfig(steps=5, n=4, schedule="2")
DETAILS = {0: {"groups": ["a"], "held_out": [3, 4]}, 3: {"groups": [{"b": 0.25}]}}


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "data")


def kept(store: Store) -> str:
    """A run with details, of a worker that went through it here."""
    id, process = store.submit(CONFIG), Process.this_one()
    store.claim(lambda device: 1)
    store.begin(id, process, {"code": "abc"})
    store.steer(id, k=3)
    store.append(id, process, [], 0)
    columns = record_run(CONFIG).columns
    rows = [
        dict(zip(columns, row, strict=True))
        for row in zip(*map(list, columns.values()), strict=True)
    ]
    rows = [{name: x.item() for name, x in row.items()} for row in rows]
    store.append(id, process, rows, None, DETAILS)
    store.end(id, process, "finished")
    return id


def test_a_file_gives_the_record_back(store, tmp_path):
    found = load_record(store, kept(store))
    assert found.config == CONFIG and found.details == DETAILS
    assert [(c.update, c.k) for c in found.changes] == [(0, 3)]
    assert found.provenance["code"] == "abc" and found.provenance["seconds"] > 0
    assert abs(found.provenance["finished"] - time.time()) < 60
    assert found.final("max@1") == found["max@1"][-1]
    file = tmp_path / "run.json.gz"
    write_record(found, file)
    again = read_record(file)
    assert again.config == CONFIG and again.changes == found.changes
    assert again.details == DETAILS and again.provenance == found.provenance
    assert list(again.columns) == list(found.columns)
    for name, curve in found.columns.items():
        assert np.allclose(again[name], curve, rtol=0.5 * 10.0 ** (1 - CURVE_DIGITS), atol=0), name
    first = file.read_bytes()
    write_record(found, file)
    assert file.read_bytes() == first
    write_record(found, file, leave_out=("groups",))
    assert read_record(file).details == {0: {"held_out": [3, 4]}}


@pytest.mark.parametrize("content", [b"", b"nothing", b"\x1f\x8b\x08 broken"])
def test_what_is_no_record_is_refused(tmp_path, content):
    file = tmp_path / "bad.json.gz"
    file.write_bytes(content)
    with pytest.raises(ValueError, match="bad.json.gz is not the record of a run"):
        read_record(file)


def test_runs_are_trained_together_and_not_twice(store):
    configs = [HillConfig(steps=40, seed=seed) for seed in (0, 1)]
    told: list[float] = []
    records = batch.run_all(store, configs, told.append)
    assert [r.config for r in records] == configs and told[-1] == 1.0
    for config, found in zip(configs, records, strict=True):
        want = record_run(config)
        assert all(np.array_equal(found[name], want[name]) for name in want.columns)
    more = [*configs, HillConfig(steps=40, seed=2)]
    assert [r.config for r in batch.run_all(store, more)] == more
    assert len(store.runs()) == 3


def test_what_was_broken_off_goes_on(store):
    config = HillConfig(steps=40)
    stopped = store.submit(config)
    store.stop(stopped)
    batch.run_all(store, [config])
    assert [(run.id, run.status) for run in store.runs()] == [(stopped, "finished")]


def test_settings_from_before_a_field_was_added_are_the_same(store):
    config = HillConfig(steps=40)
    (first,) = batch.run_all(store, [config])
    (run,) = store.runs()
    settings = {name: x for name, x in run.settings.items() if name != "shape"}
    store.close()
    with sqlite3.connect(store.file) as db:
        db.execute("UPDATE runs SET settings = ?", (json.dumps(settings),))
    db.close()
    store = Store(store.folder)
    damaged = store.submit(config.replace(seed=1))
    store.close()
    with sqlite3.connect(store.file) as db:
        db.execute("UPDATE runs SET settings = '{}' WHERE id = ?", (damaged,))
    db.close()
    store = Store(store.folder)
    store.stop(damaged)
    (again,) = batch.run_all(store, [config])
    assert np.array_equal(again["theta"], first["theta"]) and len(store.runs()) == 2


def test_an_interruption_stops_the_runs_and_loses_nothing(store):
    configs = [HillConfig(steps=40, seed=seed) for seed in (0, 1, 2)]

    def interrupt(done: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batch.run_all(store, configs, interrupt)
    statuses = [run.status for run in store.runs()]
    assert "stopped" in statuses and set(statuses) <= {"stopped", "finished"}
    batch.run_all(store, configs)
    assert [run.status for run in store.runs()] == ["finished"] * 3


def test_a_steered_run_is_not_taken_for_another(store):
    config = HillConfig(steps=40)
    store.steer(store.submit(config), k=2)
    with pytest.raises(ValueError, match="was steered"):
        batch.run_all(store, [config])
    (found,) = batch.run_all(store, [config])
    assert len(store.runs()) == 2 and np.array_equal(found["theta"], record_run(config)["theta"])


def test_a_failed_run_says_why(store):
    diverging = HillConfig(learn_sigma=True, learning_rate=80.0, seed=13, steps=5)
    with pytest.raises(ValueError, match="failed: .*too large"):
        batch.run_all(store, [diverging])
