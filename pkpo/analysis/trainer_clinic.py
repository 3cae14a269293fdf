"""What a trainer really optimises: the weights that its settings make of a group, and where they point.

A trainer is given a group's rewards, or something in their place, makes advantages of it, and sums them
over samples and tokens. `TrainerSettings` says how; its weights are in the sum convention of
`pkpo.transform`, and stand for an estimator wherever a symmetric one is enumerated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pkpo.estimators import get_estimator, transform
from pkpo.integrations.conventions import (
    ALIKE,
    BY_LENGTH,
    BY_MICRO_BATCH,
    BY_PROMPT,
    TRAINERS,
    TrainerConvention,
)

THROUGH = {
    "adapter": "its advantages, by an adapter",
    "rewards": "its rewards: they become n·w",
    "unscaled": "its advantages: w itself",
    "nothing": "nothing: its own advantages",
}
"""By what PKPO's weights w enter the trainer."""
CENTRES = {
    "no": "nothing",
    "mean": "the group's mean",
    "others": "the mean of the others",
}
DIVIDES = {
    "no": "nothing",
    "group": "the group's standard deviation",
    "others": "that of the others",
    "rewards": "that of the true rewards",
}
LENGTH_LIMITS = (0.1, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainerSettings:
    """How a trainer weighs a group: call it with rewards and k.

    Raises:
      ValueError: naming the field, its value and what is allowed.
    """

    trainer: str = "trl"
    through: str = "adapter"
    estimator: str = "sloo_minus_one"
    centre: str = "no"
    """What is subtracted from the advantages, one of `CENTRES`."""
    divide: str = "no"
    """What they are divided by, one of `DIVIDES`."""
    loss: str = "dapo"
    """A setting of this trainer's loss."""
    length: float = 1.0
    """Tokens of a response with reward 1, where one with reward 0 has 1; others lie between."""

    def __post_init__(self) -> None:
        trainer = TRAINERS.get(self.trainer)
        for name, options in (
            ("trainer", TRAINERS),
            ("through", THROUGH),
            ("centre", CENTRES),
            ("divide", DIVIDES),
            ("loss", trainer.losses if trainer else {}),
        ):
            value = getattr(self, name)
            if value not in options:
                raise ValueError(f"{name} must be one of {', '.join(options)}, got {value[:40]!r}")
        get_estimator(self.estimator)
        low, high = LENGTH_LIMITS
        if not low <= self.length <= high:
            raise ValueError(f"length must be from {low:g} to {high:g}, got {self.length:g}")

    def __str__(self) -> str:
        return "as trained"

    def replace(self, **changes: Any) -> TrainerSettings:
        """The same with some fields changed."""
        return replace(self, **changes)

    @property
    def about(self) -> TrainerConvention:
        """The trainer's own conventions."""
        return TRAINERS[self.trainer]

    def __call__(self, rewards: np.ndarray, k: int) -> np.ndarray:
        """Weights `[..., n]` of rewards `[..., n]`, in the sum convention.

        Responses of several lengths are measured in those with reward 0, so that only the direction
        of what divides by lengths has a meaning.
        """
        rewards = np.asarray(rewards, float)
        n = rewards.shape[-1]
        share = 1 if self.about.sums else n  # the loss's 1/n is the trainer's
        given = rewards
        if self.through != "nothing":
            weights = np.asarray(transform(rewards, k, self.estimator))
            given = weights if self.through == "unscaled" else share * weights
        return self._standardise(given, rewards) / share * self._length_factor(rewards)

    def _standardise(self, given: np.ndarray, rewards: np.ndarray) -> np.ndarray:
        """Centred and divided, as set."""
        n = given.shape[-1]
        total = given.sum(-1, keepdims=True)
        if self.centre != "no" and n > 1:
            mean = total / n if self.centre == "mean" else (total - given) / (n - 1)
        else:
            mean = np.zeros_like(total)
        centred = given - mean
        if self.divide == "no" or n < 2:
            return centred
        source = rewards if self.divide == "rewards" else given
        if self.divide == "others":
            others = (total - given) / (n - 1)
            squares = (np.square(source).sum(-1, keepdims=True) - source**2) / (n - 1)
            spread = np.sqrt(np.maximum(squares - others**2, 0) * (n - 1) / max(n - 2, 1))
        else:
            spread = source.std(-1, ddof=self.about.ddof, keepdims=True)
        spread = np.where(spread < 1e-7, 0, spread)  # rounding makes no deviation
        return np.where(spread > 0, centred / (spread + self.about.epsilon), centred)

    def _length_factor(self, rewards: np.ndarray) -> np.ndarray | float:
        """What the loss multiplies a sample's whole log-probability by."""
        kind = self.about.losses[self.loss]
        lengths = 1 + (self.length - 1) * np.clip(rewards, 0, 1)
        if kind == ALIKE:
            return 1.0
        if kind == BY_PROMPT:
            return 1 / lengths.mean(-1, keepdims=True)
        assert kind in (BY_LENGTH, BY_MICRO_BATCH)  # the latter with one response in each
        return 1 / lengths


def own_settings(trainer: str) -> TrainerSettings:
    """What a trainer does if nothing of PKPO is in it, by its defaults."""
    about = TRAINERS[trainer]
    return TrainerSettings(
        trainer=trainer,
        through="nothing",
        centre=about.centre,
        divide=about.divide,
        loss=next(iter(about.losses)),
    )


def adapter_settings(trainer: str) -> TrainerSettings:
    """What the adapter makes of it: final advantages, in a loss that keeps the direction."""
    losses = TRAINERS[trainer].losses
    kept = next(name for name, how in losses.items() if how == ALIKE)
    return TrainerSettings(trainer=trainer, through="adapter", loss=kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFault:
    """A way in which pass@k training was published that optimises something else."""

    label: str
    story: str
    settings: TrainerSettings
    k: int
    rewards: tuple[float, ...] = (0.0, 1.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0)
    """A group that shows it."""


_REWARDS = replace(own_settings("trl"), through="rewards")
FAULTS: dict[str, PublishedFault] = {
    "centred": PublishedFault(
        label="Centred again",
        story="PKPO's weights returned as rewards: TRL takes the group's mean off once more. The "
        "gradient is then (1 - k/n) ∇max@k + (k/n) ∇max@(k-1): here, at k = n, that of max@3.",
        settings=replace(_REWARDS, divide="no"),
        k=4,
        rewards=(0.0, 1.0, 0.0, 0.5),
    ),
    "standardised": PublishedFault(
        label="Standardised again",
        story="The same with TRL's default `scale_rewards`: each prompt's weights are stretched to one "
        "deviation, so that prompts which are hard count as much as easy ones whatever k asks for.",
        settings=_REWARDS,
        k=4,
    ),
    "all-zero": PublishedFault(
        label="All zero at k = n",
        story="All-subset credits less their mean, as in rLLM's pull request 743: what is left is "
        "(1 - k/n)/n of the gradient, and nothing at all at k = n.",
        settings=replace(
            adapter_settings("rllm"), through="unscaled", estimator="s", centre="mean"
        ),
        k=8,
    ),
    "n-times": PublishedFault(
        label="n times too small",
        story="The paper's weights are for a sum. As advantages of a loss that averages over samples "
        "they must be multiplied by n; without it the step is n times too small.",
        settings=replace(adapter_settings("verl"), through="unscaled"),
        k=4,
    ),
    "grpo_passk": PublishedFault(
        label="verl's grpo_passk",
        story="The best less the second best, to the best alone (k = n), divided by the deviation of "
        "the rewards, as is verl's default: graded rewards are weighed by their spread. With "
        "rewards 0 and 1 only the scale is wrong.",
        settings=replace(adapter_settings("verl"), through="unscaled", divide="rewards"),
        k=8,
    ),
    "lengths": PublishedFault(
        label="Divided by length",
        story="The right advantages in a loss that divides each response by its own length, with right "
        "answers three times as long as wrong ones.",
        settings=replace(adapter_settings("trl"), loss="grpo", length=3.0, centre="no"),
        k=4,
    ),
}
"""One-click cases of the trainer clinic."""
