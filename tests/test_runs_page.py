"""The page Runs without a browser: list, form, permissions, addresses, faults; what charts are sent."""

from __future__ import annotations

import base64
import json
import re
import sqlite3
from contextlib import closing
from types import SimpleNamespace
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl, urlencode

import numpy as np
import pytest
from starlette.requests import Request
from streamlit.testing.v1 import AppTest

from app import access, live_routes
from app.components import live_charts
from app.runs import engine, form, run_text, tables
from pkpo.comparisons.comparison import compared_k
from pkpo.config import Change
from pkpo.figures import run_curves
from pkpo.intervals import Difference
from pkpo.runs import LocalExecutor, Store, sweep, trackers
from pkpo.runs.process import Process
from pkpo.training.recording import record_run
from pkpo.training.tasks.bandit import BanditConfig
from pkpo.training.tasks.gaussian_hill import HillConfig
from tests.browser.browser import ROOT
from tests.test_runs import work

MAIN = str(ROOT / "app" / "script.py")
SMALL = BanditConfig(n=8, schedule="4", steps=300)
STUDENT = "0123456789abcdef" * 2


@pytest.fixture
def store(tmp_path, monkeypatch) -> Store:
    """A store of the test's own, in which no executor starts anything."""
    monkeypatch.setenv("PKPO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(LocalExecutor, "reconcile", lambda self: None)
    return Store()


def open_page(**address: str) -> AppTest:
    page = AppTest.from_file(MAIN, default_timeout=30)
    page.run()
    page.switch_page("app_pages/runs.py")
    for name, text in address.items():
        page.query_params[name] = text
    page.run()
    assert not page.exception
    return page


def buttons(page: AppTest) -> list[str]:
    return [button.label for button in page.button]


def click(page: AppTest, label: str) -> AppTest:
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception
    return page


def errors(page: AppTest) -> str:
    return " ".join(error.value.replace("\\", "") for error in page.error)


def component(page: AppTest, name: str) -> dict:
    """What a component on the page was sent."""
    for element in page.get("bidi_component"):
        if element.proto.component_name.endswith(name):
            return json.loads(element.proto.json)
    raise AssertionError(f"no {name} on the page")


def rows(page: AppTest) -> list[dict]:
    return component(page, "pkpo_run_list")["rows"]


# --- The list -------------------------------------------------------------------------------------


def test_nothing_yet_and_one_click_to_an_example(store):
    page = open_page()
    assert "No runs yet" in page.markdown[0].value
    click(page, "Start an example")
    (run,) = store.runs()
    assert (run.task, run.owner, run.status) == ("bandit", "", "queued")
    assert page.query_params["run"] == run.id or page.query_params["run"] == [run.id]
    assert "Stop" in buttons(page)


def test_the_list_says_status_place_progress_and_puts_a_sweep_in_one_row(store):
    done = store.submit(SMALL)
    work(store, done)
    first, second = store.submit(SMALL), store.submit(SMALL, name="Mine!")
    together = store.submit_together(sweep.sweep_configs(SMALL, [0, 1], "schedule", ["1", "2"]))
    found = {row["address"]: row for row in rows(open_page())}
    assert list(found) == [f"sweep={together}", f"run={second}", f"run={first}", f"run={done}"]
    assert found[f"sweep={together}"]["count"] == "0 of 1,200"
    assert found[f"sweep={together}"]["title"] == "k = 1; k = 2, 2 seeds each"
    assert found[f"run={first}"]["note"] == "place 1 in the queue"
    assert found[f"run={second}"]["title"] == "Mine!"
    assert found[f"run={done}"]["status"] == "finished"
    assert (found[f"run={done}"]["progress"], found[f"run={done}"]["count"]) == (1, "300 of 300")


def test_filters(store):
    work(store, store.submit(SMALL))
    store.submit(HillConfig(steps=20))
    page = open_page()
    page.selectbox(key="runs_status").set_value("finished").run()
    assert [row["status"] for row in rows(page)] == ["finished"]
    page.selectbox(key="runs_status").set_value("").run()
    page.selectbox(key="runs_task").set_value("gaussian-hill").run()
    assert [row["status"] for row in rows(page)] == ["queued"]
    page.selectbox(key="runs_status").set_value("failed").run()
    assert any(caption.value == "No run is like this." for caption in page.caption)


# --- The form -------------------------------------------------------------------------------------


def test_a_form_submits_what_it_says(store):
    page = open_page(new="gaussian-hill", schedule="4@0,1@500", steps="900", theta="0.1", name="A")
    click(page, "Start")
    (run,) = store.runs()
    assert run.config == HillConfig(schedule="4@0,1@500", steps=900, theta=0.1)
    assert run.name == "A"


def test_the_host_chooses_trackers_that_are_installed(store, monkeypatch):
    monkeypatch.setattr(trackers, "_is_installed", {"tensorboard", "wandb"}.__contains__)
    monkeypatch.setenv("PKPO_LOG", "tensorboard")
    page = open_page(new="bandit", steps="50")
    control = page.multiselect(key="run_trackers")
    assert control.options == ["TensorBoard", "Weights & Biases"]
    assert control.value == ["tensorboard"] and not page.warning
    monkeypatch.setenv("WANDB_MODE", "online")
    control.set_value(["wandb"]).run()
    (warned,) = (x.value.replace("\\", "") for x in page.warning)
    assert "to another machine" in warned and "WANDB_MODE=online" in warned
    click(page, "Start")
    click(open_page(new="bandit", steps="50", schedule="4", vary="n 4 8"), "Start 2 runs")
    page = open_page(new="bandit", steps="50")
    page.multiselect(key="run_trackers").set_value([]).run()
    click(page, "Start")
    both = [("tensorboard",)] * 2
    assert [run.log for run in store.runs()[::-1]] == [("wandb",), *both, ()]


def test_a_tracker_that_is_not_there_is_said_beside_the_control(store, monkeypatch):
    monkeypatch.setattr(trackers, "_is_installed", {"tensorboard"}.__contains__)
    monkeypatch.setenv("PKPO_LOG", "trackio")
    page = open_page(new="bandit", steps="50")
    assert "PKPO\\_LOG trackio needs trackio, which is not installed" in page.warning[0].value
    click(page, "Start")
    assert [run.log for run in store.runs()] == [()]
    monkeypatch.setattr(trackers, "_is_installed", lambda name: False)
    monkeypatch.delenv("PKPO_LOG")
    assert not [x for x in open_page(new="bandit").multiselect if x.key == "run_trackers"]


def test_visitors_choose_no_trackers(store, classroom, monkeypatch):
    monkeypatch.setattr(trackers, "_is_installed", lambda name: True)
    monkeypatch.setenv("PKPO_LOG", "tensorboard")
    page = visit(STUDENT, new="bandit", steps="50")
    assert not [x for x in page.multiselect if x.key == "run_trackers"]
    click(page, "Start")
    assert [run.log for run in store.runs()] == [("tensorboard",)]  # as the host's environment says


def test_a_sweep_is_one_click(store):
    page = open_page(new="bandit", vary="n 4 32", schedule="4", seeds="3", seed="7", steps="50")
    click(page, "Start 6 runs")
    runs = store.runs()[::-1]
    assert [(run.config.n, run.config.seed) for run in runs] == [
        (n, seed) for n in (4, 32) for seed in (7, 8, 9)
    ]
    assert len({run.sweep for run in runs}) == 1
    assert page.query_params["sweep"] in (runs[0].sweep, [runs[0].sweep])


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ({"schedule": "magic"}, "schedule must look like"),
        ({"schedule": "17"}, "k = 17 is more than n = 16"),
        ({"n": "x"}, "n must be a whole number, got 'x'"),
        ({"steps": "200001"}, "steps must be from 1 to 200000, got 200001"),
        ({"seeds": "99"}, "seeds must be from 1 to 20, got 99"),
        ({"vary": "sharing 1 2"}, "vary: cannot go through"),
        ({"vary": "n 16 16"}, "n must differ, got 16 16"),
        ({"vary": "n"}, "n must have at least one value"),
        ({"bandit": "nonsense"}, "bandit"),
        ({"hack": "1"}, "'hack' is not a setting of this page"),
    ],
)
def test_a_form_s_errors(store, address, problem):
    page = open_page(new="bandit", **address)
    assert problem in errors(page)
    start = next(button for button in page.button if button.label == "Start")
    assert start.disabled
    assert store.runs() == []


