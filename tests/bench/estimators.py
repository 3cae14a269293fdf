"""How long `transform(..., "sloo_minus_one")` takes, against `torch.sort` of the same rewards.

A sort is the least that any of these estimators needs, so it is the yardstick that does not depend
on the machine. The two are timed in turn, and the ratio is taken pair by pair, so that a slow spell
of the machine falls on both. The aim is a ratio of at most 3.

For scale, a plain Python loop over the groups computes the same weights from the paper's
definition: Eq. 19 with the explicit m_ij of Eq. 20-21 for the subsets that contain a sample, and
Eq. 12 of the others for the best without it (Eq. 33), O(n^2) per group. Beside it
stands OrderGrad (arXiv:2606.06096), whose advantages for its "ReMax" are n/k times the canonical
weights, where it is installed; it is not on PyPI (November 2026), but
pip install git+https://github.com/paavo5/ordergrad brings it.
"""

import math
import statistics
import time
from collections.abc import Callable

import torch

from pkpo import transform

SHAPES = ((4096, 16, 8), (1024, 64, 8), (64, 1024, 32), (1, 1_000_000, 1000))  # groups, n, k
AIM = 3.0
SECONDS = 2.0  # spent on the pairs of one shape
LOOP_SECONDS = 1.0  # the plain loop stops after this and is extrapolated to all groups
LONGEST_LOOP = 10_000  # no plain loop for groups larger than this: O(n^2)


SMALLEST = {"SHAPES": ((8, 16, 8),), "SECONDS": 0.001, "LOOP_SECONDS": 0.001}

NOTES = f"""
ratio: transform / sort, timed in turn, median over the pairs; the aim is at most {AIM:g}.
fastest: the fastest transform / the fastest sort. Far below the ratio, it says that other work kept
  a core busy: each of the transform's dozen parallel steps then waits for that core.
plain loop, OrderGrad: one group at a time; those timed, in parentheses, extrapolated to all of them, and
  in how many times the transform's fastest of 30. OrderGrad against the transform of canonical weights.
The coefficients of n and k are computed once and cached, before the timing starts."""

Weigh = Callable[[torch.Tensor], torch.Tensor]


def main() -> None:
    torch.set_num_threads(2)
    torch.manual_seed(0)
    print(
        f"sloo_minus_one weights of float64 rewards, CPU, {torch.get_num_threads()} threads, ",
        end="",
    )
    print(f"torch {torch.__version__}: median milliseconds\n")
    head = "    groups x n    k     sort  transform  ratio   aim  fastest  pairs"
    print(f"{head} {'plain loop':>28} {'OrderGrad':>28}")
    for groups, n, k in SHAPES:
        rewards = torch.randn(groups, n, dtype=torch.float64)
        sort, weigh, ratio, fastest, pairs = compare(
            lambda r=rewards: torch.sort(r),
            lambda r=rewards, k=k: transform(r, k, "sloo_minus_one"),
        )
        met = "met" if ratio <= AIM else "MISS"
        row = f"{f'{groups} x {n:,}':>14} {k:>4} {sort * 1e3:>8.3f} {weigh * 1e3:>10.3f}"
        row += f" {ratio:>6.2f} {met:>5} {fastest:>8.2f} {pairs:>6}"
        loops = ["skipped"] * 2
        if n <= LONGEST_LOOP:
            loops[0] = describe_loop(rewards, k, "sloo_minus_one", lambda x, k=k: plain_loop(x, k))
            loops[1] = describe_loop(rewards, k, "canonical", ordergrad(n, k))
        print(row, *(f"{text:>28}" for text in loops), flush=True)
    print(NOTES)


def compare(
    first: Callable[[], object], second: Callable[[], object]
) -> tuple[float, float, float, float, int]:
    """Median seconds of each; second / first: median over pairs, and of the fastest; the pairs."""
    pairs = []
    for _ in range(3):  # warm up: caches, allocator, the thread pool
        seconds(first), seconds(second)
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end or len(pairs) < 5:
        if len(pairs) % 2:  # neither always goes first
            later = seconds(second)
            pairs.append((seconds(first), later))
        else:
            pairs.append((seconds(first), seconds(second)))
    one, two = zip(*pairs, strict=True)
    ratio = statistics.median(b / a for a, b in pairs)
    return statistics.median(one), statistics.median(two), ratio, min(two) / min(one), len(pairs)


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def describe_loop(rewards: torch.Tensor, k: int, estimator: str, weigh: Weigh | None) -> str:
    """Milliseconds that a function of one group takes for all; it must give the estimator's weights."""
    groups, n = rewards.shape
    if weigh is None:
        return "not installed"
    timed, spent = 0, 0.0
    while timed < groups and spent < LOOP_SECONDS:
        start = time.perf_counter()
        weights = weigh(rewards[timed])
        spent += time.perf_counter() - start
        off = float((weights - transform(rewards[timed], k, estimator)).abs().max())
        assert off < 1e-9, f"{estimator} differs by {off:.3g} for n = {n}, k = {k}"
        timed += 1
    taken = spent / timed * groups
    whole = min(seconds(lambda: transform(rewards, k, estimator)) for _ in range(30))
    return f"{taken * 1e3:,.0f} ({timed:,}), {taken / whole:,.0f}x"


def ordergrad(n: int, k: int) -> Weigh | None:
    """Canonical weights of one group by OrderGrad, its coefficients ready; None without it."""
    try:
        from ordergrad.torch_backend import OrderStatTransform
    except ModuleNotFoundError:
        return None
    made = OrderStatTransform.precompute_lstat(n, k, "ReMax", dtype=torch.float64)
    return lambda rewards: made.lstat_advantage(rewards) * (k / n)


def plain_loop(group: torch.Tensor, k: int) -> torch.Tensor:
    """s^(loo-1) of one group as the paper defines it; k >= 2."""
    rewards = group.tolist()
    n = len(rewards)
    subsets = math.comb(n, k)
    order = sorted(range(n), key=rewards.__getitem__)
    ascending = [rewards[i] for i in order]
    # As shares of the C(n, k) subsets; places i, j count from 1 in the paper, from 0 here.
    diagonal = [math.comb(i, k - 1) / subsets for i in range(n)]  # m_ii
    above = [math.comb(j - 1, k - 2) / subsets if j else 0.0 for j in range(n)]  # m_ij, j > i
    best_of_others = [math.comb(j, k - 2) / subsets for j in range(n - 1)]  # mu_j of Eq. 13, k-1
    weights = [0.0] * n
    for i in range(n):
        with_i = diagonal[i] * ascending[i]
        for j in range(i + 1, n):
            with_i += above[j] * ascending[j]
        others = ascending[:i] + ascending[i + 1 :]
        without_i = 0.0
        for j in range(n - 1):
            without_i += best_of_others[j] * others[j]
        weights[order[i]] = with_i - without_i
    return torch.tensor(weights, dtype=torch.float64)
