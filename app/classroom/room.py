"""The room: what the class sees, and what it answered. In memory, anonymous, gone with the server.

Only what `questions.check_answer` lets through is kept, one answer a visitor and round. The last one
before the reveal counts: a slip of the finger can be mended, a change of mind is an answer too, and
nobody knows of it, since nothing is shown before the reveal.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.classroom.questions import Answer, Question, check_answer, distribution
from pkpo.runs.environment import read_positive

ROUNDS = 2
"""Rounds of a question that are kept: before and after the discussion."""
ANSWERS = 400
"""Answers to one round, from everybody together."""
ANSWERS_OF_ADDRESS = 60
"""As many, from one network address, where PKPO_CLASS_ADDRESS says nothing else."""
HERE = 8.0  # seconds after its last question that a browser counts as here
MOST_HERE = 1_000


class NotNow(ValueError):
    """An answer to what is not asked, or no longer."""


class RoomFull(ValueError):
    """An answer too many."""


@dataclass(slots=True)
class Round:
    """One time that a question was asked."""

    number: int = 1
    """From 1, for each question."""
    answers: dict[str, Answer] = field(default_factory=dict)
    """By visitor."""
    addresses: dict[str, str] = field(default_factory=dict)
    """Visitors' network addresses."""
    revealed: bool = False


class Room:
    """What one class sees and answers. Every method may be called from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._question: Question | None = None
        self._page = ""
        self._rounds: dict[str, list[Round]] = {}  # by question
        self._seen: dict[str, float] = {}  # visitors

    def show_question(self, question: Question) -> None:
        """Put a question before the class; what it answered to it before is kept."""
        with self._lock:
            self._question, self._page = question, ""
            self._rounds.setdefault(question.key, [Round()])

    def show_page(self, address: str) -> None:
        """Point the class to a page of this app, as `app.classroom.page_address.check_page` gives it."""
        with self._lock:
            self._question, self._page = None, address

    def show_nothing(self) -> None:
        """Let the class look at the screen, or wherever it likes."""
        with self._lock:
            self._question, self._page = None, ""

    def reveal(self) -> None:
        """End the round: answers are shown, and no more are taken.

        Raises:
          NotNow: nothing is asked.
        """
        with self._lock:
            self._round().revealed = True

    def ask_again(self) -> None:
        """Begin another round of the same question; the two latest are kept.

        Raises:
          NotNow: nothing is asked, or the round goes on.
        """
        with self._lock:
            if not self._round().revealed:
                raise NotNow("the round goes on: reveal it first")
            assert self._question
            rounds = self._rounds[self._question.key]
            rounds.append(Round(rounds[-1].number + 1))
            del rounds[:-ROUNDS]

    def forget(self) -> None:
        """Begin anew, for another class."""
        with self._lock:
            self._question, self._page = None, ""
            self._rounds.clear()

    def answer(
        self, key: object, number: object, value: object, visitor: str, address: str
    ) -> None:
        """Take a visitor's answer to what is asked; it takes the place of an earlier one.

        Args:
          key: the question's name, which must be the one that is asked.
          number: that of the round.
          value: the answer.
          visitor: who they are, as far as one knows.
          address: from where they come.

        Raises:
          NotNow: this is not asked, or not any more.
          RoomFull: too many from there, or in all.
          FieldError: the question has no such answer.
        """
        with self._lock:
            if self._question is None or key != self._question.key:
                raise NotNow("this question is not asked now")
            now = self._round()
            if now.revealed or number != now.number:
                raise NotNow("too late: the answers are shown already")
            checked = check_answer(self._question, value)
            if visitor not in now.answers:
                if len(now.answers) >= ANSWERS:
                    raise RoomFull(f"no more than {ANSWERS} answers are taken")
                limit = _limit_of_address()
                if Counter(now.addresses.values())[address] >= limit:
                    raise RoomFull(f"no more than {limit} answers are taken from one address")
            now.answers[visitor] = checked
            now.addresses[visitor] = address

    def visitor_view(self, visitor: str) -> dict[str, Any]:
        """What a visitor's browser shows; whoever asks counts as here for a while."""
        with self._lock:
            self._see(visitor)
            if self._question is None:
                return {"page": self._page}
            now = self._round()
            return {
                "question": self._question.key,
                "round": self._round().number,
                "open": not now.revealed,
                "mine": now.answers.get(visitor),
            }

    def host_view(self) -> dict[str, Any]:
        """What the host's screen shows: how many answered and, of rounds that are revealed, how."""
        with self._lock:
            here = self._clock() - HERE
            view = {"page": self._page, "here": sum(seen >= here for seen in self._seen.values())}
            if (question := self._question) is None:
                return view
            return view | {
                "question": question.key,
                "round": self._round().number,
                "open": not self._round().revealed,
                "rounds": [
                    {"answered": len(one.answers)}
                    | (distribution(question, list(one.answers.values())) if one.revealed else {})
                    for one in self._rounds[question.key]
                ],
            }

    def _round(self) -> Round:
        if self._question is None:
            raise NotNow("nothing is asked")
        return self._rounds[self._question.key][-1]

    def _see(self, visitor: str) -> None:
        now = self._clock()
        if visitor not in self._seen and len(self._seen) >= MOST_HERE:
            self._seen = {name: seen for name, seen in self._seen.items() if seen >= now - HERE}
            if len(self._seen) >= MOST_HERE:
                return
        self._seen[visitor] = now


def _limit_of_address() -> int:
    return read_positive("PKPO_CLASS_ADDRESS", ANSWERS_OF_ADDRESS)


THE_CLASS = Room()
"""The class of this server."""
