"""On which problems a run trains and is measured; no torch is needed to look."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pkpo.config import GSM8K, WordProblemsConfig
from pkpo.lm.folders import HUB, download, find
from toy_envs.word_problems import Problem, gsm8k_splits, problems

KS = tuple(range(1, 17))
"""The k at which every event gives pass@k; held-out problems are answered as often as the last says."""
HELD_OUT_SEED = 1_000_000


def problem_sets(config: WordProblemsConfig) -> tuple[list[Problem], list[Problem]]:
    """The fixed set to train on, empty for new problems at every update, and what is held out.

    Raises:
      ValueError: more prompts or held-out problems than there are, or they cannot be read.
    """
    fixed: list[Problem] = []
    if config.problems.startswith(GSM8K):
        where = config.problems.removeprefix(GSM8K)
        if where.startswith(HUB):
            name = where.removeprefix(HUB)
            where = str(download("problems", name, "dataset", ("train.jsonl", "test.jsonl")))
        fixed, others = gsm8k_splits(where)
        if config.held_out > len(others):
            raise ValueError(
                f"held_out must be at most {len(others)} with {config.problems}, "
                f"got {config.held_out}"
            )
        held_out = choose(others, config.held_out, np.random.default_rng(HELD_OUT_SEED))
    else:
        held_out = problems(config.held_out, HELD_OUT_SEED, "held-out")
        if config.problems == "hard":
            fixed = load_hard(config.model)
    if fixed and config.prompts > len(fixed):
        raise ValueError(
            f"prompts must be at most {len(fixed)} with {config.problems} problems, "
            f"got {config.prompts}"
        )
    return fixed, held_out


def choose(fixed: Sequence[Problem], count: int, rng: np.random.Generator) -> list[Problem]:
    """So many of these, each once."""
    return [fixed[i] for i in rng.permutation(len(fixed))[:count]]


def load_hard(model: str | Path) -> list[Problem]:
    """The hard problems that a model's folder holds (`pkpo.lm.evaluate.hard_problems`).

    Raises:
      ValueError: it holds none.
    """
    path = None if str(model).startswith(HUB) else find(model) / "hard.json"
    if path is None or not path.is_file():
        raise ValueError(f"problems cannot be hard: model {model} has no hard.json")
    return [Problem(**item) for item in json.loads(path.read_text())]
