"""What sampling, training and evaluation need of a language model, and the models of our own."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

from pkpo.lm.decoder import Decoder, Prefill
from pkpo.lm.decoding import DecoderState
from pkpo.lm.tokenizer import Tokenizer

MICRO_BATCH = 64  # completions, whose prompts are read once for all


class DecodingState(Protocol):
    """Decoding state of R partial completions: next-token logits and KV cache."""

    logits: Tensor
    """`[R, vocabulary]` of each one's next token."""

    def decode_step(self, parents: Tensor, tokens: Tensor) -> None:
        """Select, repeat or drop rows, and append one token to each.

        Args:
          parents: `[S]`, ascending: the row that each of the S new rows continues. A row that is not
            named is dropped.
          tokens: `[S]`, the token appended to each.
        """


class Model(Protocol):
    """What sampling, training and evaluation need of a language model."""

    @property
    def eos_ids(self) -> tuple[int, ...]:
        """Ids of the tokens that end a completion; the first one also pads rows."""

    def micro_batch_size(self, tokens: int) -> int:
        """Completions per teacher-forced pass and its gradient, at so many tokens, prompt included."""

    @property
    def shares_graph(self) -> bool:
        """Whether micro-batches share a part of their autograd graph, to be kept until the last one."""

    @property
    def max_new_tokens(self) -> int:
        """Tokens that its completions need; 0 where that is not known."""

    @property
    def max_positions(self) -> int:
        """Tokens of prompt and completion together; 0 where they are not bounded."""

    def batch_size(self, tokens: int) -> int:
        """Rows that memory allows in one generation batch, at so many tokens each, prompt included."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""

    @property
    def parameters(self) -> dict[str, nn.Parameter]:
        """What is trained, by name."""

    def encode_prompt(self, question: str) -> list[int]:
        """The prompt of a question as ids; a ValueError for words that the model does not know."""

    def decode(self, ids: Iterable[int]) -> str:
        """The text of these ids."""

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """What each of these ids adds to the text; joined, they are `decode`'s."""

    def prefill(self, prompts: Sequence[Sequence[int]]) -> Any:
        """Run P prompts through the model once, for `teacher_forced_logits`."""

    def teacher_forced_logits(self, prefix: Any, owners: Tensor, tokens: Tensor) -> Tensor:
        """Logits at every token of given completions; see `Decoder.teacher_forced_logits`."""

    def start_decoding(
        self, prompts: Sequence[Sequence[int]], rows: int = 0, limit: int = 0
    ) -> DecodingState:
        """The decoding state of P prompts, before the first token is drawn.

        Args:
          prompts: as ids.
          rows: the most completions there will be at a time; 0 where that is not known.
          limit: the most tokens that each will append; 0 where that is not known.
        """


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A decoder and the tokenizer that it was trained with; a `Model`."""

    decoder: Decoder
    tokenizer: Tokenizer
    max_new_tokens: int = 0
    shares_graph: ClassVar[bool] = True
    max_positions: ClassVar[int] = 0

    def batch_size(self, tokens: int) -> int:
        """See `Model`: it is small, all of them."""
        return sys.maxsize

    def micro_batch_size(self, tokens: int) -> int:
        """See `Model`: what a CPU is fastest with."""
        return MICRO_BATCH

    @property
    def eos_ids(self) -> tuple[int, ...]:
        """See `Model`."""
        return (self.tokenizer.eos_id,)

    @property
    def device(self) -> torch.device:
        """See `Model`."""
        return self.decoder.embedding.weight.device

    @property
    def parameters(self) -> dict[str, nn.Parameter]:
        """See `Model`: all weights."""
        return dict(self.decoder.named_parameters())

    def encode_prompt(self, question: str) -> list[int]:
        """See `Model`."""
        return [*self.tokenizer.encode(question), self.tokenizer.answer_id]

    def decode(self, ids: Iterable[int]) -> str:
        """See `Model`."""
        return self.tokenizer.decode(ids)

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """See `Model`."""
        return self.tokenizer.pieces(ids)

    def prefill(self, prompts: Sequence[Sequence[int]]) -> Prefill:
        """See `Decoder`."""
        return self.decoder.prefill(prompts)

    def teacher_forced_logits(self, prefix: Prefill, owners: Tensor, tokens: Tensor) -> Tensor:
        """See `Decoder`."""
        return self.decoder.teacher_forced_logits(prefix, owners, tokens)

    def start_decoding(
        self, prompts: Sequence[Sequence[int]], rows: int = 0, limit: int = 0
    ) -> DecodingState:
        """See `Model`; it needs to know neither."""
        return DecoderState(self.decoder, prompts)
