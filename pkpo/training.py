"""The loop: ordinary policy gradient, one line changed.

Sample a group, score it, transform the rewards jointly with the scheduled k, take a step along
Σ w_i ∇log π(x_i). `train` yields an event per update; `record` keeps a whole run as arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any

import numpy as np

from pkpo.config import RunConfig
from pkpo.estimators import transform
from pkpo.policies import GaussianPolicy
from toy_envs import gaussian_hill

EVAL_KS = (1, 2, 4, 8, 16)
"""The k at which every event gives the exact max@k."""

BLOCK = 256  # events whose exact values are computed together

Step = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One update: the policy before it, the group that it drew, and the step's direction.

    A run of `steps` updates has steps + 1 events: the last one describes the trained policy and a
    group drawn from it; no step follows.
    """

    update: int
    k: int
    theta: float
    sigma: float
    samples: np.ndarray
    """`[n]`"""
    rewards: np.ndarray
    """`[n]`"""
    weights: np.ndarray
    """`[n]`, in the sum convention."""
    gradient: float
    """The estimate of the derivative by θ: Σ w_i (x_i - θ)/σ²."""
    pass_rate: float
    """Share of the group with a reward above 0."""
    exact_gradient: float
    """The derivative of the exact max_g@k by θ."""
    value: float
    """The exact max_g@k of the policy, for the k in force."""
    max_at: dict[int, float]
    """The exact max_g@k for every k of EVAL_KS."""


def train(config: RunConfig) -> Iterator[Event]:
    """Run a config: `config.steps + 1` events, the same for the same config and seed.

    Raises:
      ValueError: the parameters left the range of numbers in which anything can be computed.
    """
    updates = _updates(config)
    while block := list(islice(updates, BLOCK)):
        yield from _with_exact_values(block, config.shape)


def _updates(config: RunConfig) -> Iterator[dict[str, Any]]:
    """The loop itself; yields what an `Event` holds, but for the exact values."""
    policy = GaussianPolicy(config.theta, config.sigma, config.learn_sigma)
    env = gaussian_hill.GaussianHillVectorEnv(config.n, config.shape)
    step = make_optimizer(config.optimizer, config.learning_rate)
    schedule = config.k_schedule.values(np.arange(config.steps + 1)).tolist()
    env.reset(seed=config.seed)
    for update, k in enumerate(schedule):
        # The noise depends on seed and update only: compared settings draw the same numbers, and a
        # run can go on from any update.
        rng = np.random.default_rng((config.seed, update))
        samples = policy.sample(rng, config.n)
        rewards = env.step(samples[:, None])[1]
        weights = transform(rewards, k, config.estimator)  # the one changed line
        gradient = policy.gradient(samples, weights)
        yield {
            "update": update,
            "k": k,
            "theta": policy.theta,
            "sigma": policy.sigma,
            "samples": samples,
            "rewards": rewards,
            "weights": weights,
            "gradient": float(gradient[0]),
            "pass_rate": np.count_nonzero(rewards > 0) / config.n,
        }
        if update == config.steps:
            return
        policy.parameters = step(policy.parameters, gradient)
        if not np.all(np.abs(policy.parameters) < policy.bounds):
            raise ValueError(
                f"learning_rate {config.learning_rate:g} is too large: at update {update + 1} the "
                f"policy's parameters reached {policy.parameters.tolist()}"
            )


def _with_exact_values(updates: list[dict[str, Any]], shape: str) -> Iterator[Event]:
    theta = np.array([u["theta"] for u in updates])
    sigma = np.array([u["sigma"] for u in updates])
    k = np.array([u["k"] for u in updates])
    common = gaussian_hill.exact(theta, EVAL_KS, sigma, shape)
    value, slope = np.empty(len(updates)), np.empty(len(updates))
    for current in np.unique(k).tolist():
        rows = k == current
        if current in EVAL_KS:
            j = EVAL_KS.index(current)
            value[rows], slope[rows] = common.value[j, rows], common.d_theta[j, rows]
        else:
            alone = gaussian_hill.exact(theta[rows], (current,), sigma[rows], shape)
            value[rows], slope[rows] = alone.value[0], alone.d_theta[0]
    exact = zip(slope.tolist(), value.tolist(), common.value.T.tolist(), strict=True)
    for known, (gradient, reached, at) in zip(updates, exact, strict=True):
        yield Event(
            **known,
            exact_gradient=gradient,
            value=reached,
            max_at=dict(zip(EVAL_KS, at, strict=True)),
        )


def make_optimizer(name: str, learning_rate: float) -> Step:
    """A function (parameters, gradient) -> new parameters that climbs; it keeps its own state."""
    if name == "sgd":
        return lambda parameters, gradient: parameters + learning_rate * gradient
    if name == "normalised":
        return lambda parameters, gradient: (
            parameters + learning_rate * gradient / (np.linalg.norm(gradient) or 1.0)
        )
    if name == "adam":
        return _adam(learning_rate)
    raise ValueError(f"optimizer must be sgd, normalised or adam, got {name!r}")


def _adam(
    learning_rate: float, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8
) -> Step:
    first: Any = 0.0
    second: Any = 0.0
    count = 0

    def step(parameters: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        nonlocal first, second, count
        count += 1
        first = beta1 * first + (1 - beta1) * gradient
        second = beta2 * second + (1 - beta2) * gradient**2
        direction = first / (1 - beta1**count)
        scale = np.sqrt(second / (1 - beta2**count)) + eps
        return parameters + learning_rate * direction / scale

    return step


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A whole run as arrays; T = steps + 1 rows, one per event (see `Event` for the columns)."""

    config: RunConfig
    k: np.ndarray
    theta: np.ndarray
    sigma: np.ndarray
    samples: np.ndarray
    """`[T, n]`, as are `rewards` and `weights`."""
    rewards: np.ndarray
    weights: np.ndarray
    gradient: np.ndarray
    exact_gradient: np.ndarray
    value: np.ndarray
    max_at: dict[int, np.ndarray]
    pass_rate: np.ndarray

    def columns(self) -> dict[str, np.ndarray]:
        """The run's scalar curves by name, each `[T]`."""
        return {
            "update": np.arange(len(self.k)),
            "k": self.k,
            "theta": self.theta,
            "sigma": self.sigma,
            "gradient": self.gradient,
            "exact_gradient": self.exact_gradient,
            "value": self.value,
            **{f"max@{k}": curve for k, curve in self.max_at.items()},
            "pass_rate": self.pass_rate,
        }

    def final(self) -> dict[str, float]:
        """The trained policy's numbers: the last row of `columns`."""
        return {name: curve[-1].item() for name, curve in self.columns().items()}


def record(config: RunConfig) -> Recording:
    """Train to the end and keep everything."""
    events = list(train(config))

    def column(name: str) -> np.ndarray:
        return np.array([getattr(event, name) for event in events])

    arrays = {
        f.name: column(f.name) for f in fields(Recording) if f.name not in ("config", "max_at")
    }
    max_at = {k: np.array([event.max_at[k] for event in events]) for k in EVAL_KS}
    return Recording(config=config, max_at=max_at, **arrays)
