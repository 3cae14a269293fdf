"""Several runs over one another, and sweeps: means over seeds with their standard errors."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app import livecharts
from app.access import Visitor
from app.controls import plain
from app.livecharts import Series
from app.runs import listing, tables, words
from app.runs.engine import POLL, Engine, explained
from app.runs.going import back, change, follow
from pkpo.figures import progress
from pkpo.runs import Run
from pkpo.runs.run import check_id
from pkpo.runs.sweep import Member, summarise

LIMIT = 12  # runs over one another


def show(engine: Engine, visitor: Visitor, text: str) -> None:
    """The runs that an address names."""
    engine.look()
    back()
    ids = list(dict.fromkeys(text.split()))
    if not 2 <= len(ids) <= LIMIT:
        raise ValueError(f"compare: give from 2 to {LIMIT} ids of runs, got {len(ids)}")
    runs = [engine.store.run(id) for id in ids]
    configs = [run.config for run in runs]
    styles = progress.styles(configs)
    labels = [label for label, _ in styles]
    st.header(f"{len(runs)} runs compared", anchor=False)
    polled = any(run.status in words.ACTIVE for run in runs)
    baseline = _baseline(labels)

    @st.fragment(run_every=POLL if polled else None)
    def follow_runs() -> None:
        follow()
        with explained():
            engine.look()
            now = [engine.store.run(id) for id in ids]
            if polled and not any(run.status in words.ACTIVE for run in now):
                st.rerun()
            series = [
                Series(run.id, label, colour, engine.curves(run.id))
                for run, (label, colour) in zip(now, styles, strict=True)
            ]
            livecharts.show(series, progress.panels(configs), key="compare-charts")
            columns = [panel.column for panel in progress.panels(configs) if not panel.steps]
            st.markdown(tables.latest(now, columns, labels, baseline))

    follow_runs()
    if progress.differences(configs):
        st.subheader("Settings that differ", anchor=False)
        st.markdown(tables.config_differences(configs, labels, baseline))
    else:
        st.caption("These runs have the same settings, and so the same numbers unless steered.")
    listing.show_rows([words.row(run, None) for run in runs], [], "compared-runs", choose=False)


def show_sweep(engine: Engine, visitor: Visitor, id: str) -> None:
    """Runs that were submitted together."""
    engine.look()
    back()
    runs = engine.store.runs(sweep=check_id(id))[::-1]
    if not runs:
        raise ValueError(f"there is no sweep {id}")
    configs = [run.config for run in runs]
    field = progress.varied(configs)
    one_each = list({getattr(config, field, None): config for config in configs}.values())
    styles = progress.styles([config.replace(seed=0) for config in one_each])
    labels = [label for label, _ in styles]
    st.header(plain(runs[0].name or words.sweep_title(runs)), anchor=False)
    polled = any(run.status in words.ACTIVE for run in runs)
    _sweep_actions(visitor, runs)
    baseline = _baseline(labels) if len(labels) > 1 else 0
    columns = [p.column for p in progress.panels(configs) if not p.steps]

    @st.fragment(run_every=POLL if polled else None)
    def follow_sweep() -> None:
        follow()
        with explained():
            engine.look()
            counted = _counted(engine.store.runs(sweep=id), field)
            members = summarise(
                engine.store, id, field, lambda one: engine.curves(one) if one in counted else {}
            )
            if polled and not any(
                run.status in words.ACTIVE for member in members for run in member.runs
            ):
                st.rerun()
            livecharts.show(
                [_mean(m, counted, style) for m, style in zip(members, styles, strict=True)],
                progress.panels(configs),
                key="sweep-charts",
            )
            st.markdown(tables.sweep_table(members, labels, columns, baseline))
            st.caption(
                "Mean ± standard error over seeds, of the trained policy. Marked: more than two "
                "standard errors of the difference from the baseline. Bands in the charts: ± one "
                "standard error, over the finished seeds or, while there is none, those begun."
            )
            now = [run for member in members for run in member.runs]
            _runs_of(engine, now)

    follow_sweep()


def _baseline(labels: Sequence[str]) -> int:
    """Which run the others are held against; the address keeps it."""
    given = st.query_params.get("baseline", "0")
    at = int(given) if given.isdecimal() and int(given[:4]) < len(labels) else 0
    st.session_state["_baseline"] = at

    def pin() -> None:
        if (chosen := st.session_state["_baseline"]) != at:
            st.query_params["baseline"] = str(chosen)

    return st.selectbox(
        "Baseline",
        range(len(labels)),
        format_func=labels.__getitem__,
        key="_baseline",
        on_change=pin,
        width=360,
    )


def _counted(runs: Sequence[Run], field: str) -> set[str]:
    """Whose curves are drawn: per value the finished runs or, while there is none, all that began."""
    by_value: dict[object, list[Run]] = {}
    for run in runs:
        by_value.setdefault(run.settings.get(field), []).append(run)
    counted = set()
    for together in by_value.values():
        finished = [run.id for run in together if run.status == "finished"]
        counted.update(finished or [run.id for run in together if run.metrics])
    return counted


def _mean(member: Member, counted: set[str], style: tuple[str, str]) -> Series:
    curves = {name: spread.mean for name, spread in member.curves.items()}
    errors = {name: spread.error for name, spread in member.curves.items() if len(member.runs) > 1}
    name = "+".join(run.id for run in member.runs if run.id in counted)
    return Series(name, *style, curves, errors)


def _sweep_actions(visitor: Visitor, runs: list[Run]) -> None:
    going = [run for run in runs if run.status in words.ACTIVE]
    if going and all(map(visitor.may_change, runs)):
        st.button(
            "Stop all",
            icon=":material/stop:",
            on_click=change,
            args=(visitor, going, lambda engine, one: engine.store.stop(one.id)),
        )


def _runs_of(engine: Engine, runs: list[Run]) -> None:
    places = {id: place for place, id in enumerate(engine.store.queue(), 1)}
    with st.expander(f"The {len(runs)} runs", key="sweep-runs"):
        chosen = [
            id
            for id in st.session_state.get(listing.CHOSEN, [])
            if any(run.id == id for run in runs)
        ]
        listing.show_rows(
            [words.row(run, places.get(run.id)) for run in runs], chosen, "sweep-list"
        )
