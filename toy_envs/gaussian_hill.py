"""The paper's one-dimensional problem, with its exact objective, gradient and optimum.

A policy x ~ N(θ, σ²) is rewarded g(x); the paper's g is a hill with a cliff (arXiv:2505.15201,
Eq. 35). Everything about max@k is known exactly here: see `toy_envs.exact`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise, zip_longest
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from scipy.special import ndtr

from toy_envs.endings import final_infos
from toy_envs.exact import MaxAtK, Segment, gaussian_max_at_k

POINT_LIMIT = 16  # of a user's own shape
COORDINATE_LIMIT = 100.0
CURVE_CORNERS = 6  # points that stand for a curved segment
REACH_SIGMAS = 10  # σ from an end of a segment within which a maximum is looked for
POINTS_PER_SIGMA = 8  # θ in a σ there
FARTHEST = np.finfo(float).max / 2  # beyond every shape


@dataclass(frozen=True, slots=True)
class RewardShape:
    """A reward on the real line: segments, and 0 elsewhere. Call it with samples."""

    name: str
    """Its text form, which `reward_shape` parses."""
    label: str
    segments: tuple[Segment, ...]
    _starts: np.ndarray = field(init=False, repr=False, compare=False)
    _coefficients: np.ndarray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # One polynomial per stretch: 0 on the left, then the segments, 0 in gaps and on the right.
        ordered = sorted(self.segments, key=lambda s: s.ends)
        starts, pieces = [], [(0.0, 0.0, 0.0, 0.0)]
        for segment, after in zip_longest(ordered, ordered[1:]):
            left, right = segment.ends
            starts.append(left)
            pieces.append(segment.polynomial)
            if after is None or after.ends[0] > right:
                starts.append(np.nextafter(right, np.inf))  # the right end belongs to the segment
                pieces.append((0.0, 0.0, 0.0, 0.0))
        object.__setattr__(self, "_starts", np.array(starts))
        object.__setattr__(self, "_coefficients", np.array(pieces).T)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The rewards of samples x, any shape; 0 at infinity, nan of nan."""
        x = np.asarray(x, float).clip(-FARTHEST, FARTHEST)  # 0 times infinity is not a number
        piece = self._starts.searchsorted(x, "right")
        origin, constant, linear, square = self._coefficients
        d = x - origin.take(piece)
        return constant.take(piece) + d * (linear.take(piece) + d * square.take(piece))

    @property
    def support(self) -> tuple[float, float]:
        """Left and right end of where the reward is not 0."""
        ends = [x for s in self.segments for x in s.ends]
        return min(ends), max(ends)

    @property
    def corners(self) -> list[tuple[float, float]]:
        """Points (x, reward) that, joined by lines, make the shape; `CURVE_CORNERS` on a curve."""
        found: list[tuple[float, float]] = []
        for segment in sorted(self.segments, key=lambda s: s.ends):
            x = np.linspace(*segment.ends, 2 if segment.power == 1 else CURVE_CORNERS)
            points = zip(x.round(12).tolist(), segment(x).round(12).tolist(), strict=True)
            found += [point for point in points if point not in found[-1:]]
        return found

    @property
    def highest(self) -> float:
        """The largest reward."""
        return max(max(s.y0, s.y1) for s in self.segments)


def _through(points: Sequence[tuple[float, float]]) -> tuple[Segment, ...]:
    return tuple(Segment(*a, *b) for a, b in pairwise(points) if a[0] < b[0])


REWARD_SHAPES: dict[str, RewardShape] = {
    shape.name: shape
    for shape in (
        RewardShape("hill", "The paper's hill", (Segment(0, 0, 1, 1, power=2),)),
        RewardShape("left-cliff", "Cliff on the left", (Segment(1, 0, 0, 1, power=2),)),
        RewardShape(
            "two-peaks",
            "Two peaks: low and wide, high and narrow",
            _through([(0.0, 0.0), (0.3, 0.5), (0.5, 0.0), (0.65, 1.0), (0.8, 0.0)]),
        ),
        RewardShape(
            "plateau-spike",
            "Plateau with a spike",
            _through([(0.0, 0.5), (0.75, 0.5), (0.8, 1.0), (0.85, 0.5), (1.0, 0.5)]),
        ),
    )
}
"""The built-in shapes by name; "points:x,y;x,y;..." describes a user's own."""


