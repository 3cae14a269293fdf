"""A run's settings: one definition from which the page, the URL, the command line and files derive.

What all tasks share is in `RunConfig`; a task adds its own fields, and its own defaults, in a subclass
(`pkpo.training.tasks`). Every field carries its help text and what is allowed (`pkpo.fields`).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

from pkpo import schedules
from pkpo.estimators import Estimator, get_estimator
from pkpo.fields import FieldError, check_field, named, setting

EVAL_KS = (1, 2, 4, 8, 16)
"""The k at which max@k and pass@k are evaluated everywhere."""
OPTIMIZERS = {
    "sgd": "Gradient ascent: step = learning rate x gradient",
    "adam": "Adam (betas 0.9, 0.999)",
    "normalised": "Every step has the same length, the learning rate; only its direction is learned",
}


def _estimator(name: Any) -> Any:
    get_estimator(name)
    return name


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
        with named("schedule"):
            self.k_schedule.check(self.n, self.steps, self.estimator_entry)

    @property
    def k_schedule(self) -> schedules.Schedule:
        """The schedule, parsed."""
        return schedules.parse(self.schedule)

    @property
    def estimator_entry(self) -> Estimator:
        """The estimator's entry in the registry."""
        return get_estimator(self.estimator)

    @classmethod
    def field(cls, name: str) -> dataclasses.Field:
        """One of the settings."""
        return cls.__dataclass_fields__[name]

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
class Change:
    """Settings that are changed while a run is going, from an update on until changed again.

    Config, seed and changes together determine a run's numbers (`pkpo.training.recording.replay_run`).
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
            raise FieldError(
                "update", f"update must be from 0 to {config.steps}, got {self.update!r}"
            )
        if self.k is None and self.learning_rate is None:
            raise ValueError("a change must give k, learning_rate or both, got neither")
        if self.k is not None:
            if type(self.k) is not int:
                raise FieldError("k", f"k must be of type int, got {self.k!r}")
            schedules.constant(self.k).check(config.n, 0, config.estimator_entry)
        if self.learning_rate is not None:
            check_field(config.field("learning_rate"), self.learning_rate)
