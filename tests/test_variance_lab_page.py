"""The variance lab's page without a browser."""

from __future__ import annotations

from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from app.controls.variance_lab import LAB_VIEWS
from pkpo import analysis
from pkpo.analysis import AnalysisSettings
from pkpo.figures import variance_lab as figures
from tests.pages import open_page, words_of

ONE_PROBLEM = ("budget", "targets", "rates", "value")  # views that have no choice of problem


open_lab = partial(open_page, "variance_lab")


def said(page: AppTest) -> str:
    """Everything that the page says in words."""
    parts = [*page.markdown, *page.caption, *page.info, *page.warning]
    return words_of(parts)


def charts(page: AppTest) -> list[str]:
    return [chart.key for chart in page.get("plotly_chart")]


@pytest.mark.parametrize(
    ("view", "problem"),
    [
        (v, p)
        for v in LAB_VIEWS
        for p in analysis.PROBLEM_KINDS
        if p == "binary" or v not in ONE_PROBLEM
    ],
)
def test_every_view_of_every_problem_shows_its_charts(view, problem):
    page = open_lab(view=view, problem=problem, n="8", k="3")
    assert not page.warning and not page.info
    assert (
        charts(page)
        == {
            "map": ["map-False", "map-True", "explained"]
            if problem == "binary"
            else ["map", "explained"],
            "curves": ["curves"],
            "dial": ["dial", "best-dial"],
            "cloud": ["cloud"],
            "budget": ["budget"],
            "targets": ["cosine", "scale"],
            "rates": ["rates", "history-k1", "history-k8"],
            "value": ["value"],
        }[view]
    )
    assert page.button_group(key="_lab_view").value == view


@pytest.mark.slow
@pytest.mark.parametrize("view", LAB_VIEWS)
@pytest.mark.parametrize(
    "address",
    [
        {"n": "2", "k": "1"},
        {"n": "2", "k": "2"},
        {"n": "64", "k": "64", "p": "0.995"},
        {"p": "0.005", "ways": "500", "wrong": "500", "k": "1"},
        {"problem": "graded", "n": "64", "k": "2"},
        {"problem": "hill", "theta": "-1.0", "n": "3", "k": "1"},
        {"problem": "hill", "theta": "2.0", "n": "4", "k": "4", "measure": "ratio", "axis": "k"},
        {"show": "passk_training grpo", "measure": "bias", "axis": "k"},
        {"problem": "graded", "show": "passk_training", "n": "4", "k": "2"},
    ],
    ids=lambda address: " ".join(f"{name}={text}" for name, text in address.items()),
)
def test_the_ends_of_every_setting_open(view, address):
    page = open_lab(view=view, **address)
    assert not page.warning
    assert "nan" not in said(page).split()
    assert charts(page) or page.info  # a picture, or why there is none


def test_nonsense_in_the_address_is_explained_and_left_at_its_default():
    page = open_lab(
        view="castle", n="1e3", p="nan", alpha="x", show="magic", measure="joy", axis="up",
        seed="-1", maze="1",
    )  # fmt: skip
    (warning,) = page.warning
    text = warning.value.replace("\\", "")
    for part in (
        "view must be one of map, curves",
        "n must be a whole number, got '1e3'",
        "p must be a number, got 'nan'",
        "alpha must be a number, got 'x'",
        "there is no estimator 'magic'",
        "measure must be one of variance",
        "axis must be one of n, k, p",
        "seed must be from 0 to",
    ):
        assert part in text, part
    assert page.button_group(key="_lab_view").value == "map"
    assert page.slider(key="_lab_n").value == AnalysisSettings().n
    assert page.slider(key="_lab_p").value == AnalysisSettings().p
    assert "'maze' is not a setting of this page" in said(open_lab(maze="1"))


def test_more_attempts_than_samples_keep_the_last_possible_picture():
    page = open_lab(view="dial", n="8", k="3")
    assert "k must be at most n = 8, got 16" not in said(page)
    text = figures.describe_dial(analysis.dial_variance(AnalysisSettings(n=8, k=3)), 0.5)
    assert text in said(page)
    page.query_params["k"] = "16"
    page.run()
    assert not page.exception
    assert "k must be at most n = 8, got 16" in said(page)
    assert text in said(page)
    assert page.slider(key="_lab_k").value == 3
    page.slider(key="_lab_k").set_value(5).run()  # the way out
    assert not page.warning
    assert page.query_params["k"] == "5"
    fresh = open_lab(view="dial", n="8", k="16")
    assert "k must be at most n = 8, got 16" in said(fresh)
    assert figures.describe_dial(analysis.dial_variance(AnalysisSettings()), 0.5) in said(fresh)


