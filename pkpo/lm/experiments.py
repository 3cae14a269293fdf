"""The named experiments on the language model, and the runs of them that ship.

`python -m pkpo.lm.experiments` trains what is missing in the data directory, some hours on one core, and
writes the records anew.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from pkpo.lm.paths import HARD_UNSEEN
from pkpo.runs import Store
from pkpo.runs.batch import run_all
from pkpo.runs.checkpoint import newest_file
from pkpo.runs.records import RunRecord, read_record, write_record
from pkpo.training.tasks.word_problems import WordProblemsConfig

RECORDED = Path(__file__).parent / "recorded"
"""The records that ship, `EXPERIMENT/METHOD-SEED.json.gz`, and some models that they ended with."""
VARIANCE_FILE = RECORDED / "spread.json.gz"
"""What `pkpo.lm.gradient_variance` measured."""
SHARPENING_FILE = RECORDED / "sharpening.json.gz"
"""What `pkpo.lm.sharpening` counted."""
EXPERIMENT_SEEDS = (0, 1, 2)
ABSTENTION_EXPERIMENT = "abstention"
"""The experiment where k = 1 stalls."""
SHIPPED_MODELS = {"fresh": ("k1", "k8", "annealed")}
"""By experiment, the methods whose model ships, that of the first seed, in `models/METHOD`."""


@dataclass(frozen=True, slots=True)
class Method:
    """What is trained for."""

    label: str
    settings: Mapping[str, Any]
    share: float | None = None
    """Of the updates, after which k becomes 1."""

    def config(self, base: WordProblemsConfig) -> WordProblemsConfig:
        """This method's run, all else as in `base`."""
        settings = dict(self.settings)
        if self.share is not None:
            settings["schedule"] += f"@0,1@{round(self.share * base.steps)}"
        return dataclasses.replace(base, **settings)


METHODS = {
    "k1": Method("k = 1", {"schedule": "1"}),
    "k2": Method("k = 2", {"schedule": "2"}),
    "k4": Method("k = 4", {"schedule": "4"}),
    "k8": Method("k = 8", {"schedule": "8"}),
    "annealed": Method("k = 8, then 1", {"schedule": "8"}, share=0.6),
    "annealed-early": Method("k = 8, then 1 early", {"schedule": "8"}, share=0.3),
    "tzsm25": Method("TZSM25, k = n = 16", {"schedule": "16"}),
    "entropy": Method("k = 1, entropy bonus", {"schedule": "1", "entropy_bonus": 0.01}),
}
"""loo-1 at k = n is the estimator of TZSM25 (arXiv:2503.19595): it trains for the best of all n."""
MAIN_METHODS = ("k1", "k2", "k4", "k8", "annealed", "tzsm25", "entropy")
METHODS |= {"canonical": Method("k = 8, canonical", {"schedule": "8", "estimator": "canonical"})}
MIXTURES = {f"mix-{alpha:g}": alpha for alpha in (0.25, 0.5, 0.75)}
METHODS |= {
    name: Method(f"Mixture, α = {alpha:g}", {"schedule": "8", "estimator": f"mix:{alpha:g}"})
    for name, alpha in MIXTURES.items()
}
BONUS_METHODS = {f"bonus-{x:g}": ("entropy", x) for x in (0.001, 0.005, 0.05, 0.1)}
"""The bonuses that the paper tried beside the middle one, which is that of "entropy"."""
RATE_METHODS = {
    f"{name}-rate-{x:g}": (name, x)
    for name in ("k1", "k8", "annealed", "entropy", "tzsm25", "canonical")
    for x in (1e-4, 1e-3)
}
ABSTENTION_METHODS = {
    f"{name}-abstention-{x:g}": (name, x) for name in ("k1", "k8") for x in (0.2, 0.3, 0.4)
}
VARIANTS = {
    key: (name, setting, x)
    for setting, found in (
        ("entropy_bonus", BONUS_METHODS),
        ("learning_rate", RATE_METHODS),
        ("abstention", ABSTENTION_METHODS),
    )
    for key, (name, x) in found.items()
}
"""A method with another value of one setting -> the method, the setting and the value."""


def _variant(name: str, setting: str, value: float) -> Method:
    method, words = METHODS[name], setting.replace("_", " ")
    return Method(
        f"{method.label.removesuffix(f', {words}')}, {words} {value:g}",
        {**method.settings, setting: value},
        method.share,
    )


METHODS |= {key: _variant(*variant) for key, variant in VARIANTS.items()}


@dataclass(frozen=True, slots=True)
class Experiment:
    """Methods on the same problems, over the same seeds."""

    title: str
    question: str
    base: WordProblemsConfig
    methods: tuple[str, ...] = MAIN_METHODS
    seeds: Sequence[int] = EXPERIMENT_SEEDS

    def configs(self) -> dict[tuple[str, int], WordProblemsConfig]:
        """The runs, by method and seed."""
        return {
            (name, seed): METHODS[name].config(dataclasses.replace(self.base, seed=seed))
            for name in self.methods
            for seed in self.seeds
        }


