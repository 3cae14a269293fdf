"""Recipes' data from trained runs, and the significance of differences between them."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pkpo.config import RunConfig
from pkpo.estimators import pass_at_k
from pkpo.intervals import CONFIDENCE, Difference, mean_and_error
from pkpo.lm.experiments import EXPERIMENTS, VARIANTS, recorded_runs
from pkpo.lm.problem_sets import PASS_KS
from pkpo.paper.recipe import Claim, Kind, Progress, all_hold
from pkpo.runs import Store, StoreError
from pkpo.runs.batch import run_all
from pkpo.runs.records import RunRecord

MethodRuns = Sequence[RunRecord]
"""A method's runs, one per seed; the same seeds everywhere."""
Runs = Mapping[str, Mapping[str, MethodRuns]]
"""By experiment and method."""
DRAWN_POINTS = max(PASS_KS)  # completions of every held-out problem
MARGIN = 0.02
"""What may be lost where nothing is said to be lost: a smaller loss is no matter."""


@dataclass(frozen=True, slots=True)
class TrainedRuns:
    """Runs of the named experiments."""

    methods: Mapping[str, tuple[str, ...]]
    """By experiment."""

    def recorded(self) -> Runs:
        """See `Source`."""
        try:
            return {
                name: {method: recorded_runs(name, method) for method in methods}
                for name, methods in self.methods.items()
            }
        except OSError as reason:
            where, why = Path(reason.filename or ""), reason.strerror
            raise ValueError(
                f"the recorded runs cannot be read: {where.parent.name}/{where.name}: {why}"
            ) from None

    def afresh(self, seed: int, progress: Progress) -> Runs:
        """Train in workers, with as many seeds as what ships has, from `seed` on; see `Source`."""
        wanted: dict[tuple[str, str, int], RunConfig] = {}
        for name, methods in self.methods.items():
            known = EXPERIMENTS[name]
            seeds = tuple(range(seed, seed + len(known.seeds)))
            chosen = dataclasses.replace(known, methods=methods, seeds=seeds)
            wanted |= {(name, method, at): c for (method, at), c in chosen.configs().items()}
        try:
            records = run_all(Store(), list(wanted.values()), progress)
        except StoreError as reason:
            raise ValueError(str(reason)) from None
        runs: dict[str, dict[str, list[RunRecord]]] = {name: {} for name in self.methods}
        for (name, method, _), record in zip(wanted, records, strict=True):
            runs[name].setdefault(method, []).append(record)
        return runs

    def origin(self, data: Runs) -> str:
        """See `Source`."""
        records = [r for methods in data.values() for runs in methods.values() for r in runs]
        seeds = sorted({record.config.seed for record in records})
        known = [record.provenance for record in records]
        minutes = sum(found["seconds"] for found in known) / 60
        days = sorted({_day(found["finished"]) for found in known if "finished" in found})
        machines = sorted({f"{found['device']}, {found['platform']}" for found in known})
        versions = sorted({f"torch {found['packages'].get('torch', '?')}" for found in known})
        codes = sorted({found["code"][:12] for found in known})
        words = [
            f"{len(records)} runs, seeds {', '.join(map(str, seeds))}, of "
            f"{minutes:.0f} minutes in all",
            f"trained on {' and '.join(days)}" if days else "",
            *machines,
            *versions,
            f"code {', '.join(codes)}",
        ]
        return "; ".join(filter(None, words))


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


# --- What is measured at the end of runs ----------------------------------------------------------


def held_out(records: MethodRuns, k: int, update: int | None = None) -> np.ndarray:
    """Unbiased pass@k of every seed and held-out problem, `[S, P]`.

    Args:
      records: a method's runs, with right-or-wrong rewards.
      k: attempts that count.
      update: of the policy, one at which held-out problems were measured; default the last.
    """
    at = [record.config.steps if update is None else update for record in records]
    counts = [r.details[u]["held_out"] for r, u in zip(records, at, strict=True)]
    return pass_at_k(DRAWN_POINTS, np.array(counts).astype(int), k)


def ever_solved(records: MethodRuns) -> np.ndarray:
    """Which problems of a fixed set were ever solved, `[S, P]`."""
    firsts = [record.details[record.config.steps]["first_solved"] for record in records]
    return (np.array(firsts) >= 0).astype(float)


