"""The picture as it is has an address of its own, and a code for phones."""

import re

import pytest
from playwright.sync_api import expect

from app.links import qr_code


@pytest.mark.parametrize("path", ["/toy-problem", pytest.param("/bandit", marks=pytest.mark.slow)])
def test_an_address_holds_play_head_run_and_step(visit, path):
    page = visit(f"{path}?compare=schedule+1+8&update=40&run=1&explain=3")
    player = page.locator(".pk-player")
    expect(player).to_have_attribute("data-frame", "40")
    expect(page.locator(".pk-explain")).to_have_attribute("aria-pressed", "true")
    chosen = page.locator(".pk-settings button[aria-pressed=true]")
    expect(chosen).to_contain_text("k = 1")
    said = page.locator(".pk-say").inner_text()
    page.locator(".pk-explain").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("location.search.includes('explain=4')")
    assert page.locator(".pk-say").inner_text() != said
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("location.search.includes('explain=3')")
    assert page.locator(".pk-say").inner_text() == said
    page.locator(".pk-explain").click()
    page.locator(".pk-settings button").nth(1).click()
    page.wait_for_function("!/explain|run/.test(location.search)")
    assert "update=40" in page.url and "compare=schedule" in page.url
    page.locator(".pk-scrub input").press("End")
    page.wait_for_function("!location.search.includes('update')")
    page.locator("[data-do=rewind]").click()
    page.wait_for_function("location.search.includes('update=0')")
    page.reload()
    expect(player).to_have_attribute("data-frame", "0")
    page.wait_for_function("location.search.includes('update=0')")


def test_copy_link_gives_the_address_and_its_code(visit):
    page = visit("/toy-problem?update=40")
    page.get_by_role("button", name="Copy link").click()
    card = page.get_by_role("dialog", name="Link to this picture")
    expect(card.get_by_label("Link")).to_have_value(re.compile(r"update=40$"))
    picture = card.get_by_role("img", name="QR code of this link")
    expect(picture).to_have_attribute("src", qr_code(page.url))
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()


@pytest.mark.parametrize("path", ["/toy-problem", pytest.param("/bandit", marks=pytest.mark.slow)])
def test_a_view_in_the_address_is_no_step_back(visit, path):
    """Neither opening a link nor running the page again adds to the history, or forgets the view."""
    plain = visit(path)
    page = visit(f"{path}?update=40")
    wait = "location.search === '?update=40'"
    page.wait_for_function(wait)
    assert page.evaluate("history.length") == plain.evaluate("history.length")
    before = page.evaluate("history.length")
    page.keyboard.press("r")  # Streamlit's own: run again
    page.wait_for_function("document.querySelector('.stApp').dataset.testScriptState === 'running'")
    page.wait_for_function(
        "document.querySelector('.stApp').dataset.testScriptState === 'notRunning'"
    )
    page.wait_for_function(wait)
    assert page.evaluate("history.length") == before
