"""A playground: one problem, answered by the model before training and after."""

from __future__ import annotations

import dataclasses
import difflib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from app import cached, controls
from app.controls.language_page import LanguagePage
from app.glossary import link_terms
from app.language_model import completions
from app.language_model.completions import CompletionRow
from app.language_model.sources import language_runs
from app.runs import run_text
from app.runs.engine import Engine, engine
from pkpo.fields import parse_whole
from pkpo.lm.devices import check_torch, one_thread
from pkpo.lm.experiments import FRESH_RUN, METHODS, RECORDED
from pkpo.lm.paths import first_line, ours
from pkpo.lm.problem_sets import known_words
from pkpo.lm.tokenizer import unknown_words
from pkpo.runs import Run, checkpoint
from pkpo.training.tasks.word_problems import WordProblemsConfig
from toy_envs.word_problems import Verdict, WordProblem, verify

ANSWERS_DRAWN = 16
FEW = 4
"""Tries of a model that is not ours: of 135 million parameters, each takes about 6 s on a core."""
SHIPPED = RECORDED / "models"
"""Models that recorded runs ended with, a folder per method."""
ANSWER_LABEL = 10**12  # at most, either side of 0
LATEST = 12  # runs whose newest checkpoints are offered


@dataclass(frozen=True, slots=True)
class AskedModel:
    """A model before training, or what a file holds of it."""

    start: str
    """The model before training."""
    lora: int
    limit: int
    file: str
    """A folder or a checkpoint; "" before training."""

    @property
    def answers_drawn(self) -> int:
        """How often it answers."""
        return ANSWERS_DRAWN if ours(self.start) else FEW


def show_playground(values: dict[str, Any], page: LanguagePage) -> None:
    """The view."""
    title = st.container()
    controls.language_view(page)
    check_torch()
    box = st.container(border=True)
    found = engine()
    options = _options(found, page)
    chosen = controls.language_after(page, options)
    config = _config(found, chosen)
    before = AskedModel(config.model, config.lora, config.limit, "")
    title.header(
        f"Ask the model: {before.answers_drawn} tries before training, {before.answers_drawn} after",
        anchor=False,
    )
    with box:
        problem, checked = _problem(page, config, before.answers_drawn)
        beside = st.empty()
    if not ours(config.model):
        st.caption(
            f"Each answer has at most {config.limit:,} tokens, and one visitor asks at a time. On a "
            "free core a model of 135 million parameters takes about a minute, and half a minute more "
            "to be loaded; on a busy one, or if it is larger, it takes longer."
        )
    left, right = st.columns(2, gap="large")
    left.markdown(f"**Before training:** {controls.plain_text(Path(config.model).name)}")
    if chosen:
        right.markdown(f"**After training:** {controls.plain_text(options[chosen])}")
    else:
        right.info("No trained model is here yet. Train one: it can be asked while it learns.")
    rows: list[CompletionRow] = []
    try:
        with left:
            rows += _answers(before, problem, checked, page.draw)
        if chosen:
            after = dataclasses.replace(before, file=_file(found, chosen))
            with right:
                rows += _answers(after, problem, checked, page.draw)
        completions.completions_legend(rows)
    except (ValueError, checkpoint.CheckpointError) as reason:
        with beside.container():
            st.error(controls.problem_text(reason), icon=":material/error:")
            if ours(config.model):
                _way_on(problem.question, known_words(config.model))


def _problem(page: LanguagePage, config: Any, tries: int) -> tuple[WordProblem, bool]:
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
        known_answer = parse_whole("answer", answer, -ANSWER_LABEL, ANSWER_LABEL)
    except ValueError as reason:
        if answer:
            st.error(controls.problem_text(reason), icon=":material/error:")
        st.caption(link_terms("Without its answer only the equations are checked."))
        return WordProblem(typed, "", 0, 1), False
    return WordProblem(typed, "", known_answer, 1), True


def _way_on(question: str, known: Sequence[str]) -> None:
    """Known words in place of unknown ones, and a click back to a problem that works."""
    unknown = unknown_words(question, set(known))[:FEW]
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


def _options(found: Engine, page: LanguagePage) -> dict[str, str]:
    """What has been trained: a visitor's runs, what ships, and the newest runs of others."""
    newest = found.store.runs(task=WordProblemsConfig.task, limit=LATEST)
    kept = {
        run.id: name
        for run in [*language_runs(found, page.runs), *newest]
        if checkpoint.saved(found.store.files(run.id)) and (name := _name(run))
    }
    shipped = {
        path.name: f"Recorded: {METHODS[path.name].label}"
        for path in sorted(SHIPPED.glob("*"))
        if path.name in METHODS
    }
    mine = {id: kept[id] for id in page.runs if id in kept}
    return mine | shipped | kept


