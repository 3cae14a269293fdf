"""The loop: ordinary policy gradient, one line changed.

Sample a group, score it, transform the rewards jointly with the scheduled k, take a step along
Σ w_i ∇log π(x_i). `train` yields an event per update; `record_run` keeps a whole run as arrays, and
`replay_run` does so for a run that was steered.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import islice
from typing import Any

import numpy as np

from pkpo.config import Change, RunConfig
from pkpo.estimators import transform
from pkpo.estimators.transforms import transform_rows
from pkpo.fields import FieldError, named
from pkpo.training.lockstep import RowGenerators, RowOptimizers, group_rows
from pkpo.training.optimizers import Optimizer
from pkpo.training.tasks.registry import get_task, make_task

BLOCK = 256  # events whose exact values are computed together


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One update: the policy before it, the groups that it drew, and the step's direction.

    A run of `steps` updates has steps + 1 events: the last one describes the trained policy and a
    group drawn from it; no step follows. Of R runs in lockstep, all but `update` and `details` has an
    axis for them first, metrics and k included.
    """

    update: int
    k: Any
    """The k in force."""
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
    metrics: dict[str, Any] = field(default_factory=dict)
    """The learning rate in force, and the task's numbers, see `pkpo.training.tasks`."""
    details: dict[str, Any] = field(default_factory=dict)
    """What is worth showing besides numbers, for JSON; nothing at most updates."""


class Loop:
    """A run in progress: an iterator over its events, without their exact values.

    The noise of an update depends on seed and update only: compared settings draw the same numbers, a
    smaller group is the beginning of a larger one's, and a run can go on from any update.

    Args:
      config: the run's; or those of several, to be trained in lockstep, see `lockstep_key`.
      changes: how a single run is steered.

    Attributes:
      configs: the runs'.
      config: the first one's.
      is_alone: whether arrays have no axis for runs.
      estimator: the name of a run's that is alone; a new one holds from the next update on.
      update: the next one; steps + 1 when the run is over.
      changes: what was steered so far, and will be, in the order of their updates.

    Raises:
      ValueError: changes that `steer` refuses.
    """

    def __init__(self, config: RunConfig | Sequence[RunConfig], changes: Sequence[Change] = ()):
        self.is_alone = isinstance(config, RunConfig)
        self.configs = (config,) if isinstance(config, RunConfig) else tuple(config)
        self.config = self.configs[0]
        self.task = make_task(self.config, () if self.is_alone else (len(self.configs),))
        rates = [each.learning_rate for each in self.configs]
        self.optimizer: Any = (
            Optimizer(self.config.optimizer, rates[0])
            if self.is_alone
            else RowOptimizers([each.optimizer for each in self.configs], rates)
        )
        self.estimator = self.config.estimator
        self.update = 0
        self.changes: list[Change] = []
        updates = np.arange(self.config.steps + 1)
        self._k = np.array([each.k_schedule.values(updates) for each in self.configs])  # [runs, T]
        self._rate = self.optimizer.learning_rate
        self._seeds = [each.seed for each in self.configs]
        self._estimators = group_rows([each.estimator for each in self.configs])
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

    def state(self, run: int = 0) -> dict[str, np.ndarray]:
        """All that the next update depends on besides config and changes; `load` goes on from it.

        There is no random state: the noise of an update depends on seed and update only.

        Args:
          run: which, of several in lockstep; its state is that of a loop of its own.
        """
        row = () if self.is_alone else run
        return {
            "update": np.array(self.update),
            **{f"policy/{name}": np.array(x[row]) for name, x in self.task.policy.state().items()},
            **{f"optimizer/{name}": x for name, x in self.optimizer.row_state(row).items()},
            **{f"task/{name}": np.array(x[row]) for name, x in self.task.state.items()},
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
        scheduled = self._k[:, self.update]
        k = self._in_force("k", int(scheduled[0]) if self.is_alone else scheduled)
        self.optimizer.learning_rate = self._in_force("learning_rate", self._rate)
        samples = policy.sample(self._generator(), config.n)
        rewards = task.score(samples)
        with named("rewards"):
            weights = self._transform(rewards, k)  # the one changed line
        gradient = policy.gradient(samples, weights)
        metrics = {
            "learning_rate": self.optimizer.learning_rate,
            **task.observe(rewards, weights, gradient),
        }
        event = Event(
            update=self.update,
            k=k,
            parameters=policy.parameters.copy(),
            samples=samples,
            rewards=rewards,
            weights=weights,
            gradient=gradient,
            metrics={name: float(x) for name, x in metrics.items()} if self.is_alone else metrics,
            details=task.details(rewards, weights),
        )
        if self.update < config.steps:
            try:
                policy.step(gradient, self.optimizer)
            except OverflowError as reason:
                rates = " or ".join(f"{rate:g}" for rate in np.ravel(self.optimizer.learning_rate))
                raise FieldError(
                    "learning_rate",
                    f"learning_rate {rates} is too large: at update {self.update + 1} {reason}",
                ) from None
        self.update += 1
        return event

    def _generator(self) -> np.random.Generator | RowGenerators:
        """The noise of this update, drawn once where all runs have the same."""
        if len(set(self._seeds)) == 1:
            return np.random.default_rng((self._seeds[0], self.update))
        return RowGenerators(self._seeds, self.update)

    def _transform(self, rewards: np.ndarray, k: Any) -> np.ndarray:
        if self.is_alone:
            return transform(rewards, k, self.estimator)
        weights = np.empty(rewards.shape)
        for name, rows in self._estimators:
            weights[rows] = transform_rows(rewards[rows], k[rows], name)
        return weights

    def complete(self, events: Sequence[Event]) -> Sequence[Event]:
        """The same events, at least one, with their exact values among their metrics."""
        parameters, gradient, k = (
            np.array([getattr(event, name) for event in events])
            for name in ("parameters", "gradient", "k")
        )
        policies, estimates = (x.reshape(k.size, x.shape[-1]) for x in (parameters, gradient))
        for name, values in self.task.exact(policies, estimates, k.ravel()).items():
            rows = values.tolist() if self.is_alone else values.reshape(k.shape)
            for event, value in zip(events, rows, strict=True):
                event.metrics[name] = value
        return events


def lockstep_key(config: RunConfig) -> Hashable:
    """What runs must agree in to be trained in lockstep; None of a task that has no lockstep."""
    if not get_task(config.task).lockstep:
        return None
    own = ("schedule", "estimator", "learning_rate", "optimizer", "seed")
    agreed = (f.name for f in fields(config) if f.name not in own)
    return config.task, *((name, getattr(config, name)) for name in agreed)


def train(config: RunConfig, changes: Sequence[Change] = ()) -> Iterator[Event]:
    """Run a config: `config.steps + 1` events, the same for the same config, seed and changes.

    Raises:
      ValueError: an impossible change, or the parameters left the range of numbers in which anything
        can be computed.
    """
    loop = Loop(config, changes)
    while block := list(islice(loop, BLOCK)):
        yield from loop.complete(block)
