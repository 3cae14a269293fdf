"""One server and one browser for all browser tests; a fresh context for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import browser as real

PATIENCE = 60_000  # milliseconds; two cores may be busy with other things
expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items):
    for item in items:
        if "/tests/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def app_data(tmp_path_factory) -> Path:
    """The folder in which the app keeps its runs."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def app_address(app_data) -> Iterator[str]:
    # One worker: the browser that draws what it does needs the other core.
    with real.running_app(PKPO_DATA_DIR=str(app_data), PKPO_WORKERS="1") as address:
        yield address


@pytest.fixture(scope="session")
def chromium():
    with real.browser() as started:
        yield started


@pytest.fixture
def visit(app_address, chromium) -> Iterator[Callable]:
    """Open a path of the app and wait until its picture is drawn.

    After the test, nothing may have been reported on the console, and no request may have left the
    machine.
    """
    contexts, wrong = [], []

    def watch_console(message) -> None:
        # Opened below the root, Streamlit's own client first asks for its health check under the
        # page's path, which is not there, and then finds it at the root.
        probing = "/_stcore/" in message.location.get("url", "")
        unplugged = "ERR_INTERNET_DISCONNECTED" in message.text  # by the test itself
        refused = "400 (Bad Request)" in message.text and "/study?" in message.location.get(
            "url", ""
        )
        if message.type in ("error", "warning") and not (probing or unplugged or refused):
            wrong.append(f"console {message.type}: {message.text}")

    def watch_request(request) -> None:
        if not request.url.startswith((app_address, "blob:", "data:")):
            wrong.append(f"request to {request.url}")

    def open_page(
        path: str, width: int = 1440, height: int = 900, dark: bool = False, ready=True, beside=None
    ):
        """In a browser of its own, or as one more tab beside a page."""
        if beside is None:
            contexts.append(
                chromium.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme="dark" if dark else "light",
                )
            )
        page = (beside.context if beside else contexts[-1]).new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", watch_console)
        page.on("pageerror", lambda error: wrong.append(f"page error: {error}"))
        page.on("request", watch_request)
        page.goto(app_address + path)
        if ready:
            page.wait_for_selector(".pk-player[data-ready]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not wrong, "\n".join(wrong)
