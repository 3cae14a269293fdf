"""Exact moments by outcome counts: against every n-tuple of arms, Monte Carlo and known values."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from pkpo import ESTIMATORS, pass_at_k, transform
from pkpo.analysis.enumeration import (
    COUNT_LIMIT,
    ExactMoments,
    can_enumerate,
    enumerate_outcomes,
    rho_variance,
    rho_variance_asymptote,
)
from pkpo.analysis.estimation_problems import SoftmaxProblem, binary_problem, graded_problem
from pkpo.analysis.monte_carlo import run_monte_carlo

SYMMETRIC = [
    *(name for name, entry in ESTIMATORS.items() if entry.symmetric and not entry.binary),
    "dial:-0.7",
]
UNBIASED = [
    name for name in SYMMETRIC if name.startswith("dial:") or ESTIMATORS[name].unbiased
]  # of max@k, at every allowed k
BANDITS = {
    "two arms": SoftmaxProblem((0.2, 1.0), (0.85, 0.15)),
    "a level in two ways": SoftmaxProblem((1.0, 0.0, 1.0), (0.2, 0.5, 0.3)),
    "four levels": SoftmaxProblem((0.7, 0.1, 2.0, 0.0), (0.1, 0.2, 0.3, 0.4)),
    "two levels in two ways": SoftmaxProblem((0.5, 2.0, 0.5, 2.0), (0.1, 0.2, 0.3, 0.4)),
    "one level": SoftmaxProblem((0.6, 0.6, 0.6), (0.1, 0.2, 0.7)),
}


def every_tuple(
    problem: SoftmaxProblem, estimator: str, n: int, k: int, centre: bool
) -> tuple[np.ndarray, float]:
    """Mean and variance of the estimates over every n-tuple of arms."""
    chances = np.array(problem.probabilities)
    tuples = np.array(list(itertools.product(range(chances.size), repeat=n)))
    chance = chances[tuples].prod(axis=1)
    weights = transform(np.array(problem.rewards)[tuples], k, estimator)
    if centre:
        weights = weights - weights.mean(axis=1, keepdims=True)
    scores = np.eye(chances.size)[tuples] - chances  # [tuples, n, arms]
    estimates = np.einsum("tn,tna->ta", weights, scores)
    mean = chance @ estimates
    return mean, float(chance @ ((estimates - mean) ** 2).sum(axis=1))


@pytest.mark.parametrize("centre", [False, True])
@pytest.mark.parametrize("bandit", BANDITS)
@pytest.mark.parametrize("name", SYMMETRIC)
def test_moments_are_those_of_every_tuple(name, bandit, centre):
    problem, entry = BANDITS[bandit], ESTIMATORS[name.partition(":")[0]]
    for n in range(1, 5):
        for k in entry.allowed_k(n):
            found = enumerate_outcomes(problem, name, n, k, centre)
            mean, variance = every_tuple(problem, name, n, k, centre)
            assert np.abs(found.mean - mean).max() < 1e-12, (n, k)
            assert abs(found.variance - variance) < 1e-12, (n, k, found.variance, variance)


@pytest.mark.parametrize("centre", [False, True])
def test_moments_of_an_estimator_that_takes_zeros_and_ones_only(centre):
    problem = BANDITS["a level in two ways"]
    for n, k in [(1, 1), (2, 1), (3, 2), (4, 2), (4, 4)]:
        found = enumerate_outcomes(problem, "passk_training", n, k, centre)
        mean, variance = every_tuple(problem, "passk_training", n, k, centre)
        assert np.abs(found.mean - mean).max() < 1e-12, (n, k)
        assert abs(found.variance - variance) < 1e-12, (n, k)


@pytest.mark.parametrize("name", UNBIASED)
def test_unbiased_ones_are(name):
    entry = ESTIMATORS[name.partition(":")[0]]
    for problem in (*BANDITS.values(), binary_problem(0.3, 3, 2), graded_problem(2)):
        for n in (2, 5, 16):
            for k in entry.allowed_k(n):
                assert enumerate_outcomes(problem, name, n, k).bias < 1e-12, (problem, n, k)


def test_bias_is_seen_where_there_is_one():
    problem = binary_problem(0.3)
    found = enumerate_outcomes(problem, "grpo", 8, 4)
    assert found.bias == pytest.approx(np.linalg.norm(found.mean - problem.gradient(4)))
    assert found.bias > 0.01
    assert found.mse == found.variance + found.bias**2
    assert (
        enumerate_outcomes(problem, "sloo_minus_one", 8, 4, centre=True).bias > 0.01
    )  # centring biases it
    assert (
        enumerate_outcomes(problem, "canonical", 8, 4, centre=True).bias < 1e-12
    )  # and leaves this one
    # RLOO follows max@1, not max@4
    assert (
        np.abs(enumerate_outcomes(problem, "rloo", 8, 4).mean - problem.gradient(1)).max() < 1e-12
    )


def test_signal_to_noise():
    problem = binary_problem(0.3)
    found = enumerate_outcomes(problem, "canonical", 8, 4)
    signal = float(problem.gradient(4) @ problem.gradient(4))
    assert found.signal_to_noise == pytest.approx(signal / found.variance, rel=1e-14)
    still = ExactMoments(estimator="s", mean=np.zeros(2), variance=0.0, problem=problem, k=4)
    assert still.signal_to_noise == math.inf


@pytest.mark.parametrize("name", ["s", "sloo", "sloo_minus_one", "canonical", "grpo", "tailrl"])
@pytest.mark.parametrize(
    ("problem", "n", "k"),
    [
        (binary_problem(0.1, 5, 2), 16, 4),
        (graded_problem(3), 12, 5),
        (BANDITS["four levels"], 14, 3),
    ],
    ids=["binary", "graded", "four levels"],
)
def test_moments_meet_monte_carlo(name, problem, n, k):
    exact = enumerate_outcomes(problem, name, n, k)
    found = run_monte_carlo(problem, [name], n, k, replicates=20_000, seed=11)[name]
    error = (found.variance.high - found.variance.value) / 1.96
    assert abs(found.variance.value - exact.variance) < 4 * error
    assert abs(found.bias - exact.bias) < 4 * found.bias_error
    error = (found.mse.high - found.mse.value) / 1.96
    assert abs(found.mse.value - exact.mse) < 4 * error


@pytest.mark.parametrize(
    ("p", "n", "ratio"),
    [
        (0.05, 16, 1.09),
        (0.1, 16, 1.22),
        (0.3, 16, 2.30),
        (0.34, 16, 1.90),
        (0.49, 16, 0.13),
        (0.3, 32, 3.94),
    ],
)
def test_known_ratios_of_loo_1_to_canonical(p, n, ratio):
    loo, canonical = (
        enumerate_outcomes(binary_problem(p), name, n, 2).variance
        for name in ("sloo_minus_one", "canonical")
    )
    assert loo / canonical == pytest.approx(ratio, abs=0.005)


@pytest.mark.parametrize("name", ["s", "sloo_minus_one", "canonical"])
def test_with_very_many_ways_only_squared_weights_count(name):
    # All scores are then nearly orthogonal and of length 1: the variance is the sum of E[w²].
    p, n, k = 0.3, 12, 4
    squares = 0.0
    for c in range(n + 1):
        weights = transform(np.repeat([0.0, 1.0], [n - c, c]), k, name)
        squares += math.comb(n, c) * p**c * (1 - p) ** (n - c) * float(weights @ weights)
    gaps = [
        abs(enumerate_outcomes(binary_problem(p, ways, ways), name, n, k).variance / squares - 1)
        for ways in (5, 50, 500)
    ]
    assert gaps[0] > 5 * gaps[1] > 25 * gaps[2]  # as one over the ways
    assert gaps[2] < 0.05


def test_what_can_be_enumerated():
    assert can_enumerate("sloo", 64, 2)
    assert not can_enumerate("naive", 4, 2)  # depends on the order
    widest = max(n for n in range(1, 65) if can_enumerate("s", n, 4))
    assert math.comb(widest + 3, 3) <= COUNT_LIMIT < math.comb(widest + 4, 3)


@pytest.mark.parametrize(
    ("problem", "name", "n", "k", "message"),
    [
        (binary_problem(0.5), "naive", 4, 2, "'naive' with n = 4 and 2 reward levels cannot be"),
        (graded_problem(), "s", 64, 2, "'s' with n = 64 and 4 reward levels cannot be"),
        (binary_problem(0.5), "s", 4, 5, "k must be from 1 to n = 4, got 5"),
        (binary_problem(0.5), "canonical", 4, 4, "k = 4 is not allowed with n = 4"),
        (binary_problem(0.5), "magic", 4, 2, "estimator must be one of"),
        (graded_problem(), "passk_training", 4, 2, "rewards"),
    ],
)
def test_moments_refuse(problem, name, n, k, message):
    with pytest.raises(ValueError, match=message):
        enumerate_outcomes(problem, name, n, k)


# --- The value estimate -------------------------------------------------------------------------


def test_the_variance_of_rho_is_the_binomial_sum():
    rates = [Fraction(1, 50), Fraction(3, 10), Fraction(1, 2), Fraction(9, 10)]
    for n, ks in ((1, (1,)), (6, (1, 2, 6)), (16, (1, 3, 8, 16))):
        found = rho_variance(n, ks, np.array([float(p) for p in rates]))
        assert found.shape == (len(ks), len(rates))
        for row, k in enumerate(ks):
            for column, p in enumerate(rates):
                want = Fraction(0)
                for c in range(n + 1):
                    rho = 1 - Fraction(math.comb(n - c, k), math.comb(n, k))
                    chance = math.comb(n, c) * p**c * (1 - p) ** (n - c)
                    want += chance * (rho - (1 - (1 - p) ** k)) ** 2
                assert found[row, column] == pytest.approx(float(want), rel=1e-12), (n, k, p)


def test_the_variance_of_rho_meets_monte_carlo():
    n, k, p, draws = 20, 4, 0.3, 40_000
    values = pass_at_k(n, np.random.default_rng(6).binomial(n, p, draws), k)
    squares = (values - (1 - (1 - p) ** k)) ** 2
    error = squares.std(ddof=1) / math.sqrt(draws)
    assert abs(squares.mean() - rho_variance(n, (k,), np.array([p]))[0, 0]) < 4 * error


def test_corollary_3_is_the_limit():
    p, ks = np.array([0.05, 0.3, 0.6]), (1, 2, 8)
    gaps = {
        n: np.abs(rho_variance(n, ks, p) / rho_variance_asymptote(n, ks, p) - 1)
        for n in (100, 1000, 10_000)
    }
    assert gaps[100][0].max() < 1e-11  # k = 1: p(1-p)/n at every n
    assert gaps[10_000].max() < 0.05
    for narrow, wide in ((100, 1000), (1000, 10_000)):
        rest = gaps[narrow][1:] / gaps[wide][1:]
        assert (rest > 7).all(), rest  # about ten times nearer for ten times the samples


@pytest.mark.parametrize("function", [rho_variance, rho_variance_asymptote])
@pytest.mark.parametrize("ks", [(), (0,), (2, 9)])
def test_value_variances_refuse(function, ks):
    with pytest.raises(ValueError, match="k must hold values from 1 to n = 8, got"):
        function(8, ks, np.array([0.5]))
