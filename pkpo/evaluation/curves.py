"""Pass@k or max@k by k with intervals, and two results compared problem by problem.

The intervals of one seed are from resampled problems. Where there are several, problems and seeds are
both samples, and the interval is Student's t for each (`joint_t_interval`): seeds are few as a rule, and
an interval from resampling two or three that differ much holds the truth in as few as 76 of 100 cases.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtri

from pkpo.estimators import pass_at_k, rho
from pkpo.evaluation.files import Results
from pkpo.intervals import (
    POWER,
    ROUNDED,
    MeanVariance,
    deciding_count,
    joint_t_interval,
    mean_variances,
    standing,
)

BOOTSTRAP_REPLICATES = 2000
COUNTS_HELD = 4_000_000  # of resampled problems, at once
K_SHOWN = 1024  # no k beyond this, however many samples there are
ROWS_SHOWN = 12  # k in a table where none are asked for
SURE = float(ndtri(0.975) + ndtri(POWER))
"""Standard errors from 0 at which 4 of 5 repeats have a 95% interval without it."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A quantity by k: its mean over problems and seeds, and a 95% interval.

    Intervals end where the quantity does: those of pass@k at 0 and 1.
    """

    ks: tuple[int, ...]
    mean: np.ndarray
    """`[K]`"""
    low: np.ndarray
    """`[K]`"""
    high: np.ndarray
    """`[K]`"""
    seeds: Mapping[str, np.ndarray]
    """Each seed's own mean over problems, `[K]`; empty where there is one alone."""


@dataclass(frozen=True, slots=True)
class DecidingSize:
    """How much must be measured to tell two results apart, were they as different as they look.

    Enough is what gives 4 of 5 repeats a 95% interval without 0.
    """

    problems: int | None
    """Problems in all, with as many samples each; None where the difference is 0."""
    samples: int | None = None
    """Samples in all of each of the same problems, no fewer than there are; None where no number is
    enough, or that is not known: for k over half the samples, for rewards other than 0 and 1, and where
    there are several seeds."""
    seeds: int | None = None
    """Seeds in all, of each result that has several, on the same problems; None where no number is
    enough, or there are not several."""


SeedPairing = Literal["single", "paired", "unpaired", "single first", "single second"]
"""How two results' seeds are compared: "single": each has one; "paired": both have the same names;
"unpaired": other names; "single first" or "single second": that one has one seed alone, whose luck is
not in the interval."""


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """Two results on the problems that both have."""

    problems: tuple[str, ...]
    difference: Curve
    """The second's mean minus the first's, paired problem by problem, and seed by seed if `seeds`
    says so."""
    seeds: SeedPairing
    ahead: tuple[tuple[int, str], ...]
    """From which k on who is ahead: "first", "second" or "neither"; the interval excludes 0."""
    needs: tuple[DecidingSize, ...]
    """What would decide, by k."""
    won: tuple[str, ...]
    """Problems that only the second ever solves (a reward above all of the first's)."""
    lost: tuple[str, ...]


def allowed_ks(results: Results, ks: Sequence[int] = ()) -> tuple[int, ...]:
    """The k to estimate at: those asked for, or all that every problem has samples for, to `K_SHOWN`.

    Raises:
      ValueError: a k beyond the samples of some problem.
    """
    most = results.smallest_n
    for k in ks:
        if not 1 <= k <= most:
            name = next(
                name for one in results.seeds for name, x in one.rewards.items() if len(x) == most
            )
            raise ValueError(
                f"k must be from 1 to {most}, the samples of problem {name[:40]!r}, got {k}"
            )
    return tuple(ks) or tuple(range(1, min(most, K_SHOWN) + 1))


def per_problem(results: Results, ks: Sequence[int]) -> np.ndarray:
    """Each problem's unbiased estimate of max@k (arXiv:2505.15201, Eq. 12), `[P, K]`.

    For rewards 0 and 1 that is pass@k (Eq. 3).
    """
    rows = list(results.rewards.values())
    sizes = np.array([len(x) for x in rows])
    found = np.empty((len(rows), len(ks)))
    for size in np.unique(sizes).tolist():
        here = np.flatnonzero(sizes == size)
        if results.binary:
            right = np.array([int(rows[i].sum()) for i in here])
            found[here] = pass_at_k(size, right[:, None], np.array(ks))
            continue
        rewards = np.sort(np.stack([rows[i] for i in here]), axis=1)
        for column, k in enumerate(ks):
            found[here, column] = rho(rewards, k)
    return found


