"""Pass@k of problems whose chances to be solved are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from toy_envs.discrete import value_at_k


def pass_at_k_of_rates(rates: Any, k: Sequence[int]) -> np.ndarray:
    """Exact pass@k of problems that single attempts solve with these chances (arXiv:2505.15201, Eq. 1).

    Args:
      rates: `[..., problems]`, each problem's chance to be solved by one attempt, 0..1.
      k: attempts, whole numbers from 1.

    Returns:
      `[len(k), ...]`, the mean over problems.

    Raises:
      ValueError: a rate outside 0..1, or no problem.
    """
    p = np.asarray(rates, float)
    if p.ndim == 0 or p.shape[-1] == 0 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"rates must be one or more numbers from 0 to 1, got {rates!r}"[:200])
    solved = value_at_k(np.array([0.0, 1.0]), np.stack([1 - p, p], axis=-1), k)
    return solved.mean(axis=-1)
