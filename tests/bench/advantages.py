"""How long `group_advantages` takes on a flat batch, against a loop over its samples.

The loop is what a trainer's recipe usually does: gather every group's scores sample by sample, then one
`transform` per group. Both give the same advantages. The aim is a ratio of at least 10.
"""

import statistics
import time
from collections import defaultdict

import numpy as np

from pkpo import transform
from pkpo.integrations import group_advantages

BATCH, GROUP, K = 65_536, 16, 8
REPEATS = 7
AIM = 10.0

SMALLEST = {"BATCH": 64, "REPEATS": 1}


def by_sample(scores: np.ndarray, index: np.ndarray) -> np.ndarray:
    groups = defaultdict(list)
    for place in range(len(scores)):
        groups[index[place]].append(place)
    result = np.zeros(len(scores))
    for places in groups.values():
        weights = transform([scores[place] for place in places], K)
        for place, weight in zip(places, weights, strict=True):
            result[place] = weight * len(places)
    return result


def main() -> None:
    rng = np.random.default_rng(0)
    index = rng.permutation(np.repeat(np.arange(BATCH // GROUP), GROUP))
    scores = rng.integers(0, 2, BATCH).astype(float)
    assert np.abs(by_sample(scores, index) - group_advantages(scores, index, K)).max() < 1e-12
    pairs = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        by_sample(scores, index)
        middle = time.perf_counter()
        group_advantages(scores, index, K)
        pairs.append((middle - start, time.perf_counter() - middle))
    loop, batch = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"{BATCH:,} scores in shuffled groups of {GROUP}, k = {K}: median milliseconds")
    print(f"  a loop over samples {loop * 1e3:8.1f}")
    print(f"  group_advantages    {batch * 1e3:8.1f}")
    met = "met" if ratio >= AIM else "MISS"
    print(f"  ratio {ratio:.1f}, the aim is at least {AIM:g}: {met}")


if __name__ == "__main__":
    main()
