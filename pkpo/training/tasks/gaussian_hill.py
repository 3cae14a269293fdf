"""The toy problem as a task: the paper's one-dimensional problem (arXiv:2505.15201, Section 5.1)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pkpo.config import EVAL_KS, RunConfig
from pkpo.fields import setting
from pkpo.training.policies import GaussianPolicy
from pkpo.training.tasks.base import Task, TaskSpec, max_at_columns, rows_by_k
from toy_envs import gaussian_hill


@dataclass(frozen=True, slots=True, kw_only=True)
class HillConfig(RunConfig):
    """A run on the paper's one-dimensional problem (`toy_envs.gaussian_hill`)."""

    task: ClassVar[str] = "gaussian-hill"

    theta: float = setting(0.2, "the policy's mean at the start", low=-100.0, high=100.0)
    sigma: float = setting(0.1, "the policy's standard deviation", low=1e-3, high=10.0)
    learn_sigma: bool = setting(False, "learn the standard deviation too")
    shape: str = setting(
        "hill",
        "reward shape: hill, left-cliff, ..., or points:x,y;x,y;...",
        canonical=lambda text: gaussian_hill.reward_shape(text).name,
    )


class HillTask(Task):
    """The paper's one-dimensional problem.

    Metrics: theta, sigma; gradient, the estimate of the derivative by θ; pass_rate, the share of the
    group with a reward above 0; and exact: exact_gradient, value (max_g@k at the k in force), max@k.
    """

    def __init__(self, config: HillConfig, runs: tuple[int, ...] = ()):
        self.config = config
        self.policy = GaussianPolicy(config.theta, config.sigma, config.learn_sigma, runs)
        self.state: dict[str, np.ndarray] = {}
        attempts = config.n * math.prod(runs)
        self._env = gaussian_hill.GaussianHillVectorEnv(attempts, config.shape)
        self._env.reset(seed=config.seed)

    def score(self, samples: np.ndarray) -> np.ndarray:
        """See `Task`."""
        return self._env.step(samples.reshape(-1, 1))[1].reshape(samples.shape)

    def observe(
        self, rewards: np.ndarray, weights: np.ndarray, gradient: np.ndarray
    ) -> dict[str, np.ndarray]:
        """See `Task`."""
        return {
            "theta": self.policy.theta,
            "sigma": self.policy.sigma,
            "gradient": gradient[..., 0],
            "pass_rate": np.count_nonzero(rewards > 0, axis=-1) / rewards.shape[-1],
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
        for current, rows in rows_by_k(k):
            if current in EVAL_KS:
                at = EVAL_KS.index(current)
                value[rows], slope[rows] = common.value[at, rows], common.d_theta[at, rows]
            else:
                alone = gaussian_hill.exact(theta[rows], (current,), sigma[rows], self.config.shape)
                value[rows], slope[rows] = alone.value[0], alone.d_theta[0]
        return {"exact_gradient": slope, "value": value, **max_at_columns(common.value)}


SPEC = TaskSpec(
    config=HillConfig,
    title="Toy problem",
    make=HillTask,
    printed=("theta", "sigma", "gradient", "exact_gradient", "max@1", "value"),
    charted=("theta", "gradient", "pass_rate"),
    lockstep=True,
)
