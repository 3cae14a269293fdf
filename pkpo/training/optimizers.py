"""How a gradient becomes a step."""

from __future__ import annotations

import numpy as np


class Optimizer:
    """Climbs along gradients `[..., d]`, each row by itself; its `state` is all that it remembers.

    Args:
      name: a key of `pkpo.config.OPTIMIZERS`.
      learning_rate: > 0, or one for each row, `[..., 1]`; may be changed between steps.

    Raises:
      ValueError: an unknown name.
    """

    def __init__(self, name: str, learning_rate: float | np.ndarray):
        steps = {"sgd": self._sgd, "normalised": self._normalised, "adam": self._adam}
        if name not in steps:
            raise ValueError(f"optimizer must be sgd, normalised or adam, got {name!r}")
        self.learning_rate = learning_rate
        self.state: dict[str, np.ndarray] = {}
        self._direction = steps[name]

    def step(self, parameters: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """The new parameters."""
        return parameters + self.learning_rate * self._direction(gradient)

    def row_state(self, row: int | tuple[()] = ()) -> dict[str, np.ndarray]:
        """A copy of the `state`, or of a row of it."""
        return {name: np.array(x[row]) for name, x in self.state.items()}

    def _sgd(self, gradient: np.ndarray) -> np.ndarray:
        return gradient

    def _normalised(self, gradient: np.ndarray) -> np.ndarray:
        length = row_norms(gradient)[..., None]
        return gradient / np.where(length > 0, length, 1.0)

    def _adam(self, gradient: np.ndarray) -> np.ndarray:
        beta1, beta2, eps = 0.9, 0.999, 1e-8
        zero = np.zeros_like(gradient)
        count = self.state.get("count", zero[..., :1]) + 1
        first = beta1 * self.state.get("first", zero) + (1 - beta1) * gradient
        second = beta2 * self.state.get("second", zero) + (1 - beta2) * gradient**2
        self.state = {"count": count, "first": first, "second": second}
        scale = np.sqrt(second / (1 - beta2**count)) + eps
        return first / (1 - beta1**count) / scale


def row_norms(x: np.ndarray) -> np.ndarray:
    """The lengths `[...]` of rows `[..., d]`, each to the same bits as `numpy.linalg.norm` of it."""
    return np.sqrt((x[..., None, :] @ x[..., :, None])[..., 0, 0])
