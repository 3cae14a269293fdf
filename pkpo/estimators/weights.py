"""The estimators' weights: closed forms in the sorted rewards, and plain definitions.

Everything here takes checked float64 rewards `[..., n]` and a checked k, and works on NumPy arrays,
torch tensors and JAX arrays alike (JAX without jax_enable_x64: in float32); `pkpo.estimators.transform`
checks them. The package's docstring derives the closed forms.
"""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from pkpo.estimators import arrays
from pkpo.estimators.arrays import Array

# Each returns (slope, base, floor) for n and k: with gaps d_i = g_{i+1} - g_i, i = 1..n-1, the weight
# of the smallest reward is base . d + floor g_1, and each step up adds slope_i d_i.

TABLE = 1 << 16  # factors of a binomial ratio that are held at once

Coefficients: TypeAlias = tuple[np.ndarray, Any, float]
"""(slope `[n-1]`, base `[n-1]` or None for zeros, floor)."""


def _below(n: int, k: int) -> np.ndarray:
    """C(i, k) / C(n, k) for i = 0..n: the share of size-k subsets within the i smallest."""
    i = np.arange(n, 0, -1)
    ratios = np.maximum(i - k, 0) / i
    return np.concatenate([np.cumprod(ratios)[::-1], [1.0]]) if n else np.ones(1)


def pass_at_k_table(n: int, k: int, c_max: int) -> np.ndarray:
    """1 - C(n-c, k) / C(n, k) for c = 0..c_max, without cancellation."""
    return np.concatenate([[0.0], -np.expm1(np.cumsum(_log_shares(n, k, 0, c_max)))])


def _log_shares(n: int, k: int, start: int, end: int) -> np.ndarray:
    """log(1 - k / (n-i)) for i = start..end-1; all from 0 on sum to log(C(n-end, k) / C(n, k))."""
    i = np.arange(n - start, n - end, -1)
    with np.errstate(divide="ignore"):
        # Near 0, k/i loses nothing, near 1 the difference of whole numbers.
        return np.where(
            2 * k < i, np.log1p(-np.minimum(k / i, 0.5)), np.log(np.maximum(i - k, 0) / i)
        )


def pass_at_k_of_counts(n: int, k: int, c: np.ndarray) -> np.ndarray:
    """1 - C(n-c, k) / C(n, k) for whole c in 0..n, any shape, in memory that does not grow with n."""
    if c.max() <= max(TABLE, 8 * c.size):
        found: np.ndarray = pass_at_k_table(n, k, int(c.max()))[c]
        return found
    distinct, place = np.unique(c, return_inverse=True)
    return np.array([_solved_once(n, k, int(x)) for x in distinct])[place.reshape(c.shape)]


