"""A real browser and a real server for tests, and for looking at pages."""

from __future__ import annotations

import functools
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from pkpo.figures.browsers import candidates

ROOT = Path(__file__).resolve().parents[2]
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Asks this machine itself, whatever http_proxy says."""


@functools.cache
def executable() -> str | None:
    """The Chromium or Chrome on this machine that works, or that PKPO_BROWSER names.

    None where there is none but playwright's own.
    """
    found = candidates("PKPO_BROWSER")
    return found[0] if os.environ.get("PKPO_BROWSER") else next(filter(_works, found), None)


def _works(path: str) -> bool:
    command = [path, "--headless", *FLAGS, "--dump-dom", "data:text/html,<p>ready</p>"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return "<p>ready</p>" in said.stdout


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextmanager
def running_app(*options: str, port: int | None = None, **environment: str):
    """The app as `make app` starts it, on a port of its own unless one is given; yields its address.

    Its runs are kept in a folder of its own unless PKPO_DATA_DIR is given.
    """
    port = port or free_port()
    command = [sys.executable, "-m", "app", *options, "--server.port", str(port)]
    with serving(command, port, **environment) as address:
        yield address


@contextmanager
def running_streamlit(script: Path):
    """A script of Streamlit's own, for scale; yields its address."""
    port = free_port()
    options = ["--server.port", str(port), "--server.headless", "true"]
    command = [sys.executable, "-m", "streamlit", "run", str(script), *options]
    with serving(command, port) as address:
        yield address


@contextmanager
def serving(command: list[str], port: int, where: Path = ROOT, **environment: str):
    """What a command serves there, once it answers; yields its address."""
    with tempfile.TemporaryDirectory(prefix="pkpo-") as folder:
        process = subprocess.Popen(
            command,
            cwd=where,
            env=os.environ | {"PKPO_DATA_DIR": folder} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        yield from _until_it_ends(process, port)


def _until_it_ends(process: subprocess.Popen, port: int):
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(900):
            try:
                DIRECTLY.open(f"{address}/_stcore/health", timeout=1)
                break
            except OSError:
                if process.poll() is not None:
                    raise RuntimeError(f"the app ended at once:\n{process.stdout.read()}") from None
                time.sleep(0.1)
        else:
            raise RuntimeError("the app did not answer within 90 seconds")
        yield address
    finally:
        process.terminate()
        process.wait(10)


def server_memory(address: str) -> float:
    """Resident memory of the app that listens there, in MB."""
    listed = subprocess.run(["ps", "-eo", "rss=,args="], capture_output=True, text=True).stdout
    port = f"--server.port {urlsplit(address).port}"
    return sum(int(line.split()[0]) for line in listed.splitlines() if port in line) / 1024


@contextmanager
def browser():
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable(), args=list(FLAGS))
        try:
            yield chromium
        finally:
            chromium.close()


AT_REST = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  const all = (selector, holds) => [...document.querySelectorAll(selector)].every(holds);
  const drawn = app?.dataset.testScriptState === 'notRunning'
    && document.querySelector('[data-testid=stMain] :is(h1, h2)')
    && !document.querySelector('[data-testid=stSkeleton]')
    && all('.pk-player', (player) => player.dataset.ready)
    && all('.js-plotly-plot', (plot) => plot.querySelector('.main-svg'));
  const main = document.querySelector('[data-testid=stMain]');
  const place = drawn && `${main.scrollHeight} ${main.scrollTop}`;
  if (place !== window.placeAtRest) {
    window.placeAtRest = place;
    window.restsSince = performance.now();
  }
  return drawn && performance.now() - window.restsSince > 500;
}"""


def at_rest(page) -> None:
    """Wait until all of the page is drawn, and nothing has moved for half a second."""
    page.wait_for_function(AT_REST)


def scrub(page, update: int) -> None:
    """Move the player's head."""
    page.evaluate(
        """(value) => {
          const slider = document.querySelector('.pk-scrub input');
          slider.value = value;
          slider.dispatchEvent(new Event('input', { bubbles: true }));
        }""",
        update,
    )


def settled(page, change) -> None:
    """Make a change that trains anew, and wait for the new picture."""
    before = page.get_attribute(".pk-player", "data-ready")
    change()
    page.wait_for_function(
        "before => { const p = document.querySelector('.pk-player');"
        " return p && p.dataset.ready && p.dataset.ready !== before }",
        arg=before,
    )


def cards(page) -> list[str]:
    """What the player says of each run."""
    texts = page.locator(".pk-settings button").all_inner_texts()
    return [text.replace("\u00a0", " ") for text in texts]
