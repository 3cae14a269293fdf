"""A class that answers: how long an answer takes to the host's screen, what is lost, what it costs.

Each client asks once a second as a phone does, and answers each round at a moment of its own.
"""

from __future__ import annotations

import json
import random
import statistics
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from tests.browser.browser import running_app, server_memory

CLIENTS = (10, 30)
ROUNDS = 3
SPREAD = 5.0  # seconds within which everybody answers
SMALLEST = {"CLIENTS": (3,), "ROUNDS": 1, "SPREAD": 1.0}
PHONE_PERIOD, HOST_PERIOD = 1.0, 0.4  # seconds between questions, as in follower.js and room.js
SECRET = "of the bench"
QUESTION = "letters-4"


def main() -> None:
    """Print the table."""
    print(f"Clients answer {ROUNDS} rounds within {SPREAD:.0f} s each; the host looks on")
    with running_app("--classroom", "--server.address=127.0.0.1", PKPO_HOST_SECRET=SECRET) as at:
        print(f"  server memory before: {server_memory(at):.0f} MB")
        for count in CLIENTS:
            _report(count, at)


def _report(count: int, at: str) -> None:
    host = _Browser(at, {"Authorization": f"Bearer {SECRET}"})
    host.post("host", {"do": "forget"})
    over = threading.Event()
    phones = [_Phone(_Browser(at, {"PKPO-Visitor": f"{i:032x}"})) for i in range(count)]
    threads = [threading.Thread(target=phone.follow, args=(over,)) for phone in phones]
    for thread in threads:
        thread.start()
    delays, reveals, lost = [], [], 0
    host.post("host", {"do": "ask", "question": QUESTION})
    for number in range(1, ROUNDS + 1):
        if number > 1:
            host.post("host", {"do": "again"})
        seen = _watch_count(host, count)
        sent = sorted(phone.answered.get(number, float("inf")) for phone in phones)
        delays += [when - since for since, when in zip(sent, seen, strict=False)]
        begun = time.monotonic()
        view = host.post("host", {"do": "reveal"})
        reveals.append(time.monotonic() - begun)
        lost += abs(count - sum(view["rounds"][-1]["counts"]))
    over.set()
    for thread in threads:
        thread.join()
    asked = sum(phone.asked for phone in phones)
    print(
        f"{count:>4} clients: answer to the host's count median {statistics.median(delays):.2f} s, "
        f"p95 {statistics.quantiles(delays, n=20)[-1]:.2f} s; reveal to histogram worst "
        f"{max(reveals):.2f} s; lost {lost} of {count * ROUNDS}; {asked} questions; "
        f"server memory {server_memory(at):.0f} MB",
        flush=True,
    )


def _watch_count(host: _Browser, count: int) -> list[float]:
    """When the host's screen showed the first answer, the second, and so on."""
    seen: list[float] = []
    end = time.monotonic() + SPREAD + 10
    while len(seen) < count and time.monotonic() < end:
        answered = host.look()["rounds"][-1]["answered"]
        seen += [time.monotonic()] * (answered - len(seen))
        time.sleep(HOST_PERIOD)
    return seen


class _Browser:
    """A browser's connection, as far as the class is concerned."""

    def __init__(self, at: str, headers: dict[str, str]):
        self._server = HTTPConnection(urlsplit(at).netloc, timeout=30)
        self._headers = headers
        self._tag = ""
        self._view: dict[str, Any] = {}

    def look(self) -> dict[str, Any]:
        return self._ask("GET", "", {"If-None-Match": self._tag} if self._tag else {})

    def post(self, where: str, told: dict[str, Any]) -> dict[str, Any]:
        json_type = {"Content-Type": "application/json"}
        return self._ask("POST", f"/{where}", json_type, json.dumps(told))

    def _ask(self, method: str, where: str, headers: dict[str, str], body: str | None = None):
        self._server.request(method, f"/live/class{where}", body, self._headers | headers)
        response = self._server.getresponse()
        content = response.read()
        if response.status == 304:
            return self._view
        if response.status != 200:
            raise RuntimeError(f"{response.status}: {content.decode()}")
        self._tag = response.getheader("ETag", "")
        self._view = json.loads(content)
        return self._view


@dataclass
class _Phone:
    """A student who answers each round once."""

    browser: _Browser
    answered: dict[int, float] = field(default_factory=dict)
    """By round: when the answer was sent."""
    asked: int = 0

    def follow(self, over: threading.Event) -> None:
        draw = random.Random(id(self))
        time.sleep(draw.uniform(0, PHONE_PERIOD))
        while not over.is_set():
            view = self.browser.look()
            self.asked += 1
            number = view.get("round", 0)
            if view.get("open") and number not in self.answered:
                time.sleep(draw.uniform(0, SPREAD - PHONE_PERIOD))
                self.answered[number] = time.monotonic()
                answer = {"question": view["question"], "round": number, "value": draw.randrange(4)}
                self.browser.post("answer", answer)
            over.wait(PHONE_PERIOD)


if __name__ == "__main__":
    main()
