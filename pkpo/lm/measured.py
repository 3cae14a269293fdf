"""On which problems a run trains and is measured; no torch is needed to look."""

from __future__ import annotations

import functools
import json
from pathlib import Path

from pkpo.config import WordProblemsConfig
from pkpo.lm.folders import find
from toy_envs.word_problems import Problem, problems

KS = tuple(range(1, 17))
"""The k at which every event gives pass@k; held-out problems are answered as often as the last says."""
HELD_OUT_SEED = 1_000_000


def load_hard(folder: str | Path) -> list[Problem]:
    """The hard problems that a model's folder holds (`pkpo.lm.evaluate.hard_problems`)."""
    return [Problem(**item) for item in json.loads((find(folder) / "hard.json").read_text())]


def fixed_problems(config: WordProblemsConfig) -> list[Problem]:
    """Those that a run trains on again and again; none if every update draws new ones."""
    return load_hard(config.model) if config.problems == "hard" else []


def held_out_problems(config: WordProblemsConfig) -> list[Problem]:
    """Those that a run is measured on."""
    return list(_held_out(config.held_out))


@functools.lru_cache(maxsize=8)
def _held_out(count: int) -> tuple[Problem, ...]:
    return tuple(problems(count, HELD_OUT_SEED, "held-out"))
