"""The language model's page without a browser, on runs made of random numbers and on a micro model."""

from __future__ import annotations

import dataclasses
import json
import shutil
import threading
import time
from functools import partial
from html import escape

import numpy as np
import pytest
import torch
from scipy.special import stdtrit
from streamlit.testing.v1 import AppTest

from app import access
from app.controls.language_page import EXPERIMENT_LABELS, HEADLINE, LANGUAGE_VIEWS, language_address
from app.language_model import asking, playground
from app.runs import engine, run_text
from pkpo.comparisons import word_problems as study
from pkpo.estimators import pass_at_k, transform
from pkpo.figures import language_model as figures
from pkpo.figures.language_model import BEFORE
from pkpo.intervals import Difference
from pkpo.lm import experiments
from pkpo.lm.answers import answer_question
from pkpo.lm.experiments import EXPERIMENTS, METHODS
from pkpo.lm.model_files import load_model, save_model
from pkpo.lm.policy import LanguageModelPolicy
from pkpo.lm.problem_sets import load_problem_sets
from pkpo.lm.warm_start import untrained_model
from pkpo.runs import LocalExecutor, Store, checkpoint
from pkpo.runs.process import Process
from pkpo.runs.records import write_record
from pkpo.runs.sweep import SeedMean
from pkpo.training.tasks.gaussian_hill import HillConfig
from pkpo.training.tasks.registry import run_config
from tests.language_runs import SMALL, TRIES, keep, record
from tests.pages import open_page as open_any
from tests.pages import words_of
from tests.pretrained_models import llama, questions_file
from tests.test_runs import work

SHIPPED = {
    "fresh": SMALL,
    "hard": SMALL.replace(problems="hard"),
    "hard-unseen": SMALL.replace(problems="hard-unseen"),
    "words": SMALL.replace(model="small", problems="gsm_symbolic"),
}
OWN = "k1 k8 annealed".split()


