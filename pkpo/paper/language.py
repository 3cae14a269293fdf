"""Figures 3, 6, 7 and 8, Tables 5 and 7: the paper's claims on a small language model."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pkpo.config import EVAL_KS
from pkpo.intervals import CONFIDENCE, mean_and_error
from pkpo.lm.experiments import EXPERIMENTS, MAIN_METHODS, METHODS
from pkpo.lm.paths import HARD_UNSEEN
from pkpo.paper.recipe import Claim, FigureRecipe, Grid, Kind, Table, all_hold, make_table
from pkpo.paper.trained_runs import (
    MethodRuns,
    Runs,
    TrainedRuns,
    claim_above,
    claim_above_each,
    claim_not_below,
    ever_solved,
    final_means,
    held_out,
    interval_in_words,
    mean_in_words,
    surely_above,
)

K_OPT = {1: "k1", 2: "k2", 4: "k4", 8: "k8"}
"""The k that is trained for -> its method."""
EVALUATED_K = EVAL_KS
LAST = 10  # updates over which a noisy metric's mean is taken

CurveRow = tuple[str, str, str, int, float, float]


def paper_grid(
    key: str, title: str, columns: tuple[str, ...], percent: Mapping[str, Sequence[float]]
) -> Grid:
    """What the paper's own table says (arXiv:2505.15201), its percentages as shares."""
    means = np.array(list(percent.values())) / 100
    best = means == means.max(axis=0)
    return Grid(key, title, tuple(percent), columns, means, np.zeros_like(means), best)


# --- Figure 3: annealing --------------------------------------------------------------------------

FIGURE_3: dict[str, Any] = {
    "experiments": dict.fromkeys(("fresh", "hard"), ("k1", "k8", "annealed")),
    "k_eval": (1, 8, 16),
}


def _figure_3(runs: Runs) -> tuple[Table, list[Claim]]:
    fresh, hard = (
        {method: runs[name][method] for method in methods}
        for name, methods in FIGURE_3["experiments"].items()
    )
    one, eight, annealed = fresh.values()
    names = [f"pass@{k}" for k in FIGURE_3["k_eval"]]
    table = table_of(
        *(row for name in names for row in training(name, fresh, name)),
        *(row for name in names for row in held_out_curve(name, fresh, name)),
        *(row for name in names for row in training(f"{name}, the hard set", hard, name)),
    )
    switch = int(np.flatnonzero(annealed[0]["k"] == 1)[0])
    together = slice(0, switch + 1)
    apart = max(
        float(np.abs(a["pass@1"][together] - b["pass@1"][together]).max())
        for a, b in zip(annealed, eight, strict=True)
    )
    rise = gap(annealed, eight, 1)
    return table, [
        claim_not_below("Annealing loses nothing at pass@1 against k = 1.", gap(annealed, one, 1)),
        _above_at_every_k("For every k_eval > 1 the annealed run ends above k = 1.", annealed, one),
        Claim(
            "Up to the switch the annealed run is that of k = 8; from there its pass@1 gains on it.",
            f"largest difference up to update {switch}: {apart:g}; at the end {mean_in_words(rise)}",
            f"0; the {CONFIDENCE:.0%} interval above 0",
            all_hold((apart == 0, surely_above(rise))),
        ),
        claim_above("k = 8 ends above k = 1 at pass@16.", gap(eight, one, 16)),
        claim_not_below(
            "Annealing ends at pass@16 no lower than it began.",
            held_out(annealed, 16) - held_out(annealed, 16, 0),
            "own",
        ),
        *(
            claim_above(
                f"On the hard set the annealed run ends above k = 1 at the training set's {name}.",
                final_means(hard["annealed"], name) - final_means(hard["k1"], name),
                "own",
            )
            for name in ("pass@1", "pass@16")
        ),
    ]


def _above_at_every_k(text: str, a: MethodRuns, b: MethodRuns) -> Claim:
    return claim_above_each(text, {f"pass@{k}": gap(a, b, k) for k in EVALUATED_K[1:]})


