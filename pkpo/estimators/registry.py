"""The registry of estimators: what is known of each, and what it makes of a group.

Pages, the command line and the training loop list from it; `register_estimator` adds to it.
"""

from __future__ import annotations

import math

from pkpo.estimators import arrays, families, weights
from pkpo.estimators.estimator import (
    Estimator,
    divisors,
    divisors_of_two,
    proper_divisors,
    up_to_n,
    up_to_n_of_two,
    up_to_one_less,
)
from pkpo.estimators.families import FAMILIES, LEAVE_ONE_OUT


def get_estimator(name: str) -> Estimator:
    """The registered estimator of that name; "dial:0.3" carries its parameter after a colon.

    Raises:
      ValueError: the name is not registered, or its parameter is missing or not what it takes: a number
        within ±ALPHA_LIMIT for the dial, see `pkpo.estimators.families` for the others.
    """
    found = ESTIMATORS.get(name) if isinstance(name, str) else None
    if found is not None:
        return found
    # torch.compile follows an object that it finds in a dictionary, not one that a fixed function gave.
    made = _parse(name)
    return _PARSED.get(name, made)


@arrays.fixed
def _parse(name: str) -> Estimator:
    """The estimator of a name with a parameter: one object per name, so that what is cached is found."""
    found = _PARSED.get(name) if isinstance(name, str) else None
    if found is not None:
        return found
    key, colon, text = str(name).partition(":")
    if not colon or key not in FAMILIES:
        raise ValueError(
            f"estimator must be one of {', '.join(ESTIMATORS)} (or dial:ALPHA, mix:ALPHA, "
            f"lstat:RANKS, rs_grpo:BETA, entropic:BUDGET, formula:WEIGHTS), "
            f"got {arrays.abbreviate(name)}"
        )
    made = FAMILIES[key](text, name)
    while len(_PARSED) >= PARSED_LIMIT:
        _PARSED.pop(list(_PARSED)[0], None)
    return _PARSED.setdefault(name, made)


PARSED_LIMIT = 256
"""Estimators with a parameter that are kept."""
_PARSED: dict[str, Estimator] = {}


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
            allowed_k=up_to_n,
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
            allowed_k=up_to_one_less,
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
            allowed_k=up_to_n_of_two,
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
            allowed_k=up_to_one_less,
            weigh=weights.LinearWeights(weights.canonical_coefficients),
        ),
        families.dial_estimator(0.5, "dial"),
        families.mix_estimator(0.5, "mix"),
        Estimator(
            key="naive",
            label="Partitioned",
            formula=r"\frac{k}{n} \max_{j \in \mathrm{set}(i)} r_j",
            reference="arXiv:2505.15201, Section 5.1",
            optimises="max@k",
            unbiased=True,
            centred=False,
            needs="a k that divides n",
            allowed_k=divisors,
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
            allowed_k=proper_divisors,
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
            allowed_k=divisors_of_two,
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
            allowed_k=up_to_n_of_two,
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
            allowed_k=up_to_n,
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
            allowed_k=up_to_n_of_two,
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
            allowed_k=up_to_n_of_two,
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
            allowed_k=up_to_n_of_two,
            weigh=weights.maxrl,
            nonnegative=True,
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
            allowed_k=up_to_n_of_two,
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
            allowed_k=up_to_n,
            weigh=weights.passk_training,
            binary=True,
            linear=False,
        ),
        families.lstat_estimator("median", "lstat"),
        families.rs_grpo_estimator(2.0, "rs_grpo"),
        families.entropic_estimator(math.log(2), "entropic"),
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
