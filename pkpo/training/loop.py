"""The loop: ordinary policy gradient, one line changed.

Sample a group, score it, transform the rewards jointly with the scheduled k, take a step along
Σ w_i ∇log π(x_i). `train` yields an event per update; `record_run` keeps a whole run as arrays, and
`replay_run` does so for a run that was steered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from pkpo.config import Change, RunConfig
from pkpo.estimators import transform
from pkpo.fields import FieldError, named
from pkpo.training.optimizers import Optimizer
from pkpo.training.tasks.registry import make_task

BLOCK = 256  # events whose exact values are computed together


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One update: the policy before it, the groups that it drew, and the step's direction.

    A run of `steps` updates has steps + 1 events: the last one describes the trained policy and a
    group drawn from it; no step follows.
    """

    update: int
    k: int
    parameters: np.ndarray
    """`[d]`, the policy's; `[0]` of one that is too large to be kept with every event."""
    samples: np.ndarray
    """`[n]`, or `[prompts, n]` where a task has prompts; texts are objects."""
    rewards: np.ndarray
    """As `samples`."""
    weights: np.ndarray
    """As `samples`, in the sum convention."""
    gradient: np.ndarray
    """As `parameters`, the estimate: Σ w_i ∇log π(x_i), averaged over prompts."""
    metrics: dict[str, float] = field(default_factory=dict)
    """The learning rate in force, and the task's numbers, see `pkpo.training.tasks`."""
    details: dict[str, Any] = field(default_factory=dict)
    """What is worth showing besides numbers, for JSON; nothing at most updates."""


class Loop:
    """A run in progress: an iterator over its events, without their exact values.

    The noise of an update depends on seed and update only: compared settings draw the same numbers, a
    smaller group is the beginning of a larger one's, and a run can go on from any update.

    Attributes:
      update: the next one; steps + 1 when the run is over.
      changes: what was steered so far, and will be, in the order of their updates.

    Raises:
      ValueError: changes that `steer` refuses.
    """

    def __init__(self, config: RunConfig, changes: Sequence[Change] = ()):
        self.config = config
        self.task = make_task(config)
        self.optimizer = Optimizer(config.optimizer, config.learning_rate)
        self.update = 0
        self.changes: list[Change] = []
        self._schedule = config.k_schedule
        for change in changes:
            self.steer(change)

    def __iter__(self) -> Iterator[Event]:
        return self

    def steer(self, change: Change) -> None:
        """Let a change hold from its update on.

        Raises:
          ValueError: it is impossible for this run, or comes before one that is there already.
        """
        change.check(self.config)
        earliest = max(self.update, self.changes[-1].update if self.changes else 0)
        if change.update < earliest:
            raise ValueError(f"update of a change must be at least {earliest}, got {change.update}")
        self.changes.append(change)

    def _in_force(self, name: str, otherwise: Any) -> Any:
        steered = (
            value
            for change in reversed(self.changes)
            if change.update <= self.update and (value := getattr(change, name)) is not None
        )
        return next(steered, otherwise)

    def state(self) -> dict[str, np.ndarray]:
        """All that the next update depends on besides config and changes; `load` goes on from it.

        There is no random state: the noise of an update depends on seed and update only.
        """
        return {
            "update": np.array(self.update),
            **{f"policy/{name}": np.array(x) for name, x in self.task.policy.state().items()},
            **{f"optimizer/{name}": np.array(x) for name, x in self.optimizer.state.items()},
            **{f"task/{name}": np.array(x) for name, x in self.task.state.items()},
        }

    def load(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from what `state` gave; what follows is the same, bit for bit.

        Raises:
          ValueError: the state is not one of this config's.
        """
        own = self.state()
        shapes = {name: state[name].shape for name in own if name in state}
        if shapes != {name: x.shape for name, x in own.items()}:
            raise ValueError("state does not fit this run's task and settings")
        parts: dict[str, dict[str, np.ndarray]] = {"policy": {}, "optimizer": {}, "task": {}}
        for name, x in state.items():
            part, _, key = name.partition("/")
            if key:
                parts[part][key] = x
        self.update = int(state["update"])
        self.task.policy.load(parts["policy"])
        self.optimizer.state = parts["optimizer"]
        self.task.state = parts["task"]

    def __next__(self) -> Event:
        config, task, policy = self.config, self.task, self.task.policy
        if self.update > config.steps:
            raise StopIteration
        k = self._in_force("k", None) or self._schedule(self.update)
        self.optimizer.learning_rate = self._in_force("learning_rate", config.learning_rate)
        rng = np.random.default_rng((config.seed, self.update))
        samples = policy.sample(rng, config.n)
        rewards = task.score(samples)
        with named("rewards"):
            weights = transform(rewards, k, config.estimator)  # the one changed line
        gradient = policy.gradient(samples, weights)
        event = Event(
            update=self.update,
            k=k,
            parameters=policy.parameters.copy(),
            samples=samples,
            rewards=rewards,
            weights=weights,
            gradient=gradient,
            metrics={
                "learning_rate": self.optimizer.learning_rate,
                **task.observe(rewards, weights, gradient),
            },
            details=task.details(rewards, weights),
        )
        if self.update < config.steps:
            try:
                policy.step(gradient, self.optimizer)
            except OverflowError as reason:
                raise FieldError(
                    "learning_rate",
                    f"learning_rate {self.optimizer.learning_rate:g} is too large: at update "
                    f"{self.update + 1} {reason}",
                ) from None
        self.update += 1
        return event

    def complete(self, events: Sequence[Event]) -> Sequence[Event]:
        """The same events, at least one, with their exact values among their metrics."""
        exact = self.task.exact(
            np.array([event.parameters for event in events]),
            np.array([event.gradient for event in events]),
            np.array([event.k for event in events]),
        )
        for name, values in exact.items():
            for event, value in zip(events, values.tolist(), strict=True):
                event.metrics[name] = value
        return events


def train(config: RunConfig, changes: Sequence[Change] = ()) -> Iterator[Event]:
    """Run a config: `config.steps + 1` events, the same for the same config, seed and changes.

    Raises:
      ValueError: an impossible change, or the parameters left the range of numbers in which anything
        can be computed.
    """
    loop = Loop(config, changes)
    while block := list(islice(loop, BLOCK)):
        yield from loop.complete(block)
