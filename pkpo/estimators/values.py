"""Unbiased estimates of pass@k and max@k from samples that were drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np

from pkpo.estimators import arrays, weights
from pkpo.estimators.arrays import Array, ArrayLike, check_k

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch


def pass_at_k(n: ArrayLike, c: ArrayLike, k: ArrayLike) -> Any:
    r"""Unbiased estimate of pass@k from c correct samples out of n (arXiv:2505.15201, Eq. 3).

    $\rho(n, c, k) = 1 - \binom{n-c}{k} / \binom{n}{k}$, computed as a product of ratios, so that
    n = 1,000,000 neither overflows nor cancels.

    Args:
      n: samples drawn, whole numbers >= 1.
      c: how many of them are correct, 0 <= c <= n.
      k: attempts kept, 1 <= k <= n.

    Returns:
      A float for three scalars; otherwise float64 of the broadcast shape, a torch tensor or a
      JAX array (on the same device; float32 where there is no float64) if any argument is one.

    Raises:
      ValueError: a value outside its range, or one that is not a whole number.
    """
    given = next((x for x in (n, c, k) if arrays.is_tensor(x) or arrays.is_jax(x)), None)
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
    if given is not None:
        return arrays.like(result, given)
    return float(result) if result.ndim == 0 else result


@overload
def rho(rewards: torch.Tensor, k: int, *, check: bool = ...) -> torch.Tensor: ...


@overload
def rho(rewards: npt.ArrayLike, k: int, *, check: bool = ...) -> np.ndarray: ...


def rho(rewards: ArrayLike, k: int, *, check: bool = True) -> Array:
    r"""Unbiased estimate of max@k from one group of rewards (arXiv:2505.15201, Eq. 12).

    Averages the best of k over every size-k subset of the n samples:
    $\rho = \binom{n}{k}^{-1}\sum_{i=k}^{n}\binom{i-1}{k-1} g_{i}$, g sorted ascending.

    Args:
      rewards: `[..., n]`, one group per row, higher is better.
      k: attempts kept, 1 <= k <= n.
      check: whether the rewards' values are checked, as in `transform`.

    Returns:
      `[...]`, floating, same library and device as `rewards`. It has a gradient in
      torch and JAX: the i-th smallest reward has the derivative $\binom{i-1}{k-1} / \binom{n}{k}$.
      Equal rewards take their places in the order of the sort: one of the subgradients.

    Raises:
      ValueError: k outside 1..n, an empty group, or a reward that is not finite.
    """
    r, restore = arrays.prepare(rewards, check, differentiable=True)
    return restore(weights.mean_best_of_k(r, check_k(k, arrays.group_size(r))))


def _whole(name: str, x: ArrayLike) -> np.ndarray:
    values = arrays.to_numpy(arrays.numbers(name, x))
    if values.dtype.kind not in "iu":
        raise ValueError(f"{name} must be whole numbers, got {arrays.abbreviate(x)}")
    return values


def _within(name: str, x: np.ndarray, low: int, high: np.ndarray | None) -> None:
    wrong = x < low
    if high is not None:
        wrong = wrong | (x > high)
    if wrong.any():
        limit = f"at least {low}" if high is None else f"from {low} to n = {high[wrong][0]}"
        raise ValueError(f"{name} must be {limit}, got {x[wrong][0]}")
