"""Where k = 1 stalls: on a language model that may abstain, and is paid for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from pkpo.intervals import mean_and_error
from pkpo.lm.experiments import ABSTENTION_EXPERIMENT, EXPERIMENTS
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
from pkpo.paper.recipe import Claim, Grid, Table
from pkpo.paper.trained_runs import (
    DRAWN_POINTS,
    Runs,
    by_setting,
    claim_above,
    final_means,
    held_out,
)

PAID = EXPERIMENTS[ABSTENTION_EXPERIMENT].base.abstention

# --- Where k = 1 stalls ---------------------------------------------------------------------------

STALL: dict[str, Any] = {
    "experiments": {ABSTENTION_EXPERIMENT: EXPERIMENTS[ABSTENTION_EXPERIMENT].methods},
    "k_eval": (1, 16),
}


def _stall(runs: Runs) -> tuple[Table, list[Claim]]:
    methods = dict(runs[ABSTENTION_EXPERIMENT])
    one, eight, annealed = (methods[name] for name in STALL["experiments"][ABSTENTION_EXPERIMENT])
    table = table_of(
        *(
            row
            for k in STALL["k_eval"]
            for row in held_out_curve(f"pass@{k}", methods, f"pass@{k}")
        ),
        *training("reward of a single try", methods, "mean_reward"),
        *training("share that abstains", methods, "abstention_share"),
    )
    earned = {name: final_means(records, "mean_reward", LAST) for name, records in methods.items()}
    return table, [
        claim_above(
            "k = 1 ends at pass@1 below its start: it abstains.",
            held_out(one, 1, 0) - held_out(one, 1),
        ),
        claim_above("k = 8 ends above k = 1 at pass@1.", gap(eight, one, 1)),
        claim_above("k = 8, then 1 ends above k = 1 at pass@1.", gap(annealed, one, 1)),
        claim_above("k = 8, then 1 ends above k = 8 at pass@1.", gap(annealed, eight, 1)),
        claim_above(
            "k = 8, then 1 earns more with a single try than k = 1, which is trained for that alone.",
            earned["annealed"] - earned["k1"],
        ),
    ]


def _stall_table(runs: Runs) -> tuple[Grid, ...]:
    title = f"Abstaining earns {PAID:g}: pass@k, mean ± standard error over seeds and problems"
    return (held_out_grid("stall-table", title, runs[ABSTENTION_EXPERIMENT], problems=True),)


# --- When? ----------------------------------------------------------------------------------------

STALL_MAP: dict[str, Any] = {
    "experiments": {
        ABSTENTION_EXPERIMENT: EXPERIMENTS[ABSTENTION_EXPERIMENT].methods,
        **{name: EXPERIMENTS[name].methods for name in ("abstention-map", "abstention-rate")},
    },
    "solved": 4,
}
"""`solved`: problems are parted by how many of 16 tries solved them before training, up to this many."""


def _stall_map(runs: Runs) -> tuple[Table, list[Claim]]:
    by_pay, by_rate = (
        by_setting(runs, name, ABSTENTION_EXPERIMENT)
        for name in ("abstention-map", "abstention-rate")
    )
    rows = [
        (panel, method, value, *mean_and_error(held_out(records, 1)))
        for panel, found in (
            ("pass@1, what abstaining earns", by_pay),
            ("pass@1, learning rate", by_rate),
        )
        for method, values in found.items()
        for value, records in sorted(values.items())
    ]
    before = held_out(runs[ABSTENTION_EXPERIMENT]["k1"], 1, 0)
    most = STALL_MAP["solved"]
    solved = np.minimum(np.rint(before[0] * DRAWN_POINTS).astype(int), most)
    for method, records in runs[ABSTENTION_EXPERIMENT].items():
        after = held_out(records, 1)
        rows += [
            (
                f"pass@1, of {DRAWN_POINTS} tries right before ({most}+)",
                method,
                float(s),
                *mean_and_error(after[:, solved == s]),
            )
            for s in np.unique(solved).tolist()
            if (solved == s).sum() > 1
        ]
    claims = [
        claim_above(
            f"Where abstaining earns {value:g}, k = 8 ends above k = 1 at pass@1.",
            gap(by_pay["k8"][value], by_pay["k1"][value], 1),
        )
        for value in sorted(by_pay["k1"])
    ]
    claims += [
        claim_above(
            f"At learning rate {rate:g}, too, k = 8 ends above k = 1 at pass@1.",
            gap(by_rate["k8"][rate], by_rate["k1"][rate], 1),
        )
        for rate in sorted(by_rate["k1"])
        if rate != EXPERIMENTS[ABSTENTION_EXPERIMENT].base.learning_rate
    ]
    return table_by_setting(*rows), claims


STALL_RECIPES = (
    recipe_of(
        "stall",
        "Where k = 1 stalls: abstaining pays",
        f"Hard problems, unseen; a model that may answer ?, which earns {PAID:g} for sure. A right "
        "answer earns 1, but few tries are right at first: k = 1 gives up trying, k = 8 does not.",
        STALL,
        _stall,
        _stall_table,
        kind="own",
        errors_over="seeds and problems; of rewards and shares, seeds",
    ),
    recipe_of(
        "stall-map",
        "When does k = 8 overtake k = 1 at a single try?",
        "Pass@1 after training, by what abstaining earns, by the learning rate, and by how often a "
        "problem was solved before.",
        STALL_MAP,
        _stall_map,
        kind="own",
        caveat="The first two fail because the border lies between 0.3 and 0.4: below it k = 1 learns, "
        "and ends ahead.",
        errors_over="seeds and problems",
    ),
)
"""Beside the paper's figures."""
