"""Runs as data, in one process: statuses, the queue, steering, checkpoints, sweeps, the command line."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import os
import sqlite3
import subprocess
import sys
import threading
from unittest import mock

import numpy as np
import pytest
from pyarrow import parquet

from pkpo.__main__ import main
from pkpo.config import Change
from pkpo.intervals import Difference
from pkpo.runs import Limits, LocalExecutor, Store, StoreError, sweep, trainer, worker
from pkpo.runs import checkpoint as checkpoints
from pkpo.runs.environment import ROOT, data_folder, read_positive
from pkpo.runs.export import export_run
from pkpo.runs.process import Process, _from_ps
from pkpo.runs.run import STATUSES, TRANSITIONS, NotOurs, fair_order
from pkpo.training.loop import BLOCK, Loop
from pkpo.training.recording import record_run, replay_run
from pkpo.training.tasks.bandit import BanditConfig
from pkpo.training.tasks.gaussian_hill import HillConfig

NONSENSE = (
    "",
    "../../etc",
    "0123456789ab/..",
    "0123456789AB",
    "0123456789ab\n",
    "a" * 10_000,
    "%00",
)
UNKNOWN = "0123456789ab"
SMALL = HillConfig(n=8, schedule="4", steps=60)
STEERED = HillConfig(
    n=8, schedule="4@0,2@150", steps=300, optimizer="adam", learn_sigma=True, learning_rate=0.01
)


@pytest.fixture
def store(tmp_path, monkeypatch) -> Store:
    monkeypatch.setenv("PKPO_DATA_DIR", str(tmp_path / "data"))
    return Store()


def work(store: Store, id: str, stop_at: float = math.inf, act=lambda update: None) -> None:
    """Claim and train a run in this process, up to an update; `act` sees each next update once."""
    loops, seen = [], set()

    class Watched(Loop):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            loops.append(self)

    def told_to_stop() -> bool:
        update = loops[0].update
        if update not in seen:
            seen.add(update)
            act(update)
        return update >= stop_at

    if status_of(store, id) == "queued":
        assert id in store.claim(lambda device: 100)
    run, count = store.begin(id, Process.this_one(), {})
    store.files(id).mkdir(parents=True, exist_ok=True)
    with mock.patch.object(trainer, "Loop", Watched):
        local = LocalExecutor(store)
        stopped = worker.train_until_stopped(
            store, run, count, Process.this_one(), local, told_to_stop
        )
    store.end(id, Process.this_one(), "stopped" if stopped else "finished")


def stop_at(store: Store, id: str, *updates: int) -> None:
    """Train, stop and resume, so that there are checkpoints at these updates."""
    for update in updates:
        work(store, id, update)
        store.resume(id)


def check_events(store: Store, id: str, config, changes=()) -> None:
    """What is stored is, bit for bit, what an uninterrupted run gives."""
    found, want = store.events(id), replay_run(config, changes).columns
    assert list(found) == list(want)
    for name, curve in want.items():
        assert found[name].dtype == curve.dtype and np.array_equal(found[name], curve), name


def status_of(store: Store, id: str) -> str:
    return store.run(id).status


# --- Statuses, ids, limits ------------------------------------------------------------------------


def test_a_run_from_submission_to_its_end(store):
    id = store.submit(SMALL, owner="ann", name="first")
    queued = store.run(id)
    assert (queued.status, queued.step, queued.metrics, queued.process) == ("queued", 0, {}, None)
    assert (queued.config, queued.task, queued.name) == (SMALL, "gaussian-hill", "first")
    assert store.queue() == [id]
    work(store, id)
    run = store.run(id)
    assert (run.status, run.step, run.message, run.process) == ("finished", 60, "", None)
    assert run.created <= run.started <= run.heartbeat <= run.finished
    check_events(store, id, SMALL)
    assert run.metrics == record_run(SMALL).final()
    assert store.queue() == [] and Store(store.folder).run(id) == run


def test_events_after_an_update_and_their_limit(store):
    id = store.submit(SMALL)
    assert store.events(id) == {}
    work(store, id)
    assert store.events(id, after=49)["update"].tolist() == list(range(50, 61))
    assert store.events(id, after=49, limit=3)["update"].tolist() == [50, 51, 52]
    assert store.events(id, after=60) == {} == store.events(id, limit=0)
    assert len(store.events(id, after=-9)["k"]) == 61


def test_a_metric_that_some_events_lack_is_nan(store):
    id = store.submit(SMALL)
    store.claim(lambda device: 1)
    process = Process.this_one()
    store.begin(id, process, {})
    store.append(id, process, [{"update": 0, "a": 1.5}, {"update": 1, "b": 2}], 2)
    found = store.events(id)
    assert found["update"].tolist() == [0, 1]
    assert found["a"][0] == 1.5 and math.isnan(found["a"][1])
    assert math.isnan(found["b"][0]) and found["b"][1] == 2


@pytest.mark.parametrize("status", STATUSES)
def test_what_can_follow_each_status(store, status):
    ways = {
        "queued": [],
        "running": ["running"],
        "stopped": ["stopped"],
        "finished": ["running", "finished"],
        "interrupted": ["running", "interrupted"],
        "failed": ["running", "failed"],
    }
    id, process = store.submit(SMALL), Process.this_one()

    def reach(name: str) -> None:
        if name == "running":
            assert store.claim(lambda device: 1) == [id]
            store.begin(id, process, {})
        elif status_of(store, id) == "queued":
            store.stop(id)
        else:
            assert store.end(id, process, name, "why")

    for name in ways[status]:
        reach(name)
    assert status_of(store, id) == status
    if "queued" in TRANSITIONS[status]:
        store.resume(id)
        assert status_of(store, id) == "queued" and store.run(id).message == ""
    else:
        with pytest.raises(ValueError, match=f"run {id} is {status} and cannot be resumed"):
            store.resume(id)
        assert status_of(store, id) == status
    if status == "running":
        with pytest.raises(ValueError, match="is running and cannot be deleted; stop it first"):
            store.delete(id)
    elif status != "queued" and "queued" not in TRANSITIONS[status]:
        with pytest.raises(ValueError, match=f"is {status} and cannot be stopped"):
            store.stop(id)


def test_delete_forgets_everything_of_one_run(store):
    ids = [store.submit(SMALL), store.submit(SMALL)]
    for id in ids:
        store.steer(id, k=2)
        work(store, id)
    store.delete(ids[0])
    assert not store.files(ids[0]).exists() and store.files(ids[1]).is_dir()
    with pytest.raises(ValueError, match="there is no run"):
        store.events(ids[0])
    with sqlite3.connect(store.file) as db:
        for table, column in (("runs", "id"), ("events", "run"), ("steering", "run")):
            assert db.execute(f"SELECT DISTINCT {column} FROM {table}").fetchall() == [(ids[1],)]


@pytest.mark.parametrize("id", [*NONSENSE, UNKNOWN])
def test_a_nonsense_id_is_refused_everywhere(store, id):
    reason = "there is no run" if id == UNKNOWN else "a run's id has 12 characters"
    calls = [store.run, store.events, store.changes, store.stop, store.resume, store.delete]
    calls.append(lambda id: store.steer(id, k=1))
    for call in calls if id == UNKNOWN else [*calls, store.files]:
        with pytest.raises(ValueError, match=reason):
            call(id)


def test_limits(store):
    limited = Store(store.folder, limits=Limits(queued=3, steps=100))
    with pytest.raises(ValueError, match="steps of a run must be at most 100, got 101"):
        limited.submit(SMALL.replace(steps=101))
    ids = [limited.submit(SMALL, owner="ann") for _ in range(2)]
    with pytest.raises(ValueError, match="at most 3 of your runs can wait .* got 2 more to 2"):
        limited.submit_together([SMALL, SMALL], owner="ann")
    assert len(limited.runs(owner="ann")) == 2  # all or none
    limited.submit(SMALL, owner="ann")
    limited.submit(SMALL, owner="bob")
    for _ in range(5):
        limited.submit(SMALL)  # the machine's own user
    limited.stop(ids[0])
    limited.submit(SMALL, owner="ann")
    with pytest.raises(ValueError, match="at most 3 of your runs can wait"):
        limited.resume(ids[0])
    with pytest.raises(ValueError, match="name must have at most 80 characters, got 81"):
        limited.submit(SMALL, name="x" * 81)


def test_visitors_limits_hold_by_address_and_in_all(store):
    """Another browser is another owner, and no way around a limit."""
    limits = Limits(queued=3, from_address=4, in_all=6)
    limited = Store(store.folder, limits=limits)
    ids = [limited.submit(SMALL, owner=owner, address="here") for owner in "abcd"]
    with pytest.raises(ValueError, match="at most 4 runs from one network address can wait"):
        limited.submit(SMALL, owner="e", address="here")
    limited.stop(ids[0])
    limited.submit(SMALL, owner="e", address="here")
    with pytest.raises(ValueError, match="at most 4 runs from one network address can wait"):
        limited.resume(ids[0])
    limited.submit_together([SMALL, SMALL], owner="f", address="there")
    with pytest.raises(ValueError, match="at most 6 runs of all visitors .* got 1 more to 6"):
        limited.submit(SMALL, owner="g", address="far")
    limited.submit(SMALL)  # the machine's own user, whose runs do not count
    limited.stop(ids[1])
    limited.submit(SMALL, owner="g", address="far")


def test_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("PKPO_DATA_DIR", raising=False)
    assert data_folder() == ROOT / "data-runs"
    monkeypatch.setenv("PKPO_DATA_DIR", str(tmp_path))
    assert data_folder() == tmp_path
    monkeypatch.setenv("PKPO_QUEUE_LIMIT", "7")
    assert Limits.from_environment().queued == 7 == Limits.from_environment().from_address
    monkeypatch.setenv("PKPO_QUEUE_ADDRESS", "70")
    monkeypatch.setenv("PKPO_QUEUE_TOTAL", "700")
    assert Limits.from_environment() == Limits(queued=7, from_address=70, in_all=700)
    assert Limits.from_environment().steps == Limits().steps
    for text in ("0", "-1", "1.5", "many", ""):
        monkeypatch.setenv("PKPO_QUEUE_LIMIT", text)
        with pytest.raises(ValueError, match="PKPO_QUEUE_LIMIT must be a whole number above 0"):
            Limits.from_environment()
    monkeypatch.setenv("PKPO_STOP_GRACE", "inf")
    with pytest.raises(ValueError, match="PKPO_STOP_GRACE must be a number above 0, got 'inf'"):
        read_positive("PKPO_STOP_GRACE", 1.0)


def test_lists_are_filtered(store):
    hill, bandit = store.submit(SMALL, owner="ann"), store.submit(BanditConfig(), owner="bob")
    sweep_id = store.submit_together([SMALL, SMALL.replace(seed=1)], owner="bob")
    store.stop(hill)
    assert [run.id for run in store.runs()][-2:] == [bandit, hill]
    assert [run.id for run in store.runs(status="stopped")] == [hill]
    assert [run.id for run in store.runs(task="bandit")] == [bandit]
    assert {run.owner for run in store.runs(owner="bob")} == {"bob"}
    assert [run.config.seed for run in store.runs(sweep=sweep_id)] == [1, 0]
    assert len(store.runs(limit=2)) == 2
    assert store.runs(owner="") == []
    with pytest.raises(ValueError, match="status must be one of queued, .* got 'asleep'"):
        store.runs(status="asleep")


# --- The queue ------------------------------------------------------------------------------------


def test_owners_take_turns():
    waiting = [("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("c1", "c"), ("b2", "b")]
    assert fair_order(waiting, {}) == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert fair_order(waiting, {"a": 5.0, "c": 3.0}) == ["b1", "c1", "a1", "b2", "a2", "a3"]
    assert fair_order([], {"a": 1.0}) == []


def test_slots_per_device_and_turns_over_time(store):
    first = [store.submit(SMALL, owner="ann") for _ in range(3)]
    later = store.submit(SMALL, owner="bob")
    cuda = [store.submit(SMALL, owner="bob", device="cuda") for _ in range(2)]
    claimed = store.claim({"cpu": 2, "cuda": 1}.__getitem__)
    assert set(claimed) == {first[0], later, cuda[0]}
    assert store.claim({"cpu": 2, "cuda": 1}.__getitem__) == []
    assert store.end(first[0], None, "failed") and store.end(later, None, "failed")
    assert store.claim({"cpu": 1, "cuda": 1}.__getitem__) == [first[1]]
    assert store.queue() == [cuda[1], first[2]]


def test_lost_runs_hold_no_place(store):
    first, second = store.submit(SMALL), store.submit(SMALL)
    assert store.claim(lambda device: 1) == [first]
    assert store.claim(lambda device: 1) == []
    assert store.claim(lambda device: 1, [first]) == [second]


def test_many_reconcilers_launch_each_run_once(store, monkeypatch):
    ids = [store.submit(SMALL, owner=str(i % 3)) for i in range(12)]
    launched, most = [], []
    executors = [LocalExecutor(Store(store.folder), {"cpu": 4}) for _ in range(6)]
    monkeypatch.setattr(LocalExecutor, "_launch", lambda self, id: launched.append(id))

    def reconcile_and_finish(executor: LocalExecutor) -> None:
        while executor.store.queue():
            executor.reconcile()
            running = executor.store.runs(status="running")
            most.append(len(running))
            for run in running[:1]:
                executor.store.end(run.id, None, "finished")

    threads = [threading.Thread(target=reconcile_and_finish, args=(e,)) for e in executors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(launched) == sorted(ids)
    assert 1 <= max(most) <= 4


def test_processes_that_open_and_claim_at_once_share_out_the_runs(tmp_path):
    code = (
        "import sys; from pkpo.runs import Store\n"
        "from pkpo.training.tasks.gaussian_hill import HillConfig\n"
        "store = Store(sys.argv[1]); [store.submit(HillConfig()) for _ in range(5)]\n"
        "for _ in range(10): print(*store.claim(lambda device: 20))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "new")]
    started = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    claimed = [id for process in started for id in process.communicate()[0].split()]
    assert [process.returncode for process in started] == [0] * 4
    assert len(claimed) == len(set(claimed)) == 20  # every one of them, once
    assert {run.id for run in Store(tmp_path / "new").runs(status="running")} == set(claimed)


OPENING = """
import multiprocessing, sys
from pkpo.runs import Store, StoreError

