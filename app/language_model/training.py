"""Train it yourself: a few choices and a button; then the runs, live."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import streamlit as st

from app import access, controls, live_routes, page_registry
from app.components import live_charts
from app.components.live_charts import Series
from app.controls.language_page import TRAINED, LanguagePage
from app.glossary import link_terms
from app.language_model.results import (
    TRAINING,
    UNSEEN,
    SolvedWithinK,
    pairs,
    show_before_and_after,
    switches,
)
from app.language_model.sources import MethodSource, language_runs, own_methods
from app.runs import run_text
from app.runs.engine import Engine, engine, explain_errors
from app.runs.navigation import act_on_store, stop_button
from app.runs.tracker_choice import choose_trackers
from pkpo.comparisons import word_problems as study
from pkpo.comparisons.settings import command_line
from pkpo.figures import language_model as figures
from pkpo.lm import experiments
from pkpo.lm.experiments import EXPERIMENTS, METHODS, recorded_runs
from pkpo.lm.paths import MODEL_NAMES
from pkpo.lm.problem_sets import ROLLING_UPDATES
from pkpo.runs import Run, sweep
from pkpo.runs.environment import run_device
from pkpo.training.tasks.registry import run_config
from pkpo.training.tasks.word_problems import WordProblemsConfig

PACED = (
    "fresh",
    "answer",
    "words",
    "abstention",
)  # recorded experiments that say how long training takes
NOT_YET = {"running": "The model learns", "queued": "Waiting for a free place"}
OVER = "Ended before its time"
REDRAW = 5.0  # seconds after which pass@k against k is drawn anew


def show_training(values: dict[str, Any], page: LanguagePage) -> None:
    """The view."""
    found, visitor = engine(), access.visitor()
    going = language_runs(found, page.runs)
    st.header(_heading(own_methods(found, page.runs), going), anchor=False)
    controls.language_view(page)
    if going:
        _live(found, visitor, going)
        with st.expander("Train others"):
            _form(found, visitor, values, page)
    else:
        _form(found, visitor, values, page)


def _heading(begun: Sequence[MethodSource], runs: Sequence[Run]) -> str:
    """What came out of the runs, once they are over."""
    unseen = pairs(begun, study.HELD_OUT_PASS)
    if any(run.status in run_text.ACTIVE for run in runs):
        return f"Training: {run_text.count(len(runs), 'run')}, live"
    if runs and unseen and unseen[0][0]:
        return figures.headline([method.label for method in begun], unseen)
    return "Train it yourself: what will it solve within 16 tries?"


# --- The form -----------------------------------------------------------------------------------


def _form(
    found: Engine, visitor: access.Visitor, values: dict[str, Any], page: LanguagePage
) -> None:
    message = controls.language_presets(values, page)
    if message:
        st.markdown(link_terms(message))
    with st.container(border=True):
        with controls.language_form(values, page, MODEL_NAMES, found.store.limits.steps):
            log = choose_trackers(visitor)
        try:
            configs = _configs(values, page)
            device = run_device(configs[0])
        except ValueError as reason:
            st.error(controls.problem_text(reason), icon=":material/error:")
            configs = []

        def start() -> None:
            def submit(to: Engine) -> str:
                together = to.store.submit_together(
                    configs, owner=visitor.owner, address=visitor.address, log=log
                )
                ids = [run.id for run in to.store.runs(sweep=together)][::-1]
                return f"view=train&runs={'+'.join(ids)}"

            act_on_store(submit)

        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                f"Train {run_text.count(len(configs), 'run')}" if configs else "Train",
                type="primary",
                icon=":material/play_arrow:",
                on_click=start,
                disabled=not configs,
            )
            if configs:
                with st.popover("Copy as command", icon=":material/terminal:"):
                    st.caption("Prints the same numbers, without a browser:")
                    lines = "\n".join(command_line([config]) for config in configs)
                    st.code(lines, language="bash", wrap_lines=True)
                st.caption(_how_long(found, configs, device), width="content")


def _configs(values: Mapping[str, Any], page: LanguagePage) -> list[Any]:
    """The runs that the form asks for.

    Raises:
      ValueError: an impossible setting, none, or too many.
    """
    base: Any = run_config(WordProblemsConfig.task, schedule="1", **values)
    trained = [
        METHODS.get(name) or experiments.Method(name, {"schedule": name}) for name in page.train
    ]
    configs = [
        config
        for method in trained
        for config in sweep.sweep_configs(
            method.config(base), range(base.seed, base.seed + page.seeds)
        )
    ]
    if not 1 <= len(configs) <= TRAINED:
        raise ValueError(f"train must give from 1 to {TRAINED} runs, got {len(configs)}")
    if len(set(configs)) < len(configs):
        raise ValueError("train: two of these are the same run")
    return configs


def _how_long(found: Engine, configs: Sequence[Any], device: str) -> str:
    """How long it will take at the pace that was measured last, and on what."""
    each = _seconds_per_answer(found, configs[0].model)
    at_once = found.executor.at_once(device)
    where = f"{found.executor.where(device)}, {run_text.count(at_once, 'run')} at a time"
    where += ", a core each" if device == "cpu" else ""
    if each is None:
        return f"Trains {where}. How long it takes is not known yet."
    places = [0.0] * at_once  # seconds until each is free
    ahead = [run for run in found.store.runs(status=run_text.ACTIVE) if run.task == configs[0].task]
    left = [_answers(run.config) * (1 - run_text.share_done(run)) for run in ahead]
    ends = []
    for answers in [*left, *map(_answers, configs)]:
        ends.append(places[0] + each * answers)
        heapq.heapreplace(places, ends[-1])
    behind = f", with {run_text.count(len(ahead), 'run')} before them" if ahead else ""
    return f"About {run_text.duration(max(ends[len(left) :]))} {where}{behind}."


def _seconds_per_answer(found: Engine, model: str) -> float | None:
    """Of the newest run of this model that went through here, or of the quickest that is recorded."""
    for run in found.store.runs(status="finished", task=WordProblemsConfig.task, limit=20):
        if run.settings.get("model") == model and run.started and run.finished:
            return (run.finished - run.started) / _answers(run.config)
    paces = []
    for name, method in ((x, method) for x in PACED for method in EXPERIMENTS[x].methods):
        with suppress(OSError, ValueError):
            for record in recorded_runs(name, method):
                if record.config.model == model and "seconds" in record.provenance:
                    paces.append(record.provenance["seconds"] / _answers(record.config))
    return min(paces, default=None)


def _answers(config: Any) -> int:
    """How many answers a run samples, to learn from and to measure."""
    measured = 1 + math.ceil(config.steps / config.interval)
    return (
        config.steps + 1
    ) * config.prompts * config.n + measured * config.held_out * study.HELD_OUT_COMPLETIONS


# --- Live ---------------------------------------------------------------------------------------


def _live(found: Engine, visitor: access.Visitor, runs: Sequence[Run]) -> None:
    """The runs as they go on: what they solve by now, their curves, and the way to each."""
    configs: list[Any] = [run.config for run in runs]
    groups = [[runs[place] for place in places] for places in study.group_by_seed(configs)]
    styles = figures.method_styles([group[0].config for group in groups])
    going = any(run.status in run_text.ACTIVE for run in runs)

    @st.fragment(run_every=REDRAW if going else None)
    def follow_pass_at_k() -> None:
        with explain_errors():
            found.look()
            _pass_at_k(found, groups, styles)

    follow_pass_at_k()
    for run in runs:
        if run.status == "failed":
            st.error(controls.plain_text(run.message), icon=":material/error:")
    names = ["+".join(run.id for run in group) for group in groups]
    live_charts.show_live_charts(
        [Series(name, *style) for name, style in zip(names, styles, strict=True)],
        figures.language_panels(configs[0]),
        switches(
            [(label, group[0].config) for (label, _), group in zip(styles, groups, strict=True)]
        ),
        key="trained-charts",
        drawn={
            name: {"status": live_routes.state(group, 0)["status"]}
            for name, group in zip(names, groups, strict=True)
        },
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        active = [run for run in runs if run.status in run_text.ACTIVE and visitor.may_change(run)]
        if active:
            stop_button(visitor, active)
        for run in runs:
            st.page_link(
                page_registry.get_page("runs"),
                label=f"{run_text.settings_in_words(run).split(' · ')[0]}, "
                f"seed {run.config.seed}: {run.status}",
                icon=f":material/{run_text.STATUS_SIGNS[run.status][1]}:",
                query_params={"run": run.id},
            )
    taken = run_text.cost(runs) if not going and len(runs) > 1 else []
    on_average = f"On average {', '.join(taken)}. " if taken else ""
    st.caption(f"{on_average}On their own pages runs can be steered and exported.")
    with st.container(horizontal=True):
        for view, label in (("group", "Look inside a group"), ("problems", "Which problems?")):
            st.button(
                label,
                on_click=controls.set_language,
                kwargs={"view": view, "experiment": controls.OWN_RUNS},
            )


def _pass_at_k(
    found: Engine, groups: Sequence[Sequence[Run]], styles: Sequence[tuple[str, str]]
) -> None:
    """What the runs solve within so many tries by now.

    Problems that are new at every update are unseen ones, too: the last of them stand in for held-out
    problems until a run is over. Nothing is drawn of a run before it has learned.
    """
    config: Any = groups[0][0].config
    seen = [[found.snapshot(run.id).curves for run in group] for group in groups]
    begun = [
        (style, group[0].config, columns)
        for style, group, columns in zip(styles, groups, seen, strict=True)
        if all(
            len(one.get("update", ())) > min(ROLLING_UPDATES, group[0].config.steps)
            for one in columns
        )
    ]
    if not begun:
        statuses = {run.status for group in groups for run in group}
        told = next((text for status, text in NOT_YET.items() if status in statuses), OVER)
        st.info(
            f"{told}: what is solved within so many tries is shown after {ROLLING_UPDATES} updates."
        )
        return
    before = _at(begun[0][2], study.HELD_OUT_PASS, 0)
    if config.problems == "fresh":
        now = [(*style, _at(c, _telling(c, config), -1)) for style, config, c in begun]
        panels = [SolvedWithinK(UNSEEN, before, now)]
    else:
        first = (
            _at(begun[0][2], study.ROLLING_PASS, 0) if study.has_fixed_problems(config) else None
        )
        now = [(*style, _at(c, study.ROLLING_PASS, -1)) for style, _, c in begun]
        panels = [SolvedWithinK(TRAINING, first, now, study.has_partial_rewards(config))]
        measured = [
            (*style, values)
            for style, config, c in begun
            if _measured(c, config) and (values := _at(c, study.HELD_OUT_PASS, -1))
        ]
        panels += [SolvedWithinK(UNSEEN, before, measured)] if measured else []
    show_before_and_after(panels, "live")
    if config.problems == "fresh" and config.held_out:
        st.caption(
            link_terms(
                f"While a run goes on: the problems of its last {ROLLING_UPDATES} updates, new to it. "
                f"Before and after: {config.held_out:,} held-out problems."
            )
        )
    elif len(panels) > 1:
        st.caption(
            link_terms(
                f"Unseen problems are measured every {config.interval:,} updates and at the end."
            )
        )


def _telling(columns: Sequence[Mapping[str, Any]], config: Any) -> str:
    """What says most of unseen problems: the held-out ones, once they are measured at the end."""
    over = config.held_out and _reached(columns) >= config.steps
    return study.HELD_OUT_PASS if over else study.ROLLING_PASS


def _measured(columns: Sequence[Mapping[str, Any]], config: Any) -> bool:
    """Whether held-out problems were answered since the start."""
    return _reached(columns) >= min(config.interval, config.steps)


def _reached(columns: Sequence[Mapping[str, Any]]) -> int:
    return min(int(one["update"][-1]) for one in columns)


def _at(columns: Sequence[Mapping[str, Any]], column: str, at: int) -> Mapping:
    """Pass@k of some seeds, at the start or now."""
    return study.pass_at_k_by_k([{n: c[at] for n, c in one.items()} for one in columns], column)
