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


class DecodingState(Protocol):
    """R different beginnings of samples."""

    logits: Tensor
    """`[R, vocabulary]` of what follows each."""

    def decode_step(self, parents: Tensor, tokens: Tensor) -> None:
        """Go on to longer ones.

        Args:
          parents: `[S]`, ascending: which of the R each of them continues. One may go on in several
            ways; one that does not is gone.
          tokens: `[S]`, by what.
        """


class Model(Protocol):
    """What sampling, training and evaluation need of a language model."""

    @property
    def eos_ids(self) -> tuple[int, ...]:
        """The tokens that close a text; the first one also fills up rows."""

    @property
    def micro_batch_size(self) -> int:
        """Rows that are best followed together."""

    @property
    def shares_graph(self) -> bool:
        """Whether rows share a part of their graph, which must be kept until all were followed."""

    @property
    def max_new_tokens(self) -> int:
        """Tokens that its answers need; 0 where that is not known."""

    @property
    def max_positions(self) -> int:
        """Tokens that a prompt and its answer may have together; 0 where that is not bounded."""

    def batch_size(self, tokens: int) -> int:
        """Rows that memory allows to be sampled together, each of so many tokens with its prompt."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""

    @property
    def parameters(self) -> dict[str, nn.Parameter]:
        """What is trained, by name."""

    def encode_prompt(self, question: str) -> list[int]:
        """What an answer to a question follows, as ids; ValueError for words that it does not know."""

    def decode(self, ids: Iterable[int]) -> str:
        """The text of these ids."""

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """What each of these ids adds to the text; joined, they are `decode`'s."""

    def prefill(self, prompts: Sequence[Sequence[int]]) -> Any:
        """P prompts, for `teacher_forced_logits`."""

    def teacher_forced_logits(self, prefix: Any, owners: Tensor, tokens: Tensor) -> Tensor:
        """Logits of rows that continue prompts; see `Decoder.teacher_forced_logits`."""

    def start_decoding(self, prompts: Sequence[Sequence[int]]) -> DecodingState:
        """P prompts, before anything is drawn."""


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A decoder and the tokenizer that it was trained with; a `Model`."""

    decoder: Decoder
    tokenizer: Tokenizer
    max_new_tokens: int = 0
    micro_batch_size: ClassVar[int] = 64
    shares_graph: ClassVar[bool] = True
    max_positions: ClassVar[int] = 0

    def batch_size(self, tokens: int) -> int:
        """See `Model`: it is small, all of them."""
        return sys.maxsize

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

    def start_decoding(self, prompts: Sequence[Sequence[int]]) -> DecodingState:
        """See `Model`."""
        return DecoderState(self.decoder, prompts)
