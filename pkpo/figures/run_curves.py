"""Charts of runs as they go on: which curves, how runs are told apart, fewer points for drawing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from pkpo.comparisons.comparison import compared_k
from pkpo.comparisons.word_problems import ROLLING_PASS
from pkpo.config import EVAL_KS, Change, RunConfig
from pkpo.figures.style import ESTIMATOR_COLOURS, K_COLOURS, OTHER_COLOURS, run_styles
from pkpo.training.tasks.registry import TASKS, fields_of

TITLES = {
    "theta": "θ, the policy's mean",
    "gradient": "Estimate of the gradient",
    "pass_rate": "Samples with a reward",
    "entropy": "Entropy of the policy, nats",
    "cumulative_solve_rate": "Cumulative solve rate",
    "all_wrong": "Groups that teach nothing: all wrong",
    "all_right": "Groups that teach nothing: all right",
    "dead_group_share": "Groups that teach nothing: all wrong or all right",
    "valid_chain_share": "Solutions whose every equation is true",
    "abstention_share": "Answers that abstain",
    "k": "k at each update",
}
"""Each metric's name, on every page; those of max@k and pass@k are made as they are needed."""
SHARES = (
    "pass_rate",
    "cumulative_solve_rate",
    "all_wrong",
    "all_right",
    "dead_group_share",
    "valid_chain_share",
    "lucky_share",
    "abstention_share",
)
"""Metrics that are shares, besides pass@k: they are shown in percent."""
NOISY = ("gradient", "pass_rate", "all_wrong", "all_right", "dead_group_share")
"""What is drawn as a mean of the last `NOISY_MEAN_UPDATES` updates."""
NOISY_MEAN_UPDATES = 100
MIXED, SPLIT = "dead_group_share", ("all_wrong", "all_right")
"""What older runs know of the groups that teach nothing, and what is shown of others."""
COLOURS = tuple(dict.fromkeys([*K_COLOURS.values(), *OTHER_COLOURS, *ESTIMATOR_COLOURS.values()]))


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart over updates."""

    column: str
    """The metric."""
    title: str

    @property
    def steps(self) -> bool:
        """Whether the metric holds until it changes."""
        return self.column == "k"

    @property
    def measured(self) -> bool:
        """Whether the metric is measured at times only, and repeated in between."""
        return self.column.startswith("held_out")

    @property
    def percent(self) -> bool:
        """Whether the metric is a share, shown in percent."""
        return is_share(self.column)


def is_share(column: str) -> bool:
    """Whether a metric is a share, of problems, groups or samples."""
    return column in SHARES or column.startswith(("pass@", "held_out_pass@"))


def charted_metrics() -> tuple[str, ...]:
    """Every metric that some task's charts may show."""
    columns = dict.fromkeys([*(spec.best.column for spec in TASKS.values()), ROLLING_PASS])
    best = (column.format(k=k) for column in columns for k in EVAL_KS)
    others = (name for spec in TASKS.values() for name in (*spec.charted, *spec.charted_with))
    return tuple(dict.fromkeys(["k", *best, *others, MIXED]))


def run_panels(configs: Sequence[RunConfig], known: Collection[str] = ()) -> list[Panel]:
    """The charts of these runs; of different tasks, the best of k attempts and k only.

    Args:
      configs: the runs' settings.
      known: the metrics that the runs have so far; those that are all older than `SPLIT` have one
        chart for both of its parts.
    """
    k = compared_k(configs)
    tasks = {config.task for config in configs}
    own = _own_metrics(configs) if len(tasks) == 1 else ()
    if MIXED in known and not set(SPLIT) & set(known):
        own = tuple(dict.fromkeys(MIXED if name in SPLIT else name for name in own))
    charts = [
        Panel(best.column.format(k=at), best.title.format(k=at) + what)
        for best in dict.fromkeys(TASKS[config.task].best for config in configs)
        for at, what in ((k, f"the best of {k} attempts"), (1, "a single attempt"))
    ]
    return charts + [Panel(column, _title(column)) for column in (*own, "k")]


