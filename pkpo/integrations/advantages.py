"""Advantages of a flat batch, as trainers have it: scores in any order, groups of any size."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np

from pkpo.estimators import arrays
from pkpo.estimators.arrays import Array, ArrayLike
from pkpo.estimators.estimator import Estimator
from pkpo.estimators.registry import get_estimator
from pkpo.estimators.transforms import transform
from pkpo.schedules import Schedule, parse

SCALES = ("group", "prompt", "sum")
TOO_SMALL = ("clip", "zero", "error")


def group_advantages(
    scores: ArrayLike,
    group_index: Iterable[Hashable] | None,
    k: int | str | Schedule,
    estimator: str = "sloo_minus_one",
    *,
    valid: ArrayLike | None = None,
    scale: str = "group",
    too_small: str = "clip",
    step: int | None = None,
) -> Any:
    r"""The advantage of every sample of a batch, from the scores of its group.

    A trainer's loss is a mean over samples, a mean over prompts, or a sum; `transform` gives weights
    w for a sum over one group (arXiv:2505.15201, Eq. 18). `scale` is what stands between the two, so
    that the loss's gradient is that of max@k, averaged over prompts ("sum": summed).

    Args:
      scores: `[B]`, NumPy array, list of numbers, torch tensor or JAX array on any device; or a list of
        one-dimensional arrays, one per group.
      group_index: `[B]`, to which group each score belongs: numbers, texts, anything hashable, in any
        order; None for a list of arrays.
      k: attempts that count, or a schedule (or its text) of which k is taken at `step`.
      estimator: a key of `pkpo.ESTIMATORS`.
      valid: `[B]`, true or false: samples that count. Others get 0 and take no part in their group.
      scale: "group" gives n·w, n being the group's valid samples: for losses that average over the
        samples of a group and then over groups, and for means over all samples of groups of one size.
        "prompt" gives w·B/G, for losses that average over all B samples, of G groups of any sizes.
        "sum" gives w, for losses that sum.
      too_small: what becomes of groups whose size does not allow this k: "clip" takes the largest k
        below that is allowed, "zero" gives 0, "error" is a ValueError. Where no k is allowed, such as
        for a group of one, "clip" gives 0.
      step: the update, if k is a schedule.

    Returns:
      `[B]`, same library, device and floating type as `scores` (see `transform`); or a list of arrays.

    Raises:
      ValueError: naming the argument, its value and what is allowed.
    """
    if scale not in SCALES:
        raise ValueError(
            f"scale must be one of {', '.join(SCALES)}, got {arrays.abbreviate(scale)}"
        )
    if too_small not in TOO_SMALL:
        raise ValueError(
            f"too_small must be one of {', '.join(TOO_SMALL)}, got {arrays.abbreviate(too_small)}"
        )
    if group_index is None:
        return _of_list(scores, k, estimator, valid, scale, too_small, step)
    kept = _k_at(k, step)
    entry = get_estimator(estimator)
    given = arrays.numbers("scores", scores)
    if given.ndim != 1:
        raise ValueError(f"scores must have one dimension, got shape {tuple(given.shape)}")
    count = len(given)
    groups = _codes(group_index, count)
    counted = _flags(valid, count)
    order = np.flatnonzero(counted)
    order = order[np.argsort(groups[order], kind="stable")]  # the valid samples, group by group
    sizes = np.bincount(groups[order], minlength=0)
    starts = np.cumsum(sizes) - sizes
    number = int(np.count_nonzero(sizes))
    result = arrays.zeros_for_weights(given)
    for size in np.unique(sizes[sizes > 0]).tolist():
        allowed = _allowed_k(entry, size, kept, too_small)
        if allowed is None:
            continue
        rows = order[
            starts[sizes == size][:, None] + np.arange(size)
        ]  # [groups of this size, size]
        places: Any = arrays.index_like(rows, given)
        factor = {"group": size, "prompt": count / number, "sum": 1}[scale]
        weights = transform(given[places], allowed, estimator) * factor
        result = arrays.put(result, places, weights)
    return result


def _of_list(
    scores: Any,
    k: int | str | Schedule,
    estimator: str,
    valid: Any,
    scale: str,
    too_small: str,
    step: int | None,
) -> list[Array]:
    if not isinstance(scores, (list, tuple)) or not scores or not all(_is_row(x) for x in scores):
        raise ValueError(
            "group_index must be given, or scores be a list of one-dimensional arrays, got "
            f"{arrays.abbreviate(scores)}"
        )
    lengths = [len(x) for x in scores]
    flags = None
    if valid is not None:
        if [len(x) for x in valid] != lengths:
            raise ValueError("valid must have the same lengths as scores")
        flags = np.concatenate([_flags(x, len(x)) for x in valid])
    found = group_advantages(
        arrays.concatenate(scores),
        np.repeat(np.arange(len(scores)), lengths),
        k,
        estimator,
        valid=flags,
        scale=scale,
        too_small=too_small,
        step=step,
    )
    ends = np.cumsum(lengths).tolist()
    return [found[end - length : end] for end, length in zip(ends, lengths, strict=True)]


def _is_row(x: Any) -> bool:
    return getattr(x, "ndim", 0) == 1


def _k_at(k: int | str | Schedule, step: int | None) -> int:
    if isinstance(k, str):
        k = parse(k)
    if not isinstance(k, Schedule):
        if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
            raise ValueError(
                f"k must be a whole number from 1, or a schedule, got {arrays.abbreviate(k)}"
            )
        return int(k)
    if step is None:
        if k.is_constant:
            return k(0)
        raise ValueError(f"step must be given where k is a schedule, got k = '{k}' and no step")
    return k(step)


def _allowed_k(entry: Estimator, size: int, k: int, too_small: str) -> int | None:
    """The k to take for groups of a size; None for advantages of 0."""
    allowed = entry.allowed_k(size)
    if k in allowed:
        return k
    if too_small == "error":
        entry.check(size, k)  # raises, naming n and k
    if too_small == "zero":
        return None
    return max((smaller for smaller in allowed if smaller < k), default=None)


def _codes(group_index: Any, count: int) -> np.ndarray:
    """The groups as whole numbers from 0, `[B]`."""
    if arrays.is_tensor(group_index) or arrays.is_jax(group_index):
        group_index = arrays.to_numpy(group_index)
    given = group_index if isinstance(group_index, np.ndarray) else list(group_index)
    if len(given) != count or getattr(given, "ndim", 1) != 1:
        raise ValueError(f"group_index must have {count} entries, as scores, got {len(given)}")
    if isinstance(given, np.ndarray) and given.dtype.kind in "biufUS":
        if given.dtype.kind == "f" and not np.isfinite(given).all():
            raise ValueError("group_index must be finite, got nan or infinity")
        codes: np.ndarray = np.unique(given, return_inverse=True)[1].reshape(-1)
        return codes
    try:
        places = {name: place for place, name in enumerate(dict.fromkeys(given))}
    except TypeError as reason:
        raise ValueError(f"group_index must be hashable: {reason}") from None
    return np.fromiter(map(places.__getitem__, given), np.intp, count)


def _flags(valid: Any, count: int) -> np.ndarray:
    """Which samples count, `[B]`."""
    if valid is None:
        return np.ones(count, bool)
    flags = arrays.to_numpy(arrays.numbers("valid", valid))
    if flags.shape != (count,) or not np.isin(flags, (0, 1)).all():
        raise ValueError(
            f"valid must be {count} times true or false, as scores, got {arrays.abbreviate(valid)}"
        )
    return flags.astype(bool)
