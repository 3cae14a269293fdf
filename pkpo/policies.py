"""Policies that the loop trains: sample, and the score-function gradient of given weights."""

from __future__ import annotations

import math

import numpy as np


class GaussianPolicy:
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
