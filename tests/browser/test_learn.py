"""The lessons in a browser: ask, predict, reveal, try; what is drawn is what the library says."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from app.lessons import catalogue


def open_lesson(visit, key: str, **screen) -> Page:
    page = visit(f"/learn?lesson={key}&step=1", ready=False, **screen)
    page.wait_for_selector(f".le[data-ready='{key}-1']")
    return page


def commit(page: Page) -> None:
    page.get_by_role("button", name="That is my answer").click()


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


@pytest.mark.slow
@pytest.mark.parametrize("width, dark", [(1440, False), (390, True)])
def test_every_lesson_can_be_walked_by_keyboard(visit, width, dark):
    page = open_lesson(visit, next(iter(catalogue.LESSONS)), width=width, dark=dark)
    for number, key in enumerate(catalogue.LESSONS):
        lesson = catalogue.get_lesson(key)
        page.locator(".le-menu button").nth(number).click()
        for place, ask in enumerate(lesson.asks):
            page.wait_for_selector(f".le[data-ready='{key}-{place + 1}']")
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
            expect(page.locator("[role=status]")).to_contain_text(
                ask.explanation.replace("**", "")[:40]
            )
            page.locator(".le h2").focus()
            page.keyboard.press("ArrowRight")
        expect(page.get_by_role("heading", name="Try it")).to_be_visible()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("heading", name="To take home")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="My answers").first.click()
    page.wait_for_selector(".le[data-ready='card']")
    asked = sum(len(catalogue.get_lesson(key).asks) for key in catalogue.LESSONS)
    answers = page.locator("table tr td:nth-child(2)").all_inner_texts()
    assert sum(text not in ("", "–") for text in answers) == asked
    kept = json.loads(page.evaluate("localStorage.getItem('pkpo-lessons')"))
    assert len(kept["answers"]) == asked
    page.get_by_role("button", name="Clear my answers").click()
    assert json.loads(page.evaluate("localStorage.getItem('pkpo-lessons')"))["answers"] == {}
