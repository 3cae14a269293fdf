"""Supervised training of a small model from scratch, so that reinforcement has something to explore.

`python -m pkpo.lm.warm_start --out FOLDER` makes the model that ships as "tiny".
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pkpo.lm.model import Decoder, LanguageModel, ModelConfig, save
from pkpo.lm.tokenizer import Tokenizer
from toy_envs.word_problems import Problem, problems, words

BATCH = 64
WARM_UP = 50  # updates until the learning rate is in full force
LEARNING_RATE = 2e-3


def rows(tokenizer: Tokenizer, batch: Sequence[Problem]) -> tuple[Tensor, Tensor]:
    """Question and worked solution as tokens `[B, T]`, and a mask of the solution's, `[B, T]`."""
    made = []
    for p in batch:
        question = [*tokenizer.encode(p.question), tokenizer.answer]
        made.append((question, [*tokenizer.encode(p.solution), tokenizer.end]))
    length = max(len(question) + len(solution) for question, solution in made)
    tokens = torch.full((len(made), length), tokenizer.end)
    mask = torch.zeros(len(made), length, dtype=torch.bool)
    for i, (question, solution) in enumerate(made):
        whole = len(question) + len(solution)
        tokens[i, :whole] = torch.tensor(question + solution)
        mask[i, len(question) : whole] = True
    return tokens, mask


def train(
    model: LanguageModel, steps: int, seed: int, learning_rate: float = LEARNING_RATE
) -> Iterator[float]:
    """Learn worked solutions of random problems, in place; yields every update's mean loss in nats."""
    optimizer = torch.optim.AdamW(
        model.decoder.parameters(), lr=learning_rate, betas=(0.9, 0.95), weight_decay=0.01
    )
    for step in range(steps):
        batch = problems(BATCH, np.random.default_rng((seed, step)))
        tokens, mask = rows(model.tokenizer, batch)
        logits = model.decoder(tokens[:, :-1])
        loss = F.cross_entropy(logits[mask[:, 1:]], tokens[:, 1:][mask[:, 1:]])
        optimizer.param_groups[0]["lr"] = learning_rate * min(1.0, (step + 1) / WARM_UP)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.decoder.parameters(), 1.0)
        optimizer.step()
        yield loss.item()
