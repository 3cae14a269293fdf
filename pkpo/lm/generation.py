"""Many samples of many prompts at once, from the full softmax at temperature 1.

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

from pkpo.lm.model import Decoder, Layer, Model

MAX_NEW_TOKENS = 40
"""Tokens of a sample; a worked solution has at most 37."""


@dataclass(frozen=True, slots=True)
class Samples:
    """n samples of each of P prompts, of at most T tokens."""

    tokens: Tensor
    """`[P, n, T]` ids, the model's first end behind the last."""
    log_probs: Tensor
    """`[P, n, T]` of each token under the policy, 0 behind the last."""
    entropies: Tensor
    """`[P, n, T]` in nats, of the distribution that each token was drawn from; 0 behind the last."""
    lengths: Tensor
    """`[P, n]`, the closing end included."""
    finished: Tensor
    """`[P, n]`: closed by an end, not cut at the limit."""
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
        [model.text(ids[:count]) for ids, count in zip(group, lengths, strict=True)]
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
    limit = max(limit, model.limit)
    device = model.device
    prompts = [model.prompt(question) for question in questions]
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
    finished = torch.isin(last, torch.tensor(model.ends, device=device)).view(shape)
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
    if model.positions and longest + limit > model.positions:
        raise ValueError(
            f"limit must leave room for the prompt: the model reads at most {model.positions} tokens, "
            f"got a prompt of {longest} and a limit of {limit}"
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
      Tokens, log-probabilities and entropies `[R, T]`, and lengths `[R]`; see `Samples`.
    """
    first, last = int(owners[0]), int(owners[-1])
    limit, device = uniform.shape[1], uniform.device
    ends = torch.tensor(model.ends, device=device)
    beginnings = model.start(prompts[first : last + 1])
    tokens = torch.full(uniform.shape, model.ends[0], device=device)
    log_probs, entropies = torch.zeros_like(uniform), torch.zeros_like(uniform)
    lengths = torch.zeros(len(uniform), dtype=torch.long, device=device)
    at = torch.arange(len(uniform), device=device)  # [A] the unfinished samples, and
    row = owners - first  # [A] each one's beginning
    for step in range(limit):
        logs = beginnings.logits.float().log_softmax(-1)
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
        beginnings.feed(parted // logs.shape[-1], parted % logs.shape[-1])
    return tokens, log_probs, entropies, lengths


class DecoderBeginnings:
    """`Beginnings` of a `Decoder`'s samples.

    A prompt's keys and values are kept once. Its beginnings stand next to each other and meet them in a
    grid, prompts x the most beginnings of one; their own keys and values go with each.
    """

    def __init__(self, decoder: Decoder, prompts: Sequence[Sequence[int]]):
        self._decoder = decoder
        prefix = decoder.read(prompts)
        self._shared = [(k.mT.contiguous(), v.contiguous()) for k, v in prefix.cache]
        self._hidden = torch.where(prefix.real, 0.0, -torch.inf)[:, None, None]  # [P, 1, 1, W]
        self._position = prefix.lengths
        self._length = 0
        self._own = [(k[:, :, :0], v[:, :, :0]) for k, v in prefix.cache]
        self._owner = torch.arange(len(prompts), device=prefix.real.device)  # [R], ascending
        self.logits = prefix.logits

    def feed(self, parents: Tensor, tokens: Tensor) -> None:
        """See `Beginnings`."""
        if not torch.equal(parents, torch.arange(len(self._owner), device=parents.device)):
            self._owner = self._owner[parents]
            self._own = [
                (k.index_select(0, parents), v.index_select(0, parents)) for k, v in self._own
            ]
        counts = self._owner.bincount(minlength=len(self._position))
        width = int(counts.max())
        column = torch.arange(len(tokens), device=tokens.device)
        column = column - (counts.cumsum(0) - counts)[self._owner]
        cells = _Cells(self._owner * width + column, (len(counts), width))
        places = self._position[self._owner] + self._length
        rotation = self._decoder.rotation(places[:, None, None])
        x = self._decoder.embedding(tokens)[:, None]
        for i, layer in enumerate(self._decoder.layers):
            x = self._layer(i, layer, x, rotation, cells)
        self._length += 1
        self.logits = self._decoder.logits(x)[:, 0]

    def _layer(self, i: int, layer: Layer, x: Tensor, rotation, cells: _Cells) -> Tensor:
        q, k, v = layer.project(x, rotation)  # [R, heads, 1, head]
        k, v = (torch.cat(pair, 2) for pair in zip(self._own[i], (k, v), strict=True))
        self._own[i] = k, v
        q = q * q.shape[-1] ** -0.5
        keys, values = self._shared[i]
        theirs = cells.take(cells.put(q[:, :, 0]) @ keys + self._hidden)
        weights = torch.cat((theirs, (q @ k.mT)[:, :, 0]), -1).softmax(-1)
        theirs, own = weights.split((keys.shape[-1], k.shape[2]), -1)
        attended = cells.take(cells.put(theirs) @ values)[:, :, None] + own[:, :, None] @ v
        return layer.finish(x, attended)


@dataclass(frozen=True, slots=True)
class _Cells:
    """Where the R rows stand in a grid."""

    at: Tensor
    """`[R]`, in the flattened grid."""
    shape: tuple[int, int]

    def put(self, rows: Tensor) -> Tensor:
        """`[R, heads, d]` as a grid `[P, heads, m, d]`, 0 where it is empty."""
        grid = rows.new_zeros(self.shape[0] * self.shape[1], *rows.shape[1:])
        return grid.index_copy_(0, self.at, rows).unflatten(0, self.shape).transpose(1, 2)

    def take(self, grid: Tensor) -> Tensor:
        """The rows again."""
        return grid.transpose(1, 2).flatten(0, 1).index_select(0, self.at)
