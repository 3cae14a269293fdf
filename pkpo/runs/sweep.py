"""Sweeps: a setting for several seeds and values of one field, and what comes out on average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pkpo.config import RunConfig
from pkpo.intervals import Difference
from pkpo.runs.run import Run


@dataclass(frozen=True, slots=True)
class SeedMean:
    """A quantity over seeds: its mean and the standard error of that mean, scalars or `[T]`."""

    mean: Any
    error: Any
    """NaN for a single seed."""

    @classmethod
    def from_values(cls, values: Any) -> SeedMean:
        """The spread of `[seeds, ...]`."""
        values = np.asarray(values, float)
        count = len(values)
        error = values.std(axis=0, ddof=1) / np.sqrt(count) if count > 1 else values[0] * np.nan
        return cls(values.mean(axis=0), error)


@dataclass(frozen=True, slots=True)
class SweepMember:
    """The runs of a sweep that differ in their seed only."""

    config: RunConfig
    """Theirs, with seed 0."""
    runs: tuple[Run, ...]
    final: dict[str, SeedMean]
    """Over the finished runs, each metric of the trained policy; empty if none has finished."""

    @property
    def finished(self) -> int:
        """How many runs `final` is of."""
        return len(self._finished())

    def difference(self, baseline: SweepMember, metric: str) -> Difference | None:
        """A metric of the trained policy less the baseline's, paired by the seeds finished in both.

        The same seed draws the same random numbers in both. None: no seed has the metric in both.
        """
        own, base = (
            {run.config.seed: run.metrics[metric] for run in m._finished() if metric in run.metrics}
            for m in (self, baseline)
        )
        pairs = [own[seed] - base[seed] for seed in own if seed in base]
        return Difference.from_samples(pairs) if pairs else None

    def _finished(self) -> list[Run]:
        return [run for run in self.runs if run.status == "finished"]


def sweep_configs(
    config: RunConfig, seeds: Sequence[int], field: str = "", values: Sequence[Any] = ()
) -> list[RunConfig]:
    """The settings of a sweep: every seed with every value of the field, if one is given.

    Seeds change fastest, and the same seed draws the same random numbers for every value.

    Raises:
      ValueError: no seed, a seed or a value twice, a field without values, or an impossible setting.
    """
    for name, given in (("seeds", seeds), (field, values)):
        if name and not given:
            raise ValueError(f"{name} must have at least one value, got none")
        if len(set(given)) < len(given):
            raise ValueError(f"{name} must differ, got {' '.join(map(str, given))}")
    settings = [{field: value} for value in values] if field else [{}]
    return [config.replace(**setting, seed=seed) for setting in settings for seed in seeds]


def summarise(runs: Sequence[Run]) -> list[SweepMember]:
    """Mean and standard error over seeds of runs, in their order.

    Raises:
      ValueError: a run whose settings this version cannot read.
    """
    alike: dict[RunConfig, list[Run]] = {}
    for run in runs:
        alike.setdefault(run.config.replace(seed=0), []).append(run)
    return [_member(config, tuple(found)) for config, found in alike.items()]


def mean_curves(curves: Sequence[Mapping[str, np.ndarray]]) -> dict[str, SeedMean]:
    """Each metric over runs, up to the update that all of them have reached.

    Args:
      curves: of each run, "update" and metrics, `[T]`.

    Returns:
      What all runs have, `[T]` of the shortest; "update" itself is a mean.
    """
    first, *others = curves
    reached = min(len(columns.get("update", ())) for columns in curves)
    names = [name for name in first if all(name in columns for columns in others)]
    return {
        name: SeedMean.from_values([columns[name][:reached] for columns in curves])
        for name in names
    }


def _member(config: RunConfig, runs: tuple[Run, ...]) -> SweepMember:
    finals = [run.metrics for run in runs if run.status == "finished"]
    return SweepMember(
        config=config,
        runs=runs,
        final={
            name: SeedMean.from_values([row[name] for row in finals])
            for name in (finals[0] if finals else ())
            if all(name in row for row in finals)
        },
    )
