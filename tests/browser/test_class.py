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
    return phone.get_by_role("radio")


def bars(host: Page, place: int) -> list[float]:
    """How long a round's bars are, in percent of their place."""
    shares = host.locator(".cr-rounds figure").nth(place).locator(".cr-share")
    return [
        float(share.evaluate("bar => bar.style.width.replace('%', '')")) for share in shares.all()
    ]


@pytest.mark.slow
def test_two_rounds_of_a_question(join, host):
    phones = [join("/class", dark=dark) for dark in (False, True, False)]
    for phone in phones:
        expect(phone.get_by_role("heading", name="Look at the screen")).to_be_visible()
    expect(host.locator(".cr-count").first).to_contain_text("here")
    ask(host, "letters-4")
    for phone, place in zip(phones, (0, 0, 3), strict=True):
        choices(phone).nth(place).check()
        expect(phone.locator(".cr-said")).to_contain_text("Your answer")
    expect(host.locator(".cr-count").first).to_contain_text("3 answered")
    assert host.locator(".cr-share").count() == 0  # nobody sees how before the reveal
    phones[0].reload()  # what was answered is still there, and can be changed
    expect(choices(phones[0]).nth(0)).to_be_checked()
    choices(phones[0]).nth(1).check()
    expect(phones[0].locator(".cr-said")).to_contain_text("Your answer: B")
    expect(host.locator(".cr-count").first).to_contain_text("3 answered")

    host.get_by_role("button", name="Reveal").click()
    first = host.locator(".cr-shares").first
    expect(first).to_have_attribute("aria-label", "A: 1, B: 1, C: 0, D: 1")
    heights = bars(host, 0)
    assert heights[2] == 0 and heights[0] == heights[1] == heights[3] > 0
    for phone in phones:
        expect(choices(phone).first).to_be_disabled()

    host.get_by_role("button", name="Ask again").click()
    for phone in phones:
        expect(choices(phone).first).to_be_enabled()
        expect(phone.locator(":checked")).to_have_count(0)
        choices(phone).nth(2).check()
    expect(host.locator(".cr-count").first).to_contain_text("3 answered")
    host.get_by_role("button", name="Reveal").click()
    second = host.locator(".cr-shares").nth(1)
    expect(second).to_have_attribute("aria-label", "A: 0, B: 0, C: 3, D: 0")
    expect(first).to_have_attribute("aria-label", "A: 1, B: 1, C: 0, D: 1")
    small, large = bars(host, 0), bars(host, 1)
    assert large[2] == pytest.approx(3 * small[0], abs=0.01)  # one scale for both
    for page in (host, phones[1]):
        assert findings(page) == []
        assert page.evaluate(CUT) == []


@pytest.mark.slow
def test_a_number_by_keyboard(join, host):
    phone = join("/class")
    ask(host, "share")
    slider = phone.get_by_role("slider")
    slider.focus()
    for _ in range(10):
        phone.keyboard.press("ArrowRight")
    phone.keyboard.press("Tab")
    phone.keyboard.press("Enter")
    expect(phone.locator(".cr-said")).to_contain_text("Your answer: 0.60.")
    expect(host.locator(".cr-count").first).to_contain_text("1 answered")
    host.get_by_role("button", name="Reveal").click()
    expect(host.locator(".cr-rounds circle")).to_have_count(1)
    expect(host.locator(".cr-rounds")).to_contain_text("median 0.6")