@pytest.mark.parametrize("alpha", ["2.5", "-7", "nan", "inf", "1_0", "１"])
def test_an_alpha_beyond_the_slider_is_refused(alpha):
    page = open_lab(view="dial", alpha=alpha)
    assert "alpha must be" in said(page)
    assert page.slider(key="_lab_alpha").value == 0.5


def test_changing_a_control_writes_the_address_and_the_default_clears_it():
    page = open_lab()
    page.button_group(key="_lab_view").set_value("dial").run()
    page.slider(key="_lab_n").set_value(24).run()
    page.slider(key="_lab_k").set_value(6).run()
    page.slider(key="_lab_p").set_value(0.5).run()
    page.select_slider(key="_lab_ways").set_value(5).run()
    page.slider(key="_lab_alpha").set_value(-0.25).run()
    page.button_group(key="_lab_axis").set_value("k").run()
    assert not page.exception
    assert dict(page.query_params) == {
        "view": "dial", "n": "24", "k": "6", "p": "0.5", "ways": "5", "alpha": "-0.25", "axis": "k",
    }  # fmt: skip
    point = AnalysisSettings(n=24, k=6, p=0.5, ways=5)
    assert figures.describe_dial(analysis.dial_variance(point), -0.25) in said(page)
    page.slider(key="_lab_n").set_value(16).run()
    page.slider(key="_lab_k").set_value(4).run()
    page.button_group(key="_lab_view").set_value("map").run()
    assert set(page.query_params) == {"p", "ways", "alpha", "axis"}


def test_the_problem_brings_its_own_controls():
    page = open_lab(view="curves", n="8", k="2")
    page.selectbox(key="_lab_problem").set_value("hill").run()
    assert page.query_params["problem"] == "hill"
    keys = {widget.key for widget in (*page.slider, *page.select_slider, *page.number_input)}
    assert keys == {"_lab_n", "_lab_k", "_lab_theta", "_lab_dimension", "_lab_seed"}
    page.slider(key="_lab_theta").set_value(0.5).run()
    page.number_input(key="_lab_seed").set_value(7).run()
    assert page.query_params["theta"] == "0.5" and page.query_params["seed"] == "7"
    points = analysis.moments_along(
        AnalysisSettings(problem="hill", n=8, k=2, theta=0.5, seed=7),
        "theta",
        ("s", "sloo", "sloo_minus_one", "canonical"),
    )
    assert figures.describe_curves(points, "theta") in said(page)


def test_estimators_and_measure_go_to_the_address():
    page = open_lab(view="curves", n="8", k="2", axis="k")
    page.multiselect(key="_lab_show").set_value(["grpo", "canonical"]).run()
    page.selectbox(key="_lab_measure").set_value("bias").run()
    assert page.query_params["show"] == "grpo canonical"
    assert page.query_params["measure"] == "bias"
    page.multiselect(key="_lab_show").set_value([]).run()
    assert "choose at least one of s, sloo" in said(page)
    dial = open_lab(view="cloud", show="dial:-0.3 s")
    assert "Dial, α = -0.3: mean" in said(dial)


@pytest.mark.parametrize(
    ("view", "hidden"),
    [("map", {"k"}), ("budget", {"n", "ways", "wrong"}), ("value", {"k", "p"}), ("targets", {"p"})],
)
def test_a_view_hides_what_it_does_not_use(view, hidden):
    page = open_lab(view=view)
    drawn = {w.key.removeprefix("_lab_") for w in (*page.slider, *page.select_slider)}
    assert not drawn & hidden
    assert drawn  # but not everything


def test_the_budget_takes_its_total():
    page = open_lab(view="budget", k="2")
    names = ("s", "sloo", "sloo_minus_one", "canonical")
    for total in (64, 128):
        text = figures.describe_budget(
            analysis.split_budget(AnalysisSettings(k=2), names, total), 2
        )
        assert text in said(page)
        (group,) = [g for g in page.get("button_group") if g.key != "_lab_view"]
        group.set_value(128).run()
    assert page.query_params["total"] == "128"
    text = figures.describe_budget(analysis.split_budget(AnalysisSettings(k=2), names, 32), 2)
    assert text in said(open_lab(view="budget", k="2", total="32"))
    page = open_lab(view="budget", total="33")
    assert "total must be one of 16, 32, 64, 128, 256, got '33'" in said(page)


def test_an_axis_of_another_problem_is_said():
    assert "does not run over θ for this problem" in said(open_lab(axis="theta"))
    assert "does not run over" not in said(open_lab(axis="n"))


def test_too_many_outcome_counts_are_said():
    page = open_lab(problem="graded", n="64")
    assert "n = 64 and 4 reward levels cannot be" in said(page)
    assert page.slider(key="_lab_n").value == 64  # the way back
