"""A run's settings: one definition from which the page, the URL, the command line and files derive.

What all tasks share is in `RunConfig`; a task adds its own fields, and its own defaults, in a subclass
listed in `CONFIGS`. Every field carries its help text and what is allowed; `parse_value` reads one from
text, a config refuses what is impossible, and `compared` turns one setting into several.
"""

from __future__ import annotations

import dataclasses
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pkpo import schedules
from pkpo.estimators import Estimator, get_estimator

OPTIMIZERS = {
    "sgd": "Gradient ascent: step = learning rate x gradient",
    "adam": "Adam (betas 0.9, 0.999)",
    "normalised": "Every step has the same length, the learning rate; only its direction is learned",
}
PROBLEM_SETS = {
    "fresh": "every update draws new problems",
    "hard": "a fixed set that the starting model solves at most 3 of 64 times",
    "gsm_symbolic": "a fixed set in the words of GSM8K, for the model small",
}
GSM8K = "gsm8k:"
"""What problems from files in GSM8K's format begin with; a path or a name on the hub follows."""
COMPARABLE = ("schedule", "estimator", "n", "learning_rate", "optimizer", "seed")
COMPARE_LIMIT = 4


WHOLE = re.compile(r"[+-]?[0-9]+", re.ASCII)
WHOLE_NUMBER_DIGITS = 15  # of a whole number in text; none that is asked for has more
NUMBER_LENGTH = 40  # characters of any other number


def parse_whole(name: str, text: str, low: int, high: int) -> int:
    """A whole number from text: the one way in for addresses, forms, routes and commands.

    ASCII digits, a sign if wanted, blanks around. What is checked is the whole number, never a part.

    Args:
      name: what it is, for the message.
      text: of any length.
      low: the least that is allowed.
      high: the most.

    Raises:
      ValueError: naming what it is, the text and what is allowed.
    """
    digits = text.strip(" ")
    if not WHOLE.fullmatch(digits):
        raise ValueError(f"{name} must be a whole number, got {text[:40]!r}")
    if len(digits) > WHOLE_NUMBER_DIGITS or not low <= int(digits) <= high:
        raise ValueError(f"{name} must be from {low} to {high}, got {text[:40]}")
    return int(digits)


def parse_number(name: str, text: str) -> float:
    """A finite number from text, in ASCII signs as they are usual: -1, .5, 3e-4.

    Raises:
      ValueError: it is not one.
    """
    usual = text.isascii() and "_" not in text and len(text) <= NUMBER_LENGTH
    try:
        value = float(text) if usual else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{name} must be a number, got {text[:40]!r}")
    return value


def setting(default: Any, help: str, **limits: Any) -> Any:
    """A field of a settings class: its default, what it is, and what is allowed (`check_field`)."""
    return dataclasses.field(default=default, metadata={"help": help, **limits})


def _estimator(name: Any) -> Any:
    get_estimator(name)
    return name


def _shape(text: Any) -> str:
    from toy_envs.gaussian_hill import reward_shape  # late: it brings Gymnasium and SciPy

    return reward_shape(text).name


def _bandit(text: Any) -> str:
    from toy_envs.bandit import bandit

    return bandit(text).name


def _model(text: Any) -> str:
    from pkpo.lm.paths import model_name

    return model_name(text)


