"""Runs when things go wrong, each done for real: kills, full and read-only disks, damage, locks."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from pkpo.runs import LocalExecutor, Run, Store, StoreError, checkpoint, executor, worker
from pkpo.runs import process as processes
from pkpo.runs.environment import ROOT
from pkpo.runs.process import Process
from pkpo.training.recording import record_run, replay_run
from pkpo.training.tasks.bandit import BanditConfig
from pkpo.training.tasks.gaussian_hill import HillConfig

CONFIG = HillConfig(n=8, schedule="4", steps=3000, optimizer="adam", learn_sigma=True)
LONG = CONFIG.replace(steps=200_000)
OVER = ("finished", "stopped", "interrupted", "failed")
PATIENCE = 60.0  # seconds; only a failing test waits so long


@pytest.fixture
def store(tmp_path, monkeypatch) -> Iterator[Store]:
    monkeypatch.setenv("PKPO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PKPO_CHECKPOINT_SECONDS", "0.2")
    made = Store()
    yield made
    for id in os.listdir(made.folder / "runs") if (made.folder / "runs").exists() else ():
        for pid in workers(id):
            os.kill(pid, signal.SIGKILL)


def workers(id: str) -> list[int]:
    """The processes whose command line names this run."""
    if Path("/proc/self").exists():
        lines = {int(p.parent.name): _content(p) for p in Path("/proc").glob("[0-9]*/cmdline")}
        return [pid for pid, line in lines.items() if f"pkpo\0worker\0{id}\0" in line]
    shown = subprocess.run(["ps", "-ww", "-eo", "pid=,args="], capture_output=True, text=True)
    return [int(row.split()[0]) for row in shown.stdout.splitlines() if f"worker {id}" in row]


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""  # it is gone


def wait(store: Store, id: str, until: Callable[[Run], bool], by: LocalExecutor | None = None):
    """The run, once it is as wanted."""
    end = time.monotonic() + PATIENCE
    while not until(run := store.run(id)):
        assert time.monotonic() < end, f"waited in vain; the run is {run}"
        if by is not None:
            by.reconcile()
        time.sleep(0.02)
    return run


def over(run: Run) -> bool:
    return run.status in OVER


def under_way(run: Run) -> bool:
    return run.status == "running" and run.step > 100


def check_events(store: Store, id: str) -> None:
    """What is stored is, bit for bit, what an uninterrupted run gives."""
    run, found = store.run(id), store.events(id)
    want = replay_run(run.config, store.changes(id)).columns
    assert (run.status, run.message) == ("finished", ""), run.message
    assert list(found) == list(want)
    for name, curve in want.items():
        assert np.array_equal(found[name], curve), name


# --- Killed ---------------------------------------------------------------------------------------


def kill_at_random(store: Store, config, rng: random.Random, kills: int, steer: bool) -> None:
    id, local = store.submit(config), LocalExecutor(store)
    done = 0
    while done < kills:
        run = wait(store, id, lambda run: under_way(run) or over(run), local)
        if run.status == "finished":
            break
        time.sleep(rng.uniform(0, 0.5))
        if steer:
            store.steer(id, k=rng.randint(1, config.n), learning_rate=rng.uniform(0.001, 0.01))
        before = store.run(id)
        if before.process:
            os.kill(before.process.pid, signal.SIGKILL)
            run = wait(store, id, over, local)
            assert run.status == "interrupted" and "its worker is gone" in run.message
            done += 1
            store.resume(id)
    assert done > 0
    wait(store, id, over, local)
    check_events(store, id)
    assert len(store.changes(id)) >= done if steer else not store.changes(id)


def test_killed_at_random_moments_it_ends_with_the_same_numbers(store):
    kill_at_random(store, CONFIG.replace(steps=5000), random.Random(0), 3, steer=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_killed_many_times(store, seed):
    config = BanditConfig(steps=8000, bandit="crowded", optimizer="adam", learning_rate=0.02)
    for task in (CONFIG.replace(steps=20_000), config):
        kill_at_random(store, task, random.Random(seed), 8, steer=seed % 2 == 0)


@pytest.mark.slow
def test_four_at_once_are_killed_and_end_with_the_same_numbers_and_checkpoints(store):
    """Curves, details and the last checkpoint, to the last bit, of runs that kill each other's pace."""
    bandits = BanditConfig(steps=8000, bandit="crowded", optimizer="adam", learning_rate=0.02)
    configs = [CONFIG.replace(steps=20_000, seed=1), CONFIG.replace(steps=20_000, seed=2)]
    configs += [bandits, bandits.replace(seed=1)]
    ids = [store.submit(config) for config in configs]
    local, rng, kills = LocalExecutor(store, {"cpu": 4}), random.Random(0), 0
    while kills < 24 and any(store.run(id).status != "finished" for id in ids):
        local.reconcile()
        time.sleep(rng.uniform(0, 0.15))
        id = rng.choice(ids)
        run = store.run(id)
        if run.status == "interrupted":
            store.resume(id)
        elif run.status == "running" and run.process and workers(id):
            os.kill(run.process.pid, signal.SIGKILL)
            kills += 1
    for id in ids:
        while store.run(id).status != "finished":
            run = wait(store, id, over, local)
            if run.status == "interrupted":
                store.resume(id)
    assert kills >= 8
    quiet = [store.submit(config) for config in configs]
    for id, twin in zip(ids, quiet, strict=True):
        check_events(store, id)
        wait(store, twin, over, local)
        assert store.details(id) == store.details(twin)
        one, other = (
            checkpoint.read_checkpoint(checkpoint.saved(store.files(x))[0]) for x in (id, twin)
        )
        assert list(one) == list(other)
        for name, array in one.items():
            assert np.array_equal(array, other[name]), name


