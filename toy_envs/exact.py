r"""Exact max@k and its gradient for a Gaussian policy on a one-dimensional reward, by quadrature.

For x ~ N(θ, σ²) and a reward g that is 0 outside its segments and never negative, let
$q(u) = P(g(x) > u)$. The best of k independent samples exceeds u with probability
$1 - (1 - q(u))^k$, so that

$$\max\nolimits_g@k = \int_0^{\max g} 1 - (1 - q(u))^k \, du$$

(arXiv:2505.15201, Eq. 11 and 35, integrated over reward levels rather than over x: atoms, as on a
plateau or outside the support, then need no special care). q is a sum of normal probabilities, one
interval per segment. The integrand is smooth between the levels at which a segment begins or ends,
on the scale of σ between the levels of the points θ + zσ, and on the scale of 1/k just below a top,
where q falls to zero: panels shrink geometrically there. Within a panel Gauss-Legendre quadrature
converges to machine precision. Integrating over √u removes the square root that a segment x² puts at
its foot.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr


@dataclass(frozen=True, slots=True)
class _Rule:
    """Where panels end, in σ from θ, and the Gauss-Legendre points within each, on 0..1."""

    breaks: np.ndarray
    nodes: np.ndarray
    weights: np.ndarray


def _rule(breaks: Sequence[float], points: int) -> _Rule:
    nodes, weights = np.polynomial.legendre.leggauss(points)
    return _Rule(np.array(breaks), (nodes + 1) / 2, weights / 2)


COARSE = _rule([-8.5, -6, -4, -2, 0, 2, 4, 6, 8.5], 16)  # enough for k <= 16
FINE = _rule([-8.5, -6.5, *range(-5, 8), 8.5], 24)  # a large k is sharper, in the tail
CHUNK = 96  # values of θ at once: their arrays stay in a processor's cache
KEPT_BYTES = 1 << 23  # of freed memory: more than the arrays of a chunk


@dataclass(frozen=True, slots=True)
class Segment:
    """A monotone stretch of a reward: from (x0, y0) to (x1, y1) as y0 + (y1 - y0) t^power.

    t is 0 at x0 and 1 at x1; x0 may lie right of x1, which puts the flat foot of a square on the
    right. The power is 1 (a line) or, with y0 < y1, 2.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    power: int = 1

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The reward at x, which must lie within the segment."""
        t = (x - self.x0) / (self.x1 - self.x0)
        return self.y0 + (self.y1 - self.y0) * (t if self.power == 1 else t * t)

    @property
    def polynomial(self) -> tuple[float, float, float, float]:
        """Its lower end x, and the coefficients of 1, d and d² for the distance d = x - that end."""
        (low, base), (high, top) = sorted(
            ((self.x0, self.y0), (self.x1, self.y1)), key=lambda end: end[1]
        )
        width, rise = high - low, top - base
        return (
            (low, base, rise / width, 0.0) if self.power == 1 else (low, base, 0.0, rise / width**2)
        )

    def inverse(self, u: np.ndarray) -> np.ndarray:
        """The x at which a sloping segment has level u; its nearer end for a level beyond."""
        t = np.clip((u - self.y0) / (self.y1 - self.y0), 0.0, 1.0)
        return self.x0 + (self.x1 - self.x0) * (t if self.power == 1 else np.sqrt(t))

    @property
    def top(self) -> float:
        """The end with the larger reward."""
        return self.x1 if self.y1 > self.y0 else self.x0

    @property
    def ends(self) -> tuple[float, float]:
        """Its left and right end."""
        return min(self.x0, self.x1), max(self.x0, self.x1)


@dataclass(frozen=True, slots=True)
class MaxAtK:
    """Max@k and its derivatives, each of shape `(len(k), *theta.shape)`."""

    value: np.ndarray
    d_theta: np.ndarray
    d_log_sigma: np.ndarray


def gaussian_max_at_k(
    segments: Sequence[Segment], theta: np.ndarray, sigma: np.ndarray | float, k: Sequence[int]
) -> MaxAtK:
    """Exact max@k of N(θ, σ²) on a reward made of segments, for many θ and several k at once.

    Args:
      segments: non-overlapping, rewards >= 0; the reward is 0 elsewhere.
      theta: means, any shape.
      sigma: standard deviations > 0, broadcastable to `theta`.
      k: attempts, each >= 1.

    Returns:
      Values and derivatives with absolute errors below 1e-9 times the largest reward (and, for the
      derivative by θ, divided by σ).
    """
    theta, sigma = np.broadcast_arrays(np.asarray(theta, float), np.asarray(sigma, float))
    ks = list(k)
    _keep_freed_memory()
    flat, spread = theta.ravel(), sigma.ravel()
    parts = [
        _chunk(segments, flat[i : i + CHUNK], spread[i : i + CHUNK], ks)
        for i in range(0, flat.size, CHUNK)
    ]
    shape = (len(ks), *theta.shape)
    if not parts:
        return MaxAtK(np.zeros(shape), np.zeros(shape), np.zeros(shape))
    return MaxAtK(*(np.concatenate(x, axis=-1).reshape(shape) for x in zip(*parts, strict=True)))


def _keep_freed_memory() -> None:
    """Let the C library keep what a chunk frees for the next one.

    By default glibc returns it to the system, and fresh pages cost more than the arithmetic on them;
    once it has seen a large block freed, it keeps as much.
    """
    np.empty(KEPT_BYTES, np.uint8)


def _chunk(
    segments: Sequence[Segment], theta: np.ndarray, sigma: np.ndarray, ks: Sequence[int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rule = COARSE if max(ks) <= 16 else FINE
    row, low, width = _panels(segments, theta, sigma, max(ks), rule.breaks)
    root = low[:, None] + width[:, None] * rule.nodes  # [panels, nodes], as everything below
    levels = root**2
    centre, spread = theta[row, None], sigma[row, None]

    # q = P(g(x) > u) = Σ over segments of P(x between where the segment has level u and its top),
    # and its derivatives: each end at z = (x - θ)/σ adds ±ndtr(z), whose derivatives by θ and log σ
    # are -density(z)/σ and -z density(z).
    q = dq_theta = dq_log_sigma = np.zeros_like(centre)  # [panels, 1] until an end depends on u

    def add(sign: float, x: np.ndarray | float, where: np.ndarray | float = 1.0) -> None:
        nonlocal q, dq_theta, dq_log_sigma
        z = (x - centre) / spread
        mass = np.exp(-0.5 * z * z) * (sign / math.sqrt(2 * math.pi)) * where
        q = q + sign * where * ndtr(z)
        dq_theta = dq_theta - mass / spread
        dq_log_sigma = dq_log_sigma - z * mass

    for segment in segments:
        left, right = segment.ends
        if segment.y0 == segment.y1:
            above = (levels < segment.y0).astype(float)
            add(1.0, right, above)
            add(-1.0, left, above)
        else:
            sign = 1.0 if segment.top == right else -1.0
            add(sign, segment.top)
            add(-sign, segment.inverse(levels))

    miss = 1.0 - q
    step = 2 * root * width[:, None] * rule.weights  # du of every node
    rates = step * dq_theta, step * dq_log_sigma
    totals = np.empty((3, len(ks), theta.size))

    def total(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Of products, over the nodes and then the panels of every θ."""
        return np.bincount(row, np.einsum("pn,pn->p", a, b), minlength=theta.size)

    powers = {0: np.ones_like(miss)}
    for i, k in enumerate(ks):
        all_but_one = _power(miss, k - 1, powers)
        totals[0, i] = total(step, 1.0 - all_but_one * miss)
        totals[1, i], totals[2, i] = (k * total(all_but_one, rate) for rate in rates)
    return totals[0], totals[1], totals[2]


