"""Runs in words: statuses, ages, progress."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from pkpo.config import Change
from pkpo.figures import run_curves
from pkpo.runs import Run
from pkpo.training.tasks.registry import TASKS

STATUS_SIGNS = {
    "queued": ("◷", "schedule", "gray"),
    "running": ("▶", "play_circle", "blue"),
    "finished": ("✓", "check_circle", "green"),
    "stopped": ("■", "stop_circle", "orange"),
    "interrupted": ("⚡", "power_off", "orange"),
    "failed": ("✕", "error", "red"),
}
"""Each status's sign in a list, its icon, and its colour."""
ACTIVE = ("queued", "running")
STATUS_PRECEDENCE = ("running", "queued", "failed", "interrupted", "stopped", "finished")
"""The statuses, the one that says most of several runs first."""
_UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"))


def task_title(task: str) -> str:
    """What people call a task; its name, where it is not known here."""
    return TASKS[task].title if task in TASKS else task


def run_title(run: Run, changes: Sequence[Change] = ()) -> str:
    """What a run is called: its name, or its settings."""
    return run.name or settings_in_words(run, changes)


def settings_in_words(run: Run, changes: Sequence[Change] = ()) -> str:
    """A run's settings in a line, and what was changed by hand."""
    try:
        return run_curves.describe_config(run.config) + by_hand(changes)
    except ValueError as reason:
        return str(reason)


def by_hand(changes: Sequence[Change]) -> str:
    """What was changed last while a run went on, to stand behind its settings; "" if nothing was."""
    if not changes:
        return ""
    last = changes[-1]
    before = (
        f"{count(len(changes), 'change')} by hand, the last: " if len(changes) > 1 else "by hand "
    )
    return f" · {before}{run_curves.describe_change(last)} from update {last.update:,}"


def run_steps(run: Run) -> int:
    """How many updates it is to do; 0 where that is damaged."""
    found = run.settings.get("steps", 0)
    return found if isinstance(found, int) else 0


def share_done(run: Run) -> float:
    """How much of it is done, from 0 to 1."""
    return min(run.step / run_steps(run), 1.0) if run_steps(run) else 0.0


def progress_of(runs: Sequence[Run], pace: float, place: str) -> str:
    """How far runs of one setting are.

    Args:
      runs: one, or several that differ in their seeds.
      pace: their updates per second; 0 where it is not known.
      place: that of a single one in the queue; "" where it does not wait.
    """
    done, total = sum(run.step for run in runs), sum(map(run_steps, runs))
    told = [f"{done:,} of {count(total, 'update')}"]
    if len(runs) > 1:
        finished = sum(run.status == "finished" for run in runs)
        told.append(f"{finished} of {len(runs)} seeds finished")
    if place:
        told.append(place)
    over = runs[0].status not in ACTIVE
    told += cost(runs, pace) if pace or (over and len(runs) == 1) else []
    if pace:
        told.append(f"about {duration((total - done) / pace)} left")
    return " · ".join(told)


def cost(runs: Sequence[Run], pace: float = 0.0) -> list[str]:
    """What it takes to train: updates and sampled tokens per second, and memory, as far as is known.

    Args:
      runs: at least one.
      pace: the updates per second of all of them; 0 for the mean that their workers noted.
    """
    noted = [run.provenance.get("updates_per_second", 0.0) for run in runs]
    pace = pace or sum(noted) / len(runs)
    lengths = [run.metrics.get("tokens", 0.0) * _completions(run) for run in runs]
    tokens = pace * sum(lengths) / len(runs)
    told = [f"{_rate(x)} {what}/s" for x, what in ((pace, "updates"), (tokens, "tokens")) if x]
    for kind, where in (("peak_memory_mib", "of memory"), ("peak_gpu_memory_mib", "on the GPU")):
        if most := max(run.provenance.get(kind, 0) for run in runs):
            told.append(f"up to {most:,} MiB {where}")
    return told


def _completions(run: Run) -> int:
    """How many completions an update of a language model samples."""
    return run.settings.get("n", 0) * run.settings.get("prompts", 0)


def _rate(x: float) -> str:
    return f"{x:,.0f}" if x > 9 else f"{x:.2g}"


def age(seconds: float) -> str:
    """How long ago a time was."""
    passed = max(time.time() - seconds, 0.0)
    for length, unit in _UNITS:
        if passed >= length:
            return f"{count(int(passed // length), unit)} ago"
    return "just now"


def duration(seconds: float) -> str:
    """A length of time."""
    for length, unit in _UNITS:
        if seconds >= length:
            return count(round(seconds / length), unit)
    return count(max(round(seconds), 1), "second")


def count(number: int, thing: str) -> str:
    """A number of things."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def run_row(run: Run, place: int | None, changes: Sequence[Change] = ()) -> dict[str, Any]:
    """A run as `app.components.run_list` shows it; `place` is that in the queue."""
    sign, _, colour = STATUS_SIGNS[run.status]
    detail = [task_title(run.task), f"seed {run.settings.get('seed', '?')}"]
    if run.name:
        detail.insert(0, settings_in_words(run, changes))
    return {
        "address": f"run={run.id}",
        "id": run.id,
        "title": run_title(run, changes),
        "detail": " · ".join(detail),
        "status": run.status,
        "icon": sign,
        "colour": colour,
        "note": f"place {place} in the queue" if place else run.message,
        "progress": share_done(run),
        "count": f"{run.step:,} of {run_steps(run):,}",
        "age": age(run.created),
    }


def sweep_row(runs: list[Run]) -> dict[str, Any]:
    """Runs that were submitted together, in one row."""
    statuses = [run.status for run in runs]
    status = next(name for name in STATUS_PRECEDENCE if name in statuses)
    sign, _, colour = STATUS_SIGNS[status]
    return {
        "address": f"sweep={runs[0].sweep}",
        "id": "",
        "title": runs[0].name or sweep_title(runs),
        "detail": f"Sweep of {count(len(runs), 'run')} · {task_title(runs[0].task)}",
        "status": status,
        "icon": sign,
        "colour": colour,
        "note": f"{statuses.count('finished')} of {len(runs)} finished",
        "progress": sum(map(share_done, runs)) / len(runs),
        "count": f"{sum(run.step for run in runs):,} of {sum(map(run_steps, runs)):,}",
        "age": age(runs[0].created),
    }


def sweep_title(runs: list[Run]) -> str:
    """What a sweep goes through."""
    try:
        configs = [run.config for run in runs]
    except ValueError as reason:
        return str(reason)
    seeds = count(len({config.seed for config in configs}), "seed")
    alike = list(dict.fromkeys(config.replace(seed=0) for config in configs))
    if len(alike) == 1:
        return f"{run_curves.describe_config(configs[0])}, {seeds}"
    labels = [label for label, _ in run_curves.distinct_styles(alike)]
    return f"{'; '.join(labels)}, {seeds} each"