def test_a_run_fills_the_form(store):
    config = BanditConfig(n=32, schedule="linear:8->1@200", steps=400, bandit="hard", seed=3)
    run = store.run(store.submit(config))
    page = open_page(**dict(parse_qsl(form.address_of(run))))
    assert not page.error
    click(page, "Start")
    assert store.runs(limit=1)[0].config == config


def test_the_bandit_s_page_links_to_a_filled_form(store):
    page = AppTest.from_file(MAIN, default_timeout=30).run()
    page.switch_page("app_pages/bandit.py").run()
    (link,) = [x for x in page.get("page_link") if x.proto.label == "Run this for longer"]
    assert dict(parse_qsl(link.proto.query_string)) == {
        "new": "bandit",
        "vary": "schedule 1 8 8@0,1@150",
    }


# --- One run, several runs, and nonsense ----------------------------------------------------------


def test_stop_resume_and_delete(store):
    id = store.submit(SMALL)
    page = click(open_page(run=id), "Stop")
    assert store.run(id).status == "stopped"
    click(page, "Resume")
    assert store.run(id).status == "queued"
    click(click(page, "Stop"), "Delete")
    click(page, "Keep")
    assert "Delete for good" not in buttons(page)
    click(click(page, "Delete"), "Delete for good")
    assert store.runs() == []


