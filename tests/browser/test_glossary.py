"""Terms in a browser: shown on hover, focus and tap, in both themes, and on a page with addresses."""

from __future__ import annotations

import contextlib

import pytest
from playwright.sync_api import expect

from app.glossary import GLOSSARY

CARD = ".pk-card"


def card_says(page, slug: str) -> None:
    expect(page.locator(CARD)).to_be_visible()
    expect(page.locator(f"{CARD} strong")).to_have_text(GLOSSARY[slug].name)
    box = page.locator(CARD).bounding_box()
    size = page.viewport_size
    assert box["x"] >= 0 and box["x"] + box["width"] <= size["width"]
    assert box["y"] >= 0 and box["y"] + box["height"] <= size["height"]


def term(page, slug: str):
    return page.locator(f"[data-testid=stMain] a[href='glossary#{slug}']").first


def point_at(page, slug: str) -> None:
    """Move the pointer to a term, again where it was there before the page listened."""
    for _ in range(20):
        page.mouse.move(5, 5)
        term(page, slug).hover()
        with contextlib.suppress(AssertionError):
            return expect(page.locator(CARD)).to_be_visible(timeout=2_000)


@pytest.mark.parametrize("dark", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_term_is_explained_under_the_pointer_and_with_the_focus(visit, dark):
    page = visit("/estimators", dark=dark, ready=False)
    point_at(page, "rho")
    card_says(page, "rho")
    page_colour, card_colour = (
        page.evaluate("(s) => getComputedStyle(document.querySelector(s)).backgroundColor", where)
        for where in (".stApp", CARD)
    )
    bright = [
        sum(map(int, c.strip("rgb()").split(",")[:3])) > 382 for c in (page_colour, card_colour)
    ]
    assert bright == [not dark, not dark]
    page.mouse.move(5, 5)
    expect(page.locator(CARD)).to_be_hidden()
    term(page, "rho").focus()
    page.keyboard.press("Tab")
    slug = page.evaluate("document.activeElement.hash.slice(1)")
    card_says(page, slug)
    assert page.evaluate("document.activeElement.getAttribute('aria-describedby')") == "pk-card"
    page.keyboard.press("Escape")
    expect(page.locator(CARD)).to_be_hidden()


@pytest.mark.slow
def test_a_tap_explains_and_a_second_one_leads_to_the_entry(visit):
    page = visit("/variance-lab", width=390, height=844, ready=False)
    link = term(page, "max-at-k")
    link.wait_for()
    # The card goes when the page scrolls, as it does until all charts have their places.
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.locator(".stPlotlyChart .main-svg").first.wait_for(state="attached")
    link.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    pointer = "new PointerEvent('pointerdown', { bubbles: true, pointerType: 'touch' })"
    touch = f"(a) => a.dispatchEvent({pointer})"
    link.evaluate(touch)
    link.evaluate("(a) => a.click()")
    card_says(page, "max-at-k")
    link.evaluate(touch)
    with page.context.expect_page() as opened:
        link.evaluate("(a) => a.click()")
    entry = opened.value
    expect(entry.locator("#max-at-k")).to_be_in_viewport()
    assert entry.url.endswith("/glossary#max-at-k")
