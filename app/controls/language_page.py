"""The language model's page as data: its settings, which the address holds, and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from app.controls.address_reader import read_link, show_complaints
from app.controls.address_widgets import one_of
from pkpo.analysis.deals import DEAL_LIMIT
from pkpo.config import RunConfig
from pkpo.estimators import get_estimator
from pkpo.fields import format_value, parse_field, parse_whole
from pkpo.lm.experiments import ABSTENTION_EXPERIMENT, METHODS
from pkpo.lm.paths import HARD_UNSEEN, MODEL_NAMES, PROBLEM_SETS
from pkpo.runs.run import check_id
from pkpo.training.tasks.registry import fields_of
from pkpo.training.tasks.word_problems import WordProblemsConfig

LANGUAGE_VIEWS = {
    "results": "What training changed",
    "group": "Inside a group",
    "train": "Train it yourself",
    "problems": "Which problems",
    "playground": "Playground",
}
OWN_RUNS = "own"
EXPERIMENT_LABELS = {
    HARD_UNSEEN: "Hard problems, unseen",
    "fresh": "Fresh problems",
    "hard": "Fixed hard set",
    "answer": "Answer only",
    ABSTENTION_EXPERIMENT: "Abstaining pays",
    "words": "In the words of GSM8K",
    OWN_RUNS: "Your runs",
}
HEADLINE = HARD_UNSEEN
"""What the page opens with."""
PROBLEM_CHANGES = {"all": "All", "gained": "Newly solved", "lost": "Lost"}
RUNS = 24  # at most, in one address
TRAINED = 12  # at most, with one click
LANGUAGE_SEEDS = 5
QUESTION_CHARACTERS = 1000  # characters of a question; the longest of GSM8K has 985

LANGUAGE_LABELS = {
    "model": "Model",
    "problems": "Problems",
    "reward": "Reward",
    "n": "Answers per problem, n",
    "prompts": "Problems per update",
    "steps": "Updates",
    "learning_rate": "Learning rate",
    "estimator": "Estimator",
    "held_out": "Held-out problems",
    "interval": "Updates between measurements",
    "abstention": "What abstaining earns",
    "seed": "First random seed",
}
LANGUAGE_FIELDS = {name: fields_of(WordProblemsConfig.task)[name] for name in LANGUAGE_LABELS}
"""The settings of a run that this page has; the methods say the others."""
LANGUAGE_LIMITS = {"n": 64, "prompts": 256, "held_out": 4096}
"""Limits of this page, below the library's: an update is over in seconds."""


def _whole(name: str, low: int, high: int) -> Callable[[str], int]:
    return lambda text: parse_whole(name, text, low, high)


def _methods(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(text.split()))
    for name in names:
        if name not in METHODS:
            raise ValueError(f"methods: there is no {name[:40]!r}")
    return names


def parse_trained(text: str) -> tuple[str, ...]:
    """What to train: keys of `METHODS`, or what is meant as schedules, which the form then checks.

    Raises:
      ValueError: too many.
    """
    names = tuple(dict.fromkeys(text.split()))
    if len(names) > TRAINED:
        raise ValueError(f"train must give at most {TRAINED} runs, got {len(names)}")
    return names


def _ids(text: str) -> tuple[str, ...]:
    ids = tuple(dict.fromkeys(text.split()))
    if len(ids) > RUNS:
        raise ValueError(f"runs: give at most {RUNS} ids, got {len(ids)}")
    return tuple(map(check_id, ids))


def _estimator(text: str) -> str:
    if text:
        get_estimator(text)
    return text


