"""Estimators that carry a parameter after a colon, as in "dial:0.3", made from that text."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

from pkpo.estimators import arrays, weights
from pkpo.estimators.estimator import Estimator, up_to_n, up_to_n_of_two, up_to_one_less
from pkpo.estimators.formulas import Formula, parse_formula
from pkpo.estimators.rank_weights import RankedWeights, parse_rank_weights

ALPHA_LIMIT = 1e6
"""Of the dial's parameter, up or down."""
BETA_LIMIT = 1e3
"""Of RS-GRPO's parameter, up or down."""
LABEL_LIMIT = 40
"""Characters of a formula in a label."""
BUDGET_GROUP = 1e6
"""A group that is large enough for every budget of the entropic estimator."""

LEAVE_ONE_OUT = r"\frac{1}{n} \Big(r_i - \frac{1}{n-1} \sum_{j \neq i} r_j\Big)"
"""LaTeX of leave-one-out centring (arXiv:2505.15201, Eq. 26) in the sum convention."""


def _parameter(name: str, text: str, what: str, limit: float, allowed: str, example: str) -> float:
    """The number behind an estimator's colon, within ±limit; with a bound at 0 where that is said."""
    try:
        value = math.nan if any(c.isspace() or c == "_" for c in text) else float(text)
    except ValueError:
        value = math.nan
    refused = {
        "": False,
        " and not 0": value == 0,
        " and above 0": value <= 0,
        " and not below 0": value < 0,
    }[allowed]
    if not abs(value) <= limit or refused:  # not true of nan, either
        raise ValueError(
            f"estimator {arrays.abbreviate(name)}: {what} must be a finite number within "
            f"±{limit:g}{allowed}, as in {example!r}"
        )
    return value


def _dial_of(text: str, name: str) -> Estimator:
    return dial_estimator(_parameter(name, text, "alpha", ALPHA_LIMIT, "", "dial:0.3"), name)


def _mix_of(text: str, name: str) -> Estimator:
    return mix_estimator(_parameter(name, text, "alpha", 1, " and not below 0", "mix:0.3"), name)


def _formula_of(text: str, name: str) -> Estimator:
    try:
        return formula_estimator(parse_formula(text))
    except ValueError as reason:
        raise ValueError(f"estimator {arrays.abbreviate(name)}: {reason}") from None


def _rs_grpo_of(text: str, name: str) -> Estimator:
    return rs_grpo_estimator(
        _parameter(name, text, "beta", BETA_LIMIT, " and not 0", "rs_grpo:2"), name
    )


def _entropic_of(text: str, name: str) -> Estimator:
    limit = math.log(BUDGET_GROUP)
    return entropic_estimator(
        _parameter(name, text, "budget", limit, " and above 0", "entropic:0.7"), name
    )


def dial_estimator(alpha: float, key: str) -> Estimator:
    """The line through loo-1 and canonical."""
    return Estimator(
        key=key,
        label=f"Dial, α = {alpha:g}",
        formula=r"\frac{k}{n}\Big(q_i - v_{k-1}^{(-i)} - \alpha\,(v_k^{(-i)} - v_{k-1}^{(-i)})\Big)",
        reference="this lab: α = 0 is loo-1, α = 1 canonical",
        optimises="max@k",
        unbiased=True,
        centred=alpha == 1,
        needs="1 <= k <= n-1",
        allowed_k=up_to_one_less,
        weigh=weights.LinearWeights(functools.partial(weights.dial_coefficients, alpha)),
        parameter=alpha,
        formula_at_one=LEAVE_ONE_OUT,
    )


def mix_estimator(alpha: float, key: str) -> Estimator:
    """A mixture of the gradients of max@1 and max@k."""
    return Estimator(
        key=key,
        label=f"Mixture, α = {alpha:g}",
        formula=r"(1 - \alpha)\, w_i^{(1)} + \alpha\, w_i^{(k)}, \quad w^{(k)} = s^{(\mathrm{loo}-1)}",
        reference="this lab: α = 0 is RLOO, α = 1 loo-1",
        optimises="(1 - α) max@1 + α max@k",
        unbiased=alpha == 1,
        centred=alpha == 0,
        needs="n >= 2 and 1 <= k <= n",
        allowed_k=up_to_n_of_two,
        weigh=weights.LinearWeights(functools.partial(weights.mix_coefficients, alpha)),
        parameter=alpha,
        formula_at_one=LEAVE_ONE_OUT,
    )


def formula_estimator(formula: Formula) -> Estimator:
    """The weights that a formula of one's own gives.

    What it optimises is not known beforehand: `unbiased` and `centred` are false for all of them, and
    `pkpo.analysis.enumerate_verdict` says what holds.
    """
    text = formula.text
    return Estimator(
        key=f"formula:{text}",
        label=f"w = {text if len(text) <= LABEL_LIMIT else text[: LABEL_LIMIT - 3] + '...'}",
        formula=rf"\texttt{{{text}}}",
        reference="a formula of one's own",
        optimises="what its exact verdict says",
        unbiased=False,
        centred=False,
        needs="1 <= k <= n",
        allowed_k=up_to_n,
        weigh=formula.weigh,
        uses_k="k" in formula.names,
        linear=False,
        on_host=True,
    )


def lstat_estimator(text: str, key: str) -> Estimator:
    """The L-statistic of the k kept samples that `parse_rank_weights` reads."""
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


def rs_grpo_estimator(beta: float, key: str) -> Estimator:
    """RS-GRPO with this β."""
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
        allowed_k=up_to_n_of_two,
        weigh=functools.partial(weights.rs_grpo, beta),
        uses_k=False,
        linear=False,
        parameter=beta,
    )


def entropic_estimator(budget: float, key: str) -> Estimator:
    """The entropic estimator with this budget in nats."""
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
        on_host=True,
        parameter=budget,
    )


FAMILIES: dict[str, Callable[[str, str], Estimator]] = {
    "dial": _dial_of,
    "mix": _mix_of,
    "lstat": lstat_estimator,
    "rs_grpo": _rs_grpo_of,
    "entropic": _entropic_of,
    "formula": _formula_of,
}
"""Estimators that carry a parameter after a colon -> what makes one of that text and the whole name."""