def open_all(barrier, folders, problems):
    for folder in folders:
        barrier.wait()
        try:
            store = Store(folder)
            store.runs()
            store.close()
        except StoreError as reason:
            problems.put(str(reason))
    problems.put("")

if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    barrier, problems = context.Barrier(8), context.Queue()
    folders = [f"{sys.argv[1]}/{i}" for i in range(100)]
    started = [
        context.Process(target=open_all, args=(barrier, folders, problems)) for _ in range(8)
    ]
    for process in started:
        process.start()
    said = []
    while said.count("") < 8:
        said.append(problems.get())
    print(*filter(None, said), sep="\\n", end="")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_many_processes_open_a_new_store_at_the_same_moment(tmp_path):
    """Eight behind a barrier, a hundred times: nobody is refused."""
    command = [sys.executable, "-c", OPENING, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_a_network_file_system_is_named(tmp_path, monkeypatch):
    """SQLite's own way of locking where shared memory does not work, as there: it answers "delete"."""
    connect = sqlite3.connect

    def without_shared_memory(file, **options):
        return connect(f"file:{file}?vfs=unix-dotfile", uri=True, **options)

    monkeypatch.setattr(sqlite3, "connect", without_shared_memory)
    with pytest.raises(StoreError, match="network file system.*PKPO_DATA_DIR can name a folder on"):
        Store(tmp_path)


def test_a_locking_protocol_error_is_named(store):
    def refuse() -> None:
        reason = sqlite3.OperationalError("locking protocol")
        reason.sqlite_errorname = "SQLITE_PROTOCOL"
        raise reason

    with pytest.raises(StoreError, match="network file system.*PKPO_DATA_DIR can name a folder on"):
        with store._database.explained():
            refuse()


# --- Exact resumption and steering ----------------------------------------------------------------


@pytest.mark.parametrize("kind", [HillConfig, BanditConfig])
def test_exact_values_do_not_depend_on_how_events_are_batched(kind):
    config = kind(steps=BLOCK - 1, schedule="8@0,3@90,12@180")
    want = record_run(config).columns
    for size in (1, 2, 7, 100):
        loop = Loop(config)
        events = list(loop)
        for start in range(0, len(events), size):
            loop.complete(events[start : start + size])
        for name, curve in want.items():
            if name in events[0].metrics:
                assert [event.metrics[name] for event in events] == curve.tolist(), (name, size)


@pytest.mark.parametrize(
    "config",
    [STEERED, BanditConfig(steps=40, bandit="crowded", optimizer="adam", learning_rate=0.1)],
    ids=lambda config: config.task,
)
def test_a_loop_goes_on_from_its_state(config, tmp_path):
    changes = (Change(update=7, k=3), Change(update=20, learning_rate=0.02))
    want = replay_run(config, changes)
    loop = Loop(config, changes)
    for cut in (0, 1, 8, 21, config.steps + 1):
        while loop.update < cut:
            next(loop)
        path = checkpoints.write_checkpoint(tmp_path, loop.state())
        again = Loop(config, changes)
        again.load(checkpoints.read_checkpoint(path))
        rest = list(again)
        assert [event.update for event in rest] == list(range(cut, config.steps + 1))
        for event in rest:
            assert np.array_equal(event.parameters, want.parameters[event.update])
            assert event.metrics["learning_rate"] == want["learning_rate"][event.update]


def test_a_state_of_another_run_is_refused():
    state = Loop(BanditConfig()).state()
    for config in (HillConfig(), BanditConfig(bandit="crowded")):
        with pytest.raises(ValueError, match="state does not fit this run's task and settings"):
            Loop(config).load(state)


def test_what_a_change_does():
    changes = (
        Change(update=3, k=2),
        Change(update=5, learning_rate=0.5),
        Change(update=5, k=8, learning_rate=0.25),
        Change(update=9, learning_rate=0.125),
    )
    run, plain = replay_run(SMALL, changes), record_run(SMALL)
    assert run["k"].tolist() == [4] * 3 + [2] * 2 + [8] * 56
    assert run["learning_rate"].tolist() == [0.005] * 5 + [0.25] * 4 + [0.125] * 52
    assert np.array_equal(run["theta"][:4], plain["theta"][:4])
    assert run["theta"][4] != plain["theta"][4]
    # A change from the start is the setting itself.
    whole = replay_run(SMALL, (Change(update=0, k=2, learning_rate=0.01),))
    same = record_run(SMALL.replace(schedule="2", learning_rate=0.01))
    assert all(np.array_equal(whole[name], same[name]) for name in same.columns)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"k": 9}, "k = 9 is more than n = 8"),
        ({"k": 0}, "k must be from 1"),
        ({"k": 2.0}, "k must be of type int, got 2.0"),
        ({"k": True}, "k must be of type int, got True"),
        ({"learning_rate": 0.0}, "learning_rate must be from 1e-09 to 1000.0, got 0.0"),
        ({"learning_rate": math.nan}, "learning_rate must be from 1e-09 to 1000.0, got nan"),
        ({"learning_rate": "1"}, "learning_rate must be of type float"),
        ({}, "a change must give k, learning_rate or both"),
    ],
    ids=str,
)
def test_an_impossible_change_is_refused(store, change, reason):
    id = store.submit(SMALL)
    with pytest.raises(ValueError, match=reason):
        store.steer(id, **change)
    with pytest.raises(ValueError, match=reason):
        Loop(SMALL, [Change(update=0, **change)])


