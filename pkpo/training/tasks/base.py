"""What a task is: a policy, what its samples earn, its metrics, and how they are named and charted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from pkpo.config import EVAL_KS, RunConfig
from pkpo.training.optimizers import Optimizer


class Policy(Protocol):
    """Something that samples and can be moved.

    In lockstep (see `TaskSpec.lockstep`) all arrays begin with an axis for the runs.
    """

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
    ) -> Mapping[str, Any]:
        """Metrics of an update that need no exact values: numbers, or in lockstep `[R]` each."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class BestOfK:
    """The metric that gives the best of k attempts."""

    column: str
    """Its name, with `{k}` in it."""
    title: str
    """How its chart's title begins, with `{k}` in it."""


EXACT_BEST = BestOfK(column="max@{k}", title="max@{k}, exact: ")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """All that the lab knows of a task; `pkpo.training.tasks.registry.register_task` adds one."""

    config: type[RunConfig]
    """Its settings; their `task` is its name."""
    title: str
    """What people call it."""
    make: Callable[..., Task]
    """From its config to the task, before the first update; see `lockstep`."""
    printed: tuple[str, ...]
    """The metrics that `pkpo train` prints."""
    charted: tuple[str, ...]
    """The metrics that are charted besides the best of k and k."""
    charted_with: Mapping[str, str] = field(default_factory=dict)
    """More metrics -> the setting of the runs that have them: it is not 0."""
    best: BestOfK = EXACT_BEST
    lockstep: bool = False
    """Whether `make` takes a second argument: `(R,)` for R runs that differ only in settings which all
    tasks have, n and steps excepted."""
    dtype: str = "float64"
    """In which it computes."""
    device: Callable[[Any], str] = lambda config: "cpu"
    """From its config to where it computes on this machine; see `pkpo.lm.devices`."""

    @property
    def name(self) -> str:
        """As in `--task`."""
        return self.config.task


def dead_group_shares(right: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """The groups without any weight, which teach nothing, as shares of all groups.

    Args:
      right: `[..., P, n]`, which samples earned the highest reward that there is.
      weights: `[..., P, n]`.

    Returns:
      `[...]` each: dead_group_share; and of these all_wrong, without a right sample, and all_right, of
      nothing else. Of the rest some samples are right, so many that each can be spared (loo-1 with
      fewer than k - 1 wrong ones).
    """
    silent = ~weights.any(axis=-1)
    return {
        "dead_group_share": silent.mean(axis=-1),
        "all_wrong": (silent & ~right.any(axis=-1)).mean(axis=-1),
        "all_right": (silent & right.all(axis=-1)).mean(axis=-1),
    }


def rows_by_k(k: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """For every k that occurs in k `[B]`, which rows have it."""
    return [(current, k == current) for current in np.unique(k).tolist()]


def max_at_columns(values: np.ndarray) -> dict[str, np.ndarray]:
    """The columns max@k from values `[len(EVAL_KS), B]`."""
    return {f"max@{k}": row for k, row in zip(EVAL_KS, values, strict=True)}