def test_steering_is_stored_and_marked(store):
    id = store.submit(SMALL)
    store.claim(lambda device: 1)
    work(store, id, 100)
    store.steer(id, k=2)
    store.resume(id)
    work(store, id)
    page = open_page(run=id)
    (change,) = store.changes(id)
    assert component(page, "pkpo_live_charts")["marks"] == [
        {"update": change.update, "words": "k = 2"}
    ]
    assert any("k = 2, from update" in caption.value for caption in page.caption)


def test_a_run_steered_by_hand_says_so_wherever_it_is_named(store):
    first = SMALL.replace(schedule="1")
    id, other = store.submit(first), store.submit(first.replace(seed=1))
    work(store, id, 100)
    store.steer(id, k=8)
    store.resume(id)
    work(store, id)
    (change,) = store.changes(id)
    told = f"by hand k = 8 from update {change.update}"
    assert store.steered([id, other]) == {id: [change]}
    found = {row["address"]: row["title"] for row in rows(open_page())}
    assert told in found[f"run={id}"] and "by hand" not in found[f"run={other}"]
    page = open_page(run=id)
    assert told in page.header[0].value.replace("\\", "")
    assert told in component(page, "pkpo_live_charts")["series"][0]["label"]
    labels = [
        s["label"]
        for s in component(open_page(compare=f"{id} {other}"), "pkpo_live_charts")["series"]
    ]
    assert told in labels[0] and "by hand" not in labels[1]


def test_a_sweep_of_which_some_were_stopped_is_not_finished(store):
    together = store.submit_together(sweep.sweep_configs(SMALL, [0, 1], "", []))
    one, two = (run.id for run in store.runs(sweep=together))
    store.stop(two)
    work(store, one)
    (row,) = rows(open_page())
    assert (row["status"], row["note"]) == ("stopped", "1 of 2 finished")


