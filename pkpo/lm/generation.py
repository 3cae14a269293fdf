"""Batched generation from the full softmax at temperature 1, with shared beginnings computed once.

Samples of a prompt that begin alike are one until they part: a beginning is computed once, however many
samples it has, and gone once all of them are finished. A model that has learned the form of its task
parts seldom, so that this is most of the work saved. Nothing truncates the distribution, so what the
policy gradient needs, a sample's probability, is the sampled tokens' alone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pkpo.lm.language_model import Model

MAX_NEW_TOKENS = 40
"""Tokens of a sample; a worked solution has at most 37."""


@dataclass(frozen=True, slots=True)
class Samples:
    """n samples of each of P prompts, of at most T tokens."""

    tokens: Tensor
    """`[P, n, T]` ids, padded with the first of the model's `eos_ids`."""
    log_probs: Tensor
    """`[P, n, T]` of each token under the policy, 0 behind the last."""
    entropies: Tensor
    """`[P, n, T]` in nats, of the distribution that each token was drawn from; 0 behind the last."""
    lengths: Tensor
    """`[P, n]`, the end-of-sequence token included."""
    finished: Tensor
    """`[P, n]`: ended by an end-of-sequence token, not cut at the limit."""
    seconds: float

    @property
    def per_second(self) -> float:
        """Completions per second."""
        return self.lengths.numel() / self.seconds


def decode_completions(model: Model, samples: Samples) -> list[list[str]]:
    """The samples as text, `[P][n]`, without what closes them."""
    counts = (samples.lengths - samples.finished.long()).tolist()
    rows = zip(samples.tokens.tolist(), counts, strict=True)
    return [
        [model.decode(ids[:count]) for ids, count in zip(group, lengths, strict=True)]
        for group, lengths in rows
    ]


@torch.no_grad()
def generate(
    model: Model,
    questions: Sequence[str],
    n: int,
    rng: np.random.Generator,
    limit: int = MAX_NEW_TOKENS,
) -> Samples:
    """Draw n solutions of every question.

    One uniform number decides a token, by the distribution's cumulative sums. It depends on the
    generator, the place of the question, the sample and the token only: a smaller n draws the
    beginning of a larger one's samples, and similar policies draw similar texts.

    Args:
      model: the policy.
      questions: P texts.
      n: samples of each.
      rng: source of the uniform numbers.
      limit: tokens after which a sample is cut, or the model's own limit if that is more.

    Raises:
      ValueError: no question, n or limit below 1, words that the model does not know, or more tokens
        than it has positions for.
    """
    if not questions or n < 1 or limit < 1:
        raise ValueError(
            f"questions, n and limit must be at least 1, got {len(questions)}, {n} and {limit}"
        )
    start = time.perf_counter()
    limit = max(limit, model.max_new_tokens)
    device = model.device
    prompts = [model.encode_prompt(question) for question in questions]
    check_positions(model, prompts, limit)
    drawn = rng.random((n, len(questions), limit), np.float32)
    uniform = torch.from_numpy(drawn).to(device).transpose(0, 1).flatten(0, 1)  # [P * n, limit]
    owners = torch.arange(len(uniform), device=device) // n
    size = model.batch_size(max(map(len, prompts)) + limit)
    parts = [
        _draw(model, prompts, *batch)
        for batch in zip(owners.split(size), uniform.split(size), strict=True)
    ]
    tokens, log_probs, entropies, lengths = map(torch.cat, zip(*parts, strict=True))
    used = int(lengths.max())
    shape = (len(questions), n)
    last = tokens.gather(1, lengths[:, None] - 1)
    finished = torch.isin(last, torch.tensor(model.eos_ids, device=device)).view(shape)
    tokens, log_probs, entropies = (
        x[:, :used].unflatten(0, shape) for x in (tokens, log_probs, entropies)
    )
    seconds = time.perf_counter() - start
    return Samples(tokens, log_probs, entropies, lengths.view(shape), finished, seconds)


def check_positions(model: Model, prompts: Sequence[Sequence[int]], limit: int) -> None:
    """Refuse prompts that leave no room for answers of so many tokens.

    Raises:
      ValueError: a prompt and the limit are more than the model's positions.
    """
    longest = max(map(len, prompts))
    if model.max_positions and longest + limit > model.max_positions:
        raise ValueError(
            f"limit must leave room for the prompt: the model reads at most {model.max_positions} "
            f"tokens, got a prompt of {longest} and a limit of {limit}"
        )


def _draw(
    model: Model, prompts: Sequence[Sequence[int]], owners: Tensor, uniform: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Draw R samples together.

    Args:
      model: the policy.
      prompts: P of them, as ids.
      owners: `[R]`, ascending: each one's prompt.
      uniform: `[R, T]`: what decides each token.

    Returns:
      Tokens, log-probabilities and entropies `[R, T]`, and lengths `[R]`; see `Completions`.
    """
    first, last = int(owners[0]), int(owners[-1])
    limit, device = uniform.shape[1], uniform.device
    ends = torch.tensor(model.eos_ids, device=device)
    state = model.start_decoding(prompts[first : last + 1], len(owners), limit)
    tokens = torch.full(uniform.shape, model.eos_ids[0], device=device)
    log_probs, entropies = torch.zeros_like(uniform), torch.zeros_like(uniform)
    lengths = torch.zeros(len(uniform), dtype=torch.long, device=device)
    at = torch.arange(len(uniform), device=device)  # [A] the unfinished samples, and
    row = owners - first  # [A] each one's beginning
    for step in range(limit):
        logs = state.logits.float().log_softmax(-1)
        chances = logs.exp()
        sums = chances.cumsum(-1)
        cut = uniform[at, step] * sums[row, -1]
        token = (sums[row] <= cut[:, None]).sum(-1).clamp(max=logs.shape[-1] - 1)
        tokens[at, step] = token
        log_probs[at, step] = logs[row, token]
        entropies[at, step] = torch.special.entr(chances).sum(-1)[row]
        lengths[at] += 1
        alive = ~torch.isin(token, ends)
        at = at[alive]
        if step + 1 == limit or not len(at):
            break
        parted = (row * logs.shape[-1] + token)[alive]
        parted, row = parted.unique(return_inverse=True)
        state.decode_step(parted // logs.shape[-1], parted % logs.shape[-1])
    return tokens, log_probs, entropies, lengths
