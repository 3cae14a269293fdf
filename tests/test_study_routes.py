"""The routes that answer while a hand moves a control."""

from __future__ import annotations

import asyncio
import base64
import json
import math
import threading
from urllib.parse import urlencode

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.testclient import TestClient

from app import cached, controls, study_routes
from app.components.reward_dragger import weights_payload
from app.recordings import RunCache
from pkpo import figures, rho, schedules, transform
from pkpo.comparisons import BEST_OF
from pkpo.comparisons.settings import parse_comparison
from pkpo.fields import format_value
from pkpo.training.recording import record_run, record_runs
from tests.coroutines import run_coroutine
from toy_envs import gaussian_hill

HILL, BANDIT = controls.HILL_PAGE, controls.BANDIT_PAGE


@pytest.fixture
def client():
    return TestClient(Starlette(routes=study_routes.study_routes()))


def numbers(base64_text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(base64_text), "<f4")


@pytest.mark.parametrize(
    ("task", "settings", "compare"),
    [
        ("gaussian-hill", {"n": 12, "steps": 40, "seed": 3}, "schedule 1 cosine:8->1@30"),
        ("bandit", {"learning_rate": 2.0, "steps": 40, "schedule": "4"}, ""),
    ],
)
def test_a_study_is_the_page_s_own(client, task, settings, compare):
    asked = {name: format_value(value) for name, value in settings.items()}
    answer = client.get("study", params={"task": task, "compare": compare or "off", **asked})
    assert answer.status_code == 200
    configs = parse_comparison({"task": task, **settings}, compare)
    assert answer.json()["study"] == json.loads(json.dumps(cached.cached_playback(configs)))
    for run, config in zip(answer.json()["study"]["runs"], configs, strict=True):
        assert numbers(run["columns"]["k"]) == pytest.approx(record_run(config)["k"])


def test_controls_lead_back_to_the_same_settings(client):
    asked = {"n": "24", "compare": "n 8 12", "schedule": "8@0,linear:6->1@20..50"}
    shown = client.get("study", params={"task": HILL.task, **asked}).json()["controls"]
    again = controls.read_address(HILL, shown["address"])[0]
    assert again == controls.read_address(HILL, asked)[0]
    assert (shown["field"], shown["values"]) == ("n", ["8", "12"])
    for n, run in zip((8, 12), shown["runs"], strict=True):
        pieces = tuple(schedules.Piece(**piece) for piece in run["pieces"])
        assert schedules.Schedule(pieces) == schedules.parse(asked["schedule"])
        assert run["n"] == str(n)
        assert run["ks"][0] == 1 and run["ks"][-1] == n


def test_the_slider_s_k_are_those_that_the_estimator_allows(client):
    def ks(**asked: str) -> list[int]:
        asked = {"task": HILL.task, "compare": "off", **asked}
        return client.get("study", params=asked).json()["controls"]["runs"][0]["ks"]

    assert ks(n="20", schedule="2") == [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20]
    assert ks(n="20", schedule="2", estimator="sloo")[-1] == 19
    assert ks(n="12", schedule="2", estimator="naive") == [1, 2, 3, 4, 6, 12]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"task": "poker"}, "task must be one of gaussian-hill, bandit, got 'poker'"),
        ({}, "task must be one of"),
        ({"task": "bandit", "n": "lots"}, "n must be a whole number, got 'lots'"),
        ({"task": "bandit", "theta": "1"}, "'theta' is not a setting of this page"),
        ({"task": "gaussian-hill", "n": "4"}, "k = 8 is more than n = 4"),
        (
            {"task": "gaussian-hill", "compare": "off", "schedule": "three"},
            "schedule must look like",
        ),
        ({"task": "gaussian-hill", "compare": "schedule 4 4"}, "must differ"),
        ({"task": "gaussian-hill", "n": "256", "steps": "5000"}, "too many for this page"),
    ],
)
@pytest.mark.parametrize("route", ["study", "study/exact"])
def test_a_bad_question_is_refused_with_the_sentence(client, route, asked, sentence):
    answer = client.get(route, params=asked)
    assert answer.status_code == 400
    assert sentence in answer.json()["problem"]


def test_a_setting_given_twice_is_refused(client):
    answer = client.get("study?task=bandit&n=8&n=9")
    assert answer.status_code == 400
    assert answer.json() == {"problem": "n is given more than once"}