# --- Figure 6: exploration ------------------------------------------------------------------------

FIGURE_6: dict[str, Any] = {
    "experiments": dict.fromkeys(("fresh", "hard"), tuple(K_OPT.values())),
}
_PLACES = {"fresh": "fresh problems", "hard": "the hard set"}


def _figure_6(runs: Runs) -> tuple[Table, list[Claim]]:
    rows: list[CurveRow] = []
    claims = []
    for name, what in (
        ("cumulative_solve_rate", "cumulative solve rate"),
        ("entropy", "entropy"),
    ):
        for place, found in runs.items():
            methods = {method: found[method] for method in K_OPT.values()}
            rows += training(f"{what}, {_PLACES[place]}", methods, name)
            updates = 1 if name == "cumulative_solve_rate" else LAST
            last = {k: final_means(methods[method], name, updates) for k, method in K_OPT.items()}
            gaps = last[8] - last[1]
            if (place, name) == ("hard", "cumulative_solve_rate"):
                gaps = ever_solved(methods["k8"]) - ever_solved(methods["k1"])
            means = [float(x.mean()) for x in last.values()]
            shown = ", ".join(f"{k}: {x:.3f}" for k, x in zip(last, means, strict=True))
            claims += [
                claim_above(
                    f"On {_PLACES[place]} k = 8 ends with a higher {what} than k = 1.", gaps
                ),
                Claim(
                    f"On {_PLACES[place]} the {what} grows with k.",
                    f"for k = {shown}",
                    "each larger than the one before",
                    bool((np.diff(means) > 0).all()),
                ),
            ]
    return table_of(*rows), claims


# --- Figure 7 and Table 7: what is trained for, and what is measured ------------------------------

PAPER_TABLE_7 = paper_grid(
    "table7-paper",
    "Table 7 in the paper (GEMMA2-2B on MATH)",
    tuple(f"pass@{k}" for k in EVALUATED_K),
    {
        "k = 1": (15.91, 18.12, 23.37, 29.58, 35.02),
        "k = 2": (15.15, 20.73, 25.81, 31.96, 37.75),
        "k = 4": (14.86, 19.86, 27.59, 34.27, 38.91),
        "k = 8": (14.19, 19.33, 26.45, 35.49, 40.73),
        "TZSM25": (13.11, 18.09, 24.58, 31.81, 37.24),
        "Entropy bonus": (14.51, 18.95, 25.33, 30.95, 36.18),
    },
)
FIGURE_7: dict[str, Any] = {
    "experiments": {"fresh": MAIN_METHODS},
    "k_opt": (*K_OPT, "TZSM25 (16)"),
    "k_eval": EVALUATED_K,
}


def _figure_7(runs: Runs) -> tuple[Table, list[Claim]]:
    fresh = runs["fresh"]
    drawn = {name: fresh[name] for name in (*K_OPT.values(), "tzsm25")}
    names = [f"pass@{k}" for k in EVALUATED_K]
    table = table_of(
        *(row for name in names for row in training(name, drawn, name)),
        *(row for name in names for row in held_out_curve(name, drawn, name)),
    )
    claims = []
    for k in K_OPT:
        ends_at = {other: held_out(fresh[method], k) for other, method in K_OPT.items()}
        others = [other for other in K_OPT if other != k]
        best = max(others, key=lambda other: float(ends_at[other].mean()))
        shown = ", ".join(f"{other}: {x.mean():.3f}" for other, x in ends_at.items())
        claim = claim_not_below(
            f"At pass@{k} no other k_opt is better than k_opt = {k}.", ends_at[k] - ends_at[best]
        )
        claims.append(
            dataclasses.replace(
                claim, measured=f"for k_opt = {shown}; to the best other, {claim.measured}"
            )
        )
    one, eight, all_n = (fresh[name] for name in ("k1", "k8", "tzsm25"))
    claims += [
        claim_above("At pass@1 k_opt = 1 is above k_opt = 8.", gap(one, eight, 1)),
        claim_above("At pass@16 k_opt = 8 is above k_opt = 1.", gap(eight, one, 16)),
        claim_above(
            "The larger k_eval, the more k_opt = 1 loses against k_opt = 8 (16 against 1).",
            gap(eight, one, 16) - gap(eight, one, 1),
        ),
        claim_above(
            "TZSM25 is below k_opt = 8 even at its own target, pass@16.", gap(eight, all_n, 16)
        ),
    ]
    return table, claims


