"""What does an estimator really optimise? Its expected direction against every max@k."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pkpo.analysis.enumeration import Weigh, enumerate_outcomes
from pkpo.analysis.estimation_problems import SoftmaxProblem
from pkpo.estimators import get_estimator

CENTRED_AGAIN = "loo-1, centred again"
TRAINED_ESTIMATORS = (
    "sloo_minus_one",
    CENTRED_AGAIN,
    "dr_grpo",
    "grpo",
    "maxrl",
    "tailrl",
    "passk_training",
)
PROMPT_RATES = (0.5, 0.1, 0.02)
"""Pass rates of three prompts, each with its own right arm, that share one softmax policy."""
_RATES = (*PROMPT_RATES, 1 - sum(PROMPT_RATES))
BINARY_PROMPTS = tuple(
    SoftmaxProblem(tuple(float(arm == right) for arm in range(4)), _RATES) for right in range(3)
)
"""Each with one right arm."""
GRADED_PROMPTS = tuple(
    SoftmaxProblem(
        tuple({right: 1.0, (right + 1) % 4: 0.5}.get(arm, 0.0) for arm in range(4)), _RATES
    )
    for right in range(3)
)
"""The arm behind the right one is half right, too."""


@dataclass(frozen=True, slots=True)
class ExpectedDirection:
    """The expected direction of one estimator against the gradients of max@k for k = 1..n."""

    estimator: str
    """A key of the registry, `CENTRED_AGAIN`, or the text of a function."""
    cosine: np.ndarray
    """`[n]`"""
    scale: np.ndarray
    """`[n]`, the component along the gradient over the gradient's length: 1 is unbiased there."""
    bias: np.ndarray
    """`[n]`, the distance from the gradient over the gradient's length."""

    @property
    def nearest(self) -> int:
        """The k whose gradient it points along best."""
        return int(self.cosine.argmax()) + 1


def expected_directions(
    n: int,
    k: int,
    names: Sequence[str | Weigh] = TRAINED_ESTIMATORS,
    prompts: Sequence[SoftmaxProblem] = BINARY_PROMPTS,
) -> list[ExpectedDirection]:
    """Exact expected directions on prompts that share a policy.

    One prompt would show nothing: with 0/1 rewards, every symmetric estimator points the same way.

    Raises:
      ValueError: k outside 1..n.
    """
    exact = np.array([np.mean([q.gradient(j) for q in prompts], axis=0) for j in range(1, n + 1)])
    lengths = np.linalg.norm(exact, axis=1)
    result = []
    for name in names:
        key, centre = ("sloo_minus_one", True) if name == CENTRED_AGAIN else (name, False)
        if isinstance(key, str):
            get_estimator(key).check(n, k)
        mean = np.mean([enumerate_outcomes(q, key, n, k, centre).mean for q in prompts], axis=0)
        along = exact @ mean / lengths
        length = np.linalg.norm(mean)
        cosine = along / length if length > 0 else np.zeros(n)
        bias = np.linalg.norm(mean - exact, axis=1) / lengths
        result.append(ExpectedDirection(str(name), cosine, along / lengths, bias))
    return result
