"""Policies that the loop trains: sample, and the score-function gradient of given weights.

Runs in lockstep are one policy whose arrays begin with an axis for them, see `pkpo.training.lockstep`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from pkpo.training.lockstep import RowGenerators, RowOptimizers
from pkpo.training.optimizers import Optimizer


class ArrayPolicy:
    """What policies have in common whose parameters are one array.

    Attributes:
      parameters: `[d]`, float64, or `[R, d]` of R runs; so the axes of all that follows from them.
      bounds: `[d]`: beyond these absolute values, training has diverged.
    """

    parameters: np.ndarray
    bounds: np.ndarray

    def step(self, gradient: np.ndarray, optimizer: Optimizer | RowOptimizers) -> None:
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

    Args:
      theta, sigma: at the start.
      learn_sigma: whether σ is learned, too.
      runs: `()` for one run, `(R,)` for R that begin alike.

    Attributes:
      parameters: `[..., 1]` (θ) or `[..., 2]` (θ, log σ), float64.
      bounds: `[1]` or `[2]`: beyond these absolute values, training has diverged.
    """

    def __init__(
        self, theta: float, sigma: float, learn_sigma: bool = False, runs: tuple[int, ...] = ()
    ):
        self._fixed_sigma = np.full(runs, sigma)
        self.learns_sigma = learn_sigma
        start = [theta, math.log(sigma)] if learn_sigma else [theta]
        self.parameters = np.tile(start, (*runs, 1))
        self.bounds = np.array([1e9, 20.0] if learn_sigma else [1e9])

    @property
    def theta(self) -> np.ndarray:
        """The mean, `[...]`."""
        return self.parameters[..., 0]

    @property
    def sigma(self) -> np.ndarray:
        """The standard deviation, `[...]`."""
        if not self.learns_sigma:
            return self._fixed_sigma
        logs = self.parameters[..., 1]
        return np.array([math.exp(x) for x in logs.flat]).reshape(logs.shape)

    def sample(self, rng: np.random.Generator | RowGenerators, n: int) -> np.ndarray:
        """A group of n samples, `[..., n]`."""
        return self.theta[..., None] + self.sigma[..., None] * rng.standard_normal(n)

    def gradient(self, samples: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Σ_i w_i ∇log π(x_i), shaped as `parameters` (arXiv:2505.15201, Eq. 18)."""
        sigma = self.sigma[..., None]
        z = (samples - self.theta[..., None]) / sigma
        scores = (z / sigma, z * z - 1.0) if self.learns_sigma else (z / sigma,)
        products = [(weights[..., None, :] @ score[..., None])[..., 0, 0] for score in scores]
        return np.stack(products, axis=-1)


class SoftmaxPolicy(ArrayPolicy):
    """A softmax over arms at every prompt; prompts share parameters by a chosen part.

    The logits at a prompt are √sharing times common parameters plus √(1 - sharing) times the prompt's
    own: a step for one prompt's gradient moves another's logits `sharing` times as far.

    Args:
      start: `[arms]`, the probabilities with which it begins at every prompt.
      prompts: how many there are.
      sharing: see above.
      runs: `()` for one run, `(R,)` for R that begin alike.

    Attributes:
      parameters: `[..., parts * arms]`, float64.
      bounds: beyond these absolute values, training has diverged.
    """

    def __init__(
        self,
        start: np.ndarray,
        prompts: int,
        sharing: float = 1.0,
        runs: tuple[int, ...] = (),
    ):
        shared = 1.0 if prompts == 1 else sharing
        common = np.full((prompts, 1), math.sqrt(shared))
        own = math.sqrt(1.0 - shared) * np.eye(prompts)
        mix = np.hstack([common, own])  # [prompts, parts]
        self._mix = mix[:, mix.any(axis=0)]
        logits = np.log(start) / self._mix.sum(axis=1).max()
        self.parameters = np.tile(logits, (*runs, self._mix.shape[1]))
        self.bounds = np.full(self.parameters.shape[-1:], 1e6)

    def probabilities(self, parameters: np.ndarray | None = None) -> np.ndarray:
        """`[..., prompts, arms]` of these parameters `[..., parts * arms]`; the policy's own if none."""
        given = self.parameters if parameters is None else parameters
        parts = self._mix.shape[1]
        logits = self._mix @ given.reshape(*given.shape[:-1], parts, -1)
        chances = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return chances / chances.sum(axis=-1, keepdims=True)

    def sample(self, rng: np.random.Generator | RowGenerators, n: int) -> np.ndarray:
        """A group of n arms at every prompt, `[..., prompts, n]`."""
        chances = self.probabilities()
        edges = np.cumsum(chances, axis=-1)[..., None, :-1]  # the last arm has the rest
        drawn = np.swapaxes(rng.random((n, chances.shape[-2])), -1, -2)
        return (drawn[..., None] >= edges).sum(axis=-1)

    def gradient(self, samples: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The mean over prompts of Σ_i w_i ∇log π(x_i), shaped as `parameters`."""
        chances = self.probabilities()
        groups = chances[..., :1].size  # of all prompts and runs
        first = chances.shape[-1] * np.arange(groups).reshape(*chances.shape[:-1], 1)
        drawn = np.bincount((samples + first).ravel(), weights.ravel(), chances.size)
        drawn = drawn.reshape(chances.shape)
        return self.pull_back(drawn - weights.sum(axis=-1, keepdims=True) * chances)

    def pull_back(self, d_logits: np.ndarray) -> np.ndarray:
        """From gradients by every prompt's logits `[..., prompts, arms]` to one by the parameters."""
        mean = self._mix.T @ d_logits / len(self._mix)
        return mean.reshape(*mean.shape[:-2], -1)