def _table_7(runs: Runs) -> tuple[Grid, ...]:
    title = "Table 7: pass@k on held-out problems, mean ± standard error over seeds"
    return (held_out_grid("table7", title, runs["fresh"]), PAPER_TABLE_7)


# --- Figure 8 and Table 5: hard problems ----------------------------------------------------------

PAPER_TABLE_5 = paper_grid(
    "table5-paper",
    "Table 5 in the paper (GEMMA2-9B on the easy split of ARC-AGI-1)",
    ("cumulative solve rate", "pass@1", "pass@16"),
    {
        "k = 1": (12.0, 2.0, 8.18),
        "k = 4": (82.33, 22.0, 38.18),
        "k = 8": (84.14, 26.67, 44.50),
        "TZSM25": (22.0, 6.0, 10.16),
        "Entropy bonus": (24.67, 4.0, 8.89),
    },
)
FIGURE_8: dict[str, Any] = {"experiments": {"hard": MAIN_METHODS}}
_TABLE_5 = {
    "cumulative solve rate": "cumulative_solve_rate",
    "pass@1": "pass@1",
    "pass@16": "pass@16",
}


def _figure_8(runs: Runs) -> tuple[Table, list[Claim]]:
    hard = {name: runs["hard"][name] for name in FIGURE_8["experiments"]["hard"]}
    names = ("pass@1", "pass@16")
    table = table_of(
        *(row for name in names for row in training(f"{name}, the hard set", hard, name)),
        *(row for name in names for row in held_out_curve(f"{name}, held out", hard, name)),
    )
    half = hard["k1"][0].config.steps // 2
    late = {
        k: final_means(hard[method], "pass@1") - np.array([r["pass@1"][half] for r in hard[method]])
        for k, method in K_OPT.items()
    }
    solve_gap = ever_solved(hard["k8"]) - ever_solved(hard["k1"])
    return table, [
        Claim(
            "At k = 1 the training set's pass@1 stalls: in the second half it gains less than at k = 8.",
            f"gain after update {half}: {mean_in_words(late[1])} and {mean_in_words(late[8])}; "
            f"difference {interval_in_words(late[8] - late[1])}",
            f"the {CONFIDENCE:.0%} interval above 0",
            surely_above(late[8] - late[1]),
        ),
        *(
            claim_above(
                f"k = {k} ends above k = 1 at the training set's pass@1.",
                final_means(hard[K_OPT[k]], "pass@1") - final_means(hard["k1"], "pass@1"),
            )
            for k in (4, 8)
        ),
        claim_above(
            "k = 8 ends above k = 1 at the training set's pass@16.",
            final_means(hard["k8"], "pass@16") - final_means(hard["k1"], "pass@16"),
        ),
        claim_above("k = 8 has solved more of the problems at least once than k = 1.", solve_gap),
    ]


def _table_5(runs: Runs) -> tuple[Grid, ...]:
    hard = {name: runs["hard"][name] for name in FIGURE_8["experiments"]["hard"]}
    return (
        Grid.from_samples(
            "table5",
            "Table 5: the hard set (trained on), mean ± standard error over seeds",
            [METHODS[name].label for name in hard],
            _TABLE_5,
            [[final_means(runs, name) for name in _TABLE_5.values()] for runs in hard.values()],
        ),
        PAPER_TABLE_5,
    )


