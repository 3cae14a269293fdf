"""Policies with a reward and an exact gradient, on which estimators are studied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from toy_envs import discrete, gaussian_hill
from toy_envs.gaussian_hill import reward_shape

Estimates = Callable[[np.ndarray], np.ndarray]
"""Weights `[groups, n]` -> gradient estimates `[groups, dimension]`: Σ_i w_i ∇log π(x_i)."""


class EstimationProblem(Protocol):
    """What a study of estimators needs to know of a policy and its reward."""

    def draw(self, rng: np.random.Generator, groups: int, n: int) -> tuple[np.ndarray, Estimates]:
        """Rewards `[groups, n]` of fresh samples, and what turns weights into their estimates."""

    def gradient(self, k: int) -> np.ndarray:
        """The exact gradient of max@k, `[dimension]`."""


@dataclass(frozen=True, slots=True)
class GaussianProblem:
    """N(θ, σ²) in front of a one-dimensional reward; further coordinates are nuisance."""

    theta: float
    sigma: float = 0.1
    shape: str = "hill"
    dimension: int = 1

    def draw(self, rng: np.random.Generator, groups: int, n: int) -> tuple[np.ndarray, Estimates]:
        """See `EstimationProblem`; θ stands in every coordinate."""
        z = rng.standard_normal((groups, n, self.dimension))
        scores = z / self.sigma
        rewards = reward_shape(self.shape)(self.theta + self.sigma * z[..., 0])
        return rewards, lambda weights: (weights[:, None, :] @ scores)[:, 0]

    def gradient(self, k: int) -> np.ndarray:
        """See `EstimationProblem`; only the first coordinate matters."""
        result = np.zeros(self.dimension)
        result[0] = gaussian_hill.gradient(self.theta, k, self.sigma, self.shape)
        return result


@dataclass(frozen=True, slots=True)
class SoftmaxProblem:
    """A softmax policy over arms with fixed rewards; the parameters are its logits."""

    rewards: tuple[float, ...]
    probabilities: tuple[float, ...]

    def draw(self, rng: np.random.Generator, groups: int, n: int) -> tuple[np.ndarray, Estimates]:
        """See `EstimationProblem`."""
        chances = np.array(self.probabilities)
        edges = np.cumsum(chances)[:-1]  # the last arm has the rest
        arms = np.searchsorted(edges, rng.random((groups, n)), side="right")
        at = (arms + chances.size * np.arange(groups)[:, None]).ravel()

        def estimates(weights: np.ndarray) -> np.ndarray:
            drawn = np.bincount(at, weights.ravel(), groups * chances.size)
            return drawn.reshape(groups, -1) - weights.sum(axis=1, keepdims=True) * chances

        return np.array(self.rewards)[arms], estimates

    def gradient(self, k: int) -> np.ndarray:
        """See `EstimationProblem`."""
        return discrete.categorical_max_at_k(self.rewards, self.probabilities, (k,)).d_logits[0]


def binary_problem(p: float, right: int = 1, wrong: int = 1) -> SoftmaxProblem:
    """Right with probability p, in `right` equally likely ways, wrong in `wrong` ways.

    One way each is a single Bernoulli parameter. The more ways there are to be right, the less do the
    gradients of two right samples agree; with very many, all samples' gradients are nearly orthogonal.

    Raises:
      ValueError: p outside (0, 1), or a number of ways below 1.
    """
    if not 0 < p < 1:
        raise ValueError(f"p must lie between 0 and 1, got {p}")
    if right < 1 or wrong < 1:
        raise ValueError(f"right and wrong must be at least 1, got {right} and {wrong}")
    return SoftmaxProblem(
        (0.0,) * wrong + (1.0,) * right, ((1 - p) / wrong,) * wrong + (p / right,) * right
    )


def graded_problem(ways: int = 1, levels: int = 4) -> SoftmaxProblem:
    """A uniform policy; rewards take `levels` values evenly from 0 to 1, each in `ways` ways.

    Raises:
      ValueError: fewer than 1 way or 2 levels.
    """
    if ways < 1 or levels < 2:
        raise ValueError(f"ways must be >= 1 and levels >= 2, got {ways} and {levels}")
    rewards = [level / (levels - 1) for level in range(levels) for _ in range(ways)]
    return SoftmaxProblem(tuple(rewards), (1 / len(rewards),) * len(rewards))
