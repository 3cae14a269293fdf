"""The class in the browser: the strip on every page, a visitor's screen, the host's screen.

All three follow `app.classroom.routes` by themselves: no page's script runs while they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import streamlit as st

from app.access import Visitor, browser_id
from app.classroom.questions import Question
from app.classroom.routes import CLASS_PATH
from app.components.wire import script

_HERE = Path(__file__).parent
_STYLES = (_HERE / "classroom.css").read_text(encoding="utf-8")


def _component(name: str, html: str) -> Any:
    return st.components.v2.component(
        f"pkpo_class_{name}",
        html=html,
        css=_STYLES,
        js=script(_HERE, "../live_charts/follower", "room", name),
        isolate_styles=False,
    )


_STRIP = _component("strip", "<aside class='cr-strip' aria-label='Class' hidden></aside>")
_PHONE = _component(
    "phone",
    "<section class='cr-phone' aria-label='Class'><div class='cr-place'></div>"
    "<p class='cr-said' role='status'></p></section>",
)
_HOST = _component(
    "host",
    "<section class='cr-host' aria-label='Class'><div class='cr-choose'></div>"
    "<p class='cr-asked'></p><p class='cr-count' role='status'></p><div class='cr-acts'></div>"
    "<p class='cr-said' role='alert'></p><div class='cr-rounds'></div></section>",
)


def show_strip(visitor: Visitor, away: bool) -> None:
    """What stands at the foot of a page while there is a class.

    Args:
      visitor: who has the page open.
      away: whether it is another page than that of the class.
    """
    _STRIP(data=_data(visitor) | {"away": away}, key="class-strip", height="content")


def show_phone(visitor: Visitor, questions: Sequence[Question]) -> None:
    """What a visitor sees of the class: the question that is asked, or the page that is shown."""
    data = _data(visitor) | {"questions": [asdict(question) for question in questions]}
    _PHONE(data=data, key="class-phone", height="content")


def show_host(visitor: Visitor, questions: Sequence[tuple[str, Question]]) -> None:
    """The host's screen.

    Args:
      visitor: the host.
      questions: what can be asked, each with its lesson's name.
    """
    listed = [asdict(question) | {"lesson": lesson} for lesson, question in questions]
    _HOST(data=_data(visitor) | {"questions": listed}, key="class-host", height="content")


def _data(visitor: Visitor) -> dict[str, Any]:
    return {"address": f"./{CLASS_PATH}", "id": browser_id(), "host": visitor.host}
