"""PKPO in tinker-cookbook (0.6.1, by its signature): in place of its `compute_advantages`.

    from tinker_cookbook.rl import data_processing, train
    train.compute_advantages = data_processing.compute_advantages = compute_advantages

Tinker's `importance_sampling` and `ppo` losses SUM over tokens and samples: the weights w themselves
give the gradient of the sum of max@k over prompts. Its own advantages, reward minus mean, are n times
larger than w at k = 1: with its learning rates take scale="group".
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch

from pkpo.integrations import group_advantages

K, SCALE = 4, "sum"


def compute_advantages(trajectory_groups_P: list[Any]) -> list[torch.Tensor]:  # noqa: N803
    """One tensor of advantages for each group of trajectories."""
    rewards = [torch.tensor(group.get_total_rewards()).float() for group in trajectory_groups_P]
    return group_advantages(rewards, None, K, scale=SCALE)


if __name__ == "__main__":
    groups = [SimpleNamespace(get_total_rewards=lambda: [0.0, 1, 0, 0, 1, 0, 0, 0])] * 2
    print(compute_advantages(groups))