def test_the_server_is_killed_and_its_workers_go_on(store):
    """The process that started a worker dies with all of its group; the queue advances by itself."""
    ids = [store.submit(CONFIG.replace(steps=500, seed=seed)) for seed in range(2)]
    code = (
        "import time; from pkpo.runs import Store, LocalExecutor\n"
        "LocalExecutor(Store(), {'cpu': 1}).reconcile(); print('done', flush=True); time.sleep(60)"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True
    )
    assert server.stdout is not None and server.stdout.readline() == b"done\n"
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()
    for id in ids:  # nobody calls reconcile but the first worker
        wait(store, id, over)
        check_events(store, id)
    first, second = map(store.run, ids)
    assert first.finished <= second.started


def test_a_silent_worker_is_not_replaced_and_a_second_one_refused(store, monkeypatch):
    """A closed lid: no heartbeat, but the process is there."""
    id, local = store.submit(CONFIG), LocalExecutor(store)
    local.reconcile()
    run = wait(store, id, under_way)
    os.kill(run.process.pid, signal.SIGSTOP)
    monkeypatch.setattr(executor, "FAR_SILENCE", 0.3)
    time.sleep(0.6)
    before = store.run(id)
    assert time.time() - before.heartbeat > executor.FAR_SILENCE
    for _ in range(3):
        local.reconcile()
    assert store.run(id) == before and workers(id) == [run.process.pid]
    second = subprocess.run(
        [sys.executable, "-m", "pkpo", "worker", id], cwd=ROOT, capture_output=True, text=True
    )
    assert second.returncode == 2
    assert f"belongs to the worker process {run.process.pid}" in second.stderr
    os.kill(run.process.pid, signal.SIGCONT)
    wait(store, id, over, local)
    check_events(store, id)


