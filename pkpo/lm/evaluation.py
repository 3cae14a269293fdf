"""Held-out pass@k of a language model, with its uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from pkpo.estimators import rho
from pkpo.lm.generation import MAX_NEW_TOKENS, decode_completions, generate
from pkpo.lm.language_model import Model
from toy_envs import word_problems
from toy_envs.word_problems import WordProblem, verify

PROBLEMS_PER_BATCH = 64  # problems sampled together


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalResult:
    """n samples of each of P problems, scored."""

    rewards: np.ndarray
    """`[P, n]`"""
    difficulties: np.ndarray
    """`[P]`"""
    entropy: float
    """In nats, the mean over tokens."""
    truncated: float
    """The share of samples that were cut at the limit."""

    def per_problem(self, k: int) -> np.ndarray:
        """`[P]`: each problem's unbiased estimate of max@k (arXiv:2505.15201, Eq. 12)."""
        return rho(self.rewards, k)

    def max_at(self, k: int, difficulty: int | None = None) -> tuple[float, float]:
        """Mean and standard error over problems, of one difficulty or all; nan for none."""
        chosen = slice(None) if difficulty is None else self.difficulties == difficulty
        values = self.per_problem(k)[chosen]
        if len(values) < 2:
            return (float(values[0]) if len(values) else np.nan), np.nan
        return float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5)


def evaluate(
    model: Model,
    problems: Sequence[WordProblem],
    n: int = 32,
    seed: int = 0,
    reward: str = "strict",
    limit: int = MAX_NEW_TOKENS,
) -> EvalResult:
    """Sample every problem n times and score the samples.

    The standard errors take the problems as a random sample of all; the same seed draws the same
    random numbers, so that models compare pair by pair.

    Args:
      model: what is measured.
      problems: P of them.
      n: samples of each; pass@k needs k <= n.
      seed: of the samples.
      reward: a key of `toy_envs.word_problems.REWARDS`.
      limit: tokens after which a sample is cut; see `sample`.
    """
    rewards, entropy, tokens, cut = [], 0.0, 0, 0
    for start in range(0, len(problems), PROBLEMS_PER_BATCH):
        chunk = problems[start : start + PROBLEMS_PER_BATCH]
        rng = np.random.default_rng((seed, start))
        drawn = generate(model, [p.question for p in chunk], n, rng, limit)
        for p, texts in zip(chunk, decode_completions(model, drawn), strict=True):
            rewards.append([verify(text, p).reward(reward) for text in texts])
        entropy += float(drawn.entropies.sum())
        tokens += int(drawn.lengths.sum())
        cut += int((~drawn.finished).sum())
    return EvalResult(
        rewards=np.array(rewards),
        difficulties=np.array([p.difficulty for p in problems]),
        entropy=entropy / tokens,
        truncated=cut / (len(problems) * n),
    )


SCREENED, TRIED, SOLVED = 16, 64, 3
"""A hard problem is solved at most SOLVED of TRIED times; more often in the first SCREENED will do."""


def hard_problems(
    model: Model, count: int, seed: int = 0, source: ModuleType = word_problems
) -> list[WordProblem]:
    """So many random training problems that a model solves at most 3 of 64 times, with strict reward.

    They were chosen by luck, too: how well the model does on them shows on new samples only. The
    problems are those of a source's `problems`.
    """
    found: dict[str, WordProblem] = {}
    rng = np.random.default_rng(seed)
    while len(found) < count:
        drawn = source.draw_problems(PROBLEMS_PER_BATCH, rng)
        first, second = (int(x) for x in rng.integers(2**32, size=2))
        solved = evaluate(model, drawn, SCREENED, first).rewards.sum(axis=1)
        left = np.flatnonzero(solved <= SOLVED)
        if not len(left):
            continue
        rest = evaluate(model, [drawn[i] for i in left], TRIED - SCREENED, second).rewards
        hard = left[solved[left] + rest.sum(axis=1) <= SOLVED]
        found |= {drawn[i].question: drawn[i] for i in hard}
    return list(found.values())[:count]


RARELY_TRIED, RARELY_SOLVED = 16, 1
"""A rarely solved problem is solved at most RARELY_SOLVED of RARELY_TRIED times."""


def rarely_solved_problems(
    model: Model, count: int, split: str, seed: int = 0, source: ModuleType = word_problems
) -> list[WordProblem]:
    """So many different random problems that a model solves at most once in 16, with strict reward.

    They are many more than those of `hard_problems`, and less hard: enough to train on some and to
    measure others. How well the model does on them shows on new samples only.

    Args:
      model: is asked.
      count: how many.
      split: of the source, "train" or "held-out".
      seed: of problems and samples.
      source: its `draw_problems` gives the problems.
    """
    found: dict[str, WordProblem] = {}
    rng = np.random.default_rng(seed)
    while len(found) < count:
        drawn = source.draw_problems(PROBLEMS_PER_BATCH, rng, split)
        solved = evaluate(model, drawn, RARELY_TRIED, int(rng.integers(2**32))).rewards.sum(axis=1)
        found |= {
            p.question: p for p, times in zip(drawn, solved, strict=True) if times <= RARELY_SOLVED
        }
    return list(found.values())[:count]
