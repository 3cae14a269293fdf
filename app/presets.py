"""Presets of the problems' pages: a name, what to see, and the settings that show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pkpo.config import BanditConfig, HillConfig, RunConfig, compared
from pkpo.lm.experiments import HARD, WORDS


@dataclass(frozen=True, slots=True)
class Preset:
    """A setting of a page: fields that differ from the task's defaults, and a comparison."""

    name: str
    message: str
    compare: str = ""
    changes: dict[str, Any] = field(default_factory=dict)

    def runs(self, task: str) -> tuple[RunConfig, ...]:
        """The runs that it compares."""
        return compared({"task": task, **self.changes}, self.compare)


TOY = (
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

BANDIT = (
    Preset(
        "Annealing wins both",
        "A likely arm pays 0.6, a rare one 1. k = 1 settles for 0.6; k = 8 finds the 1 but goes on "
        "trying; first 8, then 1 is best at both.",
        compare="schedule 1 8 8@0,1@150",
    ),
    Preset(
        "Rare jackpot",
        "The likeliest arm pays 0.5; one drawn once in a hundred pays 1. k = 1 settles for the sure "
        "half. With k = 2 the jackpot wins, and in the end single attempts are better, too.",
        compare="schedule 1 2 8",
        changes={"bandit": "jackpot"},
    ),
    Preset(
        "Easy prompts crowd out hard ones",
        "Six prompts share one policy; three have the same right answer. k = 1 gives it to all and "
        "loses the other three prompts. k = 8 keeps every right answer in play.",
        compare="schedule 1 8",
        changes={"bandit": "crowded"},
    ),
    Preset(
        "Wide tie: k keeps variety",
        "Ten of twenty arms are right. With large steps, k = 1 ends on a single one, whichever was "
        "lucky; the larger k, the more arms stay in use.",
        compare="schedule 1 2 4 8",
        changes={"bandit": "tie", "learning_rate": 5.0},
    ),
    Preset(
        "Hard: one in a hundred",
        "The right arm is drawn once in a hundred: most groups teach nothing at first. A larger k "
        "makes more of a rare success and takes off sooner; a smaller one ends surer.",
        compare="schedule 1 2 4 8",
        changes={"bandit": "hard"},
    ),
)

LANGUAGE = (
    Preset(
        "The paper in four minutes",
        "The same model, trained for a single try, for the best of 8, and for the best of 8 and then a "
        "single try, on problems that are always new.",
        compare="k1 k8 annealed",
    ),
    Preset(
        "Stalled at pass@1?",
        "The same 128 hard problems again and again. In the paper k = 1 stalls here and larger k go on; "
        "recorded here, k = 1 did not stall, but 8, then 1 ended ahead of it at one try and at 16.",
        compare="k1 k8 annealed",
        changes=HARD.changed(),
    ),
    Preset(
        "k = n: too much variance",
        "With k = n only the best answer of a group gets any weight: few samples decide the gradient.",
        compare="k8 tzsm25",
    ),
    Preset(
        "Entropy bonus instead",
        "Exploration paid for directly: k = 1 with a bonus for entropy, beside k = 1 and k = 8.",
        compare="k1 entropy k8",
    ),
    Preset(
        "In the words of GSM8K",
        "Twice the model, and problems of 2 to 6 steps in the words of GSM8K's templates. It needs a "
        "smaller step size, and more patience. Recorded here, k = 1 gained at one try only, "
        "and k = 8 ended ahead of it at 16.",
        compare="k1 k8",
        changes=WORDS.changed(),
    ),
)
"""The presets of the language model's page; each compares keys of `pkpo.lm.experiments.METHODS`."""

PRESETS = {HillConfig.task: TOY, BanditConfig.task: BANDIT}
"""The presets of each problem's page; the first one is what the page opens with."""
