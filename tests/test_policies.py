"""The softmax policy: its probabilities, samples, shared parameters, and its gradient, exactly."""

import itertools

import numpy as np
import pytest

from pkpo import ESTIMATORS, transform
from pkpo.training.policies import SoftmaxPolicy
from toy_envs import bandit

EPS = np.finfo(float).eps
START = np.array([0.5, 0.3, 0.15, 0.05])
SHARING = (0.0, 0.3, 0.5, 1.0)
TWO_PROMPTS = bandit.bandit("arms:0,0.5,1;1.5,-1,0.5")


def moved(sharing: float) -> SoftmaxPolicy:
    """A policy away from its start; where prompts do not share everything, another at each."""
    policy = SoftmaxPolicy(TWO_PROMPTS.start, TWO_PROMPTS.prompts, sharing)
    noise = np.random.default_rng(7).normal(0, 0.8, policy.parameters.size)
    policy.parameters = policy.parameters + noise
    return policy


# --- Probabilities --------------------------------------------------------------------------------


@pytest.mark.parametrize("prompts", [1, 2, 5])
@pytest.mark.parametrize("sharing", SHARING)
def test_it_starts_where_it_is_told(sharing, prompts):
    policy = SoftmaxPolicy(START, prompts, sharing)
    chances = policy.probabilities()
    assert chances.shape == (prompts, 4)
    assert np.abs(chances - START).max() < 8 * EPS
    assert policy.bounds.shape == policy.parameters.shape
    parts = 1 if prompts == 1 or sharing == 1 else prompts + (sharing > 0)
    assert policy.parameters.shape == (parts * 4,)


@pytest.mark.parametrize("sharing", SHARING)
def test_many_parameters_at_once(sharing):
    policy = moved(sharing)
    several = policy.parameters + np.random.default_rng(0).normal(size=(3, 2, 1))
    several[1, 1] = policy.parameters
    together = policy.probabilities(several)
    assert together.shape == (3, 2, 2, 3)
    assert np.abs(together.sum(-1) - 1).max() < 4 * EPS
    assert np.abs(together[1, 1] - policy.probabilities()).max() < 8 * EPS
    # A common number on every logit changes nothing, to the rounding of the logits themselves:
    assert np.abs(together - together[1, 1]).max() < 40 * EPS


def test_logits_far_apart_stay_finite():
    policy = SoftmaxPolicy(START, 2, 0.3)
    policy.parameters = np.zeros(policy.parameters.size)
    policy.parameters[2] = 9e5
    chances = policy.probabilities()
    assert chances.tolist() == [[0, 0, 1, 0]] * 2
    assert policy.sample(np.random.default_rng(0), 50).tolist() == [[2] * 50] * 2


# --- Samples --------------------------------------------------------------------------------------


@pytest.mark.parametrize("sharing", [0.0, 1.0])
def test_how_often_each_arm_is_drawn(sharing):
    policy, n = moved(sharing), 40_000
    chances, arms = policy.probabilities(), policy.sample(np.random.default_rng(0), n)
    assert arms.shape == (2, n)
    for prompt in range(2):
        share = np.bincount(arms[prompt], minlength=3) / n
        allowed = 4 * np.sqrt(chances[prompt] * (1 - chances[prompt]) / n)
        assert (np.abs(share - chances[prompt]) < allowed).all(), f"prompt {prompt}: {share}"
    # Prompts, and neighbours in a group, are drawn independently of each other:
    for one, other, p, q in (
        (arms[0], arms[1], chances[0], chances[1]),
        (arms[0, ::2], arms[0, 1::2], chances[0], chances[0]),
    ):
        both = np.bincount(3 * one + other, minlength=9).reshape(3, 3) / one.size
        want = np.outer(p, q)
        assert (np.abs(both - want) < 4 * np.sqrt(want * (1 - want) / one.size)).all()


@pytest.mark.parametrize("prompts", [1, 3])
def test_a_smaller_group_is_the_beginning_of_a_larger_one(prompts):
    policy = SoftmaxPolicy(START, prompts, 0.3)
    large = policy.sample(np.random.default_rng(3), 64)
    for n in (1, 2, 5, 63):
        assert np.array_equal(policy.sample(np.random.default_rng(3), n), large[:, :n]), n
    assert not np.array_equal(policy.sample(np.random.default_rng(4), 64), large)


# --- Gradients ------------------------------------------------------------------------------------


