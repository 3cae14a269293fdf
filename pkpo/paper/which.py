"""Which estimator suits a language model? The variance of its gradient, prompt by prompt."""

from __future__ import annotations

import gzip
import json
import time
from typing import Any

import numpy as np

from pkpo.estimators import get_estimator
from pkpo.lm.experiments import SPREAD
from pkpo.paper.recipe import Claim, Grid, Progress, Recipe, Table
from pkpo.paper.trained import SURE, mean_and_error, standing_out

LOO, CANONICAL = "sloo_minus_one", "canonical"
BINS = 5  # into which prompts are sorted by a factor
WHICH: dict[str, Any] = {"n": 16, "k": (2, 4, 8, 16), "model": "tiny"}
CHECKPOINTS = {"start": "at the start", "trained": "after 40 updates for k = 8"}


class Spread:
    """What `pkpo.lm.spread` measured."""

    def recorded(self) -> dict[str, Any]:
        """See `Source`."""
        try:
            return json.loads(gzip.decompress(SPREAD.read_bytes()))
        except (OSError, EOFError, ValueError) as reason:
            why = getattr(reason, "strerror", None) or reason
            raise ValueError(f"the recorded study cannot be read: {SPREAD.name}: {why}") from None

    def afresh(self, seed: int, progress: Progress) -> dict[str, Any]:
        """See `Source`."""
        from pkpo.lm.spread import measure  # late: nothing else here needs torch

        return measure(seed, progress)

    def origin(self, data: dict[str, Any]) -> str:
        """See `Source`."""
        day = time.strftime("%Y-%m-%d", time.gmtime(data["finished"]))
        prompts = 1 + max(data["table"]["prompt"])
        return (
            f"{prompts} prompts, {data['groups']} groups of {WHICH['n']} at each; seed {data['seed']}; "
            f"measured on {day} in {data['seconds'] / 60:.0f} minutes"
        )


def _which(data: dict[str, Any]) -> tuple[Table, list[Claim]]:
    table = data["table"]
    found = _by_setting(table)
    ratios = {
        (checkpoint, k, name): _ratio(own["variance"], found[checkpoint, k, LOO]["variance"])
        for (checkpoint, k, name), own in found.items()
        if name != LOO
    }
    biases = {
        setting: abs(standing_out(own["bias"]))
        for setting, own in found.items()
        if setting in ratios
    }
    off = max(biases, key=lambda setting: biases[setting])
    papers = {s: ratio for s, ratio in ratios.items() if s[2] in ("s", "sloo")}
    nearest = min(papers, key=lambda s: (papers[s][0] - 1) / papers[s][1])
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
            f"nearest: {nearest[2]} at k = {nearest[1]}, {_times(papers[nearest])} loo-1's variance",
            f"above 1 by more than {SURE} standard errors, all {len(papers)}",
            all(value - 1 > SURE * error for value, error in papers.values()),
        ),
    ]
    for checkpoint, when in CHECKPOINTS.items():
        own = {s[1]: ratio for s, ratio in ratios.items() if s[::2] == (checkpoint, CANONICAL)}
        shown = ", ".join(f"{_times(ratio)} (k = {k})" for k, ratio in own.items())
        claims.append(
            Claim(
                f"Canonical is not surely better than loo-1, the default, {when}.",
                f"canonical has {shown} loo-1's variance",
                f"none below 1 by more than {SURE} standard errors",
                all(value - 1 >= -SURE * error for value, error in own.values()),
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
    return table, [
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
    for checkpoint, when in CHECKPOINTS.items():
        cells = np.full((len(names), len(WHICH["k"]), 2), np.nan)
        for row, name in enumerate(names):
            for column, k in enumerate(WHICH["k"]):
                if (own := found.get((checkpoint, k, name))) is not None:
                    reference = found[checkpoint, k, LOO]["variance"]
                    cells[row, column] = _ratio(own["variance"], reference)
        grids.append(
            Grid(
                f"which-{checkpoint}",
                f"Variance of a batch's gradient, times loo-1's, {when}; ± standard error over prompts",
                tuple(get_estimator(name).label for name in names),
                tuple(f"k = {k}" for k in WHICH["k"]),
                cells[..., 0],
                cells[..., 1],
                lowest=True,
            )
        )
    return tuple(grids)


def _by_setting(table: Table) -> dict[tuple[str, int, str], dict[str, np.ndarray]]:
    """The table's columns, `[P]` each, by checkpoint, k and estimator."""
    rows: dict[tuple[str, int, str], list[int]] = {}
    settings = zip(table["checkpoint"], table["k"], table["estimator"], strict=True)
    for place, setting in enumerate(settings):
        rows.setdefault(setting, []).append(place)
    columns = {name: np.array(values) for name, values in table.items()}
    return {
        setting: {name: column[places] for name, column in columns.items()}
        for setting, places in rows.items()
    }


def _ratio(above: np.ndarray, below: np.ndarray) -> tuple[float, float]:
    """The ratio of two sums over prompts, and its standard error (linearised)."""
    value = float(above.sum() / below.sum())
    return value, mean_and_error(above - value * below)[1] / float(below.mean())


def _times(ratio: tuple[float, float]) -> str:
    return f"{ratio[0]:.2f} ± {ratio[1]:.2f} times"


def _explained(found: dict, factor: str) -> float:
    """How much of log(loo-1's variance / canonical's) a factor explains, by `BINS` bins of prompts.

    The variances are the implied ones, which are less noisy than those measured. The mean over
    checkpoints and k.
    """
    shares = []
    for (checkpoint, k, name), canonical in found.items():
        if name == CANONICAL:
            loo = found[checkpoint, k, LOO]
            alive = (canonical["expected"] > 0) & (loo["expected"] > 0)
            y = np.log((loo["expected"][alive] / canonical["expected"][alive]).astype(float))
            order = np.argsort(np.argsort(loo[factor][alive]))
            bins = order * BINS // len(order)
            rest = y - (np.bincount(bins, y) / np.bincount(bins))[bins]
            shares.append(1 - (rest**2).sum() / ((y - y.mean()) ** 2).sum())
    return float(np.mean(shares))


RECIPE = Recipe(
    "which",
    "Which estimator suits a language model?",
    "Each point is a prompt: above 1, canonical has less variance there; below 1, loo-1.",
    WHICH,
    _which,
    source=Spread(),
    tabulate=_tables,
)
