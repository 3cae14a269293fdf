"""PKPO in TRL's GRPOTrainer: the same trainer, other advantages. Needs trl (written for 1.16)."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from pkpo.estimators import get_estimator, rho
from pkpo.extras import missing
from pkpo.integrations.advantages import group_advantages
from pkpo.integrations.conventions import ALIKE, BY_MICRO_BATCH, TRAINERS
from pkpo.schedules import Schedule, parse

try:
    import torch
    from trl import GRPOTrainer
except ModuleNotFoundError as reason:
    raise missing("pkpo.integrations.trl", reason) from reason

FAITHFUL_LOSSES = tuple(loss for loss, how in TRAINERS["trl"].losses.items() if how == ALIKE)
"""`loss_type`s that weigh every token of a step alike: the gradient keeps the advantages' direction."""


class PKPOMixin:
    """Put in front of GRPOTrainer, or of a trainer made from it: its advantages become PKPO's.

    What the reward step gathered is kept, and n·w takes the place of the trainer's own advantages, in
    the loss and in the logged completions; w is what `pkpo.transform` gives (arXiv:2505.15201, Eq. 18)
    and n is `num_generations`, since TRL's losses average over samples. Rewards stay what they are, in
    the logs too. Two metrics are added: `pkpo/k`, and `pkpo/max_at_k`, the batch's unbiased estimate of
    what is trained (Eq. 12), of the groups without a missing reward.

    A completion whose every reward is None takes no part in its group and has advantage 0. Groups that
    are too small for k, by that or in an evaluation with few samples, take the largest k they allow; a
    group of one has advantage 0. `scale_rewards` has no effect.

    Args:
      args, kwargs: as for the trainer behind.
      k: attempts that count, or a schedule over `state.global_step`, such as "8@0,1@1500".
      estimator: a key of `pkpo.ESTIMATORS`.
      strict: refuse settings under which the gradient is not that of max@k whatever k is; False warns
        instead.

    Raises:
      ValueError: a k that the estimator does not allow with `num_generations` samples, rewards that
        are normalised one by one, or, where strict, a loss that weighs tokens by their answer's length.
    """

    def __init__(
        self,
        *args: Any,
        k: int | str | Schedule,
        estimator: str = "sloo_minus_one",
        strict: bool = True,
        **kwargs: Any,
    ) -> None:
        self.pkpo_schedule = k if isinstance(k, Schedule) else parse(str(k))
        self.pkpo_estimator = estimator
        super().__init__(*args, **kwargs)
        trainer: Any = self
        last = max(piece.end for piece in self.pkpo_schedule.pieces)
        self.pkpo_schedule.check(trainer.num_generations, last, get_estimator(estimator))
        if trainer.args.multi_objective_aggregation != "sum_then_normalize":
            raise ValueError(
                "multi_objective_aggregation must be 'sum_then_normalize', so that a completion has one "
                f"reward, got {trainer.args.multi_objective_aggregation!r}"
            )
        problem = _unfaithful_loss(trainer.args)
        if problem and strict:
            raise ValueError(f"{problem}; strict=False warns instead")
        for text in filter(None, (problem, *_other_changes(trainer.args))):
            warnings.warn(text, stacklevel=2)

    def _calculate_rewards(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """The rewards of all processes, `[B, functions]`, NaN for None: kept, and passed on."""
        above: Any = super()
        self._gathered_rewards: torch.Tensor = above._calculate_rewards(*args, **kwargs)
        return self._gathered_rewards

    def _transform_advantages(self, advantages: torch.Tensor) -> torch.Tensor:
        """PKPO's advantages in place of the trainer's, `[B]` of all processes (a hook of newer TRL)."""
        trainer: Any = self
        training = trainer.model.training
        n = trainer.num_generations if training else trainer.num_generations_eval
        parts = self._gathered_rewards.detach().cpu().double()
        valid = ~parts.isnan().all(dim=1)
        rewards = (parts * trainer.reward_weights.cpu().double()).nansum(dim=1)
        k = self.pkpo_schedule(trainer.state.global_step)
        groups = np.repeat(np.arange(len(rewards) // n), n)
        weights = group_advantages(
            rewards, groups, k, self.pkpo_estimator, valid=valid, scale="sum", too_small="clip"
        )
        metrics = trainer._metrics["train" if training else "eval"]
        metrics["pkpo/k"].append(float(k))
        whole = rewards.view(-1, n)[valid.view(-1, n).all(dim=1)]
        if k <= n and len(whole):
            metrics["pkpo/max_at_k"].append(float(rho(whole, k).mean()))
        return (n * weights).to(advantages.device, advantages.dtype)

    def _generate_and_score_completions(self, inputs: Any) -> dict[str, Any]:
        """As the trainer's, with PKPO's advantages of this process, and of all of them in the log."""
        above: Any = super()
        output: dict[str, Any] = above._generate_and_score_completions(inputs)
        if hasattr(above, "_transform_advantages"):
            return output  # it has called the hook
        trainer: Any = self
        own = output["advantages"]
        everyone = self._transform_advantages(own)
        output["advantages"] = everyone[trainer.accelerator.process_index * len(own) :][: len(own)]
        log = trainer._logs["advantages"]  # a deque of limited length: these are its newest entries
        for _ in range(min(len(everyone), len(log))):
            log.pop()
        log.extend(everyone.tolist())
        return output


class PKPOTrainer(PKPOMixin, GRPOTrainer):
    """TRL's GRPOTrainer with PKPO's advantages; see `PKPOMixin`.

    ```python
    PKPOTrainer(model, reward_funcs=correct, args=GRPOConfig(...), k="8@0,1@1500", ...)
    ```
    """


def _unfaithful_loss(args: Any) -> str:
    """What is wrong with the loss, or nothing."""
    loss = args.loss_type
    if loss in FAITHFUL_LOSSES:
        return ""
    why = TRAINERS["trl"].losses.get(loss, "is not known here")
    if why == BY_MICRO_BATCH and args.gradient_accumulation_steps == args.world_size == 1:
        return ""
    return (
        f"loss_type {loss!r} {why}, so that its gradient is not that of max@k: take one of "
        f"{', '.join(FAITHFUL_LOSSES)}"
    )


def _other_changes(args: Any) -> list[str]:
    """Settings that change what is optimised, each with how."""
    found = []
    cut = [
        f"{name} = {getattr(args, name)}"
        for name, off in (
            ("top_p", 1.0),
            ("top_k", 0),
            ("min_p", None),
            ("repetition_penalty", 1.0),
        )
        if getattr(args, name, off) not in (off, None)
    ]
    if cut:
        found.append(
            f"{', '.join(cut)}: answers are not drawn from the policy whose log-probabilities are "
            "trained, so that the gradient is biased"
        )
    if getattr(args, "mask_truncated_completions", False):
        found.append("mask_truncated_completions: answers that were cut count in no gradient")
    if getattr(args, "top_entropy_quantile", 1.0) < 1:
        found.append("top_entropy_quantile below 1: only some tokens of an answer are trained")
    if getattr(args, "off_policy_mask_threshold", None) is not None:
        found.append("off_policy_mask_threshold: some answers count in no gradient")
    return found
