"""The form for new runs. The address is its state: it holds what differs from the default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from app.access import Visitor
from app.controls import BANDIT_PAGE, HILL_PAGE, ProblemPage, plain_text
from app.controls.address_reader import COMPLAINTS_SHOWN, unknown_setting
from app.controls.address_widgets import TYPED, typed
from app.controls.markdown import problem_text
from app.controls.numbers import number_input
from app.controls.problem_spec import COMPARISONS
from app.controls.sidebar import SUGGESTION_WORDS, label_of
from app.runs import run_text
from app.runs.engine import Engine
from app.runs.navigation import act_on_store, show_heading
from app.runs.tracker_choice import choose_trackers
from pkpo.config import OPTIMIZERS
from pkpo.estimators import get_estimator
from pkpo.fields import format_value, parse_field, parse_whole
from pkpo.runs import Run, Store, sweep
from pkpo.training.tasks.registry import parse_value, run_config
from toy_envs.bandit import BANDITS
from toy_envs.gaussian_hill import REWARD_SHAPES

FORM_PAGES = {page.task: page for page in (HILL_PAGE, BANDIT_PAGE)}
"""What this form can start; a language model has a page of its own."""
STEPS = 10_000
MAX_SEEDS, VALUES = 20, 8  # at most
RUN_LABELS = {
    "n": "Samples per group, n",
    "schedule": "k, or a schedule",
    "estimator": "Estimator",
    "steps": "Updates",
    "learning_rate": "Learning rate",
    "optimizer": "Optimizer",
    "seed": "First random seed",
    "theta": "Start θ",
    "sigma": "σ of the policy",
    "learn_sigma": "Learn σ too",
    "shape": "Reward",
    "bandit": "Bandit",
    "sharing": "What prompts share",
}
FORM_FIELDS_IN_VIEW = ("schedule", "n", "estimator", "steps")
PROBLEM_LABELS = {
    "bandit": {name: entry.label for name, entry in BANDITS.items()},
    "shape": {name: entry.label for name, entry in REWARD_SHAPES.items()},
}
"""The fields that name a problem, and what can be named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormExtras:
    """What the form holds besides a run's settings."""

    seeds: int = 1
    """Runs that differ in their random numbers only."""
    vary: str = ""
    """A field and the values that it goes through, parted by blanks."""
    name: str = ""


def show_form(engine: Engine, visitor: Visitor) -> None:
    """The form."""
    show_heading("New run")
    page = FORM_PAGES[_task()]
    top = min(page.fields["steps"].metadata["high"], engine.store.limits.steps)
    values, extras, problems = _read(page, st.query_params.to_dict(), top)
    field, *among = extras.vary.split() or [""]
    left, right = st.columns(2, gap="large")
    with left, st.container(border=True):
        st.segmented_control(
            "Problem",
            list(FORM_PAGES),
            format_func=run_text.task_title,
            required=True,
            **_bind("new", page.task, None),
        )
        for name in FORM_FIELDS_IN_VIEW:
            if name != field:
                _field(page, name, values, top)
        with st.expander("More settings"):
            for name in page.fields:
                if name not in (*FORM_FIELDS_IN_VIEW, field):
                    _field(page, name, values, top)
            log = choose_trackers(visitor)
    with right, st.container(border=True):
        number_input(
            "Seeds",
            1,
            MAX_SEEDS,
            help="So many runs that differ in their random numbers only: the page then shows their "
            "mean and its standard error.",
            **_bind("seeds", extras.seeds, 1),
        )
        _vary(page, field, among, str(values[page.problem]))
        st.text_input(
            "Name", max_chars=80, placeholder="optional", **_bind("name", extras.name, "")
        )
    configs = []
    if not problems:
        try:
            configs = _configs(page, values, extras.seeds, field, among)
        except ValueError as reason:
            problems = [str(reason)]
    for problem in problems[:COMPLAINTS_SHOWN]:
        st.error(problem_text(problem), icon=":material/error:")

    def start() -> None:
        act_on_store(lambda found: _submit(found.store, configs, visitor, extras.name, log))

    several = f"Start {run_text.count(len(configs), 'run')}" if len(configs) > 1 else "Start"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            several,
            type="primary",
            icon=":material/play_arrow:",
            on_click=start,
            disabled=not configs,
        )
        if len(configs) > 1:
            values_of = f"{run_text.count(len(among), 'value')} × " if field else ""
            st.caption(f"{values_of}{run_text.count(extras.seeds, 'seed')}")


def address_of(run: Run) -> str:
    """The form filled with a run's settings."""
    changed = {"steps": format_value(run_text.run_steps(run))}
    changed |= {name: format_value(value) for name, value in run.config.changed().items()}
    return urlencode({"new": run.task, **changed})


def _task() -> str:
    given = st.query_params.get("new", "")
    if given and given not in FORM_PAGES:
        st.warning(
            f"There is no problem {plain_text(repr(given[:40]))}.", icon=":material/link_off:"
        )
    return given if given in FORM_PAGES else BANDIT_PAGE.task


