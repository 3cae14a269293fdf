"""The examples run and give n·w; those of trainers that are not installed, by their signatures."""

from __future__ import annotations

import pickle
import runpy
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from examples import (
    gymnasium_policy,
    nemo_rl_estimator,
    plain_pytorch,
    prime_rl_algorithm,
    rllm_advantages,
    slime_rewards,
    tinker_advantages,
)
from pkpo import transform
from pkpo.integrations import TokenLevelAdvantages
from tests.browser.browser import ROOT

REWARDS = np.random.default_rng(0).integers(0, 5, (3, 8)) / 4
WEIGHTS = np.asarray(transform(REWARDS, 4))
assert (np.abs(WEIGHTS).sum(1) > 0).all()  # no group says nothing
TESTED_BELOW = {"plain_pytorch", "gymnasium_policy"}
NEED_A_LIBRARY = {"trl_trainer", "verl_advantages", "skyrl_advantages", "stable_baselines3_agent"}
QUICK = sorted(
    path.stem
    for path in (ROOT / "examples").glob("*.py")
    if path.stem not in NEED_A_LIBRARY | TESTED_BELOW
)


@pytest.mark.parametrize("name", QUICK)
def test_it_runs_as_a_script(name, capsys):
    runpy.run_path(str(ROOT / "examples" / f"{name}.py"), run_name="__main__")
    assert set(capsys.readouterr().out) & set("123456789")  # not zeros alone


def test_rllm():
    advantages, returns = rllm_advantages.pkpo_advantages(list(REWARDS), None, traj_groups=[])
    assert np.abs(np.array(advantages) - 8 * WEIGHTS).max() < 1e-12
    assert returns is advantages