def configs(experiment: str, method: str):
    base = SHIPPED[experiment]
    seeds = EXPERIMENTS[experiment].seeds
    return [METHODS[method].config(dataclasses.replace(base, seed=seed)) for seed in seeds]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A folder of records, as the repository ships them."""
    folder = tmp_path_factory.mktemp("recorded")
    for experiment in SHIPPED:
        (folder / experiment).mkdir()
        for method in OWN:
            for config in configs(experiment, method):
                path = folder / experiment / f"{method}-{config.seed}.json.gz"
                write_record(record(config), path, ("groups",) if config.seed else ())
    return folder


@pytest.fixture
def store(tmp_path, monkeypatch, recorded) -> Store:
    """A store of the test's own, in which no executor starts anything, and the records above."""
    monkeypatch.setenv("PKPO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(LocalExecutor, "reconcile", lambda self: None)
    monkeypatch.setattr(experiments, "RECORDED", recorded)
    monkeypatch.setattr(playground, "SHIPPED", recorded / "models")
    experiments.recorded_runs.cache_clear()
    yield Store()
    experiments.recorded_runs.cache_clear()


open_page = partial(open_any, "language_model")


def as_visitor(browser: str, **address: str) -> AppTest:
    """The page as a browser in a classroom sees it."""
    return open_page({"browser": browser}, **address)


def said(page: AppTest) -> str:
    """Everything that the page says in words."""
    parts = [*page.header, *page.markdown, *page.caption, *page.info, *page.warning, *page.error]
    return words_of(parts)


def click(page: AppTest, label: str) -> AppTest:
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception
    return page


def final(experiment: str, method: str, k: int) -> list[float]:
    """Pass@k of each seed, counted here from what each problem's answers were."""
    found = [
        record(config).details[SMALL.steps]["held_out"] for config in configs(experiment, method)
    ]
    return [float(np.mean([pass_at_k(TRIES, c, k) for c in counts])) for counts in found]


# --- The numbers ------------------------------------------------------------------------------------


def test_curves_are_means_over_seeds_with_their_standard_errors():
    records = [record(config) for config in configs("fresh", "k8")]
    found = study.pass_at_k_at(records, study.HELD_OUT_PASS, -1)
    assert list(found) == list(range(1, TRIES + 1))
    for k in (1, 5, 16):
        values = final("fresh", "k8", k)
        assert found[k].mean == pytest.approx(np.mean(values), abs=1e-12)
        assert found[k].error == pytest.approx(np.std(values, ddof=1) / 3**0.5, abs=1e-12)
    assert list(study.pass_at_k_at(records, study.ROLLING_PASS, 0)) == list(range(1, SMALL.n + 1))
    means, errors = study.average_over_seeds([r.columns for r in records], ["entropy", "nothing"])
    assert set(means) == set(errors) == {"update", "entropy"} and len(means["update"]) == 5
    third = np.array([r["entropy"][2] for r in records])
    assert means["entropy"][2] == pytest.approx(third.mean(), abs=1e-12)


@pytest.mark.parametrize("k", [1, 4, 16])
def test_gains_are_paired_by_problem_and_seed(k):
    ours, theirs = ([record(c) for c in configs("fresh", name)] for name in ("k8", "k1"))

    def table(records, update):
        return np.array(
            [[pass_at_k(TRIES, c, k) for c in r.details[update]["held_out"]] for r in records]
        )

    for baseline, differences in (
        (theirs, table(ours, SMALL.steps) - table(theirs, SMALL.steps)),
        ([], table(ours, SMALL.steps) - table(ours, 0)),
    ):
        found = study.pass_at_k_gain(ours, k, baseline)
        assert found.mean == pytest.approx(differences.mean(), abs=1e-12)
        parts = [differences.mean(axis=0), differences.mean(axis=1)]
        half = sum(stdtrit(len(x) - 1, 0.975) ** 2 * x.var(ddof=1) / len(x) for x in parts) ** 0.5
        ends = found.mean - half, found.mean + half
        assert (found.low, found.high) == pytest.approx(ends, abs=1e-12)
    single = study.pass_at_k_gain(ours[:1], k)
    row = (table(ours, SMALL.steps) - table(ours, 0))[0]
    half = stdtrit(len(row) - 1, 0.975) * row.std(ddof=1) / len(row) ** 0.5
    assert single.high - single.mean == pytest.approx(half, abs=1e-12)


def test_words_follow_the_numbers():
    far, near = Difference(0.1, 0.05, 0.15), Difference(-0.1, -0.15, -0.05)
    assert (
        "ahead of b at the best of 16 but behind it at a single try: by +10.0 (5.0 to 15.0) and "
        "−10.0 (−15.0 to −5.0) points."
    ) in figures.contrast("a", "b", near, far)
    no = Difference(0.01, -0.01, 0.03)
    assert "and not clearly apart from it at a single" in figures.contrast("a", "b", no, far)
    values = {name: {16: SeedMean(x, 0.0)} for name, x in {"a": 0.5, "b": 0.75, "0": 0.25}.items()}
    told = figures.headline(["a", "b"], [(values["0"], values["a"]), (values["0"], values["b"])])
    assert told == (
        "Trained for b, 16 tries solve 75.0% of unseen problems; a: 50.0%; before training: 25.0%"
    )


@pytest.mark.parametrize(
    ("rewards", "parts"),
    [
        ([0, 0, 1, 0], ("1 of 4 earns the reward", "k = 2** gives one that does +0.500, one that")),
        ([0, 0, 0, 0], ("0 of 4 earn the reward", "nobody any weight")),
        ([1, 1, 1, 1], ("4 of 4 earn the reward", "nobody any weight")),
        ([0.5, 0, 0.25, 0], ("The best earns 0.50, the worst 0.00", "the best one")),
    ],
)
def test_a_group_in_words(rewards, parts):
    told = figures.describe_group(rewards, [("sloo_minus_one", 2), ("sloo_minus_one", 99)])
    assert all(part in told for part in parts) and "99" not in told


def test_small_weights_are_not_called_none():
    assert [figures.weight_in_words(w) for w in (0.0, 0.5, -0.0625, 8e-5, -8e-5)] == [
        "0", "+0.500", "−0.062", "+8e-05", "−8e-05",
    ]  # fmt: skip


def test_moves_are_counted():
    before, after = np.array([0, 0, 3, 16, 5]), np.array([2, 0, 0, 16, 0])
    assert figures.describe_moved(before, after).startswith(
        "1 of 2 never solved before are solved now; 2 of 3"
    )
    (heat, *_) = figures.plot_before_and_after(before, after, "#0072b2").data
    assert heat.customdata[2][0] == heat.customdata[0][0] == heat.customdata[16][16] == 1
    assert np.sum(heat.customdata) == 5


# --- What is recorded ---------------------------------------------------------------------------------


@pytest.mark.parametrize("view", LANGUAGE_VIEWS)
@pytest.mark.parametrize("experiment", [name for name in EXPERIMENT_LABELS if name != "own"])
def test_every_view_of_every_experiment_opens(store, view, experiment):
    page = open_page(view=view, experiment=experiment)
    assert not page.error and not page.warning
    if experiment in ("answer", "abstention") and view in ("results", "group", "problems"):
        assert "Not recorded: k = 1, k = 8, k = 8, then 1." in said(page) and page.info
    else:
        assert not page.info or view == "playground"


def test_the_headline_states_what_the_records_hold(store):
    (header,) = open_page().header
    for method in OWN:
        assert f"{100 * np.mean(final(HEADLINE, method, 16)):.1f}%" in header.value
    before = [pass_at_k(TRIES, c, 16) for c in record(SMALL).details[0]["held_out"]]
    assert f"before training: {100 * np.mean(before):.1f}%" in header.value


def test_a_fixed_set_shows_what_it_gained_beside_unseen_problems(store):
    page = open_page(experiment="hard")
    charts = [chart.key for chart in page.get("plotly_chart")]
    assert len(charts) == 2 and "of the problems that it trained on" in page.header[0].value


def test_methods_can_be_left_out(store):
    page = open_page(methods="k8")
    assert "k = 1" not in page.header[0].value and "for k = 8, 16 tries" in page.header[0].value


def test_a_group_is_weighed_by_another_estimator(store):
    made = record(configs(HEADLINE, "k8")[0]).details[2]["groups"][0]
    rewards = np.array([sample["reward"] for sample in made["samples"]])
    page = open_page(view="group", method="1", update="2", prompt="1", by="canonical", k="3")
    weights = transform(rewards, 3, "canonical")
    body = next(e.proto.body for e in page.get("html") if "pk-completions'" in e.proto.body)
    for weight in weights:
        assert f"title='weight {weight:.6f}'" in body
    assert body.count("role='listitem'") == SMALL.n and body.count("title='fully right'") == 2
    first = body.index(f"weight {weights.max():.6f}")
    assert first < body.index(f"weight {weights.min():.6f}")
    alone = open_page(view="group", method="1", update="2", prompt="2")
    assert "title='the only one fully right'" in next(
        e.proto.body for e in alone.get("html") if "pk-completions'" in e.proto.body
    )


def test_the_first_group_is_the_one_with_the_fewest_right_answers(store):
    page = open_page(view="group", update="2")
    assert page.button_group(key="_language_prompt").value == 2
    assert "1 of 8 earns the reward" in said(page)
    assert "2 of 8 earn the reward" in said(open_page(view="group", update="2", prompt="1"))


def test_tokens_cannot_break_out_of_the_page(store, monkeypatch):
    monkeypatch.setattr(
        "tests.language_runs.draw_problems", lambda count, rng: [_spiteful] * count
    )  # the text of a completion
    experiments.recorded_runs.cache_clear()
    path = experiments.path_of(HEADLINE, "k1", 0)
    kept = path.read_bytes()
    try:
        write_record(record(configs(HEADLINE, "k1")[0]), path)
        page = open_page(view="group")
        body = next(e.proto.body for e in page.get("html") if "pk-completions'" in e.proto.body)
        assert "<script" not in body and "&lt;" in body
    finally:
        path.write_bytes(kept)


_spiteful = dataclasses.replace(
    load_problem_sets(SMALL)[1][0], solution="<script>alert(1)</script>####1"
)


def test_problems_are_filtered(store):
    counts = {
        u: record(configs(HEADLINE, "k8")[0]).details[u]["held_out"] for u in (0, SMALL.steps)
    }
    lost = [a > 0 == b for a, b in zip(counts[0], counts[SMALL.steps], strict=True)]
    questions = [p.question for p in load_problem_sets(SHIPPED[HEADLINE])[1]]
    page = open_page(view="problems", method="1", moved="lost")
    want = [q for q, gone in zip(questions, lost, strict=True) if gone]
    assert want, "this seed loses nothing: choose another"
    assert page.dataframe[0].value["problem"].tolist() == want
    page = open_page(view="problems", level="3")
    assert set(page.dataframe[0].value["steps"]) == {3}


def test_first_solutions_of_the_fixed_set_are_told(store):
    page = open_page(view="problems", experiment="hard")
    firsts = [
        np.array(record(configs("hard", m)[0]).details[SMALL.steps]["first_solved"]) for m in OWN
    ]
    for label, updates in zip(("k = 1", "k = 8", "k = 8, then 1"), firsts, strict=True):
        assert f"**{label}** solved {(updates >= 0).sum()} at some time" in said(page)


# --- Addresses ----------------------------------------------------------------------------------------


def test_nonsense_in_the_address_is_explained_and_left_at_its_default(store):
    page = open_page(
        view="castle", experiment="own", methods="k1 magic", runs="x", update="-1", by="love",
        n="many",
    )  # fmt: skip
    for part in (
        "view must be one of results, group",
        "experiment: there are no runs of yours",
        "methods: there is no 'magic'",
        "a run's id has 12 characters",
        "update must be from 0",
        "there is no estimator",
        "n must be a whole number, got 'many'",
    ):
        assert part in said(page), part
    assert page.button_group(key="_language_view").value == "results"
    page = open_page(view="train", train="8@", seeds="99", maze="1", question="a" * 1001)
    for part in (
        "schedule must look like",
        "seeds must be from 1 to 5, got 99",
        "'maze' is not a setting of this page",
        "question must have at most 1000 characters",
    ):
        assert part in said(page), part


def test_runs_that_are_not_there_or_of_another_task(store):
    assert "there is no run 0123456789ab" in said(open_page(view="train", runs="0123456789ab"))
    hill = store.submit(HillConfig(steps=5))
    assert "is not of the language model" in said(open_page(view="train", runs=hill))


# --- Own runs -----------------------------------------------------------------------------------------


def test_the_button_submits_what_the_form_says(store):
    page = open_page(view="train", train="k1 annealed linear:8->1@4", steps="6", prompts="2", n="8")
    click(page, "Train 3 runs")
    runs = store.runs()[::-1]
    assert [run.config for run in runs] == [
        run_config("word-problems", steps=6, prompts=2, n=8, schedule=schedule)
        for schedule in ("1", "8@0,1@4", "linear:8->1@4")
    ]
    assert len({run.sweep for run in runs}) == 1
    assert page.query_params["runs"] == " ".join(run.id for run in runs)
    assert page.query_params["view"] == "train"
    assert "Waiting for a free place" in said(page)


def test_a_run_is_duplicated_through_the_address(store):
    config = run_config(
        "word-problems", steps=6, prompts=2, n=8, schedule="4@0,2@3", estimator="canonical", seed=3
    )
    address = language_address(config)
    assert address["view"] == "train"
    click(open_page(**address), "Train 1 run")
    assert [run.config for run in store.runs()] == [config]
    assert language_address(config.replace(entropy_bonus=0.1)) is None
    assert language_address(HillConfig()) is None
    page = open_any("runs", run=store.runs()[0].id)
    (link,) = (x for x in page.main if x.type == "page_link" and "Duplicate" in x.proto.label)
    assert "view=train&train=4%400%2C2%403" in link.proto.query_string


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ({"train": "tzsm25", "n": "8"}, "k = 16 is more than n = 8"),
        ({"train": ""}, "train must give from 1 to 12 runs, got 0"),
        ({"train": "k1 1"}, "two of these are the same run"),
        ({"train": "k1 k2 k4 k8", "seeds": "5"}, "from 1 to 12 runs, got 20"),
    ],
)
def test_what_cannot_run_is_said_beside_a_dead_button(store, address, problem):
    page = open_page(view="train", **address)
    assert problem in said(page)
    assert next(b for b in page.button if b.label.startswith("Train")).disabled


