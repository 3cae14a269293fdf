"""The registry of estimators: what is known of each, and what it makes of a group.

Pages, the command line and the training loop list from it; `register_estimator` adds to it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pkpo.estimators import arrays, weights
from pkpo.estimators.arrays import Array, check_k
from pkpo.estimators.rank_weights import RankedWeights, parse_rank_weights

ALPHA_LIMIT = 1e6
"""Of the dial's parameter, up or down."""
BETA_LIMIT = 1e3
"""Of RS-GRPO's parameter, up or down."""
BUDGET_GROUP = 1e6
"""A group that is large enough for every budget of the entropic estimator."""

LEAVE_ONE_OUT = r"\frac{1}{n} \Big(r_i - \frac{1}{n-1} \sum_{j \neq i} r_j\Big)"
"""LaTeX of leave-one-out centring (arXiv:2505.15201, Eq. 26) in the sum convention."""


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


def get_estimator(name: str) -> Estimator:
    """The registered estimator of that name; "dial:0.3" carries its parameter after a colon.

    Raises:
      ValueError: the name is not registered, or its parameter is missing or not what it takes: a number
        within ±ALPHA_LIMIT for the dial, see `FAMILIES` for the others.
    """
    found = ESTIMATORS.get(name) if isinstance(name, str) else None
    if found is not None:
        return found
    key, colon, text = str(name).partition(":")
    if not colon or key not in FAMILIES:
        raise ValueError(
            f"estimator must be one of {', '.join(ESTIMATORS)} (or dial:ALPHA, lstat:RANKS, "
            f"rs_grpo:BETA, entropic:BUDGET), got {arrays.abbreviate(name)}"
        )
    return FAMILIES[key](text, name)


def _parameter(name: str, text: str, what: str, limit: float, allowed: str, example: str) -> float:
    """The number behind an estimator's colon, within ±limit; not 0 or below it where that is said."""
    try:
        value = math.nan if any(c.isspace() or c == "_" for c in text) else float(text)
    except ValueError:
        value = math.nan
    small = {"": False, " and not 0": value == 0, " and above 0": value <= 0}[allowed]
    if not abs(value) <= limit or small:  # not true of nan, either
        raise ValueError(
            f"estimator {arrays.abbreviate(name)}: {what} must be a finite number within "
            f"±{limit:g}{allowed}, as in {example!r}"
        )
    return value


def _dial_of(text: str, name: str) -> Estimator:
    return _dial(_parameter(name, text, "alpha", ALPHA_LIMIT, "", "dial:0.3"), name)


def _rs_grpo_of(text: str, name: str) -> Estimator:
    return _rs_grpo(_parameter(name, text, "beta", BETA_LIMIT, " and not 0", "rs_grpo:2"), name)


def _entropic_of(text: str, name: str) -> Estimator:
    limit = math.log(BUDGET_GROUP)
    return _entropic(_parameter(name, text, "budget", limit, " and above 0", "entropic:0.7"), name)


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
        weigh=weights.LinearWeights(functools.partial(weights.dial_coefficients, alpha)),
        parameter=alpha,
        formula_at_one=LEAVE_ONE_OUT,
    )


@functools.lru_cache(maxsize=32)
def _lstat(text: str, key: str) -> Estimator:
    try:
        ranks = parse_rank_weights(text)
    except ValueError as reason:
        raise ValueError(f"estimator {arrays.abbreviate(key)}: {reason}") from None
    needs = f"{ranks.least} <= k <= n-1" if ranks.most != ranks.least else f"k = {ranks.least} < n"
    return Estimator(
        key=key,
        label=f"L-statistic: {ranks.words}",
        formula=r"\frac{k}{n}\Big(L_{\ni i} - L^{(-i)}\Big), \quad L = \sum_{j=1}^{k} \alpha_j r_{(j)}",
        reference="arXiv:2606.06096",
        optimises=f"the {ranks.words} of k samples",
        unbiased=text == "max",
        centred=True,
        needs=needs,
        allowed_k=ranks.allowed_k,
        weigh=RankedWeights(ranks),
    )


@functools.lru_cache(maxsize=32)
def _rs_grpo(beta: float, key: str) -> Estimator:
    return Estimator(
        key=key,
        label=f"RS-GRPO, β = {beta:g}",
        formula=r"\frac{1}{n \beta}"
        r" \Big(\frac{e^{\beta r_i}}{\frac{1}{n} \sum_j e^{\beta r_j}} - 1\Big)",
        reference="arXiv:2509.24261",
        optimises="log of the mean of exp(β r), over β (biased)",
        unbiased=False,
        centred=True,
        needs="n >= 2; k has no effect",
        allowed_k=_up_to_n_of_two,
        weigh=functools.partial(weights.rs_grpo, beta),
        uses_k=False,
        linear=False,
        parameter=beta,
    )


@functools.lru_cache(maxsize=32)
def _entropic(budget: float, key: str) -> Estimator:
    return Estimator(
        key=key,
        label=f"Entropic, {budget:.3g} nats",
        formula=r"\frac{1}{n}"
        r" \Big(\frac{e^{\beta r_i}}{\frac{1}{n-1} \sum_{j \neq i} e^{\beta r_j}} - 1\Big)",
        reference="arXiv:2601.16175",
        optimises=f"log of the mean of exp(β r), β by a budget of {budget:.3g} nats a group (biased)",
        unbiased=False,
        centred=False,
        needs=f"n > exp({budget:.3g}); k has no effect",
        allowed_k=lambda n: range(1, n + 1) if math.log(n) > budget else (),
        weigh=functools.partial(weights.entropic, budget),
        uses_k=False,
        linear=False,
        parameter=budget,
    )


FAMILIES: dict[str, Callable[[str, str], Estimator]] = {
    "dial": _dial_of,
    "lstat": _lstat,
    "rs_grpo": _rs_grpo_of,
    "entropic": _entropic_of,
}
"""Estimators that carry a parameter after a colon -> what makes one of that text and the whole name."""


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
            weigh=weights.LinearWeights(weights.s_coefficients),
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
            weigh=weights.LinearWeights(weights.sloo_coefficients),
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
            weigh=weights.LinearWeights(weights.sloo_minus_one_coefficients),
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
            weigh=weights.LinearWeights(weights.canonical_coefficients),
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
            weigh=weights.LinearWeights(weights.rloo_coefficients),
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
            weigh=weights.LinearWeights(weights.tailrl_coefficients),
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
        _lstat("median", "lstat"),
        _rs_grpo(2.0, "rs_grpo"),
        _entropic(math.log(2), "entropic"),
    )
}
"""Every registered estimator by its key."""


def register_estimator(entry: Estimator) -> Estimator:
    """Add an estimator of one's own: `transform`, the pages and the command line then know it.

    Raises:
      ValueError: its key is taken, or holds a blank or a colon.
    """
    if entry.key in ESTIMATORS:
        raise ValueError(f"key must be new, got {entry.key!r}, which is registered")
    if not entry.key or set(entry.key) & set(" :,\t\n"):
        raise ValueError(f"key must have no blank, comma or colon, got {entry.key!r}")
    ESTIMATORS[entry.key] = entry
    return entry


def _show_range(allowed: Sequence[int]) -> str:
    if len(allowed) > 2 and allowed[-1] - allowed[0] == len(allowed) - 1:
        return f"from {allowed[0]} to {allowed[-1]}"
    if len(allowed) > 12:
        return ", ".join(map(str, allowed[:12])) + ", ..."
    return " or ".join(map(str, allowed)) if len(allowed) < 3 else ", ".join(map(str, allowed))