def test_a_slider_stands_at_what_is_in_force_and_steers(store):
    id, me = store.submit(SMALL), Process.this_one()
    store.claim(lambda device: 1)
    store.begin(id, me, {})
    curves = record_run(SMALL).columns
    events = [{name: curve[at].item() for name, curve in curves.items()} for at in range(3)]
    store.append(id, me, events, 3)
    page = open_page(run=id)
    assert page.slider[0].value == 4
    page.run()
    assert store.append(id, me, [], 3).changes == []  # looking steers nothing
    page.slider[0].set_value(2).run()
    assert not page.exception
    assert store.append(id, me, [], 3).changes == [Change(update=3, k=2)]


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ({"run": "../../etc/passwd"}, "a run's id has 12 characters of 0-9 and a-f"),
        ({"run": "0123456789ab"}, "there is no run 0123456789ab"),
        ({"run": "<script>"}, "a run's id has 12 characters"),
        ({"run": ""}, "a run's id has 12 characters"),
        ({"compare": "0123456789ab"}, "give from 2 to 12 ids of runs, got 1"),
        ({"compare": "0123456789ab zzz"}, "there is no run 0123456789ab"),
        ({"compare": " ".join(f"{i:012x}" for i in range(13))}, "got 13"),
        ({"sweep": "0123456789ab"}, "there is no sweep 0123456789ab"),
        ({"sweep": "'; DROP TABLE runs"}, "a run's id has 12 characters"),
    ],
)
def test_nonsense_in_the_address_is_one_line(store, address, problem):
    store.submit(SMALL)
    page = open_page(**address)
    assert problem in errors(page)
    assert len(page.error) == 1
    assert len(store.runs()) == 1
    click(page, "All runs")
    assert not page.error and "Runs: long training" in page.header[0].value


def test_a_comparison_shows_what_differs(store):
    ids = [
        store.submit(SMALL.replace(schedule=k, learning_rate=r))
        for k, r in (("1", 1.0), ("4", 2.0))
    ]
    for id in ids:
        work(store, id)
    page = open_page(compare=" ".join(ids))
    texts = " ".join(text.value for text in page.markdown).replace("\\", "")
    assert ":orange-background[4]" in texts and ":orange-background[2.0]" in texts
    assert "learning rate" in texts
    sent = component(page, "pkpo_live_charts")
    assert [series["name"] for series in sent["series"]] == ids
    numbers = [one["column"] for one in sent["numbers"]]
    assert (sent["baseline"], numbers[:2]) == (0, ["max@4", "max@1"])
    assert sent["drawn"] == {id: {"status": "finished"} for id in ids}


