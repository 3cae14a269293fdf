"""Styles (`page.css`) and scripts (`glossary_card.js`, `page_frame.js`) that every page loads."""

from __future__ import annotations

import time
from pathlib import Path

import streamlit as st

from app.components.wire import script

_HERE = Path(__file__)
_COMPONENT = st.components.v2.component(
    "pkpo_frame",
    html="<span class='pk-frame' hidden></span>",
    js=script(_HERE.parent, "glossary_card", "page_frame"),
    isolate_styles=False,
)


def show_frame() -> None:
    """Style the page, and watch over it in the browser; draws nothing.

    When a lost connection is back, the page's script runs at once: a server that was started anew
    would lose the first click or change otherwise.
    """
    st.html(_HERE.with_name("page.css"))
    _COMPONENT(
        data={"run": time.time_ns()},  # never the same, so that the browser hears of every run
        key="frame",
        on_back_change=lambda: None,
        height="content",
    )