def test_the_page_says_how_long_it_takes_where(store, monkeypatch):
    monkeypatch.setenv("PKPO_WORKERS", "2")
    engine._engine.cache_clear()
    sampled = (SMALL.steps + 1) * SMALL.prompts * SMALL.n + 3 * SMALL.held_out * TRIES
    asked = (601 * 32 * 16 + 16 * 1024 * TRIES) / sampled * 60.0  # a minute each, as recorded
    page = open_page(view="train", steps="600")
    assert f"About {round(2 * asked / 3600)} hours on this machine's CPU, 2 runs at a time" in said(
        page
    )
    store.submit(SMALL)
    assert "a core each, with 1 run before them" in said(open_page(view="train"))
    engine._engine.cache_clear()


def test_runs_of_models_from_afar_leave_room_for_the_lines(tmp_path):
    config = run_config("word-problems", schedule="8", held_out=0)
    other = config.replace(problems=questions_file(tmp_path, 40), limit=400)
    (one, two), colours = zip(*figures.method_styles([config, other]), strict=True)
    assert sorted(one.split(", ")) == ["k = 8", "limit 40", "problems fresh"]
    assert sorted(two.split(", ")) == ["k = 8", "limit 400", "problems some.jsonl"]
    assert len(set(colours)) == 2
    values = {k: SeedMean(0.5, 0.1) for k in (1, 2)}
    ends = [(one, colours[0], values), (two, colours[1], values)]
    figure = figures.plot_pass_at_k(values, ends, (0, 1))
    assert [a.text[-5:] for a in figure.layout.annotations][1:] == ["…</b>"] * 2
    assert figure.layout.margin.r < 390 / 2 + 10  # of a phone


