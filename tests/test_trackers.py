"""What TensorBoard gets of a run, read back from its own files; and what cannot be logged to."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from pyarrow import parquet
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.hparams import plugin_data_pb2

from pkpo.__main__ import main
from pkpo.columns import to_parquet
from pkpo.runs import LocalExecutor, Store, checkpoint, trackers
from pkpo.runs.process import Process
from pkpo.training.recording import record_run
from pkpo.training.tasks.bandit import BanditConfig
from tests.test_runs import work

CONFIG = BanditConfig(n=8, schedule="4@0,1@10", steps=20)


@pytest.fixture
def store(tmp_path, monkeypatch) -> Store:
    monkeypatch.setenv("PKPO_DATA_DIR", str(tmp_path / "data"))
    return Store()


def read_scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Every point in a folder's event files by tag, as (step, value)."""
    found: dict[str, list[tuple[int, float]]] = {}
    for file in sorted(folder.glob("events.out.tfevents.*")):
        for event in EventFileLoader(str(file)).Load():
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name == "scalars":
                    point = (event.step, value.tensor.float_val[0])
                    found.setdefault(value.tag, []).append(point)
    return found


def read_config(folder: Path) -> dict[str, object]:
    """The hyperparameters in a folder's event file."""
    (file,) = folder.glob("events.out.tfevents.*")
    for event in EventFileLoader(str(file)).Load():
        for value in event.summary.value:
            if value.metadata.plugin_data.plugin_name == "hparams":
                content = value.metadata.plugin_data.content
                data = plugin_data_pb2.HParamsPluginData.FromString(content)
                found = data.session_start_info.hparams
                return {name: getattr(x, x.WhichOneof("kind")) for name, x in found.items()}
    pytest.fail(f"no hyperparameters in {file}")


def check_scalars(folder: Path, columns) -> None:
    """A folder has a point for every finite number of every metric, in float32, and no other."""
    found = read_scalars(folder)
    assert set(found) == {
        name for name, x in columns.items() if name != "update" and np.isfinite(x).any()
    }
    for name, points in found.items():
        there = np.isfinite(columns[name])
        steps, values = zip(*points, strict=True)
        assert list(steps) == columns["update"][there].tolist(), name
        assert np.array_equal(np.float32(values), np.float32(columns[name][there])), name


def logs_of(store: Store) -> Path:
    return store.folder / "logs" / "tensorboard"


def test_a_run_s_points_are_its_metrics_also_after_resumes(store, monkeypatch):
    monkeypatch.setenv("PKPO_CHECKPOINT_SECONDS", "1e9")
    id = store.submit(CONFIG, log=["tensorboard", "tensorboard"])
    assert store.run(id).log == ("tensorboard",)
    folder = logs_of(store) / f"bandit-{id}"
    work(store, id, 7)
    check_scalars(folder, store.events(id))
    store.resume(id)
    with monkeypatch.context() as killed, pytest.raises(KeyboardInterrupt):
        killed.setattr(checkpoint, "write_checkpoint", Mock(side_effect=KeyboardInterrupt))
        work(store, id, 15)
    store.end(id, Process.this_one(), "interrupted")
    assert len(store.events(id)["update"]) == 15  # of which 7 to 14 are done again
    store.resume(id)
    work(store, id)
    run = store.run(id)
    assert (run.status, run.message) == ("finished", "")
    assert run.provenance["logged_to"] == f"tensorboard: tensorboard --logdir {logs_of(store)}"
    check_scalars(folder, record_run(CONFIG).columns)
    assert len(read_scalars(folder)["max@1"]) == 21
    assert read_config(folder) == CONFIG.to_dict()