def _problems(text: Any) -> str:
    from pkpo.lm.paths import HUB, hub_name

    if text in PROBLEM_SETS:
        return text
    named = text.removeprefix(GSM8K)
    if named.startswith(HUB) and named != text:
        return GSM8K + HUB + hub_name("problems", named.removeprefix(HUB))
    where = os.path.expanduser(named)
    if named == text or not os.path.exists(where):
        raise ValueError(
            f"problems must be {', '.join(PROBLEM_SETS)} or {GSM8K} and a folder, a file or hub:NAME, "
            f"got {text[:80]!r}"
        )
    return GSM8K + os.path.realpath(where)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """Everything that determines a run's numbers, as far as all tasks share it.

    Raises:
      ValueError: naming the field, its value and what is allowed.
    """

    task: ClassVar[str] = ""

    n: int = setting(16, "samples per group and update", low=1, high=4096)
    schedule: str = setting(
        "8",
        "k as a function of the update: 8, 8@0,1@150, linear:8->1@200, ...",
        canonical=lambda text: str(schedules.parse(text)),
    )
    estimator: str = setting(
        "sloo_minus_one",
        "how rewards become weights, a key of ESTIMATORS",
        canonical=_estimator,
    )
    steps: int = setting(300, "updates", low=1, high=1_000_000)
    learning_rate: float = setting(0.005, "step size", low=1e-9, high=1e3)
    optimizer: str = setting("sgd", "how a gradient becomes a step", choices=tuple(OPTIMIZERS))
    seed: int = setting(0, "random seed", low=0, high=2**32 - 1)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            check_field(field, getattr(self, field.name))
            if "canonical" in field.metadata:
                text = field.metadata["canonical"](getattr(self, field.name))
                object.__setattr__(self, field.name, text)
        self.k_schedule.check(self.n, self.steps, self.estimator_entry)

    @property
    def k_schedule(self) -> schedules.Schedule:
        """The schedule, parsed."""
        return schedules.parse(self.schedule)

    @property
    def estimator_entry(self) -> Estimator:
        """The estimator's entry in the registry."""
        return get_estimator(self.estimator)

    def replace(self, **changes: Any) -> RunConfig:
        """The same settings with some changed."""
        return dataclasses.replace(self, **changes)

    def changed(self) -> dict[str, Any]:
        """The fields that differ from their defaults."""
        return {
            field.name: value
            for field in dataclasses.fields(self)
            if (value := getattr(self, field.name)) != field.default
        }

    def to_dict(self) -> dict[str, Any]:
        """The task and every field, for JSON; `run_config(**...)` reads it back."""
        return {"task": self.task, **dataclasses.asdict(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class HillConfig(RunConfig):
    """A run on the paper's one-dimensional problem (`toy_envs.gaussian_hill`)."""

    task: ClassVar[str] = "gaussian-hill"

    theta: float = setting(0.2, "the policy's mean at the start", low=-100.0, high=100.0)
    sigma: float = setting(0.1, "the policy's standard deviation", low=1e-3, high=10.0)
    learn_sigma: bool = setting(False, "learn the standard deviation too")
    shape: str = setting(
        "hill", "reward shape: hill, left-cliff, ..., or points:x,y;x,y;...", canonical=_shape
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BanditConfig(RunConfig):
    """A run on a finite bandit (`toy_envs.bandit`); every update draws n samples at every prompt."""

    task: ClassVar[str] = "bandit"

    learning_rate: float = setting(1.0, "step size", low=1e-9, high=1e3)
    bandit: str = setting(
        "trap",
        "the bandit: jackpot, trap, ..., or arms:reward,reward,...@probability,probability,...",
        canonical=_bandit,
    )
    sharing: float = setting(
        1.0,
        "how far prompts share parameters: 1 one policy for all, 0 each its own",
        low=0.0,
        high=1.0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WordProblemsConfig(RunConfig):
    """A run of a language model on word problems (`toy_envs.word_problems`)."""

    task: ClassVar[str] = "word-problems"

    steps: int = setting(120, "updates", low=1, high=1_000_000)
    learning_rate: float = setting(3e-4, "step size", low=1e-9, high=1e3)
    optimizer: str = setting(
        "adam",
        "AdamW (betas 0.9, 0.95, no weight decay) on gradients of length 1 at most; no other is offered",
        choices=("adam",),
    )
    model: str = setting(
        "tiny",
        "the model at the start: one that ships, a model's folder, a .gguf file, or hub:NAME",
        canonical=_model,
    )
    lora: int = setting(
        0,
        "rank of the LoRA adapters that are trained in place of the weights; 0 trains all weights",
        low=0,
        high=1024,
    )
    limit: int = setting(
        40,
        "tokens after which an answer is cut off; the model small takes 64 if this is less",
        low=1,
        high=8192,
    )
    problems: str = setting(
        "fresh",
        "training problems: fresh (new ones at every update), hard (the model's fixed hard set), "
        "gsm_symbolic (a fixed set, for the model small), or gsm8k: and a folder with train.jsonl and "
        "test.jsonl, one JSONL file, or hub:NAME",
        canonical=_problems,
    )
    reward: str = setting(
        "strict",
        "what an answer must be to earn 1, or the share of its true steps and the right answer",
        choices=("strict", "answer", "share"),
    )
    prompts: int = setting(32, "problems per update", low=1, high=4096)
    entropy_bonus: float = setting(
        0.0,
        "how much the mean entropy of the samples' tokens, in nats, adds to the objective",
        low=0.0,
        high=10.0,
    )
    held_out: int = setting(1024, "held-out problems that are measured, or 0", low=0, high=100_000)
    interval: int = setting(
        40, "updates between measurements on held-out problems", low=1, high=1_000_000
    )

    def __post_init__(self) -> None:
        RunConfig.__post_init__(self)  # a dataclass with slots is not the one that super() knows
        if self.held_out == 1:
            raise ValueError("held_out must be 0, or 2 or more for a standard error, got 1")
        from pkpo.lm.problem_sets import check_words  # late: it brings Gymnasium

        check_words(self.model, self.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Settings that are changed while a run is going, from an update on until changed again.

    Config, seed and changes together determine a run's numbers (`pkpo.training.replay_run`).
    """

    update: int
    k: int | None = None
    """In place of the schedule's; None leaves it as it is."""
    learning_rate: float | None = None
    """None leaves it as it is."""

    def check(self, config: RunConfig) -> None:
        """Refuse what a run of this config cannot take up.

        Raises:
          ValueError: naming what is wrong and what is allowed.
        """
        if type(self.update) is not int or not 0 <= self.update <= config.steps:
            raise ValueError(f"update must be from 0 to {config.steps}, got {self.update!r}")
        if self.k is None and self.learning_rate is None:
            raise ValueError("a change must give k, learning_rate or both, got neither")
        if self.k is not None:
            if type(self.k) is not int:
                raise ValueError(f"k must be of type int, got {self.k!r}")
            schedules.constant(self.k).check(config.n, 0, config.estimator_entry)
        if self.learning_rate is not None:
            check_field(fields_of(config.task)["learning_rate"], self.learning_rate)


CONFIGS: dict[str, type[RunConfig]] = {
    c.task: c for c in (HillConfig, BanditConfig, WordProblemsConfig)
}
"""The tasks, and each one's settings."""


def fields_of(task: str) -> dict[str, dataclasses.Field]:
    """The settings of a task, by name.

    Raises:
      ValueError: an unknown task.
    """
    if task not in CONFIGS:
        raise ValueError(f"task must be one of {', '.join(CONFIGS)}, got {str(task)[:40]!r}")
    return {f.name: f for f in dataclasses.fields(CONFIGS[task])}


FIELDS: dict[str, dataclasses.Field] = {
    name: field for task in reversed(CONFIGS) for name, field in fields_of(task).items()
}
"""Every setting that some task has; where tasks differ in its default, the first task's."""


def run_config(task: str = "gaussian-hill", **settings: Any) -> RunConfig:
    """A task's config.

    Raises:
      ValueError: an unknown task, a setting that the task does not have, or a bad value.
    """
    known = fields_of(task)
    for name in settings:
        if name not in known:
            raise ValueError(f"{name[:40]} is not a setting of task {task!r}: {', '.join(known)}")
    return CONFIGS[task](**settings)


def format_value(value: Any) -> str:
    """A field's value as text that `parse_value` reads back exactly."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def parse_value(name: str, text: str, at_most: int | None = None) -> Any:
    """A field's value from its text form, of the field's type and within its limits.

    Args:
      name: the field.
      text: its value.
      at_most: a limit below the field's own.

    Raises:
      ValueError: naming the field, the text and what is allowed.
    """
    return parse_field(FIELDS[name], text, at_most)


def parse_field(field: dataclasses.Field, text: str, at_most: int | None = None) -> Any:
    """The same for a field of any settings class."""
    name = field.name
    kind: Any = type(field.default)
    value: Any = text
    if kind is int:
        limits = field.metadata
        value = parse_whole(
            name, text, limits["low"], limits["high"] if at_most is None else at_most
        )
    elif kind is float:
        value = parse_number(name, text)
    elif kind is bool:
        if text.strip().lower() not in ("true", "false"):
            raise ValueError(f"{name} must be true or false, got {text[:40]!r}")
        value = text.strip().lower() == "true"
    check_field(field, value, at_most)
    return value


def parse_comparison(settings: Mapping[str, Any], text: str) -> tuple[RunConfig, ...]:
    """The runs that a comparison asks for; the one that the settings describe for an empty text.

    Args:
      settings: the task (default the paper's toy problem) and its fields that all runs share, the
        seed among them: all draw the same random numbers. What is compared need not be possible here.
      text: a field and up to four values, separated by spaces: "schedule 1 2 4 8".

    Raises:
      ValueError: an unknown field, no or too many values, or an impossible setting.
    """
    if not text.strip():
        return (run_config(**settings),)
    name, *values = text.split()
    if name not in COMPARABLE:
        raise ValueError(
            f"compare: the field must be one of {', '.join(COMPARABLE)}, got {name[:40]!r}"
        )
    if not 1 <= len(values) <= COMPARE_LIMIT:
        raise ValueError(
            f"compare: give from 1 to {COMPARE_LIMIT} values of {name}, got {len(values)}"
        )
    runs = tuple(run_config(**{**settings, name: parse_value(name, value)}) for value in values)
    if len(set(runs)) < len(runs):
        raise ValueError(f"compare: the values of {name} must differ, got {' '.join(values)}")
    return runs


def compared_field(runs: Sequence[RunConfig]) -> str:
    """The field in which compared runs differ; "" for a single run."""
    for name in fields_of(runs[0].task):
        if len({getattr(run, name) for run in runs}) > 1:
            return name
    return ""


def command_line(runs: Sequence[RunConfig]) -> str:
    """The command line that prints the same numbers as these runs."""
    field = compared_field(runs)
    words = ["python -m pkpo train", f"--task {runs[0].task}"]
    for name, value in runs[0].changed().items():
        if name != field:
            option, text = "--" + name.replace("_", "-"), _quoted(format_value(value))
            joint = "=" if text.startswith("-") else " "
            words.append(option if value is True else f"{option}{joint}{text}")
    if field:
        values = " ".join(_quoted(format_value(getattr(run, field))) for run in runs)
        words.append(f"--compare {field} {values}")
    return " ".join(words)


def check_field(field: dataclasses.Field, value: Any, at_most: int | None = None) -> None:
    """Raise the ValueError that a setting of this value deserves, if any."""
    name, limits = field.name, field.metadata
    kind: Any = type(field.default)
    if type(value) is not kind and not (kind is float and type(value) is int):
        raise ValueError(f"{name} must be of type {kind.__name__}, got {value!r}")
    if kind in (int, float):
        low, high = limits["low"], limits["high"] if at_most is None else at_most
        if not low <= value <= high:  # false for nan, too
            raise ValueError(f"{name} must be from {low} to {high}, got {str(value)[:40]}")
    if "choices" in limits and value not in limits["choices"]:
        raise ValueError(
            f"{name} must be one of {', '.join(limits['choices'])}, got {value[:40]!r}"
        )
    if "canonical" in limits:
        limits["canonical"](value)


def _quoted(text: str) -> str:
    plain = all(c.isalnum() or c in "@,.:_-" for c in text)
    return text if plain else f'"{text}"'
