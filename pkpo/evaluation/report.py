"""Everything that is said of one result, and the table of one or two."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pkpo.evaluation.coverage import Coverage, estimate_coverage
from pkpo.evaluation.curves import (
    K_SHOWN,
    Curve,
    PairedComparison,
    SeedPairing,
    estimate_curve,
    plug_in_curve,
)
from pkpo.evaluation.files import Results

THRESHOLDS = (0.1, 0.25, 0.5, 0.75, 0.9)
"""The rates of Cover@τ where none are asked for."""
SEEDS_COMPARED: dict[SeedPairing, str] = {
    "single": "",
    "paired": "seeds are paired by their names",
    "unpaired": "seeds are not paired, as their names differ",
    "single first": "the first has one seed alone, whose luck is not in the interval",
    "single second": "the second has one seed alone, whose luck is not in the interval",
}
"""What was done with the seeds of two results, in words."""


DECIDING: dict[SeedPairing, str] = {
    "single": "samples of each",
    "paired": "seeds of each",
    "unpaired": "seeds of each",
    "single first": "seeds of the second",
    "single second": "seeds of the first",
}
"""What would decide instead of more problems, see `DecidingSize`."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a result's samples say."""

    name: str
    results: Results
    curve: Curve
    plug_in: np.ndarray | None
    """`[K]`, what 1 - (1 - c/n)^k would say; None for rewards other than 0 and 1."""
    coverage: Coverage | None
    """None for rewards other than 0 and 1."""

    @property
    def quantity(self) -> str:
        """What the curve is of."""
        return "pass@k" if self.results.binary else "max@k"


def evaluate_results(
    found: Sequence[tuple[str, Results]],
    ks: Sequence[int] = (),
    thresholds: Sequence[float] = THRESHOLDS,
    seed: int = 0,
) -> list[Evaluation]:
    """Each result by itself, with the same number of samples behind the reliability of all.

    Args:
      found: names and graded samples.
      ks: default all that each allows.
      thresholds: rates of Cover@τ.
      seed: of the bootstrap.

    Raises:
      ValueError: a k beyond the samples of some problem, or a rate outside its range.
    """
    drawn = min(K_SHOWN, *(results.smallest_n for _, results in found))
    evaluations = []
    for name, results in found:
        curve, binary = estimate_curve(results, ks, seed), results.binary
        evaluations.append(
            Evaluation(
                name,
                results,
                curve,
                plug_in_curve(results, curve.ks) if binary else None,
                estimate_coverage(results, thresholds, drawn, seed) if binary else None,
            )
        )
    return evaluations


def evaluation_csv(found: Sequence[Evaluation], compared: PairedComparison | None = None) -> str:
    """A row for every k: each result's mean, interval, plug-in and seeds; the second less the first."""
    columns: dict[str, dict[int, Any]] = {}

    def add(name: str, ks: Sequence[int], values: Iterable[Any]) -> None:
        columns[name] = dict(zip(ks, values, strict=True))

    for place, one in enumerate(found, 1):
        part = f"{one.quantity} {place}"
        add(part, one.curve.ks, one.curve.mean)
        add(f"{part} low", one.curve.ks, one.curve.low)
        add(f"{part} high", one.curve.ks, one.curve.high)
        if one.plug_in is not None:
            add(f"plug-in {place}", one.curve.ks, one.plug_in)
        for seed, values in one.curve.seeds.items():
            add(f"{part} seed {seed}", one.curve.ks, values)
    if compared:
        curve = compared.difference
        add("change", curve.ks, curve.mean)
        add("change low", curve.ks, curve.low)
        add("change high", curve.ks, curve.high)
        more = "samples" if compared.seeds == "single" else "seeds"
        add("deciding problems", curve.ks, [size.problems for size in compared.needs])
        add(f"deciding {more}", curve.ks, [getattr(size, more) for size in compared.needs])
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["k", *columns])
    for k in sorted({k for one in found for k in one.curve.ks}):
        cells = (column.get(k) for column in columns.values())
        writer.writerow([k, *("" if x is None else x for x in cells)])
    return out.getvalue()