def _short(name: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if len(text) > QUESTION_CHARACTERS:
            raise ValueError(
                f"{name} must have at most {QUESTION_CHARACTERS} characters, got {len(text)}"
            )
        return text

    return read


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguagePage:
    """What the page shows: its own settings, beside those of a run."""

    view: str
    """A key of `LANGUAGE_VIEWS`."""
    experiment: str
    """A key of `EXPERIMENT_LABELS`."""
    methods: tuple[str, ...]
    """Keys of `METHODS` that are looked at."""
    train: tuple[str, ...]
    """What to train, see `parse_trained`."""
    seeds: int
    """Runs of each method."""
    runs: tuple[str, ...]
    """Ids of runs that are looked at."""
    method: int
    """A place among the methods."""
    update: int
    prompt: int
    """A place among an update's problems, from 1; 0 for the one that tells most."""
    by: str
    """An estimator; "" for the one that trained."""
    k: int
    """0 for the one that trained."""
    level: int
    """Steps of a problem; 0 for all."""
    moved: str
    """A key of `PROBLEM_CHANGES`."""
    problem: int
    """The place of a held-out problem."""
    question: str
    """A problem of the visitor's own."""
    answer: str
    model_after: str
    """A trained model, as `language_after` offers it."""
    model_beside: str
    """What is asked beside it, as `language_beside` offers it."""
    draw: int
    """The seed of the answers."""
    deal_k: int
    """Answers that are dealt at once."""
    deals: int
    """How often they were dealt."""


LANGUAGE_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "view": ("results", one_of("view", tuple(LANGUAGE_VIEWS))),
    "experiment": (HEADLINE, one_of("experiment", tuple(EXPERIMENT_LABELS))),
    "methods": ("k1 k8 annealed", _methods),
    "train": ("k1 k8 annealed", parse_trained),
    "seeds": ("1", _whole("seeds", 1, LANGUAGE_SEEDS)),
    "runs": ("", _ids),
    "method": ("0", _whole("method", 0, RUNS)),
    "update": ("0", _whole("update", 0, 1_000_000)),
    "prompt": ("0", _whole("prompt", 0, 100)),
    "by": ("", _estimator),
    "k": ("0", _whole("k", 0, 4096)),
    "level": ("0", _whole("level", 0, 100)),
    "moved": ("all", one_of("moved", tuple(PROBLEM_CHANGES))),
    "problem": (
        "700",
        _whole("problem", 0, 100_000),
    ),  # k = 8 solves it now and then, k = 1 does not
    "question": ("", _short("question")),
    "answer": ("", _short("answer")),
    "model_after": ("", _short("model_after")),
    "model_beside": ("", _short("model_beside")),
    "deal_k": ("4", _whole("deal_k", 1, 16)),
    "deals": ("0", _whole("deals", 0, DEAL_LIMIT)),
    "draw": ("0", _whole("draw", 0, 2**32 - 2)),
}
"""The page's own settings beside those of a run: default text, and how a text is read."""
_RUNS = "language runs"


def language_settings(
    known: Callable[[str], bool] = lambda id: True, host: bool = True
) -> tuple[dict[str, Any], LanguagePage]:
    """A run's settings and the page's own, from the address.

    What cannot be used is said at the page's top and left at its default. Where the address names no
    runs, those count that the visitor looked at before.

    Args:
      known: whether there still is such a run.
      host: whether paths and names on the hub may be given. From others they are not even looked at: an
        answer would say which files there are.

    Returns:
      Settings of `WordProblemsConfig`, and the page's own.
    """
    values = {name: field.default for name, field in LANGUAGE_FIELDS.items()}
    shown = {name: read(default) for name, (default, read) in LANGUAGE_READERS.items()}
    readers: dict[str, Callable[[str], Any]] = {
        name: partial(parse_field, f, at_most=LANGUAGE_LIMITS.get(name))
        for name, f in LANGUAGE_FIELDS.items()
    }
    if not host:
        readers["model"] = one_of("model", MODEL_NAMES)
        readers["problems"] = one_of("problems", tuple(PROBLEM_SETS))
    given, problems = read_link(
        readers | {name: read for name, (_, read) in LANGUAGE_READERS.items()}
    )
    values |= {name: value for name, value in given.items() if name in LANGUAGE_FIELDS}
    shown |= {name: value for name, value in given.items() if name in LANGUAGE_READERS}
    if shown["runs"]:
        st.session_state[_RUNS] = shown["runs"]
    else:
        shown["runs"] = tuple(filter(known, st.session_state.get(_RUNS, ())))
    if shown["experiment"] == OWN_RUNS and not shown["runs"]:
        problems.append("experiment: there are no runs of yours in the address")
        shown["experiment"] = HEADLINE
    show_complaints(problems)
    return values, LanguagePage(**shown)


def language_address(config: RunConfig) -> dict[str, str] | None:
    """The address at which such a run can be trained; None where the page lacks one of its settings."""
    changed = config.changed()
    schedule = changed.pop("schedule", config.schedule)
    if config.task != WordProblemsConfig.task or not changed.keys() <= LANGUAGE_FIELDS.keys():
        return None
    settings = {name: format_value(value) for name, value in changed.items()}
    return {"view": "train", "train": schedule, **settings}


def language_runs_address(ids: Sequence[str]) -> dict[str, str]:
    """The address at which such runs can be watched, and looked into."""
    return {"view": "train", "runs": " ".join(ids[:RUNS])}


def set_language(**changes: Any) -> None:
    """Change what the address says; for callbacks. None takes a setting back to its default."""
    for name, value in changes.items():
        if value is None:
            st.query_params.pop(name, None)
        else:
            st.query_params[name] = format_value(value)
