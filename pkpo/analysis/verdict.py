r"""What an estimator really is, by enumeration: unbiased for what, how noisy, centred, at what scale.

For 0/1 rewards every symmetric estimator has $E[g] = w(p)\,\nabla p$ with a polynomial w of degree n-1
(`pkpo.analysis.rate_weights`), and the $j(1-p)^{j-1}$ of pass@j, j = 1..n, are a basis of those. So
each is unbiased for exactly one mixture $\sum_j c_j$ pass@j. Whether that holds for other rewards, too,
is seen on prompts with answers that are half right.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from pkpo.analysis.enumeration import enumerate_outcomes
from pkpo.analysis.objectives import (
    BINARY_PROMPTS,
    GRADED_PROMPTS,
    ExpectedDirection,
    expected_directions,
)
from pkpo.analysis.rate_weights import reward_gains
from pkpo.estimators import get_estimator, transform
from pkpo.estimators.arrays import check_k

VERDICT_GROUP = 32
"""Samples of a group, at most."""
ROUNDED_SHARE = 1e-9
"""Below it, as a share, a number is rounding."""
KNOWN_SHARE = 1e-4
"""How exactly a mixture's coefficients must be known to be told, as a share of the largest."""
PARTS_TOLD = 4
"""Parts of a mixture that are all told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatorVerdict:
    """What holds exactly of one estimator at one n and k."""

    estimator: str
    n: int
    k: int
    mixture: np.ndarray | None
    """`[n]`: with rewards 0 and 1 it is unbiased for Σ_j c_j max@j, j = 1..n. None: n is so large that
    rounding hides them."""
    graded: bool | None
    """Whether the same mixture holds on prompts with half-right answers; None: unknown, as there is no
    mixture, or it takes no such rewards."""
    centred: bool
    """Whether weights sum to 0 in every group of rewards 0, 1/2 and 1; of 0 and 1, if `binary`."""
    binary: bool
    """Whether it takes rewards 0 and 1 only."""
    direction: ExpectedDirection
    """Against every max@j, on three prompts that share a policy, by enumeration."""
    variance: float
    """Trace of the covariance there, the mean over prompts."""
    relative_variance: float
    """The same over that of loo-1 at this n and k."""

    @property
    def trains_nothing(self) -> bool:
        """Whether the expected gradient is 0."""
        return bool(np.abs(self.direction.scale).max() < ROUNDED_SHARE)

    @property
    def unbiased(self) -> bool:
        """For max@k, with every reward that was enumerated."""
        return bool(self.direction.bias[self.k - 1] < ROUNDED_SHARE and self.graded is not False)


@functools.lru_cache(maxsize=128)
def enumerate_verdict(estimator: str, n: int, k: int) -> EstimatorVerdict:
    """The exact verdict on an estimator; read-only.

    Args:
      estimator: a registered name, or one with its parameter, such as "formula:r/n".
      n: samples per group, 2 to `VERDICT_GROUP`.
      k: attempts that count.

    Raises:
      ValueError: n, k that the estimator does not allow, one that depends on the order of the samples,
        or a formula that gives no finite weight somewhere.
    """
    entry = get_estimator(estimator)
    if not 2 <= n <= VERDICT_GROUP:
        raise ValueError(f"n must be from 2 to {VERDICT_GROUP} for a verdict, got {n}")
    entry.check(n, k)
    if not entry.symmetric:
        raise ValueError(
            f"estimator {estimator!r} depends on the order of the samples: no verdict by enumeration"
        )
    check_k(k, n)
    prompts = BINARY_PROMPTS if entry.binary else GRADED_PROMPTS
    mixture = _mixture(estimator, n, k)
    moments = [enumerate_outcomes(prompt, estimator, n, k) for prompt in prompts]
    graded = None
    if mixture is not None and not entry.binary:
        graded = all(
            np.linalg.norm(found.mean - _gradient(prompt, mixture))
            <= ROUNDED_SHARE * (1 + np.abs(mixture).sum())
            for prompt, found in zip(prompts, moments, strict=True)
        )
    (direction,) = expected_directions(n, k, [estimator], prompts)
    variance = float(np.mean([found.variance for found in moments]))
    loo = [enumerate_outcomes(prompt, "sloo_minus_one", n, k).variance for prompt in prompts]
    return EstimatorVerdict(
        estimator=entry.key,
        n=n,
        k=k,
        mixture=mixture,
        graded=graded,
        binary=entry.binary,
        centred=_is_centred(estimator, n, k, entry.binary),
        direction=direction,
        variance=variance,
        relative_variance=variance / float(np.mean(loo)),
    )


def _mixture(estimator: str, n: int, k: int) -> np.ndarray | None:
    """The c_j, from the gains in Bernstein form: those of pass@j are 0 beyond n - j others right."""
    gains = reward_gains(estimator, n, k)
    size = float(np.abs(gains).max())
    for j in range(1, n + 1):  # one pass@j is seen however large n is
        own = reward_gains("s", n, j)
        scale = float(gains @ own / (own @ own))
        if np.abs(gains - scale * own).max() <= ROUNDED_SHARE * size:
            return scale * np.eye(n)[j - 1]
    basis = np.array([reward_gains("s", n, j) for j in range(n, 0, -1)]).T  # triangular
    inverse = np.linalg.inv(basis)
    found = inverse @ gains
    doubt = np.abs(inverse).sum(axis=1).max() * 1e-15 * size
    if doubt > KNOWN_SHARE * np.abs(found).max():
        return None
    found[np.abs(found) <= max(doubt, ROUNDED_SHARE * np.abs(found).max())] = 0.0
    mixture: np.ndarray = found[::-1].copy()
    return mixture


def _gradient(prompt: object, mixture: np.ndarray) -> np.ndarray:
    parts = [c * prompt.gradient(j) for j, c in enumerate(mixture, 1) if c]  # type: ignore[attr-defined]
    return np.sum(parts, axis=0) if parts else np.zeros(1)


def _is_centred(estimator: str, n: int, k: int, binary: bool) -> bool:
    counts = [
        (n - some - most, some, most)
        for most in range(n + 1)
        for some in range(1 if binary else n - most + 1)
    ]
    groups = np.array([np.repeat((0.0, 0.5, 1.0), count) for count in counts])
    weights = transform(groups, k, estimator)
    return bool(
        np.abs(weights.sum(axis=1)).max()
        <= ROUNDED_SHARE * max(np.abs(weights).max(), ROUNDED_SHARE)
    )


def describe_verdict(found: EstimatorVerdict) -> list[str]:
    """The verdict in a few sentences: what it optimises, how it stands to max@k, centred or not."""
    at = found.k - 1
    kinds = "rewards 0 and 1" if found.binary else "rewards 0, 1/2 and 1"
    told = [_describe_goal(found)]
    if not found.trains_nothing:
        cosine, bias = float(found.direction.cosine[at]), float(found.direction.bias[at])
        scale = float(found.direction.scale[at])
        told.append(
            f"Against max@{found.k}, on three prompts that share a policy: cosine {cosine:.4f}, scale "
            f"{scale:.4g}, bias {bias if bias > ROUNDED_SHARE else 0:.1%} of the gradient's length, "
            f"variance {found.relative_variance:.3g} times that of loo-1."
        )
    told.append(
        f"Centred: the weights of every group of {kinds} sum to 0."
        if found.centred
        else "Not centred: the weights of some groups do not sum to 0."
    )
    return told


def _describe_goal(found: EstimatorVerdict) -> str:
    if found.mixture is None:
        if found.trains_nothing:
            return "It trains nothing on these prompts: the expected gradient is 0."
        return (
            "With rewards 0 and 1 it follows a mixture of max@1 to "
            f"max@{found.n}, which rounding hides at this n."
        )
    parts = [(j, float(c)) for j, c in enumerate(found.mixture, 1) if c]
    beyond = {
        None: " with rewards 0 and 1",
        True: ", with rewards 0 and 1 and on three prompts with half-right answers",
        False: " with rewards 0 and 1; with half-right answers it follows something else",
    }[found.graded]
    if not parts:
        return f"It trains nothing: the expected gradient is 0{beyond}."
    if len(parts) == 1:
        ((j, scale),) = parts
        if abs(scale - 1) < ROUNDED_SHARE:
            return f"Unbiased for max@{j}{beyond}."
        against = ", downhill" if scale < 0 else ""
        return f"{scale:.4g} times the gradient of max@{j}{against}{beyond}."
    signed = (f"{'-' if c < 0 else '+'} {abs(c):.4g} max@{j}" for j, c in parts[:PARTS_TOLD])
    shown = " ".join(signed).removeprefix("+ ")
    if len(parts) > PARTS_TOLD:
        shown += f" and {len(parts) - PARTS_TOLD} more, up to max@{parts[-1][0]}"
    signs = ", not all with a plus" if min(c for _, c in parts) < 0 else ""
    return f"Unbiased for a mixture{signs}: {shown}{beyond}."