def _name(run: Run) -> str:
    """A run's model in a few words; "" if it cannot be asked any more: what it started from is gone."""
    try:
        config: Any = run.config
    except ValueError:
        return ""
    told = [
        config.k_schedule.describe(),
        f"{config.problems.partition(':')[0]} problems",
        f"seed {config.seed}",
        f"update {run.step}",
    ]
    if config.model != FRESH_RUN.model:
        told.insert(0, Path(config.model).name)
    return ", ".join([run.name, *told] if run.name else told)


def _config(found: Engine, chosen: str) -> Any:
    """The settings with which a model was trained."""
    return FRESH_RUN if chosen in ("", *METHODS) else found.store.run(chosen).config


def _file(found: Engine, chosen: str) -> str:
    """The folder or the checkpoint that holds a trained model.

    Raises:
      ValueError: there is no whole checkpoint.
    """
    if chosen in METHODS:
        return str(SHIPPED / chosen)
    kept = cached.cached_newest_file(found.store.files(chosen))
    if kept is None:
        raise ValueError(f"run {chosen} has no whole checkpoint")
    return str(kept)


def _answers(
    asked: AskedModel, problem: WordProblem, checked: bool, draw: int
) -> list[CompletionRow]:
    """The different answers, the most frequent first."""
    from pkpo.lm.answers import count_distinct  # late: no other page pays for torch

    with st.spinner("Asking", show_time=True):
        found = _ask(asked, problem.question, draw)
    verdicts = {one.text: verify(one.text, problem) for one in found}
    different = count_distinct(found)
    various = run_text.count(len(different), "different answer")
    if checked:
        right = sum(verdicts[one.text].strict for one in found)
        st.subheader(f"{right} of {len(found)} fully right, {various}", anchor=False)
    else:
        st.subheader(f"{various} in {len(found)} tries", anchor=False)
    rows = [
        CompletionRow(
            tokens=one.tokens,
            probabilities=one.probabilities,
            mark=_mark(verdicts[one.text], checked),
            note=f"{count} ×",
        )
        for one, count in different
    ]
    completions.show_completions(rows)
    return rows


def _mark(verdict: Verdict, checked: bool) -> str:
    if not checked:
        return "unknown" if verdict.chain else "false"
    if verdict.answer:
        return "right" if verdict.chain else "lucky"
    return "wrong"


# --- Asking -------------------------------------------------------------------------------------

_turn = threading.Lock()  # of whoever asks a model that is not ours
_held: dict[tuple[str, int], Any] = {}  # the only one of these that is loaded


@lru_cache(maxsize=256)
def _ask(asked: AskedModel, question: str, draw: int) -> list[Any]:
    """What a model answers. It is kept, so that a page that is drawn anew waits for nobody."""
    if ours(asked.start):
        return _attempts(_own_model(asked.start, asked.file), asked, question, draw)
    waiting = st.empty()
    while not _turn.acquire(timeout=1.0):
        # Streamlit ends the script of a visitor who has left here.
        waiting.caption("Another visitor is asking. Your turn comes by itself.")
    try:
        waiting.empty()
        return _ask_large(asked, question, draw)
    finally:
        _turn.release()


@lru_cache(maxsize=256)
def _ask_large(asked: AskedModel, question: str, draw: int) -> list[Any]:
    """The same in one's turn: somebody before may have asked it."""
    from pkpo.lm.answers import SwitchableModel

    key = asked.start, asked.lora
    if key not in _held:
        _held.clear()  # before the next is loaded: there may be no room for two
        _held[key] = SwitchableModel(*key)
    model = _held[key].at(Path(asked.file) if asked.file else None)
    try:
        return _attempts(model, asked, question, draw)
    except (
        IndexError,
        RuntimeError,
    ) as reason:  # more tokens than it can read, no memory left, ...
        raise ValueError(f"the model cannot answer this ({first_line(reason)})") from reason


def _attempts(model: Any, asked: AskedModel, question: str, draw: int) -> list[Any]:
    from pkpo.lm.answers import answer_question

    with one_thread():
        return answer_question(model, question, asked.answers_drawn, draw, asked.limit)


@lru_cache(maxsize=8)
def _own_model(start: str, file: str) -> Any:
    from pkpo.lm.answers import load_checkpoint_model
    from pkpo.lm.model_files import load_model

    if not file:
        return load_model(start)
    return load_model(file) if Path(file).is_dir() else load_checkpoint_model(start, Path(file))