def test_the_store_s_faults_are_one_message(store, monkeypatch, tmp_path):
    monkeypatch.setattr(engine, "ENGINE_PATIENCE", 0.1)
    page = open_page(new="bandit", steps="50")
    with closing(sqlite3.connect(store.file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "is held by another process" in errors(click(page, "Start"))
    click(page, "Start")
    assert len(store.runs()) == 1
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "runs.sqlite3").write_bytes(b"no database " * 1000)
    monkeypatch.setenv("PKPO_DATA_DIR", str(tmp_path / "damaged"))
    assert "is damaged; move it away" in errors(open_page())
    monkeypatch.setenv("PKPO_DATA_DIR", "/proc/nothing")
    assert "PKPO_DATA_DIR can name another place" in errors(open_page())


# --- The classroom --------------------------------------------------------------------------------


@pytest.fixture
def classroom(monkeypatch) -> None:
    monkeypatch.setenv(access.SECRET, "open sesame")
    monkeypatch.setattr(access, "_HOSTS", set())
    monkeypatch.setattr(access, "_network", lambda: "192.0.2.7")


def visit(browser: str, **address: str) -> AppTest:
    """A page opened by a browser that keeps this id."""
    page = AppTest.from_file(MAIN, default_timeout=30)
    page.session_state["browser"] = browser
    page.run()
    page.switch_page("app_pages/runs.py")
    for name, text in address.items():
        page.query_params[name] = text
    page.run()
    assert not page.exception
    return page


def test_visitors_change_their_own_runs_only(store, classroom):
    click(visit(STUDENT), "Start an example")
    (run,) = store.runs()
    assert run.owner not in ("", STUDENT)
    assert "Stop" in buttons(visit(STUDENT, run=run.id))
    other = visit("f" * 32, run=run.id)
    assert "Stop" not in buttons(other) and "Duplicate with changes" in buttons(other)
    host = visit("a" * 32)
    host.session_state["host"] = True
    host.query_params["run"] = run.id
    click(host.run(), "Stop")
    assert store.run(run.id).status == "stopped"
    assert "Delete" not in buttons(other.run())


def test_a_forged_wish_is_refused(store):
    mine, theirs = access.Visitor("me", host=False), store.run(store.submit(SMALL, owner="them"))
    assert not mine.may_change(theirs)
    assert access.Visitor("", host=True).may_change(theirs)
    assert not access.Visitor("someone", host=False).may_change(store.run(store.submit(SMALL)))


def test_limits_hold_for_a_browser_not_a_session(store, classroom, monkeypatch):
    monkeypatch.setenv("PKPO_QUEUE_LIMIT", "2")
    monkeypatch.setenv("PKPO_QUEUE_ADDRESS", "3")
    engine._engine.cache_clear()
    for _ in range(2):
        click(visit(STUDENT, new="bandit", steps="50"), "Start")
    page = click(visit(STUDENT, new="bandit", steps="50"), "Start")
    assert "at most 2 of your runs can wait" in errors(page)
    click(visit("f" * 32, new="bandit", steps="50"), "Start")
    assert len(store.runs()) == 3
    page = click(visit("e" * 32, new="bandit", steps="50"), "Start")  # no cookies, always another
    assert "at most 3 runs from one network address can wait" in errors(page)
    assert len(store.runs()) == 3
    engine._engine.cache_clear()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (None, None, True),  # this machine
        ("192.0.2.7", "192.0.2.8", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("2001:db8:1:2::7", "2001:db8:1:2:ffff::8", True),  # one machine has them all
        ("2001:db8:1:2::7", "2001:db8:1:3::7", False),
        ("nonsense", None, False),
    ],
)
def test_which_network_addresses_are_one(monkeypatch, one, other, same):
    found = []
    for shown in (one, other):
        monkeypatch.setattr(access.st, "context", mock.Mock(ip_address=shown))
        found.append(access._network())
    assert (found[0] == found[1]) is same


# --- What charts are sent -------------------------------------------------------------------------


def points(sent: dict, column: str, axes: str = "x y") -> tuple[np.ndarray, ...]:
    packed = sent["points"][column]
    return tuple(np.frombuffer(base64.b64decode(packed[a]), np.float32) for a in axes.split())


def test_only_new_points_are_sent_and_all_of_them_once():
    config = HillConfig(steps=400)
    curves = record_run(config).columns
    got = []
    for after, until in ((-1, 150), (150, 151), (151, 151), (151, 400)):
        part = {name: curve[: until + 1] for name, curve in curves.items()}
        sent = live_charts.new_points(part, {}, ["theta"], after, 1)
        assert (sent["after"], sent["last"]) == (after, until)
        got.append(points(sent, "theta") if sent["points"] else np.empty((2, 0)))
    x, y = np.concatenate(got, axis=1)
    assert x.tolist() == list(range(401))
    assert np.array_equal(y, curves["theta"].astype(np.float32))


def test_thinning_keeps_ends_and_every_stretch_s_extremes():
    rng = np.random.default_rng(0)
    x, y = np.arange(100_000), rng.standard_normal(100_000)
    y[[12_345, 77_777]] = (40.0, -40.0)  # spikes of one update
    kept = run_curves.thin_points(x, y, 2000)
    assert len(kept) <= 2002 and (np.diff(kept) > 0).all()
    assert {0, 99_999, 12_345, 77_777} <= set(kept.tolist())
    assert np.array_equal(run_curves.thin_points(x[:50], y[:50], 50), np.arange(50))
    y[500] = np.nan
    assert {12_345, 77_777} <= set(run_curves.thin_points(x, y, 2000).tolist())


