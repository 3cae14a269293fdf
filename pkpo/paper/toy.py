"""Figures 1, 2, 4 and 5: the toy problem and the estimators themselves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import ndtr

from pkpo.analysis.estimation_problems import GaussianProblem
from pkpo.analysis.monte_carlo import MonteCarlo, run_monte_carlo, variance_margin
from pkpo.config import EVAL_KS
from pkpo.estimators import rho, transform
from pkpo.paper.recipe import Claim, FigureRecipe, all_hold
from toy_envs import gaussian_hill

# --- Figure 1: the objective and its derivative ---------------------------------------------------

FIGURE_1: dict[str, Any] = {
    "k": EVAL_KS,
    "theta": (-0.2, 1.4),
    "points": 321,
    "sigma": 0.1,
}


def _figure_1(seed: int) -> tuple[dict[str, list], list[Claim]]:
    ks = FIGURE_1["k"]
    theta = np.linspace(FIGURE_1["theta"][0], FIGURE_1["theta"][1], FIGURE_1["points"])
    known = gaussian_hill.exact(theta, ks)
    table = {
        "theta": np.tile(theta, len(ks)).tolist(),
        "k": np.repeat(ks, theta.size).tolist(),
        "value": known.value.ravel().tolist(),
        "gradient": known.d_theta.ravel().tolist(),
    }
    best = [gaussian_hill.optimum(k) for k in ks]
    moves = np.diff([b.theta for b in best])
    slopes = [abs(gaussian_hill.gradient(b.theta, k)) for b, k in zip(best, ks, strict=True)]
    apart = max(
        float(np.abs(row - _by_simpson(theta, k)).max())
        for k, row in zip(ks, known.value, strict=True)
    )
    shown = ", ".join(f"{b.theta:.4f}" for b in best)
    return table, [
        Claim(
            "The maximiser moves right, towards the cliff, as k grows (1a).",
            f"best θ for k = {', '.join(map(str, ks))}: {shown}",
            "each larger than the one before",
            bool((moves > 0).all()),
        ),
        Claim(
            "The derivative crosses zero where the objective is highest (1b).",
            f"largest |derivative| at a maximiser: {max(slopes):.1e}",
            "below 1e-8",
            max(slopes) < 1e-8,
        ),
        Claim(
            "The curves are exact.",
            f"largest difference from Simpson's rule over x (Eq. 35): {apart:.1e}",
            "below 1e-8",
            apart < 1e-8,
            "check",
        ),
    ]


def _by_simpson(theta: np.ndarray, k: int, intervals: int = 2000) -> np.ndarray:
    """Max@k on the paper's hill by another route: Simpson's rule over x in 0..1."""
    x = np.linspace(0.0, 1.0, intervals + 1)
    z = (x - theta[:, None]) / FIGURE_1["sigma"]
    miss = 1.0 - (ndtr(z[:, -1:]) - ndtr(z))
    weights = np.full(intervals + 1, 2.0)
    weights[1::2] = 4.0
    weights[[0, -1]] = 1.0
    return ((1.0 - miss**k) * 2 * x) @ weights / (3 * intervals)


# --- Figure 2: which samples the value estimate listens to ---------------------------------------

FIGURE_2: dict[str, Any] = {"n": 8, "k": (1, 2, 4, 8)}


def _figure_2(seed: int) -> tuple[dict[str, list], list[Claim]]:
    n, ks = FIGURE_2["n"], FIGURE_2["k"]
    index = np.arange(1, n + 1)
    weights = {k: np.array([math.comb(i - 1, k - 1) / math.comb(n, k) for i in index]) for k in ks}
    table = {
        "k": np.repeat(ks, n).tolist(),
        "index": np.tile(index, len(ks)).tolist(),
        "weight": np.concatenate([weights[k] for k in ks]).tolist(),
    }
    total = max(abs(w.sum() - 1) for w in weights.values())
    centre = [float(w @ index) for w in weights.values()]
    rewards = np.random.default_rng(seed).standard_normal((1000, n))
    apart = max(float(np.abs(np.sort(rewards) @ weights[k] - rho(rewards, k)).max()) for k in ks)
    return table, [
        Claim(
            "The weights of each k add up to one.",
            f"largest difference from 1: {total:.1e}",
            "below 1e-12",
            bool(total < 1e-12),
            "check",
        ),
        Claim(
            "k = 1 is the plain mean, k = n the maximum alone.",
            f"k = 1: from {weights[1].min():.4f} to {weights[1].max():.4f}; "
            f"k = {n}: {weights[n][-1]:g} on the largest",
            f"all 1/{n}; 1 on the largest",
            bool(np.ptp(weights[1]) < 1e-15 and weights[n][-1] == 1),
        ),
        Claim(
            "A larger k looks higher up in the order.",
            "mean index for k = "
            + ", ".join(f"{k}: {c:.2f}" for k, c in zip(ks, centre, strict=True)),
            "each larger than the one before",
            bool((np.diff(centre) > 0).all()),
        ),
        Claim(
            "These weights on sorted rewards are the estimator ρ (Eq. 12).",
            f"largest difference over 1,000 random groups: {apart:.1e}",
            "below 1e-12",
            apart < 1e-12,
            "check",
        ),
    ]


# --- Figure 4: variance of the gradient estimate --------------------------------------------------

FIGURE_4: dict[str, Any] = {
    "theta": 1.0,
    "sigma": 0.1,
    "k": 4,
    "n": tuple(range(4, 37, 4)),
    "replicates": 10_000,
    "estimators": (
        "s",
        "sloo",
        "sloo_minus_one",
        "canonical",
        "naive",
        "naive_baselined",
        "sloo_minus_one_partitioned",
    ),
}


def _figure_4(seed: int) -> tuple[dict[str, list], list[Claim]]:
    k, names = FIGURE_4["k"], FIGURE_4["estimators"]
    problem = GaussianProblem(FIGURE_4["theta"])
    points = [
        run_monte_carlo(problem, names, n, k, FIGURE_4["replicates"], seed) for n in FIGURE_4["n"]
    ]
    rows = [point[name] for name in names for point in points if name in point]
    table: dict[str, list] = {
        "estimator": [r.estimator for r in rows],
        "n": [r.n for r in rows],
        "variance": [r.variance.value for r in rows],
        "ci_low": [r.variance.low for r in rows],
        "ci_high": [r.variance.high for r in rows],
    }
    larger = [point for point in points if point["sloo_minus_one"].n > k]
    claims = [_least_variance(larger)]
    # The mean of T independent estimates lies within 4 standard errors but for 1 in 16,000.
    worst = max(rows, key=lambda r: r.bias / r.bias_error)
    claims.append(
        Claim(
            "All of them are unbiased.",
            f"largest bias in standard errors: {worst.bias / worst.bias_error:.2f} "
            f"({worst.estimator}, n = {worst.n}; {len(rows)} checked)",
            "at most 4",
            worst.bias <= 4 * worst.bias_error,
            "check",
        )
    )
    return table, claims


def _least_variance(points: Sequence[Mapping[str, MonteCarlo]]) -> Claim:
    """That loo-1 has the least variance at every n, paired with each rival."""
    shown, margins = [], []
    for point in points:
        best = point["sloo_minus_one"]
        rivals = [r for name, r in point.items() if name != "sloo_minus_one"]
        nearest = min(rivals, key=lambda r: r.variance.value)
        shown.append(
            f"n = {best.n}: {nearest.variance.value / best.variance.value:.2f} ({nearest.estimator})"
        )
        margins += [variance_margin(r, best) for r in rivals]
    surest = min(margin.low for margin in margins)
    return Claim(
        "loo-1 over all subsets has the least variance at every n > k.",
        f"the next estimator's variance over loo-1's, {', '.join(shown)}; smallest lower bound of a "
        f"paired difference {surest:.3f}",
        f"every paired difference above 0 with 95% confidence, {len(margins)} of them",
        all_hold(True if m.low > 0 else False if m.high < 0 else None for m in margins),
    )


# --- Figure 5: what the transformed rewards look like ---------------------------------------------

FIGURE_5: dict[str, Any] = {
    "n": 32,
    "k": EVAL_KS,
    "groups": 4000,
    "bins": 20,
    "estimators": ("s", "sloo", "sloo_minus_one"),
}


def _figure_5(seed: int) -> tuple[dict[str, list], list[Claim]]:
    n, ks, groups = FIGURE_5["n"], FIGURE_5["k"], FIGURE_5["groups"]
    bins, names = FIGURE_5["bins"], FIGURE_5["estimators"]
    rewards = np.random.default_rng(seed).uniform(-0.5, 0.5, (groups, n))
    where = np.minimum(((rewards + 0.5) * bins).astype(int), bins - 1).ravel()
    count = np.bincount(where, minlength=bins)
    table: dict[str, list] = {"estimator": [], "k": [], "reward": [], "weight": []}
    offset: dict[tuple[str, int], float] = {}
    worst, claims = 0.0, []
    for name in names:
        for k in ks:
            weights = transform(rewards, k, name)
            means = weights.mean(axis=1)
            offset[name, k] = _mean_weight(name, n, k)
            error = float(means.std(ddof=1)) / math.sqrt(groups)
            off = abs(float(means.mean()) - offset[name, k])
            worst = max(worst, off / error if error > 1e-12 else off / 1e-12)
            table["estimator"] += [name] * bins
            table["k"] += [k] * bins
            table["reward"] += (-0.5 + (np.arange(bins) + 0.5) / bins).tolist()
            table["weight"] += (np.bincount(where, weights.ravel(), bins) / count).tolist()
    plain = [offset["s", k] for k in ks]
    claims.append(
        Claim(
            "Without a baseline the weights carry an offset that grows with k.",
            "mean weight of s for k = "
            + ", ".join(f"{k}: {v:.4f}" for k, v in zip(ks, plain, strict=True)),
            "each larger than the one before",
            bool((np.diff(plain) > 0).all()),
        )
    )
    large = [k for k in ks if k >= 4]
    ratio = min(
        abs(offset["s", k]) / max(abs(offset["sloo", k]), abs(offset["sloo_minus_one", k]))
        for k in large
    )
    claims.append(
        Claim(
            "For k >= 4 that offset exceeds both baselined ones in size.",
            f"smallest ratio to the larger of the two: {ratio:.2f}",
            "above 1",
            ratio > 1,
        )
    )
    claims.append(
        Claim(
            "The mean weights are k v_k/n (s), -k v_k/(n(n-1)) (loo), k(v_k - v_(k-1))/n (loo-1).",
            f"largest difference in standard errors: {worst:.2f} ({len(names) * len(ks)} checked)",
            "at most 4",
            worst <= 4,
            "check",
        )
    )
    return table, claims


def _mean_weight(name: str, n: int, k: int) -> float:
    """The exact mean weight for rewards uniform on [-1/2, 1/2], whose best of k is k/(k+1) - 1/2."""

    def best(j: int) -> float:
        return j / (j + 1) - 0.5

    if name == "s":
        return k * best(k) / n
    if name == "sloo":
        return -k * best(k) / (n * (n - 1))
    return 0.0 if k == 1 else k * (best(k) - best(k - 1)) / n


TOY_RECIPES = (
    FigureRecipe(
        "fig1",
        "Figure 1: the objective and its derivative",
        "The more attempts count, the closer to the cliff the best policy stands.",
        FIGURE_1,
        _figure_1,
        random=False,
    ),
    FigureRecipe(
        "fig2",
        "Figure 2: which samples the value estimate listens to",
        "The larger k, the more the estimate is made of the best few rewards.",
        FIGURE_2,
        _figure_2,
    ),
    FigureRecipe(
        "fig4",
        "Figure 4: variance of the gradient estimate",
        "At θ = 1 and k = 4, loo-1 over all subsets has the least variance at every n > k.",
        FIGURE_4,
        _figure_4,
    ),
    FigureRecipe(
        "fig5",
        "Figure 5: from raw to transformed rewards",
        "Without a baseline, every sample is pushed by an offset that grows with k.",
        FIGURE_5,
        _figure_5,
    ),
)
"""The figures that need no language model."""
