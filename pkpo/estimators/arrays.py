"""NumPy arrays, torch tensors and JAX arrays through one door.

The estimators use only what all three offer as operators and methods; the few things that they do
differently are here. torch and JAX are never imported: their arrays can only come from a caller who has.
"""

from __future__ import annotations

import functools
import math
import operator
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np

Array: TypeAlias = Any
"""A NumPy array, a torch tensor or a JAX array."""
ArrayLike: TypeAlias = Any
"""An `Array`, or a (nested) list or scalar of numbers."""


REWARD_LIMIT = 1e150
"""Of a reward, up or down: the sums and squares that estimators take of a group stay finite."""
SHOWN_CHARACTERS = 80  # characters of a caller's value in a message
DEEP = 64  # nested lists that NumPy follows


Function = TypeVar("Function", bound=Callable[..., Any])


def fixed(function: Function) -> Function:
    """Mark what depends on sizes and names only: torch.compile calls it once and keeps the result.

    It is what `torch.compiler.assume_constant_result` does, without importing torch.
    """
    function._dynamo_marked_constant = True  # type: ignore[attr-defined]
    return function


def is_tensor(x: Any) -> bool:
    """Whether x is a torch tensor."""
    torch = sys.modules.get("torch")  # a tensor can only exist once torch has been imported
    return torch is not None and isinstance(x, torch.Tensor)


def is_jax(x: Any) -> bool:
    """Whether x is a JAX array, or stands for one inside jax.jit and its like."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(x, getattr(jax, "Array", ()))


def to_numpy(x: Array) -> np.ndarray:
    """The same numbers as a NumPy array."""
    return np.asarray(x.detach().cpu() if is_tensor(x) else x)


def abbreviate(value: Any) -> str:
    """A caller's value for a message, in one short line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 3] + "..."


@functools.cache
def has_float64(device_type: str) -> bool:
    """Whether a kind of torch device, such as "cuda", knows float64; mps does not."""
    torch = sys.modules["torch"]
    try:
        torch.empty(1, dtype=torch.float64, device=device_type)
    except (TypeError, RuntimeError):
        return False
    return True


def like(values: np.ndarray, given: Array) -> Array:
    """Values in the library and on the device of another array, in float64 or the widest type there."""
    if is_jax(given):
        jax = sys.modules["jax"]
        return jax.device_put(
            jax.numpy.asarray(values, _widest_of_jax()), next(iter(given.devices()))
        )
    if not is_tensor(given):
        return values
    torch = sys.modules["torch"]
    return torch.as_tensor(values).to(_widest(given.device)).to(given.device)


@fixed
def _widest(device: Any) -> Any:
    torch = sys.modules["torch"]
    return torch.float64 if has_float64(device.type) else torch.float32


def _widest_of_jax() -> Any:
    """float64 where jax_enable_x64 is on, else float32."""
    return sys.modules["jax"].numpy.result_type(float)


def numbers(name: str, x: ArrayLike, check: bool = True) -> Array:
    """A caller's argument as it is, if a tensor or a JAX array, else as a NumPy array; values unchecked.

    Args:
      name: of the argument, for messages.
      x: what was given.
      check: whether its values will be read: a tensor on the device meta has none.

    Raises:
      ValueError: neither, or one whose entries would be lost or cannot be read: masked, sparse, ragged,
        on the meta device, or a list of tensors.
    """
    if is_tensor(x):
        if problem := _unreadable(x, check):
            raise ValueError(f"{name} must be real numbers, got {problem}")
        return x
    if is_jax(x):
        return x
    if problem := _hidden_inside(x):
        raise ValueError(f"{name} must be real numbers, got {problem}")
    try:
        return np.asarray(x)
    except ValueError:
        raise ValueError(
            f"{name} must be a rectangular array, got rows of unequal length"
        ) from None
    except (TypeError, RuntimeError):
        raise ValueError(f"{name} must be real numbers, got {abbreviate(x)}") from None


def _unreadable(x: Array, check: bool) -> str:
    """What keeps a tensor's entries from being read as they stand; "" if nothing does."""
    torch = sys.modules["torch"]
    if x.is_nested:
        return "a nested tensor: rows must have equal length"
    if isinstance(x, torch.masked.MaskedTensor):
        return "a masked tensor: leave masked samples out"
    if x.layout is not torch.strided:
        return "a sparse tensor: x.to_dense() makes it plain"
    if check and x.is_meta:
        return "a tensor without data, on the device meta"
    return f"a tensor of {x.dtype}" if x.is_complex() else ""


