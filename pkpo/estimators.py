r"""Estimators of pass@k and max@k, and of their policy gradients, from one group of rewards.

A group is the n rewards of n i.i.d. samples of one prompt; it is the last axis everywhere, and any
leading axes are a batch. Gradient estimators return *weights* `w` in the SUM convention of
arXiv:2505.15201, Eq. 18:

$$\widehat{\nabla}_\theta = \sum_{i=1}^{n} w_i \nabla_\theta \log\pi_\theta(x_i).$$

The 1/n lives inside `w`: a trainer that averages over samples must multiply by n.

One idea carries the closed forms. Sort the group ascending, $g_1 \le \dots \le g_n$. Every estimator
that averages over size-k subsets is symmetric in the samples and linear in the sorted rewards, so
neighbouring weights differ by a multiple of the *gap* between their rewards,

$$w_{i+1} - w_i = a_i\,(g_{i+1} - g_i),$$

where $a_i$ depends on n, k and the estimator only. One sort, one product with the gaps and one
cumulative sum give all n weights, and equal rewards get exactly equal weights. For the paper's
recommended estimator, loo-minus-one, $w_1 = 0$ and $a_i = \binom{i}{k-1}/\binom{n}{k}$: nothing but
a sum of non-negative terms.

NumPy arrays and torch tensors (any device) go through the same code: it uses only what both offer
as operators and methods, and torch is never imported from here.
"""

from __future__ import annotations

import functools
import math
import operator
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any
"""A NumPy array or a torch tensor."""
ArrayLike: TypeAlias = Any
"""An `Array`, or a (nested) list or scalar of numbers."""


# --- Values -------------------------------------------------------------------------------------


def pass_at_k(n: ArrayLike, c: ArrayLike, k: ArrayLike) -> Any:
    r"""Unbiased estimate of pass@k from c correct samples out of n (arXiv:2505.15201, Eq. 3).

    $\rho(n, c, k) = 1 - \binom{n-c}{k} / \binom{n}{k}$, computed as a product of ratios, so that
    n = 1,000,000 neither overflows nor cancels.

    Args:
      n: samples drawn, whole numbers >= 1.
      c: how many of them are correct, 0 <= c <= n.
      k: attempts kept, 1 <= k <= n.

    Returns:
      A float for three scalars; otherwise float64 of the broadcast shape, a torch tensor (on the
      same device) if any argument is one.

    Raises:
      ValueError: a value outside its range, or one that is not a whole number.
    """
    tensor = next((x for x in (n, c, k) if _is_tensor(x)), None)
    counts = [_whole(name, x) for name, x in (("n", n), ("c", c), ("k", k))]
    try:
        n, c, k = np.broadcast_arrays(*counts)
    except ValueError:
        shapes = ", ".join(str(x.shape) for x in counts)
        raise ValueError(f"n, c and k must broadcast together, got shapes {shapes}") from None
    _within("n", n, 1, None)
    _within("c", c, 0, n)
    _within("k", k, 1, n)
    result = np.empty(n.shape)
    for size, kept in {(int(a), int(b)) for a, b in zip(n.flat, k.flat, strict=True)}:
        here = (n == size) & (k == kept)
        result[here] = _above(size, kept, int(c[here].max()))[c[here]]
    if tensor is not None:
        return sys.modules["torch"].as_tensor(result, device=tensor.device)
    return float(result) if result.ndim == 0 else result


def rho(rewards: ArrayLike, k: int) -> Array:
    r"""Unbiased estimate of max@k from one group of rewards (arXiv:2505.15201, Eq. 12).

    Averages the best of k over every size-k subset of the n samples:
    $\rho = \binom{n}{k}^{-1}\sum_{i=k}^{n}\binom{i-1}{k-1} g_{i}$, g sorted ascending.

    Args:
      rewards: `[..., n]`, one group per row, higher is better.
      k: attempts kept, 1 <= k <= n.

    Returns:
      `[...]`, floating, same library and device as `rewards`.

    Raises:
      ValueError: k outside 1..n, an empty group, or a reward that is not finite.
    """
    r, restore = _prepare(rewards)
    return restore(_value(r, _check_k(k, r.shape[-1])))


# --- Weights ------------------------------------------------------------------------------------


