"""Runs in lockstep: what each has of its own, behind the calls that one run makes.

The arrays of R runs that are trained together begin with an axis for them. What NumPy computes of a row
does not depend on the rows around it, so that each run's numbers are those that it has alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pkpo.training.optimizers import Optimizer


class RowGenerators:
    """A random generator for every run, as one: what they draw stands row by row.

    Args:
      seeds: of each run.
      update: the noise of an update depends on seed and update only.
    """

    def __init__(self, seeds: Sequence[int], update: int):
        self._generators = [np.random.default_rng((seed, update)) for seed in seeds]

    def standard_normal(self, size: int) -> np.ndarray:
        """Normal numbers, `[R, size]`."""
        return np.array([rng.standard_normal(size) for rng in self._generators])

    def random(self, size: tuple[int, int]) -> np.ndarray:
        """Uniform numbers, `[R, *size]`."""
        return np.array([rng.random(size) for rng in self._generators])


class RowOptimizers:
    """An optimizer for every row of gradients `[R, d]`, as one.

    Args:
      names: the optimizer of each row.
      learning_rates: each row's.

    Attributes:
      learning_rate: the same, `[R]`.
    """

    def __init__(self, names: Sequence[str], learning_rates: Sequence[float]):
        self.learning_rate = np.array(learning_rates)
        self._parts = [
            (rows, Optimizer(name, self.learning_rate[rows, None]))
            for name, rows in group_rows(names)
        ]

    def step(self, parameters: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """The new parameters."""
        moved = np.empty_like(parameters)
        for rows, optimizer in self._parts:
            optimizer.learning_rate = self.learning_rate[rows, None]
            moved[rows] = optimizer.step(parameters[rows], gradient[rows])
        return moved

    def row_state(self, row: int) -> dict[str, np.ndarray]:
        """The `state` of that row's optimizer, were it alone."""
        everyone = np.arange(len(self.learning_rate))
        parts = ((everyone[rows].tolist(), optimizer) for rows, optimizer in self._parts)
        among, optimizer = next(part for part in parts if row in part[0])
        return optimizer.row_state(among.index(row))


def group_rows(values: Sequence[str]) -> list[tuple[str, slice | np.ndarray]]:
    """For every value that occurs, which rows have it: a slice, copying nothing, where all have."""
    different = dict.fromkeys(values)
    if len(different) == 1:
        return [(values[0], slice(None))]
    return [(value, np.flatnonzero([other == value for other in values])) for value in different]
