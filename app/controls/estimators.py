"""The controls of the estimators' page: one group of rewards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.components.reward_dragger import show_group_weights
from app.controls.address_reader import repeated_settings, show_complaints, unknown_setting
from app.controls.markdown import plain_text, problem_text
from app.controls.numbers import number_input
from pkpo.estimators import ESTIMATORS, FORMULA_LIMIT, get_estimator, parse_formula
from pkpo.fields import parse_number, parse_whole

GROUP = {
    "rewards": "0.1 0.9 0.4 0.4 0.7 0",
    "k": "3",
    "show": "s sloo sloo_minus_one canonical",
    "formula": "",
}
GROUP_LIMIT = 32
SHOWN_LIMIT = 24  # estimators at once
ESTIMATOR_VIEWS = {"group": "One group", "clinic": "Trainer clinic"}


def estimators_view() -> str:
    """The row of buttons that chooses the view; the group goes from one to the other.

    A view that does not exist is said by the view that stands in its place.
    """
    given = st.query_params.get("view", "group")
    st.session_state["_estimators_view"] = given if given in ESTIMATOR_VIEWS else "group"

    def take() -> None:
        kept = {name: st.query_params[name] for name in ("rewards", "k") if name in st.query_params}
        view = st.session_state["_estimators_view"]
        st.query_params.from_dict(kept if view == "group" else {"view": view, **kept})

    st.segmented_control(
        "View",
        list(ESTIMATOR_VIEWS),
        format_func=ESTIMATOR_VIEWS.__getitem__,
        key="_estimators_view",
        on_change=take,
        label_visibility="collapsed",
        required=True,
    )
    return str(st.session_state["_estimators_view"])


def group_controls() -> tuple[list[float], int, list[str]]:
    """Controls for a group's rewards, k and the estimators to show; what they say, checked.

    A formula of one's own is an estimator behind the others.

    The address holds them. What it holds and cannot be used is said beside its control, and the picture
    stays at the last group that could be used.
    """
    given = {name: st.query_params.get(name, default) for name, default in GROUP.items()}
    possible = st.session_state.setdefault("group possible", dict(GROUP))
    complaints: dict[str, str] = {}

    def used(name: str, most: int = GROUP_LIMIT) -> Any:
        try:
            value = _parse_group(name, given[name], most)
            possible[name] = given[name]
        except ValueError as reason:
            complaints[name] = str(reason)
            value = _parse_group(name, possible[name])
        return value

    rewards, shown, own = used("rewards"), used("show"), used("formula")
    k = min(used("k", len(rewards)), len(rewards))
    show_complaints(
        repeated_settings()
        + [unknown_setting(name) for name in st.query_params if name not in (*GROUP, "view")]
        + [_unknown_view(view) for view in st.query_params.get_all("view")[-1:] if view != "group"]
    )

    st.session_state["_rewards"] = given["rewards"]
    left, right = st.columns([3, 1])
    left.text_input(
        "Rewards of one group",
        key="_rewards",
        on_change=lambda: _keep("rewards", st.session_state["_rewards"].strip()),
        help=f"From 1 to {GROUP_LIMIT} numbers, separated by spaces or commas.",
    )
    st.session_state["_group_k"] = k
    number_input(
        "k",
        1,
        GROUP_LIMIT,
        place=right,
        key="_group_k",
        on_change=lambda: _keep("k", str(st.session_state["_group_k"])),
        help="How many attempts count: from 1 to the number of rewards.",
    )
    st.session_state["_show"] = shown
    place, beside = st.columns([3, 2])
    place.multiselect(
        "Estimators",
        list(dict.fromkeys([*ESTIMATORS, *shown])),
        key="_show",
        format_func=_label_of,
        accept_new_options=True,
        help="Some take a parameter; type such a name: dial:0.3, lstat:min, lstat:top-2, lstat:0/0/1 "
        "(the weights of k ranks, the worst first), rs_grpo:4, entropic:0.5.",
        on_change=lambda: _keep("show", " ".join(st.session_state["_show"])),
        filter_mode="contains",
        select_all=False,
    )

    def take_formula() -> None:
        _keep("formula", st.session_state["_formula"].strip())
        st.session_state.pop("close_up", None)  # look closely at the new one

    st.session_state["_formula"] = given["formula"]
    beside.text_input(
        "Your own weights: a formula",
        key="_formula",
        max_chars=FORMULA_LIMIT,
        placeholder="(r - mean(r)) / n",
        on_change=take_formula,
        help=_FORMULA_HELP,
    )
    for name, box in (("rewards", left), ("k", right), ("show", place), ("formula", beside)):
        if name in complaints:
            kept = f"; the picture is of k = {k}" if name == "k" else "; the picture is as before"
            box.error(problem_text(complaints[name]) + kept, icon=":material/error:")
    return rewards, k, list(dict.fromkeys([*shown, *own]))


_FORMULA_HELP = (
    "The weight of a sample from its reward r, its rank (1, the worst, to n), n and k, with + - * / ** "
    "and comparisons. Of each sample: exp, log, sqrt, abs, min, max, where(c, a, b), choose(a, b). Over "
    "the group: sum, mean, least, most, std, and above(x), below(x), the sums of x over higher and "
    "lower ranks. Equal rewards share their weights; 0/0 is 0."
)


def _unknown_view(view: str) -> str:
    return f"view must be one of {', '.join(ESTIMATOR_VIEWS)}, got {view[:40]!r}"


def drag_rewards(rewards: list[float], k: int, names: list[str]) -> None:
    """The same rewards as sliders, above their weights, which follow while one is dragged."""
    show_group_weights(
        rewards,
        k,
        names,
        lambda moved: _keep("rewards", " ".join(f"{reward:.12g}" for reward in moved)),
        key="_dragged",
    )


def read_group(address: Mapping[str, str]) -> tuple[list[float], int, list[str]]:
    """A group's rewards, k and estimators from settings as in the page's address.

    Raises:
      ValueError: a setting that this page does not have, or that cannot be used, in a sentence.
    """
    for name in address:
        if name not in GROUP:
            raise ValueError(unknown_setting(name))
    given = {**GROUP, **address}
    rewards = _parse_group("rewards", given["rewards"])
    k, shown = _parse_group("k", given["k"], len(rewards)), _parse_group("show", given["show"])
    return rewards, k, list(dict.fromkeys([*shown, *_parse_group("formula", given["formula"])]))


def _keep(name: str, value: str) -> None:
    if value == GROUP[name]:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = value


def _parse_group(name: str, text: str, most: int = GROUP_LIMIT) -> Any:
    if name == "k":
        return parse_whole("k", text, 1, most)
    if name == "formula":
        return [f"formula:{parse_formula(text).text}"] if text.strip() else []
    if name == "show":
        names = list(dict.fromkeys(_split_names(text)))
        if not names or any(word not in ESTIMATORS and ":" not in word for word in names):
            raise ValueError(f"choose at least one estimator that is registered, got {text[:40]!r}")
        if len(names) > SHOWN_LIMIT:
            raise ValueError(f"choose at most {SHOWN_LIMIT} estimators, got {len(names)}")
        for word in names:
            get_estimator(word)
        return names
    try:
        rewards = [parse_number("rewards", word) for word in text.replace(",", " ").split()]
    except ValueError:
        rewards = []
    if not 1 <= len(rewards) <= GROUP_LIMIT or not all(abs(r) < 1e6 for r in rewards):
        raise ValueError(
            f"rewards must be from 1 to {GROUP_LIMIT} numbers within a million, got {text[:40]!r}"
        )
    return rewards


def _split_names(text: str) -> list[str]:
    """Words between blanks or commas; a comma within brackets, as formulas have, divides nothing."""
    depth, divided = 0, ""
    for c in text:
        depth += (c == "(") - (c == ")")
        divided += " " if c == "," and depth <= 0 else c
    return divided.split()


def choose_one(label: str, options: list[str], key: str, default: str) -> str:
    """One of a few, as a row of buttons; always one."""
    if st.session_state.get(key) not in options:
        st.session_state[key] = default if default in options else options[0]

    return str(
        st.segmented_control(label, options, key=key, format_func=_shown_label, required=True)
    )


def _shown_label(name: str) -> str:
    return plain_text(_label_of(name))


def _label_of(name: str) -> str:
    """An estimator's label; of what is none, as it is."""
    try:
        return get_estimator(name).label
    except ValueError:
        return name
