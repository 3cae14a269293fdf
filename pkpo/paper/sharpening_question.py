"""Does training only sharpen? Pass@k to k = 256 on unseen hard problems, before and after training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pkpo.estimators import pass_at_k
from pkpo.intervals import CONFIDENCE, mean_and_error
from pkpo.lm.experiments import SHARPENING_FILE
from pkpo.paper.recipe import (
    Claim,
    FigureRecipe,
    Grid,
    Progress,
    ShippedStudy,
    Table,
    all_hold,
    make_table,
)
from pkpo.paper.trained_runs import claim_above, surely_above

SHARPENING: dict[str, Any] = {
    "k": (1, 2, 4, 8, 16, 32, 64, 128, 256),
    "rates": (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99),
}
GRID_KS = (1, 4, 16, 64, 256)
MOST = max(SHARPENING["k"])
STAGES = {"start": "before training", "k1": "k = 1", "k8": "k = 8"}
"""The keys of `pkpo.lm.sharpening.run_sharpening`'s "models", in words."""


def _count(seed: int, progress: Progress) -> dict[str, Any]:
    from pkpo.lm.sharpening import run_sharpening  # late: nothing else here needs torch

    return run_sharpening(seed, progress)


def _origin(data: dict[str, Any]) -> str:
    problems = len(data["models"]["start"][0]["right"])
    seeds = ", ".join(map(str, data["seeds"]))
    return (
        f"{problems:,} problems, {data['samples']} samples of each; seeds {seeds}, of training and of "
        "samples"
    )


def _sharpening(data: dict[str, Any]) -> tuple[Table, list[Claim]]:
    solved = {stage: _solved(data, stage) for stage in STAGES}
    rows = []
    for stage, words in STAGES.items():
        for k, values in solved[stage].items():
            rows.append(("within k tries", words, k, *mean_and_error(values)))
        for rate in SHARPENING["rates"]:
            often = (_share(data, stage, "right") >= rate).astype(float)
            rows.append(("at least so often", words, rate, *mean_and_error(often)))
    claims = []
    for stage, words in (("k1", "a single try (k = 1)"), ("k8", "the best of 8 (k = 8)")):
        gains = {k: values - solved["start"][k] for k, values in solved[stage].items()}
        behind = [str(k) for k, gain in gains.items() if gain.mean() < 0]
        claim = claim_above(
            f"Trained for {words}, the model solves more within {MOST} tries than before training.",
            gains[MOST],
        )
        where = "k = " + ", ".join(behind) if behind else "no k"
        claims.append(replace(claim, measured=f"{claim.measured}; behind at {where}"))
    top = {stage: _share(data, stage, "top") for stage in STAGES}
    return make_table(("panel", "curve", "x", "mean", "error"), rows), [
        *claims,
        claim_above(
            f"Trained for k = 8, it solves more within {MOST} tries than trained for k = 1.",
            solved["k8"][MOST] - solved["k1"][MOST],
        ),
        Claim(
            "Training puts more of the samples on one answer, and k = 8 fewer than k = 1.",
            "share of the most frequent answer, mean over problems: "
            + ", ".join(f"{words} {top[stage].mean():.3f}" for stage, words in STAGES.items()),
            f"the {CONFIDENCE:.0%} interval of both differences above 0",
            all_hold(
                surely_above(top[more] - top[less])
                for more, less in (("k1", "k8"), ("k8", "start"))
            ),
        ),
    ]


def _tables(data: dict[str, Any]) -> tuple[Grid, ...]:
    cells = []
    for stage in STAGES:
        solved = _solved(data, stage)
        right = np.array([one["top_right"] for one in data["models"][stage]], float)
        cells.append([*(solved[k] for k in GRID_KS), right])
    return (
        Grid.from_samples(
            "sharpening-table",
            "Solved within k tries, and the most frequent of all answers, ± standard error over seeds "
            "and problems",
            STAGES.values(),
            [*(f"pass@{k}" for k in GRID_KS), "top answer right"],
            cells,
        ),
    )


def _solved(data: dict[str, Any], stage: str) -> dict[int, np.ndarray]:
    """Unbiased pass@k by k, `[S, P]` of seeds and problems."""
    right = np.array([one["right"] for one in data["models"][stage]])
    return {k: pass_at_k(data["samples"], right, k) for k in SHARPENING["k"]}


def _share(data: dict[str, Any], stage: str, count: str) -> np.ndarray:
    """A count of samples as a share of all, `[S, P]`."""
    return np.array([one[count] for one in data["models"][stage]]) / data["samples"]


SHARPENING_RECIPE = FigureRecipe(
    "sharpening",
    "Does training only sharpen?",
    "Left, unseen hard problems solved within k tries, to k = 256; right, the share solved at least so "
    "often. Training that only sharpens moves samples to answers that were there already: its curve "
    "crosses that of the start.",
    SHARPENING,
    _sharpening,
    source=ShippedStudy(SHARPENING_FILE, "counts", _count, _origin),
    tabulate=_tables,
    kind="own",
    errors_over="seeds and problems",
    caveat="arXiv:2504.13837 asks this of large models. Here the model is small, and starts from some "
    "solved problems of the same kinds.",
)
