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

Z_BREAKS = np.array([-8.5, -6.0, -4.0, -2.0, 0.0, 2.0, 4.0, 6.0, 8.5])
Z_BREAKS_FINE = np.array([-8.5, -6.5, *range(-5, 8), 8.5])  # large k are sharper in the tail
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(16)
NODES, WEIGHTS = (_POINTS + 1) / 2, _WEIGHTS / 2  # on 0..1
CHUNK = 256  # values of θ at once, to bound memory


@dataclass(frozen=True, slots=True)
class Segment:
    """A monotone stretch of a reward: from (x0, y0) to (x1, y1) as y0 + (y1 - y0) t^power.

    t is 0 at x0 and 1 at x1; x0 may lie right of x1, which puts the flat foot of a power on the right.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    power: float = 1.0

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The reward at x, which must lie within the segment."""
        t = (x - self.x0) / (self.x1 - self.x0)
        return self.y0 + (self.y1 - self.y0) * (t if self.power == 1 else t**self.power)

    def inverse(self, u: np.ndarray) -> np.ndarray:
        """The x at which a sloping segment has level u; its nearer end for a level beyond."""
        t = np.clip((u - self.y0) / (self.y1 - self.y0), 0.0, 1.0)
        return self.x0 + (self.x1 - self.x0) * (t if self.power == 1 else t ** (1 / self.power))

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


def max_at_k(
    segments: Sequence[Segment], theta: np.ndarray, sigma: np.ndarray | float, k: Sequence[int]
) -> MaxAtK:
    """Exact max@k of N(θ, σ²) on a reward made of segments, for many θ and several k at once.

    Args:
      segments: non-overlapping, rewards >= 0; the reward is 0 elsewhere.
      theta: means, any shape.
      sigma: standard deviations > 0, broadcastable to `theta`.
      k: attempts, each >= 1.

    Returns:
      Values and derivatives with absolute errors of about 1e-12 times the largest reward (and, for
      the derivative by θ, divided by σ).
    """
    theta, sigma = np.broadcast_arrays(np.asarray(theta, float), np.asarray(sigma, float))
    ks = list(k)
    flat, spread = theta.ravel(), sigma.ravel()
    parts = [
        _chunk(segments, flat[i : i + CHUNK], spread[i : i + CHUNK], ks)
        for i in range(0, flat.size, CHUNK)
    ]
    shape = (len(ks), *theta.shape)
    if not parts:
        return MaxAtK(np.zeros(shape), np.zeros(shape), np.zeros(shape))
    return MaxAtK(*(np.concatenate(x, axis=-1).reshape(shape) for x in zip(*parts, strict=True)))


def _chunk(
    segments: Sequence[Segment], theta: np.ndarray, sigma: np.ndarray, ks: Sequence[int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    row, low, width = _panels(segments, theta, sigma, max(ks))
    root = low[:, None] + width[:, None] * NODES  # [panels, nodes], as everything below
    levels = root**2
    centre, spread = theta[row, None], sigma[row, None]

    # q = P(g(x) > u) = Σ over segments of P(x between where the segment has level u and its top),
    # and its derivatives: each end at z = (x - θ)/σ adds ±ndtr(z), whose derivatives by θ and log σ
    # are -density(z)/σ and -z density(z).
    q, dq_theta, dq_log_sigma = np.zeros_like(levels), np.zeros_like(levels), np.zeros_like(levels)

    def add(sign: float, x: np.ndarray | float, where: np.ndarray | float = 1.0) -> None:
        z = (x - centre) / spread
        mass = sign * where * np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
        np.add(q, sign * where * ndtr(z), out=q)
        np.subtract(dq_theta, mass / spread, out=dq_theta)
        np.subtract(dq_log_sigma, z * mass, out=dq_log_sigma)

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

    log_miss = np.log1p(-np.clip(q, 0.0, 1.0 - 2.0**-53))
    step = 2 * root * width[:, None] * WEIGHTS  # du of every node
    totals = np.empty((3, len(ks), theta.size))
    for i, k in enumerate(ks):
        rate = step * (k * np.exp((k - 1) * log_miss))
        parts = (-step * np.expm1(k * log_miss), rate * dq_theta, rate * dq_log_sigma)
        for total, part in zip(totals, parts, strict=True):
            total[i] = np.bincount(row, part.sum(1), minlength=theta.size)
    return totals[0], totals[1], totals[2]


def _panels(
    segments: Sequence[Segment], theta: np.ndarray, sigma: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The panels of every θ that have a width, in √u: row of θ, lower end, width."""
    fixed = sorted({0.0} | {y for s in segments for y in (s.y0, s.y1)})
    near = theta[:, None] + sigma[:, None] * (Z_BREAKS if k <= 64 else Z_BREAKS_FINE)
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
