"""Policies that the loop trains: sample, and the score-function gradient of given weights."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from pkpo.training.optimizers import Optimizer


class ArrayPolicy:
    """What policies have in common whose parameters are one array.

    Attributes:
      parameters: `[d]`, float64.
      bounds: `[d]`: beyond these absolute values, training has diverged.
    """

    parameters: np.ndarray
    bounds: np.ndarray

    def step(self, gradient: np.ndarray, optimizer: Optimizer) -> None:
        """Move the parameters.

        Raises:
          OverflowError: they have left their bounds.
        """
        self.parameters = optimizer.step(self.parameters, gradient)
        if not np.all(np.abs(self.parameters) < self.bounds):
            reached = np.abs(self.parameters).max()
            raise OverflowError(f"the policy's parameters reached {reached:g}")

    def state(self) -> dict[str, np.ndarray]:
        """All that changes; `load` goes on from it."""
        return {"parameters": self.parameters.copy()}

    def load(self, state: Mapping[str, np.ndarray]) -> None:
        """Take up what `state` gave."""
        self.parameters = state["parameters"]


class GaussianPolicy(ArrayPolicy):
    """x ~ N(θ, σ²); θ is learned, σ optionally, through log σ.

    Attributes:
      parameters: `[1]` (θ) or `[2]` (θ, log σ), float64.
      bounds: `[1]` or `[2]`: beyond these absolute values, training has diverged.
    """

    def __init__(self, theta: float, sigma: float, learn_sigma: bool = False):
        self._fixed_sigma = sigma
        self.learns_sigma = learn_sigma
        self.parameters = np.array([theta, math.log(sigma)] if learn_sigma else [theta])
        self.bounds = np.array([1e9, 20.0] if learn_sigma else [1e9])

    @property
    def theta(self) -> float:
        """The mean."""
        return float(self.parameters[0])

    @property
    def sigma(self) -> float:
        """The standard deviation."""
        return math.exp(self.parameters[1]) if self.learns_sigma else self._fixed_sigma

    def sample(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """A group of n samples, `[n]`."""
        return self.theta + self.sigma * rng.standard_normal(n)

    def gradient(self, samples: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Σ_i w_i ∇log π(x_i), shaped as `parameters` (arXiv:2505.15201, Eq. 18)."""
        z = (samples - self.theta) / self.sigma
        scores = [z / self.sigma, z * z - 1.0] if self.learns_sigma else [z / self.sigma]
        return np.array([weights @ score for score in scores])


class SoftmaxPolicy(ArrayPolicy):
    """A softmax over arms at every prompt; prompts share parameters by a chosen part.

    The logits at a prompt are √sharing times common parameters plus √(1 - sharing) times the prompt's
    own: a step for one prompt's gradient moves another's logits `sharing` times as far.

    Attributes:
      parameters: `[parts * arms]`, float64.
      bounds: beyond these absolute values, training has diverged.
    """

    def __init__(self, start: np.ndarray, prompts: int, sharing: float = 1.0):
        """Begin with the probabilities `start`, `[arms]`, at every prompt."""
        shared = 1.0 if prompts == 1 else sharing
        common = np.full((prompts, 1), math.sqrt(shared))
        own = math.sqrt(1.0 - shared) * np.eye(prompts)
        mix = np.hstack([common, own])  # [prompts, parts]
        self._mix = mix[:, mix.any(axis=0)]
        logits = np.log(start) / self._mix.sum(axis=1).max()
        self.parameters = np.tile(logits, self._mix.shape[1])
        self.bounds = np.full(self.parameters.shape, 1e6)

    def probabilities(self, parameters: np.ndarray | None = None) -> np.ndarray:
        """`[..., prompts, arms]` of these parameters `[..., parts * arms]`; the policy's own if none."""
        given = self.parameters if parameters is None else parameters
        parts = self._mix.shape[1]
        logits = self._mix @ given.reshape(*given.shape[:-1], parts, -1)
        chances = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return chances / chances.sum(axis=-1, keepdims=True)

    def sample(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """A group of n arms at every prompt, `[prompts, n]`."""
        chances = self.probabilities()
        edges = np.cumsum(chances, axis=-1)[:, None, :-1]  # the last arm has the rest
        return (rng.random((n, len(chances))).T[..., None] >= edges).sum(axis=-1)

    def gradient(self, samples: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The mean over prompts of Σ_i w_i ∇log π(x_i), shaped as `parameters`."""
        chances = self.probabilities()
        prompts, arms = chances.shape
        at = samples + arms * np.arange(prompts)[:, None]
        drawn = np.bincount(at.ravel(), weights.ravel(), prompts * arms).reshape(prompts, arms)
        return self.pull_back(drawn - weights.sum(axis=1, keepdims=True) * chances)

    def pull_back(self, d_logits: np.ndarray) -> np.ndarray:
        """From gradients by every prompt's logits `[..., prompts, arms]` to one by the parameters."""
        mean = self._mix.T @ d_logits / len(self._mix)
        return mean.reshape(*mean.shape[:-2], -1)
