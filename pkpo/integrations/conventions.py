"""What trainers make of a group's rewards, release by release: who centres, divides, and averages what.

The table of docs/conventions.md and the trainer clinic are made from `TRAINERS`.
"""

from __future__ import annotations

from dataclasses import dataclass

ALIKE = "every token counts alike"
BY_PROMPT = "divides by the tokens of a prompt's responses"
BY_LENGTH = "divides each response by its own length"
BY_MICRO_BATCH = "divides by the tokens of each micro-batch"
REDUCTIONS = {
    ALIKE: "keeps it",
    BY_PROMPT: "keeps it within a prompt; prompts with long responses count less",
    BY_LENGTH: "changes it: long responses count less",
    BY_MICRO_BATCH: "changes it, unless a step is one micro-batch (below: one response in each)",
}
"""How a loss sums over tokens -> what that does to the gradient of a policy-gradient sum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainerConvention:
    """One trainer's conventions, in the release named."""

    key: str
    label: str
    version: str
    tested: bool
    """Checked by running it; otherwise read in its source."""
    centre: str
    """Its own advantage subtracts the "mean" of the group, or the mean of the "others"."""
    divide: str
    """And divides by the standard deviation of the "group", of the "others", or "no"."""
    epsilon: float
    """Added to that deviation."""
    ddof: int
    """1 for the sample's deviation, 0 for the population's."""
    switch: str
    """The setting that turns the division on and off."""
    sums: bool
    """The loss sums over samples, so that it wants w; otherwise it averages, and wants n·w."""
    losses: dict[str, str]
    """Setting of the loss -> one of `REDUCTIONS`; the default first."""
    hook: str
    """Where advantages of one's own go in."""
    lines: str
    """That in code, with {k} and {estimator} to fill in."""

    def adapter(self, k: int | str, estimator: str) -> str:
        """The lines that give this trainer PKPO's advantages."""
        return self.lines.format(k=k if isinstance(k, int) else f'"{k}"', estimator=estimator)


