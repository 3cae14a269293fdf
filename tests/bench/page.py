"""The library's start, the training loop, and the pages: how long a person waits."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from app.presets import HILL_PRESETS
from pkpo.training.recording import record_run
from pkpo.training.tasks.gaussian_hill import HillConfig
from tests.browser.browser import ROOT, browser, running_app, running_streamlit

ROUNDS = 5
PRESETS = ("Paper, Figure 1", "Annealing wins", "Stuck at pass@1")
COLD_STARTS = 2
SMALLEST = {"ROUNDS": 1, "PRESETS": ("Paper, Figure 1",), "COLD_STARTS": 1}


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _row(what: str, values: list[float], aim: str) -> None:
    middle, worst = statistics.median(values), max(values)
    print(f"{what:<58}{1000 * middle:>9.0f}{1000 * worst:>9.0f}   {aim}")


def _import(statement: str) -> float:
    """Seconds that a statement takes in a fresh interpreter, without the interpreter's own start."""
    code = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
    run = [sys.executable, "-c", code]
    return float(subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def _changed_control(seed: int, name: str) -> float:
    """Server time of a page run after a change to settings that nobody had before."""
    from streamlit.testing.v1 import AppTest

    preset = next(p for p in HILL_PRESETS if p.name == name)
    page = AppTest.from_file(str(ROOT / "app" / "script.py"), default_timeout=60)
    page.run()
    page.switch_page("app_pages/toy_problem.py")
    for field, value in preset.changes.items():
        page.query_params[field] = str(value)
    page.query_params["compare"] = preset.compare
    page.run()
    page.query_params["seed"] = str(seed)
    taken = _seconds(page.run)
    assert not page.exception, page.exception
    return taken


def _open(address: str, chromium) -> tuple[float, float]:
    """Seconds from the start of navigation to the main picture, and to all four charts."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(address + "/toy-problem")
    page.wait_for_selector(".pk-player[data-ready]")
    marks = page.evaluate(
        "['pk-picture', 'pk-ready'].map(n => performance.getEntriesByName(n)[0].startTime / 1000)"
    )
    context.close()
    return marks[0], marks[1]


def _open_empty(address: str, chromium) -> float:
    """Seconds from the start of navigation to the words of an empty page of Streamlit's."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(address)
    page.wait_for_function("document.querySelector('.stMarkdown')?.innerText === 'ready'")
    taken = page.evaluate("performance.now() / 1000")
    context.close()
    return taken


def main() -> None:
    """Print the table."""
    print(f"{'milliseconds':<58}{'median':>9}{'worst':>9}   aim")
    _row("import numpy, for scale", [_import("import numpy") for _ in range(ROUNDS)], "")
    _row("import pkpo", [_import("import pkpo") for _ in range(ROUNDS)], "300")
    record_run(HillConfig())
    runs = [_seconds(lambda s=s: record_run(HillConfig(seed=s))) for s in range(2 * ROUNDS)]
    _row("a run of 300 updates, n = 16, with exact values", runs, "well under 500")
    for name in PRESETS:
        changes = [_changed_control(seed, name) for seed in range(100, 100 + ROUNDS)]
        _row(f"server time of a changed control: {name}", changes, "300")
    with browser() as chromium:
        colds = []
        for _ in range(COLD_STARTS):
            with running_app() as address:
                colds.append(_open(address, chromium))
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder, "empty.py")
            script.write_text("import streamlit as st\n\nst.write('ready')\n", encoding="utf-8")
            with running_app() as address, running_streamlit(script) as empty:
                _open(address, chromium), _open_empty(empty, chromium)
                pairs = [
                    (_open(address, chromium), _open_empty(empty, chromium)) for _ in range(ROUNDS)
                ]
        warms, empties = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    _row("first visit after the server's start: main picture", [c[0] for c in colds], "")
    _row("first visit after the server's start: all charts", [c[1] for c in colds], "")
    _row("a new visitor: main picture", [w[0] for w in warms], "2000")
    _row("a new visitor: all charts", [w[1] for w in warms], "2400")
    _row("an empty page of Streamlit's, between these visits", empties, "")


if __name__ == "__main__":
    main()
