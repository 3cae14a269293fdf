"""What the loop learns: for each task a policy, a score, and the metrics of an update.

A task is handed to the loop of `pkpo.training`; only this differs between the toy problem, the bandit
and the language model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from pkpo.config import BanditConfig, HillConfig, RunConfig, WordProblemsConfig
from pkpo.extras import missing
from pkpo.optimizer import Optimizer
from pkpo.policies import GaussianPolicy, SoftmaxPolicy
from toy_envs import bandit, gaussian_hill

EVAL_KS = (1, 2, 4, 8, 16)
"""The k at which every event gives the exact max@k."""


class Policy(Protocol):
    """Something that samples and can be moved."""

    parameters: np.ndarray
    """What every event keeps, `[d]`; `[0]` where that would be too much."""

    def sample(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """A group, `[n]`, or one for every prompt, `[prompts, n]`."""

    def gradient(self, samples: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Σ_i w_i ∇log π(x_i), the mean over prompts, shaped as `parameters`."""

    def step(self, gradient: np.ndarray, optimizer: Optimizer) -> None:
        """Move along the gradient that was found last; an OverflowError if that went out of range."""

    def state(self) -> dict[str, np.ndarray]:
        """All that the next update depends on, the optimizer's memory where it is the policy's own."""

    def load(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from what `state` gave, bit for bit."""


class Task(Protocol):
    """A policy, what its samples earn, and what is known of it."""

    policy: Any
    state: dict[str, np.ndarray]
    """What `observe` remembers between updates."""

    def score(self, samples: np.ndarray) -> np.ndarray:
        """The samples' rewards."""

    def observe(
        self, rewards: np.ndarray, weights: np.ndarray, gradient: np.ndarray
    ) -> dict[str, float]:
        """Metrics of an update that need no exact values."""

    def details(self, rewards: np.ndarray, weights: np.ndarray) -> dict[str, Any]:
        """What else is worth showing of the update that was observed last, for JSON."""
        return {}

    def exact(
        self, parameters: np.ndarray, gradient: np.ndarray, k: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Exact metrics, `[B]` each, of parameters and estimates `[B, d]` at k `[B]`.

        A row's values must not depend, to the last bit, on the rows around it: how a run is cut into
        batches is a matter of time.
        """


class HillTask(Task):
    """The paper's one-dimensional problem.

    Metrics: theta, sigma; gradient, the estimate of the derivative by θ; pass_rate, the share of the
    group with a reward above 0; and exact: exact_gradient, value (max_g@k at the k in force), max@k.
    """

    def __init__(self, config: HillConfig):
        self.config = config
        self.policy = GaussianPolicy(config.theta, config.sigma, config.learn_sigma)
        self.state: dict[str, np.ndarray] = {}
        self._env = gaussian_hill.GaussianHillVectorEnv(config.n, config.shape)
        self._env.reset(seed=config.seed)

    def score(self, samples: np.ndarray) -> np.ndarray:
        """See `Task`."""
        return self._env.step(samples[:, None])[1]

    def observe(
        self, rewards: np.ndarray, weights: np.ndarray, gradient: np.ndarray
    ) -> dict[str, float]:
        """See `Task`."""
        return {
            "theta": self.policy.theta,
            "sigma": self.policy.sigma,
            "gradient": float(gradient[0]),
            "pass_rate": np.count_nonzero(rewards > 0) / rewards.size,
        }

    def exact(
        self, parameters: np.ndarray, gradient: np.ndarray, k: np.ndarray
    ) -> dict[str, np.ndarray]:
        """See `Task`."""
        theta = parameters[:, 0]
        fixed = np.full(theta.shape, self.config.sigma)
        sigma = np.exp(parameters[:, 1]) if self.config.learn_sigma else fixed
        common = gaussian_hill.exact(theta, EVAL_KS, sigma, self.config.shape)
        value, slope = np.empty(theta.shape), np.empty(theta.shape)
        for current, rows in _rows_by_k(k):
            if current in EVAL_KS:
                at = EVAL_KS.index(current)
                value[rows], slope[rows] = common.value[at, rows], common.d_theta[at, rows]
            else:
                alone = gaussian_hill.exact(theta[rows], (current,), sigma[rows], self.config.shape)
                value[rows], slope[rows] = alone.value[0], alone.d_theta[0]
        return {"exact_gradient": slope, "value": value, **_max_at(common.value)}


class BanditTask(Task):
    """A softmax policy on a finite bandit; every update draws a group at every prompt.

    Metrics: gradient_norm; mean_reward of the groups; what `silent_groups` counts, a right draw being
    one of an arm of its prompt's highest reward; cumulative_solve_rate, the share of prompts at which
    such an arm has ever been drawn; and exact: value (the mean over prompts of max_g@k at the k in
    force), exact_gradient_norm, alignment (the cosine between estimate and exact gradient, 0 where one
    of them vanishes), entropy (mean over prompts, in nats), max@k.
    """

    def __init__(self, config: BanditConfig):
        self.config = config
        self.bandit = bandit.bandit(config.bandit)
        self.policy = SoftmaxPolicy(self.bandit.start, self.bandit.prompts, config.sharing)
        self.state = {"solved": np.zeros(self.bandit.prompts, bool)}
        self._env = bandit.BanditVectorEnv(config.n * self.bandit.prompts, self.bandit)
        self._env.reset(seed=config.seed)

    def score(self, samples: np.ndarray) -> np.ndarray:
        """See `Task`."""
        return self._env.step(samples.ravel())[1].reshape(samples.shape)

    def observe(
        self, rewards: np.ndarray, weights: np.ndarray, gradient: np.ndarray
    ) -> dict[str, float]:
        """See `Task`."""
        best = self.bandit.highest[:, None]
        right = rewards == best
        self.state["solved"] = self.state["solved"] | right.any(axis=1)
        return {
            "mean_reward": float(rewards.mean()),
            "gradient_norm": float(np.linalg.norm(gradient)),
            **silent_groups(right, weights),
            "cumulative_solve_rate": float(self.state["solved"].mean()),
        }

    def exact(
        self, parameters: np.ndarray, gradient: np.ndarray, k: np.ndarray
    ) -> dict[str, np.ndarray]:
        """See `Task`."""
        chances = self.policy.probabilities(parameters)
        common = bandit.exact_bandit(chances, EVAL_KS, self.bandit)
        value, slope = np.empty(len(k)), np.empty(parameters.shape)
        for current, rows in _rows_by_k(k):
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
            **_max_at(common.value.mean(axis=-1)),
        }


def silent_groups(right: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    """The groups without any weight, which teach nothing, as shares of all groups.

    Args:
      right: `[P, n]`, which samples earned the highest reward that there is.
      weights: `[P, n]`.

    Returns:
      dead_group_share; and of these all_wrong, without a right sample, and all_right, of nothing else.
      Of the rest some samples are right, so many that each can be spared (loo-1 with fewer than
      k - 1 wrong ones).
    """
    silent = ~weights.any(axis=1)
    return {
        "dead_group_share": float(silent.mean()),
        "all_wrong": float((silent & ~right.any(axis=1)).mean()),
        "all_right": float((silent & right.all(axis=1)).mean()),
    }


def _rows_by_k(k: np.ndarray) -> list[tuple[int, np.ndarray]]:
    return [(current, k == current) for current in np.unique(k).tolist()]


def _max_at(values: np.ndarray) -> dict[str, np.ndarray]:
    return {f"max@{k}": row for k, row in zip(EVAL_KS, values, strict=True)}


def _word_problems(config: WordProblemsConfig) -> Task:
    try:  # late: no other task needs torch
        import torch

        from pkpo.lm.task import WordProblemsTask
    except ModuleNotFoundError as reason:
        raise missing(f"task {config.task}", reason) from None
    torch.set_num_threads(1)  # others would add in another order, to other last bits
    return WordProblemsTask(config)


TASKS: dict[str, Callable[[Any], Task]] = {
    HillConfig.task: HillTask,
    BanditConfig.task: BanditTask,
    WordProblemsConfig.task: _word_problems,
}
"""What is made of a config, by its task."""


def make_task(config: RunConfig) -> Task:
    """The task that a config describes, before its first update."""
    return TASKS[config.task](config)
