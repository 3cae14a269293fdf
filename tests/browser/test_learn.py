"""The lessons in a browser: ask, predict, reveal, try; what is drawn is what the library says."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from app.lessons import catalogue
from app.lessons.lesson import Ask, LessonTask
from app.presenter.lesson_notes import LESSON_NOTES
from pkpo.figures.style import LECTURE_SIZE
from tests.browser.test_access import findings
from tests.browser.test_presenter import SMALL


def open_lesson(visit, key: str, **screen) -> Page:
    page = visit(f"/learn?lesson={key}&step=1", ready=False, **screen)
    page.wait_for_selector(f".le[data-ready='{key}-1']")
    return page


def commit(page: Page) -> None:
    page.get_by_role("button", name="That is my answer").click()


@pytest.mark.slow
def test_a_marker_is_set_revealed_kept_and_tried(visit):
    lesson = catalogue.get_lesson("how-bold")
    page = open_lesson(visit, "how-bold")
    scene = page.locator(".le-svg")
    expect(scene.locator("[data-layer='best θ for 8']")).to_have_count(0)  # nothing is told before
    slider = page.get_by_role("slider")
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".le-predict output")).to_have_text("0.665")
    commit(page)
    truth = lesson.asks[0].truth
    expect(page.locator(".le-gap")).to_have_text(f"You 0.665, truth {truth:.3f}.")
    star = scene.locator("[data-layer='best θ for 8']")
    assert float(star.get_attribute("data-x")) == pytest.approx(truth, rel=1e-5)
    expect(scene.locator(".le-ghost")).to_have_count(1)
    page.reload()
    expect(page.locator(".le-gap")).to_have_text(f"You 0.665, truth {truth:.3f}.")
    page.locator(".le h2").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="Try it")).to_be_visible()
    assert "step=3" in page.url
    page.get_by_role("slider").focus()
    for k in range(2, 7):
        expect(page.locator(".le-right")).to_have_count(0)
        page.keyboard.press("ArrowRight")
        drawn = scene.locator("[data-layer='best θ']")
        expect(drawn).to_have_attribute(
            "data-x", f"{float(lesson.task.scene.layers[2].x[k - 1][0]):.6g}"
        )
    expect(page.locator(".le-right")).to_contain_text("Done.")


@pytest.mark.slow
def test_bars_are_dragged_with_the_pointer(visit):
    page = open_lesson(visit, "answers-worth")
    box = page.locator(".le-svg").bounding_box()
    bars = page.locator("rect.le-mine").nth(2).bounding_box()
    page.mouse.move(bars["x"] + bars["width"] / 2, bars["y"] + 5)
    page.mouse.down()
    page.mouse.move(bars["x"] + bars["width"] / 2, box["y"] + 60, steps=4)
    page.mouse.up()
    values = [float(text) for text in page.locator(".le-predict output").all_inner_texts()]
    assert values[:2] == [0.3, 0.3] and values[2] > 0.5
    commit(page)
    apart = sum(
        abs(mine - truth)
        for mine, truth in zip(
            values, catalogue.get_lesson("answers-worth").asks[0].truth, strict=True
        )
    )
    expect(page.locator(".le-gap")).to_have_text(f"You are {apart / 3:.3f} away on average.")
    page.get_by_role("button", name="My answers").click()
    page.wait_for_selector(".le[data-ready='card']")
    truths = page.locator("table tr td:nth-child(3)").all_inner_texts()
    assert sum(text not in ("", "–") for text in truths) == 1  # of the question that was answered


def drawn_bars(page: Page) -> list[float]:
    values = "(bars) => bars.map((bar) => Number(bar.dataset.value))"
    return page.locator(".le-svg rect[data-value]").evaluate_all(values)


def answer(page: Page, ask: Ask) -> None:
    """With keys alone; what is then said and drawn is what the library computed."""
    page.locator(".le h2").focus()
    if ask.question.kind == "choice":
        page.keyboard.press(str(ask.truth + 1))
        page.keyboard.press("Enter")
        expect(page.locator(".le-right")).to_be_visible()
    else:
        page.locator(".le-predict input").first.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        expect(page.locator(".le-gap")).to_be_visible()
    said = ask.explanation.replace("**", "")
    expect(page.locator("[role=status]")).to_contain_text(said)
    bars = [np.ravel(layer.y) for layer in ask.scene.layers if layer.kind == "bars"]
    assert drawn_bars(page) == pytest.approx(np.concatenate([[], *bars]).tolist(), rel=1e-5)


def achieve(page: Page, task: LessonTask) -> None:
    """Move the sliders, with keys, to a place where the task is done."""
    sizes = [len(slider.values) for slider in task.sliders]
    places = np.unravel_index(task.achieved.index(True), sizes)
    for number, place in enumerate(places):
        page.locator(".le-of-task input").nth(number).focus()
        page.keyboard.press("Home")
        for _ in range(int(place)):
            page.keyboard.press("ArrowRight")
    expect(page.locator(".le-right")).to_contain_text("Done.")
    read = {name: texts[task.achieved.index(True)] for name, texts in task.readouts.items()}
    assert page.locator(".le dd").all_inner_texts() == list(read.values())


def walk(page: Page) -> None:
    for number, key in enumerate(catalogue.LESSONS):
        lesson = catalogue.get_lesson(key)
        page.locator(".le-menu button").nth(number).click()
        for place, ask in enumerate(lesson.asks):
            page.wait_for_selector(f".le[data-ready='{key}-{place + 1}']")
            answer(page, ask)
            page.locator(".le h2").focus()
            page.keyboard.press("ArrowRight")
        expect(page.get_by_role("heading", name="Try it")).to_be_visible()
        achieve(page, lesson.task)
        page.locator(".le h2").focus()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("heading", name="To take home")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.locator(".le-menu .le-done")).to_have_count(len(catalogue.LESSONS))


def test_every_lesson_can_be_walked_by_keyboard(visit):
    page = open_lesson(visit, next(iter(catalogue.LESSONS)))
    walk(page)
    page.get_by_role("button", name="My answers").first.click()
    page.wait_for_selector(".le[data-ready='card']")
    asked = sum(len(catalogue.get_lesson(key).asks) for key in catalogue.LESSONS)
    answers = page.locator("table tr td:nth-child(2)").all_inner_texts()
    assert sum(text not in ("", "–") for text in answers) == asked
    kept = json.loads(page.evaluate("localStorage.getItem('pkpo-lessons')"))
    assert len(kept["answers"]) == asked
    page.get_by_role("button", name="Clear my answers").click()
    assert json.loads(page.evaluate("localStorage.getItem('pkpo-lessons')"))["answers"] == {}


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [(1280, 720), (390, 844)])
def test_every_lesson_can_be_walked_on_every_screen(visit, size, dark):
    width, height = size
    walk(open_lesson(visit, next(iter(catalogue.LESSONS)), width=width, height=height, dark=dark))


FITS = """() => {
  const main = document.querySelector('[data-testid=stMain]');
  const parts = ['.le-text', '.le-scene'].map((part) => document.querySelector(part));
  const boxes = parts.map((part) => part.getBoundingClientRect());
  const inside = boxes.every((box) => box.bottom <= innerHeight && box.right <= innerWidth);
  return inside && main.scrollHeight <= main.clientHeight + 1;
}"""


def present(visit, key: str, dark: bool) -> Page:
    """Every step of a lesson on a projector, by the keys of presenter mode."""
    lesson = catalogue.get_lesson(key)
    page = visit(f"/learn?lesson={key}&present=1", 1280, 720, dark, ready=False)
    page.wait_for_selector(f".le[data-ready='{key}-1']")
    page.wait_for_function("document.documentElement.classList.contains('pk-present')")
    expect(page.locator(".le-menu")).to_be_hidden()

    def check() -> None:
        page.wait_for_function(FITS)
        assert page.evaluate(SMALL, LECTURE_SIZE) == []

    for place, ask in enumerate(lesson.asks):
        page.wait_for_selector(f".le[data-ready='{key}-{place + 1}']")
        check()
        if ask.question.kind == "choice":
            page.keyboard.press(str(ask.truth + 1))
            expect(page.locator(".le-predict input").nth(ask.truth)).to_be_checked()
        page.keyboard.press("Space")  # reveals, with an answer or without
        expect(page.locator(".le-told")).to_be_visible()
        check()
        page.keyboard.press("ArrowRight")
    for step in ("Try it", "To take home"):
        expect(page.get_by_role("heading", name=step)).to_be_visible()
        check()
        page.keyboard.press("Space")
    page.wait_for_function(f"!document.querySelector(\".le\").dataset.ready.startsWith('{key}-')")
    return page


def test_a_lesson_is_presented_by_its_keys_and_the_speaker_has_notes(visit):
    page = present(visit, "gradient-noise", False)
    following = list(catalogue.LESSONS)[list(catalogue.LESSONS).index("gradient-noise") + 1]
    asks = catalogue.get_lesson(following).asks
    with page.context.expect_page() as opened:
        page.keyboard.press("n")
    notes = opened.value
    for ask in asks[:2]:
        expect(notes.locator("#ask")).to_have_text(LESSON_NOTES[ask.question.key].ask)
        page.keyboard.press("ArrowRight")
    expect(notes.locator("#wrong")).to_have_text(LESSON_NOTES[f"{following} task"].wrong)
    expect(notes.locator("#where")).to_contain_text(f"{len(asks) + 1} of {len(asks) + 2}")
    page.keyboard.press("ArrowLeft")
    page.locator(".le-predict label").nth(1).click()  # keys count with the focus on a choice, too
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(f".le[data-ready='{following}-1']")
    page.keyboard.press("p")
    expect(page.locator(".le-menu")).to_be_visible()


def test_the_worksheet_is_two_pages_with_a_key_on_the_third(visit):
    learn = open_lesson(visit, "how-bold")
    with learn.context.expect_page() as opened:
        learn.get_by_role("link", name="Worksheet to print").click()
    page = opened.value
    page.wait_for_selector(".ws-key .le-svg")
    assert findings(page) == []
    asks = [lesson.asks[lesson.on_paper] for lesson in map(catalogue.get_lesson, catalogue.LESSONS)]
    assert page.locator(".ws-question").all_inner_texts() == [ask.question.text for ask in asks]
    key = page.locator(".ws-key .ws-item p").all_inner_texts()
    for text, ask in zip(key, asks, strict=True):
        assert text.endswith(ask.explanation.replace("**", ""))
    blank, told = (page.locator(f"{part} [data-layer='best θ for 8']") for part in ("", ".ws-key"))
    assert blank.count() == told.count() == 1
    page.emulate_media(media="print")
    cut = "(parts) => parts.filter((part) => part.scrollHeight > part.clientHeight).length"
    assert page.locator(".ws-item, .ws-page").evaluate_all(cut) == 0
    for paper in ("A4", "Letter"):
        assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format=paper))) == 3


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("key", catalogue.LESSONS)
def test_every_lesson_fits_a_projector(visit, key, dark):
    present(visit, key, dark)
