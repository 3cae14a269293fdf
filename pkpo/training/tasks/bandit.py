"""The bandit as a task: a softmax policy over arms, at one prompt or several."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pkpo.config import EVAL_KS, RunConfig
from pkpo.fields import setting
from pkpo.training.optimizers import row_norms
from pkpo.training.policies import SoftmaxPolicy
from pkpo.training.tasks.base import Task, TaskSpec, dead_group_shares, max_at_columns, rows_by_k
from toy_envs import bandit


@dataclass(frozen=True, slots=True, kw_only=True)
class BanditConfig(RunConfig):
    """A run on a finite bandit (`toy_envs.bandit`); every update draws n samples at every prompt."""

    task: ClassVar[str] = "bandit"

    learning_rate: float = setting(1.0, "step size", low=1e-9, high=1e3)
    bandit: str = setting(
        "trap",
        "the bandit: jackpot, trap, ..., or arms:reward,reward,...@probability,probability,...",
        canonical=lambda text: bandit.bandit(text).name,
    )
    sharing: float = setting(
        1.0,
        "how far prompts share parameters: 1 one policy for all, 0 each its own",
        low=0.0,
        high=1.0,
    )


class BanditTask(Task):
    """A softmax policy on a finite bandit; every update draws a group at every prompt.

    Metrics: gradient_norm; mean_reward of the groups; what `dead_group_shares` counts, a right draw
    being one of an arm of its prompt's highest reward; cumulative_solve_rate, the share of prompts at
    which such an arm has ever been drawn; and exact: value (the mean over prompts of max_g@k at the k
    in force), exact_gradient_norm, alignment (the cosine between estimate and exact gradient, 0 where
    one of them vanishes), entropy (mean over prompts, in nats), max@k.
    """

    def __init__(self, config: BanditConfig, runs: tuple[int, ...] = ()):
        self.config = config
        self.bandit = bandit.bandit(config.bandit)
        self.policy = SoftmaxPolicy(self.bandit.start, self.bandit.prompts, config.sharing, runs)
        self.state = {"solved": np.zeros((*runs, self.bandit.prompts), bool)}
        attempts = config.n * self.bandit.prompts * math.prod(runs)
        self._env = bandit.BanditVectorEnv(attempts, self.bandit)
        self._env.reset(seed=config.seed)

    def score(self, samples: np.ndarray) -> np.ndarray:
        """See `Task`."""
        by_prompt = np.moveaxis(samples, -2, 0)  # the environment has all attempts at one together
        rewards = self._env.step(by_prompt.ravel())[1].reshape(by_prompt.shape)
        return np.ascontiguousarray(np.moveaxis(rewards, 0, -2))

    def observe(
        self, rewards: np.ndarray, weights: np.ndarray, gradient: np.ndarray
    ) -> dict[str, np.ndarray]:
        """See `Task`."""
        best = self.bandit.highest[:, None]
        right = rewards == best
        self.state["solved"] = self.state["solved"] | right.any(axis=-1)
        return {
            "mean_reward": rewards.reshape(*rewards.shape[:-2], -1).mean(axis=-1),
            "gradient_norm": row_norms(gradient),
            **dead_group_shares(right, weights),
            "cumulative_solve_rate": self.state["solved"].mean(axis=-1),
        }

    def exact(
        self, parameters: np.ndarray, gradient: np.ndarray, k: np.ndarray
    ) -> dict[str, np.ndarray]:
        """See `Task`."""
        chances = self.policy.probabilities(parameters)
        common = bandit.exact_bandit(chances, EVAL_KS, self.bandit)
        value, slope = np.empty(len(k)), np.empty(parameters.shape)
        for current, rows in rows_by_k(k):
            found = bandit.exact_bandit(chances[rows], (current,), self.bandit)
            value[rows] = found.value[0].mean(axis=-1)
            slope[rows] = self.policy.pull_back(found.d_logits[0])
        lengths = np.linalg.norm(slope, axis=1)
        both = lengths * np.linalg.norm(gradient, axis=1)
        inner = (slope * gradient).sum(axis=1)
        logs = np.log(np.maximum(chances, np.finfo(float).tiny))
        return {
            "exact_gradient_norm": lengths,
            "alignment": np.divide(inner, both, out=np.zeros_like(inner), where=both > 0),
            "entropy": -(chances * logs).sum(axis=-1).mean(axis=-1),
            "value": value,
            **max_at_columns(common.value.mean(axis=-1)),
        }


SPEC = TaskSpec(
    config=BanditConfig,
    title="Bandit",
    make=BanditTask,
    printed=("entropy", "alignment", "cumulative_solve_rate", "max@8", "max@1", "value"),
    charted=("entropy", "cumulative_solve_rate", "all_wrong", "all_right"),
    lockstep=True,
)
