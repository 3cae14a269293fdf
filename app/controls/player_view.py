"""What a player shows of its runs, in a problem page's address: play head, chosen run, Explain's step.

The browser writes it there by itself when a hand lets go; the page reads it when the address is new.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

PLAYER_VIEW = ("update", "run", "explain")
"""The address's names: the update at the play head, the run in focus and the step that is explained,
the latter two counted from 1. What is left out: the last update, the last run, no explanation."""
EXPLAINED_STEPS = 4
"""Sample, score, transform, update."""


def split_view(address: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """An address's settings, and what it says of the view."""
    settings = {name: text for name, text in address.items() if name not in PLAYER_VIEW}
    return settings, {name: text for name, text in address.items() if name in PLAYER_VIEW}


def read_view(given: Mapping[str, str], steps: int, runs: int) -> tuple[dict[str, int], list[str]]:
    """What to show, and what was wrong with it.

    Args:
      given: of the address, names of `PLAYER_VIEW` and their texts.
      steps: updates of the runs.
      runs: how many there are.
    """
    last = steps - 1 if "explain" in given else steps  # after the last update there is no step
    limits = {
        "update": (0, last),
        "run": (1, runs),
        "explain": (1, EXPLAINED_STEPS),
    }
    view, problems = {}, []
    for name, text in given.items():
        low, high = limits[name]
        if re.fullmatch("[0-9]{1,9}", text) and low <= int(text) <= high:
            view[name] = int(text)
        else:
            problems.append(
                f"{name} must be a whole number from {low} to {high}, got {text[:40]!r}"
            )
    return view, problems
