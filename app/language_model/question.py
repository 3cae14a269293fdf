"""The problem that the playground asks: a held-out one or the visitor's own, and what is known of it."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Sequence
from typing import Any

import streamlit as st

from app import cached, controls
from app.controls.language_page import LanguagePage
from app.glossary import link_terms
from pkpo.fields import parse_whole
from pkpo.lm.experiments import FRESH_RUN
from pkpo.lm.paths import ours
from pkpo.lm.problem_sets import known_words
from pkpo.lm.tokenizer import unknown_words
from toy_envs.word_problems import WordProblem

ANSWER_REACH = 10**12  # either side of 0
WORDS_NAMED = 4  # unknown words that are named


def show_question(page: LanguagePage, config: Any, tries: int) -> tuple[WordProblem, bool]:
    """A held-out problem of a run or the visitor's own, and whether its answer is known."""
    problems = cached.cached_problem_sets(config)[1] or cached.cached_problem_sets(FRESH_RUN)[1]
    place = page.problem % len(problems)
    given = problems[place]
    typed = page.question.strip() or given.question
    ours_to_check = typed == given.question
    right = str(given.answer) if ours_to_check else ""
    controls.language_question(dataclasses.replace(page, question=typed), right)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Another problem",
            icon=":material/shuffle:",
            on_click=controls.set_language,
            kwargs={"problem": (place + 1) % len(problems), "question": None, "answer": None},
        )
        st.button(
            f"Another {tries} tries",
            icon=":material/casino:",
            on_click=controls.set_language,
            kwargs={"draw": page.draw + 1},
        )
        if ours_to_check:
            solution = controls.code_text(given.solution)
            st.caption(f"Unseen problem {place + 1} of {len(problems):,}: {solution}")
            return given, True
    answer = page.answer.strip()
    if ours(config.model):
        known = [word for word in known_words(config.model) if word[:1].isalpha()]
        with st.popover(f"The {len(known):,} words that it knows"):
            st.caption(controls.plain_text(", ".join(known)))
    try:
        known_answer = parse_whole("answer", answer, -ANSWER_REACH, ANSWER_REACH)
    except ValueError as reason:
        if answer:
            st.error(controls.problem_text(reason), icon=":material/error:")
        st.caption(link_terms("Without its answer only the equations are checked."))
        return WordProblem(typed, "", 0, 1), False
    return WordProblem(typed, "", known_answer, 1), True


def show_way_on(question: str, known: Sequence[str]) -> None:
    """Known words in place of unknown ones, and a click back to a problem that works."""
    unknown = unknown_words(question, set(known))[:WORDS_NAMED]
    if not unknown:
        return
    plain_words = [word for word in known if word[:1].isalpha()]
    near = {word: difflib.get_close_matches(word, plain_words, 3, 0.4) for word in unknown}
    told = "; ".join(f"{word}: {', '.join(words)}" for word, words in near.items() if words)
    st.caption(
        (f"Nearest words that it knows: {controls.plain_text(told)}. " if told else "")
        + "Names, things and verbs count as words, too; the list below has all that it knows."
    )
    st.button(
        "Back to a problem that it can read",
        icon=":material/undo:",
        on_click=controls.set_language,
        kwargs={"question": None, "answer": None},
    )
