"""PKPO in slime (0.3.1, by its signature): a function for the rewards of a batch.

Name it by `--custom-reward-post-process-path slime_rewards.pkpo_rewards`. With `--advantage-estimator
grpo` what it returns is what enters the loss. Add `--calculate-per-token-loss`: without it each
response is divided by its own length. Leave `--normalize-advantages` off.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pkpo.integrations import group_advantages

K = 4


def pkpo_rewards(args: Any, samples: list[Any]) -> tuple[list[float], list[float]]:
    """The true rewards for the logs, and n·w for the loss."""
    raw = [float(sample.get_reward_value(args)) for sample in samples]
    groups = [sample.group_index for sample in samples]
    return raw, group_advantages(raw, groups, K).tolist()


if __name__ == "__main__":
    batch = [
        SimpleNamespace(group_index=i // 8, get_reward_value=lambda args, i=i: i % 5 == 0)
        for i in range(16)
    ]
    print(pkpo_rewards(None, batch)[1])
