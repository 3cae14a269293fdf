"""Presenter mode without a browser: notes for every page and example, and the type of figures."""

from __future__ import annotations

import json
import re

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.lessons import catalogue
from app.page_registry import PAGES
from app.presenter.lesson_notes import LESSON_NOTES
from app.presenter.notes import DRAG_STEP, PAID_STEP, PRESENTER_NOTES
from app.presenter.notes_window import NOTES_PATH, notes_routes
from app.presets import BANDIT_PRESETS, HILL_PRESETS
from pkpo.analysis import choose_k
from pkpo.figures import k_choice
from pkpo.figures.style import LECTURE_FACTOR, LECTURE_SIZE, enlarge_type
from tests.pages import open_page

LED_OTHERWISE = {"classroom"}
"""Pages that are no lecture themselves."""


def test_every_page_and_every_example_has_a_note():
    pages = {
        about.get("url_path", "") for name, about in PAGES.items() if name not in LED_OTHERWISE
    }
    assert pages <= set(PRESENTER_NOTES)
    for page, presets in (("toy-problem", HILL_PRESETS), ("bandit", BANDIT_PRESETS)):
        steps = {"", PAID_STEP, DRAG_STEP, *(preset.name for preset in presets)}
        assert set(PRESENTER_NOTES[page]) == steps


def test_every_step_of_every_lesson_has_a_note_of_its_own():
    lessons = [catalogue.get_lesson(key) for key in catalogue.LESSONS]
    asked = {ask.question.key for lesson in lessons for ask in lesson.asks}
    later = {f"{key} {step}" for key in catalogue.LESSONS for step in ("task", "end")}
    assert set(LESSON_NOTES) == asked | later | {catalogue.ANSWERS_CARD}
    assert len({note.ask for note in LESSON_NOTES.values()}) == len(LESSON_NOTES)


@pytest.mark.parametrize("page", PRESENTER_NOTES)
def test_a_note_asks_one_thing_in_a_sentence(page):
    for note in PRESENTER_NOTES[page].values():
        assert note.ask.count("?") == 1 and note.ask.endswith("?")
        assert len(note.ask.split()) <= 25 and len(note.wrong.split()) <= 25


def test_the_speakers_window_holds_every_note():
    with TestClient(Starlette(routes=notes_routes())) as client:
        html = client.get(f"/{NOTES_PATH}").text
    notes = json.loads(re.search(r"const notes = (.*);", html)[1])
    assert {page: set(steps) for page, steps in notes.items()} == {
        page: set(steps) for page, steps in PRESENTER_NOTES.items()
    }
    note = PRESENTER_NOTES["bandit"]["Rare jackpot"]
    assert notes["bandit"]["Rare jackpot"] == {"ask": note.ask, "wrong": note.wrong}


def test_figures_get_the_type_of_a_lecture_hall_and_stay_as_they_were():
    plain = k_choice.plot_gain(choose_k([0.3, 0.05], 8, 8))
    before = plain.to_json()
    large = enlarge_type(plain)
    assert plain.to_json() == before
    assert large.layout.font.size == max(
        LECTURE_SIZE, round(LECTURE_FACTOR * plain.layout.font.size)
    )
    sizes = [int(size) for size in re.findall(r'font":\{[^{}]*"size":(\d+)', large.to_json())]
    assert sizes and min(sizes) >= LECTURE_SIZE
    assert large.layout.margin.l > plain.layout.margin.l
    assert large.to_dict()["data"] == plain.to_dict()["data"]


def test_the_address_turns_it_on_and_is_then_the_pages_own():
    page = open_page("toy_problem", present="1", n="32")
    assert page.query_params == {"n": "32"}
    assert not page.warning
    page = open_page("estimators", present="maybe")
    assert "'present' is not a setting" in page.warning[0].value.replace("\\", "")
