"""Training problems and held-out problems of a run; imports no torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pkpo.lm.paths import GSM8K, GSM_SYMBOLIC, HARD_UNSEEN, HUB, VOCABULARY, download, find, ours
from pkpo.lm.tokenizer import Tokenizer
from toy_envs.word_problems import WordProblem, draw_problems, gsm8k_splits, vocabulary_texts

PASS_KS = tuple(range(1, 17))
"""The k at which every event gives pass@k; held-out problems are answered as often as the last says."""
ROLLING_UPDATES = 10
"""Updates over which the rolling pass@k of the problems trained on is a mean."""
HELD_OUT_SEED = 1_000_000
HARD_UNSEEN_PARTS = ("train", "held_out")
"""The lists in a model's hard-unseen.json."""


class ProblemSettings(Protocol):
    """What a run's settings say of its problems."""

    @property
    def model(self) -> str:
        """The model at the start."""

    @property
    def problems(self) -> str:
        """Those to train on."""

    @property
    def prompts(self) -> int:
        """How many an update has."""

    @property
    def held_out(self) -> int:
        """How many are held out."""


def load_problem_sets(config: ProblemSettings) -> tuple[list[WordProblem], list[WordProblem]]:
    """The fixed set to train on, empty for new problems at every update, and what is held out.

    Raises:
      ValueError: more prompts or held-out problems than there are, or they cannot be read.
    """
    fixed: list[WordProblem] = []
    others: list[WordProblem] | None = None
    if config.problems == HARD_UNSEEN:
        fixed, others = load_hard_unseen(config.model)
    elif (where := _files(config)) is not None:
        fixed, others = gsm8k_splits(where)
    if others is None:
        held_out = draw_problems(config.held_out, HELD_OUT_SEED, "held-out")
    else:
        if config.held_out > len(others):
            raise ValueError(
                f"held_out must be at most {len(others)} with {config.problems}, "
                f"got {config.held_out}"
            )
        held_out = draw_without_replacement(
            others, config.held_out, np.random.default_rng(HELD_OUT_SEED)
        )
    if config.problems == "hard":
        fixed = load_hard(config.model)
    if fixed and config.prompts > len(fixed):
        raise ValueError(
            f"prompts must be at most {len(fixed)} with {config.problems} problems, "
            f"got {config.prompts}"
        )
    return fixed, held_out


def _files(config: ProblemSettings) -> Path | None:
    """What holds a run's problems in GSM8K's format, or, for the hard ones, others in their words."""
    if config.problems == "gsm_symbolic":
        return GSM_SYMBOLIC
    if config.problems == "hard" and not config.model.startswith(HUB):
        folder = find(config.model)
        return folder if (folder / "test.jsonl").is_file() else None
    where = config.problems.removeprefix(GSM8K)
    if where.startswith(HUB):
        name = where.removeprefix(HUB)
        files = ("train.jsonl", "test.jsonl")
        folder = download("problems", name, "dataset", files)
        if not all((folder / file).is_file() for file in files):
            raise ValueError(f"problems {where} must hold {' and '.join(files)}, which it does not")
        return folder
    return None if where == config.problems else Path(where)


def check_words(model: str, problems: str) -> None:
    """Refuse problems in words that a model of ours does not know, as far as that shows at once.

    Raises:
      ValueError: naming some of the words.
    """
    if problems not in WORDS_OF_PROBLEMS or not ours(model):
        return
    unknown = WORDS_OF_PROBLEMS[problems]().difference(known_words(model))
    if unknown:
        some = sorted(unknown, key=lambda word: (not word.isalpha(), word))[:5]
        raise ValueError(
            f"problems must be in words that model {model} knows, got {problems}, which has others: "
            f"{', '.join(some)}, ..."
        )


def known_words(model: str) -> list[str]:
    """The tokens of a model of ours."""
    return json.loads((find(model) / VOCABULARY).read_text(encoding="utf-8"))


@cache
def _own_words() -> frozenset[str]:
    return frozenset(Tokenizer.from_texts(vocabulary_texts()).vocabulary)


@cache
def _gsm_symbolic_words() -> frozenset[str]:
    return frozenset(json.loads((GSM_SYMBOLIC / VOCABULARY).read_text(encoding="utf-8")))


WORDS_OF_PROBLEMS = {"fresh": _own_words, "gsm_symbolic": _gsm_symbolic_words}
"""By problems, the tokens of all of them."""


def draw_without_replacement(
    fixed: Sequence[WordProblem], count: int, rng: np.random.Generator
) -> list[WordProblem]:
    """So many of these, each once."""
    return [fixed[i] for i in rng.permutation(len(fixed))[:count]]


def load_hard(model: str | Path) -> list[WordProblem]:
    """The hard problems that a model's folder holds (`pkpo.lm.evaluation.hard_problems`).

    Raises:
      ValueError: it holds none.
    """
    return [WordProblem(**item) for item in _read_list(model, "hard")]


def load_hard_unseen(model: str | Path) -> tuple[list[WordProblem], list[WordProblem]]:
    """The problems that a model rarely solves (`pkpo.lm.evaluation`): to train on, and held out.

    Raises:
      ValueError: the model's folder holds none.
    """
    found = _read_list(model, HARD_UNSEEN)
    train, held_out = ([WordProblem(**item) for item in found[name]] for name in HARD_UNSEEN_PARTS)
    return train, held_out


def _read_list(model: str | Path, problems: str) -> Any:
    path = None if str(model).startswith(HUB) else find(model) / f"{problems}.json"
    if path is None or not path.is_file():
        raise ValueError(f"problems cannot be {problems}: model {model} has no {problems}.json")
    return json.loads(path.read_text(encoding="utf-8"))
