"""All runs: filter, choose, open."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

import streamlit as st

from app.access import Visitor, classroom
from app.components import run_list
from app.runs import run_text
from app.runs.engine import Engine, explain_errors
from app.runs.navigation import act_on_store, follow_request, open_view
from pkpo.runs import STATUSES, Run
from pkpo.training.tasks.bandit import BanditConfig
from pkpo.training.tasks.registry import TASKS

LOOK, LOOK_OF_MANY = 3.0, 10.0  # seconds between looks at a list; in a classroom
ROWS_PER_PAGE = 30  # rows that are shown before somebody asks for more
CHOSEN = "runs chosen"


def show_list(engine: Engine, visitor: Visitor) -> None:
    """The list, which follows what goes on."""
    engine.look()
    runs = engine.store.runs()
    if not runs:
        _empty(visitor)
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "New run", type="primary", icon=":material/add:", on_click=open_view, args=("new=",)
        )
        status = st.selectbox(
            "Status",
            ["", *STATUSES],
            format_func=lambda name: name.capitalize() or "Any status",
            label_visibility="collapsed",
            key="runs_status",
            width=170,
        )
        task = st.selectbox(
            "Problem",
            ["", *TASKS],
            format_func=lambda name: run_text.task_title(name) if name else "Any problem",
            label_visibility="collapsed",
            key="runs_task",
            width=170,
        )
        mine = classroom() and st.toggle("Mine only", key="runs_mine")

    def look() -> None:
        found = engine.store.runs(
            status=status or STATUSES, task=task, owner=visitor.owner if mine else None
        )
        rows = _rows(engine, found)
        top = st.session_state.setdefault("runs_shown", ROWS_PER_PAGE)
        if not rows:
            st.caption("No run is like this.")
            return
        show_rows(rows[:top], "run-list")
        if len(rows) > top:
            st.button(
                f"Show {min(ROWS_PER_PAGE, len(rows) - top)} more of {len(rows)}", on_click=_more
            )

    redraw_while_active(engine, look)


def show_sweep_runs(engine: Engine, id: str) -> None:
    """The runs of a sweep, which follow what goes on."""

    def look() -> None:
        places = _places(engine)
        runs = engine.store.runs(sweep=id)[::-1]
        changes = engine.store.steered(run.id for run in runs)
        rows = [run_text.run_row(run, places.get(run.id), changes.get(run.id, ())) for run in runs]
        show_rows(rows, "sweep-list")

    redraw_while_active(engine, look)


def redraw_while_active(engine: Engine, look: Callable[[], None]) -> None:
    """Draw a list, and again as long as any run goes on."""
    going = bool(engine.store.runs(status=run_text.ACTIVE, limit=1))

    interval = LOOK_OF_MANY if classroom() else LOOK

    @st.fragment(run_every=interval if going else None)
    def draw() -> None:
        follow_request()
        with explain_errors():
            engine.look()
            if going and not engine.store.runs(status=run_text.ACTIVE, limit=1):
                st.rerun()
            look()

    draw()


def show_rows(rows: list[dict], key: str, choose: bool = True) -> None:
    """A table of runs; with boxes to choose several, and a button below for those that are."""
    here = {row["id"] for row in rows} if choose else set()
    chosen = [id for id in st.session_state.get(CHOSEN, []) if id in here]

    def keep(ids: list[str]) -> None:
        st.session_state[CHOSEN] = ids

    if not choose:
        rows = [row | {"id": ""} for row in rows]
    run_list.show_run_list(rows, open_view, keep, chosen, key=key)
    if len(chosen) > 1:
        st.button(
            f"Compare {len(chosen)} runs",
            icon=":material/compare_arrows:",
            key=f"{key}-compare",
            on_click=open_view,
            args=("compare=" + "+".join(chosen),),
        )
    elif any(row["id"] for row in rows[1:]):
        st.caption("Choose two or more runs to compare them.")


def _rows(engine: Engine, runs: list[Run]) -> list[dict]:
    places, changes = _places(engine), engine.store.steered(run.id for run in runs)
    rows = []
    for sweep, together in groupby(runs, lambda run: run.sweep or run.id):
        group = list(together)[::-1]
        single = sweep == group[0].id
        first = group[0]
        mine = changes.get(first.id, ())
        rows.append(
            run_text.run_row(first, places.get(sweep), mine)
            if single
            else run_text.sweep_row(group)
        )
    return rows


def _places(engine: Engine) -> dict[str, int]:
    return {id: place for place, id in enumerate(engine.store.queue(), 1)}


def _more() -> None:
    st.session_state["runs_shown"] += ROWS_PER_PAGE


def _empty(visitor: Visitor) -> None:
    def example() -> None:
        config = BanditConfig(schedule="8@0,1@2500", steps=5000)
        who = {"owner": visitor.owner, "address": visitor.address}
        act_on_store(lambda found: f"run={found.store.submit(config, **who)}")

    with st.container(border=True, horizontal_alignment="center", gap="medium"):
        st.markdown("### :material/timeline: No runs yet", text_alignment="center")
        st.markdown(
            "A run trains in a process of its own, for as many updates as you like. Close this page, "
            "come back: it is still here. Watch it, turn k while it goes on, compare it with others.",
            text_alignment="center",
        )
        with st.container(horizontal=True, horizontal_alignment="center"):
            st.button(
                "Start an example", type="primary", icon=":material/play_arrow:", on_click=example
            )
            st.button("New run", icon=":material/add:", on_click=open_view, args=("new=",))
