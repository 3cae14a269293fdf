"""The lessons as data: truths against the script's numbers, words, links, addresses."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.classroom.questions import check_answer
from app.glossary import GLOSSARY
from app.lessons import catalogue
from app.lessons.lesson import pack_lesson
from app.lessons.worksheet import worksheet_routes
from app.page_registry import PAGES
from pkpo.analysis.solve_rates import pass_at_k_of_rates
from tests.browser.browser import ROOT
from tests.pages import open_page
from toy_envs.gaussian_hill import chance_of_nothing

LESSONS = [catalogue.get_lesson(key) for key in catalogue.LESSONS]
ASKS = {ask.question.key: ask for lesson in LESSONS for ask in lesson.asks}
WORDS_ON_A_SCREEN = 90
LONGEST_UPRIGHT = 24  # characters


def lessons(test):
    return pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.key)(test)


def test_truths_are_those_that_were_computed_by_hand_for_the_script():
    truths = {key: ask.truth for key, ask in ASKS.items()}
    assert truths["one-try-1"] == 1 and truths["one-try-8"] == 0
    assert truths["one-try-estimate"] == pytest.approx(0.9, abs=1e-12)
    assert truths["how-bold-marker"] == pytest.approx(0.969, abs=5e-4)
    assert truths["how-bold-single"] == pytest.approx(0.515, abs=5e-4)
    assert truths["answers-worth-three"] == pytest.approx((0, 0.1, 11 / 30), abs=1e-12)
    assert truths["answers-worth-k"] == pytest.approx((3 / 28, 3 / 14, 2 / 7, 0), abs=1e-12)
    assert truths["answers-worth-baseline"] == 2
    assert truths["gradient-noise-clouds"] == 2 and truths["gradient-noise-binary"] == 1
    assert truths["gradient-noise-variances"] == pytest.approx((3.46, 1.91, 0.83), rel=0.05)
    assert truths["samples-for-k-paths"] == 2 and truths["samples-for-k-budget"] == 1
    assert truths["wrong-goal-single"] == 2 and truths["wrong-goal-luck"] == 1
    assert truths["wrong-goal-cosine"] == pytest.approx(-0.93, abs=0.005)
    assert truths["explore-settle-curve"][-1] == pytest.approx(0.99, abs=0.005)
    assert truths["explore-settle-reverse"] == 2
    assert truths["on-language-one"][::4] == pytest.approx((0.742, 0.932), abs=5e-4)
    assert truths["on-language-eight"][::4] == pytest.approx((0.620, 0.959), abs=5e-4)
    assert truths["on-language-hard"] == 2


def test_the_smallest_k_that_falls_a_third_of_the_time_is_six():
    task = catalogue.get_lesson("how-bold").task
    assert [k for k, done in zip(task.sliders[0].values, task.achieved, strict=True) if done] == [
        "6"
    ]
    assert task.readouts["falls"][5] == "33.6%"


def test_half_of_the_signal_needs_half_of_the_samples_and_n_of_k_has_hardly_any():
    task = catalogue.get_lesson("samples-for-k").task
    assert task.sliders[0].values[task.achieved.index(True)] == "33"
    assert task.readouts["of that of n = 64"][0] == "4%"


def test_prompts_with_enough_of_their_own_pay_nothing_for_the_best_of_eight():
    task = catalogue.get_lesson("wrong-goal").task
    assert task.sliders[0].values[task.achieved.index(True)] == "70%"
    assert task.readouts["a single try at update 150"][-1] == "0.493"
    assert task.readouts["best of 8 at the end"][-1] == "0.894"


@lessons
def test_a_lesson_is_plain_data(lesson):
    packed = pack_lesson(lesson)
    assert json.loads(json.dumps(packed, allow_nan=False))["key"] == packed["key"]


@lessons
def test_terms_of_the_glossary_are_linked_and_nothing_else_is_marked_up(lesson):
    packed = pack_lesson(lesson)
    texts = [ask[name] for ask in packed["asks"] for name in ("lead", "explanation")]
    texts += [packed["idea"], packed["task"]["text"], packed["task"]["done"]]
    slugs = re.findall(r"\]\(glossary#([a-z0-9-]+)\)", " ".join(texts))
    assert slugs and set(slugs) <= set(GLOSSARY)
    for text in texts:
        plain = re.sub(r"\[[^\]]*\]\(glossary#[a-z0-9-]+\)", "", text)
        assert not set(plain) & set("[]`$") and plain.count("**") % 2 == 0


@lessons
def test_truths_can_be_answered(lesson):
    for ask in lesson.asks:
        assert check_answer(ask.question, ask.truth) == ask.truth
        if ask.question.kind in ("curve", "bars"):
            assert len(ask.at) == ask.question.count


@lessons
def test_a_task_can_be_achieved_but_is_not_at_its_beginning(lesson):
    task = lesson.task
    assert len(task.achieved) == task.places and any(task.achieved)
    assert all(len(texts) == task.places for texts in task.readouts.values())
    start = 0
    for slider in task.sliders:
        start = start * len(slider.values) + slider.start
    assert not task.achieved[start]
    for layer in task.scene.layers:
        for values in (layer.x, layer.y, layer.top):
            assert np.ndim(values) < 2 or len(values) == task.places


@lessons
def test_no_screen_has_more_words_than_one_reads(lesson):
    for ask in lesson.asks:
        asked = f"{lesson.idea} {ask.lead} {ask.question.text}"
        assert len(asked.split()) <= WORDS_ON_A_SCREEN
        said = max(ask.mistaken.values(), key=len, default="")
        assert len(f"{said} {ask.explanation}".split()) <= WORDS_ON_A_SCREEN
        assert len(re.findall(r"[.?!](?:\s|$)", ask.explanation)) <= 3
    assert len(lesson.task.text.split()) <= WORDS_ON_A_SCREEN


@lessons
def test_choices_that_are_wrong_are_answered(lesson):
    for ask in lesson.asks:
        if ask.question.kind == "choice":
            wrong = {str(i) for i in range(len(ask.question.choices)) if i != ask.truth}
        else:
            wrong = {"below", "above"}
        assert set(ask.mistaken) == wrong


@lessons
def test_the_link_to_the_full_page_is_understood_there(lesson):
    address = urlsplit(pack_lesson(lesson)["explore"])
    (name,) = (name for name, about in PAGES.items() if about.get("url_path") == address.path)
    page = open_page(name, **dict(parse_qsl(address.query)))
    assert not page.warning


@lessons
def test_titles_of_upright_axes_have_room_on_a_phone(lesson):
    scenes = [lesson.task.scene, *(ask.scene for ask in lesson.asks)]
    assert max(len(scene.y.title) for scene in scenes) <= LONGEST_UPRIGHT


def test_only_who_knows_every_problem_overtakes_the_steady_model():
    achieved = catalogue.get_lesson("one-try").task.achieved
    assert achieved.index(True) == len(achieved) - 1


def test_the_worksheet_asks_one_question_of_every_lesson():
    with TestClient(Starlette(routes=worksheet_routes())) as client:
        html = client.get(f"/{catalogue.WORKSHEET_PATH}").text
    sheet = json.loads(re.search(r'id="sheet">(.*)</script>', html)[1])
    assert [item["question"]["key"] for item in sheet] == [
        lesson.asks[lesson.on_paper].question.key for lesson in LESSONS
    ]
    assert [item["title"] for item in sheet] == [title for title, _ in catalogue.LESSONS.values()]
    assert "{{" not in html and "http" not in re.sub(r"http://www\.w3\.org/\S+", "", html)


def test_the_readme_counts_the_lessons():
    count = dict(enumerate("no one two three four five six seven eight nine".split()))[len(LESSONS)]
    assert f"**Learn**: {count} lessons" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_keys_of_questions_differ():
    assert len(ASKS) == sum(len(lesson.asks) for lesson in LESSONS)


@pytest.mark.parametrize("address", [{"lesson": "none"}, {"step": "0"}, {"step": "x"}, {"k": "1"}])
def test_nonsense_in_the_address_is_named(address):
    page = open_page("learn", **address)
    assert "could be used" in page.warning[0].value


@pytest.mark.parametrize("lesson", [*catalogue.LESSONS, catalogue.ANSWERS_CARD])
def test_every_lesson_has_an_address(lesson):
    assert not open_page("learn", lesson=lesson, step="2").warning


def test_pass_at_k_of_known_rates():
    rates = np.array([0.3, 0.0, 1.0, 1e-9])
    expected = [np.mean(1 - (1 - rates) ** k) for k in (1, 2, 8)]
    assert pass_at_k_of_rates(rates, (1, 2, 8)) == pytest.approx(expected, rel=1e-12)
    for bad in ([], [1.1], [-0.1], [np.nan], 0.5):
        with pytest.raises(ValueError, match="rates must be"):
            pass_at_k_of_rates(bad, (1,))


def test_the_chance_to_earn_nothing_is_that_of_samples():
    rng = np.random.default_rng(0)
    theta = np.array([0.0, 0.9, 1.2])
    x = theta + 0.1 * rng.standard_normal((100_000, 3))
    chance = chance_of_nothing(theta)
    error = np.sqrt(chance * (1 - chance) / len(x))
    assert (abs(((x < 0) | (x > 1)).mean(axis=0) - chance) <= 4 * error + 1e-12).all()