@pytest.mark.parametrize("shape", ["hill", "points:0,1;0.5,0;0.6,2"])
def test_the_table_is_the_engine_s(client, shape):
    asked = {"task": HILL.task, "shape": shape, "sigma": "0.2"}
    answer = client.get("study/exact", params=asked)
    table = answer.json()
    assert len(answer.content) < 200_000  # sent once for a shape and σ
    grid = numbers(table["grid"])
    curves = numbers(table["curves"]).reshape(len(BEST_OF), len(grid))
    for k in (1, 5, 64):
        want = gaussian_hill.objective(grid.astype(float), k, 0.2, shape)
        assert np.abs(curves[k - 1] - want).max() < 1e-6, k
        best = gaussian_hill.optimum(k, 0.2, shape)
        assert table["stars"][str(k)] == [best.theta, best.value]
        assert table["colours"][str(k)] == figures.k_colour(k)
    # Read between its points in a straight line, as the browser does.
    theta = np.random.default_rng(0).uniform(grid[0], grid[-1], 200)
    for k in (1, 8, 64):
        read = np.interp(theta, grid, curves[k - 1])
        height = gaussian_hill.reward_shape(shape).highest
        assert np.abs(read - gaussian_hill.objective(theta, k, 0.2, shape)).max() < 3e-3 * height


def test_the_weights_are_the_library_s(client):
    asked = {"rewards": "0.1, 0.9 0.4", "k": "2", "show": "canonical sloo_minus_one naive"}
    answer = client.get("weights", params=asked)
    assert answer.status_code == 200
    said = answer.json()
    rewards = [0.1, 0.9, 0.4]
    assert said["rewards"] == rewards and f"{rho(rewards, 2):.4f}" in said["caption"]
    drawn = json.loads(said["figure"])["data"]
    assert len(drawn) == 2  # two does not divide three
    for trace, name in zip(drawn, ("canonical", "sloo_minus_one"), strict=True):
        weights = np.frombuffer(base64.b64decode(trace["y"]["bdata"]), trace["y"]["dtype"])
        assert weights.tolist() == transform(rewards, 2, name).tolist()
        assert trace["marker"]["color"] == figures.estimator_colour(name)
    assert said["figure"] == weights_payload(rewards, 2, asked["show"].split())["figure"]


@pytest.mark.parametrize("estimator", ["sloo_minus_one", "canonical"])
def test_pay_is_the_library_s(client, estimator):
    asked = {
        "task": BANDIT.task,
        "bandit": "crowded",
        "steps": "20",
        "n": "6",
        "estimator": estimator,
    }
    asked |= {"compare": "schedule 2 3", "run": "1", "ks": "1,4"}
    config = {"task": BANDIT.task, "bandit": "crowded", "steps": 20, "n": 6, "schedule": "3"}
    run = record_run(parse_comparison(config | {"estimator": estimator}, "")[0])
    for k, said in zip((1, 4), client.get("study/paid", params=asked).json(), strict=True):
        want = transform(run.rewards, k, estimator)
        assert said["k"] == k
        assert numbers(said["weights"]) == pytest.approx(want.ravel(), abs=1e-7)
        silent = numbers(said["silences"]).reshape(want.shape[:-1]) > 0
        assert np.array_equal(silent, ~want.any(axis=-1))
        assert said["subsets"] == str(math.comb(6, k))
        assert said["wins"] == [str(math.comb(below, k - 1)) for below in range(6)]
        assert len(said["listed"]) == (15 if k == 4 else 0)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("rewards=1+x", "rewards must be from 1 to 32 numbers within a million, got '1 x'"),
        ("rewards=1+2&k=3", "k must be from 1 to 2, got 3"),
        ("show=magic", "choose at least one estimator that is registered, got 'magic'"),
        ("n=3", "'n' is not a setting of this page"),
        ("k=1&k=2", "k is given more than once"),
    ],
)
def test_a_group_that_cannot_be_is_refused(client, asked, sentence):
    answer = client.get(f"weights?{asked}")
    assert (answer.status_code, answer.json()) == (400, {"problem": sentence})


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"run": "4"}, "run must be from 0 to 1, got 4"),
        ({"ks": "17"}, "ks must be from 1 to 16, got 17"),
        ({"ks": "1,2,3,4,5"}, "ks must have at most 4 values, got 5"),
        ({"ks": "16", "estimator": "canonical"}, "k = 16 is not allowed with n = 16"),
        ({"n": "0"}, "n must be"),
    ],
)
def test_bad_questions_about_pay_are_refused(client, asked, sentence):
    given = {"task": HILL.task, "compare": "schedule 1 8", **asked}
    answer = client.get("study/paid", params=given)
    assert answer.status_code == 400
    assert sentence in answer.json()["problem"]