def transform(rewards: ArrayLike, k: int, estimator: str = "sloo_minus_one") -> Array:
    r"""Turn one group's rewards into policy-gradient weights: the one changed line.

    The gradient estimate is $\sum_i w_i \nabla\log\pi(x_i)$, a SUM over the group (arXiv:2505.15201,
    Eq. 18); a trainer that averages over samples must multiply by n.

    Args:
      rewards: `[..., n]`, one group per row: NumPy array, torch tensor on any device, or list.
      k: attempts kept. Which values are allowed depends on the estimator: `Estimator.allowed_k`.
      estimator: a key of `ESTIMATORS`; a parameter follows a colon, as in "dial:0.3".

    Returns:
      `[..., n]` weights, same library and device as `rewards`; float64 for integer, boolean and
      float64 rewards, otherwise their own floating type. They carry no autograd graph.

    Raises:
      ValueError: an unknown estimator, a k that it does not allow for this n, an empty group, or a
        reward that is not finite (or outside what the estimator accepts).
    """
    chosen = get_estimator(estimator)
    r, restore = _prepare(rewards)
    chosen.check(r.shape[-1], k)
    return restore(chosen.weigh(r, operator.index(k)))


def s(rewards: ArrayLike, k: int) -> Array:
    """All-subsets weights without a baseline, s (arXiv:2505.15201, Eq. 19). See `transform`."""
    return transform(rewards, k, "s")


def sloo(rewards: ArrayLike, k: int) -> Array:
    """Leave-one-out weights, s^(loo) (arXiv:2505.15201, Eq. 29); k <= n-1. See `transform`."""
    return transform(rewards, k, "sloo")


def sloo_minus_one(rewards: ArrayLike, k: int) -> Array:
    """Leave-one-out-minus-one weights, s^(loo-1): PKPO (arXiv:2505.15201, Eq. 33).

    At k = 1, where Eq. 33 is not defined, ordinary leave-one-out centring over n (Eq. 26), in the
    same convention, so that annealing into k = 1 does not jump. See `transform`.
    """
    return transform(rewards, k, "sloo_minus_one")


def canonical(rewards: ArrayLike, k: int) -> Array:
    """Centred all-subsets weights (arXiv:2606.06080, arXiv:2606.06096); k <= n-1.

    They sum to zero, so a trainer that subtracts the group mean again changes nothing. See
    `transform`.
    """
    return transform(rewards, k, "canonical")


# --- The registry -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimator:
    """What is known of one estimator; pages and the command line list from it."""

    key: str
    label: str
    formula: str
    """LaTeX of the weight w_i in the sum convention."""
    reference: str
    optimises: str
    """What the expected direction is the gradient of."""
    unbiased: bool
    """Unbiased for the gradient of max@k at every allowed k."""
    centred: bool
    """The weights of a group sum to zero at every allowed k."""
    needs: str
    """In words, which n, k and rewards it needs."""
    allowed_k: Callable[[int], Sequence[int]]
    """n -> the values of k it allows, ascending; empty where n is too small."""
    weigh: Callable[[Array, int], Array]
    """(float64 `[..., n]`, checked k) -> weights `[..., n]`."""
    uses_k: bool = True
    linear: bool = True
    """Linear in the sorted rewards: an n x n matrix that depends on n and k only."""
    symmetric: bool = True
    """Does not depend on the order of the samples."""
    parameter: float | None = None

    def check(self, n: int, k: int) -> None:
        """Raise the ValueError that `transform` would raise for this n and k."""
        k = _check_k(k, n)
        allowed = self.allowed_k(n)
        if not allowed:
            raise ValueError(
                f"n = {n} is too small for estimator {self.key!r}: it needs {self.needs}"
            )
        if k not in allowed:
            shown = _show_range(allowed)
            raise ValueError(
                f"k = {k} is not allowed with n = {n} for estimator {self.key!r}, which needs "
                f"{self.needs}: k must be {shown}"
            )


def get_estimator(name: str) -> Estimator:
    """The registered estimator of that name; "dial:0.3" carries its parameter after a colon.

    Raises:
      ValueError: the name is not registered, or its parameter is missing or not a finite number.
    """
    found = ESTIMATORS.get(name) if isinstance(name, str) else None
    if found is not None:
        return found
    key, colon, text = str(name).partition(":")
    if not colon or key != "dial":
        raise ValueError(
            f"estimator must be one of {', '.join(ESTIMATORS)} (or dial:ALPHA), got {name!r}"
        )
    try:
        alpha = math.nan if any(c.isspace() or c == "_" for c in text) else float(text)
    except ValueError:
        alpha = math.nan
    if not math.isfinite(alpha):
        raise ValueError(f"estimator {name!r}: alpha must be a finite number, as in 'dial:0.3'")
    return _dial(alpha, name)