def _own_metrics(configs: Sequence[RunConfig]) -> tuple[str, ...]:
    """What these runs of one task have charted besides the best of k and k."""
    spec = TASKS[configs[0].task]
    more = (
        name
        for name, setting in spec.charted_with.items()
        if any(getattr(config, setting) for config in configs)
    )
    return (*spec.charted, *more)


def metric_name(column: str) -> str:
    """What a metric is called in a table."""
    return TITLES.get(column, column.replace("held_out_", "held-out "))


def steady_metrics(configs: Sequence[RunConfig]) -> list[str]:
    """The metrics of which a single update's value says something."""
    charts = [panel.column for panel in run_panels(configs)]
    return [column for column in charts if column not in (*NOISY, "k")]


def smooth_if_noisy(column: str, values: np.ndarray) -> np.ndarray:
    """A metric as its chart shows it, `[T]`: means of the last updates where it is noisy."""
    if column not in NOISY or not len(values):
        return values
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=float)])
    ends = np.arange(1, len(sums))
    starts = np.maximum(ends - NOISY_MEAN_UPDATES, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)


def thin_points(x: np.ndarray, y: np.ndarray, at_most: int) -> np.ndarray:
    """Which points to draw of a long curve: the lowest and highest of each stretch, and both ends.

    Args:
      x: `[T]`, ascending.
      y: `[T]`.
      at_most: how many points to keep; all if there are no more.

    Returns:
      Their places, ascending.
    """
    if len(x) <= at_most:
        return np.arange(len(x))
    edges = np.linspace(0, len(x), max(at_most // 2, 2)).astype(int)
    finite = np.where(np.isfinite(y), y, 0.0)
    kept = {0, len(x) - 1}
    for start, end in zip(edges[:-1], edges[1:], strict=True):
        part = finite[start:end]
        kept.update((start + int(part.argmin()), start + int(part.argmax())))
    return np.array(sorted(kept))


def distinct_styles(configs: Sequence[RunConfig]) -> list[tuple[str, str]]:
    """A label and a colour for each of any runs, after all that they differ in."""
    same_task = len({config.task for config in configs}) == 1
    fields = differing_fields(configs)
    if same_task and len(fields) <= 1 and len(set(configs)) == len(configs):
        if not fields or fields[0] in ("schedule", "estimator"):
            return run_styles(configs)
    spare = iter(COLOURS * (1 + len(configs) // len(COLOURS)))
    labels = [", ".join(_field_in_words(config, field) for field in fields) for config in configs]
    if not all(labels) or len(set(labels)) < len(labels):
        labels = [f"{place}: {label}".rstrip(": ") for place, label in enumerate(labels, 1)]
    return [(label, next(spare)) for label in labels]


def differing_fields(configs: Sequence[RunConfig]) -> list[str]:
    """The fields in which runs differ, "task" first if they differ in that."""
    first = configs[0]
    if any(config.task != first.task for config in configs):
        shared = [name for name in fields_of(first.task) if all(hasattr(c, name) for c in configs)]
        return ["task", *_differing(configs, shared)]
    return _differing(configs, list(fields_of(first.task)))


def describe_config(config: RunConfig) -> str:
    """A run's settings in a line, without its length and seed."""
    extra = [
        f"{name.replace('_', ' ')} = {value}"
        for name, value in config.changed().items()
        if name not in ("n", "schedule", "estimator", "steps", "seed")
    ]
    words = [config.k_schedule.describe(), f"n = {config.n}", config.estimator_entry.label, *extra]
    return " · ".join(words)


def describe_change(change: Change) -> str:
    """What a change set."""
    values = {"k": change.k, "learning rate": change.learning_rate}
    return ", ".join(f"{name} = {x:g}" for name, x in values.items() if x is not None)


def _title(column: str) -> str:
    return metric_name(column) + (
        f" (mean of {NOISY_MEAN_UPDATES} updates)" if column in NOISY else ""
    )


def _differing(configs: Sequence[RunConfig], fields: Sequence[str]) -> list[str]:
    return [name for name in fields if len({getattr(config, name) for config in configs}) > 1]


def _field_in_words(config: RunConfig, field: str) -> str:
    if field == "schedule":
        return config.k_schedule.describe()
    if field == "estimator":
        return config.estimator_entry.label
    return f"{field.replace('_', ' ')} = {getattr(config, field)}"