def test_noisy_metrics_are_trailing_means_however_they_come(store, monkeypatch):
    id = store.submit(SMALL)
    found = engine.Engine(store.folder)
    monkeypatch.setattr(engine, "FRESH_SECONDS", 0.0)
    work(store, id, 90)
    first = found.snapshot(id).curves
    store.resume(id)
    work(store, id)
    curves = found.snapshot(id).curves
    raw = store.events(id)
    assert len(first["k"]) == 90 and len(curves["k"]) == 301
    noisy = raw["dead_group_share"]
    want = [noisy[max(0, t - 99) : t + 1].mean() for t in range(301)]
    assert np.allclose(curves["dead_group_share"], want, rtol=1e-6)
    assert np.array_equal(curves["entropy"], raw["entropy"].astype(np.float32))


# --- What browsers ask for ------------------------------------------------------------------------


def ask(*of: str, columns: tuple[str, ...] = ("max@4",)) -> tuple[int, Any]:
    """A question as a browser puts it; the status and what was answered."""
    query = urlencode([*(("of", text) for text in of), *(("column", name) for name in columns)])
    (route,) = live_routes.live_routes()
    response = route.endpoint(Request({"type": "http", "query_string": query.encode()}))
    return response.status_code, json.loads(response.body)


def test_an_answer_has_the_points_after_an_update_and_how_the_run_stands(store):
    config = SMALL.replace(steps=90)
    id = store.submit(config)
    work(store, id)
    waiting = store.submit(SMALL)
    want = record_run(config)["max@4"].astype(np.float32)
    for after in (-1, 49, 90):
        status, (one, other) = ask(f"{id}:{after}", f"{waiting}:-1")
        assert status == 200
        assert (one["name"], one["of"], one["after"], one["last"]) == (id, id, after, 90)
        if after < 90:
            x, y = points(one, "max@4")
            assert x.tolist() == list(range(after + 1, 91))
            assert np.array_equal(y, want[after + 1 :])
        else:
            assert one["points"] == {}
    assert (one["over"], one["share"]) == (True, 1.0)
    assert re.fullmatch(
        r"90 of 90 updates · [\d,]+ updates/s · up to [\d,]+ MiB of memory", one["told"]
    )
    assert one["state"]["status"] == "finished"
    assert (other["over"], other["last"], other["of"]) == (False, -1, "")
    assert other["told"] == "0 of 300 updates · place 1 of 1 in the queue"


def test_an_answer_about_seeds_is_their_mean_over_the_finished_or_all_that_began(
    store, monkeypatch
):
    monkeypatch.setattr(engine, "FRESH_SECONDS", 0.0)
    configs = sweep.sweep_configs(SMALL, seeds=[0, 1, 2])
    ids = [store.submit(config) for config in configs]
    name = "+".join(ids)
    curves = np.array([record_run(config)["max@4"] for config in configs])
    for id, steps in zip(ids[:2], (40, 60), strict=True):
        work(store, id, steps)
    status, (begun,) = ask(f"{name}:9")
    assert (status, begun["name"], begun["of"]) == (200, name, "+".join(ids[:2]))
    x, y, error = points(begun, "max@4", "x y error")
    assert x.tolist() == list(range(10, 40))  # as far as both are
    assert np.allclose(y, curves[:2, 10:40].mean(0), rtol=1e-6)
    assert np.allclose(error, curves[:2, 10:40].std(0, ddof=1) / 2**0.5, rtol=1e-3, atol=1e-7)
    work(store, ids[2])
    _, (finished,) = ask(f"{name}:-1")
    assert (finished["of"], finished["last"]) == (ids[2], 300)
    assert finished["state"]["status"] == "stopped stopped finished"
    assert finished["told"] == f"{39 + 59 + 300} of 900 updates · 1 of 3 seeds finished"
    assert "error" not in finished["points"]["max@4"]


