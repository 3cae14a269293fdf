"""Questions of our own on the small language model, answered by the same kind of runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from pkpo.intervals import CONFIDENCE, mean_and_error
from pkpo.lm.experiments import EXPERIMENTS, METHODS, MIXTURES, RATE_METHODS
from pkpo.lm.paths import HARD_UNSEEN
from pkpo.paper.language import (
    LAST,
    gap,
    held_out_curve,
    held_out_grid,
    recipe_of,
    table_by_setting,
    table_of,
    training,
)
from pkpo.paper.recipe import Claim, Grid, Table, any_holds
from pkpo.paper.trained_runs import (
    MethodRuns,
    Runs,
    by_setting,
    claim_above,
    claim_above_each,
    claim_not_below,
    claim_not_below_each,
    each_in_words,
    final_means,
    held_out,
    surely_above,
)

QUESTION_K = (1, 8, 16)


def _curves(methods: dict[str, MethodRuns]) -> Table:
    """Pass@k of training groups and of held-out problems."""
    names = [f"pass@{k}" for k in QUESTION_K]
    return table_of(
        *(row for name in names for row in training(name, methods, name)),
        *(row for name in names for row in held_out_curve(name, methods, name)),
    )


# --- Does the estimator with less variance learn faster? ------------------------------------------

FASTER: dict[str, Any] = {
    "experiments": {"estimator": ("k8", "canonical")},
    "k_eval": QUESTION_K,
}


def _faster(runs: Runs) -> tuple[Table, list[Claim]]:
    methods = dict(runs["estimator"])
    loo, canonical = (methods[name] for name in FASTER["experiments"]["estimator"])
    updates = [update for update, kept in loo[0].details.items() if "held_out" in kept and update]
    return _curves(methods), [
        claim_above(
            f"At update {update} loo-1 is above canonical at pass@8, what both are trained for.",
            held_out(loo, 8, update) - held_out(canonical, 8, update),
        )
        for update in updates
    ]


# --- What if only the answer counts? --------------------------------------------------------------

ANSWER_FIGURE: dict[str, Any] = {
    "experiments": {name: ("k1", "k8", "annealed") for name in ("answer", "fresh")},
    "k_eval": QUESTION_K,
}


def _answer(runs: Runs) -> tuple[Table, list[Claim]]:
    one, eight, annealed = (runs["answer"][name] for name in ("k1", "k8", "annealed"))
    lucky = {
        name: {
            method: final_means(records, "lucky_share", LAST) for method, records in methods.items()
        }
        for name, methods in runs.items()
    }
    claims = [
        claim_above("At pass@1 k = 1 is above k = 8.", gap(one, eight, 1)),
        claim_above("At pass@16 k = 8 is above k = 1.", gap(eight, one, 16)),
        claim_above(
            "At pass@16 k = 8 is above the start.", held_out(eight, 16) - held_out(eight, 16, 0)
        ),
        claim_not_below(
            "Annealing ends at pass@16 no lower than it began.",
            held_out(annealed, 16) - held_out(annealed, 16, 0),
        ),
    ]
    claims += [
        claim_above(
            f"At the end of {words}, more of the right answers stand behind a false equation than with "
            "the strict reward.",
            lucky["answer"][method] - lucky["fresh"][method],
        )
        for method, words in (("k1", "k = 1"), ("k8", "k = 8"))
    ]
    return _curves(dict(runs["answer"])), claims


def _answer_table(runs: Runs) -> tuple[Grid, ...]:
    title = "Right answers: pass@k on held-out problems, mean ± standard error over seeds"
    return (held_out_grid("answer-table", title, runs["answer"]),)


# --- Which entropy bonus? -------------------------------------------------------------------------

BONUS: dict[str, Any] = {
    "experiments": {
        "bonus": EXPERIMENTS["bonus"].methods,
        HARD_UNSEEN: ("entropy", "k1", "k8"),
    },
    "k_eval": QUESTION_K,
}


def _coefficient(name: str) -> float:
    """What an entropy bonus has as its coefficient; 0 without one."""
    return float(METHODS[name].settings.get("entropy_bonus", 0))


def _bonus_runs(runs: Runs) -> dict[str, MethodRuns]:
    """Of every method the seeds that all have, bonuses first and in order."""
    seeds = len(next(iter(runs["bonus"].values())))
    found = {name: records[:seeds] for by in runs.values() for name, records in by.items()}
    return dict(sorted(found.items(), key=lambda item: _coefficient(item[0]) or np.inf))


def _bonus(runs: Runs) -> tuple[Table, list[Claim]]:
    methods = _bonus_runs(runs)
    tried = [name for name in methods if _coefficient(name)]
    rows = [
        (
            f"pass@{k}, coefficient of the bonus",
            *(("entropy", _coefficient(name)) if name in tried else (name, np.nan)),
            *mean_and_error(held_out(records, k)),
        )
        for k in QUESTION_K
        for name, records in methods.items()
    ]
    shown = {name: f"coefficient {_coefficient(name):g}" for name in tried}
    gains = {shown[name]: gap(methods[name], methods["k1"], 16) for name in tried}
    leads = {shown[name]: gap(methods["k8"], methods[name], 16) for name in tried}
    return table_by_setting(*rows), [
        Claim(
            "A bonus for entropy raises pass@16 above that of k = 1 without one.",
            each_in_words(gains, len(gains)),
            f"one of these {len(gains)} intervals above 0; together they hold in {CONFIDENCE:.0%}",
            any_holds(surely_above(x, len(gains)) for x in gains.values()),
        ),
        claim_above_each("k = 8 ends at pass@16 above every one of them.", leads),
    ]


def _bonus_table(runs: Runs) -> tuple[Grid, ...]:
    title = (
        "Entropy bonus: pass@k on hard problems, unseen, ± standard error over seeds and problems"
    )
    return (held_out_grid("bonus-table", title, _bonus_runs(runs), problems=True),)


# --- Is one method helped by the learning rate? ---------------------------------------------------

RATE_FIGURE: dict[str, Any] = {
    "experiments": {
        "rate": EXPERIMENTS["rate"].methods,
        HARD_UNSEEN: tuple(dict.fromkeys(name for name, _ in RATE_METHODS.values())),
    },
    "k_eval": (1, 16),
}


def _rate(runs: Runs) -> tuple[Table, list[Claim]]:
    found = by_setting(runs, "rate", HARD_UNSEEN)
    usual = EXPERIMENTS[HARD_UNSEEN].base.learning_rate
    rows = [
        (f"pass@{k}, learning rate", name, rate, *mean_and_error(held_out(records, k)))
        for k in RATE_FIGURE["k_eval"]
        for name, rates in found.items()
        for rate, records in rates.items()
    ]
    leads = {
        f"{METHODS[name].label}, {rate:g}": gap(rates[usual], rates[rate], 1)
        for name, rates in found.items()
        for rate in sorted(rates)
        if rate != usual
    }

    def at_each(better: str, worse: str, k: int) -> dict[str, np.ndarray]:
        return {f"{x:g}": gap(found[better][x], found[worse][x], k) for x in sorted(found[worse])}

    return table_by_setting(*rows), [
        claim_above_each(f"{usual:g} is the best of the three at pass@1, for every method.", leads),
        *(
            claim_above_each(
                f"At each of the three k = 8 ends above {words} at pass@16.",
                at_each("k8", name, 16),
            )
            for name, words in (
                ("k1", "k = 1"),
                ("entropy", "the entropy bonus"),
                ("tzsm25", "TZSM25"),
            )
        ),
        claim_not_below_each(
            "At each of the three k = 8, then 1 loses nothing at pass@1 against k = 1.",
            at_each("annealed", "k1", 1),
        ),
        claim_above_each(
            "At each of the three k = 8, then 1 ends above k = 1 at pass@16.",
            at_each("annealed", "k1", 16),
        ),
    ]


# --- One after the other, or both at once? --------------------------------------------------------

MIXTURE: dict[str, Any] = {
    "experiments": {"mixture": tuple(MIXTURES), HARD_UNSEEN: ("k1", "k8", "annealed")},
    "k_eval": QUESTION_K,
}


def _mixture_runs(runs: Runs) -> dict[str, MethodRuns]:
    return {name: runs[x][name] for x, names in MIXTURE["experiments"].items() for name in names}


def _mixture(runs: Runs) -> tuple[Table, list[Claim]]:
    methods = _mixture_runs(runs)
    one, eight, annealed = (methods[name] for name in ("k1", "k8", "annealed"))
    mixed = {alpha: methods[name] for name, alpha in MIXTURES.items()}
    drawn = [("mixture", alpha, x) for alpha, x in ({0: one} | mixed | {1: eight}).items()]
    drawn += [("k1", 0, one), ("k8", 1, eight), ("annealed", np.nan, annealed)]
    rows = [
        (f"pass@{k}, α, share of best of 8", name, alpha, *mean_and_error(held_out(records, k)))
        for k in MIXTURE["k_eval"]
        for name, alpha, records in drawn
    ]
    half, least, most = mixed[0.5], mixed[min(mixed)], mixed[max(mixed)]

    def each(k: int, other: MethodRuns) -> dict[str, np.ndarray]:
        return {f"α = {alpha:g}": gap(found, other, k) for alpha, found in mixed.items()}

    return table_by_setting(*rows), [
        claim_not_below("Half of each loses nothing at pass@1 against k = 1.", gap(half, one, 1)),
        claim_above("It ends above k = 1 at pass@16.", gap(half, one, 16)),
        claim_above("It ends above k = 8, then 1 at pass@1.", gap(half, annealed, 1)),
        claim_above("It ends above k = 8, then 1 at pass@16, too.", gap(half, annealed, 16)),
        claim_not_below("It loses nothing at pass@16 against k = 8.", gap(half, eight, 16)),
        claim_above_each("With any of the shares it ends above k = 1 at pass@16.", each(16, one)),
        claim_above_each("With any of them it ends above k = 8 at pass@1.", each(1, eight)),
        claim_above_each(
            f"From α = {min(mixed):g} to {max(mixed):g} pass@1 falls, and pass@16 rises.",
            {"pass@1 lost": gap(least, most, 1), "pass@16 gained": gap(most, least, 16)},
        ),
    ]


def _mixture_table(runs: Runs) -> tuple[Grid, ...]:
    title = "Hard problems, unseen: pass@k, mean ± standard error over seeds and problems"
    return (held_out_grid("mixture-table", title, _mixture_runs(runs), problems=True),)


QUESTION_RECIPES = (
    recipe_of(
        "faster",
        "Does the estimator with less variance learn faster?",
        "loo-1 (k = 8) and canonical on the same problems, at the same step size.",
        FASTER,
        _faster,
        kind="own",
    ),
    recipe_of(
        "answer",
        "What if only the answer counts?",
        "A right answer earns the reward whatever the equations say; measured the same way.",
        ANSWER_FIGURE,
        _answer,
        _answer_table,
        kind="own",
    ),
    recipe_of(
        "bonus",
        "Which entropy bonus?",
        "The coefficients that the paper tried, for k = 1, and runs without a bonus; hard problems, "
        "unseen.",
        BONUS,
        _bonus,
        _bonus_table,
        kind="own",
        errors_over="seeds and problems",
    ),
    recipe_of(
        "rate",
        "Is one method helped by the learning rate?",
        "All methods have the same. On the hard problems, unseen, at a third of it and at three times "
        "as much, three seeds of each.",
        RATE_FIGURE,
        _rate,
        kind="own",
        caveat="At 0.001 the seeds of k = 1 and of the entropy bonus end far apart: three leave most "
        "claims undecided.",
        errors_over="seeds and problems",
    ),
    recipe_of(
        "mixture",
        "One after the other, or both at once?",
        "The gradients of pass@1 and of pass@8, both in every update, against k = 8, then 1. The same "
        "updates, samples and step size; hard problems, unseen; runs of several machines.",
        MIXTURE,
        _mixture,
        _mixture_table,
        kind="own",
        errors_over="seeds and problems",
    ),
)
"""Beside the paper's figures."""
