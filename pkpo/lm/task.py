"""Word problems as a task: where an update's problems come from, what answers earn, what is measured."""

from __future__ import annotations

import functools
import heapq
from dataclasses import asdict
from typing import Any

import numpy as np

from pkpo.config import WordProblemsConfig
from pkpo.estimators import rho
from pkpo.lm.evaluation import evaluate
from pkpo.lm.generation import check_positions
from pkpo.lm.model import load
from pkpo.lm.policy import LanguageModelPolicy
from pkpo.lm.problem_sets import PASS_KS, ROLLING_UPDATES, draw_without_replacement, load_problem_sets
from pkpo.tasks import Task, silent_groups
from toy_envs.word_problems import answer_of, draw_problems, verify

GROUPS_EVERY_UPDATES = 10
"""Updates between those whose groups are kept to be looked at."""
CHECKED_QUESTIONS = 64
"""How many of the longest questions are read before a run, to see that a model has room for them."""
KEPT_GROUPS = 8
"""How many of an update's groups are."""


class WordProblemsTask(Task):
    """A language model that learns to solve word problems.

    Metrics of an update: mean_reward; pass@k for every k of `KS` up to n, the mean of ρ (of the reward,
    arXiv:2505.15201, Eq. 12) over the last `WINDOW` updates' groups; held_out_pass@k, on held-out
    problems, of the policy at every `interval`-th update and at the end, and the same in between;
    held_out_error@k, their standard errors over problems; entropy, the mean over tokens in nats;
    cumulative_solve_rate, the share of the problems seen (of all, in a fixed set) of which an answer of
    the highest reward has ever been drawn; valid_chain_share, the share of completions whose every
    equation is true; lucky_share, the share of the right answers whose chain is not valid;
    what `silent_groups` counts, a right completion being one of the highest reward; truncation_share;
    tokens, of a completion, the mean; unique_answers, the mean number of different answers in a group;
    gradient_norm, before clipping.

    Details, where there are any: groups, at every `SHOWN`-th update and at the end, the first `GROUPS`
    of them with every completion's tokens and their probabilities, rewards and weights; held_out, where
    held-out problems are measured, each one's sum of rewards over `max(KS)` completions; and with
    either, first_solved: of each problem of a fixed set the update that first solved it, or -1.

    Raises:
      ValueError: more prompts or held-out problems than there are, a model or problems that cannot
        be read, or a prompt and a limit that are more than the model's positions.
    """

    def __init__(self, config: WordProblemsConfig):
        self.config = config
        self._fixed, self._held_out = load_problem_sets(config)
        draw = functools.partial(draw_without_replacement, self._fixed) if self._fixed else draw_problems
        self.policy = LanguageModelPolicy(
            load(config.model, config.lora),
            lambda rng: draw(config.prompts, rng),
            config.entropy_bonus,
            config.limit,
        )
        model, known = self.policy.model, [p.question for p in [*self._fixed, *self._held_out]]
        if model.positions and known:  # the longest ones now, any other when it is sampled
            prompts = [model.prompt(q) for q in heapq.nlargest(CHECKED_QUESTIONS, known, key=len)]
            check_positions(model, prompts, max(config.limit, model.limit))
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
            "unique_answers": float(
                np.mean([len({answer_of(text) for text in group}) for group in samples])
            ),
        }
        return np.array([[v.reward(self.config.reward) for v in group] for group in verdicts])

    def observe(
        self, rewards: np.ndarray, weights: np.ndarray, gradient: np.ndarray
    ) -> dict[str, float]:
        """Metrics of an update, the policy being the one that was sampled from."""
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
            **silent_groups(right, weights),
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
