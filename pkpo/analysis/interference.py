"""Interference: prompts that share parameters pull them different ways, for one try and for k.

Where the gradients of max@1 and max@k point apart, steps for the best of k cost single tries
(arXiv:2602.21189). Everything here is exact: the finite bandit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pkpo.training.policies import SoftmaxPolicy
from toy_envs.bandit import Bandit, bandit, exact_bandit


@dataclass(frozen=True, slots=True)
class Interference:
    """How the gradients of max@1 and max@k agree, of policies in any number."""

    k: int
    cosine: np.ndarray
    """`[...]`: between the gradients of max@1 and max@k, means over prompts; 0 where one vanishes."""
    pulls: np.ndarray
    """`[..., prompts, prompts]`: what a small step along the gradient of one prompt's max@k (row) does
    to another's max@1 (column), per step size and prompt: inner products of their gradients."""

    @property
    def gain(self) -> np.ndarray:
        """`[...]`: what a small step for max@k does to max@1, both means over prompts."""
        return self.pulls.mean(axis=(-2, -1))


def interference(
    parameters: np.ndarray, k: int, bandit_or_name: str | Bandit, sharing: float = 1.0
) -> Interference:
    """Exact interference of policies on a bandit.

    Args:
      parameters: `[..., d]`, of a `SoftmaxPolicy` on this bandit; rows of a recording's.
      k: attempts, from 1.
      bandit_or_name: the bandit.
      sharing: of parameters between prompts, from 0 to 1.

    Raises:
      ValueError: a bad k, bandit or sharing, or parameters of another length.
    """
    if not 0 <= sharing <= 1:
        raise ValueError(f"sharing must be from 0 to 1, got {sharing}")
    chosen = bandit(bandit_or_name)
    policy = SoftmaxPolicy(chosen.start, chosen.prompts, sharing)
    at, d = np.asarray(parameters, float), len(policy.parameters)
    if at.shape[-1:] != (d,):
        raise ValueError(f"parameters must end in an axis of {d}, got the shape {at.shape}")
    slopes = exact_bandit(policy.probabilities(at), (1, k), chosen).d_logits
    # Each prompt's own gradient by all parameters: as if the others' were zero.
    alone = slopes[..., None, :] * np.eye(chosen.prompts)[:, :, None]  # [2, ..., P, P, arms]
    one, many = policy.pull_back(alone) * chosen.prompts  # [..., P, d]
    whole = one.mean(axis=-2), many.mean(axis=-2)
    inner = (whole[0] * whole[1]).sum(axis=-1)
    lengths = np.linalg.norm(whole[0], axis=-1) * np.linalg.norm(whole[1], axis=-1)
    cosine = np.divide(inner, lengths, out=np.zeros_like(inner), where=lengths > 0)
    return Interference(k, cosine, many @ np.swapaxes(one, -1, -2))
