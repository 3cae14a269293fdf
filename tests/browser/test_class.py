"""A class of three browsers with a host."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import browser as real
from tests.browser.test_access import CUT, findings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def classroom() -> Iterator[str]:
    """The address of an app in classroom mode."""
    options = ("--classroom", "--server.address=127.0.0.1")
    with real.running_app(*options, PKPO_HOST_SECRET="open sesame") as address:
        yield address


@pytest.fixture
def join(classroom, chromium) -> Iterator[Callable[..., Page]]:
    """Open a page in a browser of its own."""
    contexts, wrong = [], []

    def open_page(path: str, width: int = 390, dark: bool = False) -> Page:
        contexts.append(
            chromium.new_context(
                viewport={"width": width, "height": 720},
                color_scheme="dark" if dark else "light",
            )
        )
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(classroom + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not wrong, wrong


@pytest.fixture
def host(join) -> Iterator[Page]:
    """The host's screen, with nothing asked."""
    page = join("/class#host=open%20sesame", width=1280)
    expect(page.locator(".cr-choose select")).to_be_visible()
    act(page, "forget")
    yield page
    act(page, "forget")


def act(page: Page, name: str) -> None:
    page.evaluate("name => globalThis.__pkClass.send('/host', { do: name })", name)


def ask(host: Page, key: str) -> None:
    host.locator(".cr-choose select").select_option(key)
    host.get_by_role("button", name="Ask the class").click()


def choices(phone: Page):
    return phone.locator(".cr-choice button")


def bars(host: Page, place: int) -> list[float]:
    """The heights of a round's bars, in the units of its drawing."""
    marks = host.locator(".cr-rounds figure").nth(place).locator("rect")
    return [float(mark.get_attribute("height")) for mark in marks.all()]


def test_two_rounds_of_a_question(join, host):
    phones = [join("/class", dark=dark) for dark in (False, True, False)]
    for phone in phones:
        expect(phone.get_by_role("heading", name="Look at the screen")).to_be_visible()
    expect(host.locator(".cr-count").first).to_contain_text("here")
    ask(host, "letters-4")
    for phone, place in zip(phones, (0, 0, 3), strict=True):
        choices(phone).nth(place).click()
        expect(choices(phone).nth(place)).to_have_attribute("aria-pressed", "true")
    expect(host.locator(".cr-count").first).to_contain_text("3 answered")
    assert host.locator(".cr-rounds rect").count() == 0  # nobody sees how before the reveal
    phones[0].reload()  # what was answered is still there, and can be changed
    expect(choices(phones[0]).nth(0)).to_have_attribute("aria-pressed", "true")
    choices(phones[0]).nth(1).click()
    expect(phones[0].get_by_role("status")).to_contain_text("Your answer: B")
    expect(host.locator(".cr-count").first).to_contain_text("3 answered")

    host.get_by_role("button", name="Reveal").click()
    first = host.locator(".cr-rounds svg").first
    expect(first).to_have_attribute("aria-label", "A: 1, B: 1, C: 0, D: 1")
    heights = bars(host, 0)
    assert heights[2] == 0 and heights[0] == heights[1] == heights[3] > 0
    for phone in phones:
        expect(choices(phone).first).to_be_disabled()

    host.get_by_role("button", name="Ask again").click()
    for phone in phones:
        expect(choices(phone).first).to_be_enabled()
        expect(phone.locator("[aria-pressed=true]")).to_have_count(0)
        choices(phone).nth(2).click()
    expect(host.locator(".cr-count").first).to_contain_text("3 answered")
    host.get_by_role("button", name="Reveal").click()
    second = host.locator(".cr-rounds svg").nth(1)
    expect(second).to_have_attribute("aria-label", "A: 0, B: 0, C: 3, D: 0")
    expect(first).to_have_attribute("aria-label", "A: 1, B: 1, C: 0, D: 1")
    small, large = bars(host, 0), bars(host, 1)
    assert large[2] == pytest.approx(3 * small[0])  # one scale for both
    for page in (host, phones[1]):
        assert findings(page) == []
        assert page.evaluate(CUT) == []


def test_a_number_by_keyboard(join, host):
    phone = join("/class")
    ask(host, "share")
    slider = phone.get_by_role("slider")
    slider.focus()
    for _ in range(10):
        phone.keyboard.press("ArrowRight")
    phone.keyboard.press("Tab")
    phone.keyboard.press("Enter")
    expect(phone.get_by_role("status")).to_contain_text("Your answer: 0.6.")
    expect(host.locator(".cr-count").first).to_contain_text("1 answered")
    host.get_by_role("button", name="Reveal").click()
    expect(host.locator(".cr-rounds circle")).to_have_count(1)
    expect(host.locator(".cr-rounds")).to_contain_text("median 0.6")


def test_a_page_for_all_and_back_to_the_class(join, host, classroom):
    phone = join("/class")
    host.goto(classroom + "/bandit?n=8")
    host.get_by_role("button", name="Show this page to the class").click()
    expect(host.get_by_role("button", name="Take it off their screens")).to_be_visible()
    phone.get_by_role("link", name="Open the page that is shown").click()
    phone.wait_for_url(re.compile(r"/bandit\?n=8$"))
    phone.wait_for_selector(".pk-player[data-ready]")
    phone.get_by_role("link", name="Back to the class").click()
    phone.wait_for_url(re.compile("/class$"))
    expect(phone.get_by_role("heading", name="Look at this")).to_be_visible()
    host.get_by_role("button", name="Take it off their screens").click()
    expect(phone.get_by_role("heading", name="Look at the screen")).to_be_visible()


def test_a_visitor_cannot_lead(join, host):
    phone = join("/class")
    expect(phone.get_by_role("heading", name="Look at the screen")).to_be_visible()
    assert phone.locator(".cr-host").count() == 0
    refused = phone.evaluate(
        "() => globalThis.__pkClass.send('/host', { do: 'reveal' }).catch((error) => error.problem)"
    )
    assert refused == "only the host may do that"
