"""PKPO in NeMo RL (0.6, by its signature): an estimator in place of GRPO's.

NeMo RL has no registry, but takes the class from one name, which can be replaced before training:

    import nemo_rl.algorithms.grpo as grpo
    grpo.GRPOAdvantageEstimator = PKPOAdvantageEstimator   # then grpo.adv_estimator.name=grpo

Keep `loss_fn.token_level_loss=true` (its default): the other divides each response by its own length.
"""

from __future__ import annotations

from typing import Any

import torch

from pkpo.integrations import group_advantages

K = 4


class PKPOAdvantageEstimator:
    """n·w for every token of a response."""

    def __init__(self, estimator_config: Any = None, loss_config: Any = None) -> None:
        """As NeMo RL makes its own; the settings of GRPO have no effect."""

    def compute_advantage(
        self, prompt_ids: torch.Tensor, rewards: torch.Tensor, mask: torch.Tensor, **_: Any
    ) -> torch.Tensor:
        """Advantages `[B, T]` of rewards `[B]`; equal rows of `prompt_ids` `[B, P]` are a group."""
        group = torch.unique(prompt_ids, dim=0, return_inverse=True)[1]
        return group_advantages(rewards, group, K)[:, None].expand(mask.shape)


if __name__ == "__main__":
    prompts = torch.tensor([[5, 6], [7, 8]]).repeat_interleave(8, dim=0)
    rewards = (torch.arange(16) % 5 == 0).float()
    print(PKPOAdvantageEstimator().compute_advantage(prompts, rewards, torch.ones(16, 3))[:, 0])
