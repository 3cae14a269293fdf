"""Runs on a Ray cluster: which executor is chosen; and, in the slow tier, a real cluster of two CPUs."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace

import numpy as np
import pytest

import pkpo
from pkpo.__main__ import main
from pkpo.lm.model_files import save_model
from pkpo.lm.warm_start import untrained_model
from pkpo.runs import LocalExecutor, RayExecutor, Run, Store, executor, make_executor
from pkpo.runs.environment import ROOT
from pkpo.runs.process import Process
from pkpo.runs.sweep import sweep_configs
from pkpo.training.recording import replay_run
from pkpo.training.tasks.bandit import BanditConfig
from pkpo.training.tasks.gaussian_hill import HillConfig
from pkpo.training.tasks.word_problems import WordProblemsConfig
from tests.test_runs_faults import check_events, over, under_way, wait, workers
from tests.test_runs_page import errors, open_page

ADDRESS = "PKPO_RAY_ADDRESS"
CONFIG = HillConfig(n=8, schedule="4", steps=1000, optimizer="adam", learn_sigma=True)
LONG = CONFIG.replace(steps=200_000)
CPUS = 2
GONE = 15.0  # seconds in which Ray must end what nobody waits for any more


@pytest.fixture
def store(tmp_path, monkeypatch) -> Iterator[Store]:
    monkeypatch.setenv("PKPO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PKPO_CHECKPOINT_SECONDS", "0.2")
    monkeypatch.delenv("PKPO_WORKERS", raising=False)
    made = Store()
    yield made
    for run in made.runs():
        for pid in workers(run.id):
            os.kill(pid, signal.SIGKILL)


# --- Which executor -------------------------------------------------------------------------------


def test_without_the_variable_runs_stay_here_and_ray_is_never_imported(store):
    code = (
        "import sys; from pkpo.runs import Store, make_executor\n"
        "made = make_executor(Store()); made.reconcile()\n"
        "print(type(made).__name__, 'ray' in sys.modules)"
    )
    for address in ("", "auto"):
        environment = os.environ | {ADDRESS: address}
        command = [sys.executable, "-c", code]
        if address:
            pytest.importorskip("ray")
        shown = subprocess.check_output(command, cwd=ROOT, env=environment, text=True)
        assert shown.split() == ["RayExecutor" if address else "LocalExecutor", "False"]


@pytest.mark.parametrize("address", ["auto", "head:6379", "10.0.0.1:6379", "[fd00::1]:6379"])
def test_addresses(store, monkeypatch, address):
    monkeypatch.setenv(ADDRESS, address)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    made = make_executor(store)
    assert isinstance(made, RayExecutor) and made.address == address


@pytest.mark.parametrize(
    "address",
    ["local", "head", "head:", ":6379", "head:port", "ray://head:10001", "a b:1", "x" * 999],
)
def test_a_nonsense_address_is_one_line_and_status_2(store, monkeypatch, capsys, address):
    monkeypatch.setenv(ADDRESS, address)
    assert main(["runs", "list"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1) and len(err) < 200
    assert f"PKPO_RAY_ADDRESS must be auto or HOST:PORT, got {address[:40]!r}" in err


def test_the_page_says_what_is_wrong_with_the_address(store, monkeypatch):
    monkeypatch.setenv(ADDRESS, "nonsense")
    page = open_page()
    assert "PKPO_RAY_ADDRESS must be auto or HOST:PORT, got 'nonsense'" in errors(page)


def test_ray_that_is_not_installed(store, monkeypatch):
    monkeypatch.setenv(ADDRESS, "head:6379")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"Ray is not installed: pip install 'pkpo-lab\[ray\]'"):
        make_executor(store)


def test_one_run_goes_alone_until_the_cluster_s_cpus_are_known(store, monkeypatch):
    monkeypatch.setattr(LocalExecutor, "_launch", lambda self, id: None)
    ids = [store.submit(CONFIG) for _ in range(5)]
    made = RayExecutor(store, "head:6379")
    made.reconcile()
    made.reconcile()
    assert [run.id for run in store.runs(status="running")] == ids[:1]
    store.describe(ids[0], {"cluster_cpus": 3})
    made.reconcile()
    assert store.queue() == ids[3:]
    monkeypatch.setenv("PKPO_WORKERS", "4")
    RayExecutor(store, "head:6379").reconcile()
    assert store.queue() == ids[4:]


def test_a_worker_whose_run_is_over_still_knows_the_cluster_s_cpus(store, monkeypatch):
    monkeypatch.setattr(LocalExecutor, "_launch", lambda self, id: None)
    met = SimpleNamespace(provenance={"cluster_cpus": 3})
    far = SimpleNamespace(RayTrainer=lambda *arguments: met)
    monkeypatch.setitem(sys.modules, "pkpo.runs.ray_trainer", far)
    ids = [store.submit(CONFIG) for _ in range(5)]
    workers_own = RayExecutor(store, "head:6379")
    workers_own.reconcile()
    assert workers_own.trainer(store.run(ids[0]), [], None) is met
    assert store.run(ids[0]).message == "waits for a CPU of the Ray cluster at head:6379"
    store.end(ids[0], None, "finished")
    workers_own.reconcile()
    assert store.queue() == ids[4:]


def test_workers_of_either_executor_do_as_it_does(store, monkeypatch):
    monkeypatch.setenv(ADDRESS, "head:6379")
    started = []
    monkeypatch.setattr(
        subprocess, "Popen", lambda command, env, **_: started.append(env) or Launched()
    )
    for made in (LocalExecutor(store, {"cpu": 9}), RayExecutor(store, "auto")):
        store.submit(CONFIG)
        made.reconcile()
        store.end(store.runs()[0].id, Process.this_one(), "failed")
    assert [(env[ADDRESS], env.get("PKPO_WORKERS")) for env in started] == [
        ("", "9"),
        ("auto", None),
    ]


class Launched:
    """Stands for a worker's process."""

    pid = os.getpid()

    def poll(self) -> None:
        return None


