r"""Exact max@k and its gradient for a policy over finitely many actions, by sorting.

With the actions sorted by reward, $g_1 \le \dots \le g_A$, and $S_j$ the probability of an action from
place j on, the best of k independent actions reaches at least $g_j$ with probability
$1 - (1 - S_j)^k$, so that

$$\max\nolimits_g@k = g_1 + \sum_{j=2}^{A} (g_j - g_{j-1}) \, (1 - (1 - S_j)^k)$$

(arXiv:2505.15201, Eq. 11). Actions with equal rewards are parted by a gap of 0 and need no care.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class DiscreteMaxAtK:
    """Max@k of a softmax policy and its derivative by the logits."""

    value: np.ndarray
    """`(len(k), ...)`"""
    d_logits: np.ndarray
    """`(len(k), ..., A)`"""


def categorical_max_at_k(rewards: Any, probabilities: Any, k: Sequence[int]) -> DiscreteMaxAtK:
    """Exact max@k of a categorical policy, for many policies and several k at once.

    Args:
      rewards: `[..., A]`, finite.
      probabilities: `[..., A]`, each row summing to 1; the leading axes of both broadcast.
      k: attempts, whole numbers >= 1.

    Returns:
      Values and derivatives by logits, with errors of a few units in the last place of the largest
      reward.

    Raises:
      ValueError: no k, or one that is not a whole number >= 1.
    """
    sorted_rewards, gaps, log_below, order, p = _ladder(rewards, probabilities, k)
    place = np.argsort(order, axis=-1, kind="stable")
    slopes = []
    for attempts in k:
        others = np.exp((attempts - 1) * log_below) if attempts > 1 else np.ones_like(log_below)
        rise = np.zeros_like(p)  # derivative by each action's own probability, up to a constant
        np.cumsum(attempts * gaps * others, axis=-1, out=rise[..., 1:])
        rise = np.take_along_axis(rise, place, -1)
        slopes.append(p * (rise - (p * rise).sum(-1, keepdims=True)))
    return DiscreteMaxAtK(_values(sorted_rewards, gaps, log_below, k), np.array(slopes))


def value_at_k(rewards: Any, probabilities: Any, k: Sequence[int]) -> np.ndarray:
    """Exact max@k alone, `(len(k), ...)`; arguments as those of `categorical_max_at_k`."""
    sorted_rewards, gaps, log_below, _, _ = _ladder(rewards, probabilities, k)
    return _values(sorted_rewards, gaps, log_below, k)


def _values(
    sorted_rewards: np.ndarray, gaps: np.ndarray, log_below: np.ndarray, k: Sequence[int]
) -> np.ndarray:
    lowest = sorted_rewards[..., 0]
    return np.array([lowest - (gaps * np.expm1(a * log_below)).sum(-1) for a in k])


def _ladder(rewards: Any, probabilities: Any, k: Sequence[int]) -> tuple[np.ndarray, ...]:
    """Sorted rewards, the gaps between them, log(1 - S) at each gap, the order, the probabilities."""
    whole = [isinstance(x, (int, np.integer)) and not isinstance(x, bool) and x >= 1 for x in k]
    if not whole or not all(whole):
        raise ValueError(f"k must hold whole numbers >= 1, got {list(k)}")
    rewards, p = np.broadcast_arrays(np.asarray(rewards, float), np.asarray(probabilities, float))
    order = np.argsort(rewards, axis=-1, kind="stable")
    sorted_rewards = np.take_along_axis(rewards, order, -1)
    chances = np.take_along_axis(p, order, -1)
    above = np.minimum(np.cumsum(chances[..., ::-1], axis=-1)[..., -2::-1], 1.0)  # S_2 .. S_A
    below = np.minimum(np.cumsum(chances, axis=-1)[..., :-1], 1.0)  # 1 - S, without cancellation
    with np.errstate(divide="ignore"):
        log_below = np.where(above < 0.5, np.log1p(-np.minimum(above, 0.5)), np.log(below))
    return sorted_rewards, np.diff(sorted_rewards, axis=-1), log_below, order, p