def reward_shape(text: str | RewardShape) -> RewardShape:
    """The reward shape of that name, or the piecewise-linear one through the given points.

    Args:
      text: a key of `REWARD_SHAPES`, or "points:" and 2 to 16 points "x,y" separated by semicolons, x
        not decreasing (two points at the same x make a cliff), y >= 0; 0 outside.

    Raises:
      ValueError: an unknown name, or points that do not make a shape.
    """
    if isinstance(text, RewardShape):
        return text
    if text in REWARD_SHAPES:
        return REWARD_SHAPES[text]
    kind, _, body = str(text).partition(":")
    if kind != "points":
        raise ValueError(
            f"shape must be one of {', '.join(REWARD_SHAPES)} or 'points:x,y;x,y;...', "
            f"got {str(text)[:80]!r}"
        )
    points = [_point(part) for part in body.split(";")]
    if not 2 <= len(points) <= POINT_LIMIT:
        raise ValueError(f"shape: points must number from 2 to {POINT_LIMIT}, got {len(points)}")
    for a, b in pairwise(points):
        if b[0] < a[0]:
            raise ValueError(f"shape: x must not decrease, got {b[0]:g} after {a[0]:g}")
    segments = _through(points)
    if not segments:
        raise ValueError(f"shape: the points must span a width, got all at x = {points[0][0]:g}")
    if not any(s.y0 > 0 or s.y1 > 0 for s in segments):
        raise ValueError("shape: at least one point must have a reward above 0, got none")
    name = "points:" + ";".join(f"{_exactly(x)},{_exactly(y)}" for x, y in points)
    return RewardShape(name, "Your own points", segments)


def _exactly(x: float) -> str:
    short = f"{x:.12g}"
    return short if float(short) == x else repr(x)


def _point(text: str) -> tuple[float, float]:
    try:
        x, y = (float(number) for number in text.split(","))
    except ValueError:
        raise ValueError(f"shape: a point must look like '0.5,1', got {text[:40]!r}") from None
    if not (abs(x) <= COORDINATE_LIMIT and 0 <= y <= COORDINATE_LIMIT):
        raise ValueError(
            f"shape: a point must have x within ±{COORDINATE_LIMIT:g} and reward from 0 to "
            f"{COORDINATE_LIMIT:g}, got {text[:40]!r}"
        )
    return x, y


# --- What is exactly known ----------------------------------------------------------------------


def exact(
    theta: Any, k: Sequence[int], sigma: Any = 0.1, shape: str | RewardShape = "hill"
) -> MaxAtK:
    """Max@k and its derivatives by θ and log σ for several k at once, `(len(k), *theta.shape)`.

    Args:
      theta: policy means, any shape.
      k: attempts, whole numbers from 1 to 1,000,000.
      sigma: standard deviations > 0, broadcastable to `theta`.
      shape: reward shape, or its name.

    Raises:
      ValueError: k, σ or θ outside what is allowed, or an unknown shape.
    """
    theta, sigma = np.asarray(theta, float), np.asarray(sigma, float)
    if not np.isfinite(theta).all():
        raise ValueError(f"theta must be finite, got {theta[~np.isfinite(theta)].flat[0]}")
    _check_sigma(sigma)
    ks = [_check_k(value) for value in k]
    if not ks:
        raise ValueError("k must hold at least one value, got none")
    return gaussian_max_at_k(reward_shape(shape).segments, theta, sigma, ks)


def _check_sigma(sigma: np.ndarray) -> None:
    if not (np.isfinite(sigma) & (sigma > 0)).all():
        raise ValueError(f"sigma must be a finite number > 0, got {sigma}")


def _check_k(k: Any) -> int:
    whole = isinstance(k, (int, float, np.integer, np.floating)) and not isinstance(k, bool)
    if not whole or not 1 <= k <= 1_000_000 or k != int(k):
        raise ValueError(f"k must be a whole number from 1 to 1000000, got {k!r}")
    return int(k)


def objective(theta: Any, k: int, sigma: Any = 0.1, shape: str | RewardShape = "hill") -> Any:
    """Exact max_g@k of the policy N(θ, σ²) (arXiv:2505.15201, Eq. 11 with Eq. 35).

    Args:
      theta: policy means, any shape.
      k: attempts kept, >= 1.
      sigma: the policy's standard deviation > 0.
      shape: reward shape, or its name.

    Returns:
      A float for a scalar θ, else float64 of θ's shape; absolute error below 1e-9.
    """
    value = exact(theta, (k,), sigma, shape).value[0]
    return float(value) if value.ndim == 0 else value