def test_presets_fill_the_form(store):
    page = open_page(view="train")
    for name, parts in {
        "Stalled at pass@1?": ("--problems hard", "--schedule 1", "--steps 400"),
        "k = n: too much variance": ("--schedule 16",),
        "Entropy bonus instead": ("--entropy-bonus 0.01",),
        "Abstaining pays: k = 1 stalls": ("--model tiny-abstaining", "--abstention 0.5"),
        "In the words of GSM8K": ("--model small", "--problems gsm_symbolic"),
    }.items():
        page.button_group(key="language preset").set_value(name).run()
        assert not page.exception and not page.error
        assert page.button_group(key="language preset").value == name
        assert all(part in page.code[0].value for part in parts), name


def test_own_runs_are_looked_at_like_the_recorded_ones(store):
    ids = [keep(store, config) for method in ("k1", "k8") for config in configs("fresh", method)]
    address = {"runs": " ".join(ids)}
    for view in ("train", "results", "group", "problems"):
        page = open_page(view=view, experiment="own", **address)
        assert not page.error and not page.warning and not page.info
        if view in ("train", "results"):
            for method in ("k1", "k8"):
                share = f"{100 * np.mean(final('fresh', method, 16)):.1f}%"
                assert share in page.header[0].value
    assert (
        "Your runs"
        in open_page(view="results", **address).button_group(key="_language_experiment").options
    )


