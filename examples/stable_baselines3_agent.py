"""PKPO in Stable-Baselines3: its A2C, with a buffer whose advantages are n·w.

Run: pip install stable-baselines3, then python examples/stable_baselines3_agent.py. Episodes have one
step and one start: what the n environments do at once is a group. PPO takes the same buffer, with
normalize_advantage=False.
"""

from __future__ import annotations

import math

import gymnasium
import numpy as np
import torch
from stable_baselines3 import A2C
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.vec_env import DummyVecEnv

import pkpo
import toy_envs  # noqa: F401  registers pkpo/GaussianHill-v0

SIGMA = 0.1


class PKPOBuffer(RolloutBuffer):
    """A buffer of one-step episodes, `[steps, n]`: each step of the n environments is a group."""

    def __init__(self, *args: object, k: int, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.k = k

    def compute_returns_and_advantage(self, last_values: object, dones: object) -> None:
        """In place of generalized advantage estimation; the loss averages, therefore n·w."""
        if not self.episode_starts.all():
            raise ValueError("PKPOBuffer takes episodes of one step, got a longer one")
        self.returns = self.rewards.copy()
        self.advantages = self.n_envs * pkpo.transform(self.rewards, self.k)


def hill() -> gymnasium.Env:
    """The paper's hill, whose actions get bounds since Stable-Baselines3 asks for some."""
    bounds = gymnasium.spaces.Box(-9.0, 9.0, (1,), np.float64)  # no reward is paid out there
    return gymnasium.wrappers.TransformAction(
        gymnasium.make("pkpo/GaussianHill-v0"), lambda x: x, bounds
    )


def agent(n: int = 16, k: int = 8, groups: int = 16, seed: int = 0, algorithm=A2C, **settings):
    """The algorithm on the hill with a cliff at 1: a Gaussian policy, its mean θ 0 at first, σ fixed."""
    model = algorithm(
        "MlpPolicy",
        DummyVecEnv([hill] * n),
        n_steps=groups,
        rollout_buffer_class=PKPOBuffer,
        rollout_buffer_kwargs={"k": k},
        policy_kwargs={
            "net_arch": [],
            "log_std_init": math.log(SIGMA),
            "optimizer_class": torch.optim.Adam,
        },
        learning_rate=0.02,
        vf_coef=0.0,  # the group is the baseline
        max_grad_norm=math.inf,
        seed=seed,
        device="cpu",
        **settings,
    )
    model.policy.log_std.requires_grad_(False)
    return model


def main(updates: int = 150, n: int = 16, k: int = 8, groups: int = 16, seed: int = 0) -> float:
    """Train for max@k; the policy's mean θ at the end."""
    model = agent(n, k, groups, seed).learn(updates * groups * n)
    return model.policy.action_net.bias.item()


if __name__ == "__main__":
    from toy_envs.gaussian_hill import optimum

    for attempts in (1, 8):
        theta, best = main(k=attempts), optimum(attempts, SIGMA).theta
        print(
            f"k = {attempts}: θ {theta:.3f}, the best for max@{attempts} {best:.3f}; the cliff is at 1"
        )