def test_many_who_ask_the_same_cost_one_look(store, monkeypatch):
    id = store.submit(SMALL)
    work(store, id, 90)
    monkeypatch.setattr(engine, "FRESH_SECONDS", 60.0)
    looks, reads, packs = [], [], []
    for owner, name, calls in (
        (LocalExecutor, "reconcile", looks),
        (Store, "events", reads),
        (live_routes, "new_points", packs),
    ):
        _count(monkeypatch, owner, name, calls)
    answers = [ask(f"{id}:-1") for _ in range(30)]
    assert all(answer == answers[0] for answer in answers)
    assert (len(looks), len(reads), len(packs)) == (1, 1, 1)


def _count(monkeypatch, owner: Any, name: str, calls: list[str]) -> None:
    inner = getattr(owner, name)

    def counted(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return inner(*args, **kwargs)

    monkeypatch.setattr(owner, name, counted)


def test_the_page_is_drawn_anew_only_for_what_it_shows(store):
    id = store.submit(SMALL)
    sent = component(open_page(run=id), "pkpo_live_charts")
    _, (part,) = ask(f"{id}:-1")
    assert sent["series"] == [{"name": id, "label": "k = 4", "colour": sent["series"][0]["colour"]}]
    assert sent["drawn"][id] == {name: part["state"][name] for name in sent["drawn"][id]}
    assert set(sent["drawn"][id]) == {"status", "stopping", "message", "changes"}
    store.claim(lambda device: 1)
    steered = component(open_page(run=id), "pkpo_live_charts")["drawn"][id]
    assert steered["status"] == "running" and {"k", "learning_rate"} < set(steered)


@pytest.mark.parametrize(
    ("of", "columns", "status", "problem"),
    [
        ([], ["k"], 400, "of: ask for from 1 to 200 runs, got 0"),
        (["0123456789ab:-1"] * 201, ["k"], 400, "got 201"),
        (["0123456789ab"], ["k"], 400, "of must look like ID:AFTER, got '0123456789ab'"),
        (["0123456789ab:-2"], ["k"], 400, "of must look like ID:AFTER"),
        (["0123456789ab:1e9"], ["k"], 400, "of must look like ID:AFTER"),
        (["../../etc/passwd:-1"], ["k"], 400, "a run's id has 12 characters of 0-9 and a-f"),
        (["0123456789ab+:-1"], ["k"], 400, "a run's id has 12 characters"),
        (["'; DROP TABLE runs:-1"], ["k"], 400, "a run's id has 12 characters"),
        (["0123456789ab:-1"], ["settings"], 400, "column must be one of k, max@1"),
        (["0123456789ab:-1"], ["k"], 404, "there is no run 0123456789ab"),
    ],
)
def test_nonsense_in_a_question_is_refused_in_one_line(store, of, columns, status, problem):
    store.submit(SMALL)
    got, answer = ask(*of, columns=tuple(columns))
    assert (got, list(answer)) == (status, ["problem"])
    assert problem in answer["problem"] and "\n" not in answer["problem"]


def test_a_damaged_store_is_told_and_a_repaired_one_answers(store):
    id = store.submit(SMALL)
    work(store, id, 20)
    assert ask(f"{id}:-1")[0] == 200
    with closing(sqlite3.connect(store.file)) as other, other:
        other.execute("UPDATE events SET metrics = 'x' WHERE step = 7")
    engine.reopen()
    status, answer = ask(f"{id}:-1")
    assert status == 503 and "is damaged: events of run" in answer["problem"]
    with closing(sqlite3.connect(store.file)) as other, other:
        other.execute("DELETE FROM events")
        other.execute("UPDATE runs SET metrics = '{}'")
    assert ask(f"{id}:-1")[0] == 200


def test_the_address_is_below_the_server_s_base_path(monkeypatch):
    for base, path in (("", "/live/runs"), ("/lab/", "/lab/live/runs"), ("a/b", "/a/b/live/runs")):
        monkeypatch.setattr(live_routes.st, "get_option", lambda name, base=base: base)
        (route,) = live_routes.live_routes()
        assert (route.path, route.methods) == (path, {"GET", "HEAD"})


# --- Words and tables -----------------------------------------------------------------------------


def test_labels_tell_runs_apart():
    one = HillConfig()
    assert run_curves.distinct_styles([one])[0][0] == "k = 8"
    labels = [label for label, _ in run_curves.distinct_styles([one, one.replace(seed=1, n=32)])]
    assert labels == ["n = 16, seed = 0", "n = 32, seed = 1"]
    twice = [label for label, _ in run_curves.distinct_styles([one, one])]
    assert twice == ["1", "2"]
    mixed = run_curves.distinct_styles([one, BanditConfig()])
    assert [label for label, _ in mixed][0].startswith("task = gaussian-hill")
    many = run_curves.distinct_styles([one.replace(seed=s) for s in range(12)])
    assert len({colour for _, colour in many}) == 12


def test_the_compared_k_is_a_k_that_events_have():
    assert compared_k([HillConfig(schedule="1")]) == 8
    assert compared_k([HillConfig(schedule="3")]) == 4
    assert compared_k([HillConfig(n=64, schedule="40")]) == 16
    columns = [panel.column for panel in run_curves.run_panels([HillConfig(), BanditConfig()])]
    assert columns == ["max@8", "max@1", "k"]


def test_the_sweep_s_table_marks_what_is_sure():
    """Three seeds: a difference of 3 standard errors is not one, of 5 it is, paired by seed."""
    seeds, wave = np.array([0.3, 0.5, 0.7]), np.array([-1.0, 0, 1])

    def run(k, seed, value):
        config = HillConfig(schedule=k, seed=seed)
        return SimpleNamespace(status="finished", config=config, metrics={"max@1": value})

    def member(k, gain):
        error = wave.std(ddof=1) / 3**0.5
        values = seeds + 0.01 * (gain + wave / error)
        return [run(k, seed, value) for seed, value in enumerate(values.tolist())]

    runs = [run("1", seed, value) for seed, value in enumerate(seeds.tolist())]
    runs += [*member("2", 3), *member("4", 5), *member("8", -5), run("16", 0, 0.9)]
    labels = ["k = 1", "k = 2", "k = 4", "k = 8", "k = 16"]
    text = tables.sweep_table(sweep.summarise(runs), labels, ["max@1"], 0)
    lines = text.replace("\\", "").splitlines()[2:]
    assert [re.findall("[▲▼]", line) for line in lines] == [[], [], ["▲"], ["▼"], []]
    assert ":orange-background[0.5500 ± 0.1255 ▲]" in lines[2]


def test_a_change_is_marked_where_its_interval_leaves_0_out():
    texts = [
        tables.marked_change(Difference(x, low, high)).replace("\u00a0", " ").replace("\\", "")
        for x, low, high in ((0.1, 0.05, 0.15), (-0.1, -0.2, -0.01), (0.1, -0.02, 0.22))
    ]
    assert texts == [
        ":green[**+10.0 ▲**] (5.0 to 15.0)",
        ":red[**−10.0 ▼**] (−20.0 to −1.0)",
        "+10.0 (−2.0 to 22.0)",
    ]


def test_words():
    assert run_text.duration(0.2) == "1 second"
    assert run_text.duration(150) == "2 minutes"
    assert run_text.count(1, "run") == "1 run"
    assert run_curves.describe_change(Change(update=3, k=2, learning_rate=0.5)) == (
        "k = 2, learning rate = 0.5"
    )


def test_runs_of_before_show_what_they_know_of_groups_that_teach_nothing():
    new = [
        panel.column for panel in run_curves.run_panels([SMALL], {"all_wrong", "dead_group_share"})
    ]
    old = [panel.column for panel in run_curves.run_panels([SMALL], {"dead_group_share"})]
    assert {"all_wrong", "all_right"} <= set(new) and "dead_group_share" not in new
    assert "dead_group_share" in old and not {"all_wrong", "all_right"} & set(old)