def test_a_change_cannot_come_too_late_or_beyond_the_end():
    loop = Loop(SMALL, [Change(update=5, k=2)])
    with pytest.raises(ValueError, match="update of a change must be at least 5, got 4"):
        loop.steer(Change(update=4, k=1))
    with pytest.raises(ValueError, match="update must be from 0 to 60, got 61"):
        loop.steer(Change(update=61, k=1))
    with pytest.raises(ValueError, match="not allowed with n = 8 for estimator 'canonical'"):
        Loop(SMALL.replace(estimator="canonical"), [Change(update=0, k=8)])


def test_steering_while_a_run_goes_on_can_be_replayed(store):
    config = STEERED.replace(steps=700)
    id = store.submit(config)
    store.steer(id, learning_rate=0.02)  # before it starts

    def drag(update: int) -> None:
        if update in (30, 70, 71, 200):
            store.steer(id, k=1 + update % 8)
        if update in (120, 200):
            store.steer(id, learning_rate=update / 10_000)

    for end in (31, 72, math.inf):
        work(store, id, end, drag)
        if end < math.inf:
            store.resume(id)
    changes = store.changes(id)
    assert [(c.k, c.learning_rate) for c in changes] == [
        (None, 0.02), (7, None), (7, None), (8, None), (None, 0.012), (1, None), (None, 0.02)
    ]  # fmt: skip
    at = [change.update for change in changes]
    assert at[:4] == [0, 31, 72, 72] and 121 <= at[4] and 201 <= at[5] == at[6] <= 72 + 2 * BLOCK
    check_events(store, id, config, changes)
    with pytest.raises(ValueError, match="is finished and cannot be changed"):
        store.steer(id, k=1)
    assert not np.array_equal(store.events(id)["theta"], record_run(config)["theta"])