def _power(x: np.ndarray, k: int, known: dict[int, np.ndarray]) -> np.ndarray:
    """x^k by repeated squaring, several times as fast as `**` for the k in use.

    Args:
      x: any shape.
      k: >= 0.
      known: powers of x by exponent, 0 among them; gains x^k and those on the way to it.
    """
    if k not in known:
        top = 1 << (k.bit_length() - 1)  # the highest bit: lower ones are shared by many k
        if k == 1:
            known[k] = x
        elif k == top:
            half = _power(x, top // 2, known)
            known[k] = half * half
        else:
            known[k] = _power(x, k - top, known) * _power(x, top, known)
    return known[k]


def _panels(
    segments: Sequence[Segment], theta: np.ndarray, sigma: np.ndarray, k: int, z: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The panels of every θ that have a width, in √u: row of θ, lower end, width."""
    fixed = sorted({0.0} | {y for s in segments for y in (s.y0, s.y1)})
    near = theta[:, None] + sigma[:, None] * z
    shrink = 4.0 ** -np.arange(1 + math.ceil(math.log(k, 4)))
    breaks = [np.broadcast_to(fixed, (theta.size, len(fixed)))]
    for s in segments:
        if s.y0 == s.y1:
            continue
        left, right = s.ends
        below_top = np.minimum(sigma, right - left)[:, None] * shrink
        x = np.concatenate(
            [near, s.top - below_top if s.top == right else s.top + below_top], axis=1
        )
        breaks.append(s(np.clip(x, left, right)))
    roots = np.sqrt(np.sort(np.concatenate(breaks, axis=1), axis=1))
    low, width = roots[:, :-1], np.diff(roots, axis=1)
    row, column = np.nonzero(width > 0)
    return row, low[row, column], width[row, column]
