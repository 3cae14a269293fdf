"""What other packages add to the lab: estimators, tasks, ramps of schedules.

A package names a function without arguments under the entry points "pkpo.plugins". The command line,
workers and the app call each of them once, before anything else; it registers what it has with
`pkpo.estimators.register_estimator`, `pkpo.training.tasks.registry.register_task` and
`pkpo.schedules.register_ramp`.
"""

from __future__ import annotations

import functools
from importlib.metadata import entry_points

ENTRY_POINTS = "pkpo.plugins"


@functools.cache
def load_plugins() -> tuple[str, ...]:
    """Call what installed packages have under `ENTRY_POINTS`; returns their names.

    Raises:
      ValueError: one of them fails, naming it.
    """
    loaded = []
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            entry.load()()
        except Exception as reason:
            raise ValueError(f"plugin {entry.name} ({entry.value}) failed: {reason}") from reason
        loaded.append(entry.name)
    return tuple(loaded)
