"""Styles (`page.css`) and scripts (glossary card, presenter mode, frame) that every page loads."""

from __future__ import annotations

import time
from pathlib import Path

import streamlit as st

from app.components.wire import PLOTLY_URL, script

_HERE = Path(__file__)
_COMPONENT = st.components.v2.component(
    "pkpo_frame",
    html="<span class='pk-frame' hidden></span>",
    js=script(_HERE.parent, "glossary_card", "presenter", "page_frame"),
    isolate_styles=False,
)

PRESENT = "present"
"""The setting that turns presenter mode on, and the component's state of it."""
_KEY = "frame"


def is_presenting() -> bool:
    """Whether this visitor's browser is in presenter mode."""
    return bool(st.session_state.get(_KEY, {}).get(PRESENT))


def show_frame(plays: bool = False) -> None:
    """Style the page, and watch over it in the browser; draws nothing.

    When a lost connection is back, the page's script runs at once: a server that was started anew
    would lose the first click or change otherwise.

    Args:
      plays: whether the page has a player; the browser loads its library while the server computes.
    """
    with st.container(key="styles"):  # see page.css
        # Styles alone Streamlit would put behind the page, where the browser reads them last: figures
        # are then drawn for another width, and plotly leaves their legends where those were.
        st.html(f"<i hidden></i><style>{_HERE.with_name('page.css').read_text('utf-8')}</style>")
    asked = st.query_params.get(PRESENT) == "1"
    if asked:  # the browser keeps it; an address holds its page's settings only
        del st.query_params[PRESENT]
    _COMPONENT(
        # The time is never the same, so that the browser hears of every run.
        data={"run": time.time_ns(), PRESENT: asked, "plotly": PLOTLY_URL if plays else ""},
        key=_KEY,
        on_back_change=lambda: None,
        on_present_change=lambda: None,
        height="content",
    )
