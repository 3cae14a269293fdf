"""Completions of a single question by a model, before or after training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pkpo.lm.generation import MAX_NEW_TOKENS, generate
from pkpo.lm.language_model import Model
from pkpo.lm.model_files import load_model
from pkpo.runs import checkpoint


@dataclass(frozen=True, slots=True)
class Completion:
    """One completion."""

    tokens: tuple[str, ...]
    """What each adds to the text."""
    probabilities: tuple[float, ...]

    @property
    def text(self) -> str:
        """The whole."""
        return "".join(self.tokens)


def load_checkpoint_model(start: str, file: Path) -> Model:
    """The model of a run's checkpoint.

    Args:
      start: the model that the run started from, trained as a whole.
      file: the checkpoint.

    Raises:
      CheckpointError, ValueError: see `load_trained_weights`.
    """
    model = load_model(start)
    load_trained_weights(model, file)
    return model


def load_trained_weights(model: Model, file: Path) -> None:
    """Give a model what a checkpoint holds of it: all that is trained.

    Args:
      model: the one that the run started from, with the run's adapters.
      file: the checkpoint.

    Raises:
      CheckpointError: it is damaged.
      ValueError: it is of another model.
    """
    state, own = checkpoint.read_checkpoint(file), model.parameters
    found = {name: state.get(f"policy/{name}") for name in own}
    if any(x is None or x.shape != tuple(own[name].shape) for name, x in found.items()):
        raise ValueError(f"{file.name} does not hold the weights of the model that is asked")
    with torch.no_grad():
        for name, p in own.items():
            p.copy_(torch.as_tensor(found[name]))


class SwitchableModel:
    """A model that can be asked as it was before training, and as checkpoints hold it.

    It is read once, which takes long if it is large; only what is trained of it is exchanged.

    Args:
      start: the model before training.
      lora: rank of the adapters that are trained in place of its weights; 0 for none.
    """

    def __init__(self, start: str, lora: int):
        self._model = load_model(start, lora)
        self._start = {name: p.detach().clone() for name, p in self._model.parameters.items()}

    def at(self, file: Path | None) -> Model:
        """The model as a checkpoint holds it, or as it was before training; until the next call.

        Raises:
          CheckpointError, ValueError: see `load_trained_weights`.
        """
        if file is not None:
            load_trained_weights(self._model, file)
            return self._model
        with torch.no_grad():
            for name, p in self._model.parameters.items():
                p.copy_(self._start[name])
        return self._model


def answer_question(
    model: Model, question: str, n: int, seed: int, limit: int = MAX_NEW_TOKENS
) -> list[Completion]:
    """So many answers; the same seed draws the same random numbers for every model.

    Args:
      model: what is asked.
      question: the problem.
      n: how many.
      seed: of the random numbers.
      limit: tokens after which an answer is cut.

    Raises:
      ValueError: the question is empty, or holds words that the model does not know.
    """
    if not question.strip():
        raise ValueError("question must have at least one word")
    drawn = generate(model, [question], n, np.random.default_rng(seed), limit)
    counts = (drawn.lengths[0] - drawn.finished[0].long()).tolist()
    rows = zip(drawn.tokens[0].tolist(), drawn.log_probs[0].exp().tolist(), counts, strict=True)
    return [
        Completion(tuple(model.pieces(ids[:count])), tuple(chances[:count]))
        for ids, chances, count in rows
    ]


def count_distinct(found: Sequence[Completion]) -> list[tuple[Completion, int]]:
    """Different answers and how often each was drawn, the most frequent first."""
    first = {attempt.text: attempt for attempt in reversed(found)}
    counts = Counter(attempt.text for attempt in found)
    return [(first[text], count) for text, count in counts.most_common()]
