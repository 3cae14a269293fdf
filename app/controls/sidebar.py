"""The sidebar of a problem's page: settings that the player does not move.

What only one page has, its `ProblemPage` draws.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import streamlit as st

from app.controls.address_reader import show_complaints
from app.controls.address_widgets import TYPED, suggested, typed
from app.controls.markdown import problem_text
from app.controls.numbers import number_input
from app.controls.player_settings import is_moved_in_player
from app.controls.problem_address import (
    apply_settings,
    current_settings,
    is_assignment,
    is_shown,
    page_memory,
    setting_view,
    settings_of_runs,
    write_address,
)
from app.controls.problem_spec import COMPARISONS, PLAYER_FIELDS, PRESET_CONTROL, ProblemPage
from app.glossary import GLOSSARY, link_terms
from pkpo.comparisons.settings import COMPARE_LIMIT
from pkpo.config import OPTIMIZERS
from pkpo.estimators import get_estimator

SidebarResult = TypeVar("SidebarResult")

COMPARED_FIELDS = {**COMPARISONS, "schedule": "k, or a schedule of k"}
OPTIMIZER_LABELS = {
    "sgd": "Gradient ascent",
    "normalised": "Normalised: equal steps",
    "adam": "Adam",
}
FIELDS_IN_VIEW = ("estimator", *PLAYER_FIELDS)  # the other settings are folded away


def show_notices(page: ProblemPage) -> None:
    """Say what was wrong with the address, if anything."""
    show_complaints(page_memory(page).get("notices", ()))


def preset_pills(page: ProblemPage) -> str | None:
    """The row of presets; returns the message of the one that is set, if one is."""
    names = {p.name: page.defaults | p.changes | {"compare": p.compare} for p in page.presets}
    now = next((name for name, values in names.items() if values == current_settings(page)), None)
    st.session_state["preset"] = now

    def choose() -> None:
        if chosen := st.session_state["preset"]:  # a second click takes nothing back
            apply_settings(page, names[chosen])

    if is_shown(page, PRESET_CONTROL):
        st.pills(
            "Examples", list(names), key="preset", on_change=choose, label_visibility="collapsed"
        )
    return next((p.message for p in page.presets if p.name == now), None)


def compute_results(
    page: ProblemPage, compute: Callable[[tuple[Any, ...]], SidebarResult]
) -> tuple[SidebarResult, ValueError | None]:
    """What the page computes from the runs that the controls ask for, and what is wrong with them.

    Where the controls ask for the impossible, the result is that of the last possible runs, the
    address keeps them, and the reason is for `show_sidebar` to show beside its control.
    """
    values = current_settings(page)
    try:
        configs = settings_of_runs(page, values)
        result = compute(configs)
    except ValueError as reason:
        possible = page_memory(page).get("possible") or settings_of_runs(page, page.defaults)
        return compute(possible), reason
    values[page.problem] = getattr(configs[0], page.problem)  # as it is written elsewhere
    page_memory(page)["possible"] = configs
    write_address(page, values)
    return result, None


def show_sidebar(page: ProblemPage, problem: ValueError | None) -> None:
    """Draw the controls, and what is wrong beside the control of the field that it is about."""
    slots: dict[str, Any] = {}
    field = getattr(problem, "field", "")
    compare_field = current_settings(page)["compare"].partition(" ")[0]
    folded = [name for name in ("optimizer", "steps", *page.own) if is_shown(page, name)]
    if not any([*folded, is_shown(page, "compare"), is_shown(page, "estimator")]):
        top = st.empty()  # and no sidebar
    else:
        with st.sidebar:
            top = st.empty()
            if is_shown(page, "compare"):
                _compare_controls(page, slots)
            if compare_field != "estimator" and is_shown(page, "estimator"):
                _estimator_control(page, slots)
            if field in page.fields and field not in FIELDS_IN_VIEW:
                page_memory(page)["unfolded"] = True  # and so it stays when the problem is gone
            if folded:
                unfolded = page_memory(page).get("unfolded", False)
                with st.expander("More settings", expanded=unfolded):
                    _more_controls(page, compare_field, slots)
            if not is_assignment(page):
                st.button(
                    "Reset everything",
                    icon=":material/restart_alt:",
                    type="tertiary",
                    on_click=apply_settings,
                    args=(page, {}),
                )
    if problem and not is_moved_in_player(page, problem):
        place = slots.get(field) or slots.get("compare", top)
        place.error(problem_text(str(problem)), icon=":material/error:")


def _compare_controls(page: ProblemPage, slots: dict[str, Any]) -> None:
    field, *values = current_settings(page)["compare"].split() or [""]
    key = f"_compare_{field}"  # of its own per field: lists of different fields must not mix
    st.session_state["_compare_field"] = field
    st.session_state[key] = values

    def change_field() -> None:
        chosen = st.session_state["_compare_field"]
        current_settings(page)["compare"] = (
            f"{chosen} {page.first_values[chosen]}" if chosen else ""
        )

    def change_values() -> None:
        chosen = typed(st.session_state[key], SUGGESTION_WORDS.get(field, ""))
        current_settings(page)["compare"] = " ".join([field, *chosen])

    st.selectbox(
        "Compare",
        list(COMPARISONS),
        format_func=COMPARISONS.__getitem__,
        key="_compare_field",
        on_change=change_field,
        help="Up to four runs that differ in one setting and draw the same random numbers.",
    )
    if field:
        st.multiselect(
            COMPARED_FIELDS[field],
            list(
                dict.fromkeys(
                    [*page.suggestions(field, current_settings(page)[page.problem]), *values]
                )
            ),
            key=key,
            on_change=change_values,
            max_selections=COMPARE_LIMIT,
            help=_compare_help(field),
            format_func=label_of(field, values),
            **TYPED,
        )
        slots["compare"] = st.empty()
    if field and field != "optimizer" and is_shown(page, "optimizer"):
        _equal_steps(page)


SUGGESTION_WORDS = {"schedule": "k =", "n": "n =", "learning_rate": "rate"}
"""What stands before a suggested value."""


def label_of(field: str, chosen: Sequence[str]) -> Callable[[str], str]:
    """How a compared value is shown: estimators and optimizers by their labels."""

    def label(value: str) -> str:
        if field == "optimizer":
            return OPTIMIZER_LABELS.get(value, value)
        try:
            return get_estimator(value).label
        except ValueError:
            return value

    return suggested(chosen, SUGGESTION_WORDS[field]) if field in SUGGESTION_WORDS else label


def _equal_steps(page: ProblemPage) -> None:
    """A switch for the optimizer that makes a comparison fair in another way."""
    st.session_state["_equal_steps"] = current_settings(page)["optimizer"] == "normalised"

    def switch() -> None:
        current_settings(page)["optimizer"] = (
            "normalised" if st.session_state["_equal_steps"] else "sgd"
        )

    st.toggle(
        "Steps of equal length",
        key="_equal_steps",
        on_change=switch,
        help="Off: the same learning rate for all, so that a larger gradient makes larger steps. "
        "On: every step has the length of the learning rate; only its direction is estimated.",
    )


def _compare_help(field: str) -> str:
    if field == "schedule":
        return (
            "Type any k or schedule and press Enter: `12`, `8@0,1@150` (8, then 1 from update 150), "
            "`linear:8->1@200`."
        )
    return "Choose, or type a value and press Enter."


def _estimator_control(page: ProblemPage, slots: dict[str, Any]) -> None:
    chosen = current_settings(page)["estimator"]
    st.selectbox(
        "Estimator",
        list(dict.fromkeys([*page.estimators(current_settings(page)[page.problem]), chosen])),
        **setting_view(page, "estimator"),
        format_func=lambda name: get_estimator(name).label,
        help=f"How the group's rewards become weights. {GLOSSARY['weight'].meaning}",
    )
    entry = get_estimator(chosen)
    if not entry.uses_k:
        st.caption(link_terms(f"Ignores k; optimises {entry.optimises}."))
    elif not entry.unbiased:
        st.caption(link_terms(f"Optimises {entry.optimises}."))
    slots["estimator"] = slots["rewards"] = st.empty()


def _more_controls(page: ProblemPage, compare_field: str, slots: dict[str, Any]) -> None:
    if compare_field != "optimizer" and is_shown(page, "optimizer"):
        st.selectbox(
            "Optimizer",
            list(OPTIMIZERS),
            **setting_view(page, "optimizer"),
            format_func=OPTIMIZER_LABELS.__getitem__,
            help=" · ".join(f"**{OPTIMIZER_LABELS[o]}**: {text}" for o, text in OPTIMIZERS.items()),
        )
    setting_number(page, "steps", "Updates", slots, step=50)
    page.controls(page, slots)


def setting_number(
    page: ProblemPage, name: str, label: str, slots: dict[str, Any], **more: Any
) -> None:
    """The control of a number, and the place below it for what is wrong with it."""
    if not is_shown(page, name):
        return
    limits = page.fields[name].metadata
    low, high = limits["low"], page.limits.get(name, limits["high"])
    number_input(
        label,
        low,
        high,
        **setting_view(page, name),
        help=f"{GLOSSARY[name].meaning if name in GLOSSARY else ''} From {low:,} to {high:,}.".strip(),
        **more,
    )
    slots[name] = st.empty()
