"""The runs that the page looks at: recorded ones, or a visitor's own, by method."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import streamlit as st

from app.controls import OWN_RUNS, plain_text
from app.controls.language_page import LanguagePage
from app.runs.engine import Engine, engine
from pkpo.comparisons import word_problems as study
from pkpo.figures import language_model as figures
from pkpo.lm.experiments import EXPERIMENTS, METHODS, recorded_runs
from pkpo.runs import Run, StoreError
from pkpo.runs.records import RunRecord, load_record
from pkpo.training.tasks.word_problems import WordProblemsConfig


@dataclass(frozen=True, slots=True)
class MethodSource:
    """Runs that differ in their seeds only."""

    label: str
    colour: str
    records: tuple[RunRecord, ...]
    ids: tuple[str, ...] = ()
    """Of runs in the store."""

    @property
    def config(self) -> Any:
        """Of the first seed."""
        return self.records[0].config


def methods(page: LanguagePage) -> list[MethodSource]:
    """What the address asks for and is there; says what is not.

    Raises:
      StoreError, ValueError: see `Store`.
    """
    if page.experiment == OWN_RUNS:
        return own_methods(engine(), page.runs)
    found, missing = {}, []
    known = EXPERIMENTS[page.experiment].methods
    for name in (name for name in page.methods if name in known):
        try:
            found[name] = recorded_runs(page.experiment, name)
        except (OSError, ValueError):
            missing.append(METHODS[name].label)
    if missing:
        st.caption(f"Not recorded: {plain_text(', '.join(missing))}.")
    colours = [colour for _, colour in figures.method_styles([r[0].config for r in found.values()])]
    return [
        MethodSource(METHODS[name].label, colour, records)
        for (name, records), colour in zip(found.items(), colours, strict=True)
    ]


def own_methods(found: Engine, ids: tuple[str, ...]) -> list[MethodSource]:
    """Runs in the store that have begun, by method.

    Raises:
      StoreError, ValueError: see `Store`.
    """
    runs = [run for run in language_runs(found, ids) if run.metrics]
    result = []
    groups = study.group_by_seed([run.config for run in runs])
    styles = figures.method_styles([runs[places[0]].config for places in groups])
    for places, (label, colour) in zip(groups, styles, strict=True):
        members = [runs[place] for place in places]
        records = tuple(_record(found, run.id, run.step, run.status) for run in members)
        result.append(MethodSource(label, colour, records, tuple(run.id for run in members)))
    return result


def is_language_run(id: str) -> bool:
    """Whether there is such a run of the language model."""
    with suppress(StoreError, ValueError):
        return engine().store.run(id).task == WordProblemsConfig.task
    return False


def language_runs(found: Engine, ids: tuple[str, ...]) -> list[Run]:
    """Runs of the language model in the store.

    Raises:
      StoreError, ValueError: see `Store`; one is of another task.
    """
    runs = [found.store.run(id) for id in ids]
    for run in runs:
        if run.task != WordProblemsConfig.task:
            raise ValueError(f"run {run.id} is not of the language model")
    return runs


@lru_cache(maxsize=32)
def _record(found: Engine, id: str, step: int, status: str) -> RunRecord:
    """A run as it was at a step."""
    return load_record(found.store, id)