def _hidden_inside(x: Any, depth: int = 0) -> str:
    """What NumPy would silently read as plain numbers in a (nested) list; "" for nothing."""
    if isinstance(x, np.ma.MaskedArray):
        return "a masked array: leave masked samples out"
    if is_tensor(x):
        return "a list of tensors: torch.stack(x) makes one"
    if not isinstance(x, (list, tuple)) or set(map(type, x)) <= {float, int, bool} or depth > DEEP:
        return ""
    return next(filter(None, (_hidden_inside(item, depth + 1) for item in x)), "")


def prepare(
    rewards: ArrayLike, check: bool = True, differentiable: bool = False
) -> tuple[Array, Callable[[Array], Array]]:
    """Rewards in float64 (JAX: its widest type), and what gives a result the caller's type back.

    Args:
      rewards: `[..., n]`.
      check: whether their values are read, and refused where they are not finite or too large; without
        it nothing waits for a device, and nothing depends on a value.
      differentiable: whether what is made of them carries their gradient.
    """
    given = numbers("rewards", rewards, check)
    limit = REWARD_LIMIT
    if is_tensor(given):
        torch = sys.modules["torch"]
        home = given.device
        widest = _widest(home)
        stays = widest is torch.float64
        dtype = given.dtype if given.is_floating_point() else widest
        r = given if differentiable else given.detach()
        r = (r if stays else r.cpu()).to(torch.float64)
        # Not a number and what is too large show in the extremes, which cost a tenth of a full check.
        ends = r.detach() if r.requires_grad else r
        if check and r.numel():
            ends = torch.stack(torch.aminmax(ends))

        def restore(w: Array) -> Array:
            result = w if w.dtype is dtype else w.to(dtype)
            if check and dtype is not torch.float64 and not bool(torch.isfinite(result).all()):
                raise _too_wide_for(dtype)
            return result if stays else result.to(home)
    elif is_jax(given):
        jax = sys.modules["jax"]
        is_a = functools.partial(jax.numpy.issubdtype, given.dtype)
        floating = is_a(jax.numpy.floating)
        if not (floating or is_a(jax.numpy.integer) or is_a(bool)):
            raise ValueError(f"rewards must be real numbers, got an array of {given.dtype}")
        narrow = given.dtype if floating else _widest_of_jax()
        r = ends = (given if differentiable else jax.lax.stop_gradient(given)).astype(
            _widest_of_jax()
        )

        limit = min(limit, float(np.finfo(r.dtype).max))

        def restore(w: Array) -> Array:
            result = w.astype(narrow)
            if check and narrow != np.float64 and not _holds(jax.numpy.isfinite(result)):
                raise _too_wide_for(narrow)
            return result
    else:
        if given.dtype.kind not in "biuf":
            raise ValueError(f"rewards must be real numbers, got an array of {given.dtype}")
        target = given.dtype if given.dtype.kind == "f" else np.dtype(np.float64)
        with np.errstate(over="ignore"):  # of a wider type: infinite, and refused below
            r = ends = given.astype(np.float64)

        def restore(w: Array) -> Array:
            with np.errstate(over="ignore"):
                result = w.astype(target, copy=False)
            if check and target.itemsize < w.dtype.itemsize and not np.isfinite(result).all():
                raise _too_wide_for(target)
            return result

    if r.ndim == 0 or r.shape[-1] == 0:
        raise ValueError(
            f"rewards must hold at least one sample on the last axis, got shape {tuple(r.shape)}"
        )
    if check and not _holds(abs(ends) <= limit):  # not true of nan, either
        flat = (float(value) for value in r.reshape(-1))
        bad = next(value for value in flat if not abs(value) <= REWARD_LIMIT)
        allowed = f"within ±{REWARD_LIMIT:g}" if math.isfinite(bad) else "finite"
        raise ValueError(f"rewards must be {allowed}, got {bad}")
    return r, restore


def _holds(condition: Array) -> bool:
    """Whether a condition holds everywhere."""
    if isinstance(condition, np.ndarray) or is_tensor(condition):
        return bool(condition.all())
    try:
        return bool(condition.all())
    except sys.modules["jax"].errors.ConcretizationTypeError:
        raise ValueError(
            "check must be False where rewards have no values yet, as inside jax.jit and jax.vmap"
        ) from None


def zeros_for_weights(given: Array) -> Array:
    """Zeros in the shape of rewards and the type of their weights."""
    if is_jax(given):
        jnp = sys.modules["jax"].numpy
        floating = jnp.issubdtype(given.dtype, jnp.floating)
        return jnp.zeros(given.shape, given.dtype if floating else _widest_of_jax())
    if is_tensor(given):
        dtype = given.dtype if given.is_floating_point() else _widest(given.device)
        return given.new_zeros(given.shape, dtype=dtype)
    return np.zeros(given.shape, given.dtype if given.dtype.kind == "f" else np.float64)


