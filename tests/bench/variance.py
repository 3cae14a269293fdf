"""How long the variance lab takes: Figure 4 against plain loops over its groups, and the winner map.

Figure 4 is `pkpo.paper`'s recipe at the paper's 10,000 replicates: seven estimators at nine group
sizes, variances with their intervals. The loops take one group at a time, as a first script would, and
compute the same estimates; they are timed on fewer replicates and extrapolated to 10,000.
"""

from __future__ import annotations

import itertools
import math
import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np

from pkpo import analysis, transform
from pkpo.analysis import AnalysisSettings, enumeration
from pkpo.estimators import get_estimator
from pkpo.paper import RECIPES
from pkpo.paper.toy import FIGURE_4
from toy_envs.gaussian_hill import reward_shape

AIM = 200.0
LOOP_SECONDS = 5.0  # each loop stops after this
ROUNDS = 5
MAPS = 5  # of `maps`, the first
SMALLEST = {"LOOP_SECONDS": 0.001, "ROUNDS": 1, "MAPS": 1}

Weigh = Callable[[list[float], int], dict[str, list[float]]]

NOTES = """
by transform: one call of `transform` for each group and estimator.
by subsets: the estimators' definitions, one pass over all subsets of size k for each group.
Loops are timed on the replicates in parentheses and extrapolated. The winner map is timed with empty
caches, as the first visitor sees it."""


def main() -> None:
    """Print the tables."""
    check()
    replicates = FIGURE_4["replicates"]
    RECIPES["fig4"].run(0)  # coefficients of n and k are computed once and cached
    figure = statistics.median(RECIPES["fig4"].run(seed).seconds for seed in range(ROUNDS))
    print(f"Figure 4, {replicates:,} replicates: seconds, and times as long as the recipe\n")
    print(f"{f'the recipe, median of {ROUNDS}':<42}{figure:>10.2f}")
    for name, weigh, aim in (("by transform", by_transform, None), ("by subsets", by_subsets, AIM)):
        each, timed = loop(weigh)
        ratio = each * replicates / figure
        met = "" if aim is None else f"   aim {aim:.0f}×: {'met' if ratio >= aim else 'MISS'}"
        row = f"{f'a loop, {name} ({timed:,} replicates)':<42}{each * replicates:>10,.1f}"
        print(f"{row}{ratio:>10,.0f}×{met}", flush=True)
    print("\nWinner map: milliseconds\n")
    for text, settings, axis in maps()[:MAPS]:
        runs = [winner_map_seconds(settings.replace(seed=seed), axis) for seed in range(ROUNDS)]
        print(f"{text:<42}{1000 * statistics.median(runs):>10,.0f}")
    start = time.perf_counter()
    _forget()
    analysis.explain_winner()
    print(f"{'what explains the winner':<42}{1000 * (time.perf_counter() - start):>10,.0f}")
    print(NOTES)


def loop(weigh: Weigh) -> tuple[float, int]:
    """Seconds that one replicate of the whole figure takes in a loop, and how many were timed."""
    k, theta, sigma = (FIGURE_4[name] for name in ("k", "theta", "sigma"))
    reward, rng = reward_shape("hill"), np.random.default_rng(0)
    estimates: dict[tuple[str, int], list[float]] = {}
    spent, timed = 0.0, 0
    while spent < LOOP_SECONDS:
        start = time.perf_counter()
        for n in FIGURE_4["n"]:
            z = rng.standard_normal(n)
            rewards = reward(theta + sigma * z).tolist()
            for name, weights in weigh(rewards, k).items():
                estimate = sum(w * score for w, score in zip(weights, z / sigma, strict=True))
                estimates.setdefault((name, n), []).append(estimate)
        spent += time.perf_counter() - start
        timed += 1
    return spent / timed, timed


def by_transform(rewards: list[float], k: int) -> dict[str, list[float]]:
    """Every estimator's weights of one group, one call each."""
    return {name: list(transform(rewards, k, name)) for name in _allowed(len(rewards), k)}


def by_subsets(rewards: list[float], k: int) -> dict[str, list[float]]:
    """The same from the definitions (arXiv:2505.15201, Section 5.1, Eq. 19, 29, 33); k >= 2."""
    n = len(rewards)
    best_with, best_less = [0.0] * n, [0.0] * n  # sums of max over I that hold i, and over I \ i
    total = 0.0
    for members in itertools.combinations(range(n), k):
        best = max(rewards[i] for i in members)
        total += best
        for i in members:
            best_with[i] += best
            best_less[i] += max(rewards[j] for j in members if j != i)
    all_subsets, without = math.comb(n, k), math.comb(n - 1, k)
    weights = {
        "s": [a / all_subsets for a in best_with],
        "sloo_minus_one": [
            (a - b) / all_subsets for a, b in zip(best_with, best_less, strict=True)
        ],
        "naive": [],
        "sloo_minus_one_partitioned": [],
    }
    for first in range(0, n, k):
        members = rewards[first : first + k]
        weights["naive"] += [k / n * max(members)] * k
        weights["sloo_minus_one_partitioned"] += [
            k / n * (max(members) - max(members[:i] + members[i + 1 :])) for i in range(k)
        ]
    if n > k:
        others = [(total - a) / without for a in best_with]  # mean best of the subsets without i
        s = weights["s"]
        weights["sloo"] = [a - k / (n - 1) * v for a, v in zip(s, others, strict=True)]
        weights["canonical"] = [a - k / n * v for a, v in zip(s, others, strict=True)]
        count, sets = n // k, weights["naive"]
        mean_of_others = [(sum(sets) / k - a) / (count - 1) for a in sets]
        weights["naive_baselined"] = [a - b for a, b in zip(sets, mean_of_others, strict=True)]
    return weights


def check() -> None:
    """Stop if the loops do not compute what the recipe does."""
    rng = np.random.default_rng(1)
    for n in FIGURE_4["n"][:4]:
        rewards = rng.random(n).tolist()
        one, other = by_transform(rewards, 4), by_subsets(rewards, 4)
        assert set(one) == set(other), (n, set(one) ^ set(other))
        for name, weights in one.items():
            off = np.abs(np.array(weights) - other[name]).max()
            assert off < 1e-12, f"{name} differs by {off:.3g} for n = {n}"


def _allowed(n: int, k: int) -> Iterator[str]:
    return (x for x in FIGURE_4["estimators"] if k in get_estimator(x).allowed_k(n))


def maps() -> list[tuple[str, AnalysisSettings, str]]:
    """The maps that are timed."""
    return [
        ("right or wrong, k and p, n = 16", AnalysisSettings(k=1), "p"),
        ("right or wrong, 50 ways, k and p, n = 16", AnalysisSettings(k=1, ways=50), "p"),
        ("right or wrong, k and n", AnalysisSettings(k=1), "n"),
        ("four levels, k and ways, n = 16", AnalysisSettings(problem="graded", k=1), "ways"),
        ("the hill, k and theta, n = 16, measured", AnalysisSettings(problem="hill", k=1), "theta"),
    ]


def winner_map_seconds(settings: AnalysisSettings, axis: str) -> float:
    _forget()
    start = time.perf_counter()
    analysis.compute_winner_map(settings, axis)
    return time.perf_counter() - start


def _forget() -> None:
    for kept in (enumeration._levels, enumeration._level_sums, enumeration._counts):
        kept.cache_clear()


if __name__ == "__main__":
    main()