def test_a_change_waits_while_lost_updates_are_done_again(store):
    """After a crash, old updates are computed again as they were: a new change must not touch them."""
    id = store.submit(STEERED)
    work(store, id, 51)
    for path in checkpoints.saved(store.files(id)):
        path.unlink()  # so that it begins again at 0
    store.resume(id)
    store.steer(id, k=7)
    work(store, id)
    (change,) = store.changes(id)
    assert change.k == 7 and change.update > 50
    check_events(store, id, STEERED, store.changes(id))


# --- Checkpoints ----------------------------------------------------------------------------------


def damage(path, how: str) -> None:
    content = bytearray(path.read_bytes())
    if how == "truncated":
        content = content[:-5]
    elif how == "empty":
        content = bytearray()
    elif how == "header":
        content[:8] = b"\xff" * 8
    else:
        content[-3] ^= 0x10  # one bit of a parameter: the format itself cannot notice
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("how", ["truncated", "empty", "header", "bit"])
def test_a_damaged_checkpoint_is_passed_over_with_a_message(store, how):
    id = store.submit(STEERED)
    stop_at(store, id, 41, 102)
    new, old = checkpoints.saved(store.files(id))
    assert (new.name, old.name) == ("update-102.safetensors", "update-41.safetensors")
    damage(new, how)
    assert checkpoints.newest_file(store.files(id)) == old
    work(store, id)
    run = store.run(id)
    assert run.status == "finished"
    assert run.message.startswith("update-102.safetensors is damaged (")
    assert run.message.endswith("): it went on from update 41")
    check_events(store, id, STEERED)