def _read(
    page: ProblemPage, address: Mapping[str, str], top: int
) -> tuple[dict[str, Any], FormExtras, list[str]]:
    """The settings, what else the form holds, and what is wrong with the address."""
    values = {name: field.default for name, field in page.fields.items()}
    values["steps"] = min(STEPS, top)
    extras = FormExtras()
    problems = []
    for name, text in address.items():
        try:
            if name in page.fields:
                field = page.fields[name]
                as_typed = isinstance(field.default, str) and "choices" not in field.metadata
                limit = top if name == "steps" else None
                values[name] = text if as_typed else parse_field(field, text, limit)
            elif name == "seeds":
                extras = replace(extras, seeds=parse_whole("seeds", text, 1, MAX_SEEDS))
            elif name == "vary":
                extras = replace(extras, vary=_vary_of(text))
            elif name == "name":
                extras = replace(extras, name=text[:80])
            elif name != "new":
                raise ValueError(unknown_setting(name))
        except ValueError as reason:
            problems.append(str(reason))
    return values, extras, problems


def _vary_of(text: str) -> str:
    """What the runs are to differ in: a field and its values, parted by a blank each.

    Raises:
      ValueError: no field to go through, or more values than the form has.
    """
    field, *among = text.split() or [""]
    if field not in COMPARISONS:
        raise ValueError(f"vary: cannot go through {text[:40]!r}")
    if len(among) > VALUES:
        raise ValueError(f"vary: give at most {VALUES} values, got {len(among)}")
    return " ".join([field, *among])


def _configs(
    page: ProblemPage, values: Mapping[str, Any], seeds: int, field: str, among: list[str]
) -> list[Any]:
    found = [parse_value(field, text) for text in among]
    given = {**values, field: found[0]} if found else values
    base = run_config(page.task, **given)
    return sweep.sweep_configs(base, range(base.seed, base.seed + seeds), field, found)


def _submit(
    store: Store,
    configs: list[Any],
    visitor: Visitor,
    name: str,
    log: tuple[str, ...] | None,
) -> str:
    how: dict[str, Any] = {"owner": visitor.owner, "address": visitor.address, "log": log}
    if len(configs) == 1:
        return f"run={store.submit(configs[0], **how, name=name)}"
    return f"sweep={store.submit_together(configs, **how, name=name)}"


def _bind(name: str, value: Any, default: Any) -> dict[str, Any]:
    """Key and callback of a widget whose value the address keeps."""
    key = f"_run_{name}"
    st.session_state[key] = value

    def take() -> None:
        chosen = st.session_state[key]
        if chosen == value:  # a browser may repeat what it was told, even once the form is left
            return
        if name == "new":
            st.query_params.from_dict({"new": chosen})  # fields of another problem
        elif chosen == default or chosen is None:
            st.query_params.pop(name, None)
        else:
            st.query_params[name] = format_value(chosen)

    return {"key": key, "on_change": take}


def _field(page: ProblemPage, name: str, values: Mapping[str, Any], top: int) -> None:
    field = page.fields[name]
    value, label, limits = values[name], RUN_LABELS[name], field.metadata
    bound = _bind(name, value, STEPS if name == "steps" else field.default)
    if name == "estimator":
        options = dict.fromkeys([*page.estimators(str(values[page.problem])), value])
        st.selectbox(label, list(options), format_func=_estimator_label, **bound)
    elif name in PROBLEM_LABELS:
        options = dict.fromkeys([*PROBLEM_LABELS[name], value])
        st.selectbox(
            label,
            list(options),
            format_func=lambda text: PROBLEM_LABELS[name].get(text, text),
            accept_new_options=True,
            **bound,
        )
    elif name == "optimizer":
        st.selectbox(label, list(OPTIMIZERS), format_func=OPTIMIZERS.__getitem__, **bound)
    elif isinstance(field.default, bool):
        st.checkbox(label, **bound)
    elif isinstance(field.default, str):
        st.text_input(label, help="Such as 8, `8@0,1@5000` or `linear:8->1@5000`.", **bound)
    else:
        high = top if name == "steps" else limits["high"]
        step = 1000 if name == "steps" else None
        number_input(label, limits["low"], high, step=step, help=f"At most {high:,}.", **bound)


def _estimator_label(name: str) -> str:
    try:
        return get_estimator(name).label
    except ValueError:
        return name


def _vary(page: ProblemPage, field: str, among: list[str], problem: str) -> None:
    """What the runs are to differ in."""
    st.session_state["_run_vary"] = field
    key = f"_run_among_{field}"
    st.session_state[key] = among

    def change_field() -> None:
        chosen = st.session_state["_run_vary"]
        if chosen != field:
            _keep_vary(f"{chosen} {page.first_values[chosen]}" if chosen else "")

    def change_values() -> None:
        texts = typed(st.session_state[key], SUGGESTION_WORDS.get(field, ""))
        if texts != among:
            _keep_vary(" ".join([field, *texts]))

    st.selectbox(
        "Vary as well",
        list(COMPARISONS),
        format_func=lambda name: COMPARISONS[name] if name else "Nothing",
        key="_run_vary",
        on_change=change_field,
    )
    if field:
        st.multiselect(
            COMPARISONS[field],
            list(dict.fromkeys([*page.suggestions(field, problem), *among])),
            key=key,
            on_change=change_values,
            max_selections=VALUES,
            format_func=label_of(field, among),
            **TYPED,
            help="Choose, or type a value and press Enter.",
        )


def _keep_vary(text: str) -> None:
    if text:
        st.query_params["vary"] = text
    else:
        st.query_params.pop("vary", None)
