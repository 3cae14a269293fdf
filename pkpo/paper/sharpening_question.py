"""Does training only sharpen? Pass@k to k = 256 on unseen hard problems, before and after training."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np

from pkpo.estimators import pass_at_k
from pkpo.extras import missing
from pkpo.lm.experiments import SHARPENING_FILE
from pkpo.paper.recipe import (
    Claim,
    FigureRecipe,
    Grid,
    Progress,
    Table,
    all_hold,
    make_table,
    read_shipped,
)
from pkpo.paper.trained_runs import CONFIDENCE, claim_above, mean_and_error, surely_above

SHARPENING: dict[str, Any] = {
    "k": (1, 2, 4, 8, 16, 32, 64, 128, 256),
    "samples": 256,
    "rates": (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99),
}
GRID_KS = (1, 4, 16, 64, 256)
STAGES = {"start": "before training", "k1": "k = 1", "k8": "k = 8"}
"""The keys of `pkpo.lm.sharpening.run_sharpening`'s "models", in words."""
Counts = dict[str, dict[str, np.ndarray]]
"""By stage and name of a count, `[S, P]` of seeds and problems."""


class SharpeningStudy:
    """What `pkpo.lm.sharpening` counted."""

    def recorded(self) -> dict[str, Any]:
        """See `Source`."""
        return read_shipped(SHARPENING_FILE, "counts")

    def afresh(self, seed: int, progress: Progress) -> dict[str, Any]:
        """See `Source`."""
        try:  # late: nothing else here needs torch
            from pkpo.lm.sharpening import run_sharpening
        except ModuleNotFoundError as reason:
            raise missing("training anew", reason) from None
        return run_sharpening(seed, progress)

    def origin(self, data: dict[str, Any]) -> str:
        """See `Source`."""
        day = time.strftime("%Y-%m-%d", time.gmtime(data["finished"]))
        problems = len(data["models"]["start"][0]["right"])
        return (
            f"{problems:,} problems, {data['samples']} samples of each; seeds "
            f"{', '.join(map(str, data['seeds']))}, of training and of samples; computed on {day} in "
            f"{data['seconds'] / 60:.0f} minutes of one core"
        )


def _sharpening(data: dict[str, Any]) -> tuple[Table, list[Claim]]:
    found = _counts(data)
    rows = []
    for stage, words in STAGES.items():
        for k in SHARPENING["k"]:
            rows.append(("within k tries", words, k, *mean_and_error(_solved(found, stage, k))))
        for rate in SHARPENING["rates"]:
            often = (found[stage]["right"] >= rate * data["samples"]).astype(float)
            rows.append(("at least so often", words, rate, *mean_and_error(often)))
    most = SHARPENING["samples"]
    claims = []
    for stage, words in (("k1", "a single try (k = 1)"), ("k8", "the best of 8 (k = 8)")):
        claim = claim_above(
            f"Trained for {words}, the model solves more within {most} tries than before training.",
            _solved(found, stage, most) - _solved(found, "start", most),
        )
        claims.append(replace(claim, measured=claim.measured + _crossing(found, stage)))
    top = {stage: mean_and_error(found[stage]["top"] / data["samples"])[0] for stage in STAGES}
    said = ", ".join(f"{words} {top[stage]:.3f}" for stage, words in STAGES.items())
    return make_table(("panel", "curve", "x", "mean", "error"), rows), [
        *claims,
        claim_above(
            f"Trained for k = 8, it solves more within {most} tries than trained for k = 1.",
            _solved(found, "k8", most) - _solved(found, "k1", most),
        ),
        Claim(
            "Training puts more of the samples on one answer, and k = 8 fewer than k = 1.",
            f"share of the most frequent answer, mean over problems: {said}",
            f"the {CONFIDENCE:.0%} interval of both differences above 0",
            all_hold(
                surely_above((found[more]["top"] - found[less]["top"]) / data["samples"])
                for more, less in (("k1", "k8"), ("k8", "start"))
            ),
        ),
    ]


def _tables(data: dict[str, Any]) -> tuple[Grid, ...]:
    found = _counts(data)
    cells = np.array(
        [
            [
                *(mean_and_error(_solved(found, stage, k)) for k in GRID_KS),
                mean_and_error(counts["top_right"].astype(float)),
            ]
            for stage, counts in found.items()
        ]
    )
    return (
        Grid(
            "sharpening",
            "Solved within k tries, and the most frequent of all answers, ± standard error over seeds "
            "and problems",
            tuple(STAGES.values()),
            (*(f"pass@{k}" for k in GRID_KS), "top answer right"),
            cells[..., 0],
            cells[..., 1],
        ),
    )


def _counts(data: dict[str, Any]) -> Counts:
    return {
        stage: {name: np.array([one[name] for one in data["models"][stage]]) for name in _NAMES}
        for stage in STAGES
    }


_NAMES = ("right", "top", "top_right")


def _solved(found: Counts, stage: str, k: int) -> np.ndarray:
    """Unbiased pass@k, `[S, P]`."""
    return pass_at_k(SHARPENING["samples"], found[stage]["right"], k)


def _crossing(found: Counts, stage: str) -> str:
    """From how many tries on the start is ahead."""
    behind = [
        k
        for k in SHARPENING["k"]
        if (_solved(found, stage, k) - _solved(found, "start", k)).mean() < 0
    ]
    return f"; behind from k = {min(behind)} on" if behind else "; behind at no k"


SHARPENING_RECIPE = FigureRecipe(
    "sharpening",
    "Does training only sharpen?",
    "Left, unseen hard problems solved within k tries, to k = 256; right, the share solved at least so "
    "often. Training that only sharpens moves samples to answers that were there already: its curve "
    "crosses that of the start.",
    SHARPENING,
    _sharpening,
    source=SharpeningStudy(),
    tabulate=_tables,
    kind="own",
    errors_over="seeds and problems",
    caveat="arXiv:2504.13837 asks this of large models. Here the model is small, and starts from some "
    "solved problems of the same kinds.",
)
