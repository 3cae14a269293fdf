"""Presenter mode in a browser: fits a projector, large type, keys, the speaker's window, and back."""

from __future__ import annotations

from playwright.sync_api import expect

from app.presenter.notes import DRAG_STEP, PAID_STEP, PRESENTER_NOTES
from pkpo.figures.style import LECTURE_SIZE

SMALL = """(least) => [...document.querySelectorAll('body *')].filter((node) => {
  const own = [...node.childNodes].some((part) => part.nodeType === 3 && part.textContent.trim());
  const aside = node.closest('.pk-hidden, style, script, math, [aria-hidden=true]');
  if (!own || aside || !node.getClientRects()[0]?.width) return false;
  const { visibility, fontSize } = getComputedStyle(node);
  return visibility === 'visible' && parseFloat(fontSize) < least;
}).map((node) => `${node.tagName} ${node.className} ${node.textContent.slice(0, 40)}`)"""
FITS = """() => {
  const main = document.querySelector('[data-testid=stMain]');
  const box = document.querySelector('.pk-player').getBoundingClientRect();
  const inside = box.bottom <= innerHeight && box.right <= innerWidth;
  return inside && main.scrollHeight <= main.clientHeight + 1;
}"""


def settle(page) -> None:
    page.wait_for_function("document.documentElement.classList.contains('pk-present')")
    page.wait_for_function(
        "document.querySelector('.stApp').dataset.testScriptState === 'notRunning'"
    )
    page.wait_for_function(FITS)


def present(visit, path: str):
    """A page in presenter mode: stage and words fit a projector in large type."""
    page = visit(f"{path}?present=1", width=1280, height=720)
    settle(page)
    assert page.evaluate(SMALL, LECTURE_SIZE) == []
    for part in ("stHeader", "stSidebar"):
        expect(page.get_by_test_id(part)).to_be_hidden()
    stage = page.locator("[data-chart=stage] .pk-box").bounding_box()
    assert stage["height"] >= 200
    return page


def test_the_bandit_fits_a_projector(visit):
    present(visit, "/bandit")


def test_every_key_does_what_the_list_says_and_leaving_leads_back(visit):
    page = visit("/toy-problem?compare=schedule+1+8", width=1280, height=720)
    before = page.url
    player = page.locator(".pk-player")
    page.keyboard.press("p")
    settle(page)
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(player).to_have_attribute("data-frame", "1")
    page.locator(".pk-explain").focus()  # keys count wherever the focus is
    page.keyboard.press("ArrowRight")
    expect(player).to_have_attribute("data-frame", "2")
    page.keyboard.press("e")
    expect(page.locator(".pk-phase")).to_be_visible()
    page.wait_for_function(FITS)
    page.keyboard.press("e")
    expect(page.locator(".pk-controls")).to_be_hidden()
    page.keyboard.press("c")
    expect(page.locator(".pk-controls")).to_be_visible()
    page.wait_for_function(FITS)
    page.keyboard.press("c")
    page.keyboard.press("b")
    expect(page.locator(".pk-blank")).to_be_visible()
    page.keyboard.press("b")
    expect(page.locator(".pk-cover")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.locator(".pk-keys")).to_contain_text("leave presenter mode")
    page.keyboard.press("Escape")
    expect(page.locator(".pk-cover")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("stHeader")).to_be_visible()
    expect(page).to_have_url(f"{before}&update=2")  # the play head is part of the address
    expect(player).to_have_attribute("data-frame", "2")


def test_typing_in_a_field_is_typing(visit):
    page = visit("/which-k", width=1280, height=720, ready=False)
    field = page.get_by_role("textbox", name="Your own: a pass rate for each problem")
    field.click()
    page.keyboard.type("p")
    expect(page.get_by_test_id("stHeader")).to_be_visible()
    assert "p" in field.input_value()


def test_the_speakers_window_follows_and_the_mode_outlives_a_reload(visit):
    page = present(visit, "/toy-problem")
    with page.context.expect_page() as opened:
        page.keyboard.press("n")
    notes = opened.value
    expect(notes.locator("#ask")).to_have_text(
        PRESENTER_NOTES["toy-problem"]["Paper, Figure 1"].ask
    )
    page.keyboard.press("2")
    chosen = PRESENTER_NOTES["toy-problem"]["Risk seeking pays"]
    expect(notes.locator("#ask")).to_have_text(chosen.ask)
    expect(notes.locator("#wrong")).to_have_text(chosen.wrong)
    page.evaluate("document.querySelector('.pk-paid').open = true")
    expect(notes.locator("#ask")).to_have_text(PRESENTER_NOTES["toy-problem"][PAID_STEP].ask)
    page.evaluate("document.querySelector('.pk-paid').open = false")
    expect(notes.locator("#ask")).to_have_text(chosen.ask)
    page.evaluate("document.querySelector('[data-world]').click()")
    expect(notes.locator("#ask")).to_have_text(PRESENTER_NOTES["toy-problem"][DRAG_STEP].ask)
    page.evaluate("document.querySelector('[data-world]').click()")
    page.reload()
    page.wait_for_selector(".pk-player[data-ready]")
    settle(page)
