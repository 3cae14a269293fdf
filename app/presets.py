"""Presets of the toy page: a name, what to see, and the settings that show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pkpo.config import HillConfig


@dataclass(frozen=True, slots=True)
class Preset:
    """A setting of the page: fields of `HillConfig` that differ from their defaults, a comparison."""

    name: str
    message: str
    compare: str = ""
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> HillConfig:
        """The settings that the runs share."""
        return HillConfig(**self.changes)


PRESETS = (
    Preset(
        "Paper, Figure 1",
        "The larger k, the closer to the cliff the best policy stands: with more attempts, "
        "falling off costs less.",
        compare="schedule 1 2 4 8",
    ),
    Preset(
        "Risk seeking pays",
        "If you keep the best of 8, train for the best of 8: the bold policy's single attempts are "
        "worse, its best of 8 is better.",
        compare="schedule 1 8",
    ),
    Preset(
        "Annealing wins",
        "From a start where single attempts rarely score, k = 1 crawls and k = 8 runs. Switching "
        "from 8 to 1 on the way ends with the best single attempt.",
        compare="schedule 1 8 8@0,1@180",
        changes={"theta": 0.0},
    ),
    Preset(
        "Variance hurts",
        "With k near n, few samples decide the gradient: at n = 8 and k = 8, it jumps; with more "
        "samples for the same k, it settles.",
        compare="n 8 10 16 64",
        changes={"learning_rate": 0.05, "steps": 150},
    ),
    Preset(
        "Stuck at pass@1",
        "k = 1 climbs the nearer, lower peak and stays: every way off it costs single attempts. "
        "For k = 8 the occasional look at the higher peak is enough.",
        compare="schedule 1 2 4 8",
        changes={"shape": "two-peaks", "theta": 0.1, "steps": 250, "learning_rate": 0.01},
    ),
)
