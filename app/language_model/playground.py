"""A playground: one problem, answered by two models, such as one trained for k = 1 and one for k = 8."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app import cached, controls
from app.controls.language_page import LanguagePage
from app.language_model.asking import AskedModel, ask
from app.language_model.question import show_question, show_way_on
from app.language_model.sources import language_runs
from app.language_model.tries import Tries, check_tries, show_chances, show_tokens, show_tries
from app.runs.engine import Engine, engine
from pkpo.figures.language_model import BEFORE, method_styles
from pkpo.figures.style import INK
from pkpo.lm.devices import check_torch
from pkpo.lm.experiments import FRESH_RUN, METHODS, RECORDED
from pkpo.lm.paths import ours
from pkpo.lm.problem_sets import known_words
from pkpo.runs import Run, checkpoint
from pkpo.training.tasks.word_problems import WordProblemsConfig
from toy_envs.word_problems import WordProblem

SHIPPED = RECORDED / "models"
"""Models that recorded runs ended with, a folder per method."""
ASKED_FIRST, COMPARED = "k8", "k1"
"""Of these, what is asked before anything is chosen, and what beside it."""
BEFORE_TRAINING = "start"
LATEST = 12  # runs whose newest checkpoints are offered


def show_playground(values: dict[str, Any], page: LanguagePage) -> None:
    """The view."""
    title = st.container()
    controls.language_view(page)
    check_torch()
    box = st.container(border=True)
    found = engine()
    options = _options(found, page)
    chosen = page.model_after if page.model_after in options else next(iter(options), "")
    config = _config(found, chosen)
    before = AskedModel(config.model, config.lora, config.limit, "")
    with box:
        given = show_question(page, config, before.answers_drawn)
        beside = st.empty()
    if given is None:
        title.header("A problem that the model cannot read", anchor=False)
        return
    problem, checked = given
    if not ours(config.model):
        st.caption(
            f"Each answer has at most {config.limit:,} tokens, and one visitor asks at a time. On a "
            "free core a model of 135 million parameters takes about a minute, and half a minute more "
            "to be loaded; on a busy one, or if it is larger, it takes longer."
        )
    names = _side_by_side(page, options, chosen)
    labels = [options.get(name, BEFORE) for name in names]
    title.header(_title(before.answers_drawn, labels), anchor=False)
    columns = st.columns(2, gap="large")
    if not chosen:
        columns[1].info("No trained model is here yet. Train one: it can be asked while it learns.")
    for column, name in zip(columns, names, strict=False):
        with column:
            if name == chosen:
                controls.language_after(options, chosen)
            else:
                controls.language_beside(_beside(options, chosen), name)
    asked: list[Tries] = []
    try:
        for column, name, label in zip(columns, names, labels, strict=False):
            with column:
                model = dataclasses.replace(before, file=_file(found, name))
                with st.spinner("Asking", show_time=True):
                    tries = ask(model, problem.question, page.draw)
                asked.append(check_tries(label, _colour(found, name), tries, problem))
                show_tries(asked[-1], checked)
        if checked:
            show_chances(page, _with_start(asked, before, problem, page, names))
        else:
            st.caption("With its answer, chances and deals could be counted.")
        show_tokens(asked, checked)
    except (ValueError, checkpoint.CheckpointError) as reason:
        with beside.container():
            st.error(controls.problem_text(reason), icon=":material/error:")
            if ours(config.model):
                show_way_on(problem.question, known_words(config.model))


def _options(found: Engine, page: LanguagePage) -> dict[str, str]:
    """What has been trained: a visitor's runs, what ships, and the newest runs of others."""
    newest = found.store.runs(task=WordProblemsConfig.task, limit=LATEST)
    kept = {
        run.id: name
        for run in [*language_runs(found, page.runs), *newest]
        if checkpoint.saved(found.store.files(run.id)) and (name := _name(run))
    }
    shipped = {
        name: f"Trained for {METHODS[name].label}"
        for name in (ASKED_FIRST, COMPARED, *METHODS)
        if (SHIPPED / name).is_dir()
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
    """The settings with which a model was trained; of none, those of the recorded ones."""
    if chosen in ("", *METHODS):
        return METHODS[chosen].config(FRESH_RUN) if chosen else FRESH_RUN
    return found.store.run(chosen).config


def _file(found: Engine, chosen: str) -> str:
    """The folder or the checkpoint that holds a trained model; "" before training.

    Raises:
      ValueError: there is no whole checkpoint.
    """
    if chosen == BEFORE_TRAINING:
        return ""
    if chosen in METHODS:
        return str(SHIPPED / chosen)
    kept = cached.cached_newest_file(found.store.files(chosen))
    if kept is None:
        raise ValueError(f"run {chosen} has no whole checkpoint")
    return str(kept)


def _side_by_side(page: LanguagePage, options: dict[str, str], chosen: str) -> list[str]:
    """The models whose tries are shown, by key, the chosen one last."""
    if not chosen:
        return [BEFORE_TRAINING]
    others = _beside(options, chosen)
    usual = COMPARED if COMPARED in others else BEFORE_TRAINING
    return [page.model_beside if page.model_beside in others else usual, chosen]


def _beside(options: dict[str, str], chosen: str) -> dict[str, str]:
    """What can stand beside the chosen model: what it was, and if it is recorded the others that are."""
    recorded = {name: label for name, label in options.items() if {name, chosen} <= METHODS.keys()}
    recorded.pop(chosen, None)
    return {BEFORE_TRAINING: BEFORE} | recorded


def _title(tries: int, labels: Sequence[str]) -> str:
    words = " and ".join(label[0].lower() + label[1:] for label in labels)
    each = " each" if len(labels) > 1 else ""
    return f"One problem, {tries} tries{each}: {words}"


def _colour(found: Engine, name: str) -> str:
    return method_styles([_config(found, name)])[0][1] if name != BEFORE_TRAINING else INK


def _with_start(
    asked: Sequence[Tries],
    start: AskedModel,
    problem: WordProblem,
    page: LanguagePage,
    names: Sequence[str],
) -> Sequence[Tries]:
    """The same with the model before training first, if that is cheap."""
    if BEFORE_TRAINING in names or not ours(start.start):
        return asked
    tries = ask(start, problem.question, page.draw)
    return [check_tries(BEFORE, INK, tries, problem), *asked]
