"""The player's controls: from a movement of the hand to the new picture, alone and with thirty."""

from __future__ import annotations

import json
import statistics
import threading
import time
from urllib.parse import urlencode

from tests.browser.browser import DIRECTLY, browser, running_app

MOVES = 30
HANDS = 30
QUESTIONS = 8  # of each hand
PAGES = ("toy-problem?compare=off", "toy-problem", "bandit?compare=off")
SMALLEST = {"MOVES": 2, "HANDS": 2, "QUESTIONS": 1, "PAGES": ("toy-problem?compare=off",)}

WATCH = """([value]) => new Promise((resolve) => {
  const root = document.querySelector('.pk-player');
  const slider = document.querySelector('.pk-knob-learning_rate input[type=range]');
  const start = performance.now();
  const before = root.player.id;
  const look = () => root.player.id !== before && root.player.ready()[0]
    ? resolve(performance.now() - start) : requestAnimationFrame(look);
  const { stops } = root.player.controls.knobs.learning_rate;
  stops[slider.max] = value;
  slider.value = slider.max;
  slider.dispatchEvent(new Event('input'));
  requestAnimationFrame(look);
})"""
"""Moves the learning rate to a value that nobody asked for; milliseconds until the stage is drawn."""


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def _row(what: str, values: list[float], aim: str) -> None:
    middle, high = statistics.median(values), _quantile(values, 0.95)
    print(f"{what:<58}{middle:>9.0f}{high:>9.0f}   {aim}")


def _moves(address: str, path: str, chromium) -> list[float]:
    page = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(f"{address}/{path}")
    page.wait_for_selector(".pk-player[data-ready]")
    taken = []
    for move in range(MOVES):
        taken.append(page.evaluate(WATCH, [round(0.004 + 1e-5 * move, 6)]))
        page.wait_for_timeout(150)  # the other charts are drawn meanwhile
    page.context.close()
    return taken


def _drag(address: str, hand: int, taken: list[float]) -> None:
    for place in range(QUESTIONS):
        asked = {"task": "gaussian-hill", "compare": "off", "seed": 1000 * hand + place}
        start = time.perf_counter()
        with DIRECTLY.open(f"{address}/study?{urlencode(asked)}", timeout=120) as answer:
            json.loads(answer.read())
        taken.append(1000 * (time.perf_counter() - start))


def main() -> None:
    """Print the table."""
    print(f"{'milliseconds':<58}{'median':>9}{'p95':>9}   aim")
    with running_app() as address:
        with browser() as chromium:
            for path in PAGES:
                _row(f"hand to stage: {path}", _moves(address, path, chromium), "p95 150")
        alone: list[float] = []
        _drag(address, 999, alone)
        _row("an answer over HTTP, one hand", alone, "")
        taken: list[float] = []
        hands = [
            threading.Thread(target=_drag, args=(address, hand, taken)) for hand in range(HANDS)
        ]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join()
        _row(f"the same, {HANDS} hands at once", taken, "median 1000")


if __name__ == "__main__":
    main()
