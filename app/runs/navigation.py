"""Navigation between the views of the page of runs, and callbacks that act on the store.

The address says what is open: `?run=ID`, `?compare=ID+ID`, `?sweep=ID`, `?new=TASK&...`, or nothing for
the list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import parse_qsl

import streamlit as st

from app import page_registry
from app.access import Visitor
from app.controls import language_runs_address, plain_text, problem_text
from app.runs.engine import Engine, engine
from pkpo.runs import Run, StoreError
from pkpo.training.tasks.word_problems import WordProblemsConfig

PROBLEM, MOVED, ASKED = "runs problem", "runs moved", "runs asked to delete"


def open_view(address: str = "") -> None:
    """Open another view; for callbacks."""
    st.query_params.from_dict(dict(parse_qsl(address, keep_blank_values=True)))
    st.session_state[MOVED] = True


def follow_request() -> None:
    """In a fragment, before it draws: what was asked for may concern the whole page."""
    if st.session_state.pop(MOVED, False):
        st.rerun()


def finish_move() -> None:
    """At the beginning of the page: the move is done, and what went wrong is said."""
    st.session_state.pop(MOVED, None)
    if problem := st.session_state.pop(PROBLEM, ""):
        st.error(problem_text(problem), icon=":material/error:")


def act_on_store(wish: Callable[[Engine], str | None]) -> None:
    """Do something to the store; for callbacks. What it returns is the address to open next."""
    try:
        found = engine()
        address = wish(found)
        found.look(now=True)
    except (StoreError, ValueError) as reason:
        st.session_state[PROBLEM] = str(reason)
        address = None
    if address is not None:
        open_view(address)
    st.session_state[MOVED] = True


def act_on_runs(visitor: Visitor, runs: list[Run], wish: Callable[[Engine, Run], object]) -> None:
    """Do something to runs of this visitor; for callbacks, and refused to others."""

    def each(found: Engine) -> None:
        for run in runs:
            if not visitor.may_change(run):
                raise ValueError("only the host may change the runs of others")
            wish(found, run)

    act_on_store(each)


def stop_button(visitor: Visitor, runs: list[Run]) -> None:
    """A button that stops several runs."""
    st.button(
        "Stop all" if len(runs) > 1 else "Stop",
        icon=":material/stop:",
        on_click=act_on_runs,
        args=(visitor, runs, lambda found, run: found.store.stop(run.id)),
    )


def link_to_language_page(runs: Sequence[Run]) -> None:
    """The way from runs of the language model to its page."""
    if {run.task for run in runs} == {WordProblemsConfig.task}:
        st.page_link(
            page_registry.get_page("language_model"),
            label="Look inside",
            icon=":material/forum:",
            query_params=language_runs_address([run.id for run in runs]),
        )


def delete_button(visitor: Visitor, runs: list[Run]) -> None:
    """A button that forgets runs once it has been asked for twice."""
    first = runs[0].id

    def ask(about: str) -> None:
        st.session_state[ASKED] = about

    def forget() -> None:
        act_on_runs(visitor, runs, lambda found, run: found.store.delete(run.id))
        open_view()

    if st.session_state.get(ASKED) != first:
        st.button("Delete", icon=":material/delete:", on_click=ask, args=(first,))
        return
    st.button("Keep", icon=":material/undo:", on_click=ask, args=("",))
    st.button("Delete for good", icon=":material/delete_forever:", on_click=forget)
    st.caption("Curves and checkpoints, too; this cannot be undone.", width="content")


def list_button(key: str = "all runs") -> None:
    """The way back to the list."""
    st.button(
        "All runs", icon=":material/arrow_back:", type="tertiary", on_click=open_view, key=key
    )


def show_heading(text: str) -> None:
    """A view's title, below the way back to the list."""
    with st.container(gap=None):
        list_button()
        st.header(plain_text(text), anchor=False)
