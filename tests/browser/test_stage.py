"""What a screen holds of the toy problem and the bandit, without scrolling, and what a link restores."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.browser import at_rest

PATHS = ("/toy-problem", "/bandit")
SCREENS = {"laptop": (1280, 720), "phone": (390, 844)}


def box(page, selector: str) -> dict[str, float]:
    found = page.locator(selector).bounding_box()
    return found | {"right": found["x"] + found["width"], "bottom": found["y"] + found["height"]}


def wait_for_the_page(page) -> None:
    """Examples and the settings at the side come after the picture."""
    page.wait_for_selector(".st-key-preset button")
    at_rest(page)  # charts follow their boxes


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("path", PATHS)
def test_stage_axis_and_transport_are_in_view(visit, path, screen):
    width, height = SCREENS[screen]
    page = visit(path, width=width, height=height)
    wait_for_the_page(page)
    question = box(page, ".stMain h2")
    stage = box(page, "[data-chart=stage] .pk-box")
    axis = box(page, "[data-chart=stage] .xtitle")
    play, slider = box(page, ".pk-play"), box(page, ".pk-scrub input")
    controls = box(page, ".pk-controls")
    assert 0 < question["y"] < stage["y"] < axis["bottom"] <= play["y"]
    assert max(play["bottom"], slider["bottom"]) <= height
    assert max(play["bottom"], slider["bottom"]) < controls["y"]
    assert stage["height"] >= 220 and stage["right"] <= width
    if screen == "laptop":
        assert box(page, ".pk-knob-k")["y"] < height
        explain_stands_beside_the_stage(page, width, height)


def explain_stands_beside_the_stage(page, width: int, height: int) -> None:
    page.click("[data-do=explain]")
    expect(page.locator(".pk-walk")).to_be_visible()
    page.wait_for_function(
        """() => [...document.querySelectorAll('[data-chart=stage] .pk-plot')].every(plot =>
          Math.abs(plot.clientWidth - plot._fullLayout.width) <= 1)"""
    )
    stage, words = box(page, "[data-chart=stage]"), box(page, ".pk-walk")
    assert words["x"] >= stage["right"] and words["right"] <= width
    assert words["y"] == pytest.approx(stage["y"], abs=1)
    for part in ("[data-chart=stage] .xtitle", ".pk-walk", ".pk-play"):
        assert box(page, part)["bottom"] <= height, part