def test_a_lesson_with_two_rounds(join, host, classroom):
    """The host presents a lesson; two phones answer what is on the screen, a third one roams."""
    phones = [join("/class", dark=dark) for dark in (False, True)]
    roaming = join("/bandit")
    host.goto(classroom + "/learn?lesson=how-bold")
    lead = host.get_by_role("region", name="Class", exact=True)
    answers = lead.get_by_role("group", name="Answers of the class")
    lead.get_by_role("checkbox", name="Phones show this question").check()
    expect(
        roaming.get_by_role("link", name="A question for you: back to the class")
    ).to_be_visible()
    marked = []
    for phone, keys in zip(phones, (3, 12), strict=True):
        slider = phone.get_by_role("slider")
        slider.focus()
        for _ in range(keys):
            phone.keyboard.press("ArrowRight")
        marked.append(float(slider.input_value()))
        phone.get_by_role("button", name="Send").click()
        expect(phone.locator(".cr-said")).to_contain_text(f"Your answer: {marked[-1]:.3f}")
    roaming.get_by_role("link", name="A question for you: back to the class").click()
    chart = roaming.locator(".le-svg")
    box = chart.bounding_box()
    roaming.mouse.click(box["x"] + 0.6 * box["width"], box["y"] + 0.5 * box["height"])
    roaming.get_by_role("button", name="Send").click()
    expect(lead.get_by_role("status")).to_contain_text("3 answered")
    expect(answers).to_be_hidden()
    lead.get_by_role("button", name="Reveal").click()
    expect(answers.locator("circle")).to_have_count(3)
    middle = sorted([*marked, float(roaming.get_by_role("slider").input_value())])[1]
    expect(answers).to_contain_text(f"median {middle:.3f}")
    expect(phones[0].get_by_role("slider")).to_be_disabled()

    lead.get_by_role("button", name="Ask again").click()
    expect(phones[0].get_by_role("slider")).to_be_enabled()
    phones[0].get_by_role("button", name="Send").click()
    expect(lead.get_by_role("status")).to_contain_text("1 answered")
    host.get_by_role("button", name="Show me").click()  # in sight of the truth, the round is over
    expect(phones[0].get_by_role("slider")).to_be_disabled()
    expect(answers.locator("figure")).to_have_count(2)
    expect(answers.locator("circle")).to_have_count(4)
    for page in (host, *phones):
        assert findings(page) == []
        assert page.evaluate(CUT) == []

    host.get_by_role("button", name="Next").click()
    expect(phones[0].get_by_role("heading", name="What does a single attempt")).to_be_visible()
    host.goto(classroom + "/learn?lesson=explore-settle")  # a reload goes on leading
    expect(phones[1].get_by_role("slider")).to_have_count(6)
    phones[1].get_by_role("button", name="Send").click()
    lead.get_by_role("button", name="Reveal").click()
    expect(answers.get_by_text("median of the class")).to_be_visible()


def test_what_the_host_rehearsed_is_asked_anew(join, host, classroom):
    phone = join("/class")
    host.goto(classroom + "/learn?lesson=how-bold")
    host.get_by_role("button", name="Show me").click()
    expect(host.get_by_role("button", name="Answer again")).to_be_visible()
    lead = host.get_by_role("region", name="Class", exact=True)
    lead.get_by_role("checkbox", name="Phones show this question").check()
    expect(host.get_by_role("button", name="Show me")).to_be_visible()  # nothing is told
    phone.get_by_role("button", name="Send").click()
    expect(lead.get_by_role("status")).to_contain_text("1 answered")
    sent = []
    host.on("request", lambda request: sent.append(request.post_data or ""))
    host.reload()
    expect(host.get_by_role("button", name="Show me")).to_be_visible()
    expect(lead.get_by_role("status")).to_contain_text("1 answered")
    expect(phone.get_by_role("slider")).to_be_enabled()
    host.locator(".le").evaluate(  # as it is until the lesson is drawn
        """async lesson => {
          const { asked } = lesson.dataset;
          lesson.removeAttribute("data-asked");
          await new Promise(drawn => setTimeout(drawn, 500));
          lesson.dataset.asked = asked;
        }"""
    )
    expect(phone.get_by_role("slider")).to_be_enabled()
    assert [told for told in sent if '"do"' in told] == []  # neither put away nor asked again
    host.get_by_role("button", name="Show me").click()
    expect(phone.get_by_role("slider")).to_be_disabled()
    host.reload()  # what was told to the class stays told
    expect(host.get_by_role("button", name="Answer again")).to_be_visible()


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