@pytest.mark.parametrize("sharing", SHARING)
def test_a_gradient_is_the_weighted_sum_of_scores(sharing):
    """The score of one sample by central differences of its log-probability."""
    policy, h = moved(sharing), 1e-5
    rng = np.random.default_rng(1)
    arms, weights = policy.sample(rng, 6), rng.normal(size=(2, 6))

    def objective(parameters):
        logs = np.log(policy.probabilities(parameters))
        return np.mean([weights[p] @ logs[p, arms[p]] for p in range(2)])

    steps = h * np.eye(policy.parameters.size)
    want = [
        (objective(policy.parameters + step) - objective(policy.parameters - step)) / (2 * h)
        for step in steps
    ]
    allowed = np.abs(weights).sum() * (h**2 + 4 * EPS / h)
    assert np.abs(policy.gradient(arms, weights) - want).max() < allowed


def exact_gradient(policy: SoftmaxPolicy, k: int) -> np.ndarray:
    """Of the mean over prompts of max@k, by the parameters."""
    return policy.pull_back(
        bandit.exact_bandit(policy.probabilities(), (k,), TWO_PROMPTS).d_logits[0]
    )


@pytest.mark.parametrize("sharing", SHARING)
def test_pull_back_is_the_chain_rule(sharing):
    policy, h = moved(sharing), 1e-5
    for k in (1, 2, 5):

        def value(step, k=k):
            return bandit.objective(policy.probabilities(policy.parameters + step), k, TWO_PROMPTS)

        want = [(value(step) - value(-step)) / (2 * h) for step in h * np.eye(len(policy.bounds))]
        allowed = 1.5 * (k**3 * h**2 + 4 * EPS / h)  # 1.5: the largest reward
        assert np.abs(exact_gradient(policy, k) - want).max() < allowed, f"k = {k}"


@pytest.mark.parametrize("sharing", SHARING)
@pytest.mark.parametrize("name", [name for name, entry in ESTIMATORS.items() if entry.unbiased])
def test_the_expected_gradient_is_the_exact_one(name, sharing):
    """Over every group of 3 at both prompts, weighted by its chance."""
    policy, n = moved(sharing), 3
    chances = policy.probabilities()
    groups = np.array(list(itertools.product(range(3), repeat=n)))  # [27, n]
    odds = chances[:, groups].prod(-1)  # [prompts, 27]
    rewards = TWO_PROMPTS.rewards[:, groups]  # [prompts, 27, n]
    pairs = list(itertools.product(range(len(groups)), repeat=2))
    for k in ESTIMATORS[name].allowed_k(n):
        weights = transform(rewards, k, name)
        got = sum(
            odds[0, i]
            * odds[1, j]
            * policy.gradient(groups[[i, j]], np.stack([weights[0, i], weights[1, j]]))
            for i, j in pairs
        )
        error = np.abs(got - exact_gradient(policy, k)).max()
        assert error < 1e-12, f"{name}, k = {k}: off by {error:.3g}"


@pytest.mark.parametrize("sharing", SHARING)
def test_a_step_for_one_prompt_moves_the_others_as_far_as_they_share(sharing):
    policy = SoftmaxPolicy(START, 3, sharing)
    before = np.log(policy.probabilities())
    d_logits = np.zeros((3, 4))
    d_logits[1] = [0.3, -0.2, 0.4, -0.5]
    policy.parameters = policy.parameters + policy.pull_back(d_logits)
    change = np.log(policy.probabilities()) - before
    change -= change.mean(-1, keepdims=True)  # logits are known up to a common number
    want = np.outer([sharing, 1, sharing], d_logits[1] / 3)  # the objective is a mean over 3
    assert np.abs(change - want).max() < 50 * EPS


def test_a_single_prompt_has_nobody_to_share_with():
    for sharing in SHARING:
        policy = SoftmaxPolicy(START, 1, sharing)
        assert np.array_equal(policy.parameters, SoftmaxPolicy(START, 1).parameters)
        assert policy.pull_back(np.array([[1.0, 2, 3, 4]])).tolist() == [1, 2, 3, 4]


def test_gradients_of_many_policies_at_once():
    policy = moved(0.3)
    d_logits = np.random.default_rng(0).normal(size=(5, 4, 2, 3))
    together = policy.pull_back(d_logits)
    assert together.shape == (5, 4, policy.parameters.size)
    for at in np.ndindex(5, 4):
        assert np.abs(together[at] - policy.pull_back(d_logits[at])).max() < 8 * EPS
