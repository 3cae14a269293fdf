r"""How much an estimator makes of a prompt by its pass rate: for 0/1 rewards, $E[g] = w(p)\,\nabla p$.

A sample's reward tells all that the weights know of it. Given its reward, its score $\nabla\log\pi$
has the mean $\nabla p / p$ if it is right and $-\nabla p / (1-p)$ if it is wrong. With $a_c$ and $b_c$
the mean weights of a right and of a wrong sample in a group of n with c right,

$$w(p) = \sum_c \binom{n}{c} p^c (1-p)^{n-c} \Big(\frac{c\,a_c}{p} - \frac{(n-c)\,b_c}{1-p}\Big)
       = n \sum_{j=0}^{n-1} \binom{n-1}{j} p^j (1-p)^{n-1-j}\,(a_{j+1} - b_j):$$

n times what being right rather than wrong does to a sample's weight, j of the others being right. No
denominator is left, so that it holds from p = 0 to p = 1. A weight w means that the estimator follows
the gradient of $\int w\,dp$: k(1-p)^(k-1) is that of pass@k.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import gammaln, xlog1py, xlogy

from pkpo.analysis.objectives import TRAINED_ESTIMATORS
from pkpo.estimators import ESTIMATORS, get_estimator, transform
from pkpo.estimators.arrays import check_k

ORDERED_LIMIT = 16
"""Samples of a group whose every order is enumerated, for an estimator that depends on it."""


def rate_weight(estimator: str, p: Any, n: int, k: int) -> np.ndarray:
    """Exact w(p) of an estimator for groups of n samples with rewards 0 and 1, from its own weights.

    Args:
      estimator: a registered name.
      p: `[...]`, pass rates from 0 to 1.
      n: samples per group.
      k: attempts that count.

    Returns:
      `[...]`, with E[Σ_i w_i ∇log π(x_i)] = w(p) ∇p.

    Raises:
      ValueError: a rate outside 0..1; n, k that the estimator does not allow; more than
        `ORDERED_LIMIT` samples where their order counts.
    """
    rates = np.asarray(p, float)
    if not ((rates >= 0) & (rates <= 1)).all():
        raise ValueError(f"p must be from 0 to 1, got {p!r}"[:200])
    right = np.arange(n)  # of the n - 1 others
    ways = gammaln(n) - gammaln(right + 1) - gammaln(n - right)
    at = rates[..., None]
    chance = np.exp(ways + xlogy(right, at) + xlog1py(n - 1 - right, -at))
    found: np.ndarray = n * (chance @ reward_gains(estimator, n, k))
    return found


def weight_below(bound: float, rates: np.ndarray, estimator: str, n: int, k: int) -> float:
    """The share of all weight w(p) that lies on prompts with a pass rate below a bound.

    Args:
      bound: of the pass rate.
      rates: `[P]`, the prompts' own.
      estimator: a registered name.
      n: samples per group.
      k: attempts that count.

    Raises:
      ValueError: see `rate_weight`.
    """
    weight = rate_weight(estimator, rates, n, k)
    return float(weight[rates < bound].sum() / weight.sum())


@functools.lru_cache(maxsize=256)
def reward_gains(estimator: str, n: int, k: int) -> np.ndarray:
    """`[n]`: a right sample's mean weight less a wrong one's, with j = 0..n-1 of the others right."""
    entry = get_estimator(estimator)
    entry.check(n, k)
    if entry.symmetric:  # every order is like the first
        rewards = np.tril(np.ones((n + 1, n)), -1)
    elif n <= ORDERED_LIMIT:
        rewards = (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(float)
    else:
        raise ValueError(
            f"n must be at most {ORDERED_LIMIT} for estimator {estimator!r}, which depends on the order "
            f"of the samples, got {n}"
        )
    weights = transform(rewards, k, estimator)
    count = rewards.sum(axis=1).astype(int)

    def mean(members: np.ndarray) -> np.ndarray:
        """By count, over all members of all groups that have it."""
        total = np.bincount(count, (weights * members).sum(axis=1), n + 1)
        return total / np.maximum(np.bincount(count, members.sum(axis=1), n + 1), 1)

    return mean(rewards)[1:] - mean(1 - rewards)[:-1]


@dataclass(frozen=True, slots=True)
class RateWeight:
    """Estimators whose w(p) is the same, to rounding."""

    estimators: tuple[str, ...]
    """Registered names, the best known first."""
    p: np.ndarray
    """`[P]`, from 0 to 1."""
    weight: np.ndarray
    """`[P]`"""

    @property
    def form(self) -> RateForm | None:
        """The closed form, where one is known."""
        return next(filter(None, map(rate_form, self.estimators)), None)

    def at(self, p: float) -> float:
        """w at one pass rate, between points in a straight line."""
        return float(np.interp(p, self.p, self.weight))


def rate_weights(n: int, k: int, points: int = 201) -> list[RateWeight]:
    """w(p) of every registered estimator that allows n and k, those that are alike together.

    Raises:
      ValueError: k outside 1..n.
    """
    check_k(k, n)
    p = np.linspace(0, 1, points)
    first = [name for name in TRAINED_ESTIMATORS if name in ESTIMATORS]
    found: list[RateWeight] = []
    for name in dict.fromkeys([*first, *ESTIMATORS]):
        try:
            weight = rate_weight(name, p, n, k)
        except ValueError:
            continue
        same = (i for i, one in enumerate(found) if np.allclose(weight, one.weight, atol=1e-9 * n))
        place = next(same, None)
        if place is None:
            found.append(RateWeight((name,), p, weight))
        else:
            found[place] = RateWeight((*found[place].estimators, name), p, found[place].weight)
    return found


# --- Closed forms ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RateForm:
    """A closed form of w(p)."""

    formula: str
    """In plain characters."""
    value: Callable[[np.ndarray, int, int], np.ndarray]
    """(p `[...]` in (0, 1), n, k) -> w `[...]`."""
    exact: bool = True
    """For every n; otherwise what it tends to as n grows."""


_PASS_AT_K = RateForm("k (1 − p)^(k−1)", lambda p, n, k: k * (1 - p) ** (k - 1))
_MEAN = RateForm("1", lambda p, n, k: np.ones_like(p))
_LOG = RateForm(
    "Σ (1 − p)^(j−1), j = 1..n−1", lambda p, n, k: -np.expm1((n - 1) * np.log1p(-p)) / p
)
RATE_FORMS: dict[str, RateForm] = {
    "rloo": _MEAN,
    "reinforce": _MEAN,
    "dr_grpo": RateForm("1 − 1/n", lambda p, n, k: np.full_like(p, 1 - 1 / n)),
    "maxrl": _LOG,
    "tailrl": _LOG,
    "grpo": RateForm("1 / √(p (1 − p))", lambda p, n, k: (p * (1 - p)) ** -0.5, exact=False),
    "passk_training": RateForm(
        "(1 − p)^(k/2−1) / √(1 − (1 − p)^k)",
        lambda p, n, k: (1 - p) ** (k / 2 - 1) / np.sqrt(1 - (1 - p) ** k),
        exact=False,
    ),
}
"""By the estimator's name; `rate_form` knows those of whole families, too."""


def _risk_sensitive(beta: float) -> RateForm:
    rise = float(np.expm1(beta))
    return RateForm(
        "(e^β − 1) / (β (1 + p (e^β − 1)))",
        lambda p, n, k: rise / (beta * (1 + p * rise)),
        exact=False,
    )


def rate_form(estimator: str) -> RateForm | None:
    """The closed form of an estimator's w(p); None where none is known."""
    entry = get_estimator(estimator)
    if entry.unbiased:
        return _PASS_AT_K
    if estimator.partition(":")[0] == "rs_grpo" and entry.parameter is not None:
        return _risk_sensitive(entry.parameter)
    return RATE_FORMS.get(estimator)
