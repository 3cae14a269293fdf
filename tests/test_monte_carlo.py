"""The variance engine: against exact values and against a plain loop."""

import math

import numpy as np
import pytest

from pkpo import ESTIMATORS, transform
from pkpo.analysis.estimation_problems import GaussianProblem
from pkpo.analysis.monte_carlo import run_monte_carlo, variance_margin
from toy_envs import gaussian_hill


class OneParameter:
    """Bernoulli(p) with reward 1 for success; the parameter is the logit. Everything is exact."""

    def __init__(self, p: float):
        self.p = p

    def draw(self, rng, groups, n):
        hit = rng.random((groups, n)) < self.p
        return hit.astype(float), lambda w: (w * (hit - self.p)).sum(1, keepdims=True)

    def gradient(self, k):
        return np.array([k * (1 - self.p) ** (k - 1) * self.p * (1 - self.p)])

    def exact_variance(self, estimator: str, n: int, k: int) -> float:
        """By enumeration of the number of successes (the estimate depends on nothing else)."""
        moments = np.zeros(2)
        for c in range(n + 1):
            chance = math.comb(n, c) * self.p**c * (1 - self.p) ** (n - c)
            rewards = np.r_[np.ones(c), np.zeros(n - c)]
            estimate = float(transform(rewards, k, estimator) @ (rewards - self.p))
            moments += chance * np.array([estimate, estimate**2])
        return moments[1] - moments[0] ** 2


@pytest.mark.parametrize("p", [0.05, 0.3, 0.5])
@pytest.mark.parametrize("name", ["s", "sloo", "sloo_minus_one", "canonical", "dial:-0.5"])
def test_variance_meets_the_exact_one(name, p):
    problem = OneParameter(p)
    found = run_monte_carlo(problem, [name], n=12, k=3, replicates=20_000, seed=1)[name]
    exact = problem.exact_variance(name, 12, 3)
    error = (found.variance.high - found.variance.value) / 1.96
    assert abs(found.variance.value - exact) < 4 * error, (name, p)
    assert found.bias < 4 * found.bias_error
    signal = problem.gradient(3)[0] ** 2 / exact
    assert found.signal_to_noise.value == pytest.approx(signal, rel=4 * error / exact)


def test_canonical_needs_less_than_half_of_loo_1_where_passes_are_common():
    problem = OneParameter(0.3)  # the known ratio of exact variances at k = 2, n = 16 is 2.30
    ratio = problem.exact_variance("sloo_minus_one", 16, 2) / problem.exact_variance(
        "canonical", 16, 2
    )
    assert ratio == pytest.approx(2.30, abs=0.005)


def test_biased_estimators_show_their_bias():
    problem = OneParameter(0.3)
    found = run_monte_carlo(problem, ["grpo", "sloo_minus_one"], 8, 4, 20_000)
    assert found["grpo"].bias > 10 * found["grpo"].bias_error
    assert found["grpo"].mse.value == pytest.approx(
        found["grpo"].variance.value + found["grpo"].bias ** 2, rel=1e-3
    )


def test_agrees_with_a_plain_loop_on_the_same_groups():
    problem = GaussianProblem(0.9, dimension=3)
    rewards, _ = problem.draw(np.random.default_rng((5, 6)), 50, 6)
    scores = np.random.default_rng((5, 6)).standard_normal((50, 6, 3)) / 0.1
    estimates = np.array(
        [transform(r, 2, "sloo") @ s for r, s in zip(rewards, scores, strict=True)]
    )
    found = run_monte_carlo(problem, ["sloo"], n=6, k=2, replicates=50, seed=5)["sloo"]
    trace = np.trace(np.cov(estimates.T))
    assert found.variance.value == pytest.approx(trace, rel=1e-12)
    exact = np.array([gaussian_hill.gradient(0.9, 2), 0, 0])
    assert found.bias == pytest.approx(np.linalg.norm(estimates.mean(0) - exact), rel=1e-12)
    assert found.mse.value == pytest.approx(((estimates - exact) ** 2).sum(1).mean(), rel=1e-12)


def test_intervals_cover_the_exact_value_as_often_as_they_say():
    problem = OneParameter(0.3)
    exact = problem.exact_variance("canonical", 8, 2)
    inside = 0
    for seed in range(200):
        found = run_monte_carlo(problem, ["canonical"], 8, 2, 2000, seed)["canonical"].variance
        inside += found.low <= exact <= found.high
    # 200 intervals of 95%: 190 expected, standard deviation 3.1
    assert 190 - 4 * 3.1 < inside


def test_only_estimators_that_allow_n_and_k():
    names = [name for name in ESTIMATORS if name != "passk_training"]  # it wants 0/1 rewards
    found = run_monte_carlo(GaussianProblem(1.0), names, n=4, k=4, replicates=10)
    assert "canonical" not in found and "naive_baselined" not in found
    assert {"s", "sloo_minus_one", "naive"} <= set(found)


def test_margin_is_paired():
    found = run_monte_carlo(GaussianProblem(1.0), ["sloo_minus_one", "canonical"], 8, 4, 5000)
    gap = variance_margin(found["canonical"], found["sloo_minus_one"])
    difference = found["canonical"].variance.value - found["sloo_minus_one"].variance.value
    assert gap.value == pytest.approx(difference, rel=1e-3)
    apart = found["canonical"].variance.high - found["canonical"].variance.value
    apart += found["sloo_minus_one"].variance.high - found["sloo_minus_one"].variance.value
    assert 0 < gap.high - gap.value < apart


def test_refusals():
    with pytest.raises(ValueError, match="replicates must be at least 2, got 1"):
        run_monte_carlo(GaussianProblem(1.0), ["s"], 4, 2, replicates=1)
    with pytest.raises(ValueError, match="estimator must be one of"):
        run_monte_carlo(GaussianProblem(1.0), ["magic"], 4, 2, replicates=10)
