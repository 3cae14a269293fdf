"""A baseline that chooses itself: the dial's α (`dial:ALPHA`) from what earlier groups have shown.

For rewards of 0 or 1 the variance of a prompt's estimate depends on its policy by four numbers only: the
pass rate, the mean squared norms of a right and of a wrong sample's score, and how far the scores of
right samples agree. All four come as running sums, also from groups whose samples are all right or all
wrong, which alone say nothing of α. An α that rests on earlier groups leaves the estimate unbiased.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import gammaln

from pkpo.analysis.dial import DialVariance
from pkpo.estimators import transform

ALPHA_RANGE = (-3.0, 3.0)
"""Within which α is chosen."""
LEARNING_GROUPS = 16
"""Groups that must have been seen before α is chosen; until then it is 0, loo-1."""


@dataclass(frozen=True, slots=True)
class ScoreMoments:
    """What the variance of a prompt's estimate depends on; numbers, or arrays of one shape.

    A score is ∇log π(x) of a sample x. Scores have mean 0, so that the mean score of wrong samples is
    −p/(1−p) times that of right ones.
    """

    rate: Any
    """The pass rate p, above 0 and below 1."""
    right: Any
    """The mean squared norm of a right sample's score."""
    wrong: Any
    """That of a wrong one's."""
    agreement: Any
    """The squared norm of the mean score of right samples: the mean inner product of two of them."""

    def second_moments(self, n: int, k: int) -> tuple[Any, Any, Any]:
        """E[g·g], E[g·d] and E[d·d]: g is loo-1's estimate of n samples, d canonical's less g."""
        p, agreement = np.asarray(self.rate, float), self.agreement
        odds = p / (1 - p)
        log_ways, products = _products_by_count(n, k)
        right = np.arange(n + 1)
        chances = np.exp(
            log_ways
            + np.multiply.outer(np.log(p), right)
            + np.multiply.outer(np.log1p(-p), n - right)
        )
        pulls = np.stack(
            np.broadcast_arrays(
                self.right, self.wrong, agreement, odds**2 * agreement, -odds * agreement
            ),
            axis=-1,
        )
        found = ((chances @ products).reshape(*p.shape, 3, 5) * pulls[..., None, :]).sum(axis=-1)
        return found[..., 0], found[..., 1], found[..., 2]

    def dial(self, n: int, k: int) -> DialVariance:
        """The total variance of the dial's estimate over α, of all coordinates together.

        Raises:
          ValueError: k is not below n, where there is no dial.
        """
        both, cross, square = self.second_moments(n, k)
        gradient = (k * (1 - self.rate) ** (k - 1) * self.rate) ** 2 * self.agreement
        return DialVariance(both - gradient, both + 2 * cross + square - gradient, square)

    def best_alpha(self, n: int, k: int) -> Any:
        """The α in `ALPHA_RANGE` with the least variance, −E[g·d]/E[d·d]; 0 where α has no effect.

        Raises:
          ValueError: k is not below n, where there is no dial.
        """
        _, cross, square = self.second_moments(n, k)
        effect = square > 0
        return np.clip(np.where(effect, -cross / np.where(effect, square, 1), 0), *ALPHA_RANGE)


