"""Decode a model of transformers step by step in fixed places, so that a GPU can replay a step.

A step of a small model is some thousand kernels of a few microseconds each; started one by one from
Python they take ten times as long as they compute. With rows, keys and values in places that never
change, the step is recorded once as a CUDA graph and replayed for every token.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer, StaticLayer

ALIGNED = 8
"""The columns of the cache are a multiple of this: attention kernels copy masks of other widths."""
WARM_UPS = 2
"""Steps before one is recorded, in which libraries choose and load their kernels."""


def has_plain_cache(cache: Any) -> bool:
    """Whether every layer keeps all keys and values, and nothing else."""
    return all(type(layer) is DynamicLayer for layer in cache.layers)


class SlotState:
    """`pkpo.lm.language_model.DecodingState` of at most S rows, each in a slot that it keeps.

    The first continuation of a row stays in its slot, every further one takes a free one and a copy of
    what the row has read. Slots that nobody holds are computed with the others and not looked at.

    Args:
      forward: the model: ids `[S, 1]`, mask `[S, 1, 1, L]`, places `[S, 1]` and a cache of L columns,
        W + limit or a few more, to logits `[S, 1, vocabulary]`.
      read: what the P prompts, filled up on the left to W tokens, left in the model's own cache.
      real: `[P, W]`, 1 where a prompt's token is, 0 where it was filled up.
      logits: `[P, vocabulary]`, behind the prompts.
      rows: S, the most rows there will be, at least P.
      limit: the most tokens that each will append.
      dtype: of the keys and values that are kept.
    """

    def __init__(
        self,
        forward: Callable[[Tensor, Tensor, Tensor, Cache], Tensor],
        read: Any,
        real: Tensor,
        logits: Tensor,
        rows: int,
        limit: int,
        dtype: torch.dtype,
    ):
        count, width = real.shape
        device = real.device
        self.logits = logits
        self._forward = forward
        self._slots = torch.arange(count, device=device)
        self._ids = torch.zeros(rows, 1, dtype=torch.long, device=device)
        self._places = torch.zeros(rows, 1, dtype=torch.long, device=device)
        self._places[:count, 0] = real.sum(1) - 1
        columns = -(-(width + limit) // ALIGNED) * ALIGNED
        self._mask = torch.zeros(rows, 1, 1, columns, dtype=torch.bool, device=device)
        self._mask[:count, 0, 0, :width] = real.bool()
        self._column = torch.full((1,), width - 1, device=device)
        self._kept = []
        layers: list[Any] = []
        for layer in read.layers:
            pair = []
            for found in (layer.keys, layer.values):
                heads, size = found.shape[1], found.shape[3]
                kept = torch.zeros(rows, heads, columns, size, dtype=dtype, device=device)
                kept[:count, :, :width] = found
                pair.append(kept)
            self._kept += pair
            layers.append(_SlotLayer(pair[0], pair[1], self._column))
        self._cache = Cache(layers=layers)
        self._step = self._record if device.type == "cuda" else self._compute

    def decode_step(self, parents: Tensor, tokens: Tensor) -> None:
        """See `pkpo.lm.language_model.DecodingState`."""
        slots = self._slots[parents]
        further = torch.zeros_like(parents, dtype=torch.bool)
        further[1:] = parents[1:] == parents[:-1]
        if further.any():
            free = torch.ones(len(self._ids), dtype=torch.bool, device=slots.device)
            free[slots] = False
            sources = slots[further]
            targets = free.nonzero()[: len(sources), 0]
            for kept in (*self._kept, self._mask, self._places):
                kept[targets] = kept[sources]
            slots[further] = targets
        self._slots = slots
        self._ids[slots, 0] = tokens
        self._places += 1
        self._column += 1
        self._mask.index_fill_(3, self._column, True)
        self.logits = self._step()[slots]

    def _record(self) -> Tensor:
        """The first step on a GPU; from then on it is replayed.

        Some steps go before the one that is recorded. They compute the same, in the same places.
        """
        apart = torch.cuda.Stream()
        apart.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(apart):
            for _ in range(WARM_UPS):
                self._compute()
        torch.cuda.current_stream().wait_stream(apart)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            found = self._compute()

        def replay() -> Tensor:
            graph.replay()
            return found

        self._step = replay
        return replay()

    def _compute(self) -> Tensor:
        return self._forward(self._ids, self._mask, self._places, self._cache)[:, -1]


class _SlotLayer(StaticLayer):
    """Keys and values `[S, heads, L, size]`; every row's next ones go to the same column."""

    def __init__(self, keys: Tensor, values: Tensor, column: Tensor):
        super().__init__(keys.shape[2])
        self.keys: Tensor = keys
        self.values: Tensor = values
        self._column = column
        self.is_initialized = True

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Write what is new, and give all."""
        self.keys.index_copy_(2, self._column, key_states.to(self.keys.dtype))
        self.values.index_copy_(2, self._column, value_states.to(self.values.dtype))
        return self.keys, self.values

    def get_seq_length(self) -> int:
        """Nothing is read from it: places and mask are given with every step."""
        return 0
