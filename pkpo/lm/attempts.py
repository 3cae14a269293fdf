"""Answers of a model, before or after training, to a single problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pkpo.lm.model import Model, load
from pkpo.lm.sampler import sample
from pkpo.runs import checkpoint


@dataclass(frozen=True, slots=True)
class Attempt:
    """One completion."""

    tokens: tuple[str, ...]
    """What each adds to the text."""
    probabilities: tuple[float, ...]

    @property
    def text(self) -> str:
        """The whole."""
        return "".join(self.tokens)


def trained(start: str, file: Path) -> Model:
    """The model of a run's checkpoint.

    Args:
      start: the model that the run started from.
      file: the checkpoint.

    Raises:
      CheckpointError: it is damaged.
      ValueError: it is of another model.
    """
    model, state = load(start), checkpoint.read(file)
    with torch.no_grad():
        for name, p in model.parameters.items():
            found = state.get(f"policy/{name}")
            if found is None or found.shape != tuple(p.shape):
                raise ValueError(f"{file.name} does not hold the weights of model {start!r}")
            p.copy_(torch.as_tensor(found))
    return model


def attempts(model: Model, question: str, n: int, seed: int) -> list[Attempt]:
    """So many answers; the same seed draws the same random numbers for every model.

    Raises:
      ValueError: the question is empty, or holds words that the model does not know.
    """
    if not question.strip():
        raise ValueError("question must have at least one word")
    drawn = sample(model, [question], n, np.random.default_rng(seed))
    counts = (drawn.lengths[0] - drawn.finished[0].long()).tolist()
    rows = zip(drawn.tokens[0].tolist(), drawn.log_probs[0].exp().tolist(), counts, strict=True)
    return [
        Attempt(tuple(model.pieces(ids[:count])), tuple(chances[:count]))
        for ids, chances, count in rows
    ]


def distinct(found: Sequence[Attempt]) -> list[tuple[Attempt, int]]:
    """Different answers and how often each was drawn, the most frequent first."""
    first = {attempt.text: attempt for attempt in reversed(found)}
    counts = Counter(attempt.text for attempt in found)
    return [(first[text], count) for text, count in counts.most_common()]
