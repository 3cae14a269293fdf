"""What W&B and trackio get of a run, with real packages, and that neither leaves this machine.

Each command runs in a process of its own, as these packages read the environment when they are imported;
there it has keys that would let it call home, and may not connect to anything but local sockets.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pkpo.runs import Store
from pkpo.training.recording import record_run
from pkpo.training.tasks.bandit import BanditConfig
from tests.browser.browser import ROOT

pytestmark = pytest.mark.trainers
CONFIG = BanditConfig(n=8, schedule="4@0,1@10", steps=20)
SETTINGS = ["--task", "bandit", "--n", "8", "--schedule", "4@0,1@10", "--steps", "20"]
ALONE = """
import os, sys
def watch(event, arguments):
    if event == "socket.getaddrinfo" or (
        event == "socket.connect" and not isinstance(arguments[1], (str, bytes))
    ):
        print("NETWORK", event, arguments[-1:], file=sys.stderr, flush=True)
        os._exit(9)
sys.addaudithook(watch)
"""
COMMAND = ALONE + "from pkpo.__main__ import main; raise SystemExit(main(sys.argv[1:]))"


@pytest.fixture
def alone(tmp_path):
    """Run Python code in a process of its own; its output."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
    environment = kept | {
        "PKPO_DATA_DIR": str(tmp_path / "data"),
        "TRACKIO_DIR": str(tmp_path / "trackio"),
        "WANDB_API_KEY": "0" * 40,
        "HF_TOKEN": "hf_" + "x" * 30,
        "PYTHONPATH": str(ROOT),
    }

    def run(code: str, *words: str) -> str:
        command = [sys.executable, "-c", code, *words]
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, env=environment
        )
        assert done.returncode == 0, done.stderr[-2000:]
        assert "Traceback" not in done.stderr and "failed" not in done.stderr, done.stderr
        return done.stdout

    return run


def background(alone, tracker: str, tmp_path: Path) -> str:
    """Train a run with a worker that is broken off and resumed; its id."""
    store = Store(tmp_path / "data")
    id = store.submit(CONFIG, log=[tracker])
    store.close()
    alone(ALONE + BROKEN_OFF, id)
    return id


BROKEN_OFF = """
from unittest.mock import patch
from pkpo.runs import LocalExecutor, Store, checkpoint, worker
from pkpo.runs.process import Process
store, me, id = Store(), Process.this_one(), sys.argv[1]
os.environ["PKPO_CHECKPOINT_SECONDS"] = "1e9"
def go(stop_at):
    store.claim(lambda device: 1)
    run, count = store.begin(id, me, {})
    store.files(id).mkdir(parents=True, exist_ok=True)
    stop = lambda: len(store.events(id).get("update", [])) >= stop_at
    with patch("pkpo.runs.trainer.BLOCK", 1):
        worker.train_until_stopped(store, run, count, me, LocalExecutor(store), stop)
go(5)
store.end(id, me, "stopped")
store.resume(id)
try:
    with patch.object(checkpoint, "write_checkpoint", side_effect=KeyboardInterrupt):
        go(12)
except KeyboardInterrupt:
    store.end(id, me, "interrupted")
assert len(store.events(id)["update"]) == 12
store.resume(id)
go(1000)
store.end(id, me, "finished")
assert store.run(id).message == "", store.run(id).message
print(store.run(id).provenance["logged_to"])
"""


def check(points: list[tuple[int, dict[str, float]]]) -> None:
    """What was logged is the run, every update once, every number exactly."""
    want = record_run(CONFIG).columns
    assert [update for update, _ in points] == want["update"].tolist()
    for name, curve in want.items():
        if name != "update":
            assert np.array_equal([metrics[name] for _, metrics in points], curve), name
    assert {name for _, metrics in points for name in metrics} == set(want) - {"update"}


# --- W&B ------------------------------------------------------------------------------------------


def records(file: Path) -> Iterator:
    """The records of an offline run: blocks of a log as LevelDB's, each piece with crc, length, type."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, at, whole = file.read_bytes(), 7, b""
    assert data[:4] == b":W&B"
    while at + 7 <= len(data):
        left = 32768 - at % 32768
        if left < 7:  # no piece begins there
            at += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        whole += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # a whole record, or its last piece
            yield Record.FromString(whole)
            whole = b""


def read_wandb(folder: Path) -> tuple[dict, list[tuple[int, dict[str, float]]]]:
    (file,) = folder.glob("offline-run-*/*.wandb")
    config, points = {}, []
    for record in records(file):
        for item in record.run.config.update:
            config[item.key] = json.loads(item.value_json)
        if record.WhichOneof("record_type") == "history":
            row = {x.key or x.nested_key[0]: json.loads(x.value_json) for x in record.history.item}
            step = row.pop("_step")
            points.append((step, {name: x for name, x in row.items() if name[0] != "_"}))
    config.pop("_wandb")
    return config, points


def test_wandb_has_a_run_of_the_foreground(alone, tmp_path):
    pytest.importorskip("wandb")
    report = json.loads(alone(COMMAND, "train", *SETTINGS, "--log", "wandb", "--json"))
    folder = tmp_path / "data" / "logs" / "wandb"
    config, points = read_wandb(folder)
    assert config == CONFIG.to_dict()
    check(points)
    (kept,) = folder.glob("offline-run-*")
    assert report["logged_to"] == [f"wandb: wandb sync {kept}"]


def test_wandb_has_a_resumed_run_once(alone, tmp_path):
    pytest.importorskip("wandb")
    background(alone, "wandb", tmp_path)
    config, points = read_wandb(tmp_path / "data" / "logs" / "wandb")
    assert config == CONFIG.to_dict()
    check(points)


# --- trackio --------------------------------------------------------------------------------------

READ_TRACKIO = """
import json, trackio
from trackio.sqlite_storage import SQLiteStorage
print(json.dumps([
    (run.name, run.config, SQLiteStorage.get_logs("pkpo-lab", run.name, run_id=run.id))
    for run in trackio.Api().runs("pkpo-lab")
]))
"""


def check_trackio(alone) -> str:
    """Trackio has one run, and it is the config's; its name."""
    ((name, config, logs),) = json.loads(alone(READ_TRACKIO).splitlines()[-1])
    assert {key: x for key, x in config.items() if key[0] != "_"} == CONFIG.to_dict()
    assert config["_Username"] is None
    check([(row.pop("step"), {k: x for k, x in row.items() if k != "timestamp"}) for row in logs])
    return name


def test_trackio_has_a_run_of_the_foreground(alone):
    pytest.importorskip("trackio")
    report = json.loads(alone(COMMAND, "train", *SETTINGS, "--log", "trackio", "--json"))
    assert report["logged_to"] == ["trackio: trackio show --project pkpo-lab"]
    assert check_trackio(alone).startswith("bandit-")


def test_trackio_has_a_resumed_run_once(alone, tmp_path):
    pytest.importorskip("trackio")
    id = background(alone, "trackio", tmp_path)
    assert check_trackio(alone) == f"bandit-{id}"
