"""PKPO in rLLM (0.3, by its signature): one function from lists of rewards to lists of advantages.

rLLM turns a name that it does not know into its estimator "other", so register under that:

    from rllm.trainer.algorithms.advantage import register_rllm_adv_estimator
    register_rllm_adv_estimator("other")(pkpo_advantages)

and set `algorithm.adv_estimator=pkpo`; or name it for a role in `traj_group_adv_estimator_map`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pkpo.integrations import group_advantages


def pkpo_advantages(
    rewards: list[np.ndarray], algorithm_config: Any, **_: Any
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """n·w for each group: rLLM's losses average. Groups below 4 take their own size."""
    advantages = group_advantages([np.asarray(x, float) for x in rewards], None, k=4)
    return advantages, advantages


if __name__ == "__main__":
    print(pkpo_advantages([np.array([0.0, 1, 0, 0, 1, 0, 0, 0]), np.array([0.0, 0, 1])], None)[0])
