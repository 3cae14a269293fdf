"""PKPO in prime-rl (0.8, by its signature): the body of an `Algorithm.score_group`.

prime-rl takes algorithms from its own tree only (docs/algorithms.md, "Authoring an Algorithm"):

    class PKPOAlgorithm(Algorithm):
        async def score_group(self, episodes):
            score_group([trace for _, trace in iter_trainable_traces(episodes)], assign_advantages)

Its loss is divided by all tokens of a batch, which keeps the direction.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from pkpo.integrations import group_advantages

K = 4


def score_group(traces: list[Any], assign_advantages: Callable[[Any, float], None]) -> None:
    """Give each trace n·w of its group."""
    advantages = group_advantages([trace.reward for trace in traces], [0] * len(traces), K)
    for trace, advantage in zip(traces, advantages.tolist(), strict=True):
        assign_advantages(trace, advantage)


if __name__ == "__main__":
    score_group([SimpleNamespace(reward=float(i % 5 == 0)) for i in range(8)], print)
