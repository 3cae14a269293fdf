"""NumPy arrays and torch tensors through one door.

The estimators use only what both libraries offer as operators and methods; the few things that they
do differently are here. torch is never imported: a tensor can only come from a caller who has.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any
"""A NumPy array or a torch tensor."""
ArrayLike: TypeAlias = Any
"""An `Array`, or a (nested) list or scalar of numbers."""


def is_tensor(x: Any) -> bool:
    """Whether x is a torch tensor."""
    torch = sys.modules.get("torch")  # a tensor can only exist once torch has been imported
    return torch is not None and isinstance(x, torch.Tensor)


def prepare(rewards: ArrayLike) -> tuple[Array, Callable[[Array], Array]]:
    """Checked rewards in float64, and the function that gives a result the caller's type back."""
    if is_tensor(rewards):
        torch = sys.modules["torch"]
        if rewards.is_complex():
            raise ValueError(f"rewards must be real numbers, got a tensor of {rewards.dtype}")
        dtype = rewards.dtype if rewards.is_floating_point() else torch.float64
        home = rewards.device
        away = "cpu" if home.type == "mps" else home  # mps has no float64
        r = rewards.detach().to(device=away, dtype=torch.float64)
        # Not a number and infinities show in the extremes, which cost a tenth of a full check.
        ends = torch.stack(torch.aminmax(r)) if r.numel() else r
        all_finite = bool(torch.isfinite(ends).all())

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
        all_finite = bool(np.isfinite(r).all())

        def restore(w: Array) -> Array:
            return w.astype(target, copy=False)

    if r.ndim == 0 or r.shape[-1] == 0:
        raise ValueError(
            f"rewards must hold at least one sample on the last axis, got shape {tuple(r.shape)}"
        )
    if not all_finite:
        flat = (float(value) for value in r.reshape(-1))
        bad = next(value for value in flat if not math.isfinite(value))
        raise ValueError(f"rewards must be finite, got {bad}")
    return r, restore


def sort(r: Array) -> tuple[Array, Array]:
    """The rewards ascending on the last axis, and the order that sorts them, for `unsort`."""
    if is_tensor(r):
        return r.sort(-1)
    first = np.arange(0, r.size, r.shape[-1]).reshape(*r.shape[:-1], 1)  # of each row, flat
    order = r.argsort(-1, kind="stable") + first
    return r.take(order), order


def unsort(weights: Array, order: Array) -> Array:
    """Undo `sort`."""
    if is_tensor(weights):
        return weights.new_empty(weights.shape).scatter_(-1, order, weights)
    result = np.empty_like(weights)
    result.put(order, weights)
    return result


def running_sum(terms: Array, gaps: Array) -> Array:
    """The cumulative sum over the last axis, exactly constant across zero gaps."""
    total = terms.cumsum(-1)
    if not is_tensor(terms) or terms.device.type == "cpu":
        return total  # summed in order: adding a zero changes nothing
    # An accelerator sums in blocks, whose rounding can part equal rewards: read every tie's value
    # at the end of its run's first gap.
    torch = sys.modules["torch"]
    place = torch.arange(gaps.shape[-1], device=gaps.device).expand(gaps.shape)
    first = torch.where(gaps > 0, place, -1).cummax(-1).values
    return torch.where(first < 0, 0.0, total.gather(-1, first.clamp(min=0)))