def test_slime_keeps_the_true_rewards():
    order = np.random.default_rng(1).permutation(24)
    samples = [
        SimpleNamespace(group_index=i // 8, get_reward_value=lambda args, i=i: REWARDS.flat[i])
        for i in order
    ]
    raw, rewards = slime_rewards.pkpo_rewards(None, samples)
    assert raw == REWARDS.flat[order].tolist()
    assert np.abs(np.array(rewards) - 8 * WEIGHTS.flat[order]).max() < 1e-12


def test_nemo_rl():
    prompts = torch.tensor([[3, 1], [2, 2], [3, 0]]).repeat_interleave(8, dim=0)
    estimator = nemo_rl_estimator.PKPOAdvantageEstimator({}, {})
    found = estimator.compute_advantage(
        prompt_ids=prompts,
        rewards=torch.tensor(REWARDS.ravel()),
        mask=torch.ones(24, 5),
        repeated_batch={},
    )
    assert found.shape == (24, 5)
    assert np.abs(found.numpy() - 8 * WEIGHTS.reshape(24, 1)).max() < 1e-12


def test_prime_rl():
    traces, given = [SimpleNamespace(reward=float(r)) for r in REWARDS[0]], {}
    prime_rl_algorithm.score_group(traces, lambda trace, value: given.update({id(trace): value}))
    assert np.abs(np.array([given[id(x)] for x in traces]) - 8 * WEIGHTS[0]).max() < 1e-12


def test_tinker_sums():
    groups = [SimpleNamespace(get_total_rewards=lambda r=r: r.tolist()) for r in REWARDS]
    found = torch.stack(tinker_advantages.compute_advantages(groups))
    assert np.abs(found.numpy() - WEIGHTS).max() < 1e-7  # of single precision


def test_plain_pytorch_takes_the_gamble_for_eight_attempts_only():
    """The exact objectives: .6, or .5 for the gamble; of eight, .6, or 1 - .5^8."""
    assert plain_pytorch.main(updates=150, k=1)[0] > 0.9
    assert plain_pytorch.main(updates=150, k=8)[1] > 0.9


def test_gymnasium_learns():
    found = gymnasium_policy.main(updates=12)
    assert np.mean(found[-4:]) > np.mean(found[:4])


# Token by token, as verl and SkyRL ask for it.


def token_level(sums: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Rewards `[B, T]` spread over the tokens, and a mask of responses of several lengths."""
    mask = (torch.arange(6) < torch.tensor([1 + i % 6 for i in range(sums.size)])[:, None]).float()
    return torch.tensor(sums.ravel(), dtype=torch.float32)[:, None] * mask / mask.sum(1, True), mask


def test_token_level_advantages_follow_the_schedule():
    rewards, mask = token_level(REWARDS)
    index = np.repeat(np.array(["a", "b", "c"], object), 8)
    function = TokenLevelAdvantages(k="4@0,1@2")
    for k in (4, 4, 1):
        function = pickle.loads(pickle.dumps(function))  # and forgets nothing
        found, returns = function(rewards, mask, index, config=None, values=None)
        want = 8 * np.asarray(transform(REWARDS, k)).reshape(24, 1) * mask.numpy()
        assert np.abs(found.numpy() - want).max() < 1e-5  # sums of thirds in single precision
        assert returns is found
    assert function.step == 3


def check_registered(function) -> None:
    rewards, mask = token_level(REWARDS)
    found, _ = function(
        token_level_rewards=rewards,
        response_mask=mask,
        index=np.repeat(np.array(["a", "b", "c"], object), 8),
        config=None,
    )
    assert np.abs(found.numpy() - 8 * WEIGHTS.reshape(24, 1) * mask.numpy()).max() < 1e-5


@pytest.mark.trainers
@pytest.mark.filterwarnings("ignore")
def test_verl():
    """Through verl's own `compute_advantage`, in a process of its own registry."""
    pytest.importorskip("verl")
    from verl import DataProto
    from verl.trainer.ppo import core_algos
    from verl.trainer.ppo.ray_trainer import compute_advantage

    runpy.run_path(str(ROOT / "examples" / "verl_advantages.py"))
    check_registered(core_algos.get_adv_estimator_fn("pkpo"))
    rewards, mask = token_level(REWARDS)
    data = DataProto.from_dict(
        tensors={"token_level_rewards": rewards, "response_mask": mask},
        non_tensors={"uid": np.repeat(np.array(["a", "b", "c"], object), 8)},
    )
    found = compute_advantage(data, adv_estimator="pkpo", config={}).batch["advantages"]
    want = 8 * WEIGHTS.reshape(24, 1) * mask.numpy()
    assert np.abs(found.numpy() - want).max() < 1e-5


VERL_LOSSES = {
    "token-mean": True,
    "token-sum": True,
    "seq-mean-token-sum": True,
    "seq-mean-token-sum-norm": True,
    "seq-mean-token-mean": False,
}


@pytest.mark.trainers
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mode", VERL_LOSSES)
def test_which_of_verls_losses_keep_the_direction(mode):
    """Of the gradient by the tokens' log-probabilities, at the policy that sampled."""
    pytest.importorskip("verl")
    from verl.trainer.ppo.core_algos import agg_loss

    rewards, mask = token_level(REWARDS)
    index = np.repeat(np.arange(3), 8)
    advantages, _ = TokenLevelAdvantages(k=4)(rewards, mask, index)
    log_probs = torch.zeros_like(mask, requires_grad=True)
    agg_loss(-advantages * log_probs, mask, mode).backward()
    exact = torch.tensor(WEIGHTS.reshape(24, 1)).float() * mask
    cosine = torch.cosine_similarity(-log_probs.grad.ravel(), exact.ravel(), dim=0).item()
    assert (cosine > 1 - 1e-6) == VERL_LOSSES[mode]
    assert cosine > 0


@pytest.mark.trainers
@pytest.mark.filterwarnings("ignore")
def test_skyrl(monkeypatch):
    """Registered by SkyRL's decorator, and again from the bytes that it sends to other processes."""
    import typing

    import typing_extensions

    pytest.importorskip("skyrl")
    monkeypatch.setattr(typing, "TypedDict", typing_extensions.TypedDict)  # it is for Python 3.12
    from skyrl.backends.skyrl_train.utils import ppo_utils

    runpy.run_path(str(ROOT / "examples" / "skyrl_advantages.py"))
    function = ppo_utils.AdvantageEstimatorRegistry.get("pkpo")
    check_registered(function)
    check_registered(ppo_utils.cloudpickle.loads(ppo_utils.cloudpickle.dumps(function)))


@pytest.mark.trainers
@pytest.mark.parametrize("algorithm", ["A2C", "PPO"])
def test_stable_baselines3_advantages_enter_the_loss_as_they_are(algorithm, monkeypatch):
    """Seen where the loss asks for them, and in one step of plain gradient descent."""
    sb3 = pytest.importorskip("stable_baselines3")
    from examples import stable_baselines3_agent as example

    n, k, groups = 8, 4, 32
    whole = {"n_epochs": 1, "batch_size": groups * n, "normalize_advantage": False}
    more = whole if algorithm == "PPO" else {}
    model = example.agent(n, k, groups, algorithm=getattr(sb3, algorithm), **more)
    theta, buffer, seen = model.policy.action_net.bias, model.rollout_buffer, []
    model.policy.optimizer = torch.optim.SGD(model.policy.parameters())
    get = buffer.get
    monkeypatch.setattr(buffer, "get", lambda batch_size: watched(get(batch_size), seen))
    with torch.no_grad():
        theta.fill_(0.9)  # near the cliff: some fall off
    start = theta.item()
    model.learn(groups * n)
    [batch] = seen
    samples = buffer.actions.reshape(n, groups).T.astype(float)  # it keeps them by environment
    rewards = np.where((samples >= 0) & (samples <= 1), samples**2, 0)
    assert 0 < (rewards == 0).mean() < 1
    want = n * np.asarray(transform(rewards, k))
    entered = dict(zip(batch.actions.ravel().tolist(), batch.advantages.tolist(), strict=True))
    found = np.array([[entered[x] for x in row] for row in samples.tolist()])
    assert np.abs(found - want).max() < 1e-5  # of single precision
    gradient = (want * (samples - start) / example.SIGMA**2).mean()
    assert theta.item() - start == pytest.approx(0.02 * gradient, rel=1e-4)


def watched(items, seen: list):
    for item in items:
        seen.append(item)
        yield item


@pytest.mark.trainers
def test_stable_baselines3_goes_nearer_the_cliff_for_more_attempts():
    pytest.importorskip("stable_baselines3")
    from examples import stable_baselines3_agent as example
    from toy_envs.gaussian_hill import optimum

    single, eight = example.main(k=1), example.main(k=8)
    best = [optimum(k, example.SIGMA).theta for k in (1, 8)]
    assert single < eight < 1
    assert abs(single - best[0]) < abs(single - best[1])
    assert abs(eight - best[1]) < abs(eight - best[0])


@pytest.mark.trainers
def test_stable_baselines3_refuses_longer_episodes():
    pytest.importorskip("stable_baselines3")
    from examples import stable_baselines3_agent as example

    model = example.agent(n=4, k=2, groups=3)
    model.rollout_buffer.episode_starts[1:] = 0
    with pytest.raises(ValueError, match="episodes of one step"):
        model.rollout_buffer.compute_returns_and_advantage(None, None)