def test_the_message_about_damaged_checkpoints_and_a_start_from_nothing(store):
    id = store.submit(STEERED)
    stop_at(store, id, 41, 102)
    for path in checkpoints.saved(store.files(id)):
        damage(path, "bit")
    work(store, id)
    assert store.run(id).message == (
        "update-102.safetensors is damaged (its contents have changed); "
        "update-41.safetensors is damaged (its contents have changed): it went on from update 0"
    )
    check_events(store, id, STEERED)


def test_a_checkpoint_beyond_the_events_is_not_used(store):
    """Power loss can take the last events and leave the checkpoint: then no event may be missing."""
    id = store.submit(STEERED)
    stop_at(store, id, 41, 102)
    with sqlite3.connect(store.file) as db:
        db.execute("DELETE FROM events WHERE run = ? AND step > 90", (id,))
    work(store, id)
    check_events(store, id, STEERED)


def test_checkpoints_keep_dtype_shape_and_order(tmp_path):
    state = {
        "update": np.array(12),
        "policy/parameters": np.arange(6.0).reshape(2, 3).T,
        "task/solved": np.array([True, False]),
        "optimizer/small": np.array([1e-300, -0.0, np.inf], np.float32),
    }
    found = checkpoints.read_checkpoint(checkpoints.write_checkpoint(tmp_path, state))
    assert set(found) == set(state)
    for name, x in state.items():
        assert found[name].dtype == x.dtype and found[name].shape == x.shape, name
        assert found[name].tobytes() == np.ascontiguousarray(x).tobytes(), name
    for update in (13, 14, 9):
        checkpoints.write_checkpoint(tmp_path, state | {"update": np.array(update)})
    (tmp_path / "update-x.safetensors").write_text("not ours")
    assert [p.name for p in checkpoints.saved(tmp_path)] == [
        "update-14.safetensors",
        "update-13.safetensors",
    ]


