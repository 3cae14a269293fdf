"""Word problems as a task: a language model learns to solve them, from rewards of its own answers.

Where an update's problems come from, what answers earn, and what is measured. Settings can be had
without torch; making the task needs it.
"""

from __future__ import annotations

import functools
import heapq
import os
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from pkpo.config import RunConfig
from pkpo.estimators import rho
from pkpo.extras import missing
from pkpo.fields import FieldError, named, setting
from pkpo.lm.devices import choose_device
from pkpo.lm.paths import GSM8K, HUB, PROBLEM_SETS, hub_name, model_name
from pkpo.lm.problem_sets import (
    PASS_KS,
    ROLLING_UPDATES,
    check_words,
    draw_without_replacement,
    load_problem_sets,
)
from pkpo.training.tasks.base import BestOfK, Task, TaskSpec, dead_group_shares
from toy_envs.word_problems import HIGHEST_ABSTENTION, answer_of, draw_problems, verify

GROUPS_EVERY_UPDATES = 10
"""Updates between those whose groups are kept to be looked at."""
CHECKED_QUESTIONS = 64
"""How many of the longest questions are read before a run, to see that a model has room for them."""
KEPT_GROUPS = 8
"""How many of an update's groups are."""


def _problems(text: Any) -> str:
    if text in PROBLEM_SETS:
        return text
    named = text.removeprefix(GSM8K)
    if named.startswith(HUB) and named != text:
        return GSM8K + HUB + hub_name("problems", named.removeprefix(HUB))
    where = os.path.expanduser(named)
    if named == text or not os.path.exists(where):
        raise ValueError(
            f"problems must be {', '.join(PROBLEM_SETS)} or {GSM8K} and a folder, a file or hub:NAME, "
            f"got {text[:80]!r}"
        )
    return GSM8K + os.path.realpath(where)


@dataclass(frozen=True, slots=True, kw_only=True)
class WordProblemsConfig(RunConfig):
    """A run of a language model on word problems (`toy_envs.word_problems`)."""

    task: ClassVar[str] = "word-problems"

    steps: int = setting(120, "updates", low=1, high=1_000_000)
    learning_rate: float = setting(3e-4, "step size", low=1e-9, high=1e3)
    optimizer: str = setting(
        "adam",
        "AdamW (betas 0.9, 0.95, no weight decay) on gradients of length 1 at most; no other is offered",
        choices=("adam",),
    )
    model: str = setting(
        "tiny",
        "the model at the start: one that ships, a model's folder, a .gguf file, or hub:NAME",
        canonical=model_name,
    )
    lora: int = setting(
        0,
        "rank of the LoRA adapters that are trained in place of the weights; 0 trains all weights",
        low=0,
        high=1024,
    )
    limit: int = setting(
        40,
        "tokens after which an answer is cut off; the model small takes 64 if this is less",
        low=1,
        high=8192,
    )
    problems: str = setting(
        "fresh",
        "training problems: fresh (new ones at every update), hard (the model's fixed hard set), "
        "hard-unseen (2,000 that the model rarely solves, tiny or tiny-abstaining; others like them are "
        "held out), "
        "gsm_symbolic (a fixed set, for the model small), or gsm8k: and a folder with train.jsonl and "
        "test.jsonl, one JSONL file, or hub:NAME",
        canonical=_problems,
    )
    reward: str = setting(
        "strict",
        "what an answer must be to earn 1, or the share of its true steps and the right answer",
        choices=("strict", "answer", "share"),
    )
    abstention: float = setting(
        0.0,
        "what an answer earns that says ? in place of a number; measured on held-out problems, such an "
        "answer is wrong",
        low=0.0,
        high=HIGHEST_ABSTENTION,
    )
    prompts: int = setting(32, "problems per update", low=1, high=4096)
    entropy_bonus: float = setting(
        0.0,
        "how much the mean entropy of the samples' tokens, in nats, adds to the objective",
        low=0.0,
        high=10.0,
    )
    held_out: int = setting(1024, "held-out problems that are measured, or 0", low=0, high=100_000)
    interval: int = setting(
        40, "updates between measurements on held-out problems", low=1, high=1_000_000
    )

    def __post_init__(self) -> None:
        RunConfig.__post_init__(self)  # a dataclass with slots is not the one that super() knows
        if self.held_out == 1:
            raise FieldError(
                "held_out", "held_out must be 0, or 2 or more for a standard error, got 1"
            )
        with named("problems"):
            check_words(self.model, self.problems)