# --- A real cluster -------------------------------------------------------------------------------

HEAD = """
import sys, ray
ray.init(
    "local", num_cpus=int(sys.argv[1]), include_dashboard=False, log_to_driver=False,
    _temp_dir=sys.argv[2],
)
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()  # until it is told to end, or whoever started it has
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster of this machine alone."""
    pytest.importorskip("ray")
    with pytest.MonkeyPatch.context() as patch, ExitStack() as last:
        patch.setenv("RAY_AUTH_MODE", "disabled")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # sockets need a short path
        last.callback(shutil.rmtree, folder, ignore_errors=True)
        head = subprocess.Popen(
            [sys.executable, "-c", HEAD, str(CPUS), folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        last.callback(head.communicate)
        assert head.stdout is not None
        yield head.stdout.readline().strip()


def submit(store: Store, cluster: str, config) -> tuple[str, RayExecutor]:
    """A run that has made its first updates, and the executor that started it."""
    id, made = store.submit(config), RayExecutor(store, cluster)
    wait(store, id, under_way, made)
    return id, made


def remote(run: Run) -> Process:
    """The process on the cluster that computes a run's updates."""
    found = Process.from_pid(run.provenance["process"])
    assert found is not None and found != run.process
    return found


def check_gone(process: Process) -> None:
    end = time.monotonic() + GONE
    while process.alive:
        assert time.monotonic() < end, f"process {process.pid} is still there"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_sweep_on_the_cluster_gives_the_numbers_of_this_machine(store, cluster, tmp_path):
    save_model(untrained_model(0, width=24, layers=2, heads=2, hidden=40), tmp_path / "micro")
    settings = [
        *sweep_configs(CONFIG, [0, 1]),
        BanditConfig(steps=500, bandit="crowded", optimizer="adam", learning_rate=0.02),
        WordProblemsConfig(model=str(tmp_path / "micro"), steps=3, n=4, schedule="2", held_out=0),
    ]
    store.submit_together(settings)
    made = RayExecutor(store, cluster)
    for run in store.runs():
        wait(store, run.id, over, made)
        check_events(store, run.id)
    for run in store.runs():
        assert run.provenance["cluster_cpus"] == CPUS and run.provenance["threads"] == 1
        assert run.provenance["node"] == socket.gethostname()
        assert run.provenance["updates_per_second"] > 0 < run.provenance["peak_memory_mib"]
        assert "ray" in run.provenance["packages"]
    assert len({run.provenance["process"] for run in store.runs()}) == len(settings)


@pytest.mark.slow
def test_steered_stopped_and_resumed_on_the_cluster(store, cluster):
    id, made = submit(store, cluster, LONG)
    store.steer(id, k=2)
    wait(store, id, lambda run: len(store.changes(id)) == 1)
    store.stop(id)
    stopped = wait(store, id, over, made)
    assert (stopped.status, stopped.message) == ("stopped", "")
    assert [p.stem for p in store.files(id).glob(f"update-{stopped.step + 1}.*")]
    store.steer(id, learning_rate=0.002)
    store.resume(id)
    again = wait(store, id, lambda run: run.step > stopped.step + 100, made)
    os.kill(again.process.pid, signal.SIGTERM)
    ended = wait(store, id, over, made)
    assert (ended.status, ended.message) == ("stopped", "")
    changes = store.changes(id)
    assert [(change.k, change.learning_rate) for change in changes] == [(2, None), (None, 0.002)]
    assert changes[1].update == stopped.step + 1
    want = replay_run(LONG.replace(steps=ended.step + 1), changes).columns
    for name, curve in store.events(id).items():
        assert np.array_equal(curve, want[name][:-1]), name


@pytest.mark.slow
def test_killed_on_the_node_a_run_is_interrupted_and_goes_on_bit_for_bit(store, cluster):
    id, made = submit(store, cluster, CONFIG.replace(steps=4000))
    os.kill(remote(store.run(id)).pid, signal.SIGKILL)
    run = wait(store, id, over, made)
    assert (run.status, run.step < 4000) == ("interrupted", True)
    assert run.message == (
        f"its process on node {socket.gethostname()} no longer answers: killed, or the node is gone"
    )
    store.resume(id)
    wait(store, id, over, made)
    check_events(store, id)


@pytest.mark.slow
def test_killed_here_a_run_is_ended_there_too(store, cluster):
    id, made = submit(store, cluster, CONFIG.replace(steps=4000))
    run = store.run(id)
    there = remote(run)
    os.kill(run.process.pid, signal.SIGKILL)
    check_gone(there)
    run = wait(store, id, over, made)
    assert run.status == "interrupted" and "its worker is gone" in run.message
    store.resume(id)
    wait(store, id, over, made)
    check_events(store, id)


@pytest.mark.slow
def test_divergence_on_the_cluster_ends_as_failed_with_its_reason(store, cluster):
    id = store.submit(HillConfig(learn_sigma=True, learning_rate=80.0, seed=13, steps=5))
    run = wait(store, id, over, RayExecutor(store, cluster))
    assert run.status == "failed"
    assert run.message.startswith("learning_rate 80 is too large: at update 2 ")
    assert store.events(id)["update"].tolist() == [0]
    log = (store.files(id) / executor.LOG).read_text()
    assert "in __next__" in log  # where it happened, on the node


def in_a_worker(code: str, *words: str) -> tuple[str, float]:
    """What an attempt to train on a cluster ends with, and after how many seconds."""
    pytest.importorskip("ray")
    start = time.monotonic()
    lines = "import sys; from pkpo.runs import ray_trainer, Store\n" + code
    command = [sys.executable, "-c", lines, *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    return done.stderr.splitlines()[-1], time.monotonic() - start


@pytest.mark.slow
def test_a_cluster_that_does_not_answer(store):
    """Nobody listens at one address, somebody who never speaks at the other."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        id = store.submit(CONFIG)
        run = wait(store, id, over, RayExecutor(store, address))
        assert run.status == "failed"
        assert run.message.startswith(f"no Ray cluster answers at {address} (PKPO_RAY_ADDRESS): ")
        assert "refused" in run.message
        silent.listen()
        code = "ray_trainer.CONNECT_SECONDS = 3.0; ray_trainer._join(sys.argv[1])"
        said, seconds = in_a_worker(code, address)
    assert said.endswith(f"no Ray cluster answers at {address} (PKPO_RAY_ADDRESS) within 3 s")
    assert 3.0 < seconds < 15.0


TRAIN = "ray_trainer.RayTrainer(sys.argv[1], Store().run(sys.argv[2]), [], None)"


@pytest.mark.slow
def test_a_node_with_another_version_or_without_the_package(store, cluster):
    id = store.submit(CONFIG)
    said, _ = in_a_worker(f"ray_trainer.pkpo.__version__ = '99'; {TRAIN}", cluster, id)
    assert f"has version {pkpo.__version__} of pkpo-lab, it must be 99" in said
    only_here = "sys.modules['absent'] = ray_trainer; ray_trainer._Actor.__module__ = 'absent'"
    said, _ = in_a_worker(f"{only_here}; {TRAIN}", cluster, id)
    assert said == (
        f"ImportError: the Ray cluster at {cluster} cannot use pkpo-lab: "
        "ModuleNotFoundError: No module named 'absent'"
    )


@pytest.mark.slow
def test_a_cluster_with_another_version_of_ray(store, cluster):
    """It answers, so the message says what does not fit: both versions."""
    said, _ = in_a_worker(
        "ray_trainer.ray.__version__ = '9.9.9'; ray_trainer._join(sys.argv[1])", cluster
    )
    refused = f"ConnectionError: the Ray cluster at {cluster} (PKPO_RAY_ADDRESS) cannot be joined: "
    assert said.startswith(f"{refused}Version mismatch"), said
    ray = pytest.importorskip("ray")
    assert f"Ray: {ray.__version__} " in said and "Ray: 9.9.9 " in said


@pytest.mark.slow
def test_as_many_at_once_as_the_cluster_has_cpus(store, cluster):
    """The others wait in the queue; a worker that comes all the same says that there is no room."""
    ids = [store.submit(LONG) for _ in range(CPUS + 1)]
    made = RayExecutor(store, cluster)
    for id in ids[:CPUS]:
        wait(store, id, under_way, made)
    made.reconcile()
    assert store.queue() == ids[CPUS:]
    said, _ = in_a_worker(f"ray_trainer.PLACE_SECONDS = 1.0; {TRAIN}", cluster, ids[CPUS])
    assert said.endswith(f"the Ray cluster at {cluster} had no CPU free for 1 s")
    for id in ids[::-1]:
        store.stop(id)
        wait(store, id, over, made)