def test_right_after_a_kill_it_can_be_resumed_and_deleted(store):
    """One command, with no look before it: the status is as old as the kill."""

    def pkpo(*words: str) -> tuple[int, str, str]:
        command = [sys.executable, "-m", "pkpo", "runs", *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def killed() -> None:
        run = wait(store, id, under_way)
        os.kill(run.process.pid, signal.SIGKILL)
        wait_for_end(run.process)
        assert store.run(id).status == "running"

    id = store.submit(LONG)
    LocalExecutor(store).reconcile()
    killed()
    status, said, problem = pkpo("resume", id)
    assert (status, problem) == (0, "") and f"{id}  running" in said
    killed()
    status, _, problem = pkpo("stop", id)
    assert status == 2 and "is interrupted and cannot be stopped" in problem
    assert pkpo("resume", id)[0] == 0
    killed()
    assert pkpo("delete", id) == (0, f"deleted {id}\n", "")
    assert store.runs() == []


def wait_for_end(process: Process) -> None:
    end = time.monotonic() + PATIENCE
    while process.alive:
        assert time.monotonic() < end
        time.sleep(0.01)


ELSEWHERE = """
import time
from pkpo.runs import LocalExecutor, Store, trainer
store = Store()
local = LocalExecutor(store)
local.reconcile()
while store.runs(status=("queued", "running")):
    local.reconcile()
    time.sleep(0.1)
"""


def elsewhere(code: str) -> subprocess.Popen:
    """A process that others cannot see, and that sees none of them: as in another container."""
    if shutil.which("unshare") is None:
        pytest.skip("needs Linux")
    unshared = ["unshare", "-r", "--pid", "--fork", "--mount-proc", "--kill-child"]
    tried = subprocess.run([*unshared, "true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"no PID namespaces here: {tried.stderr.strip()}")
    return subprocess.Popen([*unshared, sys.executable, "-c", code], cwd=ROOT)


def test_a_worker_in_another_pid_namespace(store, monkeypatch):
    """Looks from here take nothing away from it; its own namespace sees it; silence must be long."""
    id, there, here = store.submit(CONFIG), elsewhere(ELSEWHERE), LocalExecutor(store)
    try:
        run = wait(store, id, under_way)
        assert not run.process.visible and not run.process.alive
        held = [pid for pid in workers(id) if pid != run.process.pid]
        for pid in held:
            os.kill(
                pid, signal.SIGSTOP
            )  # as in an update that takes long, or a machine that sleeps
        monkeypatch.setattr(executor, "FAR_SILENCE", 0.2)
        time.sleep(0.4)
        here.reconcile()
        assert store.run(id).status == "running"
        monkeypatch.setattr(executor, "FAR_SILENCE", 600.0)
        with pytest.raises(ValueError, match="another container .* sign of life . s ago; .* 600 s"):
            here.give_up(id)
        for pid in held:
            os.kill(pid, signal.SIGCONT)
        assert wait(store, id, over, here).status == "finished"
        check_events(store, id)
    finally:
        there.kill()
        there.wait()


def test_what_died_elsewhere_is_taken_over_when_asked(store, monkeypatch):
    """Nobody who only looks declares it dead; a queue here does not wait for it; `resume` may."""
    id, there, here = store.submit(CONFIG), elsewhere(ELSEWHERE), LocalExecutor(store, {"cpu": 1})
    try:
        wait(store, id, under_way)
    finally:
        there.kill()  # and with it, all in its namespace
        there.wait()
    other = store.submit(CONFIG.replace(seed=1))
    here.reconcile()
    assert [store.run(one).status for one in (id, other)] == ["running", "queued"]
    monkeypatch.setattr(executor, "FAR_SILENCE", 0.2)
    time.sleep(0.4)
    wait(store, other, over, here)
    assert store.run(id).status == "running"
    here.give_up(id)
    run = store.run(id)
    assert run.status == "interrupted" and "no sign of life for" in run.message
    store.resume(id)
    wait(store, id, over, here)
    check_events(store, id)


def test_what_died_elsewhere_can_be_stopped(store, monkeypatch):
    process = dataclasses.replace(Process.this_one(), started="1 after 2 in 3 on ")
    id = store.submit(CONFIG)
    assert store.claim(lambda device: 1) == [id]
    store.begin(id, process, {})
    monkeypatch.setattr(executor, "FAR_SILENCE", 0.2)
    here = LocalExecutor(store, stop_grace=0.1)
    time.sleep(0.4)
    here.reconcile()
    assert store.run(id).status == "running"
    store.stop(id)
    assert wait(store, id, over, here).status == "stopped"


def test_a_machine_that_was_started_anew(store, monkeypatch):
    """Its name is the same and its start another: what ran then is gone, and a look may say so."""
    monkeypatch.setattr(processes, "_place", lambda: "boot-1 in pid:[1] on lab 77")
    id, process = store.submit(CONFIG), Process.this_one()
    assert store.claim(lambda device: 1) == [id]
    store.begin(id, process, {})
    monkeypatch.setattr(processes, "_place", lambda: "boot-2 in pid:[1] on lab 77")
    LocalExecutor(store).reconcile()
    assert store.run(id).status == "running"  # a machine takes a while to start
    monkeypatch.setattr(executor, "FAR_SILENCE", 0.0)
    monkeypatch.setattr(processes, "_place", lambda: "boot-2 in pid:[1] on ")
    LocalExecutor(store).reconcile()
    assert store.run(id).status == "running"  # a machine without a name may be any
    monkeypatch.setattr(processes, "_place", lambda: "boot-2 in pid:[1] on lab 77")
    LocalExecutor(store).reconcile()
    assert store.run(id).status == "interrupted"


def test_it_gives_signs_of_life_while_one_update_takes_long(store, monkeypatch):
    monkeypatch.setattr(worker, "BEAT", 0.02)
    id, process = store.submit(CONFIG), Process.this_one()
    assert store.claim(lambda device: 1) == [id]
    store.begin(id, process, {})
    with worker._beating(store, id, process):
        for _ in range(3):
            before = store.run(id).heartbeat
            wait(store, id, lambda run, before=before: run.heartbeat > before)
    quiet = store.run(id).heartbeat
    time.sleep(0.1)
    assert store.run(id).heartbeat == quiet
    other = dataclasses.replace(process, started="another time")
    store.beat(id, other)
    assert store.run(id).heartbeat == quiet  # it is not that one's


def test_stopped_gracefully_by_request_and_by_sigterm(store):
    id, local = store.submit(LONG), LocalExecutor(store)
    local.reconcile()
    wait(store, id, under_way)
    store.stop(id)
    run = wait(store, id, over)
    assert (run.status, run.message) == ("stopped", "")
    events = store.events(id)
    assert events["update"].tolist() == list(range(run.step + 1))
    assert [p.stem for p in store.files(id).glob(f"update-{run.step + 1}.*")]  # nothing is lost
    store.resume(id)
    local.reconcile()
    again = wait(store, id, lambda now: now.status == "running" and now.step > run.step)
    os.kill(again.process.pid, signal.SIGTERM)
    ended = wait(store, id, over)
    assert (ended.status, ended.message) == ("stopped", "")
    want = record_run(LONG.replace(steps=ended.step + 1)).columns
    for name, curve in store.events(id).items():
        assert np.array_equal(curve, want[name][: len(curve)]), name


def test_what_does_not_stop_is_ended_by_force(store):
    id, local = store.submit(LONG), LocalExecutor(store, stop_grace=0.3)
    local.reconcile()
    run = wait(store, id, under_way)
    os.kill(run.process.pid, signal.SIGSTOP)  # it cannot hear
    store.stop(id)
    local.reconcile()
    assert store.run(id).status == "running"
    run = wait(store, id, over, local)
    assert run.status == "stopped" and "by force" in run.message
    assert workers(id) == []


def test_a_worker_that_cannot_start_says_why(store, tmp_path, monkeypatch):
    (tmp_path / "safetensors.py").write_text("raise ImportError('it is not for this machine')")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    id, local = store.submit(CONFIG), LocalExecutor(store)
    run = wait(store, id, over, local)
    assert run.status == "interrupted"
    assert "it last said: ImportError: it is not for this machine" in run.message


def test_a_claim_whose_claimer_died_is_given_up(store, monkeypatch):
    id, local = store.submit(CONFIG), LocalExecutor(store)
    assert store.claim(lambda device: 1) == [id]
    local.reconcile()
    assert store.run(id).status == "running"  # its worker may still be on its way
    monkeypatch.setattr(executor, "START_GRACE", 0.0)
    local.reconcile()
    assert store.run(id).status == "interrupted"


def test_divergence_ends_as_failed_with_its_reason(store):
    id = store.submit(HillConfig(learn_sigma=True, learning_rate=80.0, seed=13, steps=5))
    other, local = store.submit(CONFIG), LocalExecutor(store)
    run = wait(store, id, over, local)
    assert run.status == "failed"
    assert run.message.startswith("learning_rate 80 is too large: at update 2 ")
    assert store.events(id)["update"].tolist() == [0]
    assert "Traceback" in (store.files(id) / executor.LOG).read_text()
    wait(store, other, over, local)
    check_events(store, other)


# --- Disks ----------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs Linux")
def test_no_room_for_files_then_room_again(store):
    """A limit on file sizes, set on the living worker: its writes fail as on a full disk."""
    id, other = store.submit(LONG.replace(steps=6000)), store.submit(CONFIG)
    local = LocalExecutor(store)
    local.reconcile()
    run = wait(store, id, under_way)
    resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE, (300_000, 300_000))
    ended = wait(store, id, over, local)
    assert ended.status in ("failed", "interrupted")
    assert "the disk failed or is full" in ended.message or "the disk is full" in ended.message
    assert ended.step < 6000
    wait(store, other, over, local)
    check_events(store, other)
    store.resume(id)
    wait(store, id, over, local)
    check_events(store, id)


MOUNTED = """
mkdir -p {folder} && mount -t tmpfs -o size={size} tmpfs {folder} || exit 77
exec {python} -c '{code}'
"""


def in_a_mount(folder: Path, size: str, code: str) -> dict:
    """What code prints as JSON, run where a small disk is mounted on a folder, for it alone."""
    if shutil.which("unshare") is None:
        pytest.skip("needs Linux")
    script = MOUNTED.format(folder=folder, size=size, python=sys.executable, code=code)
    environment = os.environ | {"PKPO_DATA_DIR": str(folder)}
    command = ["unshare", "-r", "-m", "sh", "-c", script]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode == 77 or done.stderr.startswith("unshare:"):
        pytest.skip(f"no mounts here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


BEGIN = """
import json, os, subprocess, sys, time
from pkpo.training.tasks.gaussian_hill import HillConfig
from pkpo.runs import LocalExecutor, Store, StoreError, executor
folder = os.environ["PKPO_DATA_DIR"]
def mount(options):
    subprocess.run(["mount", "-o", "remount," + options, folder], check=True)
def wait(until):
    end = time.monotonic() + 60
    while not until(store.run(id)) and time.monotonic() < end:
        local.reconcile()
        time.sleep(0.05)
    return store.run(id)
over = ("finished", "stopped", "interrupted", "failed")
store = Store()
local = LocalExecutor(store)
"""


def test_a_disk_that_is_full_and_then_is_not(tmp_path):
    code = """
id = store.submit(HillConfig(n=8, schedule="4", steps=3000))
full = wait(lambda run: run.status in over)
mount("size=64m")
small = len(store.events(id)["update"])
store.resume(id)
done = wait(lambda run: run.status in over)
print(json.dumps([full.status, full.message, full.step, small, done.status, done.message,
    store.events(id)["theta"].tolist()]))
"""
    found = in_a_mount(tmp_path / "small", "900k", BEGIN + code)
    status, message, step, count, end, last, theta = found
    assert status == "failed" and "full" in message, message
    assert 0 < count < 3001 and count == step + 1
    assert (end, last) == ("finished", "")
    assert theta == record_run(HillConfig(n=8, schedule="4", steps=3000))["theta"].tolist()


FILLED = """
def fill(keep):
    with open(folder + "/filler", "wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
        file.truncate(max(file.tell() - keep, 0))
def pkpo(*words):
    command = [sys.executable, "-m", "pkpo", *words]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr
"""


@pytest.mark.parametrize("room", [0, 8192, 40960])
def test_a_disk_that_is_full_from_the_start(tmp_path, room):
    """Too full for the store, for a worker's log, or for what it keeps: each time it is named."""
    code = """
store.close()
for path in os.listdir(folder):
    os.remove(os.path.join(folder, path))
fill(ROOM)
new = pkpo("train", "--background", "--steps", "500")
os.remove(folder + "/filler")
store = Store()
local = LocalExecutor(store)
id = store.submit(HillConfig(n=8, schedule="4", steps=300))
fill(ROOM)
problem = ""
try:
    run = wait(lambda run: run.status in over)
except StoreError as reason:
    problem = str(reason)
os.remove(folder + "/filler")
said = [problem] if problem else [run.status, run.message]
if store.run(id).status in ("failed", "interrupted"):
    store.resume(id)
print(json.dumps([new, said, wait(lambda run: run.status in over).status]))
"""
    begin = BEGIN + FILLED + code.replace("ROOM", str(room))
    (status, _, err), said, end = in_a_mount(tmp_path / "small", "1m", begin)
    assert status == 2 and err.count("\n") == 1 and "the disk is full" in err, err
    assert "full" in said[-1] and said[0] != "finished", said
    assert end == "finished"


def test_half_a_checkpoint_takes_no_room(tmp_path):
    """One that does not fit is taken away again, and so is what a killed worker has left."""
    code = """
import numpy as np
from pathlib import Path
from pkpo.runs import checkpoint
there = Path(folder) / "run"
there.mkdir()
(there / "update-3.part").write_bytes(bytes(100_000))  # a worker was killed
fill(300_000)
small = {"update": np.array(4), "x": np.zeros(1_000)}
checkpoint.write_checkpoint(there, small)
first = sorted(os.listdir(there))
try:
    checkpoint.write_checkpoint(there, small | {"update": np.array(5), "x": np.zeros(100_000)})
    problem = ""
except checkpoint.CheckpointError as reason:
    problem = str(reason)
print(json.dumps([first, problem, sorted(os.listdir(there))]))
"""
    first, problem, then = in_a_mount(tmp_path / "small", "2m", BEGIN + FILLED + code)
    assert first == ["update-4.safetensors"] == then
    assert problem == "update-5.safetensors could not be written (the disk is full)"


def test_a_read_only_disk(tmp_path):
    code = """
id = store.submit(HillConfig(n=8, schedule="4", steps=100_000))
wait(lambda run: run.step > 100)
store.stop(id)
step = wait(lambda run: run.status in over).step
while local._children[0].poll() is None:
    time.sleep(0.05)
store.close()  # a file that is open for writing keeps the disk writable
mount("ro")
def pkpo(*words):
    command = [sys.executable, "-m", "pkpo", *words]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr
refused = [pkpo("runs", "list"), pkpo("train", "--background"), pkpo("runs", "resume", id)]
mount("rw")
store = Store()
again = store.run(id)
print(json.dumps([refused, step, again.step, again.status]))
"""
    refused, step, again, status = in_a_mount(tmp_path / "disk", "64m", BEGIN + code)
    for code, out, err in refused:
        assert (code, out, err.count("\n")) == (2, "", 1) and "read-only" in err, err
    assert (again, status) == (step, "stopped")


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be made or written: .*; PKPO_DATA_DIR"):
        Store(tmp_path / "file" / "data")


# --- The database ---------------------------------------------------------------------------------


def test_a_database_held_by_somebody_else(store):
    id, local = store.submit(CONFIG), LocalExecutor(store)
    local.reconcile()
    wait(store, id, under_way)
    hasty = Store(store.folder, timeout=0.2)
    holder = sqlite3.connect(store.file, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="is held by another process; try again"):
        hasty.submit(CONFIG)
    held = hasty.run(id)  # reading goes on
    time.sleep(1.0)
    assert hasty.run(id).step == held.step and workers(id) == [held.process.pid]
    hasty_local = LocalExecutor(hasty)
    hasty_local.reconcile()  # the heartbeat is lost, the process is not
    holder.execute("ROLLBACK")
    wait(store, id, over, local)
    check_events(store, id)


def let_go(store: Store) -> Path:
    """Close the database for all, its log brought into it, and give its file to tamper with.

    Whoever opens and closes the file itself takes away the locks of a connection in the same process.
    """
    store.close()
    end = time.monotonic() + PATIENCE
    while store.file.with_name(store.file.name + "-wal").exists():
        assert time.monotonic() < end, "somebody still has the database open"
        time.sleep(0.02)
    return store.file


def test_a_database_with_garbage_in_the_middle(store):
    """One page of one run's events is overwritten: the others neither lose anything nor stop."""
    local = LocalExecutor(store)
    ids = [store.submit(CONFIG.replace(steps=1000, seed=seed)) for seed in range(3)]
    for id in ids:
        wait(store, id, over, local)
    file_of_all = let_go(store)
    content = file_of_all.read_bytes()
    (place,) = re.finditer(ids[0].encode() + rb'.{0,8}{"update": 500,', content, re.DOTALL)
    with file_of_all.open("r+b") as file:
        file.seek(place.start() // 4096 * 4096)
        file.write(random.Random(0).randbytes(4096))
    reopened = Store(store.folder)
    going = reopened.submit(CONFIG.replace(steps=500))
    assert [run.id for run in reopened.runs()] == [going, *ids[::-1]]
    with pytest.raises(StoreError, match="is damaged"):
        reopened.events(ids[0])
    wait(reopened, going, over, LocalExecutor(reopened))
    for id in (*ids[1:], going):
        check_events(reopened, id)


@pytest.mark.parametrize("where", ["header", "whole"])
def test_a_database_that_is_none(store, where):
    store.submit(CONFIG)
    file_of_all = let_go(store)
    size = 64 if where == "header" else file_of_all.stat().st_size
    with file_of_all.open("r+b") as file:
        file.write(random.Random(0).randbytes(size))
    with pytest.raises(StoreError, match="is damaged; move it away to begin a new one"):
        Store(store.folder).runs()
    command = [sys.executable, "-m", "pkpo", "runs", "list"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "is damaged; move it away to begin a new one" in done.stderr


# --- The command line, in processes of its own ----------------------------------------------------


def test_background_run_by_the_command_line(store):
    def pkpo(*words: str) -> dict:
        command = [sys.executable, "-m", "pkpo", *words, "--json"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    started = pkpo("train", "--background", "--steps", "200000", "--n", "8", "--schedule", "4")
    assert started["status"] == "running"
    wait(store, started["id"], under_way)
    stopped = pkpo("runs", "stop", started["id"])
    assert stopped["status"] == "stopped" and 100 < stopped["step"] < 200_000
    assert pkpo("runs", "show", started["id"]) == stopped
    want = record_run(HillConfig(n=8, schedule="4", steps=stopped["step"] + 1))
    assert stopped["metrics"] == {name: curve[-2] for name, curve in want.columns.items()}
    assert pkpo("runs", "resume", started["id"])["status"] == "running"
    again = pkpo("runs", "stop", started["id"])
    assert again["status"] == "stopped" and again["step"] >= stopped["step"]
    provenance = again["provenance"]
    assert provenance["threads"] == 1 and provenance["packages"]["numpy"] == np.__version__
    assert 10 < provenance["peak_memory_mib"] < 10_000
    assert stopped["provenance"]["updates_per_second"] > 0
