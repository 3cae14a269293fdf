r"""Which k to train for, given the tries at use, the pass rates of the problems, and n.

Every problem i has a pass rate p_i and logits of its own, and one group of n answers an update.
A step along the estimated gradient of pass@k has the mean $g_k$ and the expected squared length
$|g_k|^2 + \sum_i V_{k,i}$, with $V_{k,i}$ the estimator's variance. Of steps of the same expected
length, that for k raises pass@K by

$$G_K(k) = \frac{\langle g_K, g_k\rangle}{\sqrt{|g_k|^2 + \sum_i V_{k,i}}}$$

to first order. Without noise k = K would be best; the denominator holds what noise costs, and so the
best k can lie below K. Everything is exact: gradients in closed form, variances by enumeration.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, xlog1py, xlogy

from pkpo.analysis.enumeration import enumerate_outcomes
from pkpo.analysis.estimation_problems import binary_problem
from pkpo.analysis.solve_rates import pass_at_k_of_rates
from pkpo.estimators import transform
from pkpo.fields import FieldError, parse_number, parse_whole
from pkpo.schedules import Piece, Schedule
from toy_envs.discrete import categorical_max_at_k

TRIES_LIMIT = 1024
"""The most tries at use."""
RATES_LIMIT = 10_000
"""The most problems."""
DIFFERENT_RATES_LIMIT = 40
"""Pass rates that differ: each is enumerated."""
CHOICE_N_LIMITS = (2, 64)
EQUAL_GAIN = 1e-9
"""Gains that differ by less are equal but for rounding."""
_MANY = re.compile(r"(.+?)[x×*](.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class KChoice:
    """What a step for each k brings.

    Attributes:
      tries: at use, K.
      n: answers per group.
      ks: `[n]`, 1..n.
      gain: `[n]`, first-order gain of pass@K by a step for each k, of the best one: at most 1.
      single_gain: `[n]`, likewise of pass@1.
      silent: `[n]`, the mean share of groups that teach nothing at each k.
      tried: the numbers of tries of `solved`, ascending.
      solved: pass@k of today's model at each, mean over problems.
    """

    tries: int
    n: int
    ks: np.ndarray
    gain: np.ndarray
    single_gain: np.ndarray
    silent: np.ndarray
    tried: np.ndarray
    solved: np.ndarray

    @property
    def best(self) -> int:
        """The k whose step raises pass@K most; the smallest of those that are equal."""
        return int(self.ks[np.flatnonzero(self.gain > 1 - EQUAL_GAIN)[0]])

    def at(self, k: int) -> tuple[float, float]:
        """Gain at K tries and at a single one of a step for k."""
        return float(self.gain[k - 1]), float(self.single_gain[k - 1])


def choose_k(rates: Sequence[float], tries: int, n: int) -> KChoice:
    """Compare every k that a group of n allows, with the estimator loo-1.

    Args:
      rates: pass rates of the problems, one each.
      tries: at use, from 1 to `TRIES_LIMIT`.
      n: answers per group and update.

    Raises:
      FieldError: a value outside its range, too many different rates, or rates all 0 or 1.
    """
    low, high = CHOICE_N_LIMITS
    if not low <= n <= high:
        raise FieldError("n", f"n must be from {low} to {high}, got {n}")
    if not 1 <= tries <= TRIES_LIMIT:
        raise FieldError("tries", f"tries must be from 1 to {TRIES_LIMIT}, got {tries}")
    counted = _counted(rates)
    p, times = np.array(list(counted)), np.array(list(counted.values()), float)
    learnable = (p > 0) & (p < 1)
    if not learnable.any():
        raise FieldError(
            "rates",
            "rates must hold one between 0 and 1: of problems solved always or never no k learns",
        )
    ks = np.arange(1, n + 1)
    moments = [[enumerate_outcomes(binary_problem(q), "sloo_minus_one", n, int(k)) for k in ks]
               for q in p[learnable]]  # fmt: skip
    means = np.array([[m.mean for m in row] for row in moments])  # [P, n, 2], exact gradients
    variances = np.array([[m.variance for m in row] for row in moments])
    weight = times[learnable]
    chances = np.stack([1 - p[learnable], p[learnable]], axis=-1)
    targets = categorical_max_at_k([0.0, 1.0], chances, (tries, 1)).d_logits  # [2, P, 2]
    length = np.sqrt(weight @ ((means**2).sum(-1) + variances))
    along = np.einsum("p,tpa,pka->tk", weight, targets, means) / length
    gain, single = along / along.max(axis=1, keepdims=True)
    tried = np.unique(np.geomspace(1, max(tries, n), 60).round().astype(int))
    return KChoice(
        tries=tries,
        n=n,
        ks=ks,
        gain=gain,
        single_gain=single,
        silent=_silent_share(p, times, n, ks),
        tried=tried,
        solved=pass_at_k_of_rates(rates, tried.tolist()),
    )


def _silent_share(p: np.ndarray, times: np.ndarray, n: int, ks: np.ndarray) -> np.ndarray:
    """The mean share of groups whose weights are all 0, `[len(ks)]`."""
    right = np.arange(n + 1)
    ways = gammaln(n + 1) - gammaln(right + 1) - gammaln(n - right + 1)
    chance = np.exp(ways + xlogy(right, p[:, None]) + xlog1py(n - right, -p[:, None]))  # [P, n + 1]
    rewards = np.arange(n) < right[:, None]
    dead = [(transform(rewards.astype(float), int(k), "sloo_minus_one") == 0).all(-1) for k in ks]
    return np.average(chance @ np.array(dead, float).T, axis=0, weights=times)


def _counted(rates: Sequence[float]) -> Counter[float]:
    if not 1 <= len(rates) <= RATES_LIMIT:
        raise FieldError("rates", f"rates must be from 1 to {RATES_LIMIT:,}, got {len(rates):,}")
    for rate in rates:
        if not 0 <= rate <= 1:
            raise FieldError("rates", f"a pass rate must be from 0 to 1, got {rate:g}")
    counted = Counter(float(rate) for rate in rates)
    if len(counted) > DIFFERENT_RATES_LIMIT:
        raise FieldError(
            "rates",
            f"rates must hold at most {DIFFERENT_RATES_LIMIT} different ones, got {len(counted)}; "
            "round them",
        )
    return counted


def parse_rates(text: str) -> tuple[float, ...]:
    """Pass rates from text: "0.3", "0.9x10" for ten problems of rate 0.9, apart by blanks or commas.

    Raises:
      FieldError: naming the part that cannot be read, or none at all.
    """
    rates: list[float] = []
    for part in text.replace(",", " ").split():
        many = _MANY.fullmatch(part)
        rate = parse_number("a pass rate", many[1] if many else part)
        count = parse_whole("problems of a rate", many[2], 1, RATES_LIMIT) if many else 1
        rates += [rate] * count
        if len(rates) > RATES_LIMIT:
            raise FieldError("rates", f"rates must be at most {RATES_LIMIT:,}")
    if not rates:
        raise FieldError("rates", "rates must hold at least one pass rate, such as 0.3 or 0.9x10")
    return tuple(rates)


def advised_schedules(k: int, updates: int, share: float) -> tuple[Schedule, ...]:
    """K throughout and, if it is above 1, k that becomes 1 after a share of the updates."""
    constant = Piece(k, k, 0, 0)
    switch = max(1, round(share * updates))
    annealed = (Schedule((constant, Piece(1, 1, switch, switch))),) if k > 1 else ()
    return (Schedule((constant,)), *annealed)