# --- A worker that lost its run -------------------------------------------------------------------


def test_only_the_worker_that_has_a_run_may_write(store):
    id, own = store.submit(SMALL), Process.this_one()
    other = dataclasses.replace(own, started="another time")
    with pytest.raises(ValueError, match="is queued, so no worker may train it now"):
        store.begin(id, own, {})
    store.claim(lambda device: 1)
    store.begin(id, own, {})
    store.launched(id, other)  # too late to matter
    with pytest.raises(ValueError, match=f"belongs to the worker process {own.pid}"):
        store.begin(id, other, {})
    with pytest.raises(NotOurs):
        store.append(id, other, [{"update": 0, "k": 1}], 1)
    assert store.events(id) == {}
    assert store.end(id, other, "failed") is False and status_of(store, id) == "running"
    assert store.end(id, own, "interrupted") is True
    with pytest.raises(NotOurs):
        store.append(id, own, [{"update": 0, "k": 1}], 1)
    assert store.events(id) == {}


def test_process_identity():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    found = Process.from_pid(child.pid)
    assert found is not None and found.alive and found == Process.from_pid(child.pid)
    assert found != Process.this_one() and Process.this_one().pid == os.getpid()
    assert not dataclasses.replace(found, started="1 after another start").alive
    child.kill()
    while Process.from_pid(child.pid):  # a zombie, until it is waited for, does not count
        pass
    child.wait()
    assert not found.alive
    try:
        assert _from_ps(os.getpid()) and not _from_ps(child.pid)
    except FileNotFoundError:
        pass  # there is no ps here, and /proc serves


# --- Sweeps ---------------------------------------------------------------------------------------