FRESH_RUN = WordProblemsConfig(interval=120)
HARD_RUN = WordProblemsConfig(
    problems="hard", prompts=16, learning_rate=5e-4, steps=400, held_out=512, interval=100
)
HARD_UNSEEN_RUN = WordProblemsConfig(problems=HARD_UNSEEN, steps=150, interval=50)
ABSTENTION_RUN = dataclasses.replace(HARD_UNSEEN_RUN, model="tiny-abstaining", abstention=0.5)
GSM_SYMBOLIC_RUN = WordProblemsConfig(
    model="small", problems="gsm_symbolic", learning_rate=1e-4, steps=200, interval=200
)
EXPERIMENTS = {
    "fresh": Experiment(
        "Fresh problems",
        "Every problem is new. What is gained on problems that were never seen?",
        FRESH_RUN,
    ),
    "hard": Experiment(
        "Fixed hard set",
        "128 problems that the model solves at most 3 of 64 times, again and again.",
        HARD_RUN,
    ),
    HARD_UNSEEN: Experiment(
        "Hard problems, unseen",
        "Trained on 2,000 problems that the model solves at most once in 16 tries; measured on others "
        "like them.",
        HARD_UNSEEN_RUN,
        (*MAIN_METHODS, "annealed-early", "canonical"),
        range(5),
    ),
    "rate": Experiment(
        "Which learning rate?",
        "The hard problems, unseen, at a third and at three times the learning rate: does the one that "
        "all have help one of them?",
        HARD_UNSEEN_RUN,
        tuple(RATE_METHODS),
    ),
    "mixture": Experiment(
        "A mixture of single tries and best of 8",
        "The hard problems, unseen: the gradients of pass@1 and of pass@8, both in every update, "
        "instead of one after the other.",
        HARD_UNSEEN_RUN,
        tuple(MIXTURES),
        range(5),
    ),
    "answer": Experiment(
        "Fresh problems, answer only",
        "As fresh problems, but a right answer earns the reward whatever the equations say.",
        dataclasses.replace(FRESH_RUN, reward="answer"),
        ("k1", "k8", "annealed"),
    ),
    "words": Experiment(
        "In the words of GSM8K",
        "Twice the model, on problems of GSM-Symbolic. Does the effect show on unseen ones?",
        GSM_SYMBOLIC_RUN,
        ("k1", "k8"),
    ),
    "bonus": Experiment(
        "Which entropy bonus?",
        "The coefficients that the paper tried, on the hard problems, unseen.",
        HARD_UNSEEN_RUN,
        tuple(BONUS_METHODS),
    ),
    ABSTENTION_EXPERIMENT: Experiment(
        "Abstaining pays",
        "Hard problems, unseen, and an answer that says ? earns 0.5: is k = 1 content with that?",
        ABSTENTION_RUN,
        ("k1", "k8", "annealed"),
        range(5),
    ),
    "abstention-map": Experiment(
        "What abstaining earns",
        "The same, where it earns less.",
        ABSTENTION_RUN,
        tuple(ABSTENTION_METHODS),
    ),
    "abstention-rate": Experiment(
        "Abstaining pays, at other learning rates",
        "The same at a third and at three times the learning rate.",
        ABSTENTION_RUN,
        tuple(name for name, (method, _) in RATE_METHODS.items() if method in ("k1", "k8")),
        (0, 1),
    ),
    "estimator": Experiment(
        "Which estimator?",
        "loo-1 and canonical for k = 8, all else the same: does less variance learn faster?",
        FRESH_RUN,
        ("k8", "canonical"),
    ),
}


@cache
def recorded_runs(experiment: str, method: str) -> tuple[RunRecord, ...]:
    """The shipped runs of one method, one per seed; read once.

    Raises:
      OSError, ValueError: they are not there, or are damaged.
    """
    return tuple(
        read_record(path_of(experiment, method, seed)) for seed in EXPERIMENTS[experiment].seeds
    )


def path_of(experiment: str, method: str, seed: int) -> Path:
    """Where a shipped record is."""
    return RECORDED / experiment / f"{method}-{seed}.json.gz"


def main(argv: Sequence[str] | None = None) -> None:
    """Train the experiments and write their records."""
    from pkpo.lm.answers import load_checkpoint_model
    from pkpo.lm.language_model import LanguageModel
    from pkpo.lm.model_files import save_model

    parser = argparse.ArgumentParser(prog="python -m pkpo.lm.experiments", description=__doc__)
    parser.add_argument("experiment", nargs="*", choices=tuple(EXPERIMENTS), help="default all")
    store = Store()
    for name in parser.parse_args(argv).experiment or EXPERIMENTS:
        wanted = EXPERIMENTS[name].configs()
        records = run_all(store, list(wanted.values()), partial(_say, name))
        (RECORDED / name).mkdir(parents=True, exist_ok=True)
        for (method, seed), record in zip(wanted, records, strict=True):
            # Groups to look at are large, and those of one seed are enough.
            write_record(record, path_of(name, method, seed), ("groups",) if seed else ())
            if method in SHIPPED_MODELS.get(name, ()) and seed == EXPERIMENT_SEEDS[0]:
                file = newest_file(store.files(id := record.provenance["id"]))
                assert file is not None, f"run {id} has lost its checkpoint"
                model = load_checkpoint_model(record.config.model, file)
                assert isinstance(model, LanguageModel)  # tiny is
                save_model(model, RECORDED / "models" / method)


def _say(experiment: str, done: float) -> None:
    print(f"\r{experiment} {done:.1%} ", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