TRAINERS: dict[str, TrainerConvention] = {
    trainer.key: trainer
    for trainer in (
        TrainerConvention(
            key="trl",
            label="TRL, GRPOTrainer",
            version="1.16.0",
            tested=True,
            centre="mean",
            divide="group",
            epsilon=1e-4,
            ddof=1,
            switch="scale_rewards",
            sums=False,
            losses={
                "dapo": ALIKE,
                "dr_grpo": ALIKE,
                "luspo": ALIKE,
                "cispo": ALIKE,
                "vespo": ALIKE,
                "bnpo": BY_MICRO_BATCH,
                "grpo": BY_LENGTH,
                "sapo": BY_LENGTH,
            },
            hook="none; `pkpo.integrations.trl.PKPOTrainer` replaces what comes after the rewards",
            lines="""from pkpo.integrations.trl import PKPOTrainer

trainer = PKPOTrainer(
    model=model,
    reward_funcs=reward,
    args=GRPOConfig(loss_type="dr_grpo", num_generations=16),
    train_dataset=dataset,
    k={k},
    estimator="{estimator}",
)""",
        ),
        TrainerConvention(
            key="verl",
            label="verl",
            version="0.9.1",
            tested=True,
            centre="mean",
            divide="group",
            epsilon=1e-6,
            ddof=1,
            switch="algorithm.norm_adv_by_std_in_grpo",
            sums=False,
            losses={
                "token-mean": ALIKE,
                "token-sum": ALIKE,
                "seq-mean-token-sum": ALIKE,
                "seq-mean-token-sum-norm": ALIKE,
                "seq-mean-token-mean": BY_LENGTH,
            },
            hook="`register_adv_est`",
            lines="""from pkpo.integrations import TokenLevelAdvantages
from verl.trainer.ppo.core_algos import register_adv_est

register_adv_est("pkpo")(TokenLevelAdvantages(k={k}, estimator="{estimator}"))
# then: algorithm.adv_estimator=pkpo actor_rollout_ref.actor.loss_agg_mode=token-mean""",
        ),
        TrainerConvention(
            key="skyrl",
            label="SkyRL",
            version="0.3.0",
            tested=True,
            centre="mean",
            divide="group",
            epsilon=1e-6,
            ddof=1,
            switch="trainer.algorithm.grpo_norm_by_std",
            sums=False,
            losses={
                "token_mean": ALIKE,
                "seq_mean_token_sum_norm": ALIKE,
                "prompt_mean": BY_PROMPT,
                "token_mean_legacy": BY_MICRO_BATCH,
                "sequence_mean": BY_LENGTH,
            },
            hook="`register_advantage_estimator`",
            lines="""from pkpo.integrations import TokenLevelAdvantages
from skyrl.backends.skyrl_train.utils.ppo_utils import register_advantage_estimator

register_advantage_estimator("pkpo")(TokenLevelAdvantages(k={k}, estimator="{estimator}"))
# then: trainer.algorithm.advantage_estimator=pkpo trainer.algorithm.loss_reduction=token_mean""",
        ),
        TrainerConvention(
            key="rllm",
            label="rLLM",
            version="0.3.0.pre",
            tested=False,
            centre="mean",
            divide="group",
            epsilon=1e-6,
            ddof=0,
            switch="norm_adv_by_std_in_grpo",
            sums=False,
            losses={"token-mean": ALIKE, "seq-mean-token-mean": BY_LENGTH},
            hook="`register_rllm_adv_estimator`",
            lines="""from pkpo.integrations import group_advantages
from rllm.trainer.algorithms.advantage import register_rllm_adv_estimator

@register_rllm_adv_estimator("other")  # the name that rLLM gives to all it does not know
def pkpo_advantages(rewards, algorithm_config, **_):
    advantages = group_advantages(rewards, None, k={k}, estimator="{estimator}")
    return advantages, advantages
# then: algorithm.adv_estimator=pkpo""",
        ),
        TrainerConvention(
            key="slime",
            label="slime",
            version="0.3.1",
            tested=False,
            centre="mean",
            divide="group",
            epsilon=1e-6,
            ddof=1,
            switch="--disable-grpo-std-normalization",
            sums=False,
            losses={"per sample": BY_LENGTH, "--calculate-per-token-loss": ALIKE},
            hook="`--custom-reward-post-process-path`",
            lines="""from pkpo.integrations import group_advantages

def pkpo_rewards(args, samples):
    raw = [float(sample.get_reward_value(args)) for sample in samples]
    groups = [sample.group_index for sample in samples]
    return raw, group_advantages(raw, groups, k={k}, estimator="{estimator}").tolist()
# then: --custom-reward-post-process-path this_file.pkpo_rewards --calculate-per-token-loss""",
        ),
        TrainerConvention(
            key="nemo_rl",
            label="NeMo RL",
            version="0.6.0",
            tested=False,
            centre="others",
            divide="others",
            epsilon=1e-6,
            ddof=1,
            switch="grpo.adv_estimator.normalize_rewards",
            sums=False,
            losses={"token_level_loss=true": ALIKE, "token_level_loss=false": BY_LENGTH},
            hook="none; the class `GRPOAdvantageEstimator` is replaced",
            lines="""import torch
import nemo_rl.algorithms.grpo as grpo
from pkpo.integrations import group_advantages

class PKPOAdvantageEstimator:
    def __init__(self, estimator_config, loss_config):
        pass

    def compute_advantage(self, prompt_ids, rewards, mask, **_):
        group = torch.unique(prompt_ids, dim=0, return_inverse=True)[1]
        advantages = group_advantages(rewards, group, k={k}, estimator="{estimator}")
        return advantages[:, None].expand(mask.shape)

grpo.GRPOAdvantageEstimator = PKPOAdvantageEstimator""",
        ),
        TrainerConvention(
            key="prime_rl",
            label="prime-rl",
            version="0.8.0",
            tested=False,
            centre="mean",
            divide="no",
            epsilon=0.0,
            ddof=1,
            switch="none",
            sums=False,
            losses={"rl": ALIKE},
            hook="a named `Algorithm` in its own tree",
            lines="""class PKPOAlgorithm(Algorithm):  # listed in ALGORITHM_CLASSES
    async def score_group(self, episodes):
        traces = [trace for _, trace in iter_trainable_traces(episodes)]
        rewards = [trace.reward for trace in traces]
        advantages = group_advantages(rewards, [0] * len(traces), k={k}, estimator="{estimator}")
        for trace, advantage in zip(traces, advantages.tolist(), strict=True):
            assign_advantages(trace, advantage)""",
        ),
        TrainerConvention(
            key="tinker",
            label="Tinker cookbook",
            version="0.6.1",
            tested=False,
            centre="mean",
            divide="no",
            epsilon=0.0,
            ddof=1,
            switch="none",
            sums=True,
            losses={"importance_sampling": ALIKE, "ppo": ALIKE},
            hook="none; the function `compute_advantages` is replaced",
            lines="""import torch
from pkpo.integrations import group_advantages
from tinker_cookbook.rl import data_processing, train

def compute_advantages(trajectory_groups_P):
    rewards = [torch.tensor(group.get_total_rewards()).float() for group in trajectory_groups_P]
    return group_advantages(rewards, None, k={k}, estimator="{estimator}", scale="sum")

train.compute_advantages = data_processing.compute_advantages = compute_advantages""",
        ),
    )
}
"""Every trainer by its key."""


def convention_table() -> str:
    """The conventions as a Markdown table, one row per trainer."""
    rows = [
        "| Trainer | Release | Its own advantage | Switch of the division | The loss wants "
        "| Losses that keep the direction | that do not | Where PKPO goes in |",
        "|---|---|---|---|---|---|---|---|",
    ]
    baseline = {"mean": "r - mean", "others": "r - mean of the others"}
    for t in TRAINERS.values():
        own = baseline[t.centre]
        if t.divide != "no":
            of = "std" if t.divide == "group" else "std of the others"
            own = f"({own}) / ({of} + {t.epsilon:g})"
        names = [
            ", ".join(f"`{name}`" for name, how in t.losses.items() if (how == ALIKE) == kept)
            for kept in (True, False)
        ]
        cells = (
            t.label,
            f"{t.version}, {'run' if t.tested else 'read'}",
            own,
            t.switch if t.switch == "none" else f"`{t.switch}`",
            "w (it sums)" if t.sums else "n·w (it averages)",
            names[0],
            names[1] or "none",
            t.hook,
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)