@functools.lru_cache(maxsize=32)  # one object per α, so that its coefficients are found again
def _dial(alpha: float, key: str) -> Estimator:
    return Estimator(
        key=key,
        label=f"Dial, α = {alpha:g}",
        formula=r"\frac{k}{n}\Big(q_i - v_{k-1}^{(-i)} - \alpha\,(v_k^{(-i)} - v_{k-1}^{(-i)})\Big)",
        reference="this lab: α = 0 is loo-1, α = 1 canonical",
        optimises="max@k",
        unbiased=True,
        centred=alpha == 1,
        needs="1 <= k <= n-1",
        allowed_k=_up_to_one_less,
        weigh=functools.partial(_linear, functools.partial(_dial_coefficients, alpha)),
        parameter=alpha,
    )


# Which k each estimator allows, as functions of n.


def _up_to_n(n: int) -> Sequence[int]:
    return range(1, n + 1)


def _up_to_n_of_two(n: int) -> Sequence[int]:
    return range(1, n + 1) if n >= 2 else ()


def _up_to_one_less(n: int) -> Sequence[int]:
    return range(1, n)


def _divisors(n: int) -> Sequence[int]:
    return tuple(k for k in range(1, n + 1) if n % k == 0)


def _divisors_of_two(n: int) -> Sequence[int]:
    return _divisors(n) if n >= 2 else ()


def _proper_divisors(n: int) -> Sequence[int]:
    return _divisors(n)[:-1]


# --- Closed forms in the sorted rewards: coefficients of the gaps ----------------------------------
#
# Each returns (slope, base, floor) for n and k: with gaps d_i = g_{i+1} - g_i, i = 1..n-1, the weight
# of the smallest reward is base . d + floor g_1, and each step up adds slope_i d_i.

Coefficients: TypeAlias = tuple[np.ndarray, Any, float]
"""(slope `[n-1]`, base `[n-1]` or None for zeros, floor)."""


def _below(n: int, k: int) -> np.ndarray:
    """C(i, k) / C(n, k) for i = 0..n: the share of size-k subsets within the i smallest."""
    i = np.arange(n, 0, -1)
    ratios = np.maximum(i - k, 0) / i
    return np.concatenate([np.cumprod(ratios)[::-1], [1.0]]) if n else np.ones(1)


def _above(n: int, k: int, c_max: int) -> np.ndarray:
    """1 - C(n-c, k) / C(n, k) for c = 0..c_max, without cancellation."""
    i = np.arange(n, n - c_max, -1)
    with np.errstate(divide="ignore"):
        logs = np.log1p(-np.minimum(k / i, 1.0))
    return np.concatenate([[0.0], -np.expm1(np.cumsum(logs))])


def _centred(slope: np.ndarray, n: int) -> Coefficients:
    """The coefficients with the given slopes whose weights sum to zero."""
    return slope, -slope * np.arange(n - 1, 0, -1) / n, 0.0


def _s_coefficients(n: int, k: int) -> Coefficients:
    slope = k / n * _below(n - 1, k - 1)[:-1]
    return slope, k / n - slope, k / n


def _sloo_coefficients(n: int, k: int) -> Coefficients:
    slope, base, floor = _s_coefficients(n, k)
    share = k / (n - 1)
    without_first = 1.0 - _below(n - 1, k)[:-1]
    return (
        slope * (1 + k * n / ((n - 1) * (n - k))),
        base - share * without_first,
        floor - share,
    )


def _sloo_minus_one_coefficients(n: int, k: int) -> Coefficients:
    if k == 1:
        return _rloo_coefficients(n)
    return k / (n - k + 1) * _below(n, k - 1)[1:-1], None, 0.0


def _canonical_coefficients(n: int, k: int) -> Coefficients:
    return _centred(k / (n - k) * _below(n - 1, k - 1)[:-1], n)


def _dial_coefficients(alpha: float, n: int, k: int) -> Coefficients:
    low, low_base, _ = _sloo_minus_one_coefficients(n, k)
    high, high_base, _ = _canonical_coefficients(n, k)
    base = alpha * high_base + (0.0 if low_base is None else (1 - alpha) * low_base)
    return (1 - alpha) * low + alpha * high, base, 0.0


