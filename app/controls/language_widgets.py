"""The widgets of the language model's page; the address is their state."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from app.controls.address_widgets import bind
from app.controls.language_page import (
    EXPERIMENT_LABELS,
    HEADLINE,
    LANGUAGE_READERS,
    LANGUAGE_VIEWS,
    OWN_RUNS,
    PROBLEM_CHANGES,
    QUESTION_CHARACTERS,
    LanguagePage,
)
from pkpo.estimators import ESTIMATORS, get_estimator
from pkpo.lm import experiments
from pkpo.lm.experiments import EXPERIMENTS, METHODS

_bind = partial(bind, "language")


def language_view(page: LanguagePage) -> None:
    """The row of buttons that chooses what is shown."""
    st.segmented_control(
        "View",
        list(LANGUAGE_VIEWS),
        format_func=LANGUAGE_VIEWS.__getitem__,
        label_visibility="collapsed",
        required=True,
        **_bind("view", page.view, "results"),
    )


def language_experiment(page: LanguagePage) -> None:
    """Which runs to look at, and of which methods."""
    there = {path.name for path in experiments.RECORDED.iterdir()} | {page.experiment}
    there |= {OWN_RUNS} if page.runs else set()
    options = [name for name in EXPERIMENT_LABELS if name in there]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            "Runs",
            options,
            format_func=EXPERIMENT_LABELS.__getitem__,
            label_visibility="collapsed",
            required=True,
            wrap=True,
            **_bind("experiment", page.experiment, HEADLINE),
        )
        if page.experiment == OWN_RUNS:
            return
        known = EXPERIMENTS[page.experiment].methods
        with st.popover("Methods", icon=":material/tune:"):
            st.pills(
                "Shown",
                known,
                selection_mode="multi",
                format_func=lambda name: METHODS[name].label,
                **_bind(
                    "methods",
                    [m for m in page.methods if m in known],
                    LANGUAGE_READERS["methods"][0],
                ),
            )


def language_choice(page: LanguagePage, name: str, label: str, options: Sequence[str]) -> int:
    """One of several by its place, as a row of buttons; the first where the address names none."""
    given: int = getattr(page, name)
    chosen = given if given < len(options) else 0
    st.segmented_control(
        label,
        range(len(options)),
        format_func=options.__getitem__,
        required=True,
        wrap=True,
        **_bind(name, chosen, 0),
    )
    return chosen


def language_update(page: LanguagePage, updates: Sequence[int]) -> int:
    """One of the updates of which groups were kept; the nearest to the address's."""
    chosen = min(updates, key=lambda update: abs(update - page.update))
    if len(updates) > 1:
        st.select_slider("Update", updates, **_bind("update", chosen, 0))
    return chosen


def language_prompt(page: LanguagePage, right: Sequence[int], n: int) -> int:
    """One of an update's problems, by its place: at first the one with the fewest right answers.

    Args:
      page: the page's own settings.
      right: how many of each problem's answers earn the reward; at first, none at all is passed over.
      n: answers per problem.
    """
    telling = min(range(len(right)), key=lambda i: right[i] or n + 1)
    chosen = min(page.prompt, len(right)) or telling + 1
    st.pills(
        "Problem, and how many of its answers earn the reward",
        range(1, len(right) + 1),
        format_func=lambda place: f"{place}: {right[place - 1]} of {n}",
        required=True,
        wrap=True,
        **_bind("prompt", chosen, 0),
    )
    return chosen - 1


def language_weights(page: LanguagePage, estimator: str, k: int, n: int) -> tuple[str, int]:
    """By which estimator and k to weigh a group; what trained on it at first."""
    by, at = page.by or estimator, min(page.k or k, n)
    left, right = st.columns(2)
    with left:
        st.selectbox(
            "Weights by",
            list(dict.fromkeys([*ESTIMATORS, by])),
            format_func=lambda name: get_estimator(name).label,
            **_bind("by", by, estimator),
        )
    with right:
        if get_estimator(by).uses_k and n > 1:
            st.slider("and k", 1, n, **_bind("k", at, k))
    return by, at


def language_filters(page: LanguagePage, levels: Sequence[int]) -> None:
    """Which problems a table lists."""
    st.segmented_control(
        "Steps",
        [0, *levels],
        format_func=lambda level: str(level) if level else "All",
        required=True,
        **_bind("level", page.level, 0),
    )
    st.segmented_control(
        "Change",
        list(PROBLEM_CHANGES),
        format_func=PROBLEM_CHANGES.__getitem__,
        required=True,
        **_bind("moved", page.moved, "all"),
    )


def language_question(page: LanguagePage, known: str | None) -> None:
    """A problem of one's own.

    Args:
      page: the page's own settings.
      known: the answer, if it is not the visitor's to give; "" if it is; None if it is not asked for.
    """
    left, right = st.columns([4, 1])
    left.text_area(
        "Problem",
        height="content",
        max_chars=QUESTION_CHARACTERS,
        **_bind("question", page.question, ""),
    )
    with right:
        if known:
            st.text_input("Its answer", known, disabled=True)
        elif known is not None:
            st.text_input(
                "Its answer",
                placeholder="optional",
                max_chars=12,
                **_bind("answer", page.answer, ""),
            )
        st.button("Ask", icon=":material/question_answer:", width="stretch")


def language_after(options: dict[str, str], chosen: str) -> None:
    """Which trained model to ask, one of `options`."""
    usual = next(iter(options))
    bound = _bind("model_after", chosen, usual)
    st.selectbox("with", list(options), format_func=options.__getitem__, **bound)


def language_beside(options: dict[str, str], chosen: str) -> None:
    """Which model to ask beside it, one of `options`."""
    bound = _bind("model_beside", chosen, "")
    st.selectbox("Compare", list(options), format_func=options.__getitem__, **bound)


def language_deal(page: LanguagePage, n: int, k: int) -> None:
    """How many of n answers are dealt at once."""
    st.slider("k", 1, n, **_bind("deal_k", k, LANGUAGE_READERS["deal_k"][0]))
