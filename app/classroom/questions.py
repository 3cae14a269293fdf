"""What a class can be asked: which answers are possible, and how many answers look together.

An answer is a plain value: the place of a choice (0, 1, ...), a number, or the numbers of a curve or of
bars. Nothing else is accepted, and nothing that a visitor sent is ever shown as text.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pkpo.fields import FieldError

Answer = int | float | tuple[float, ...]
QuestionKind = Literal["choice", "number", "marker", "curve", "bars"]

DOT_BINS = 48
"""Places along a range in which dots are stacked."""
MOST_PARTS = 64  # points of a curve, or bars


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question, as far as answers to it are concerned."""

    key: str
    """Names it."""
    text: str
    kind: QuestionKind
    choices: tuple[str, ...] = ()
    """What can be chosen, or the names of the bars."""
    low: float = 0.0
    high: float = 1.0
    """The range of a number, of a marker, of every point of a curve and every bar."""
    step: float = 0.01
    """Between the numbers that a slider offers."""
    count: int = 1
    """Points of a curve, or bars."""

    def __post_init__(self) -> None:
        if self.kind == "choice" and len(self.choices) < 2:
            raise ValueError(f"choices: a choice needs at least 2, got {len(self.choices)}")
        if not self.low < self.high:
            raise ValueError(f"low must be below high, got {self.low} and {self.high}")
        if not 1 <= self.count <= MOST_PARTS:
            raise ValueError(f"count must be from 1 to {MOST_PARTS}, got {self.count}")


def check_answer(question: Question, value: object) -> Answer:
    """An answer, once it is one that the question allows.

    Args:
      question: what was asked.
      value: anything that JSON can hold.

    Raises:
      FieldError: it is no such answer.
    """
    if question.kind == "choice":
        if type(value) is not int or not 0 <= value < len(question.choices):
            last = len(question.choices) - 1
            raise FieldError("value", f"value must be a choice from 0 to {last}, got {_cut(value)}")
        return value
    if question.kind in ("number", "marker"):
        return _number(question, value)
    if not isinstance(value, (list, tuple)) or len(value) != question.count:
        raise FieldError(
            "value", f"value must be a list of {question.count} numbers, got {_cut(value)}"
        )
    return tuple(_number(question, part) for part in value)


def _number(question: Question, value: object) -> float:
    if type(value) not in (int, float) or not question.low <= value <= question.high:  # type: ignore[operator]
        raise FieldError(
            "value",
            f"value must be a number from {question.low:g} to {question.high:g}, got {_cut(value)}",
        )
    return float(value)  # type: ignore[arg-type]


def _cut(value: object) -> str:
    return repr(value)[:40]


def distribution(question: Question, answers: Sequence[Answer]) -> dict[str, Any]:
    """How many answers look together.

    Returns:
      "counts", one for each choice; or "dots", `[[value, place in its stack from 0], ...]`, and their
      "median"; or "curves", `[answers][points]`, and the "median" of each point, `[points]`.
    """
    if question.kind == "choice":
        counted = Counter(answers)
        return {"counts": [counted[choice] for choice in range(len(question.choices))]}
    if question.kind in ("number", "marker"):
        stacks: Counter[int] = Counter()
        dots = []
        values = sorted(float(value) for value in answers)  # type: ignore[arg-type]
        for value in values:
            share = (value - question.low) / (question.high - question.low)
            place = min(DOT_BINS - 1, math.floor(share * DOT_BINS))
            dots.append([value, stacks[place]])
            stacks[place] += 1
        return {"dots": dots} | ({"median": values[len(values) // 2]} if values else {})
    curves = [list(answer) for answer in answers]  # type: ignore[arg-type]
    medians = [sorted(point)[len(curves) // 2] for point in zip(*curves, strict=True)]
    return {"curves": curves} | ({"median": medians} if curves else {})


PLAIN = (
    Question(key="yes-no", text="Yes or no?", kind="choice", choices=("Yes", "No")),
    *(
        Question(
            key=f"letters-{count}",
            text=f"A to {'ABCDE'[count - 1]}?",
            kind="choice",
            choices=tuple("ABCDE"[:count]),
        )
        for count in (3, 4, 5)
    ),
    Question(key="share", text="Which number, from 0 to 1?", kind="number"),
)
"""For what the host asks aloud or on a slide of their own."""