def _rloo_coefficients(n: int, k: int = 1) -> Coefficients:
    return _centred(np.full(n - 1, 1 / (n - 1)), n)


def _tailrl_coefficients(n: int, k: int) -> Coefficients:
    return _centred(1 / np.arange(n - 1, 0, -1), n)


@functools.lru_cache(maxsize=32)
def _coefficients(
    formula: Callable[[int, int], Coefficients], n: int, k: int, device: Any
) -> tuple[Array, Array | None, float]:
    """A formula's coefficients, computed once per n, k and device (None: NumPy)."""
    slope, base, floor = formula(n, k)
    if device is not None:
        torch = sys.modules["torch"]
        slope = torch.as_tensor(slope, device=device)
        base = None if base is None else torch.as_tensor(base, device=device)
    return slope, base, floor


def _linear(formula: Callable[[int, int], Coefficients], r: Array, k: int) -> Array:
    """Weights `[..., n]` from one sort, one product with the gaps and one cumulative sum."""
    n = r.shape[-1]
    device = r.device if _is_tensor(r) else None
    slope, base, floor = _coefficients(formula, n, k, device)
    ascending, order = _sort(r)
    gaps = ascending[..., 1:] - ascending[..., :-1]
    weights = ascending * 0.0
    weights[..., 1:] = _running_sum(gaps * slope, gaps)
    if base is not None:
        weights += (gaps * base).sum(-1)[..., None]
    if floor:
        weights += ascending[..., :1] * floor
    return _unsort(weights, order)


def _value(r: Array, k: int) -> Array:
    """The average best of k, `[...]`, as the smallest reward plus weighted gaps."""
    n = r.shape[-1]
    device = r.device if _is_tensor(r) else None
    slope, _, _ = _coefficients(_value_coefficients, n, k, device)
    ascending, _ = _sort(r)
    gaps = ascending[..., 1:] - ascending[..., :-1]
    return ascending[..., 0] + (gaps * slope).sum(-1)


def _value_coefficients(n: int, k: int) -> Coefficients:
    return _above(n, k, n - 1)[:0:-1].copy(), None, 1.0  # torch takes no negative strides


# --- The others: straight from their definitions ----------------------------------------------------


def _mean(x: Array) -> Array:
    return x.sum(-1)[..., None] / x.shape[-1]


def _from_mean(r: Array) -> Array:
    """r minus its group mean; exactly zero where the group is constant."""
    shifted = r - r[..., :1]
    return shifted - _mean(shifted)


def _reinforce(r: Array, k: int) -> Array:
    return r / r.shape[-1]


def _dr_grpo(r: Array, k: int) -> Array:
    return _from_mean(r) / r.shape[-1]


def _grpo(r: Array, k: int) -> Array:
    n = r.shape[-1]
    deviation = _from_mean(r)
    std = ((deviation**2).sum(-1)[..., None] / (n - 1)) ** 0.5
    return deviation / (std + 1e-4) / n


def _maxrl(r: Array, k: int) -> Array:
    if bool((r < 0).any()):
        raise ValueError(f"rewards must be >= 0 for estimator 'maxrl', got {float(r.min()):g}")
    mean = _mean(r)
    return _from_mean(r) / (mean + (mean == 0)) / r.shape[-1]


def _passk_training(r: Array, k: int) -> Array:
    odd = (r != 0) & (r != 1)
    if bool(odd.any()):
        raise ValueError(
            f"rewards must be 0 or 1 for estimator 'passk_training', got {float(r[odd][0]):g}"
        )
    n = r.shape[-1]
    v = _value(r, k)[..., None]
    spread = (v * (1 - v)) ** 0.5
    alive = (v > 0) & (v < 1)
    deviation = _from_mean(_linear(_s_coefficients, r, k) * (n / k))
    return deviation * alive / (spread + ~alive) / n


