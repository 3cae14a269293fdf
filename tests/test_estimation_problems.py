"""Policies in front of rewards: what is drawn, what weights become, exact gradients."""

import math

import numpy as np
import pytest

from pkpo.analysis.estimation_problems import (
    GaussianProblem,
    SoftmaxProblem,
    binary_problem,
    graded_problem,
)
from toy_envs import gaussian_hill

ARMS = SoftmaxProblem((0.3, 0.0, 1.0, 0.6), (0.1, 0.4, 0.2, 0.3))


def test_a_softmax_problem_draws_its_arms_as_often_as_they_are_likely():
    rewards, _ = ARMS.draw(np.random.default_rng(1), 5000, 4)
    assert rewards.shape == (5000, 4)
    for reward, chance in zip(ARMS.rewards, ARMS.probabilities, strict=True):
        error = math.sqrt(chance * (1 - chance) / rewards.size)
        assert abs((rewards == reward).mean() - chance) < 4 * error, reward


def test_weights_become_sums_of_scores():
    rewards, estimates = ARMS.draw(np.random.default_rng(2), 7, 5)
    weights = np.random.default_rng(3).normal(size=(7, 5))
    found = estimates(weights)
    for group in range(7):
        want = np.zeros(4)
        for weight, reward in zip(weights[group], rewards[group], strict=True):
            want += weight * (np.eye(4)[ARMS.rewards.index(reward)] - ARMS.probabilities)
        assert np.abs(found[group] - want).max() < 1e-14, group


def test_the_last_arm_is_drawn_even_if_probabilities_fall_short_of_one_by_rounding():
    class Ones:
        def random(self, shape):
            return np.full(shape, np.nextafter(1.0, 0.0))

    short = SoftmaxProblem((0.0, 1.0), (0.5, 0.5 - 1e-15))
    rewards, _ = short.draw(Ones(), 2, 3)
    assert rewards.tolist() == [[1.0] * 3] * 2


def test_a_gaussian_problem_draws_around_theta_with_scores_over_sigma():
    problem = GaussianProblem(0.5, sigma=0.2, dimension=2)
    rewards, estimates = problem.draw(np.random.default_rng(4), 3, 4)
    z = np.random.default_rng(4).standard_normal((3, 4, 2))
    x = 0.5 + 0.2 * z[..., 0]
    assert np.array_equal(rewards, np.where((x >= 0) & (x <= 1), x * x, 0.0))  # the paper's hill
    weights = np.random.default_rng(5).normal(size=(3, 4))
    want = np.einsum("gn,gnd->gd", weights, z / 0.2)
    assert estimates(weights) == pytest.approx(want, abs=1e-13)
    exact = problem.gradient(3)
    assert exact.tolist() == [gaussian_hill.gradient(0.5, 3, 0.2), 0.0]


@pytest.mark.parametrize(("right", "wrong"), [(1, 1), (3, 1), (2, 5)])
def test_binary_problems_are_right_with_probability_p(right, wrong):
    problem = binary_problem(0.3, right, wrong)
    rewards, chances = np.array(problem.rewards), np.array(problem.probabilities)
    assert sorted(problem.rewards) == [0.0] * wrong + [1.0] * right
    assert chances @ rewards == pytest.approx(0.3, abs=1e-15)
    assert chances.sum() == pytest.approx(1, abs=1e-15)
    for reward in (0.0, 1.0):
        assert len(set(chances[rewards == reward])) == 1  # equally likely ways
    # pass@k = 1 - (1-p)^k; each right logit has an equal share of its derivative
    slope = 4 * 0.7**3 * 0.3 * 0.7
    assert problem.gradient(4)[rewards == 1] == pytest.approx(slope / right, abs=1e-15)


def test_graded_problems_have_even_levels():
    problem = graded_problem(ways=2, levels=3)
    assert problem.rewards == (0.0, 0.0, 0.5, 0.5, 1.0, 1.0)
    assert problem.probabilities == (1 / 6,) * 6


@pytest.mark.parametrize("p", [0.0, 1.0, -0.1, math.nan])
def test_a_pass_rate_must_leave_both_outcomes(p):
    with pytest.raises(ValueError, match=f"p must lie between 0 and 1, got {p}"):
        binary_problem(p)


def test_refusals():
    with pytest.raises(ValueError, match="right and wrong must be at least 1, got 0 and 1"):
        binary_problem(0.5, 0)
    with pytest.raises(ValueError, match="right and wrong must be at least 1, got 1 and 0"):
        binary_problem(0.5, 1, 0)
    with pytest.raises(ValueError, match="ways must be >= 1 and levels >= 2, got 0 and 4"):
        graded_problem(0)
    with pytest.raises(ValueError, match="ways must be >= 1 and levels >= 2, got 1 and 1"):
        graded_problem(1, 1)