def final_means(records: MethodRuns, name: str, updates: int = 1) -> np.ndarray:
    """A metric's mean over the last updates, `[S]`."""
    return np.array([record[name][-updates:].mean() for record in records])


def by_setting(runs: Runs, experiment: str, usual: str) -> dict[str, dict[float, MethodRuns]]:
    """By method and value of what an experiment varies, the runs of the seeds that all have.

    Args:
      runs: of both experiments.
      experiment: that of `VARIANTS`.
      usual: the one whose runs have the usual value.
    """
    found: dict[str, dict[float, MethodRuns]] = {}
    for key, records in runs[experiment].items():
        method, setting, value = VARIANTS[key]
        first = {getattr(EXPERIMENTS[usual].base, setting): runs[usual][method][: len(records)]}
        found.setdefault(method, first)[value] = records
    return found


# --- How sure -------------------------------------------------------------------------------------


def mean_in_words(differences: np.ndarray) -> str:
    """A mean difference with its standard error."""
    value, error = mean_and_error(differences)
    return f"{_signed(value)} ± {error:.3f}"


def surely_above(differences: np.ndarray, tries: int = 1) -> bool | None:
    """Whether a mean is above 0: so, not so, or None where that is undecided; see `Difference`."""
    found = Difference.from_samples(differences, tries)
    if found.low == found.high == 0:
        return False  # equal throughout
    return {"above": True, "below": False}.get(found.standing)


def surely_not_below(differences: np.ndarray) -> bool | None:
    """Whether a mean is at most `MARGIN` below 0; not so, if it is surely below 0; else None."""
    found = Difference.from_samples(differences)
    return False if found.standing == "below" else True if found.low >= -MARGIN else None


def interval_in_words(differences: np.ndarray, tries: int = 1) -> str:
    """A mean difference and its interval."""
    found = Difference.from_samples(differences, tries)
    return f"{_signed(found.mean)}, from {_signed(found.low)} to {_signed(found.high)}"


def _signed(value: float) -> str:
    return f"{round(value, 3) + 0:+.3f}"  # no -0.000


def each_in_words(differences: Mapping[str, np.ndarray], tries: int = 1) -> str:
    """Mean differences and their intervals, by name."""
    found = (f"{interval_in_words(x, tries)} ({name})" for name, x in differences.items())
    return f"differences {'; '.join(found)}"


def claim_above(text: str, differences: np.ndarray, kind: Kind | None = None) -> Claim:
    """The claim that differences are surely above 0."""
    return Claim(
        text,
        f"difference {interval_in_words(differences)}",
        f"the {CONFIDENCE:.0%} interval {_over(differences)} above 0",
        surely_above(differences),
        kind,
    )


def claim_not_below(text: str, differences: np.ndarray, kind: Kind | None = None) -> Claim:
    """The claim that differences are not below 0, by more than `MARGIN`."""
    return Claim(
        text,
        f"difference {interval_in_words(differences)}",
        f"the {CONFIDENCE:.0%} interval {_over(differences)} above -{MARGIN:g}, and not below 0",
        surely_not_below(differences),
        kind,
    )


def claim_above_each(text: str, differences: Mapping[str, np.ndarray]) -> Claim:
    """The claim that several differences, by their names, are all surely above 0."""
    return _claim_each(text, differences, "above 0", surely_above)


def claim_not_below_each(text: str, differences: Mapping[str, np.ndarray]) -> Claim:
    """The claim that none of several differences is below 0, by more than `MARGIN`."""
    return _claim_each(text, differences, f"above -{MARGIN:g}, and not below 0", surely_not_below)


def _claim_each(
    text: str,
    differences: Mapping[str, np.ndarray],
    where: str,
    holds: Callable[[np.ndarray], bool | None],
) -> Claim:
    required = f"each {CONFIDENCE:.0%} interval {where}"
    return Claim(
        text, each_in_words(differences), required, all_hold(map(holds, differences.values()))
    )


def _over(values: np.ndarray) -> str:
    counts = zip(values.shape, ("seed", "problem"), strict=False)
    return "over " + " and ".join(f"{count} {what}{'s' * (count > 1)}" for count, what in counts)
