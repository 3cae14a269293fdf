"""Interference: cosines and pulls against finite differences, and what they foretell along a run."""

import numpy as np
import pytest

from pkpo.analysis.interference import interference
from pkpo.training.policies import SoftmaxPolicy
from pkpo.training.recording import record_run
from pkpo.training.tasks.bandit import BanditConfig
from toy_envs.bandit import bandit, exact_bandit

SWITCH = 150
GO_ON = BanditConfig(bandit="crowded", schedule=f"1@0,8@{SWITCH}", steps=300)


@pytest.mark.parametrize("sharing", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("k", [1, 2, 8])
def test_pulls_are_what_small_steps_do(sharing, k):
    chosen = bandit("crowded")
    policy = SoftmaxPolicy(chosen.start, chosen.prompts, sharing)
    at = np.random.default_rng(0).normal(size=len(policy.parameters))

    def slopes(k):
        """By central differences, `[d, prompts]`."""
        steps = 1e-5 * np.eye(len(at))
        ends = [
            exact_bandit(policy.probabilities(at + s * steps), (k,), chosen).value[0]
            for s in (1, -1)
        ]
        return (ends[0] - ends[1]) / 2e-5

    one, many = slopes(1), slopes(k)
    found = interference(at, k, chosen, sharing)
    assert np.allclose(found.pulls, many.T @ one, atol=1e-8)
    a, b = one.mean(axis=1), many.mean(axis=1)
    assert abs(found.cosine - a @ b / np.linalg.norm(a) / np.linalg.norm(b)) < 1e-7
    assert abs(found.gain - a @ b) < 1e-9
    assert k > 1 or abs(found.cosine - 1) < 1e-12


def test_prompts_without_common_parameters_do_not_pull_each_other():
    policy = SoftmaxPolicy(bandit("crowded").start, 6, 0.0)
    at = np.random.default_rng(1).normal(size=(3, len(policy.parameters)))
    pulls = interference(at, 4, "crowded", 0.0).pulls
    assert pulls.shape == (3, 6, 6) and np.allclose(pulls * (1 - np.eye(6)), 0, atol=1e-15)
    assert (pulls[:, range(6), range(6)] > 0).all()


def test_cosines_foretell_what_single_tries_do():
    crowded, apart = record_run(GO_ON), record_run(GO_ON.replace(sharing=0.2))
    cosine = interference(crowded.parameters, 8, "crowded").cosine
    assert cosine[SWITCH] < -0.9 and cosine[0] > 0.999
    assert crowded["max@1"][-1] < crowded["max@1"][SWITCH] - 0.15
    assert crowded["max@8"][-1] > crowded["max@8"][SWITCH] + 0.3
    free = interference(apart.parameters, 8, "crowded", 0.2).cosine
    assert free[SWITCH] > 0.5 and apart["max@1"][-1] >= apart["max@1"][SWITCH] - 0.01


def test_a_gradient_that_vanishes_has_no_cosine():
    far = np.full(8, -800.0)
    far[0] = 800.0  # always the first arm
    assert interference(far, 8, "crowded").cosine == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sharing": 1.5}, "sharing must be from 0 to 1, got 1.5"),
        ({"parameters": np.zeros(7)}, r"parameters must end in an axis of 8, got the shape \(7,\)"),
        ({"k": 0}, "k must hold whole numbers >= 1"),
        ({"bandit_or_name": "none"}, "bandit must be one of"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    good = {"parameters": np.zeros(8), "k": 8, "bandit_or_name": "crowded"}
    with pytest.raises(ValueError, match=message):
        interference(**good | arguments)
