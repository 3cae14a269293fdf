"""The class in the browser: the strip on every page, a visitor's screen, the host's screens.

All follow `app.classroom.routes` by themselves: no page's script runs while they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app.access import Visitor, browser_id
from app.classroom.questions import Question
from app.classroom.routes import CLASS_PATH
from app.components.wire import script

_HERE = Path(__file__).parent
_STYLES = "\n".join(
    path.read_text(encoding="utf-8")
    for path in (_HERE.parent / "lesson" / "lesson.css", _HERE / "classroom.css")
)


def _component(name: str, html: str, *parts: str) -> Any:
    return st.components.v2.component(
        f"pkpo_class_{name}",
        html=html,
        css=_STYLES,
        js=script(_HERE, "../live_charts/follower", "room", *parts, name),
        isolate_styles=False,
    )


_LED = "<p class='cr-count' role='status'></p><div class='cr-acts'></div>"
_STRIP = _component("strip", "<aside class='cr-strip' aria-label='Class' hidden></aside>")
_PHONE = _component(
    "phone",
    "<section class='cr-phone le' aria-label='Class'><div class='cr-place'></div>"
    "<p class='cr-said' role='status'></p></section>",
    "../lesson/scene",
    "../lesson/predict",
)
_HOST = _component(
    "host",
    "<section class='cr-host' aria-label='Class'><div class='cr-choose'></div>"
    f"<p class='cr-asked'></p>{_LED}"
    "<p class='cr-said' role='alert'></p><div class='cr-rounds'></div></section>",
    "../lesson/scene",
    "../lesson/predict",
    "rounds",
    "leader",
)
_LEAD = _component(
    "lead",
    "<section class='cr-lead' aria-label='Class'><label><input type='checkbox'>"
    f"Phones show this question</label>{_LED}<p class='cr-said' role='alert'></p>"
    "<div class='cr-answers' role='group' aria-label='Answers of the class' hidden>"
    "<div class='cr-rounds'></div></div></section>",
    "../lesson/scene",
    "../lesson/predict",
    "rounds",
    "leader",
)


def show_strip(visitor: Visitor, away: bool) -> None:
    """What stands at the foot of a page while there is a class.

    Args:
      visitor: who has the page open.
      away: whether it is another page than that of the class.
    """
    _STRIP(data=_data(visitor) | {"away": away}, key="class-strip", height="content")


def show_phone(visitor: Visitor) -> None:
    """What a visitor sees of the class: the question that is asked, or the page that is shown."""
    _PHONE(data=_data(visitor), key="class-phone", height="content")


def show_host(visitor: Visitor, questions: Sequence[Question]) -> None:
    """The host's screen.

    Args:
      visitor: the host.
      questions: what can be asked here; those of lessons are asked where the lesson is.
    """
    listed = [{"key": question.key, "text": question.text} for question in questions]
    _HOST(data=_data(visitor) | {"questions": listed}, key="class-host", height="content")


def show_lead(visitor: Visitor) -> None:
    """The host's line above a lesson: lets the class see and answer the question on the screen."""
    _LEAD(data=_data(visitor), key="class-lead", height="content")


def _data(visitor: Visitor) -> dict[str, Any]:
    return {"address": f"./{CLASS_PATH}", "id": browser_id(), "host": visitor.host}
