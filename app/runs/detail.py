"""One run: its curves as they grow, what may be done to it, what it depends on."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from app import cached, live_routes, page_registry
from app.access import Visitor
from app.components import live_charts
from app.controls import language_address, plain_text
from app.downloads import show_table_downloads
from app.runs import form, run_text
from app.runs.engine import Engine
from app.runs.navigation import (
    act_on_runs,
    delete_button,
    link_to_language_page,
    open_view,
    show_heading,
)
from pkpo.config import Change, RunConfig
from pkpo.figures import run_curves
from pkpo.runs import Run, export

SLIDERS = "runs sliders"  # the keys of those that are drawn
STEERED = ("k", "learning_rate")
RATES = 10 ** (np.arange(-20, 21) / 10)
"""Factors of a learning rate that the slider offers."""


def show_run(engine: Engine, visitor: Visitor, id: str) -> None:
    """The run's page."""
    engine.look()
    run, changes = engine.store.run(id), engine.store.changes(id)
    config = run.config
    show_heading(run_text.run_title(run, changes))
    steered = visitor.may_change(run) and run.status == "running"
    with st.container():  # the charts' place on the page stays the same
        _actions(visitor, run)
        if run.message:
            say = st.error if run.status == "failed" else st.warning
            say(plain_text(run.message), icon=f":material/{run_text.STATUS_SIGNS[run.status][1]}:")
        if steered:
            _steering(visitor, run, config)
    fields = ("status", "stopping", "message", "changes", *(STEERED if steered else ()))
    state = live_routes.state([run], len(changes))
    ((label, colour),) = run_curves.distinct_styles([config])
    label += run_text.by_hand(changes)
    live_charts.show_live_charts(
        [live_charts.Series(id, label, colour)],
        run_curves.run_panels([config], run.metrics),
        marks_of(changes),
        key="run-charts",
        drawn={id: {name: state[name] for name in fields}},
    )
    _changes(changes)
    _facts(engine, run)


def marks_of(changes: list[Change]) -> list[tuple[int, str]]:
    """Changes as marks under a chart's axis."""
    return [
        (act_on_runs.update, run_curves.describe_change(act_on_runs)) for act_on_runs in changes
    ]


def badge(status: str) -> None:
    """A status as a sign, a word and a colour."""
    _, icon, colour = run_text.STATUS_SIGNS[status]
    st.badge(status, icon=f":material/{icon}:", color=colour)  # type: ignore[arg-type]


def _actions(visitor: Visitor, run: Run) -> None:
    mine = visitor.may_change(run)
    again = run.status in ("stopped", "interrupted", "failed")
    with st.container(horizontal=True, vertical_alignment="center"):
        badge(run.status)
        if run.finished:
            st.caption(f"ended {run_text.age(run.finished)}", width="content")
        if mine and run.status in run_text.ACTIVE:
            asked = run.stop_requested is not None and run.status == "running"
            st.button(
                "Stopping" if asked else "Stop",
                icon=":material/stop:",
                disabled=asked,
                on_click=act_on_runs,
                args=(visitor, [run], lambda engine, one: engine.store.stop(one.id)),
            )
        if mine and again:
            st.button(
                "Resume",
                type="primary",
                icon=":material/play_arrow:",
                on_click=act_on_runs,
                args=(visitor, [run], lambda engine, one: engine.store.resume(one.id)),
                help="Goes on from its last checkpoint, to the same numbers as if nothing had been.",
            )
        link_to_language_page([run])
        if run.task in form.FORM_PAGES:
            st.button(
                "Duplicate with changes",
                icon=":material/content_copy:",
                on_click=open_view,
                args=(form.address_of(run),),
            )
        elif (address := language_address(run.config)) is not None:
            st.page_link(
                page_registry.get_page("language_model"),
                label="Duplicate with changes",
                icon=":material/content_copy:",
                query_params=address,
            )
        if mine and run.status != "running":
            delete_button(visitor, [run])


def _steering(visitor: Visitor, run: Run, config: RunConfig) -> None:
    """Sliders that stand at what is in force, and change it from the next update on."""
    if not run.metrics or run.step >= config.steps:
        return
    rate = _rounded(run.metrics["learning_rate"])
    force: dict[str, Any] = {"k": int(run.metrics["k"]), "learning_rate": rate}
    # A slider is a new one whenever its value in force changes: a value that is set from here could be
    # overtaken by the next change, and the browser's old one taken for a wish.
    keys = {name: f"steer {name} {run.id} {value}" for name, value in force.items()}
    st.session_state[SLIDERS] = keys

    def steer(name: str, key: str) -> None:
        wanted = st.session_state[key]
        if wanted != force[name] and st.session_state[SLIDERS].get(name) == key:
            act_on_runs(
                visitor, [run], lambda found, one: found.store.steer(one.id, **{name: wanted})
            )

    left, right = st.columns(2, gap="large")
    with left:
        st.slider(
            "k, from the next update on",
            1,
            _largest_k(config),
            force["k"],
            key=keys["k"],
            on_change=steer,
            args=("k", keys["k"]),
            disabled=not config.estimator_entry.uses_k,
        )
    with right:
        st.select_slider(
            "Learning rate",
            sorted({*(_rounded(config.learning_rate * factor) for factor in RATES), rate}),
            rate,
            format_func=lambda x: f"{x:g}",
            key=keys["learning_rate"],
            on_change=steer,
            args=("learning_rate", keys["learning_rate"]),
        )


def _rounded(rate: float) -> float:
    return float(f"{rate:.3g}")


def _largest_k(config: RunConfig) -> int:
    """The largest k that a group of this size allows."""
    for k in (config.n, config.n - 1):
        try:
            Change(update=0, k=k).check(config)
        except ValueError:
            continue
        return max(k, 2)
    return 2


def _changes(changes: list[Change]) -> None:
    if changes:
        told = (f"{words_of}, from update {update:,}" for update, words_of in marks_of(changes))
        st.caption("▲ Changed by hand: " + "; ".join(told) + ".")


def _facts(engine: Engine, run: Run) -> None:
    with st.container(horizontal=True):
        with st.popover("Export", icon=":material/download:"):
            show_table_downloads("Metrics", lambda: engine.store.events(run.id), run.id)
            st.download_button(
                "Settings and changes, JSON",
                lambda: export.settings_json(
                    engine.store.run(run.id), engine.store.changes(run.id)
                ),
                f"{run.id}.json",
                "application/json",
                on_click="ignore",
            )
            if (kept := cached.cached_newest_file(engine.store.files(run.id))) is not None:
                st.download_button(
                    "Newest checkpoint",
                    kept.read_bytes,
                    f"{run.id}.safetensors",
                    "application/octet-stream",
                    on_click="ignore",
                )
        with st.popover("Where it comes from", icon=":material/fingerprint:"):
            facts = {"id": run.id, "seed": run.settings.get("seed"), **run.provenance}
            packages = facts.pop("packages", {})
            st.table({name: str(value) for name, value in (facts | packages).items()})
