"""The problem that the playground asks: built of chips, typed, or a held-out one; and its answer."""

from __future__ import annotations

import dataclasses
import difflib
import re
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
from toy_envs.question_reader import (
    Reading,
    TemplateSlots,
    example_of,
    parse_question,
    read_question,
)
from toy_envs.word_problems import TEMPLATES, WordProblem

ANSWER_REACH = 10**12  # either side of 0
WORDS_NAMED = 4  # unknown words that are named


def show_question(page: LanguagePage, config: Any, tries: int) -> tuple[WordProblem, bool] | None:
    """A held-out problem, or one that was built or typed; and whether its answer is known.

    Where problems come from the templates, what is typed is read in their words, and answered; None
    where there are others left.
    """
    problems = cached.cached_problem_sets(config)[1] or cached.cached_problem_sets(FRESH_RUN)[1]
    place = page.problem if page.problem < len(problems) else 0
    given = problems[place]
    typed = page.question.strip() or given.question
    reading = read_question(typed) if parse_question(given.question) else None
    if reading is None:
        found = _free_question(page, config, typed, given), False
    else:
        found = _template_question(page, typed, reading), bool(reading.unknown)
    (problem, checked), unreadable = found
    if place != page.problem:
        st.caption(f"There is no problem {page.problem + 1:,} here: this is the first.")
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
        if typed == given.question:
            solution = controls.code_text(given.solution)
            st.caption(f"Unseen problem {place + 1} of {len(problems):,}: {solution}")
        elif problem.solution:
            st.caption(f"Worked solution: {controls.code_text(problem.solution)}")
    return None if unreadable else (problem, checked)


# --- In the words of the templates ----------------------------------------------------------------


def _template_question(
    page: LanguagePage, typed: str, reading: Reading
) -> tuple[WordProblem, bool]:
    """Chips where a template could have made it, a field to type, and how that was read."""
    parsed = parse_question(reading.text)
    if parsed and reading.problem:
        _show_chips(parsed)
    answered = reading.problem is not None
    with st.expander("Type a problem in your own words", expanded=not answered):
        shown = dataclasses.replace(page, question=typed)
        controls.language_question(shown, None if answered or reading.unknown else "")
    if reading.changes:
        told = ", ".join(f"{old} → {new}" for old, new in reading.changes)
        st.caption(f"Read in words that the model knows: {controls.plain_text(told)}.")
    if reading.problem:
        return reading.problem, True
    _offer(reading, parsed)
    if reading.unknown:  # it is not asked
        return WordProblem(reading.text, "", 0, 1), False
    return _with_given_answer(page, reading.text)


def _offer(reading: Reading, parsed: TemplateSlots | None) -> None:
    """Why a text has no answer here, and the nearest problem that has one."""
    if reading.unknown:
        words = ", ".join(reading.unknown[:WORDS_NAMED])
        why = f"The model does not know: {controls.plain_text(words)}."
    elif parsed:
        why = "No problem that the model was shown has these numbers."
    else:
        why = (
            "No problem that the model was shown is put like this, so that its answer is not known."
        )
    st.warning(f"{why} The nearest that works: *{controls.plain_text(reading.nearest.question)}*")
    st.button(
        "Take the nearest",
        icon=":material/check:",
        on_click=controls.set_language,
        kwargs={"question": reading.nearest.question, "answer": None},
    )


def _show_chips(parsed: TemplateSlots) -> None:
    """The sentence with what can be exchanged in it, and the kinds of problems."""
    kind = TEMPLATES.index(parsed.template)
    st.session_state["_language_kind"] = kind
    st.selectbox(
        "Kind of problem",
        range(len(TEMPLATES)),
        format_func=lambda place: re.sub(r"{\w+}", "…", TEMPLATES[place].text),
        key="_language_kind",
        on_change=_take_kind,
    )
    seen: set[str] = set()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for i, part in enumerate(re.split(r"{(\w+)}", parsed.template.text)):
            if i % 2 == 0:
                if part.strip():
                    st.markdown(controls.plain_text(part.strip()), width="content")
            elif part in seen:
                st.markdown(f"**{parsed.values[part]}**", width="content")
            else:
                _show_chip(parsed, part)
                seen |= {part, *({"BOX", "BOXES"} if part in ("BOX", "BOXES") else ())}


def _show_chip(parsed: TemplateSlots, slot: str) -> None:
    key = f"_language_slot_{slot}"
    choices = parsed.choices(slot)
    st.session_state[key] = parsed.values[slot]
    st.selectbox(
        SLOT_LABELS.get(slot, "Number"),
        choices,
        key=key,
        label_visibility="collapsed",
        width=110 if slot.islower() else 130,
        on_change=_take_slot,
        args=(parsed, slot),
    )


SLOT_LABELS = {"THINGS": "Things", "BOX": "Box", "BOXES": "Boxes"} | dict.fromkeys("NML", "Person")


def _take_slot(parsed: TemplateSlots, slot: str) -> None:
    """Put what a chip holds into the question."""
    problem = parsed.replace(slot, st.session_state[f"_language_slot_{slot}"]).problem()
    if problem:
        controls.set_language(question=problem.question, answer=None)


def _take_kind() -> None:
    """A problem of another kind."""
    problem = example_of(TEMPLATES[st.session_state["_language_kind"]]).problem()
    if problem:
        controls.set_language(question=problem.question, answer=None)


# --- In any words ---------------------------------------------------------------------------------


def _free_question(
    page: LanguagePage, config: Any, typed: str, given: WordProblem
) -> tuple[WordProblem, bool]:
    """A field to type, and one for the answer, which nobody here knows."""
    if typed == given.question:
        controls.language_question(dataclasses.replace(page, question=typed), str(given.answer))
        return given, True
    controls.language_question(dataclasses.replace(page, question=typed), "")
    if ours(config.model):
        known = [word for word in known_words(config.model) if word[:1].isalpha()]
        with st.popover(f"The {len(known):,} words that it knows"):
            st.caption(controls.plain_text(", ".join(known)))
    return _with_given_answer(page, typed)


def _with_given_answer(page: LanguagePage, question: str) -> tuple[WordProblem, bool]:
    """The problem with the answer that the visitor gave, and whether there is one."""
    answer = page.answer.strip()
    try:
        known_answer = parse_whole("answer", answer, -ANSWER_REACH, ANSWER_REACH)
    except ValueError as reason:
        if answer:
            st.error(controls.problem_text(reason), icon=":material/error:")
        st.caption(link_terms("Without its answer only the equations are checked."))
        return WordProblem(question, "", 0, 1), False
    return WordProblem(question, "", known_answer, 1), True


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
