"""L-statistics of the k kept samples: weights by rank, by name or as a vector.

With k samples sorted ascending, an L-statistic is a fixed weighting of their ranks: the largest is
max@k, the smallest the worst of k, equal weights are the mean. Ranks count from the worst, 1, to the
best, k.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pkpo.estimators import weights
from pkpo.estimators.arrays import Array, abbreviate, fixed
from pkpo.estimators.weights import Coefficients, LinearWeights

RANK_WEIGHT_LIMIT = 1e6
RANKS_LIMIT = 1024
"""Ranks that a vector may have."""
RANK_NAMES = "max, min, median, gini, top-M, bottom-M, cvar-Q, best-Q, trimmed-Q, quantile-Q"


@dataclass(frozen=True, slots=True)
class RankWeights:
    """The weights of the ranks, for any k from `least` to `most`."""

    words: str
    """What is weighed, such as "median"."""
    of: Callable[[int], np.ndarray]
    """k -> `[k]`, by rank, the worst first."""
    least: int = 1
    most: int = 1 << 62

    def allowed_k(self, n: int) -> Sequence[int]:
        """The k for a group of n."""
        return range(self.least, min(self.most, n - 1) + 1)

    def coefficients(self, n: int, k: int) -> Coefficients:
        """Of neighbouring ranks i and i + 1 in the group, a_i sums what each rank of the k makes of it.

        A sample that passes its neighbour moves the subsets that hold one of the two, and there one
        rank: the one that i - 1 smaller samples, k - 1 of n - 2 others being drawn, put it at. So
        a_i = k/(n-1) sum_j alpha_j Hypergeom(j-1; n-2, i-1, k-1); the a_i of a rank sum to alpha_j.
        Work: n for every rank that has a weight, once per n and k.
        """
        slope = np.zeros(n - 1)
        for j, alpha in enumerate(self.of(k).tolist()):
            if alpha:
                slope += alpha * _shares_of_rank(n - 2, k - 1, j)
        return weights.centred(slope, n)


class RankedWeights:
    """Centred weights of an L-statistic, summed from the end at which they are small.

    Where the low ranks weigh more, the weights are those of -r with the ranks turned round, negated:
    a running sum from the worst sample on would carry its rounding to all the better ones.
    """

    def __init__(self, ranks: RankWeights) -> None:
        self._of = ranks.of
        turned = RankWeights(ranks.words, lambda k: ranks.of(k)[::-1])
        self._upward = LinearWeights(ranks.coefficients)
        self._downward = LinearWeights(turned.coefficients)

    def __call__(self, r: Array, k: int) -> Array:
        """Weights `[..., n]`."""
        return -self._downward(-r, k) if self._is_low_heavy(k) else self._upward(r, k)

    @fixed
    def _is_low_heavy(self, k: int) -> bool:
        return bool(np.abs(self._of(k)) @ (2 * np.arange(1, k + 1) - k - 1) < 0)


def _shares_of_rank(population: int, drawn: int, below: int) -> np.ndarray:
    """Hypergeom(below; population, s, drawn) over s = 0..population, scaled to sum to 1.

    Ratios of neighbours are multiplied from the largest term outwards, which neither overflows nor
    cancels; the sum is known, as each number of smaller samples is as likely as the next.
    """
    s = np.arange(below, population - drawn + below, dtype=float)
    ratios = (s + 1) / (s + 1 - below) * ((population - s - drawn + below) / (population - s))
    peak = int(np.count_nonzero(ratios >= 1))
    terms = np.ones(len(ratios) + 1)
    terms[peak + 1 :] = np.cumprod(ratios[peak:])
    terms[:peak] = np.cumprod(1 / ratios[:peak][::-1])[::-1]
    shares = np.zeros(population + 1)
    shares[below : below + len(terms)] = terms / terms.sum()
    return shares


def parse_rank_weights(text: str) -> RankWeights:
    """Weights of ranks from text: a name, or numbers, the worst rank first, with "/" between them.

    Names: "max" and "min"; "median"; "gini", the mean distance of two of the k; "top-M" and
    "bottom-M", the mean of the best and the worst M; "cvar-Q" and "best-Q", the mean of the worst and
    the best share Q; "trimmed-Q", the mean without a share Q at each end; "quantile-Q", between ranks
    by straight lines.

    Raises:
      ValueError: anything else.
    """
    key, _, argument = text.partition("-")
    if not argument and key in _PLAIN:
        return _PLAIN[key]
    if key in _COUNTED and argument.isdecimal() and 1 <= (m := int(argument)) <= RANKS_LIMIT:
        return RankWeights(f"{_COUNTED[key]} {m}", lambda k: _counted(k, m, key == "top"), least=m)
    if key in _SHARED and 0 <= (share := _number(argument)) <= 1:
        made = _SHARED[key](share)
        if made is not None:
            return made
    vector = tuple(_number(part) for part in text.split("/"))
    if len(vector) <= RANKS_LIMIT and all(abs(x) <= RANK_WEIGHT_LIMIT for x in vector):
        size = len(vector)
        return RankWeights(f"ranks {text}", lambda k: np.array(vector), least=size, most=size)
    raise ValueError(
        f"rank weights must be one of {RANK_NAMES}, or numbers within ±{RANK_WEIGHT_LIMIT:g}, the worst "
        f"rank first, as in 0/0/1, got {abbreviate(text)}"
    )


def _number(text: str) -> float:
    try:
        return math.nan if any(c.isspace() or c == "_" for c in text) else float(text)
    except ValueError:
        return math.nan


def _counted(k: int, m: int, best: bool) -> np.ndarray:
    found = np.zeros(k)
    found[k - m if best else 0 : k if best else m] = 1 / m
    return found


def _interval(words: str, low: float, high: float) -> RankWeights | None:
    """The mean of the ranks from one share of them to another."""

    def of(k: int) -> np.ndarray:
        edges = np.clip(np.arange(k + 1) / k, low, high)
        return np.diff(edges) / (high - low)

    return RankWeights(words, of) if high > low else None


def _quantile(share: float) -> RankWeights:
    def of(k: int) -> np.ndarray:
        place = share * (k - 1)
        below = min(int(place), max(k - 2, 0))
        found = np.zeros(k)
        found[below] = 1 - (place - below)
        if k > 1:
            found[below + 1] = place - below
        return found

    return RankWeights(f"{share:g} quantile", of)


def _gini(k: int) -> np.ndarray:
    return 2 * (2 * np.arange(1, k + 1) - k - 1) / (k * (k - 1))


_PLAIN = {
    "max": RankWeights("best", lambda k: _counted(k, 1, True)),
    "min": RankWeights("worst", lambda k: _counted(k, 1, False)),
    "median": RankWeights("median", _quantile(0.5).of),
    "gini": RankWeights("mean difference (Gini)", _gini, least=2),
}
_COUNTED = {"top": "mean of the best", "bottom": "mean of the worst"}
_SHARED: dict[str, Callable[[float], RankWeights | None]] = {
    "cvar": lambda share: _interval(f"mean of the worst {share:.4g}", 0.0, share),
    "best": lambda share: _interval(f"mean of the best {share:.4g}", 1 - share, 1.0),
    "trimmed": lambda share: _interval(f"mean without {share:.4g} at each end", share, 1 - share),
    "quantile": _quantile,
}