# --- Figures 3 and 8 where nothing can be memorised -----------------------------------------------

UNSEEN_FIGURE: dict[str, Any] = {
    "experiments": {HARD_UNSEEN: EXPERIMENTS[HARD_UNSEEN].methods},
    "drawn": ("k1", "k2", "k4", "k8", "annealed"),
    "k_eval": (1, 4, 8, 16),
}


def _unseen(runs: Runs) -> tuple[Table, list[Claim]]:
    methods = runs[HARD_UNSEEN]
    one, eight, annealed, early = (methods[x] for x in ("k1", "k8", "annealed", "annealed-early"))
    table = table_of(
        *(
            (f"pass@{k}", name, "held-out", u, *mean_and_error(held_out(methods[name], k, u)))
            for k in UNSEEN_FIGURE["k_eval"]
            for name in UNSEEN_FIGURE["drawn"]
            for u in [u for u, kept in one[0].details.items() if "held_out" in kept]
        )
    )
    return table, [
        claim_not_below("Annealing loses nothing at pass@1 against k = 1.", gap(annealed, one, 1)),
        _above_at_every_k("For every k_eval > 1 the annealed run ends above k = 1.", annealed, one),
        claim_above("k = 8 ends above k = 1 at pass@16.", gap(eight, one, 16)),
        claim_above("k = 8 ends above k = 1 at pass@1, too.", gap(eight, one, 1)),
        claim_above(
            "k = 8 has solved more of the training problems at least once than k = 1.",
            ever_solved(eight) - ever_solved(one),
        ),
        claim_above("k = 8 ends above TZSM25 at pass@16.", gap(eight, methods["tzsm25"], 16)),
        claim_above(
            "k = 8 ends above the entropy bonus at pass@16.", gap(eight, methods["entropy"], 16)
        ),
        claim_not_below(
            "Annealing early, too, loses nothing at pass@1 against k = 1.",
            gap(early, one, 1),
            "own",
        ),
        claim_above(
            "Annealing late keeps more of pass@16 than annealing early.",
            gap(annealed, early, 16),
            "own",
        ),
        claim_above(
            "loo-1 ends above canonical at pass@8, what both are trained for.",
            gap(eight, methods["canonical"], 8),
            "own",
        ),
    ]


def _unseen_table(runs: Runs) -> tuple[Grid, ...]:
    title = "Hard problems, unseen: pass@k, mean ± standard error over seeds and problems"
    return (held_out_grid("unseen", title, runs[HARD_UNSEEN], problems=True),)


# --- What the figures share -----------------------------------------------------------------------


def held_out_grid(
    key: str, title: str, methods: Mapping[str, MethodRuns], problems: bool = False
) -> Grid:
    """Held-out pass@k before training and at the end of each method.

    Args:
      key: of the grid.
      title: likewise.
      methods: all from the same start.
      problems: whether the errors are those over problems, too; else over seeds only.
    """
    first = next(iter(methods.values()))
    values = [
        [held_out(method, k, update) for k in EVALUATED_K]
        for method, update in [(first, 0), *((method, None) for method in methods.values())]
    ]
    return Grid.from_samples(
        key,
        title,
        ("Before training", *(METHODS[name].label for name in methods)),
        [f"pass@{k}" for k in EVALUATED_K],
        [[x if problems else x.mean(axis=1) for x in row] for row in values],
    )


def gap(a: MethodRuns, b: MethodRuns, k: int) -> np.ndarray:
    """By how much a method ends above another, per seed and held-out problem."""
    return held_out(a, k) - held_out(b, k)


def training(panel: str, methods: Mapping[str, MethodRuns], name: str) -> Iterator[CurveRow]:
    """A metric of the training groups at every update."""
    steps = next(iter(methods.values()))[0].config.steps
    return _rows(panel, methods, name, "training", range(steps + 1))


