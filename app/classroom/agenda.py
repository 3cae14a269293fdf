"""What the class can be asked: every question of the lessons, and plain ones for what is asked aloud."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from typing import Any

from app.classroom.questions import PLAIN, Question
from app.lessons.catalogue import find_ask
from app.lessons.lesson import Ask, pack_ask
from pkpo.fields import FieldError

_PLAIN = {question.key: question for question in PLAIN}


def question_of(key: object) -> Question:
    """The question of that name.

    Raises:
      FieldError: there is none.
    """
    found = _find(key)
    return found.question if isinstance(found, Ask) else found


@cache
def pack_question(key: str) -> dict[str, Any]:
    """A question as the class sees it: what is asked and drawn, and nothing of its truth.

    Args:
      key: a question's name.

    Returns:
      Of `app.lessons.lesson.pack_ask` what may be known before; "scene" is None where there is
      nothing to see or to draw on.

    Raises:
      FieldError: there is none of that name.
    """
    found = _find(key)
    if isinstance(found, Question):
        return {"lead": "", "question": asdict(found), "scene": None, "at": [], "decimals": 2}
    packed = pack_ask(found)
    layers = [layer for layer in packed["scene"]["layers"] if not layer["after"]]
    seen = layers or found.question.kind != "choice"
    packed["scene"] = packed["scene"] | {"layers": layers} if seen else None
    return {name: packed[name] for name in _SHOWN}


_SHOWN = ("lead", "question", "scene", "at", "decimals")


def _find(key: object) -> Question | Ask:
    found = (_PLAIN.get(key) or find_ask(key)) if isinstance(key, str) else None
    if found is None:
        raise FieldError("question", f"question: there is none named {repr(key)[:40]}")
    return found
