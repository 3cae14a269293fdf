"""PKPO in verl (0.9.1): import this where the trainer runs, then `algorithm.adv_estimator=pkpo`.

That is the process that calls `run_ppo`: a copy of `verl/trainer/main_ppo.py` with this import at its
top, or, on a Ray cluster, the module in the task runner. `norm_adv_by_std_in_grpo` has no effect.
`actor_rollout_ref.actor.loss_agg_mode` must weigh tokens alike: token-mean (verl's default),
token-sum, seq-mean-token-sum or seq-mean-token-sum-norm, not seq-mean-token-mean.
"""

from __future__ import annotations

import numpy as np
import torch
from verl.trainer.ppo.core_algos import get_adv_estimator_fn, register_adv_est

from pkpo.integrations import TokenLevelAdvantages

register_adv_est("pkpo")(TokenLevelAdvantages(k="4@0,1@1500"))

if __name__ == "__main__":
    rewards = torch.zeros(16, 5)
    rewards[[3, 7, 12], -1] = 1.0  # the last token has the outcome's reward
    advantages, _ = get_adv_estimator_fn("pkpo")(
        token_level_rewards=rewards,
        response_mask=torch.ones(16, 5),
        index=np.repeat(np.array(["first", "second"], object), 8),
        config=None,
    )
    print(advantages[:, 0])
