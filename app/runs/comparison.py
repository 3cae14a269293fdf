"""Several runs over one another, and sweeps: means over seeds with their standard errors."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app import live_routes
from app.access import Visitor
from app.components import live_charts
from app.components.live_charts import Series
from app.controls.markdown import problem_text
from app.glossary import link_terms
from app.runs import listing, run_text, tables
from app.runs.engine import Engine
from app.runs.navigation import delete_button, link_to_language_page, show_heading, stop_button
from pkpo.fields import parse_whole
from pkpo.figures import run_curves
from pkpo.intervals import CONFIDENCE
from pkpo.runs import Run
from pkpo.runs.run import check_id
from pkpo.runs.sweep import summarise

COMPARED_RUNS = 12  # runs over one another


def show_comparison(engine: Engine, visitor: Visitor, text: str) -> None:
    """The runs that an address names."""
    engine.look()
    ids = list(dict.fromkeys(text.split()))
    if not 2 <= len(ids) <= COMPARED_RUNS:
        raise ValueError(f"compare: give from 2 to {COMPARED_RUNS} ids of runs, got {len(ids)}")
    runs = [engine.store.run(id) for id in ids]
    configs = [run.config for run in runs]
    changes = engine.store.steered(ids)
    styles = [
        (label + run_text.by_hand(changes.get(id, ())), colour)
        for id, (label, colour) in zip(ids, run_curves.distinct_styles(configs), strict=True)
    ]
    labels = [label for label, _ in styles]
    show_heading(f"{len(runs)} runs compared")
    baseline = _baseline(labels)
    live_charts.show_live_charts(
        [Series(id, *style) for id, style in zip(ids, styles, strict=True)],
        run_curves.run_panels(configs, set().union(*(run.metrics for run in runs))),
        key="compare-charts",
        drawn={run.id: {"status": run.status} for run in runs},
        numbers=run_curves.steady_metrics(configs),
        baseline=baseline,
    )
    if run_curves.differing_fields(configs):
        st.subheader("Settings that differ", anchor=False)
        st.markdown(tables.config_differences(configs, labels, baseline))
    else:
        st.caption("These runs have the same settings, and so the same numbers unless steered.")
    link_to_language_page(runs)
    rows = [run_text.run_row(run, None, changes.get(run.id, ())) for run in runs]
    listing.show_rows(rows, "compared-runs", choose=False)


def show_sweep_comparison(engine: Engine, visitor: Visitor, id: str) -> None:
    """Runs that were submitted together."""
    engine.look()
    runs = engine.store.runs(sweep=check_id(id))[::-1]
    if not runs:
        raise ValueError(f"there is no sweep {id}")
    configs = [run.config for run in runs]
    members = summarise(runs)
    styles = run_curves.distinct_styles([member.config for member in members])
    labels = [label for label, _ in styles]
    show_heading(runs[0].name or run_text.sweep_title(runs))
    _sweep_actions(visitor, runs)
    link_to_language_page(runs)
    baseline = _baseline(labels) if len(labels) > 1 else 0
    names = ["+".join(run.id for run in member.runs) for member in members]
    live_charts.show_live_charts(
        [Series(name, *style) for name, style in zip(names, styles, strict=True)],
        run_curves.run_panels(configs, set().union(*(run.metrics for run in runs))),
        key="sweep-charts",
        drawn={
            name: {"status": live_routes.state(member.runs, 0)["status"]}
            for name, member in zip(names, members, strict=True)
        },
    )
    st.markdown(tables.sweep_table(members, labels, run_curves.steady_metrics(configs), baseline))
    st.caption(
        link_terms(
            "Mean ± standard error over seeds, of the trained policy. Marked: surely above (▲) or below "
            f"(▼) the baseline, by the {CONFIDENCE:.0%} interval of the differences of the same seeds "
            "(Student's t, as seeds are few). Bands in the charts: ± one standard error, over the "
            "finished seeds or, while there is none, those begun."
        )
    )
    with st.expander(f"The {len(runs)} runs", key="sweep-runs"):
        listing.show_sweep_runs(engine, id)


def _baseline(labels: Sequence[str]) -> int:
    """Which run the others are held against; the address keeps it."""
    given = st.query_params.get("baseline", "0")
    try:
        at = parse_whole("baseline", given, 0, len(labels) - 1)
    except ValueError as reason:
        st.warning(problem_text(reason), icon=":material/link_off:")
        at = 0
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


def _sweep_actions(visitor: Visitor, runs: list[Run]) -> None:
    going = [run for run in runs if run.status in run_text.ACTIVE]
    if not all(map(visitor.may_change, runs)):
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if going:
            stop_button(visitor, going)
        else:
            delete_button(visitor, runs)
