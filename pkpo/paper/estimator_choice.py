"""Which estimator suits a language model? The variance of its gradient, prompt by prompt."""

from __future__ import annotations

from typing import Any

import numpy as np

from pkpo.analysis.settings import CANONICAL, LOO
from pkpo.estimators import get_estimator
from pkpo.intervals import mean_and_error
from pkpo.lm.experiments import VARIANCE_FILE
from pkpo.paper.recipe import Claim, FigureRecipe, Grid, Progress, ShippedStudy, Table

COIN_ERRORS = 2
"""Standard errors beyond half of the prompts from which a count of them says "more".

A count needs no Student's t: a fair coin's standard error is known, not estimated, and prompts are many.
"""
BINS = 5  # into which prompts are sorted by a factor
WHICH: dict[str, Any] = {"n": 16, "k": (2, 4, 8, 16)}
MORE = (
    f"more at over half of the prompts by {COIN_ERRORS} standard errors of a fair coin, "
    "and of the batch"
)
Found = dict[tuple[str, int, str], dict[str, np.ndarray]]
"""The table's columns, `[P]` each, by checkpoint, k and estimator."""
CHECKPOINTS = {
    "start": "at the start",
    "trained": "after 40 updates for k = 8",
    "small": "at the model small, on gsm_symbolic",
}
"""The keys of `pkpo.lm.gradient_variance.SUBJECTS`, in words."""


def _measure(seed: int, progress: Progress) -> dict[str, Any]:
    from pkpo.lm.gradient_variance import run_study  # late: nothing else here needs torch

    return run_study(seed, progress)


def _origin(data: dict[str, Any]) -> str:
    prompts = 1 + max(data["table"]["prompt"])
    return (
        f"{prompts} prompts, {data['groups']} groups of {WHICH['n']} at each; seed {data['seed']}"
    )


def _estimator_choice(data: dict[str, Any]) -> tuple[Table, list[Claim]]:
    found = _by_setting(data["table"])
    biases = {s: _standard_score(own["bias"]) for s, own in found.items() if s[2] != LOO}
    off = max(biases, key=lambda setting: biases[setting])
    papers = {s: _log_ratios(found, *s) for s in found if s[2] in ("s", "sloo")}
    nearest = min(papers, key=lambda setting: (papers[setting] > 0).mean())
    claims = [
        Claim(
            "All of them are unbiased: their means agree with that of loo-1.",
            f"largest mean squared distance in standard errors over prompts: {biases[off]:.2f} "
            f"({off[2]}, k = {off[1]}; {len(biases)} checked)",
            "at most 4",
            biases[off] <= 4,
        ),
        Claim(
            "loo-1 has less variance than s and loo, the paper's others, at every k.",
            f"nearest: {nearest[2]} at k = {nearest[1]}, {_against(found, *nearest)}; "
            f"{len(papers)} checked",
            f"each {MORE}",
            all(_more(found, *setting) for setting in papers),
        ),
    ]
    for checkpoint, when in _measured(found):
        ks = [k for at, k, name in found if (at, name) == (checkpoint, CANONICAL)]
        shown = "; ".join(f"k = {k}: {_against(found, checkpoint, k, CANONICAL)}" for k in ks)
        claims.append(
            Claim(
                f"loo-1 has less variance than canonical {when}.",
                f"canonical's over loo-1's, {shown}",
                f"each {MORE}",
                all(_more(found, checkpoint, k, CANONICAL) for k in ks),
            )
        )
    implied = {
        setting: (own["variance"] - own["expected"].astype(float)).sum()
        / np.sqrt((own["variance_error"] ** 2).sum())
        for setting, own in found.items()
        if get_estimator(setting[2]).symmetric
    }
    far = max(implied, key=lambda setting: abs(implied[setting]))
    rate, size = (_explained(found, factor) for factor in ("pass_rate", "dimension"))
    return data["table"], [
        *claims,
        Claim(
            "A prompt's pass rate, and how far its right and its wrong samples agree, say its variance.",
            f"sum over prompts, measured less implied, in standard errors: at most "
            f"{abs(implied[far]):.2f} ({far[2]}, k = {far[1]}; {len(implied)} checked)",
            "at most 4",
            bool(abs(implied[far]) <= 4),
        ),
        Claim(
            "The pass rate says more of which of the two is better than the effective dimension.",
            f"explained share of the variance of the log ratio: {rate:.2f} against {size:.2f}",
            "larger",
            rate > size,
        ),
    ]


