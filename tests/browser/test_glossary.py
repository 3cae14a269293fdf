"""Terms in a browser: shown on hover, focus and tap, in both themes, and on a page with addresses."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from app.glossary import GLOSSARY
from tests.browser.browser import at_rest

CARD = ".pk-card"


def card_says(page, slug: str) -> None:
    expect(page.locator(CARD)).to_be_visible()
    expect(page.locator(f"{CARD} strong")).to_have_text(GLOSSARY[slug].name)
    box, size = page.locator(CARD).bounding_box(), page.viewport_size
    assert box["x"] >= 0 and box["x"] + box["width"] <= size["width"]
    assert box["y"] >= 0 and box["y"] + box["height"] <= size["height"]


def term(page, slug: str):
    return page.locator(f"[data-testid=stMain] a[href='glossary#{slug}']").first


@pytest.mark.parametrize("dark", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_term_is_explained_under_the_pointer_and_with_the_focus(visit, dark):
    page = visit("/estimators", dark=dark, ready=False)
    page.locator(CARD).wait_for(state="attached")
    at_rest(page)  # the card goes when its term moves away from under the pointer
    term(page, "rho").hover()
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
    page.locator(".stPlotlyChart").first.wait_for()
    at_rest(page)  # the card goes when the page scrolls
    link = term(page, "max-at-k")
    link.scroll_into_view_if_needed()
    at_rest(page)
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
