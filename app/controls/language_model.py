"""The controls of the language model's page. The address is their state, as it is the lab's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from app.controls.address_reader import read_link, show_complaints
from app.controls.address_widgets import bind, one_of
from pkpo.config import RunConfig
from pkpo.estimators import ESTIMATORS, get_estimator
from pkpo.fields import format_value, parse_field, parse_whole
from pkpo.lm import experiments
from pkpo.lm.experiments import EXPERIMENTS, METHODS
from pkpo.lm.paths import MODELS, PROBLEM_SETS
from pkpo.runs.run import check_id
from pkpo.training.tasks.registry import fields_of
from pkpo.training.tasks.word_problems import WordProblemsConfig

LANGUAGE_VIEWS = {
    "results": "What training changed",
    "train": "Train it yourself",
    "group": "Inside a group",
    "problems": "Which problems",
    "playground": "Playground",
}
OWN_RUNS = "own"
EXPERIMENT_LABELS = {
    "fresh": "Fresh problems",
    "hard": "Fixed hard set",
    "answer": "Answer only",
    "words": "In the words of GSM8K",
    OWN_RUNS: "Your runs",
}
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
    draw: int
    """The seed of the answers."""


LANGUAGE_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "view": ("results", one_of("view", tuple(LANGUAGE_VIEWS))),
    "experiment": ("fresh", one_of("experiment", tuple(EXPERIMENT_LABELS))),
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
    "problem": ("169", _whole("problem", 0, 100_000)),  # one that training changes visibly
    "question": ("", _short("question")),
    "answer": ("", _short("answer")),
    "model_after": ("", _short("model_after")),
    "draw": ("0", _whole("draw", 0, 2**32 - 2)),
}
"""The page's own settings beside those of a run: default text, and how a text is read."""
_bind = partial(bind, "language")
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
        shipped = sorted(path.name for path in MODELS.iterdir())
        readers["model"] = one_of("model", shipped)
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
        shown["experiment"] = "fresh"
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
            **_bind("experiment", page.experiment, "fresh"),
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


def language_question(page: LanguagePage, known: str) -> None:
    """A problem of one's own.

    Args:
      page: the page's own settings.
      known: the answer, if it is not the visitor's to give; "" if it is.
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
        else:
            st.text_input(
                "Its answer",
                placeholder="optional",
                max_chars=12,
                **_bind("answer", page.answer, ""),
            )
        st.button("Ask", icon=":material/question_answer:", width="stretch")


def language_after(page: LanguagePage, options: dict[str, str]) -> str:
    """Which trained model to ask; "" if there is none."""
    chosen = page.model_after if page.model_after in options else next(iter(options), "")
    if options:
        st.selectbox(
            "After training",
            list(options),
            format_func=options.__getitem__,
            **_bind("model_after", chosen, next(iter(options))),
        )
    return chosen


def set_language(**changes: Any) -> None:
    """Change what the address says; for callbacks. None takes a setting back to its default."""
    for name, value in changes.items():
        if value is None:
            st.query_params.pop(name, None)
        else:
            st.query_params[name] = format_value(value)
