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

NumPy arrays and torch tensors (any device) go through the same code, in `pkpo.weights`.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pkpo import arrays, weights
from pkpo.arrays import Array, ArrayLike

ALPHA_LIMIT = 1e6
"""Of the dial's parameter, up or down."""

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
      same device; float32 if that knows no float64) if any argument is one.

    Raises:
      ValueError: a value outside its range, or one that is not a whole number.
    """
    tensor = next((x for x in (n, c, k) if arrays.is_tensor(x)), None)
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
        result[here] = weights.pass_at_k_of_counts(size, kept, c[here])
    if tensor is not None:
        return arrays.tensor_like(result, tensor)
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
    r, restore = arrays.prepare(rewards)
    return restore(weights.mean_best_of_k(r, _check_k(k, r.shape[-1])))


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
      float64 rewards (float32 on a device that knows no float64), otherwise their own floating type.
      They carry no autograd graph.

    Raises:
      ValueError: an unknown estimator, a k that it does not allow for this n, an empty group, or a
        reward that is not finite, beyond ±1e150 or outside what the estimator accepts; rewards that are
        masked, sparse, ragged or a list of tensors; or weights too large for the rewards' own type.
    """
    chosen = get_estimator(estimator)
    r, restore = arrays.prepare(rewards)
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


LEAVE_ONE_OUT = r"\frac{1}{n} \Big(r_i - \frac{1}{n-1} \sum_{j \neq i} r_j\Big)"
"""LaTeX of leave-one-out centring (arXiv:2505.15201, Eq. 26) in the sum convention."""


# --- The registry -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimator:
    """What is known of one estimator; pages and the command line list from it."""

    key: str
    label: str
    formula: str
    """LaTeX of the weight w_i in the sum convention; see `formula_at`."""
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
    binary: bool = False
    """Takes rewards 0 and 1 only."""
    parameter: float | None = None
    formula_at_one: str = ""
    """LaTeX of w_i at k = 1, where another rule is in force there."""

    def formula_at(self, k: int) -> str:
        """LaTeX of the rule that is in force at this k."""
        return self.formula_at_one if k == 1 and self.formula_at_one else self.formula

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
      ValueError: the name is not registered, or its parameter is missing or not a number within
        ±ALPHA_LIMIT.
    """
    found = ESTIMATORS.get(name) if isinstance(name, str) else None
    if found is not None:
        return found
    key, colon, text = str(name).partition(":")
    if not colon or key != "dial":
        raise ValueError(
            f"estimator must be one of {', '.join(ESTIMATORS)} (or dial:ALPHA), "
            f"got {arrays.shown(name)}"
        )
    try:
        alpha = math.nan if any(c.isspace() or c == "_" for c in text) else float(text)
    except ValueError:
        alpha = math.nan
    if not abs(alpha) <= ALPHA_LIMIT:  # not true of nan, either
        raise ValueError(
            f"estimator {arrays.shown(name)}: alpha must be a finite number within ±{ALPHA_LIMIT:g}, "
            "as in 'dial:0.3'"
        )
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
        weigh=functools.partial(
            weights.linear_weights, functools.partial(weights.dial_coefficients, alpha)
        ),
        parameter=alpha,
        formula_at_one=LEAVE_ONE_OUT,
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
            weigh=functools.partial(weights.linear_weights, weights.s_coefficients),
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
            weigh=functools.partial(weights.linear_weights, weights.sloo_coefficients),
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
            weigh=functools.partial(weights.linear_weights, weights.sloo_minus_one_coefficients),
            formula_at_one=LEAVE_ONE_OUT,
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
            weigh=functools.partial(weights.linear_weights, weights.canonical_coefficients),
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
            weigh=weights.naive,
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
            weigh=weights.naive_baselined,
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
            weigh=weights.sloo_minus_one_partitioned,
            formula_at_one=LEAVE_ONE_OUT,
            linear=False,
            symmetric=False,
        ),
        Estimator(
            key="rloo",
            label="RLOO",
            formula=LEAVE_ONE_OUT,
            reference="arXiv:2402.14740",
            optimises="the mean reward, that is max@1 (unbiased)",
            unbiased=False,
            centred=True,
            needs="n >= 2; k has no effect",
            allowed_k=_up_to_n_of_two,
            weigh=functools.partial(weights.linear_weights, weights.rloo_coefficients),
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
            weigh=weights.reinforce,
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
            weigh=weights.grpo,
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
            weigh=weights.dr_grpo,
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
            weigh=weights.maxrl,
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
            weigh=functools.partial(weights.linear_weights, weights.tailrl_coefficients),
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
            weigh=weights.passk_training,
            binary=True,
            linear=False,
        ),
    )
}
"""Every registered estimator by its key."""


# --- Checks -------------------------------------------------------------------------------------


def _check_k(k: int, n: int) -> int:
    try:
        # Booleans and one-element tensors would pass for a number.
        boolean = isinstance(k, bool) or str(getattr(k, "dtype", "")) in ("bool", "torch.bool")
        whole = None if boolean or getattr(k, "ndim", 0) > 0 else operator.index(k)
    except (TypeError, RuntimeError):
        whole = None
    if whole is None:
        raise ValueError(f"k must be a whole number from 1 to n = {n}, got {arrays.shown(k)}")
    if not 1 <= whole <= n:
        raise ValueError(f"k must be from 1 to n = {n}, got {arrays.shown(whole)}")
    return whole


def _whole(name: str, x: ArrayLike) -> np.ndarray:
    values = arrays.numbers(name, x)
    values = values.detach().cpu().numpy() if arrays.is_tensor(values) else values
    if values.dtype.kind not in "iu":
        raise ValueError(f"{name} must be whole numbers, got {arrays.shown(x)}")
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
