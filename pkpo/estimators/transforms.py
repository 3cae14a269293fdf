"""From one group's rewards to policy-gradient weights, by the name of an estimator."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, overload

import numpy as np

from pkpo.estimators import arrays
from pkpo.estimators.arrays import Array, ArrayLike
from pkpo.estimators.registry import get_estimator
from pkpo.estimators.weights import LinearWeights

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch


@overload
def transform(
    rewards: torch.Tensor, k: int, estimator: str = ..., *, check: bool = ...
) -> torch.Tensor: ...


@overload
def transform(
    rewards: npt.ArrayLike, k: int, estimator: str = ..., *, check: bool = ...
) -> np.ndarray: ...


def transform(
    rewards: ArrayLike, k: int, estimator: str = "sloo_minus_one", *, check: bool = True
) -> Array:
    r"""Turn one group's rewards into policy-gradient weights: the one changed line.

    The gradient estimate is $\sum_i w_i \nabla\log\pi(x_i)$, a SUM over the group (arXiv:2505.15201,
    Eq. 18); a trainer that averages over samples must multiply by n.

    Args:
      rewards: `[..., n]`, one group per row: NumPy array, torch tensor, JAX array (any device), or list.
      k: attempts kept. Which values are allowed depends on the estimator: `Estimator.allowed_k`.
      estimator: a key of `ESTIMATORS`; a parameter follows a colon, as in "dial:0.3".
      check: whether the rewards' values are checked, which reads them on the host. Without it nothing
        waits for a device, torch.compile makes one graph, and vmap and jax.jit work; rewards that the
        estimator does not take then give weights that mean nothing, and no error. k is checked always.

    Returns:
      `[..., n]` weights, same library and device as `rewards`; float64 for integer, boolean and
      float64 rewards (float32 on a device that knows no float64, and in JAX without jax_enable_x64,
      which also works in float32), otherwise their own floating type. They carry no gradient.

    Raises:
      ValueError: an unknown estimator, a k that it does not allow for this n, an empty group, or a
        reward that is not finite, beyond ±1e150 or outside what the estimator accepts; rewards that are
        masked, sparse, ragged or a list of tensors; or weights too large for the rewards' own type.
        Without checks: no NumPy array, for an estimator that NumPy works out (`Estimator.on_host`).
    """
    chosen = get_estimator(estimator)
    r, restore = arrays.prepare(rewards, check)
    chosen.check(arrays.group_size(r), k)
    if check:
        chosen.check_rewards(r)
    elif chosen.on_host and not isinstance(r, np.ndarray):
        raise ValueError(f"check must be True for estimator {chosen.key!r}, which NumPy works out")
    return restore(chosen.weigh(r, operator.index(k)))


def transform_rows(rewards: np.ndarray, k: np.ndarray, estimator: str) -> Array:
    """`transform` with a k of its own for each row: the same weights, in one call.

    Args:
      rewards: `[R, ..., n]`.
      k: `[R]`, whole numbers.
      estimator: as in `transform`.

    Raises:
      ValueError: as `transform`, or rewards and k of different lengths.
    """
    chosen = get_estimator(estimator)
    r, restore = arrays.prepare(rewards)
    ks = k.tolist()
    if len(ks) != len(r):
        raise ValueError(f"k must hold one number for each of {len(r)} rows, got {len(ks)}")
    for distinct in set(ks):
        chosen.check(r.shape[-1], distinct)
    chosen.check_rewards(r)
    if not chosen.uses_k or len(set(ks)) == 1:
        return restore(chosen.weigh(r, ks[0]))
    if isinstance(chosen.weigh, LinearWeights):
        return restore(chosen.weigh.rows(r, tuple(ks)))
    result = np.empty_like(r)
    for distinct in set(ks):
        result[k == distinct] = chosen.weigh(r[k == distinct], distinct)
    return restore(result)


@overload
def s(rewards: torch.Tensor, k: int, *, check: bool = ...) -> torch.Tensor: ...


@overload
def s(rewards: npt.ArrayLike, k: int, *, check: bool = ...) -> np.ndarray: ...


def s(rewards: ArrayLike, k: int, *, check: bool = True) -> Array:
    """All-subsets weights without a baseline, s (arXiv:2505.15201, Eq. 19). See `transform`."""
    return transform(rewards, k, "s", check=check)


@overload
def sloo(rewards: torch.Tensor, k: int, *, check: bool = ...) -> torch.Tensor: ...


@overload
def sloo(rewards: npt.ArrayLike, k: int, *, check: bool = ...) -> np.ndarray: ...


def sloo(rewards: ArrayLike, k: int, *, check: bool = True) -> Array:
    """Leave-one-out weights, s^(loo) (arXiv:2505.15201, Eq. 29); k <= n-1. See `transform`."""
    return transform(rewards, k, "sloo", check=check)


@overload
def sloo_minus_one(rewards: torch.Tensor, k: int, *, check: bool = ...) -> torch.Tensor: ...


@overload
def sloo_minus_one(rewards: npt.ArrayLike, k: int, *, check: bool = ...) -> np.ndarray: ...


def sloo_minus_one(rewards: ArrayLike, k: int, *, check: bool = True) -> Array:
    """Leave-one-out-minus-one weights, s^(loo-1): PKPO (arXiv:2505.15201, Eq. 33).

    At k = 1, where Eq. 33 is not defined, ordinary leave-one-out centring over n (Eq. 26), in the
    same convention, so that annealing into k = 1 does not jump. See `transform`.
    """
    return transform(rewards, k, "sloo_minus_one", check=check)


@overload
def canonical(rewards: torch.Tensor, k: int, *, check: bool = ...) -> torch.Tensor: ...


@overload
def canonical(rewards: npt.ArrayLike, k: int, *, check: bool = ...) -> np.ndarray: ...


def canonical(rewards: ArrayLike, k: int, *, check: bool = True) -> Array:
    """Centred all-subsets weights (arXiv:2606.06080, arXiv:2606.06096); k <= n-1.

    They sum to zero, so a trainer that subtracts the group mean again changes nothing. See
    `transform`.
    """
    return transform(rewards, k, "canonical", check=check)
