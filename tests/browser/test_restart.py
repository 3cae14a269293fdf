"""The server ends and starts anew under open pages: what is done first after that counts."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from pkpo.runs import Store
from pkpo.training.tasks.bandit import BanditConfig
from tests.browser import browser as real

pytestmark = pytest.mark.slow


def _type(page: Page, label: str, text: str) -> None:
    box = page.get_by_label(label, exact=True)
    box.fill(text)
    box.press("Enter")


def _select_example(page: Page) -> None:
    page.locator(".st-key-preset").get_by_text("Stuck at pass@1").click()


FIRST: dict[str, tuple[str, Callable[[Page], None], str]] = {
    "an example": ("/toy-problem", _select_example, r"\?\w+="),
    "a number": ("/bandit", lambda page: _type(page, "Samples per group, n", "24"), r"[?&]n=24"),
    "another view": (
        "/variance-lab",
        lambda page: page.get_by_role("radio", name="Mix of loo-1 and canonical").click(),
        r"view=dial",
    ),
    "rewards": (
        "/estimators",
        lambda page: _type(page, "Rewards of one group", "1 2 3"),
        r"rewards=1\+2\+3",
    ),
    "a form's number": (
        "/runs?new=bandit",
        lambda page: _type(page, "Samples per group, n", "24"),
        r"[?&]n=24",
    ),
    "Start": (
        "/runs?new=bandit&n=12&steps=50",
        lambda page: _press(page, "Start"),
        r"[?&]run=",
    ),
}
"""What is done first -> the page, how, and what the address then holds."""


def _press(page: Page, name: str) -> None:
    main = page.get_by_test_id("stMainBlockContainer")
    main.get_by_role("button", name=name, exact=True).click()


@pytest.fixture(scope="module")
def restarted(chromium, tmp_path_factory):
    """Pages that were open when the server ended, by what is to be done there first."""
    data = tmp_path_factory.mktemp("restarted")
    port = real.free_port()
    store = Store(data)
    run = store.submit(BanditConfig(steps=5))
    store.stop(run)
    store.close()
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(30_000)
    pages = {}
    with real.running_app(port=port, PKPO_DATA_DIR=str(data)) as address:
        for name, (path, _, _) in (FIRST | {"Delete": (f"/runs?run={run}", None, "")}).items():
            pages[name] = context.new_page()
            pages[name].goto(address + path)
            connected(pages[name])
    with real.running_app(port=port, PKPO_DATA_DIR=str(data)):
        yield pages
    context.close()


def connected(page: Page) -> None:
    page.wait_for_selector(
        "[data-test-connection-state=CONNECTED][data-test-script-state=notRunning]"
        " [data-testid=stMainBlockContainer] .stElementContainer",
        state="attached",
    )


@pytest.mark.parametrize("name", FIRST)
def test_the_first_change_after_a_restart_counts(restarted, name):
    _, act, wanted = FIRST[name]
    page = restarted[name]
    page.bring_to_front()
    act(page)
    page.wait_for_url(re.compile(wanted))


def test_a_run_is_deleted_by_the_first_click_after_a_restart(restarted):
    page = restarted["Delete"]
    page.bring_to_front()
    _press(page, "Delete")
    expect(page.get_by_role("button", name="Delete for good")).to_be_visible()