class WordProblemsTask(Task):
    """A language model that learns to solve word problems.

    Metrics of an update: mean_reward; pass@k for every k of `PASS_KS` up to n, the mean of ρ (of the
    reward, arXiv:2505.15201, Eq. 12) over the last `ROLLING_UPDATES` updates' groups; held_out_pass@k,
    on held-out problems, of the policy at every `interval`-th update and at the end, and the same in
    between; held_out_error@k, their standard errors over problems; entropy, the mean over tokens in
    nats; cumulative_solve_rate, the share of the problems seen (of all, in a fixed set) of which an
    answer of the highest reward has ever been drawn; valid_chain_share, the share of completions whose
    every equation is true; lucky_share, the share of the right answers whose chain is not valid; what
    `dead_group_shares` counts, a right completion being one of the highest reward; abstention_share, of
    the completions that abstain, where that earns something; truncation_share;
    tokens, of a completion, the mean; unique_answers, the mean number of different answers in a group;
    gradient_norm, before clipping.

    Details, where there are any: groups, at every `GROUPS_EVERY_UPDATES`-th update and at the end, the
    first `KEPT_GROUPS` of them with every completion's tokens and their probabilities, rewards and
    weights; held_out, where held-out problems are measured, each one's sum of rewards over
    `max(PASS_KS)` completions; and with either, first_solved: of each problem of a fixed set the
    update that first solved it, or -1.

    Raises:
      ValueError: more prompts or held-out problems than there are, a model or problems that cannot
        be read, or a prompt and a limit that are more than the model's positions.
    """

    def __init__(self, config: WordProblemsConfig):
        from pkpo.lm.generation import check_positions
        from pkpo.lm.model_files import load_model
        from pkpo.lm.policy import LanguageModelPolicy

        self.config = config
        self._fixed, self._held_out = load_problem_sets(config)
        draw = (
            functools.partial(draw_without_replacement, self._fixed)
            if self._fixed
            else draw_problems
        )
        self.policy = LanguageModelPolicy(
            load_model(config.model, config.lora),
            lambda rng: draw(config.prompts, rng),
            config.entropy_bonus,
            config.limit,
        )
        model, known = self.policy.model, [p.question for p in [*self._fixed, *self._held_out]]
        if model.max_positions and known:  # the longest ones now, any other when it is sampled
            prompts = [
                model.encode_prompt(q) for q in heapq.nlargest(CHECKED_QUESTIONS, known, key=len)
            ]
            check_positions(model, prompts, max(config.limit, model.max_new_tokens))
        self.state = {
            "updates": np.zeros((), int),
            "seen": np.array(len(self._fixed)),
            # Of each fixed problem 1 + the update that first solved it, or 0; of others their number.
            "solved": np.zeros(max(1, len(self._fixed)), int),
            "recent": np.full((ROLLING_UPDATES, len(PASS_KS)), np.nan),
            "held_out": np.full((2, len(PASS_KS)), np.nan),
        }
        self._places = {p: i for i, p in enumerate(self._fixed)}
        self._metrics: dict[str, float] = {}
        self._details: dict[str, Any] = {}

    def score(self, samples: np.ndarray) -> np.ndarray:
        """The rewards `[P, n]` of completions of the problems that were sampled last."""
        groups = zip(self.policy.problems, samples, strict=True)
        verdicts = [[verify(text, p) for text in group] for p, group in groups]
        flat = [verdict for group in verdicts for verdict in group]
        right = [verdict for verdict in flat if verdict.answer]
        self._metrics = {
            "valid_chain_share": sum(v.chain for v in flat) / len(flat),
            "lucky_share": sum(not v.chain for v in right) / max(1, len(right)),
            **(
                {"abstention_share": sum(v.abstains for v in flat) / len(flat)}
                if self.config.abstention
                else {}
            ),
            "unique_answers": float(
                np.mean([len({answer_of(text) for text in group}) for group in samples])
            ),
        }
        reward, abstention = self.config.reward, self.config.abstention
        return np.array([[v.reward(reward, abstention) for v in group] for group in verdicts])

    def observe(
        self, rewards: np.ndarray, weights: np.ndarray, gradient: np.ndarray
    ) -> dict[str, float]:
        """Metrics of an update, before the policy moves; held-out problems are evaluated where due."""
        from pkpo.lm.evaluation import evaluate

        config, state, drawn = self.config, self.state, self.policy.samples
        assert drawn is not None, "nothing has been sampled"
        ks = [k for k in PASS_KS if k <= rewards.shape[1]]
        row = [rho(rewards, k).mean() for k in ks]
        recent = np.roll(state["recent"], -1, axis=0)
        recent[-1, : len(ks)] = row
        held_out = state["held_out"]
        self._details = {}
        if self._due(GROUPS_EVERY_UPDATES):
            self._details["groups"] = self._groups(rewards, weights)
        if self._held_out and self._due(config.interval):
            found = evaluate(
                self.policy.model,
                self._held_out,
                max(PASS_KS),
                reward=config.reward,
                limit=config.limit,
            )
            held_out = np.array([found.max_at(k) for k in PASS_KS]).T
            self._details["held_out"] = found.rewards.sum(axis=1).tolist()
        right = rewards == 1
        solved = right.any(axis=1)
        counts, seen = state["solved"].copy(), state["seen"]
        if self._fixed:
            places = np.array([self._places[p] for p in self.policy.problems])
            new = places[solved & (counts[places] == 0)]
            counts[new] = 1 + state["updates"]
            rate = (counts > 0).mean()
            if self._details:
                self._details["first_solved"] = (counts - 1).tolist()
        else:
            counts, seen = counts + solved.sum(), seen + len(solved)
            rate = counts.sum() / seen
        self.state = {
            "updates": state["updates"] + 1,
            "seen": np.array(seen),
            "solved": counts,
            "recent": recent,
            "held_out": held_out,
        }
        rolling = np.nanmean(recent[:, : len(ks)], axis=0).tolist()
        names = [f"held_out_{what}@{k}" for what in ("pass", "error") for k in PASS_KS]
        return {
            "mean_reward": float(rewards.mean()),
            **{f"pass@{k}": value for k, value in zip(ks, rolling, strict=True)},
            **(dict(zip(names, held_out.ravel().tolist(), strict=True)) if self._held_out else {}),
            "entropy": float(drawn.entropies.sum() / drawn.lengths.sum()),
            "cumulative_solve_rate": float(rate),
            **self._metrics,
            **dead_group_shares(right, weights),
            "truncation_share": float((~drawn.finished).float().mean()),
            "tokens": float(drawn.lengths.float().mean()),
            "gradient_norm": self.policy.gradient_norm,
        }

    def details(self, rewards: np.ndarray, weights: np.ndarray) -> dict[str, Any]:
        """See `Task`; what there is, is said above."""
        return self._details

    def _due(self, interval: int) -> bool:
        update = self.state["updates"]
        return bool(update % interval == 0 or update == self.config.steps)

    def _groups(self, rewards: np.ndarray, weights: np.ndarray) -> list[dict[str, Any]]:
        drawn, pieces = self.policy.samples, self.policy.model.pieces
        assert drawn is not None, "nothing has been sampled"
        groups = []
        for i, problem in enumerate(self.policy.problems[:KEPT_GROUPS]):
            rows = zip(
                drawn.tokens[i].tolist(),
                drawn.log_probs[i].exp().tolist(),
                (drawn.lengths[i] - drawn.finished[i].long()).tolist(),
                rewards[i].tolist(),
                weights[i].tolist(),
                strict=True,
            )
            samples = [
                {
                    "tokens": pieces(tokens[:count]),
                    "probabilities": [round(p, 3) for p in chances[:count]],
                    "reward": reward,
                    "weight": weight,
                }
                for tokens, chances, count, reward, weight in rows
            ]
            groups.append({"problem": asdict(problem), "samples": samples})
        return groups

    def exact(
        self, parameters: np.ndarray, gradient: np.ndarray, k: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Nothing is known exactly of a language model."""
        return {}


def _make(config: WordProblemsConfig) -> Task:
    try:
        return WordProblemsTask(config)
    except ModuleNotFoundError as reason:
        raise missing(f"task {config.task}", reason) from None


SPEC = TaskSpec(
    config=WordProblemsConfig,
    title="Language model",
    make=_make,
    printed=(
        "pass@1",
        "held_out_pass@1",
        "held_out_pass@16",
        "entropy",
        "cumulative_solve_rate",
        "valid_chain_share",
    ),
    charted=("entropy", "cumulative_solve_rate", "valid_chain_share"),
    charted_with={"abstention_share": "abstention"},
    best=BestOfK(column="held_out_pass@{k}", title="pass@{k} on held-out problems: "),
    dtype="float32",
    device=lambda config: choose_device(config.model),
)
