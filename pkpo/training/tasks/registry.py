"""The registry of tasks, and configs made from their names and texts."""

from __future__ import annotations

import dataclasses
from typing import Any

from pkpo.config import RunConfig
from pkpo.fields import FieldError, parse_field
from pkpo.training.tasks import bandit, gaussian_hill, word_problems
from pkpo.training.tasks.base import Task, TaskSpec

TASKS: dict[str, TaskSpec] = {
    spec.name: spec for spec in (gaussian_hill.SPEC, bandit.SPEC, word_problems.SPEC)
}
"""All that is known of each task, by its name."""


def register_task(spec: TaskSpec) -> TaskSpec:
    """Add a task of one's own: the command line, the store and the page of runs then know it.

    Raises:
      ValueError: its name is taken.
    """
    if spec.name in TASKS:
        raise ValueError(f"task must be new, got {spec.name!r}, which is registered")
    TASKS[spec.name] = spec
    return spec


def get_task(name: str) -> TaskSpec:
    """The registered task of that name.

    Raises:
      FieldError: there is none.
    """
    if name not in TASKS:
        raise FieldError("task", f"task must be one of {', '.join(TASKS)}, got {str(name)[:40]!r}")
    return TASKS[name]


def make_task(config: RunConfig, runs: tuple[int, ...] = ()) -> Task:
    """The task that a config describes, before its first update; of R runs in lockstep for `(R,)`."""
    return get_task(config.task).make(config, *([runs] if runs else []))


def fields_of(task: str) -> dict[str, dataclasses.Field]:
    """The settings of a task, by name.

    Raises:
      FieldError: an unknown task.
    """
    return {f.name: f for f in dataclasses.fields(get_task(task).config)}


def all_fields() -> dict[str, dataclasses.Field]:
    """Every setting that some task has; where tasks differ in its default, the first task's."""
    return {name: field for task in reversed(TASKS) for name, field in fields_of(task).items()}


def run_config(task: str = "gaussian-hill", **settings: Any) -> RunConfig:
    """A task's config.

    Raises:
      ValueError: an unknown task, a setting that the task does not have, or a bad value.
    """
    known = fields_of(task)
    for name in settings:
        if name not in known:
            raise FieldError(
                name[:40], f"{name[:40]} is not a setting of task {task!r}: {', '.join(known)}"
            )
    return TASKS[task].config(**settings)


def parse_value(name: str, text: str, at_most: int | None = None) -> Any:
    """A field's value from its text form, of the field's type and within its limits.

    Args:
      name: the field.
      text: its value.
      at_most: a limit below the field's own.

    Raises:
      ValueError: naming the field, the text and what is allowed.
    """
    return parse_field(all_fields()[name], text, at_most)