@functools.lru_cache(maxsize=64)
def _products_by_count(n: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """By the number of right samples in a group: what its estimates' products are made of.

    Returns:
      `[n + 1]` logarithms of binomial coefficients; and `[n + 1, 15]` of g·g, g·d, d·d (see
      `ScoreMoments.second_moments`) each the factors of the mean squared norms of right and of wrong
      samples, and of the inner products of two right ones, two wrong ones, and one of each.
    """
    right = np.arange(n + 1)
    wrong = n - right
    groups = (np.arange(n) < right[:, None]).astype(float)
    loo, canonical = (transform(groups, k, name) for name in ("sloo_minus_one", "canonical"))
    # The weight of a right sample comes first, of a wrong one last; without any, the counts are 0.
    g, d = ((w[:, 0], w[:, -1]) for w in (loo, canonical - loo))
    counts = (right, wrong, right * (right - 1), wrong * (wrong - 1), right * wrong)
    products = [
        np.stack((a[0] * b[0], a[1] * b[1], a[0] * b[0], a[1] * b[1], a[0] * b[1] + a[1] * b[0]))
        * counts
        for a, b in ((g, g), (g, d), (d, d))
    ]
    log_ways = gammaln(n + 1) - gammaln(right + 1) - gammaln(wrong + 1)
    return log_ways, np.concatenate(products).T


def estimate_moments(
    *,
    samples: Any,
    right: Any,
    right_norms: Any,
    wrong_norms: Any,
    slope: Any,
    alone: Any,
    pairs: Any,
) -> ScoreMoments:
    """Moments from sums over samples: numbers, or arrays of one shape.

    A sample's worth of what is usual is added to each kind, half of one for the rate: where all samples
    were right, or all wrong, the other kind is still possible.

    Args:
      samples: how many.
      right: how many of them are right.
      right_norms: the sum of the squared norms of right samples' scores.
      wrong_norms: the same of wrong ones'.
      slope: the squared norm of Σ (r − share of right) · score: the gradient of the pass rate, times
        samples.
      alone: what each sample paired with itself contributes to it.
      pairs: how many pairs of different samples it holds.
    """
    rate = (right + 0.5) / (samples + 1)
    usual = (right_norms + wrong_norms) / samples
    of_right = (right_norms + usual) / (right + 1)
    of_wrong = (wrong_norms + usual) / (samples - right + 1)
    # The gradient of the pass rate is p · (mean score of right samples). A mean's squared norm is no
    # larger than the mean squared norm.
    square = np.where(pairs > 0, (slope - alone) / np.where(pairs > 0, pairs, 1), 0)
    most = np.minimum(of_right, ((1 - rate) / rate) ** 2 * of_wrong)
    return ScoreMoments(rate, of_right, of_wrong, np.clip(square / rate**2, 0, most))


class AdaptiveDial:
    """Running sums over one prompt's groups, and the α that follows from them.

    What it holds besides a few numbers is two vectors of the gradient's size.

    Args:
      memory: groups after which a group counts 1/e of what it did; None: all count the same, for a
        policy that does not move.
    """

    def __init__(self, memory: float | None = None):
        if memory is not None and not memory >= 1:
            raise ValueError(f"memory must be None or at least 1 group, got {memory!r}")
        self.memory = memory
        self.groups = 0
        self._sums: dict[str, Any] = {}

    def observe(self, rewards: np.ndarray, scores: np.ndarray) -> None:
        """Take a group in, after its estimate was made.

        Args:
          rewards: `[n]`, 0 or 1.
          scores: `[n, d]`, ∇log π(x) of each sample.

        Raises:
          ValueError: other rewards, or shapes that do not fit.
        """
        right, s = np.asarray(rewards, float), np.asarray(scores, float)
        if s.ndim != 2 or right.shape != s.shape[:1]:
            raise ValueError(
                f"rewards must be [n] and scores [n, d], got {right.shape} and {s.shape}"
            )
        if not np.isin(right, (0.0, 1.0)).all():
            raise ValueError(f"rewards must be 0 or 1, got {right[~np.isin(right, (0, 1))][0]:g}")
        norms, wrong = (s**2).sum(axis=1), 1 - right
        found = {
            "samples": right.size,
            "right": right.sum(),
            "right norms": right @ norms,
            "wrong norms": wrong @ norms,
            "right scores": right @ s,
            "scores": s.sum(axis=0),
        }
        kept = 1.0 if self.memory is None else np.exp(-1 / self.memory)
        squared = {name: found[name] for name in ("samples", "right norms", "wrong norms")}
        for name, value in found.items():
            self._sums[name] = kept * self._sums.get(name, 0.0) + value
        for name, value in squared.items():  # by squared weights: what pairs of one sample add
            self._sums[f"{name}²"] = kept**2 * self._sums.get(f"{name}²", 0.0) + value
        self.groups += 1

    def moments(self) -> ScoreMoments:
        """What the groups so far say of the prompt, see `estimate_moments`.

        Raises:
          ValueError: no group was observed.
        """
        if not self.groups:
            raise ValueError("no group was observed yet")
        sums = self._sums
        share = sums["right"] / sums["samples"]
        slope = sums["right scores"] - share * sums["scores"]
        return estimate_moments(
            samples=sums["samples"],
            right=sums["right"],
            right_norms=sums["right norms"],
            wrong_norms=sums["wrong norms"],
            slope=slope @ slope,
            alone=(1 - share) ** 2 * sums["right norms²"] + share**2 * sums["wrong norms²"],
            pairs=sums["samples"] ** 2 - sums["samples²"],
        )

    def alpha(self, n: int, k: int) -> float:
        """α for the next group of n samples; 0 until `LEARNING_GROUPS` were seen, and at k = n."""
        if self.groups < LEARNING_GROUPS or k >= n:
            return 0.0
        return float(self.moments().best_alpha(n, k))
