"""Which problems: solved how often before and after, newly solved and lost, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from app import cached, charts, controls
from app.controls.language_page import LanguagePage
from app.glossary import link_terms
from app.language_model.sources import MethodSource, methods
from pkpo.comparisons import word_problems as study
from pkpo.figures import language_model as figures
from pkpo.figures.style import INK
from pkpo.lm.experiments import FRESH_RUN
from toy_envs.word_problems import WordProblem

SIDE_BY_SIDE = 3


def show_explorer(values: dict[str, Any], page: LanguagePage) -> None:
    """The view."""
    title = st.container()
    controls.language_view(page)
    controls.language_experiment(page)
    found = [
        method
        for method in methods(page)
        if study.has_binary_reward(method.config)
        and study.updates_with(method.records[0], "held_out")
    ]
    if not found:
        title.header("Which problems does training win, and which does it lose?", anchor=False)
        st.info("No problems are counted one by one of these runs yet.")
        return
    changes = [_change(method) for method in found]
    headline = figures.lost_and_gained([method.label for method in found], changes)
    solved = _first_solved(found) if study.has_fixed_problems(found[0].config) else []
    if solved:
        title.header("When was which of the hard problems first solved?", anchor=False)
        _fixed(found, solved)
        st.subheader(headline, anchor=False)
    else:
        title.header(headline, anchor=False)
    st.markdown(
        link_terms(
            f"Each held-out problem is answered {study.HELD_OUT_COMPLETIONS} times, before training and "
            f"after (seed {found[0].config.seed}). The darker, the more problems. Left edge: "
            "never solved "
            "before; bottom edge: never any more."
        )
    )
    for method, change, column in zip(
        found[:SIDE_BY_SIDE], changes, st.columns(min(len(found), SIDE_BY_SIDE)), strict=False
    ):
        with column:
            st.markdown(f"**{controls.plain_text(method.label)}**")
            text = figures.describe_moved(*change)
            charts.show_chart(
                figures.plot_before_and_after(*change, method.colour),
                f"moved-{method.label}",
                f"{method.label}: {text}",
                340,
            )
            st.caption(text)
    _table(page, found, changes)


def _change(method: MethodSource) -> tuple[np.ndarray, np.ndarray]:
    """How often each held-out problem was solved before and after, by the first seed."""
    record = method.records[0]
    updates = study.updates_with(record, "held_out")
    return study.solved_counts(record, updates[0]), study.solved_counts(record, updates[-1])


def _table(
    page: LanguagePage,
    found: Sequence[MethodSource],
    changes: Sequence[tuple[np.ndarray, np.ndarray]],
) -> None:
    """The problems one by one; a chosen one with its solution."""
    with st.container(horizontal=True):
        left = st.container(width="content", horizontal=True)
        labels = [method.label for method in found]
        about = controls.language_choice(page, "method", "by", labels)
    problems = cached.cached_problem_sets(found[about].config)[1]
    with left:
        levels = {problem.difficulty for problem in problems}
        controls.language_filters(page, sorted(levels | {page.level} - {0}))
    before, after = changes[about]
    listed = [
        i
        for i, problem in enumerate(problems)
        if page.level in (0, problem.difficulty)
        and (page.moved != "gained" or before[i] == 0 < after[i])
        and (page.moved != "lost" or after[i] == 0 < before[i])
    ]
    if not listed:
        st.info("No problem is like this.")
        return
    columns = {
        method.label: now[listed].astype(int)
        for method, (_, now) in zip(found, changes, strict=True)
        if len(now) == len(problems)
    }
    colours = {method.label: method.colour for method in found if method.label in columns}
    chosen = st.dataframe(
        {
            "problem": [problems[i].question for i in listed],
            "steps": [problems[i].difficulty for i in listed],
            "before": before[listed].astype(int),
            **columns,
        },
        hide_index=True,
        height=320,
        on_select="rerun",
        selection_mode="single-row",
        key=f"language-problems {page.level} {page.moved} {about}",
        column_config={
            "problem": st.column_config.TextColumn(width="large"),
            **{
                name: st.column_config.ProgressColumn(
                    min_value=0, max_value=study.HELD_OUT_COMPLETIONS, format="%d", color=colour
                )
                for name, colour in {"before": INK, **colours}.items()
            },
        },
    )
    st.caption(
        f"{len(listed):,} problems, and how many of {study.HELD_OUT_COMPLETIONS} answers are right; "
        "choose a row for its solution. Some moves are luck: what is solved once in 20 tries is often "
        "not in 16."
    )
    rows = chosen["selection"]["rows"]
    if rows and rows[0] < len(listed):
        _one(listed[rows[0]], problems[listed[rows[0]]], found[about])


def _one(place: int, problem: WordProblem, method: MethodSource) -> None:
    with st.container(border=True):
        st.markdown(f"**{controls.plain_text(problem.question)}**")
        st.markdown(f"Worked solution: {controls.code_text(problem.solution)}")
        if not method.ids and method.config.model != FRESH_RUN.model:
            return  # no model of it ships
        st.button(
            "Try it in the playground",
            icon=":material/sports_esports:",
            on_click=controls.set_language,
            kwargs={
                "view": "playground",
                "problem": place,
                "question": None,
                "model_after": next(iter(method.ids), None),  # problems are counted within its own
            },
        )


def _first_solved(found: Sequence[MethodSource]) -> list[np.ndarray]:
    """The update that first solved each problem, by method; nothing if they share no fixed set."""
    last = [method.records[0].details[max(method.records[0].details)] for method in found]
    solved = [np.array(details.get("first_solved", [])) for details in last]
    return solved if len({len(updates) for updates in solved}) == 1 and len(solved[0]) else []


def _fixed(found: Sequence[MethodSource], solved: Sequence[np.ndarray]) -> None:
    """When the problems of the fixed set were first solved, by whom."""
    problems = cached.cached_problem_sets(found[0].config)[0]
    labels = [method.label for method in found]
    text = figures.first_to_solve(labels, solved)
    st.markdown(link_terms(text))
    styled = [(m.label, m.colour, updates) for m, updates in zip(found, solved, strict=True)]
    charts.show_chart(
        figures.plot_first_solved(styled, found[0].config.steps), "first-solved", text, 320
    )
    with st.expander("The training problems"):
        st.dataframe(
            {
                "problem": [problem.question for problem in problems],
                "steps": [problem.difficulty for problem in problems],
                "solution": [problem.solution for problem in problems],
            }
            | {
                label: [int(update) if update >= 0 else None for update in updates]
                for label, updates in zip(labels, solved, strict=True)
            },
            hide_index=True,
            height=320,
        )
        st.caption("Under each method: the update that first solved it; empty for never.")