def _sets(r: Array, k: int) -> Array:
    return r.reshape(*r.shape[:-1], r.shape[-1] // k, k)


def _best_of_sets(r: Array, k: int) -> Array:
    """`[..., n/k, k]`: every member's entry is the best reward of its set of k."""
    sets = _sets(r, k)
    best, _ = _sort(sets)
    return best[..., -1:] + 0.0 * sets


def _naive(r: Array, k: int) -> Array:
    return (k / r.shape[-1] * _best_of_sets(r, k)).reshape(r.shape)


def _naive_baselined(r: Array, k: int) -> Array:
    count = r.shape[-1] // k
    best = _best_of_sets(r, k)
    shifted = best - best[..., :1, :]
    others = (shifted.sum(-2)[..., None, :] - shifted) / (count - 1)
    return (k / r.shape[-1] * (shifted - others)).reshape(r.shape)


def _sloo_minus_one_partitioned(r: Array, k: int) -> Array:
    n = r.shape[-1]
    if k == 1:  # a set of one has nobody to leave out: centre over the group, as loo-1 does
        return _linear(_rloo_coefficients, r, 1)
    sets = _sets(r, k)
    return (k / n * _linear(_sloo_minus_one_coefficients, sets, k)).reshape(r.shape)


ESTIMATORS: dict[str, Estimator] = {
    entry.key: entry
    for entry in (
        Estimator(
            key="s",
            label="All subsets (s)",
            formula=r"\frac{1}{\binom{n}{k}} \sum_{|I|=k,\, I \ni i} \max_{j \in I} r_j"
            r" = \frac{k}{n}\, q_i",
            reference="arXiv:2505.15201, Eq. 19",
            optimises="max@k",
            unbiased=True,
            centred=False,
            needs="1 <= k <= n",
            allowed_k=_up_to_n,
            weigh=functools.partial(_linear, _s_coefficients),
        ),
        Estimator(
            key="sloo",
            label="Leave one out (loo)",
            formula=r"\frac{k}{n}\, q_i - \frac{k}{n-1}\, v_k^{(-i)}",
            reference="arXiv:2505.15201, Eq. 29",
            optimises="max@k",
            unbiased=True,
            centred=False,
            needs="1 <= k <= n-1",
            allowed_k=_up_to_one_less,
            weigh=functools.partial(_linear, _sloo_coefficients),
        ),
        Estimator(
            key="sloo_minus_one",
            label="PKPO (loo-1)",
            formula=r"\frac{1}{\binom{n}{k}} \sum_{|I|=k,\, I \ni i}"
            r" \Big(\max_{j \in I} r_j - \max_{j \in I,\, j \neq i} r_j\Big)"
            r" = \frac{k}{n}\Big(q_i - v_{k-1}^{(-i)}\Big)",
            reference="arXiv:2505.15201, Eq. 33 (k = 1: Eq. 26)",
            optimises="max@k",
            unbiased=True,
            centred=False,
            needs="n >= 2 and 1 <= k <= n",
            allowed_k=_up_to_n_of_two,
            weigh=functools.partial(_linear, _sloo_minus_one_coefficients),
        ),
        Estimator(
            key="canonical",
            label="Canonical (centred s)",
            formula=r"\frac{k}{n}\Big(q_i - v_k^{(-i)}\Big)"
            r" = \frac{k}{n} \cdot \frac{q_i - v_k}{1 - k/n}",
            reference="arXiv:2606.06080, arXiv:2606.06096",
            optimises="max@k",
            unbiased=True,
            centred=True,
            needs="1 <= k <= n-1",
            allowed_k=_up_to_one_less,
            weigh=functools.partial(_linear, _canonical_coefficients),
        ),
        _dial(0.5, "dial"),
        Estimator(
            key="naive",
            label="Partitioned",
            formula=r"\frac{k}{n} \max_{j \in \mathrm{set}(i)} r_j",
            reference="arXiv:2505.15201, Section 5.1",
            optimises="max@k",
            unbiased=True,
            centred=False,
            needs="a k that divides n",
            allowed_k=_divisors,
            weigh=_naive,
            linear=False,
            symmetric=False,
        ),
        Estimator(
            key="naive_baselined",
            label="Partitioned, baselined",
            formula=r"\frac{k}{n} \Big(\max_{j \in \mathrm{set}(i)} r_j"
            r" - \operatorname{mean}_{S \neq \mathrm{set}(i)} \max_{j \in S} r_j\Big)",
            reference="arXiv:2505.15201, Section 5.1",
            optimises="max@k",
            unbiased=True,
            centred=True,
            needs="a k that divides n, and n >= 2k",
            allowed_k=_proper_divisors,
            weigh=_naive_baselined,
            linear=False,
            symmetric=False,
        ),
        Estimator(
            key="sloo_minus_one_partitioned",
            label="Partitioned loo-1",
            formula=r"\frac{k}{n}\, s^{(\mathrm{loo}-1)}_i \text{ within the set of } k",
            reference="arXiv:2503.19595, extended to n > k",
            optimises="max@k",
            unbiased=True,
            centred=False,
            needs="n >= 2 and a k that divides n",
            allowed_k=_divisors_of_two,
            weigh=_sloo_minus_one_partitioned,
            linear=False,
            symmetric=False,
        ),
        Estimator(
            key="rloo",
            label="RLOO",
            formula=r"\frac{1}{n} \Big(r_i - \frac{1}{n-1} \sum_{j \neq i} r_j\Big)",
            reference="arXiv:2402.14740",
            optimises="the mean reward, that is max@1 (unbiased)",
            unbiased=False,
            centred=True,
            needs="n >= 2; k has no effect",
            allowed_k=_up_to_n_of_two,
            weigh=functools.partial(_linear, _rloo_coefficients),
            uses_k=False,
        ),
        Estimator(
            key="reinforce",
            label="REINFORCE",
            formula=r"\frac{1}{n}\, r_i",
            reference="Williams (1992)",
            optimises="the mean reward, that is max@1 (unbiased)",
            unbiased=False,
            centred=False,
            needs="n >= 1; k has no effect",
            allowed_k=_up_to_n,
            weigh=_reinforce,
            uses_k=False,
        ),
        Estimator(
            key="grpo",
            label="GRPO",
            formula=r"\frac{1}{n} \cdot \frac{r_i - \bar r}{\operatorname{std}(r) + 10^{-4}}",
            reference="arXiv:2402.03300",
            optimises="a mean reward rescaled per prompt (biased)",
            unbiased=False,
            centred=True,
            needs="n >= 2; k has no effect",
            allowed_k=_up_to_n_of_two,
            weigh=_grpo,
            uses_k=False,
            linear=False,
        ),
        Estimator(
            key="dr_grpo",
            label="Dr. GRPO",
            formula=r"\frac{1}{n} (r_i - \bar r)",
            reference="arXiv:2503.20783",
            optimises="(1 - 1/n) times the mean reward",
            unbiased=False,
            centred=True,
            needs="n >= 2; k has no effect",
            allowed_k=_up_to_n_of_two,
            weigh=_dr_grpo,
            uses_k=False,
        ),
        Estimator(
            key="maxrl",
            label="MaxRL",
            formula=r"\frac{1}{n} \cdot \frac{r_i - \bar r}{\bar r}",
            reference="arXiv:2602.02710",
            optimises="the sum of pass@j / j over j = 1..n-1 (binary rewards)",
            unbiased=False,
            centred=True,
            needs="n >= 2 and rewards >= 0; k has no effect",
            allowed_k=_up_to_n_of_two,
            weigh=_maxrl,
            uses_k=False,
            linear=False,
        ),
        Estimator(
            key="tailrl",
            label="TailRL",
            formula=r"\frac{1}{n} (W_i - \bar W), \quad"
            r" W_{(i)} = n \sum_{j \le i} \frac{r_{(j)} - r_{(j-1)}}{n - j + 1}",
            reference="arXiv:2609.02987",
            optimises="the sum of max@j / j over j = 1..n-1",
            unbiased=False,
            centred=True,
            needs="n >= 2; k has no effect",
            allowed_k=_up_to_n_of_two,
            weigh=functools.partial(_linear, _tailrl_coefficients),
            uses_k=False,
        ),
        Estimator(
            key="passk_training",
            label="Pass@k Training",
            formula=r"\frac{1}{n} \cdot \frac{q_i - v_k}{\sqrt{v_k (1 - v_k)}}",
            reference="arXiv:2508.10751",
            optimises="max@k with a scale that depends on the prompt (biased)",
            unbiased=False,
            centred=True,
            needs="1 <= k <= n and rewards 0 or 1",
            allowed_k=_up_to_n,
            weigh=_passk_training,
            linear=False,
        ),
    )
}
"""Every registered estimator by its key."""


# --- NumPy and torch at the boundary ----------------------------------------------------------------


def _is_tensor(x: Any) -> bool:
    torch = sys.modules.get("torch")  # a tensor can only exist once torch has been imported
    return torch is not None and isinstance(x, torch.Tensor)


def _prepare(rewards: ArrayLike) -> tuple[Array, Callable[[Array], Array]]:
    """Checked rewards in float64, and the function that gives a result the caller's type back."""
    if _is_tensor(rewards):
        torch = sys.modules["torch"]
        if rewards.is_complex():
            raise ValueError(f"rewards must be real numbers, got a tensor of {rewards.dtype}")
        dtype = rewards.dtype if rewards.is_floating_point() else torch.float64
        home = rewards.device
        away = "cpu" if home.type == "mps" else home  # mps has no float64
        r = rewards.detach().to(device=away, dtype=torch.float64)
        finite = torch.isfinite(r)

        def restore(w: Array) -> Array:
            return w.to(device=home, dtype=dtype)
    else:
        try:
            given = np.asarray(rewards)
        except ValueError:
            raise ValueError(
                "rewards must be a rectangular array, got rows of unequal length"
            ) from None
        if given.dtype.kind not in "biuf":
            raise ValueError(f"rewards must be real numbers, got an array of {given.dtype}")
        target = given.dtype if given.dtype.kind == "f" else np.dtype(np.float64)
        r = given.astype(np.float64)
        finite = np.isfinite(r)

        def restore(w: Array) -> Array:
            return w.astype(target, copy=False)

    if r.ndim == 0 or r.shape[-1] == 0:
        raise ValueError(
            f"rewards must hold at least one sample on the last axis, got shape {tuple(r.shape)}"
        )
    if not bool(finite.all()):
        bad = float(r[~finite].reshape(-1)[0])
        raise ValueError(f"rewards must be finite, got {bad}")
    return r, restore


def _sort(r: Array) -> tuple[Array, Array]:
    """The rewards ascending on the last axis, and the order that sorts them, for `_unsort`."""
    if _is_tensor(r):
        return r.sort(-1)
    first = np.arange(0, r.size, r.shape[-1]).reshape(*r.shape[:-1], 1)  # of each row, flat
    order = r.argsort(-1, kind="stable") + first
    return r.take(order), order


def _unsort(weights: Array, order: Array) -> Array:
    """Undo `_sort`."""
    if _is_tensor(weights):
        return weights.new_empty(weights.shape).scatter_(-1, order, weights)
    result = np.empty_like(weights)
    result.put(order, weights)
    return result


def _running_sum(terms: Array, gaps: Array) -> Array:
    """The cumulative sum over the last axis, exactly constant across zero gaps."""
    total = terms.cumsum(-1)
    if not _is_tensor(terms) or terms.device.type == "cpu":
        return total  # summed in order: adding a zero changes nothing
    # An accelerator sums in blocks, whose rounding can part equal rewards: read every tie's value
    # at the end of its run's first gap.
    torch = sys.modules["torch"]
    place = torch.arange(gaps.shape[-1], device=gaps.device).expand(gaps.shape)
    first = torch.where(gaps > 0, place, -1).cummax(-1).values
    return torch.where(first < 0, 0.0, total.gather(-1, first.clamp(min=0)))


# --- Checks -------------------------------------------------------------------------------------


def _check_k(k: int, n: int) -> int:
    try:
        whole = None if isinstance(k, (bool, np.bool_)) else operator.index(k)
    except TypeError:
        whole = None
    if whole is None:
        raise ValueError(f"k must be a whole number from 1 to n = {n}, got {k!r}")
    if not 1 <= whole <= n:
        raise ValueError(f"k must be from 1 to n = {n}, got {whole}")
    return whole


def _whole(name: str, x: ArrayLike) -> np.ndarray:
    values = np.asarray(x.detach().cpu() if _is_tensor(x) else x)
    if values.dtype.kind not in "iu":
        raise ValueError(f"{name} must be whole numbers, got {x!r}")
    return values


def _within(name: str, x: np.ndarray, low: int, high: np.ndarray | None) -> None:
    wrong = x < low
    if high is not None:
        wrong = wrong | (x > high)
    if wrong.any():
        limit = f"at least {low}" if high is None else f"from {low} to n = {high[wrong][0]}"
        raise ValueError(f"{name} must be {limit}, got {x[wrong][0]}")


def _show_range(allowed: Sequence[int]) -> str:
    if len(allowed) > 2 and allowed[-1] - allowed[0] == len(allowed) - 1:
        return f"from {allowed[0]} to {allowed[-1]}"
    if len(allowed) > 12:
        return ", ".join(map(str, allowed[:12])) + ", ..."
    return " or ".join(map(str, allowed)) if len(allowed) < 3 else ", ".join(map(str, allowed))