def gradient(theta: Any, k: int, sigma: Any = 0.1, shape: str | RewardShape = "hill") -> Any:
    """Exact derivative of max_g@k by θ; arguments and result as for `objective`."""
    value = exact(theta, (k,), sigma, shape).d_theta[0]
    return float(value) if value.ndim == 0 else value


@dataclass(frozen=True, slots=True)
class Optimum:
    """The θ that maximises max_g@k, and the value there."""

    theta: float
    value: float


def optimum(k: int, sigma: float = 0.1, shape: str | RewardShape = "hill") -> Optimum:
    """The best θ for max_g@k: the highest value, and among ties the smallest θ.

    A tie is a value within 1e-9 of the highest reward. On a level stretch the θ is its left end:
    where the slope first falls below 1e-11 of the highest reward per σ.

    Args:
      k: attempts kept, >= 1.
      sigma: the policy's standard deviation > 0.
      shape: reward shape, or its name.
    """
    _check_sigma(np.asarray(sigma, float))
    return _optimum(_check_k(k), float(sigma), reward_shape(shape))


def chance_of_nothing(theta: Any, sigma: Any = 0.1, shape: str | RewardShape = "hill") -> Any:
    """The chance that an attempt lands beyond either end of the reward, where nothing is paid.

    Args:
      theta: mean of the policy, any shape.
      sigma: its standard deviation > 0, of a shape that broadcasts with theta.
      shape: reward shape, or its name.
    """
    _check_sigma(np.asarray(sigma, float))
    left, right = reward_shape(shape).support
    below, above = ((np.asarray(end) - theta) / sigma for end in (left, right))
    return ndtr(below) + ndtr(-above)


@functools.lru_cache(maxsize=512)
def _optimum(k: int, sigma: float, shape: RewardShape) -> Optimum:
    # Away from the ends of segments the objective is monotone or level, so that every maximum lies
    # within some σ of an end. Bracket where the slope stops being positive, then narrow.
    level = 1e-11 * shape.highest / sigma

    def rising(theta: np.ndarray) -> np.ndarray:
        return gradient(theta, k, sigma, shape) > level

    ends = np.array(sorted({x for s in shape.segments for x in s.ends}))
    far = np.flatnonzero(
        np.diff(ends) > 2 * REACH_SIGMAS * sigma
    )  # between them, nothing is near an end
    grid = np.concatenate(
        [
            np.linspace(left, right, 1 + math.ceil((right - left) / sigma * POINTS_PER_SIGMA))
            for left, right in zip(
                ends[np.append(0, far + 1)] - REACH_SIGMAS * sigma,
                ends[np.append(far, -1)] + REACH_SIGMAS * sigma,
                strict=True,
            )
        ]
    )
    up = rising(grid)
    last = np.flatnonzero(up[:-1] & ~up[1:])
    low, high = grid[last], grid[last + 1]
    share = np.linspace(0, 1, 12)
    rows = np.arange(low.size)
    while np.any(high - low > np.maximum(1e-11 * sigma, 4 * np.spacing(np.abs(high)))):
        inner = low[:, None] + (high - low)[:, None] * share
        up = rising(inner[:, 1:-1])
        stop = np.where(up.all(axis=1), share.size - 1, 1 + np.argmin(up, axis=1))
        low, high = inner[rows, stop - 1], inner[rows, stop]
    values = objective(high, k, sigma, shape)
    best = np.flatnonzero(values >= values.max() - 1e-9 * shape.highest)[0]
    return Optimum(float(high[best]), float(values[best]))


# --- The environments -----------------------------------------------------------------------------


