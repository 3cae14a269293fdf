"""A lesson in the browser: questions, predictions, what is true, and a task.

No page's script runs while one works through a lesson, and no answer leaves the browser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from app.components.wire import script

_HERE = Path(__file__).parent
_COMPONENT = st.components.v2.component(
    "pkpo_lesson",
    html="<section class='le' aria-label='Lesson'><nav class='le-menu' aria-label='Lessons'></nav>"
    "<div class='le-body'><div class='le-text'></div><div class='le-scene'></div></div></section>",
    css=(_HERE / "lesson.css").read_text(encoding="utf-8"),
    js=script(_HERE, "scene", "predict", "lesson"),
    isolate_styles=False,
)


def show_lesson(data: Mapping[str, Any], on_chosen: Callable[[str], None], *, key: str) -> None:
    """Show a lesson, or the card of all answers.

    Args:
      data: see `app.lessons.catalogue.pack_page`.
      on_chosen: called with the key of another lesson, or "card", when the learner chooses it.
      key: names the component on the page.
    """

    def take() -> None:
        on_chosen(str(st.session_state[key]["chosen"]))

    _COMPONENT(data=dict(data), key=key, on_chosen_change=take, height="content")