def test_train_here_logs_and_writes_every_run(store, tmp_path, capsys):
    words = [
        "--task",
        "bandit",
        "--n",
        "8",
        "--steps",
        "20",
        "--compare",
        "schedule",
        "4@0,1@10",
        "2",
    ]
    out = tmp_path / "out"
    assert main(["train", *words, "--log", "tensorboard", "--out", str(out), "--json"]) == 0
    reports = json.loads(capsys.readouterr().out)
    for report, schedule in zip(reports, ("4@0,1@10", "2"), strict=True):
        want = record_run(CONFIG.replace(schedule=schedule)).columns
        csv, table = map(Path, report["files"])
        assert {csv.parent, table.parent} == {out}
        check_scalars(logs_of(store) / csv.stem, want)
        found = parquet.read_table(table)
        assert found.column_names == list(want)
        for name, curve in want.items():
            assert np.array_equal(found[name].to_numpy(), curve), name
        assert report["logged_to"] == [f"tensorboard: tensorboard --logdir {logs_of(store)}"]
    assert len(list(logs_of(store).iterdir())) == 2


def test_any_stored_run_can_be_logged_later(store, tmp_path, capsys):
    id = store.submit(CONFIG)
    work(store, id)
    assert not logs_of(store).exists()
    for _ in range(2):  # the second in place of the first
        words = ["runs", "export", id, "--out", str(tmp_path), "--log", "tensorboard"]
        assert main(words) == 0
        assert f"tensorboard --logdir {logs_of(store)}\n" in capsys.readouterr().out
        check_scalars(logs_of(store) / f"bandit-{id}", store.events(id))


