"""A small Llama-shaped decoder: RMSNorm, rotary positions, SwiGLU, tied embeddings.

The same weights in transformers' `LlamaForCausalLM` give the same logits; files hold them under its
names, so that it can read a model's folder as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """A decoder's shape."""

    vocabulary: int
    width: int = 96
    layers: int = 4
    heads: int = 4
    hidden: int = 256
    """Width of the SwiGLU's middle."""
    rope_theta: float = 10_000.0
    norm_eps: float = 1e-6


class Decoder(nn.Module):
    """Tokens to the logits of the next ones.

    Attributes:
      config: its shape.
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        self.layers: Any = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width, eps=config.norm_eps)
        for name, p in self.named_parameters():
            if p.ndim == 2:  # the norms stay at 1
                spread = 0.02 if name == "embedding.weight" else config.width**-0.5
                # What feeds the residual stream begins smaller, as in GPT-2.
                depth = 2 * config.layers if name.endswith(("out.weight", "down.weight")) else 1
                nn.init.normal_(p, std=spread / depth**0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits `[B, T, vocabulary]` of what follows each of the tokens `[B, T]`."""
        x = self.embedding(tokens)
        rotation = self.rotation(torch.arange(tokens.shape[1], device=tokens.device))
        for layer in self.layers:
            q, k, v = layer.project(x, rotation)
            x = layer.finish(x, F.scaled_dot_product_attention(q, k, v, is_causal=True))
        return self.logits(x)

    def prefill(self, prompts: Sequence[Sequence[int]]) -> Prefill:
        """Run P prompts through the model once: their KV cache and next-token logits."""
        width = max(map(len, prompts))
        padded = [[0] * (width - len(p)) + list(p) for p in prompts]  # on the left
        tokens = torch.tensor(padded, device=self.embedding.weight.device)
        lengths = torch.tensor([len(p) for p in prompts], device=tokens.device)
        places = torch.arange(width, device=tokens.device) - (width - lengths)[:, None]
        real = places >= 0
        # Padding sees itself only, which is never used: a row that sees nothing would not be finite.
        itself = torch.eye(width, dtype=torch.bool, device=tokens.device)
        mask = (itself.tril() | real[:, None] & torch.ones_like(itself).tril())[:, None]
        rotation = self.rotation(places[:, None])
        x, cache = self.embedding(tokens), []
        for layer in self.layers:
            q, k, v = layer.project(x, rotation)
            cache.append((k, v))
            x = layer.finish(x, F.scaled_dot_product_attention(q, k, v, attn_mask=mask))
        return Prefill(cache, real, lengths, self.logits(x[:, -1]))

    def teacher_forced_logits(self, prefix: Prefill, owners: Tensor, tokens: Tensor) -> Tensor:
        """Logits at every token of completions that are given (teacher forcing).

        Args:
          prefix: P prompts, read.
          owners: `[R]`, which of them each row continues.
          tokens: `[R, T]`.

        Returns:
          `[R, T, vocabulary]`: of each of the tokens, given the prompt and the tokens before it.
        """
        length = tokens.shape[1] - 1
        places = torch.arange(length, device=tokens.device)
        rotation = self.rotation((prefix.lengths[owners, None] + places)[:, None])
        seen = prefix.real[owners, None, None].expand(-1, 1, length, -1)
        causal = (places[:, None] >= places).expand(len(owners), 1, -1, -1)
        mask = torch.cat((seen, causal), -1)
        x = self.embedding(tokens[:, :-1])
        for layer, (keys, values) in zip(self.layers, prefix.cache, strict=True):
            q, k, v = layer.project(x, rotation)
            k, v = torch.cat((keys[owners], k), 2), torch.cat((values[owners], v), 2)
            x = layer.finish(x, F.scaled_dot_product_attention(q, k, v, attn_mask=mask))
        return torch.cat((prefix.logits[owners, None], self.logits(x)), 1)

    def logits(self, x: Tensor) -> Tensor:
        """From the last layer's output to the vocabulary."""
        return F.linear(self.norm(x), self.embedding.weight)

    def rotation(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines and sines of the rotary angles, `[..., head]` each, at positions `[...]`."""
        head = self.config.width // self.config.heads
        places = torch.arange(0, head, 2, device=positions.device) / head
        angles = positions[..., None] / self.config.rope_theta**places
        angles = torch.cat((angles, angles), -1)
        return angles.cos(), angles.sin()


@dataclass(frozen=True, slots=True)
class Prefill:
    """KV cache and next-token logits of P prompts, padded on the left to W positions."""

    cache: list[tuple[Tensor, Tensor]]
    """Every layer's keys and values, `[P, heads, W, head]` each."""
    real: Tensor
    """`[P, W]`: what is no padding."""
    lengths: Tensor
    """`[P]`"""
    logits: Tensor
    """`[P, vocabulary]` of the first token behind each prompt."""


class Layer(nn.Module):
    """Attention and SwiGLU, each on the normed stream and added to it."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        d, f = config.width, config.hidden
        self.heads = config.heads
        self.attention_norm = nn.RMSNorm(d, eps=config.norm_eps)
        self.qkv = nn.Linear(d, 3 * d, bias=False)
        self.out = nn.Linear(d, d, bias=False)
        self.mlp_norm = nn.RMSNorm(d, eps=config.norm_eps)
        self.gate_up = nn.Linear(d, 2 * f, bias=False)
        self.down = nn.Linear(f, d, bias=False)

    def project(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values `[B, heads, T, head]`, the first two rotated, of x `[B, T, d]`."""
        qkv = self.qkv(self.attention_norm(x)).unflatten(-1, (3 * self.heads, -1)).transpose(1, 2)
        qk, v = qkv.split((2 * self.heads, self.heads), 1)
        q, k = _rotate(qk, *rotation).chunk(2, 1)
        return q, k, v

    def finish(self, x: Tensor, attended: Tensor) -> Tensor:
        """The layer's output, from its input `[B, T, d]` and the attended values."""
        x = x + self.out(attended.transpose(1, 2).flatten(2))
        gate, up = self.gate_up(self.mlp_norm(x)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    one, other = x.chunk(2, -1)
    return x * cos + torch.cat((-other, one), -1) * sin