def test_own_runs_stay_at_hand(store):
    ids = [keep(store, config) for config in configs("fresh", "k8")[:2]]
    page = open_page(view="results", experiment="own", runs=" ".join(ids))
    page.query_params.clear()
    page.switch_page("app_pages/runs.py")
    page.query_params["run"] = ids[0]
    page.run()
    links = [x.proto for x in page.main if x.type == "page_link"]
    (way,) = (link for link in links if link.label == "Look inside")
    assert way.query_string == f"view=train&runs={ids[0]}"
    page.query_params.clear()
    page.switch_page("app_pages/language_model.py").run()
    assert "Your runs" in page.button_group(key="_language_experiment").options
    store.delete(ids[0])
    page.query_params["view"] = "train"
    page.run()
    assert not page.error and f"{100 * final('fresh', 'k8', 16)[1]:.1f}%" in page.header[0].value
    store.delete(ids[1])
    page.run()
    assert not page.error and page.header[0].value.startswith("Train it yourself")


def charts_of(page: AppTest) -> dict[str, list[str]]:
    """The curves of each of the page's figures."""
    figures_drawn = {chart.key: json.loads(chart.proto.spec) for chart in page.get("plotly_chart")}
    return {
        key: [t["name"] for t in spec["data"] if t.get("fill") != "toself"]
        for key, spec in figures_drawn.items()
    }


