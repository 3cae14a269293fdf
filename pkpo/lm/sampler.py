"""Many samples of many prompts at once, from the full softmax at temperature 1.

A prompt is read once, and its keys and values are shared by all its samples; those are kept as a grid,
prompts x samples, which shrinks as they finish. Nothing truncates the distribution, so what the
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

LIMIT = 40
"""Tokens of a sample; a worked solution has at most 37."""
SHRINK = 0.7  # the grid is cut to what is unfinished once that is a smaller share of it


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
    def mask(self) -> Tensor:
        """`[P, n, T]`: where a token was drawn."""
        return (
            torch.arange(self.tokens.shape[-1], device=self.lengths.device)
            < self.lengths[..., None]
        )

    @property
    def per_second(self) -> float:
        """Completions per second."""
        return self.lengths.numel() / self.seconds


def completions(model: Model, samples: Samples) -> list[list[str]]:
    """The samples as text, `[P][n]`, without what closes them."""
    counts = (samples.lengths - samples.finished.long()).tolist()
    rows = zip(samples.tokens.tolist(), counts, strict=True)
    return [
        [model.text(ids[:count]) for ids, count in zip(group, lengths, strict=True)]
        for group, lengths in rows
    ]


@torch.no_grad()
def sample(
    model: Model,
    questions: Sequence[str],
    n: int,
    rng: np.random.Generator,
    limit: int = LIMIT,
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
      limit: tokens after which a sample is cut.

    Raises:
      ValueError: no question, n or limit below 1, or words that the model does not know.
    """
    if not questions or n < 1 or limit < 1:
        raise ValueError(
            f"questions, n and limit must be at least 1, got {len(questions)}, {n} and {limit}"
        )
    start = time.perf_counter()
    device = model.device
    ends = torch.tensor(model.ends, device=device)
    drawn = rng.random((n, len(questions), limit), np.float32)
    uniform = torch.from_numpy(drawn).to(device).transpose(0, 1).flatten(0, 1)  # [P * n, limit]
    grid = model.start([model.prompt(question) for question in questions], n, limit)
    tokens = torch.full(uniform.shape, model.ends[0], device=device)
    log_probs, entropies = torch.zeros_like(uniform), torch.zeros_like(uniform)
    lengths = torch.zeros(len(uniform), dtype=torch.long, device=device)
    for step in range(limit):
        logs = grid.logits.float().log_softmax(-1)
        chances = logs.exp()
        sums = chances.cumsum(-1)
        cut = uniform[grid.cells, step][..., None] * sums[..., -1:]
        token = (sums <= cut).sum(-1).clamp(max=logs.shape[-1] - 1)
        at = grid.cells[grid.alive]
        tokens[at, step] = token[grid.alive]
        log_probs[at, step] = logs.gather(-1, token[..., None])[..., 0][grid.alive]
        entropies[at, step] = torch.special.entr(chances).sum(-1)[grid.alive]
        lengths[at] += 1
        grid.alive = grid.alive & ~torch.isin(token, ends)
        if step + 1 == limit or not grid.alive.any():
            break
        grid.feed(token)
    used = int(lengths.max())
    shape = (len(questions), n)
    last = tokens.gather(1, lengths[:, None] - 1)
    finished = torch.isin(last, ends).view(shape)
    tokens, log_probs, entropies = (
        x[:, :used].unflatten(0, shape) for x in (tokens, log_probs, entropies)
    )
    seconds = time.perf_counter() - start
    return Samples(tokens, log_probs, entropies, lengths.view(shape), finished, seconds)


class Grid:
    """Unfinished samples of a `Decoder`, `[P, m]`, their caches, and the logits of their next tokens.

    Attributes:
      cells: `[P, m]` the place of each among all samples.
      alive: `[P, m]` whether it is unfinished; others only fill up the grid.
      logits: `[P, m, vocabulary]`.
    """

    def __init__(self, decoder: Decoder, prompts: Sequence[Sequence[int]], n: int, limit: int):
        self._decoder = decoder
        prefix = decoder.read(prompts)
        self._shared = [(k.mT.contiguous(), v.contiguous()) for k, v in prefix.cache]
        self._hidden = torch.where(prefix.real, 0.0, -torch.inf)[:, None, None]  # [P, 1, 1, W]
        self._position = prefix.lengths[:, None, None]
        self._length = 0
        config = decoder.config
        shape = (len(prompts), n, config.heads, limit, config.width // config.heads)
        empty = prefix.logits.new_empty
        self._own = [(empty(shape), empty(shape)) for _ in decoder.layers]
        self.cells = torch.arange(len(prompts) * n, device=prefix.real.device).view(-1, n)
        self.alive = torch.ones_like(self.cells, dtype=torch.bool)
        self.logits = prefix.logits[:, None].expand(-1, n, -1)

    def feed(self, token: Tensor) -> None:
        """Append a token to every sample, `[P, m]`."""
        token = self._shrink(token)
        rotation = self._decoder.rotation(self._position + self._length)
        x = self._decoder.embedding(token)
        for layer, shared, own in zip(self._decoder.layers, self._shared, self._own, strict=True):
            x = self._layer(layer, x, rotation, shared, own)
        self._length += 1
        self.logits = self._decoder.logits(x)

    def _layer(self, layer: Layer, x: Tensor, rotation, shared, own) -> Tensor:
        q, k, v = (y.transpose(1, 2) for y in layer.project(x, rotation))  # [P, m, heads, head]
        (keys, values), now = own, self._length + 1
        keys[..., now - 1, :], values[..., now - 1, :] = k, v
        q = q * q.shape[-1] ** -0.5
        theirs = q.transpose(1, 2) @ shared[0] + self._hidden  # [P, heads, m, width]
        mine = q[..., None, :] @ keys[..., :now, :].transpose(-1, -2)  # [P, m, heads, 1, now]
        weights = torch.cat((theirs.transpose(1, 2), mine[..., 0, :]), -1).softmax(-1)
        width = theirs.shape[-1]
        attended = weights[..., :width].transpose(1, 2) @ shared[1]
        attended = attended.transpose(1, 2)
        attended = attended + (weights[..., None, width:] @ values[..., :now, :])[..., 0, :]
        return layer.finish(x, attended.transpose(1, 2))

    def _shrink(self, token: Tensor) -> Tensor:
        """Drop finished prompts, and columns that no prompt needs any more."""
        rows = self.alive.any(1).nonzero()[:, 0]
        width = int(self.alive.sum(1).max())
        if len(rows) * width > SHRINK * self.alive.numel():
            return token
        order = self.alive[rows].sort(dim=1, descending=True, stable=True).indices[:, :width]
        at = rows[:, None], order
        self.cells, self.alive = self.cells[at], self.alive[at]
        self._hidden, self._position = self._hidden[rows], self._position[rows]
        self._shared = [(k[rows], v[rows]) for k, v in self._shared]
        self._own = [(k[at], v[at]) for k, v in self._own]
        return token[at]
