"""A run's settings: one definition from which the page, the URL, the command line and files derive.

Every field of `RunConfig` carries its help text and what is allowed; `parse_value` reads one from
text, `RunConfig` refuses what is impossible, and `compared` turns one setting into several.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pkpo import schedules
from pkpo.estimators import Estimator, get_estimator

TASKS = ("gaussian-hill",)
OPTIMIZERS = {
    "sgd": "Gradient ascent: step = learning rate x gradient",
    "adam": "Adam (betas 0.9, 0.999)",
    "normalised": "Every step has the same length, the learning rate; only its direction is learned",
}
COMPARABLE = ("schedule", "estimator", "n", "learning_rate", "optimizer", "seed")
COMPARE_LIMIT = 4


def _setting(default: Any, help: str, **limits: Any) -> Any:
    return dataclasses.field(default=default, metadata={"help": help, **limits})


def _shape(text: str) -> Any:
    from toy_envs.gaussian_hill import reward_shape  # late: it brings Gymnasium and SciPy

    return reward_shape(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """Everything that determines a run's numbers.

    Raises:
      ValueError: naming the field, its value and what is allowed.
    """

    task: str = _setting("gaussian-hill", "what is learned", choices=TASKS)
    n: int = _setting(16, "samples per group and update", low=1, high=4096)
    schedule: str = _setting(
        "8",
        "k as a function of the update: 8, 8@0,1@150, linear:8->1@200, ...",
        check=schedules.parse,
    )
    estimator: str = _setting(
        "sloo_minus_one", "how rewards become weights, a key of ESTIMATORS", check=get_estimator
    )
    steps: int = _setting(300, "updates", low=1, high=1_000_000)
    learning_rate: float = _setting(0.005, "step size", low=1e-9, high=1e3)
    optimizer: str = _setting("sgd", "how a gradient becomes a step", choices=tuple(OPTIMIZERS))
    seed: int = _setting(0, "random seed", low=0, high=2**32 - 1)
    theta: float = _setting(0.2, "the policy's mean at the start", low=-100.0, high=100.0)
    sigma: float = _setting(0.1, "the policy's standard deviation", low=1e-3, high=10.0)
    learn_sigma: bool = _setting(False, "learn the standard deviation too")
    shape: str = _setting(
        "hill", "reward shape: hill, left-cliff, ..., or points:x,y;x,y;...", check=_shape
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            _check_field(field, getattr(self, field.name))
        object.__setattr__(self, "schedule", str(schedules.parse(self.schedule)))
        self.k_schedule.check(self.n, self.steps, self.estimator_entry)
        object.__setattr__(self, "shape", _shape(self.shape).name)

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


FIELDS: dict[str, dataclasses.Field] = {f.name: f for f in dataclasses.fields(RunConfig)}


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
    field = FIELDS[name]
    kind: Any = type(field.default)
    try:
        if kind is bool:
            value: Any = {"true": True, "false": False}[text.strip().lower()]
        else:
            value = kind(text)
    except (KeyError, ValueError, OverflowError):
        wanted = {int: "a whole number", float: "a number", bool: "true or false"}[kind]
        raise ValueError(f"{name} must be {wanted}, got {text[:40]!r}") from None
    _check_field(field, value, at_most)
    return value


def compared(settings: Mapping[str, Any], text: str) -> tuple[RunConfig, ...]:
    """The runs that a comparison asks for; the one that the settings describe for an empty text.

    Args:
      settings: fields of `RunConfig` that all runs share, the seed among them: all draw the same
        random numbers. What is compared need not be possible here.
      text: a field and up to four values, separated by spaces: "schedule 1 2 4 8".

    Raises:
      ValueError: an unknown field, no or too many values, or an impossible setting.
    """
    if not text.strip():
        return (RunConfig(**settings),)
    name, *values = text.split()
    if name not in COMPARABLE:
        raise ValueError(
            f"compare: the field must be one of {', '.join(COMPARABLE)}, got {name[:40]!r}"
        )
    if not 1 <= len(values) <= COMPARE_LIMIT:
        raise ValueError(
            f"compare: give from 1 to {COMPARE_LIMIT} values of {name}, got {len(values)}"
        )
    runs = tuple(RunConfig(**{**settings, name: parse_value(name, value)}) for value in values)
    if len(set(runs)) < len(runs):
        raise ValueError(f"compare: the values of {name} must differ, got {' '.join(values)}")
    return runs


def difference(runs: Sequence[RunConfig]) -> str:
    """The field in which compared runs differ; "" for a single run."""
    for name in FIELDS:
        if len({getattr(run, name) for run in runs}) > 1:
            return name
    return ""


def command(runs: Sequence[RunConfig]) -> str:
    """The command line that prints the same numbers as these runs."""
    field = difference(runs)
    words = ["python -m pkpo train", f"--task {runs[0].task}"]
    for name, value in runs[0].changed().items():
        if name not in ("task", field):
            option, text = "--" + name.replace("_", "-"), _quoted(format_value(value))
            joint = "=" if text.startswith("-") else " "
            words.append(option if value is True else f"{option}{joint}{text}")
    if field:
        values = " ".join(_quoted(format_value(getattr(run, field))) for run in runs)
        words.append(f"--compare {field} {values}")
    return " ".join(words)


def _check_field(field: dataclasses.Field, value: Any, at_most: int | None = None) -> None:
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
    if "check" in limits:
        limits["check"](value)


def _quoted(text: str) -> str:
    plain = all(c.isalnum() or c in "@,.:_-" for c in text)
    return text if plain else f'"{text}"'