def _tables(data: dict[str, Any]) -> tuple[Grid, ...]:
    found = _by_setting(data["table"])
    names = dict.fromkeys(name for _, _, name in found)
    grids = []
    for checkpoint, when in _measured(found):
        cells = [
            [
                _batch(found, checkpoint, k, name) if (checkpoint, k, name) in found else None
                for k in WHICH["k"]
            ]
            for name in names
        ]
        grids.append(
            Grid.from_samples(
                f"which-{checkpoint}",
                f"Variance of a batch's gradient over loo-1's, {when}, ± standard error over prompts "
                "(partitioned loo-1 at k = n = 16 is TZSM25)",
                tuple(get_estimator(name).label for name in names),
                tuple(f"k = {k}" for k in WHICH["k"]),
                cells,
                ratios=True,
            )
        )
    return tuple(grids)


def _measured(found: Found) -> list[tuple[str, str]]:
    """The checkpoints that there are, in words."""
    names = {checkpoint for checkpoint, _, _ in found}
    return [(name, when) for name, when in CHECKPOINTS.items() if name in names]


def _by_setting(table: Table) -> Found:
    rows: dict[tuple[str, int, str], list[int]] = {}
    settings = zip(table["checkpoint"], table["k"], table["estimator"], strict=True)
    for place, setting in enumerate(settings):
        rows.setdefault(setting, []).append(place)
    columns = {name: np.array(values) for name, values in table.items()}
    return {
        setting: {name: column[places] for name, column in columns.items()}
        for setting, places in rows.items()
    }


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """What each prompt says of the ratio of two sums over prompts, which is their mean (linearised)."""
    value = above.sum() / below.sum()
    return value + (above - value * below) / below.mean()


def _standard_score(values: np.ndarray) -> float:
    """By how many standard errors over prompts a mean is off 0; infinite if there is no error."""
    value, error = mean_and_error(values)
    return abs(value) / error if error > 0 else np.inf if value else 0.0


def _log_ratios(found: Found, checkpoint: str, k: int, name: str) -> np.ndarray:
    """Log of an estimator's implied variance over loo-1's, at the prompts where both have one."""
    own, loo = (found[checkpoint, k, x]["expected"].astype(float) for x in (name, LOO))
    alive = (own > 0) & (loo > 0)
    return np.log(own[alive] / loo[alive])


def _batch(found: Found, *setting) -> np.ndarray:
    """An estimator's measured variance over loo-1's, both summed over prompts, see `_ratio`."""
    checkpoint, k, _ = setting
    return _ratio(found[setting]["variance"], found[checkpoint, k, LOO]["variance"])


def _against(found: Found, *setting) -> str:
    (value, error), logs = mean_and_error(_batch(found, *setting)), _log_ratios(found, *setting)
    return (
        f"{value:.2f} ± {error:.2f} of the batch, more at {(logs > 0).sum()} of {logs.size} prompts"
    )


def _more(found: Found, *setting) -> bool:
    """Whether an estimator has more variance than loo-1, see `MORE`."""
    logs = _log_ratios(found, *setting)
    surplus = (logs > 0).sum() - logs.size / 2
    over = _batch(found, *setting).mean()
    return bool(surplus > COIN_ERRORS * logs.size**0.5 / 2 and over > 1)


def _explained(found: Found, factor: str) -> float:
    """How much of the log ratio of canonical to loo-1 a factor explains, by `BINS` bins of prompts.

    The mean over checkpoints and k.
    """
    shares = []
    for checkpoint, k, name in found:
        if name == CANONICAL:
            own = found[checkpoint, k, name]
            alive = (own["expected"] > 0) & (found[checkpoint, k, LOO]["expected"] > 0)
            y = _log_ratios(found, checkpoint, k, name)
            order = np.argsort(np.argsort(own[factor][alive]))
            bins = order * BINS // len(order)
            rest = y - (np.bincount(bins, y) / np.bincount(bins))[bins]
            shares.append(1 - (rest**2).sum() / ((y - y.mean()) ** 2).sum())
    return float(np.mean(shares))


RECIPE = FigureRecipe(
    "which",
    "Which estimator suits a language model?",
    "Each point is a prompt: of tiny at the start (full) and after training (open), of small (crosses). "
    "Above 1, canonical has less variance there, below 1, loo-1. Lines: a single parameter, exactly.",
    WHICH,
    _estimator_choice,
    source=ShippedStudy(VARIANCE_FILE, "variances", _measure, _origin),
    tabulate=_tables,
    kind="own",
)
