"""What is known of an estimator, and which k it may allow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pkpo.estimators.arrays import Array, check_k


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
    nonnegative: bool = False
    """Takes no rewards below 0."""
    on_host: bool = False
    """Worked out by NumPy, whichever library the rewards are of: it cannot do with `check=False`."""
    parameter: float | None = None
    formula_at_one: str = ""
    """LaTeX of w_i at k = 1, where another rule is in force there."""

    def formula_at(self, k: int) -> str:
        """LaTeX of the rule that is in force at this k."""
        return self.formula_at_one if k == 1 and self.formula_at_one else self.formula

    def check(self, n: int, k: int) -> None:
        """Raise the ValueError that `transform` would raise for this n and k."""
        k = check_k(k, n)
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

    def check_rewards(self, r: Array) -> None:
        """Raise the ValueError that `transform` would raise for float64 rewards `[..., n]`."""
        if self.nonnegative and bool((r < 0).any()):
            raise ValueError(
                f"rewards must be >= 0 for estimator {self.key!r}, got {float(r.min()):g}"
            )
        if self.binary and bool((odd := (r != 0) & (r != 1)).any()):
            raise ValueError(
                f"rewards must be 0 or 1 for estimator {self.key!r}, got {float(r[odd][0]):g}"
            )


def _show_range(allowed: Sequence[int]) -> str:
    if len(allowed) > 2 and allowed[-1] - allowed[0] == len(allowed) - 1:
        return f"from {allowed[0]} to {allowed[-1]}"
    if len(allowed) > 12:
        return ", ".join(map(str, allowed[:12])) + ", ..."
    return " or ".join(map(str, allowed)) if len(allowed) < 3 else ", ".join(map(str, allowed))


# The values of k that estimators allow, ascending, as functions of n.


def up_to_n(n: int) -> Sequence[int]:
    """Every k up to n."""
    return range(1, n + 1)


def up_to_n_of_two(n: int) -> Sequence[int]:
    """Every k up to n; n must be 2 or more."""
    return range(1, n + 1) if n >= 2 else ()


def up_to_one_less(n: int) -> Sequence[int]:
    """Every k below n."""
    return range(1, n)


def divisors(n: int) -> Sequence[int]:
    """Every k that divides n."""
    return tuple(k for k in range(1, n + 1) if n % k == 0)


def divisors_of_two(n: int) -> Sequence[int]:
    """Every k that divides n; n must be 2 or more."""
    return divisors(n) if n >= 2 else ()


def proper_divisors(n: int) -> Sequence[int]:
    """Every k below n that divides it."""
    return divisors(n)[:-1]