def estimate_curve(results: Results, ks: Sequence[int] = (), seed: int = 0) -> Curve:
    """Unbiased pass@k (max@k for other rewards) by k, its mean over problems.

    Args:
      results: the graded samples.
      ks: default all k up to the fewest samples that a problem has, and to `K_SHOWN`.
      seed: of the bootstrap.

    Raises:
      ValueError: a k beyond the samples of some problem.
    """
    ks = allowed_ks(results, ks)
    values = per_seed(results, ks)
    limits = (0.0, 1.0) if results.binary else None
    return Curve(ks, *mean_with_interval(values, seed, limits), _seed_means(results, values))


def per_seed(results: Results, ks: Sequence[int]) -> np.ndarray:
    """`per_problem` of every seed, `[S, P, K]`."""
    return np.stack([per_problem(one, ks) for one in results.seeds])


def _seed_means(results: Results, values: np.ndarray) -> dict[str, np.ndarray]:
    """See `Curve.seeds`; values are those of the seeds, `[S, P, K]`."""
    return {seed: row.mean(axis=0) for seed, row in zip(results.by_seed, values, strict=False)}


def mean_with_interval(
    values: np.ndarray, seed: int, limits: tuple[float, float] | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means over seeds and problems, and both ends of their 95% intervals, `[K]` each.

    Args:
      values: `[S, P, K]`.
      seed: of the bootstrap, where there is one seed.
      limits: of the values, where they have any; no interval goes beyond.
    """
    if len(values) == 1:
        return bootstrap(values[0], seed)
    return _t_interval(values.mean(axis=(0, 1)), mean_variances(values, (0, 1)), limits)


def _t_interval(
    mean: np.ndarray, parts: Sequence[MeanVariance], limits: tuple[float, float] | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    low, high = joint_t_interval(mean, parts)
    return (mean, np.clip(low, *limits), np.clip(high, *limits)) if limits else (mean, low, high)


def plug_in_curve(results: Results, ks: Sequence[int]) -> np.ndarray:
    """What 1 - (1 - c/n)^k would say of rewards 0 and 1, `[K]`: biased, too low for k > 1."""
    rates = np.array([x.mean() for one in results.seeds for x in one.rewards.values()])
    return (1 - (1 - rates[:, None]) ** np.asarray(ks)).mean(axis=0)


def rows_shown(ks: Sequence[int]) -> list[int]:
    """The places of the k that a table shows: all of a few, else powers of two and the last."""
    if len(ks) <= ROWS_SHOWN:
        return list(range(len(ks)))
    return [i for i, k in enumerate(ks) if k & (k - 1) == 0 or k == ks[-1]]


def compare_results(
    first: Results, second: Results, ks: Sequence[int] = (), seed: int = 0
) -> PairedComparison:
    """The second against the first, on the problems that both have.

    Raises:
      ValueError: no problem in common, or a k beyond the samples of some problem.
    """
    names = tuple(name for name in first.rewards if name in second.rewards)
    if not names:
        raise ValueError("the two results must have problems in common, got none")
    both = [found.only(names) for found in (first, second)]
    fewest = min(both, key=lambda found: found.smallest_n)
    ks = allowed_ks(fewest, ks)
    pairing = _pair_seeds(*both)
    one, other = (per_seed(found, ks) for found in both)
    if pairing == "paired":  # the second's seeds in the order of the first's
        other = other[[list(second.by_seed).index(name) for name in first.by_seed]]
    limits = (-1.0, 1.0) if all(found.binary for found in both) else None
    means = (other.mean(axis=0) - one.mean(axis=0)).mean(axis=0)
    if pairing == "single":
        interval = bootstrap((other - one)[0], seed)
        needs = _deciding_sizes(both, ks, (other - one)[0])
    else:
        parts = _difference_parts(one, other, pairing == "paired")
        interval = _t_interval(means, [*parts[0], *parts[1]], limits)
        needs = _sizes_with_seeds(means, *parts)
    own = _seed_means(first, other - one) if pairing == "paired" else {}
    difference = Curve(ks, *interval, own)
    words = {"above": "second", "below": "first", "undecided": "neither"}
    leads = [words[standing(*ends)] for ends in zip(difference.low, difference.high, strict=True)]
    changes = [i for i, lead in enumerate(leads) if i == 0 or lead != leads[i - 1]]
    best = [np.array([found.rewards[name].max() for name in names]) for found in both]
    return PairedComparison(
        problems=names,
        difference=difference,
        seeds=pairing,
        ahead=tuple((ks[place], leads[place]) for place in changes),
        needs=needs,
        won=tuple(name for name, a, b in zip(names, *best, strict=True) if b > a),
        lost=tuple(name for name, a, b in zip(names, *best, strict=True) if a > b),
    )


def _pair_seeds(first: Results, second: Results) -> SeedPairing:
    if not (first.by_seed or second.by_seed):
        return "single"
    if not first.by_seed:
        return "single first"
    if not second.by_seed:
        return "single second"
    return "paired" if first.by_seed.keys() == second.by_seed.keys() else "unpaired"


def _difference_parts(
    one: np.ndarray, other: np.ndarray, paired: bool
) -> tuple[list[MeanVariance], list[MeanVariance]]:
    """What seeds and what problems add to the variance of the second's mean less the first's.

    Args:
      one: the first's values, `[S, P, K]`.
      other: the second's, of the same problems.
      paired: whether the seeds are the same.
    """
    by_seed = [(other - one).mean(axis=1)] if paired else [x.mean(axis=1) for x in (one, other)]
    seeds = [part for values in by_seed for part in mean_variances(values, (0,))]
    return seeds, mean_variances(other.mean(axis=0) - one.mean(axis=0), (0,))


def _sizes_with_seeds(
    means: np.ndarray, seeds: Sequence[MeanVariance], problems: Sequence[MeanVariance]
) -> tuple[DecidingSize, ...]:
    """See `DecidingSize`; from `_difference_parts`.

    What a seed and a problem have of their own is in both parts, and shrinks in one of them only: the
    counts are rather too large.
    """

    def at(parts: Sequence[MeanVariance], i: int) -> list[MeanVariance]:
        return [MeanVariance(float(part.value[i]), part.freedom) for part in parts]

    return tuple(
        DecidingSize(
            problems=deciding_count(mean, at(problems, i), at(seeds, i)),
            seeds=deciding_count(mean, at(seeds, i), at(problems, i)),
        )
        for i, mean in enumerate(means.tolist())
    )


def _deciding_sizes(
    both: Sequence[Results], ks: tuple[int, ...], differences: np.ndarray
) -> tuple[DecidingSize, ...]:
    """See `DecidingSize`; differences are those of the problems, `[P, K]`.

    The variance of a difference is that between problems plus that of their few samples. The latter
    is known without bias: of disjoint size-k subsets, 1 - pass@2k is the product's mean, so that
    (1 - pass@k)^2 less it is the variance of an estimate. It falls as one over the samples, or faster.
    """
    count, fewest = len(differences), min(found.smallest_n for found in both)
    if count < 2:
        return (DecidingSize(None),) * len(ks)
    means, variances = differences.mean(axis=0), differences.var(axis=0, ddof=1)
    known = [k for k in ks if 2 * k <= fewest and all(found.binary for found in both)]
    noise = np.zeros(len(known))
    for found in both if known else ():
        wrong = 1 - per_problem(found, known)
        twice = 1 - per_problem(found, [2 * k for k in known])
        noise += (wrong**2 - twice).mean(axis=0)
    noises = dict(zip(known, noise.tolist(), strict=True))
    return tuple(
        _deciding_size(float(mean), float(variance), noises.get(k), count, fewest)
        for k, mean, variance in zip(ks, means, variances, strict=True)
    )


def _deciding_size(
    mean: float, variance: float, noise: float | None, count: int, samples: int
) -> DecidingSize:
    """Of a mean difference over so many problems, with the samples' share of its variance."""
    if abs(mean) < ROUNDED:
        return DecidingSize(None)
    allowed = (mean / SURE) ** 2  # the variance of the mean that decides
    problems = max(1, math.ceil(variance / allowed))
    room = count * allowed - max(variance - noise, 0.0) if noise is not None else 0.0
    if noise is None or room <= 0:
        return DecidingSize(problems, None)
    return DecidingSize(problems, math.ceil(samples * max(noise / room, 1.0)))


def bootstrap(values: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means over problems of values `[P, K]`, and both ends of 95% percentile intervals, `[K]` each.

    Problems are resampled, alike for every column and for all values of as many problems.
    """
    count, rng, sums = len(values), np.random.default_rng(seed), []
    at_once = max(1, COUNTS_HELD // count)
    for done in range(0, BOOTSTRAP_REPLICATES, at_once):
        rows = min(at_once, BOOTSTRAP_REPLICATES - done)
        drawn = rng.integers(0, count, (rows, count)) + count * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)
        sums.append(times.astype(float) @ values)
    low, high = np.percentile(np.concatenate(sums) / count, (2.5, 97.5), axis=0)
    return values.mean(axis=0), low, high