def test_what_goes_on_is_compared_with_what_was_measured_alike(store, monkeypatch):
    monkeypatch.setattr(engine, "FRESH_SECONDS", 0.0)
    begun = run_config("word-problems", n=8, schedule="8", steps=40, interval=20, held_out=24)
    fresh, hard = (store.submit(begun.replace(problems=problems)) for problems in ("fresh", "hard"))
    store.claim(lambda device: 2)
    ours = Process.this_one()
    for id in (fresh, hard):
        store.begin(id, ours, {})
    values = {f"{kind}pass@{k}": 0.5 for kind in ("", "held_out_") for k in range(1, 9)}

    def learn(id: str, updates: range) -> dict[str, list[str]]:
        events = [{"update": update, "k": 8, **values} for update in updates]
        store.append(id, ours, events, updates.stop)
        return charts_of(open_page(view="train", runs=id))

    assert learn(fresh, range(5)) == {}
    assert learn(fresh, range(5, 12)) == {"live-Unseen problems": [BEFORE, "k = 8"]}
    assert learn(hard, range(12)) == {"live-The problems trained on": [BEFORE, "k = 8"]}
    assert learn(hard, range(12, 22)) == {
        "live-The problems trained on": [BEFORE, "k = 8"],
        "live-Unseen problems": [BEFORE, "k = 8"],
    }


def test_visitors_have_limits_and_no_models_of_the_host(store, monkeypatch, micro):
    monkeypatch.setenv(access.SECRET, "open sesame")
    monkeypatch.setenv("PKPO_QUEUE_LIMIT", "2")
    engine._engine.cache_clear()
    student = "0123456789abcdef" * 2
    click(as_visitor(student, view="train", train="k1 k8"), "Train 2 runs")
    assert {run.owner for run in store.runs()} != {""} and len(store.runs()) == 2
    page = click(as_visitor(student, view="train", train="k1"), "Train 1 run")
    assert "at most 2 of your runs can wait" in said(page) and len(store.runs()) == 2
    assert "model must be one of small, tiny, tiny-abstaining, got" in said(
        as_visitor(student, view="train", model=micro)
    )
    assert "n must be from 1 to 64" in said(as_visitor(student, view="train", n="4000"))
    engine._engine.cache_clear()


def test_what_runs_took_is_told_as_far_as_it_is_known(store):
    ids = [keep(store, config) for config in configs("fresh", "k8")[:2]]
    assert "On average" not in said(open_page(view="train", runs=" ".join(ids)))  # as of old runs
    for id, pace, memory in zip(ids, (0.5, 1.5), (300, 1200), strict=True):
        store.describe(id, {"updates_per_second": pace, "peak_memory_mib": memory})
    sampled = SMALL.prompts * SMALL.n * record(configs("fresh", "k8")[0])["tokens"][-1]
    taken = f"On average 1 updates/s, {sampled:,.0f} tokens/s, up to 1,200 MiB of memory."
    assert taken in said(open_page(view="train", runs=" ".join(ids)))
    run = store.run(ids[0])
    told = f"0.5 updates/s · {sampled / 2:,.0f} tokens/s · up to 300 MiB of memory"
    assert run_text.progress_of([run], 0.0, "") == f"4 of 4 updates · {told}"
    live = dataclasses.replace(run, status="running", step=2)
    gpu = {"updates_per_second": 9.0, "peak_gpu_memory_mib": 2048}
    live = dataclasses.replace(live, provenance=gpu)
    assert run_text.progress_of([live], 0.04, "") == (
        f"2 of 4 updates · 0.04 updates/s · {0.04 * sampled:.2g} tokens/s · "
        "up to 2,048 MiB on the GPU · about 50 seconds left"
    )
    assert run_text.progress_of([live], 0.0, "") == "2 of 4 updates"


