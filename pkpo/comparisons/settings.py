"""Which runs a comparison is of: from one line of text to configs, and from these to a command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pkpo.config import RunConfig
from pkpo.fields import FieldError, format_value
from pkpo.training.tasks.registry import fields_of, parse_value, run_config

COMPARABLE = ("schedule", "estimator", "n", "learning_rate", "optimizer", "seed")
COMPARE_LIMIT = 4


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
        raise FieldError(
            "compare",
            f"compare: the field must be one of {', '.join(COMPARABLE)}, got {name[:40]!r}",
        )
    if not 1 <= len(values) <= COMPARE_LIMIT:
        raise FieldError(
            "compare",
            f"compare: give from 1 to {COMPARE_LIMIT} values of {name}, got {len(values)}",
        )
    runs = tuple(run_config(**{**settings, name: parse_value(name, value)}) for value in values)
    if len(set(runs)) < len(runs):
        raise FieldError(
            "compare", f"compare: the values of {name} must differ, got {' '.join(values)}"
        )
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


def _quoted(text: str) -> str:
    plain = all(c.isalnum() or c in "@,.:_-" for c in text)
    return text if plain else f'"{text}"'
