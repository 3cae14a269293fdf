"""PKPO in SkyRL (0.3): import this in the entry point, then set `advantage_estimator=pkpo`.

SkyRL pickles the function for its other processes, which `TokenLevelAdvantages` allows. The setting is
`trainer.algorithm.advantage_estimator`. `trainer.algorithm.loss_reduction` must weigh tokens alike:
token_mean (SkyRL's default) or seq_mean_token_sum_norm, not sequence_mean, and prompt_mean only where
a prompt's responses are all of about one length. Leave `advantage_batch_normalize` off.
"""

from __future__ import annotations

import torch
from skyrl.backends.skyrl_train.utils.ppo_utils import (
    AdvantageEstimatorRegistry,
    register_advantage_estimator,
)

from pkpo.integrations import TokenLevelAdvantages

register_advantage_estimator("pkpo")(TokenLevelAdvantages(k="4@0,1@1500"))

if __name__ == "__main__":
    rewards = torch.zeros(16, 5)
    rewards[[3, 7, 12], -1] = 1.0
    advantages, _ = AdvantageEstimatorRegistry.get("pkpo")(
        token_level_rewards=rewards,
        response_mask=torch.ones(16, 5),
        index=["first"] * 8 + ["second"] * 8,
    )
    print(advantages[:, 0])