def _solved_once(n: int, k: int, c: int) -> float:
    few, many = sorted((c, k))  # the formula is symmetric in the two: take the shorter product
    if not few:
        return 0.0
    # Each factor is at most 1 - many/n, so that the product is below 1e-18 after so many of them.
    factors = min(few, 42 * n // many + 1)
    blocks = range(0, factors, TABLE)
    log = sum(float(_log_shares(n, many, i, min(i + TABLE, factors)).sum()) for i in blocks)
    return -math.expm1(log)


def centred(slope: np.ndarray, n: int) -> Coefficients:
    """The coefficients with the given slopes whose weights sum to zero."""
    return slope, -slope * np.arange(n - 1, 0, -1) / n, 0.0


def s_coefficients(n: int, k: int) -> Coefficients:
    """s (arXiv:2505.15201, Eq. 19): a_i = C(i-1, k-1) / C(n, k)."""
    slope = k / n * _below(n - 1, k - 1)[:-1]
    return slope, k / n - slope, k / n


def sloo_coefficients(n: int, k: int) -> Coefficients:
    """s^(loo) (Eq. 29): s minus k/(n-1) times the best of k without the sample."""
    slope, base, floor = s_coefficients(n, k)
    share = k / (n - 1)
    without_first = 1.0 - _below(n - 1, k)[:-1]
    return (
        slope * (1 + k * n / ((n - 1) * (n - k))),
        base - share * without_first,
        floor - share,
    )


def sloo_minus_one_coefficients(n: int, k: int) -> Coefficients:
    """s^(loo-1) (Eq. 33): a_i = C(i, k-1) / C(n, k) from 0; leave-one-out centring at k = 1."""
    if k == 1:
        return rloo_coefficients(n)
    return k / (n - k + 1) * _below(n, k - 1)[1:-1], None, 0.0


def canonical_coefficients(n: int, k: int) -> Coefficients:
    """s, centred and rescaled by 1/(1 - k/n) (arXiv:2606.06080)."""
    return centred(k / (n - k) * _below(n - 1, k - 1)[:-1], n)


def dial_coefficients(alpha: float, n: int, k: int) -> Coefficients:
    """The line through loo-1 (alpha = 0) and canonical (alpha = 1)."""
    low, low_base, _ = sloo_minus_one_coefficients(n, k)
    high, high_base, _ = canonical_coefficients(n, k)
    base = alpha * high_base + (0.0 if low_base is None else (1 - alpha) * low_base)
    return (1 - alpha) * low + alpha * high, base, 0.0


def mix_coefficients(alpha: float, n: int, k: int) -> Coefficients:
    """(1 - alpha) times leave-one-out centring, for max@1, plus alpha times loo-1, for max@k."""
    low, low_base, _ = rloo_coefficients(n)
    high, high_base, _ = sloo_minus_one_coefficients(n, k)
    base = (1 - alpha) * low_base + (0.0 if high_base is None else alpha * high_base)
    return (1 - alpha) * low + alpha * high, base, 0.0


def rloo_coefficients(n: int, k: int = 1) -> Coefficients:
    """Leave-one-out centring over n (arXiv:2402.14740); k has no effect."""
    return centred(np.full(n - 1, 1 / (n - 1)), n)


def tailrl_coefficients(n: int, k: int) -> Coefficients:
    """TailRL (arXiv:2609.02987): a_i = 1/(n-i), centred; k has no effect."""
    return centred(1 / np.arange(n - 1, 0, -1), n)


@functools.lru_cache(maxsize=32)
def _coefficients(formula: Callable[[int, int], Coefficients], n: int, k: int) -> Coefficients:
    """A formula's coefficients, computed once per n and k."""
    return formula(n, k)


@functools.lru_cache(maxsize=32)
def _coefficients_on(
    formula: Callable[[int, int], Coefficients], n: int, k: int, device: Any
) -> tuple[Array, Array | None, float]:
    """The same as tensors on an accelerator, copied to it once."""
    with sys.modules["torch"].inference_mode(False):  # they serve in a later backward, too
        slope, base, floor = _as_tensors(*_coefficients(formula, n, k))
        return slope.to(device), None if base is None else base.to(device), floor


def _as_tensors(slope: np.ndarray, base: Any, floor: float) -> tuple[Array, Array | None, float]:
    """The same as tensors on the CPU, which share their memory: nothing to keep."""
    from_numpy = sys.modules["torch"].from_numpy
    return from_numpy(slope), None if base is None else from_numpy(base), floor


@functools.lru_cache(maxsize=64)
def _row_coefficients(
    formula: Callable[[int, int], Coefficients], n: int, ks: tuple[int, ...], axes: int
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """A formula's coefficients for rows with these k, to multiply NumPy rewards of so many axes."""
    slopes, bases, floors = zip(*(formula(n, k) for k in ks), strict=True)
    full = [np.zeros(n - 1) if base is None else base for base in bases]
    slope, base, floor = (
        np.array(x, float).reshape(len(ks), *[1] * (axes - 2), -1) for x in (slopes, full, floors)
    )
    return slope, base if base.any() else None, floor if floor.any() else None


@dataclass(frozen=True, slots=True)
class LinearWeights:
    """Weights that are linear in the sorted rewards, from the coefficients that a formula gives."""

    formula: Callable[[int, int], Coefficients]

    def __call__(self, r: Array, k: int) -> Array:
        """Weights `[..., n]` from one sort, one product with the gaps and one cumulative sum."""
        slope, base, floor = self.coefficients(r, k)
        return _apply(r, slope, base, floor if floor else None)

    def coefficients(self, r: Array, k: int) -> tuple[Array, Array | None, float]:
        """(slope, base, floor), to multiply rewards `[..., n]` with."""
        n = arrays.group_size(r)
        if isinstance(r, np.ndarray):
            return self._known(n, k, None)
        if arrays.is_tensor(r):
            return self._known(n, k, r.device)
        slope, base, floor = self._known(n, k, None)
        return slope.astype(r.dtype), None if base is None else base.astype(r.dtype), floor

    @arrays.fixed
    def _known(self, n: int, k: int, device: Any) -> tuple[Array, Array | None, float]:
        """The same as tensors on a device (None: as NumPy arrays)."""
        if device is None:
            return _coefficients(self.formula, n, k)
        if device.type == "cpu":
            return _as_tensors(*_coefficients(self.formula, n, k))
        return _coefficients_on(self.formula, n, k, device)

    def rows(self, r: np.ndarray, ks: tuple[int, ...]) -> Array:
        """The same of rewards `[R, ..., n]` with a k for each of R rows."""
        return _apply(r, *_row_coefficients(self.formula, r.shape[-1], ks, r.ndim))


def _apply(r: Array, slope: Array, base: Array | None, floor: Any) -> Array:
    ascending, order = arrays.sort(r)
    gaps = ascending[..., 1:] - ascending[..., :-1]
    weights = arrays.after_zero(arrays.running_sum(gaps * slope, gaps), ascending)
    if base is not None:
        weights += (gaps * base).sum(-1)[..., None]
    if floor is not None:
        weights += ascending[..., :1] * floor
    return arrays.unsort(weights, order)


def mean_best_of_k(r: Array, k: int) -> Array:
    """The average best of k, `[...]`, as the smallest reward plus weighted gaps."""
    slope, _, _ = _VALUES.coefficients(r, k)
    ascending, _ = arrays.sort(r)
    gaps = ascending[..., 1:] - ascending[..., :-1]
    return ascending[..., 0] + (gaps * slope).sum(-1)


def _value_coefficients(n: int, k: int) -> Coefficients:
    return pass_at_k_table(n, k, n - 1)[:0:-1].copy(), None, 1.0  # torch takes no negative strides


_VALUES = LinearWeights(_value_coefficients)
_ALL_SUBSETS = LinearWeights(s_coefficients)
_LEAVE_ONE_OUT = LinearWeights(rloo_coefficients)
_LOO_MINUS_ONE = LinearWeights(sloo_minus_one_coefficients)


# --- The others: straight from their definitions ----------------------------------------------------


def _mean(x: Array) -> Array:
    return x.sum(-1)[..., None] / x.shape[-1]


def _from_mean(r: Array) -> Array:
    """r minus its group mean; exactly zero where the group is constant."""
    shifted = r - r[..., :1]
    return shifted - _mean(shifted)


def reinforce(r: Array, k: int) -> Array:
    """Every reward over n."""
    return r / r.shape[-1]


def dr_grpo(r: Array, k: int) -> Array:
    """Rewards minus their mean, over n (arXiv:2503.20783)."""
    return _from_mean(r) / r.shape[-1]


def grpo(r: Array, k: int) -> Array:
    """Rewards standardised within the group, over n (arXiv:2402.03300)."""
    n = r.shape[-1]
    deviation = _from_mean(r)
    std = ((deviation**2).sum(-1)[..., None] / (n - 1)) ** 0.5
    return deviation / (std + 1e-4) / n


def maxrl(r: Array, k: int) -> Array:
    """Rewards minus their mean, over the mean and n; 0 where all are 0 (arXiv:2602.02710)."""
    mean = _mean(r)
    return _from_mean(r) / (mean + (mean == 0)) / r.shape[-1]


def passk_training(r: Array, k: int) -> Array:
    """(q_i - v_k) / sqrt(v_k (1 - v_k)) over n, for 0/1 rewards (arXiv:2508.10751)."""
    n = r.shape[-1]
    v = mean_best_of_k(r, k)[..., None]
    spread = (v * (1 - v)) ** 0.5
    alive = (v > 0) & (v < 1)
    deviation = _from_mean(_ALL_SUBSETS(r, k) * (n / k))
    return deviation * alive / (spread + ~alive) / n


def _sets(r: Array, k: int) -> Array:
    return r.reshape(*r.shape[:-1], r.shape[-1] // k, k)


def _best_of_sets(r: Array, k: int) -> Array:
    """`[..., n/k, k]`: every member's entry is the best reward of its set of k."""
    sets = _sets(r, k)
    best, _ = arrays.sort(sets)
    return best[..., -1:] + 0.0 * sets


def naive(r: Array, k: int) -> Array:
    """Each member of a set of k gets the best of its set."""
    return (k / r.shape[-1] * _best_of_sets(r, k)).reshape(r.shape)


def naive_baselined(r: Array, k: int) -> Array:
    """As `naive`, minus the mean of what the other sets get."""
    count = r.shape[-1] // k
    best = _best_of_sets(r, k)
    shifted = best - best[..., :1, :]
    others = (shifted.sum(-2)[..., None, :] - shifted) / (count - 1)
    return (k / r.shape[-1] * (shifted - others)).reshape(r.shape)


def rs_grpo(beta: float, r: Array, k: int) -> Array:
    """(e^(beta r_i) / mean of e^(beta r_j) - 1) / beta, over n (arXiv:2509.24261); k has no effect."""
    ascending, _ = arrays.sort(r)
    most = ascending[..., -1:] if beta > 0 else ascending[..., :1]
    raised = arrays.namespace(r).exp(beta * (r - most))
    return _from_mean(raised) / _mean(raised) / (beta * r.shape[-1])


BISECTIONS = 60
STEEPNESS = (-30.0, 20.0)
"""log2 of beta times the group's range, between which it is looked for."""


def entropic(budget: float, r: Array, k: int) -> Array:
    """e^(beta r_i) over its mean of the others, less 1, over n (arXiv:2601.16175); k has no effect.

    beta is the group's own: the softmax of beta r is `budget` nats away from uniform (Kullback and
    Leibler), or, where the best are so many that it cannot be, all on the best.
    """
    if not isinstance(r, np.ndarray):  # some dozen small sums, in one order everywhere
        return arrays.like(entropic(budget, arrays.to_numpy(r).astype(float), k), r)
    n = r.shape[-1]
    least, most = r.min(-1, keepdims=True), r.max(-1, keepdims=True)
    span = most - least
    below = (r - most) / (span + (span == 0))  # from -1 to 0
    low, high = (np.full_like(span, end) for end in STEEPNESS)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        logits = 2**middle * below
        raised = np.exp(logits)
        total = raised.sum(-1, keepdims=True)
        spent = (raised * logits).sum(-1, keepdims=True) / total - np.log(total / n)
        low, high = np.where(spent < budget, middle, low), np.where(spent < budget, high, middle)
    raised = np.exp(2**high * below)
    rest = np.sort(raised, axis=-1)[..., :-1].sum(-1, keepdims=True)  # without one of the best
    others = np.where(below == 0, rest, rest + 1 - raised)
    advantages = raised * (n - 1) / (others + (span == 0)) - 1
    return np.where(span > 0, advantages / n, 0.0)


def sloo_minus_one_partitioned(r: Array, k: int) -> Array:
    """loo-1 inside each set of k, averaged over sets (arXiv:2503.19595)."""
    n = r.shape[-1]
    if k == 1:  # a set of one has nobody to leave out: centre over the group, as loo-1 does
        return _LEAVE_ONE_OUT(r, 1)
    sets = _sets(r, k)
    return (k / n * _LOO_MINUS_ONE(sets, k)).reshape(r.shape)
