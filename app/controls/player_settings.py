"""The player's own controls: what the browser shows and moves, and what comes back from it."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from app.controls.problem_address import (
    current_settings,
    is_shown,
    page_memory,
    read_address,
    settings_address,
    settings_of_runs,
)
from app.controls.problem_spec import PLAYER_FIELDS, ProblemPage
from app.glossary import GLOSSARY
from pkpo import schedules
from pkpo.fields import format_value
from pkpo.schedules import K_STOPS

N_STOPS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
"""The group sizes at which a slider stops."""


def player_controls(
    page: ProblemPage, values: Mapping[str, Any], configs: Sequence[Any]
) -> dict[str, Any]:
    """What the player's controls show.

    Args:
      page: whose settings they are.
      values: the settings.
      configs: the runs that they ask for.
    """
    field, *compared = values["compare"].split() or [""]
    return {
        "task": page.task,
        "address": settings_address(page, values),
        "field": field,
        "values": compared,
        "steps": values["steps"],
        "shapes": list(schedules.RAMPS),
        "stops": {
            "n": [n for n in N_STOPS if n <= page.limits["n"]],
            "learning_rate": _learning_rates(page),
        },
        "problem": page.problem,
        "world": page.world(getattr(configs[0], page.problem)),
        "goal": _goal(page, values),
        "help": {slug: GLOSSARY[slug].meaning for slug in ("k", "n", "schedule")},
        "runs": [
            {
                "pieces": [dataclasses.asdict(piece) for piece in config.k_schedule.pieces],
                "ks": _ks(config),
                **{name: format_value(getattr(config, name)) for name in PLAYER_FIELDS},
            }
            for config in configs
        ],
    }


def take_settings(page: ProblemPage, said: Any) -> None:
    """Take the settings that the player's controls were left at.

    Args:
      page: whose they are.
      said: from the browser, "settings" as in the page's address and "serial", which the player is told
        when they have been taken.
    """
    if not isinstance(said, Mapping) or not isinstance(said.get("settings"), Mapping):
        return
    given = {str(name): str(text) for name, text in said["settings"].items()}
    values, problems = read_address(page, given)
    if not problems:  # it has been answered by a route that reads it in the same way
        page_memory(page).update(values=values, notices=[])
    page_memory(page)["serial"] = said.get("serial")


def is_moved_in_player(page: ProblemPage, problem: ValueError) -> bool:
    """Whether a problem is about a setting of the player's; the sidebar has what is compared."""
    field = getattr(problem, "field", "")
    return field in PLAYER_FIELDS and not current_settings(page)["compare"].startswith(field)


def shown_controls(page: ProblemPage, problem: ValueError | None) -> dict[str, Any]:
    """`player_controls` of the page as it is, what is wrong, and the serial of `take_settings`."""
    values = current_settings(page)
    configs = page_memory(page).get("possible") or settings_of_runs(page, page.defaults)
    return {
        **player_controls(page, values, configs),
        "said": str(problem) if problem and is_moved_in_player(page, problem) else "",
        "serial": page_memory(page).get("serial"),
        "impossible": problem is not None,
        "shown": [name for name in (*PLAYER_FIELDS, page.problem) if is_shown(page, name)],
    }


def _goal(page: ProblemPage, values: Mapping[str, Any]) -> dict[str, Any] | None:
    """The goal of the preset that these settings are, or were before k was changed on the way."""
    for preset in page.presets:
        start = page.defaults | preset.changes | {"compare": preset.compare}
        if not preset.goal or start != {**values, "schedule": start["schedule"]}:
            continue
        if schedules.parse(values["schedule"])(0) == schedules.parse(start["schedule"])(0):
            goal = preset.goal
            return {"text": goal.text, "column": goal.player, "atLeast": goal.at_least}
    return None


def _ks(config: Any) -> list[int]:
    """The k that a slider offers: of `K_STOPS`, and the largest, what n and the estimator allow."""
    allowed = list(config.estimator_entry.allowed_k(config.n))
    return sorted({k for k in (*K_STOPS, allowed[-1]) if k in allowed})


def _learning_rates(page: ProblemPage) -> list[float]:
    """1, 2, 5, 10 and so on, from below the suggested ones to above them."""
    low, high = (float(page.learning_rates[place]) for place in (0, -1))
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    ladder = [float(f"{d}e{power}") for power, d in itertools.product(powers, (1, 2, 5))]
    return [rate for rate in ladder if low / 5 <= rate <= high * 5]
