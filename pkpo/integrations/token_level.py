"""The advantage function that verl, SkyRL and others made like them ask for: token by token."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

from pkpo.estimators.arrays import Array
from pkpo.integrations.advantages import group_advantages


@dataclass(kw_only=True, eq=False)
class TokenLevelAdvantages:
    """PKPO as a function (token_level_rewards, response_mask, index) -> (advantages, returns).

    Register an instance in the trainer: `register_adv_est("pkpo")(TokenLevelAdvantages(k=8))` in verl,
    `register_advantage_estimator("pkpo")(...)` in SkyRL. It can be pickled. A response's reward is the
    sum over its tokens, the trainer's KL penalty included if it puts one there.

    Raises:
      ValueError: when called; see `group_advantages`.
    """

    k: int | str
    """Attempts that count, or a schedule such as "8@0,1@1500"."""
    estimator: str = "sloo_minus_one"
    scale: str = "group"
    """See `group_advantages`; "group" for losses that average over samples or tokens."""
    too_small: str = "clip"
    step: int = 0
    """Updates so far, by which a schedule gives k: one more with each call. Set it after a resume."""

    def __call__(
        self,
        token_level_rewards: Array,
        response_mask: Array,
        index: Iterable[Hashable],
        **_: Any,
    ) -> tuple[Array, Array]:
        """Advantages of a batch, and the same again where a trainer wants returns.

        Args:
          token_level_rewards: `[B, T]`.
          response_mask: `[B, T]`, 1 for tokens of the response.
          index: `[B]`, the prompt of each response, by any name.
        """
        advantages = group_advantages(
            token_level_rewards.sum(-1),
            index,
            self.k,
            self.estimator,
            scale=self.scale,
            too_small=self.too_small,
            step=self.step,
        )
        self.step += 1
        by_token: Any = advantages[:, None] * response_mask
        return by_token, by_token