def index_like(places: np.ndarray, given: Array) -> Array:
    """Places that index an array of the same library and device as another."""
    if is_tensor(given):
        return sys.modules["torch"].as_tensor(places, device=given.device)
    return places


def concatenate(rows: Sequence[Array]) -> Array:
    """One-dimensional arrays of one library, end to end."""
    if is_tensor(rows[0]):
        return sys.modules["torch"].cat(list(rows))
    return namespace(rows[0]).concatenate(rows)


def put(array: Array, places: Array, values: Array) -> Array:
    """The array with other values at these places; itself, changed, where its library allows that."""
    if is_jax(array):
        return array.at[places].set(values)
    array[places] = values
    return array


def _too_wide_for(dtype: Any) -> ValueError:
    return ValueError(
        f"rewards of {dtype} make results that {dtype} cannot hold; give them as float64"
    )


def namespace(x: Array) -> Any:
    """The library of an array: numpy, torch or jax.numpy, for what they name alike."""
    if is_tensor(x):
        return sys.modules["torch"]
    return sys.modules["jax"].numpy if is_jax(x) else np


def group_size(r: Array) -> int:
    """n of rewards `[..., n]`; a number of its own also where torch.compile holds it open."""
    return operator.index(r.shape[-1])


def sort(r: Array) -> tuple[Array, Array]:
    """The rewards ascending on the last axis, and the order that sorts them, for `unsort`."""
    if isinstance(r, np.ndarray):
        first = np.arange(0, r.size, r.shape[-1]).reshape(*r.shape[:-1], 1)  # of each row, flat
        order = r.argsort(-1, kind="stable") + first
        return r.take(order), order
    if is_tensor(r):
        ascending, order = r.sort(-1)
        return ascending, order
    order = r.argsort(-1)
    return namespace(r).take_along_axis(r, order, -1), order


def unsort(weights: Array, order: Array) -> Array:
    """Undo `sort`."""
    if isinstance(weights, np.ndarray):
        result = np.empty_like(weights)
        result.put(order, weights)
        return result
    if is_tensor(weights):
        return weights.scatter(-1, order, weights)
    return namespace(weights).put_along_axis(weights, order, weights, -1, inplace=False)


def running_sum(terms: Array, gaps: Array) -> Array:
    """The cumulative sum over the last axis, exactly constant across zero gaps."""
    total = terms.cumsum(-1)
    if isinstance(terms, np.ndarray) or (is_tensor(terms) and terms.device.type == "cpu"):
        return total  # summed in order: adding a zero changes nothing
    # An accelerator, or XLA, sums in blocks, whose rounding can part equal rewards: read every tie's
    # value at the end of its run's first gap.
    xp = namespace(gaps)
    place = xp.ones_like(gaps, dtype=xp.int32).cumsum(-1) - 1
    first = xp.where(gaps > 0, place, -1)
    if is_tensor(gaps):
        first = first.cummax(-1).values
        found = total.gather(-1, first.clamp(min=0))
    else:
        first = sys.modules["jax"].lax.cummax(first, axis=first.ndim - 1)
        found = xp.take_along_axis(total, first.clip(min=0), -1)
    return xp.where(first < 0, 0.0, found)


def after_zero(sums: Array, rewards: Array) -> Array:
    """`[..., n]`: a zero, then the n-1 sums; a zero that is no number where the rewards are not."""
    if isinstance(sums, np.ndarray) or is_tensor(sums):
        found = rewards * 0.0
        found[..., 1:] = sums
        return found
    return namespace(sums).concatenate([rewards[..., :1] * 0.0, sums], -1)


def check_k(k: int, n: int) -> int:
    """The same k as an int; a ValueError for one that is no whole number from 1 to n."""
    try:
        # Booleans and one-element tensors would pass for a number.
        boolean = isinstance(k, bool) or str(getattr(k, "dtype", "")) in ("bool", "torch.bool")
        whole = None if boolean or getattr(k, "ndim", 0) > 0 else operator.index(k)
    except (TypeError, RuntimeError):
        whole = None
    if whole is None:
        raise ValueError(f"k must be a whole number from 1 to n = {n}, got {abbreviate(k)}")
    if not 1 <= whole <= n:
        raise ValueError(f"k must be from 1 to n = {n}, got {abbreviate(whole)}")
    return whole