class GaussianHillVectorEnv(VectorEnv):
    """A group of attempts at the one-dimensional problem, scored in one call.

    ## Description
    The vector form of `GaussianHillEnv`: `num_envs` attempts at the same problem. One step scores a
    whole group of samples; every attempt is an episode of its own, reset within the step.

    ## Action Space
    `Box(-inf, inf, (num_envs, dimension), float64)`: one sample x per attempt.

    ## Observation Space
    `Box(0, 1, (num_envs, 1), float64)`: nothing to see, always 0.

    ## Starting State
    The observation 0; `reset(seed=...)` changes nothing, as nothing here is random.

    ## Reward
    `shape(action[:, 0])`: the first coordinate's reward; other coordinates are nuisance.

    ## Episode End
    Every step terminates every attempt; its info holds the last observations, `final_infos`.

    ## Arguments
    - `num_envs`: attempts in the group.
    - `shape`: reward shape or its name, see `reward_shape`; default the paper's hill.
    - `dimension`: coordinates of an action; default 1.

    ## Version History
    - v0: initial version.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(self, num_envs: int = 1, shape: str | RewardShape = "hill", dimension: int = 1):
        if dimension < 1:
            raise ValueError(f"dimension must be at least 1, got {dimension}")
        if num_envs < 1:
            raise ValueError(f"num_envs must be at least 1, got {num_envs}")
        self.num_envs = num_envs
        self.shape, self.dimension = reward_shape(shape), dimension
        self.single_action_space = spaces.Box(-np.inf, np.inf, (dimension,), np.float64)
        self.single_observation_space = spaces.Box(0.0, 1.0, (1,), np.float64)
        self.action_space = spaces.Box(-np.inf, np.inf, (num_envs, dimension), np.float64)
        self.observation_space = spaces.Box(0.0, 1.0, (num_envs, 1), np.float64)
        self._observation = np.zeros((num_envs, 1))
        self._over = np.ones(num_envs, bool)

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Start every attempt."""
        super().reset(seed=seed)
        return self._observation.copy(), {}

    def step(self, actions: np.ndarray):
        """Score one sample per attempt."""
        samples = _samples("actions", actions, (self.num_envs, self.dimension))
        rewards = self.shape(samples[:, 0])
        infos = final_infos(self._observation.copy())
        return self._observation.copy(), rewards, self._over.copy(), ~self._over, infos


class GaussianHillEnv(gymnasium.Env):
    """The paper's one-dimensional problem: a hill with a cliff (arXiv:2505.15201, Section 5.1).

    ## Description
    One attempt: choose x, receive g(x). The paper's reward rises as x² up to x = 1 and is 0 beyond,
    so that a policy N(θ, σ²) risks falling off the cliff; the more attempts count, the closer to it
    the best θ lies. `objective`, `gradient` and `optimum` give that exactly.

    ## Action Space
    `Box(-inf, inf, (dimension,), float64)`: the sample x.

    ## Observation Space
    `Box(0, 1, (1,), float64)`: nothing to see, always 0.

    ## Starting State
    The observation 0.

    ## Reward
    `shape(action[0])`; the paper's is x² for 0 <= x <= 1 and 0 elsewhere (Eq. 35). Coordinates after
    the first are nuisance.

    ## Episode End
    Every step terminates.

    ## Arguments
    - `shape`: reward shape or its name, see `reward_shape`; default the paper's hill.
    - `dimension`: coordinates of an action; default 1.

    ## Version History
    - v0: initial version.
    """

    metadata = {"render_modes": []}

    def __init__(self, shape: str | RewardShape = "hill", dimension: int = 1):
        if dimension < 1:
            raise ValueError(f"dimension must be at least 1, got {dimension}")
        self.shape, self.dimension = reward_shape(shape), dimension
        self.action_space = spaces.Box(-np.inf, np.inf, (dimension,), np.float64)
        self.observation_space = spaces.Box(0.0, 1.0, (1,), np.float64)

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Start an attempt."""
        super().reset(seed=seed)
        return np.zeros(1), {}

    def step(self, action: np.ndarray):
        """Score one sample."""
        sample = _samples("action", action, (self.dimension,))
        return np.zeros(1), float(self.shape(sample[0])), True, False, {}


def _samples(name: str, given: Any, shape: tuple[int, ...]) -> np.ndarray:
    """An action, or a group of them, as numbers of the given shape; infinities are numbers, too."""
    try:
        x = np.asarray(given, float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be real numbers, got {str(given)[:80]!r}") from None
    if x.shape != shape:
        raise ValueError(f"{name} must have the shape {shape}, got {x.shape}")
    if np.isnan(x).any():
        raise ValueError(f"{name} must be real numbers, got nan")
    return x