def test_a_sweep_is_summarised_per_value(store):
    wanted = sweep.sweep_configs(SMALL, seeds=[0, 1, 2], field="schedule", values=["1", "4"])
    assert [(c.schedule, c.seed) for c in wanted] == [(k, s) for k in "14" for s in (0, 1, 2)]
    id = store.submit_together(wanted)
    runs = store.runs(sweep=id)[::-1]
    for run in runs[:-1]:
        work(store, run.id)
    work(store, runs[-1].id, 21)
    runs = store.runs(sweep=id)[::-1]
    one, four = sweep.summarise(runs)
    assert (one.config, four.config) == (wanted[0], wanted[3]) and wanted[0].seed == 0
    assert (one.finished, four.finished) == (3, 2)
    records = [record_run(config) for config in wanted]
    finals = np.array([r["theta"][-1] for r in records])
    for member, values in ((one, finals[:3]), (four, finals[3:5])):
        assert np.isclose(member.final["theta"].mean, values.mean(), rtol=1e-14)
        error = np.sqrt(values.var(ddof=1) / len(values))
        assert np.isclose(member.final["theta"].error, error, rtol=1e-12)
    found = four.difference(one, "theta")  # of the two seeds that are finished in both
    assert found == Difference.from_samples(finals[3:5] - finals[:2])
    assert one.difference(one, "theta").standing == "undecided"
    assert one.difference(four, "no such metric") is None
    curves = np.array([r["max@4"] for r in records])
    means = [sweep.mean_curves([store.events(run.id) for run in m.runs]) for m in (one, four)]
    assert np.array_equal(means[0]["max@4"].mean, curves[:3].mean(0))
    assert len(means[1]["max@4"].mean) == 21  # as far as all three are
    assert np.array_equal(means[1]["max@4"].mean, curves[3:, :21].mean(0))
    assert means[1]["update"].mean.tolist() == list(range(21))


def test_a_sweep_of_seeds_only_and_of_a_single_one(store):
    configs = sweep.sweep_configs(SMALL, seeds=[5])
    assert configs == [SMALL.replace(seed=5)]
    id = store.submit_together(configs)
    (member,) = sweep.summarise(store.runs(sweep=id))
    assert (member.config, member.finished, member.final) == (SMALL, 0, {})
    work(store, store.runs(sweep=id)[0].id)
    (member,) = sweep.summarise(store.runs(sweep=id))
    assert member.final["theta"].mean == record_run(configs[0])["theta"][-1]
    assert np.isnan(member.final["theta"].error)


def test_runs_that_differ_in_more_than_one_setting_are_not_taken_together(store):
    wanted = [
        SMALL,
        SMALL.replace(n=SMALL.n * 2),
        SMALL.replace(seed=1),
        SMALL.replace(schedule="2"),
    ]
    id = store.submit_together(wanted)
    found = sweep.summarise(store.runs(sweep=id)[::-1])
    assert [m.config for m in found] == [wanted[0], wanted[1], wanted[3]]
    assert [len(m.runs) for m in found] == [2, 1, 1]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"seeds": []}, "seeds must have at least one value"),
        ({"seeds": [1, 1]}, "seeds must differ, got 1 1"),
        ({"seeds": [0], "field": "n"}, "n must have at least one value"),
        ({"seeds": [0], "field": "n", "values": [8, 8]}, "n must differ, got 8 8"),
        ({"seeds": [0], "field": "n", "values": [2]}, "k = 4 is more than n = 2"),
    ],
)
def test_impossible_sweeps(arguments, reason):
    with pytest.raises(ValueError, match=reason):
        sweep.sweep_configs(SMALL, **arguments)


# --- The command line -----------------------------------------------------------------------------


def run_command(capsys, *words: str) -> tuple[int, str, str]:
    status = main(list(words))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_list_show_and_export(store, capsys, tmp_path):
    assert run_command(capsys, "runs", "list") == (0, f"no runs in {store.folder}\n", "")
    id = store.submit(SMALL)
    store.steer(id, k=2)
    work(store, id)
    status, out, _ = run_command(capsys, "runs", "list", "--json")
    (report,) = json.loads(out)
    assert status == 0 and report["changes"] == [{"update": 0, "k": 2, "learning_rate": None}]
    want = replay_run(SMALL, [Change(update=0, k=2)])
    assert (report["id"], report["status"], report["step"]) == (id, "finished", 60)
    assert report["config"] == SMALL.to_dict() and report["metrics"] == want.final()
    assert json.loads(run_command(capsys, "runs", "show", id, "--json")[1]) == report
    assert json.loads(run_command(capsys, "runs", "list", "--status", "failed", "--json")[1]) == []
    shown = run_command(capsys, "runs", "show", id)[1]
    assert "60 of 60" in shown and "from update 0: k 2" in shown
    out = tmp_path / "out" / "deep"
    status, printed, _ = run_command(capsys, "runs", "export", id, "--out", str(out))
    files = [out / f"{id}{end}" for end in (".csv", ".parquet", ".json", ".safetensors")]
    assert status == 0 and printed.split() == list(map(str, files))
    header, *rows = csv.reader(files[0].read_text().splitlines())
    assert header == list(want.columns)
    for name, column in zip(header, zip(*rows, strict=True), strict=True):
        assert list(map(float, column)) == want[name].tolist(), name
    table = parquet.read_table(files[1])
    assert table.column_names == list(want.columns)
    for name, curve in want.columns.items():
        column = table[name].to_numpy()
        assert column.dtype == curve.dtype and np.array_equal(column, curve), name
    settings = json.loads(files[2].read_text())
    assert settings["config"] == SMALL.to_dict() and settings["changes"] == report["changes"]
    state = checkpoints.read_checkpoint(files[3])
    assert state["update"] == 61 and state["policy/parameters"][0] == want["theta"][-1]