def held_out_curve(panel: str, methods: Mapping[str, MethodRuns], name: str) -> Iterator[CurveRow]:
    """A metric of held-out problems at the updates that measured them."""
    details = next(iter(methods.values()))[0].details
    updates = [update for update, kept in details.items() if "held_out" in kept]
    return _rows(panel, methods, f"held_out_{name}", "held-out", updates)


def _rows(
    panel: str, methods: Mapping[str, MethodRuns], name: str, problems: str, updates: Iterable[int]
) -> Iterator[CurveRow]:
    for method, records in methods.items():
        curves = np.array([record[name] for record in records])
        for update in updates:
            yield (panel, method, problems, update, *mean_and_error(curves[:, update]))


def table_of(*rows: CurveRow) -> Table:
    """Rows as columns by name."""
    return make_table(("panel", "method", "problems", "update", "mean", "error"), rows)


def table_by_setting(*rows: tuple[str, str, float, float, float]) -> Table:
    """Rows as columns: panel ("pass@k, setting"), method, value of the setting or NaN, mean, error."""
    return make_table(("panel", "method", "x", "mean", "error"), rows)


def recipe_of(
    key: str,
    title: str,
    message: str,
    parameters: dict[str, Any],
    make: Callable[[Runs], tuple[Table, list[Claim]]],
    tabulate: Callable[[Runs], tuple[Grid, ...]] | None = None,
    kind: Kind = "paper",
    caveat: str = "",
    errors_over: str = "seeds",
) -> FigureRecipe:
    """A recipe whose data are runs of the named experiments; see `FigureRecipe`."""
    experiments = parameters["experiments"]
    settings = {name: EXPERIMENTS[name].base.to_dict() for name in experiments}
    return FigureRecipe(
        key,
        title,
        message,
        parameters | {"settings": settings},
        make,
        source=TrainedRuns(experiments),
        tabulate=tabulate,
        kind=kind,
        caveat=caveat,
        errors_over=errors_over,
    )


SMALL_SCALE = (
    "The model has 450,000 parameters and begins with half of the fresh problems solved, training is "
    "120 updates, and there are three seeds; the paper's models have two billion and more."
)
LANGUAGE_RECIPES = (
    recipe_of(
        "fig3",
        "Figure 3: annealing k",
        "In the paper first k = 8, then k = 1 keeps more of pass@k and loses nothing at pass@1.",
        FIGURE_3,
        _figure_3,
        caveat=SMALL_SCALE,
    ),
    recipe_of(
        "fig6",
        "Figure 6: a higher k explores more",
        "In the paper a higher k solves more problems at least once and keeps the entropy higher.",
        FIGURE_6,
        _figure_6,
        caveat=SMALL_SCALE,
    ),
    recipe_of(
        "fig7",
        "Figure 7: what is trained for, and what is measured",
        "In the paper pass@k is best where it was trained for, and k = n suffers from its variance.",
        FIGURE_7,
        _figure_7,
        _table_7,
        caveat=SMALL_SCALE,
    ),
    recipe_of(
        "fig8",
        "Figure 8: hard problems",
        "In the paper k = 1 stalls on hard problems, and a higher k learns, at pass@1 too.",
        FIGURE_8,
        _figure_8,
        _table_5,
        caveat="The 128 problems come back 50 times each in 400 updates: they are memorised at every k, "
        "and memorising does not stall. The next figure measures others.",
    ),
    recipe_of(
        "fig8-unseen",
        "Figures 3 and 8 on hard problems never seen",
        "Trained on 2,000 problems that the model solves at most once in 16 tries, measured on 1,024 "
        "others like them, over five seeds.",
        UNSEEN_FIGURE,
        _unseen,
        _unseen_table,
        caveat="At one try k = 1 does not stall on these problems, so that there is nothing for k = 8 "
        'to unblock. "Where k = 1 stalls" shows where it does.',
        errors_over="seeds and problems",
    ),
)
"""The paper's figures that need a language model trained."""
