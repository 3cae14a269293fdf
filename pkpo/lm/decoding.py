"""Decoding step by step with a KV cache, in which a prompt stands once for all of its completions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pkpo.lm.decoder import Decoder, Layer


class DecoderState:
    """`DecodingState` of a `Decoder`'s samples.

    A prompt's keys and values are kept once. Its beginnings stand next to each other and meet them in a
    grid, prompts x the most beginnings of one; their own keys and values go with each.
    """

    def __init__(self, decoder: Decoder, prompts: Sequence[Sequence[int]]):
        self._decoder = decoder
        prefix = decoder.prefill(prompts)
        self._shared = [(k.mT.contiguous(), v.contiguous()) for k, v in prefix.cache]
        self._hidden = torch.where(prefix.real, 0.0, -torch.inf)[:, None, None]  # [P, 1, 1, W]
        self._position = prefix.lengths
        self._length = 0
        self._own = [(k[:, :, :0], v[:, :, :0]) for k, v in prefix.cache]
        self._owner = torch.arange(len(prompts), device=prefix.real.device)  # [R], ascending
        self.logits = prefix.logits

    def decode_step(self, parents: Tensor, tokens: Tensor) -> None:
        """See `DecodingState`."""
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