def test_stop_resume_delete_of_a_waiting_run(store, capsys, monkeypatch):
    monkeypatch.setattr(LocalExecutor, "reconcile", lambda self: None)
    id = store.submit(SMALL)
    assert "queued (1 in line)" in run_command(capsys, "runs", "list")[1]
    assert json.loads(run_command(capsys, "runs", "stop", id, "--json")[1])["status"] == "stopped"
    assert json.loads(run_command(capsys, "runs", "resume", id, "--json")[1])["status"] == "queued"
    assert run_command(capsys, "runs", "delete", id) == (0, f"deleted {id}\n", "")
    assert store.runs() == []


def test_background_gives_ids_at_once(store, capsys, monkeypatch):
    monkeypatch.setattr(LocalExecutor, "reconcile", lambda self: None)
    words = ["train", "--background", "--task", "bandit", "--steps", "9"]
    status, out, err = run_command(capsys, *words)
    assert (status, err) == (0, "")
    run = store.run(out.strip())
    assert run.status == "queued" and run.config == BanditConfig(steps=9)
    report = json.loads(run_command(capsys, *words, "--json")[1])
    assert (report["status"], report["step"], report["metrics"]) == ("queued", 0, {})
    ids = run_command(capsys, *words, "--compare", "schedule", "1", "8")[1].split()
    assert [store.run(id).config.schedule for id in ids] == ["1", "8"]
    assert len({store.run(id).sweep for id in ids}) == 1
    status, out, err = run_command(capsys, "train", "--background", "--steps", "200001")
    assert (status, out) == (2, "") and "steps of a run must be at most 200000" in err


@pytest.mark.parametrize("action", ["show", "stop", "resume", "delete", "export"])
@pytest.mark.parametrize("id", [*NONSENSE, UNKNOWN])
def test_a_nonsense_id_is_one_line_and_status_2(store, capsys, action, id, tmp_path):
    extra = ["--out", str(tmp_path / "out")] if action == "export" else []
    status, out, err = run_command(capsys, "runs", action, id, *extra)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("pkpo runs: ") and len(err) < 200


def test_a_store_of_another_version_is_refused(store):
    with sqlite3.connect(store.file) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="was written by another version"):
        Store(store.folder)


def test_a_store_of_the_version_before_is_taken_over(store):
    id = store.submit(SMALL)
    store.close()
    with sqlite3.connect(store.file) as db:  # as it was before details were kept
        db.execute("DROP TABLE details")
        db.execute("ALTER TABLE runs DROP COLUMN address")
        db.execute("ALTER TABLE runs DROP COLUMN log")
        db.execute("PRAGMA user_version = 1")
    db.close()
    found = Store(store.folder)
    assert found.run(id).status == "queued" and found.details(id) == {}
    assert found.run(id).log == ()
    found.claim(lambda device: 1)
    process = Process.this_one()
    found.begin(id, process, {})
    kept = {0: {"groups": [1, "two"]}, 3: {"held_out": [0.5]}}
    found.append(id, process, [], None, kept)
    found.append(id, process, [], None, {3: {"held_out": ["done again"]}})
    assert found.details(id) == kept
    found.end(id, process, "stopped")
    found.delete(id)
    with pytest.raises(ValueError, match="there is no run"):
        found.details(id)


def test_export_of_a_run_that_never_began(store, tmp_path):
    id = store.submit(SMALL)
    files, problem = export_run(store, id, tmp_path)
    assert [path.suffix for path in files] == [".csv", ".parquet", ".json"] and problem == ""
    assert parquet.read_table(files[1]).shape == (0, 0)