def test_many_at_once_wait_and_too_many_are_told(monkeypatch):
    begun, let_go = threading.Semaphore(0), threading.Event()

    def slow(asked):
        begun.release()
        let_go.wait(20)
        return b"{}"

    class Request:
        client = None

        class query_params:  # noqa: N801
            @staticmethod
            def multi_items():
                return []

    async def ask_all():
        asked = [
            asyncio.create_task(study_routes._answer(Request, slow))
            for _ in range(study_routes.WAITING_LIMIT + 3)
        ]
        await asyncio.sleep(0.1)
        assert begun.acquire(timeout=5) and begun.acquire(timeout=5)
        assert not begun.acquire(timeout=0.2)  # two at once; the event loop is free meanwhile
        let_go.set()
        return [answer.status_code for answer in await asyncio.gather(*asked)]

    codes = run_coroutine(ask_all())
    assert codes.count(503) == 3 and codes.count(200) == study_routes.WAITING_LIMIT


@pytest.mark.parametrize(
    ("host", "encoding"), [("127.0.0.1", "identity"), ("::1", "identity"), ("192.0.2.7", None)]
)
def test_only_what_goes_to_another_machine_is_compressed(host, encoding):
    query = urlencode({"task": HILL.task, "steps": 3, "compare": "off"}).encode()
    asked = Request({"type": "http", "query_string": query, "client": (host, 5)})
    answer = run_coroutine(study_routes._study(asked))
    assert answer.status_code == 200 and answer.headers.get("Content-Encoding") == encoding


def test_what_waits_is_trained_together(monkeypatch):
    trained = []

    def record(configs):
        trained.append(len(configs))
        return record_runs(configs)

    monkeypatch.setattr("app.recordings.record_runs", record)
    settings = [{"steps": "30", "seed": str(700 + i), "compare": "off"} for i in range(12)]

    def request(**asked: str) -> Request:
        query = urlencode({"task": HILL.task, **asked}).encode()
        return Request({"type": "http", "query_string": query})

    async def ask_all():
        questions = [study_routes._study(request(**one)) for one in settings]
        return await asyncio.gather(*questions, study_routes._study(request(n="lots")))

    *answers, refused = run_coroutine(ask_all())
    assert refused.status_code == 400
    assert sum(trained) == len(settings) and max(trained) > 4
    assert not study_routes._untrained
    for answer, one in zip(answers, settings, strict=True):
        config = parse_comparison({"steps": 30, "seed": int(one["seed"])}, "")[0]
        drawn = numbers(json.loads(answer.body)["study"]["runs"][0]["columns"]["samples"])
        assert np.array_equal(drawn, record_run(config).samples.astype("f4").ravel())


def test_of_runs_that_are_known_nothing_is_trained_again(monkeypatch):
    trained = []

    def record(configs):
        trained.extend(config.schedule for config in configs)
        return record_runs(configs)

    monkeypatch.setattr("app.recordings.record_runs", record)
    kept = RunCache(3)
    four, moved = (
        parse_comparison({"task": BANDIT.task, "steps": 60}, f"schedule {ks}")
        for ks in ("1 8", "1 8@0,2@40")
    )
    first = kept.record(four)
    assert trained == ["1", "8"]
    again = kept.record(moved)
    assert again[0] is first[0]
    assert trained == ["1", "8"]  # of the other, what follows update 40 is trained
    want = record_run(moved[1])
    for name in ("parameters", "samples", "weights"):
        assert np.array_equal(getattr(again[1], name), getattr(want, name)), name
    assert all(np.array_equal(again[1][name], want[name]) for name in want.columns)
    other = parse_comparison({"task": BANDIT.task, "steps": 60, "seed": 1}, "schedule 1 2 3")
    kept.record(other)
    kept.record(four[:1])  # no more room for it
    assert trained == ["1", "8", "1", "2", "3", "1"]


@pytest.mark.parametrize("said", [None, 3, {"settings": 3}, {"settings": {"n": "lots"}}])
def test_what_no_browser_of_ours_sends_changes_nothing(said, monkeypatch):
    memory = {"values": HILL.defaults}
    monkeypatch.setattr("app.controls.player_settings.page_memory", lambda page: memory)
    controls.take_settings(HILL, said)
    assert memory["values"] == HILL.defaults


def test_settings_are_taken_with_their_serial(monkeypatch):
    memory = {"values": HILL.defaults, "notices": ["old"]}
    monkeypatch.setattr("app.controls.player_settings.page_memory", lambda page: memory)
    controls.take_settings(HILL, {"settings": {"n": "24", "compare": "schedule 2 3"}, "serial": 7})
    assert memory["values"] == HILL.defaults | {"n": 24, "compare": "schedule 2 3"}
    assert (memory["notices"], memory["serial"]) == ([], 7)


@pytest.mark.parametrize("base", ["", "lab", "/a/b/"])
def test_the_routes_stand_below_the_app_s_own_address(base, monkeypatch):
    monkeypatch.setattr(study_routes.st, "get_option", lambda name: base)
    start = f"/{base.strip('/')}" if base else ""
    assert [r.path for r in study_routes.study_routes()] == [
        f"{start}/study",
        f"{start}/study/exact",
        f"{start}/weights",
        f"{start}/study/paid",
    ]
