"""A problem's page as data: what its controls know besides what every such page has."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.presets import PRESETS, Preset
from pkpo.config import OPTIMIZERS
from pkpo.estimators import ESTIMATORS
from pkpo.training.tasks.registry import fields_of

COMPARISONS = {
    "": "One run",
    "schedule": "Values of k",
    "estimator": "Estimators",
    "n": "Group sizes n",
    "learning_rate": "Learning rates",
    "optimizer": "Optimizers",
}
"""What can be compared on a page."""


PLAYER_FIELDS = ("schedule", "n", "learning_rate", "seed")
"""The settings that the player moves; the sidebar has the others."""
PRESET_CONTROL = "examples"
CONTROL_NAMES = {
    PRESET_CONTROL: "examples",
    "schedule": "k and its schedule",
    "n": "n",
    "learning_rate": "learning rate",
    "seed": "seed",
    "compare": "compare",
    "estimator": "estimator",
    "optimizer": "optimizer",
    "steps": "updates",
}
"""Of the controls that every such page has."""


def estimators_of_any_reward() -> tuple[str, ...]:
    """The registered estimators that take rewards other than 0 and 1."""
    return tuple(name for name, entry in ESTIMATORS.items() if not entry.binary)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemPage:
    """What distinguishes the page of one problem from another's."""

    task: str
    address: str
    """The page's path, and the name of the files that it saves."""
    limits: Mapping[str, int]
    """Limits of this page, below the library's."""
    counted: str
    """What `count` counts, in words."""
    count: Callable[[Any], int]
    """Numbers that an update makes, by the run's config."""
    count_limit: int
    """Of all compared runs' updates together: instant on the page; more by command."""
    learning_rates: tuple[str, ...]
    """Suggested ones."""
    problem: str
    """The field that names the problem, or holds the visitor's own."""
    estimators: Callable[[str], tuple[str, ...]]
    """Those to offer for a problem."""
    world: Callable[[str], dict[str, Any]]
    """What of a problem is dragged in the player, by the problem's text: the numbers of its chart."""
    controls: Callable[[ProblemPage, dict[str, Any]], None]
    """Draws the controls of the settings that only this page has, where `is_shown` says so."""
    own: tuple[str, ...]
    """The names of these settings."""

    @property
    def fields(self) -> dict[str, dataclasses.Field]:
        """The task's settings, by name."""
        return fields_of(self.task)

    @property
    def control_names(self) -> dict[str, str]:
        """What `show=` can keep in view: each control's name in the address, and in words."""
        return CONTROL_NAMES | {name: name.replace("_", " ") for name in self.own}

    @property
    def presets(self) -> tuple[Preset, ...]:
        """The page's examples."""
        return PRESETS[self.task]

    @property
    def defaults(self) -> dict[str, Any]:
        """Every setting's value on the page as it opens."""
        settings = {name: field.default for name, field in self.fields.items()}
        return settings | {"compare": self.presets[0].compare}

    @property
    def first_values(self) -> dict[str, str]:
        """Where a comparison by a field begins."""
        return {
            "schedule": "1 2 4 8",
            "estimator": "s sloo sloo_minus_one canonical",
            "n": "8 16 32 64",
            "learning_rate": " ".join(self.learning_rates[:3]),
            "optimizer": "sgd normalised adam",
        }

    def suggestions(self, field: str, problem: str) -> tuple[str, ...]:
        """Values to compare a field by."""
        if field == "estimator":
            return self.estimators(problem)
        return {
            "schedule": (
                "1",
                "2",
                "4",
                "8",
                "16",
                "8@0,1@150",
                "linear:8->1@200",
                "cosine:8->1@200",
            ),
            "n": ("8", "16", "32", "64"),
            "learning_rate": self.learning_rates,
            "optimizer": tuple(OPTIMIZERS),
        }[field]