def test_no_second_writer_while_the_worker_logs(store, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(LocalExecutor, "reconcile", lambda self: None)
    id = store.submit(CONFIG, log=["tensorboard"])
    store.claim(lambda device: 1)
    words = ["runs", "export", id, "--out", str(tmp_path), "--log", "tensorboard"]
    assert main(words) == 2
    assert f"run {id} is running and logged to tensorboard" in capsys.readouterr().err
    assert main(words[:-2]) == 0


@pytest.mark.filterwarnings("ignore")
def test_a_run_of_the_language_model(store, capsys):
    pytest.importorskip("torch")
    words = [
        "--task",
        "word-problems",
        "--steps",
        "2",
        "--prompts",
        "2",
        "--n",
        "4",
        "--schedule",
        "2",
    ]
    words += ["--held-out", "4", "--interval", "2", "--log", "tensorboard"]
    assert main(["train", *words, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    columns = {
        name: np.array(curve, float) if name != "update" else np.array(curve)
        for name, curve in report["history"].items()
    }
    (folder,) = logs_of(store).iterdir()
    check_scalars(folder, columns)
    assert "pass@4" in read_scalars(folder)


def test_what_was_not_measured_has_no_point(tmp_path):
    run = trackers.TrackedRun(task="any", id="1", config={"task": "any"}, folder=tmp_path)
    columns = {
        "update": np.arange(3),
        "k": np.array([2, 2, 1]),
        "held_out": np.array([0.5, np.nan, np.inf]),
        "never": np.full(3, np.nan),
    }
    lines, problems = trackers.log_whole_run(["tensorboard"], run, columns)
    assert len(lines) == 1 and problems == []
    folder = tmp_path / "logs" / "tensorboard" / "any-1"
    check_scalars(folder, columns)
    assert read_scalars(folder)["held_out"] == [(0, 0.5)]
    found = parquet.read_table(io.BytesIO(to_parquet(columns)))
    for name, curve in columns.items():
        assert np.array_equal(found[name].to_numpy(), curve, equal_nan=True), name


def test_the_environment_names_trackers_of_every_run(store, monkeypatch, capsys):
    monkeypatch.setattr(LocalExecutor, "reconcile", lambda self: None)
    monkeypatch.setenv("PKPO_LOG", " tensorboard, ")
    assert store.run(store.submit(CONFIG)).log == ("tensorboard",)
    assert store.run(store.submit(CONFIG, log=())).log == ()
    words = ["train", "--background", "--task", "bandit", "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["log"] == ["tensorboard"]
    monkeypatch.setenv("PKPO_LOG", "nowhere")
    with pytest.raises(ValueError, match="PKPO_LOG must be one of tensorboard.*, got 'nowhere'"):
        store.submit(CONFIG)
    assert main(words) == 2 and len(store.runs()) == 3


@pytest.mark.parametrize("name", trackers.TRACKERS)
def test_unknown_and_missing_trackers_are_refused_before_anything(store, monkeypatch, capsys, name):
    allowed = "log must be one of tensorboard, wandb, trackio, got 'tensorbord'"
    with pytest.raises(ValueError, match=allowed):
        store.submit(CONFIG, log=["tensorbord"])
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ValueError) as refused:
        store.submit(CONFIG, log=[name])
    how = f"needs {name}, which is not installed: pip install 'pkpo-lab[{name}]'"
    assert str(refused.value) == f"log {name} {how}"
    assert store.runs() == []
    for words in (["train"], ["train", "--background"]):
        assert main([*words, "--log", name]) == 2
        assert capsys.readouterr() == ("", f"pkpo train: --log {name} {how}\n")


def test_what_makes_a_tracker_send_is_named(monkeypatch):
    for name in ("WANDB_MODE", *trackers.TRACKIO_AWAY):
        monkeypatch.delenv(name, raising=False)
    assert [trackers.setting_that_sends(name) for name in trackers.TRACKERS] == [""] * 3
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert trackers.setting_that_sends("wandb") == ""
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("TRACKIO_SERVER_URL", "https://elsewhere")
    named = [trackers.setting_that_sends(name) for name in trackers.TRACKERS]
    assert named == ["", "WANDB_MODE=online", "TRACKIO_SERVER_URL"]


def test_a_mere_folder_of_that_name_is_no_package(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(trackers.TRACKERS, "elsewhere", trackers.TensorBoard)
    with pytest.raises(ValueError, match="log elsewhere needs elsewhere, which is not installed"):
        trackers.check_trackers(["elsewhere"])


class Failing(trackers.TensorBoard):
    """Prints, and fails at update 5."""

    def log(self, update, metrics):
        print("said by the tracker")
        if update == 5:
            raise RuntimeError("the disk is full\nsecond line")
        super().log(update, metrics)


def test_a_tracker_that_fails_is_left_out_and_the_run_goes_on(store, monkeypatch, capsys):
    monkeypatch.setitem(trackers.TRACKERS, "tensorboard", Failing)
    id = store.submit(CONFIG, log=["tensorboard"])
    work(store, id)
    run = store.run(id)
    assert (run.status, run.step) == ("finished", 20)
    assert run.message == "log tensorboard failed: the disk is full"
    words = ["train", "--task", "bandit", "--steps", "9", "--log", "tensorboard", "--json"]
    assert main(words) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["step"] == 9 and json.loads(out)["logged_to"] == []
    assert err == "pkpo train: log tensorboard failed: the disk is full\n"


def test_without_pyarrow_the_rest_is_written_and_it_is_said(store, tmp_path, monkeypatch, capsys):
    id = store.submit(CONFIG)
    work(store, id)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert main(["runs", "export", id, "--out", str(tmp_path / "out")]) == 0
    _, err = capsys.readouterr()
    need = "Parquet needs pyarrow, which is not installed: pip install 'pkpo-lab[app]'"
    assert err == f"pkpo runs: {need}\n"
    endings = {file.suffix for file in (tmp_path / "out").iterdir()}
    assert endings == {".csv", ".json", ".safetensors"}
    assert main(["train", "--steps", "3", "--out", str(tmp_path / "here")]) == 0
    assert capsys.readouterr().err == f"pkpo train: {need}\n"
    assert [file.suffix for file in (tmp_path / "here").iterdir()] == [".csv"]


@pytest.mark.parametrize("words", [["--background", "--out", "x"], ["--out", ""]])
def test_out_of_train_is_refused_where_it_means_nothing(store, capsys, words):
    assert main(["train", "--steps", "3", *words]) == 2
    assert capsys.readouterr().err.startswith("pkpo train: --out ")
    assert store.runs() == []