def test_a_failed_run_says_why(store):
    id = store.submit(SMALL)
    store.claim(lambda device: 1)
    store.end(id, None, "failed", "learning_rate 9 is too large: at update 2 it diverged")
    assert "learning_rate 9 is too large" in said(open_page(view="train", runs=id))


def test_a_model_is_trained_on_problems_that_it_can_read(store):
    asked = {"view": "train", "train": "k1", "steps": "2", "model": "small"}
    page = click(open_page(**asked, problems="gsm_symbolic"), "Train 1 run")
    (run,) = store.runs()
    assert (run.config.model, run.config.problems) == ("small", "gsm_symbolic")
    for pair in ({}, {"model": "tiny", "problems": "gsm_symbolic"}):
        page = open_page(**{**asked, **pair})
        assert "problems must be in words that model" in page.error[0].value.replace("\\", "")
        assert next(b for b in page.button if b.label == "Train").disabled


# --- The playground -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def micro(tmp_path_factory) -> str:
    """A model that knows nothing but the words."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("micro")
    save_model(untrained_model(0, width=16, layers=1, heads=2, hidden=16), folder)
    return str(folder)


def test_a_run_s_checkpoint_is_asked(store, micro):
    config = run_config(
        "word-problems", model=micro, steps=1, prompts=1, n=2, schedule="1", held_out=0
    )
    id = store.submit(config)
    work(store, id)
    page = open_page(view="playground", runs=id, problem="3")
    assert not page.error and not page.info
    assert [s.value.split(",")[0] for s in page.subheader] == ["0 of 16 fully right"] * 2
    lists = [e.proto.body for e in page.get("html") if "pk-completions'" in e.proto.body]
    again = open_page(view="playground", runs=id, problem="3")
    assert lists == [e.proto.body for e in again.get("html") if "pk-completions'" in e.proto.body]
    other = open_page(view="playground", runs=id, problem="3", draw="1")
    assert lists != [e.proto.body for e in other.get("html") if "pk-completions'" in e.proto.body]


def test_a_run_on_other_problems_is_asked_those(store):
    settings = {"steps": 1, "prompts": 1, "n": 2, "schedule": "1", "held_out": 9}
    config = run_config("word-problems", model="small", problems="gsm_symbolic", **settings)
    id = store.submit(config)
    work(store, id)
    page = open_page(view="playground", runs=id, problem="3")
    assert not page.error and not page.info and len(page.subheader) == 2
    assert page.text_area[0].value == load_problem_sets(config)[1][3].question


def test_unknown_words_are_named_beside_the_field(store):
    settings = {"steps": 1, "prompts": 1, "n": 2, "schedule": "1", "held_out": 9}
    id = store.submit(
        run_config("word-problems", model="small", problems="gsm_symbolic", **settings)
    )
    work(store, id)
    page = open_page(view="playground", runs=id, question="Emma has 3 zorgs. How many?", answer="3")
    assert "words that the model does not know: zorgs" in said(page)
    page = open_page(view="playground", runs=id, question="Emma has 3 appples. How many?")
    assert "Nearest words that it knows: appples: apples" in said(page)
    page = click(page, "Back to a problem that it can read")
    assert not page.error and "question" not in page.query_params
    page = open_page(view="playground", runs=id, question="How many has Emma?", answer="lots")
    assert [e.value for e in page.error] == [r"answer must be a whole number, got 'lots'"]
    assert "only the equations are checked" in said(page)
    page = open_page(view="playground", runs=id, question="How many has Emma?")
    assert not page.error and "only the equations are checked" in said(page)


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory) -> dict:
    """Settings of runs of a model that is not ours."""
    pytest.importorskip("transformers")
    pytest.importorskip("peft")
    torch.set_num_threads(1)
    return {
        "model": str(llama(tmp_path_factory.mktemp("llama"))),
        "problems": questions_file(tmp_path_factory.mktemp("questions"), 30),
        "reward": "share",
        "limit": 7,
        "steps": 2,
        "prompts": 2,
        "n": 4,
        "schedule": "1",
        "learning_rate": 0.05,
        "entropy_bonus": 1.0,  # its gradient is never 0
        "held_out": 3,
    }


def trained_pretrained(store: Store, settings: dict, lora: int) -> str:
    id = store.submit(run_config("word-problems", **settings, lora=lora))
    work(store, id)
    return id


def lists(page: AppTest) -> list[str]:
    return [e.proto.body for e in page.get("html") if "pk-completions'" in e.proto.body]


@pytest.mark.parametrize("lora", [0, 2])
def test_a_pretrained_model_s_run_is_asked(store, pretrained, lora):
    id = trained_pretrained(store, pretrained, lora)
    config = store.run(id).config
    page = open_page(view="playground", runs=id, problem="1")
    assert not page.error and page.header[0].value.startswith("One problem, 4 tries each: before")
    question = load_problem_sets(config)[1][1].question
    assert page.text_area[0].value == question
    assert "at most 7 tokens" in said(page) and "problem 2 of 3: `So it is. ####" in said(page)
    policy = LanguageModelPolicy(load_model(config.model, lora), lambda rng: [])
    want = [answer_question(policy.model, question, 4, 0, limit=7)]
    state = checkpoint.read_checkpoint(checkpoint.saved(store.files(id))[0])
    policy.load({name.removeprefix("policy/"): x for name, x in state.items() if "policy/" in name})
    want.append(answer_question(policy.model, question, 4, 0, limit=7))
    assert want[0] != want[1] and max(len(one.tokens) for one in want[0]) == 7
    for found, answers in zip(lists(page), want, strict=True):
        assert found.count("role='listitem'") == len({one.text for one in answers})
        for token, chance in [pair for one in answers for pair in zip(*_parts(one), strict=True)]:
            assert f"title='{100 * chance:.1f}% likely'>{escape(token)}" in found
    asking.ask.cache_clear()
    asking._ask_large.cache_clear()
    assert lists(open_page(view="playground", runs=id, problem="1")) == lists(page)
    beyond = open_page(view="playground", runs=id, problem="7")
    assert "There is no problem 8 here: this is the first." in said(beyond)
    assert "problem 1 of 3: " in said(beyond)
    assert list(asking._held) == [(config.model, lora)]


def _parts(attempt) -> tuple:
    return attempt.tokens, attempt.probabilities


def test_one_visitor_at_a_time_asks_a_pretrained_model(store, pretrained):
    id = trained_pretrained(store, pretrained, 2)
    released = []

    def release() -> None:
        released.append(time.monotonic())
        asking._turn.release()

    assert asking._turn.acquire(blocking=False)
    threading.Timer(2.0, release).start()
    page = open_page(view="playground", runs=id)
    assert released and len(lists(page)) == 2
    with asking._turn:  # what is known is shown at once
        assert lists(open_page(view="playground", runs=id)) == lists(page)


def test_damaged_files_of_a_pretrained_model_are_named(store, pretrained, tmp_path):
    folder = shutil.copytree(pretrained["model"], tmp_path / "llama")
    settings = {**pretrained, "model": str(folder)}
    one, other, last = (trained_pretrained(store, settings, 2) for _ in range(3))
    open_page(view="playground", runs=last)
    for file in checkpoint.saved(store.files(one)):
        file.write_bytes(file.read_bytes()[:-1])
    assert f"run {one} has no whole checkpoint" in said(open_page(view="playground", runs=one))
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    assert not open_page(view="playground", runs=other).error  # it is loaded already
    asking._held.clear()
    assert "llama cannot be loaded" in said(open_page(view="playground", runs=other, draw="1"))
    shutil.rmtree(folder)
    assert "No trained model is here yet" in said(open_page(view="playground", runs=last))
