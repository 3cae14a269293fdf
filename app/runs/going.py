"""How the page moves between its views, and does what is asked on it.

The address says what is open: `?run=ID`, `?compare=ID+ID`, `?sweep=ID`, `?new=TASK&...`, or nothing for
the list.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl

import streamlit as st

from app.access import Visitor
from app.controls import plain
from app.runs.engine import Engine, engine
from pkpo.runs import Run, StoreError

PROBLEM, MOVED = "runs problem", "runs moved"


def go(address: str = "") -> None:
    """Open another view; for callbacks."""
    st.query_params.from_dict(dict(parse_qsl(address, keep_blank_values=True)))
    st.session_state[MOVED] = True


def follow() -> None:
    """In a fragment, before it draws: what was asked for may concern the whole page."""
    if st.session_state.pop(MOVED, False):
        st.rerun()


def arrive() -> None:
    """At the beginning of the page: the move is done, and what went wrong is said."""
    st.session_state.pop(MOVED, None)
    if problem := st.session_state.pop(PROBLEM, ""):
        st.error(plain(problem), icon=":material/error:")


def act(wish: Callable[[Engine], str | None]) -> None:
    """Do something to the store; for callbacks. What it returns is the address to open next."""
    try:
        found = engine()
        address = wish(found)
        found.look(now=True)
    except (StoreError, ValueError) as reason:
        st.session_state[PROBLEM] = str(reason)
        address = None
    if address is not None:
        go(address)
    st.session_state[MOVED] = True


def change(visitor: Visitor, runs: list[Run], wish: Callable[[Engine, Run], object]) -> None:
    """Do something to runs of this visitor; for callbacks, and refused to others."""

    def each(found: Engine) -> None:
        for run in runs:
            if not visitor.may_change(run):
                raise ValueError("only the host may change the runs of others")
            wish(found, run)

    act(each)


def back() -> None:
    """The way to the list."""
    st.button("All runs", icon=":material/arrow_back:", type="tertiary", on_click=go)
