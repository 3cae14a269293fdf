"""A small Llama-shaped decoder: RMSNorm, rotary positions, SwiGLU, tied embeddings.

The same weights in transformers' `LlamaForCausalLM` give the same logits; files hold them under its
names, so that it can read a model's folder as it is.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import torch
from safetensors import torch as safetensors
from torch import Tensor, nn
from torch.nn import functional as F

from pkpo.extras import missing
from pkpo.lm.devices import choose_device
from pkpo.lm.paths import HUB, VOCABULARY, WEIGHTS, download, find, ours
from pkpo.lm.tokenizer import Tokenizer


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

    def read(self, prompts: Sequence[Sequence[int]]) -> Prefix:
        """Read P prompts, once for all that follows them."""
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
        return Prefix(cache, real, lengths, self.logits(x[:, -1]))

    def follow(self, prefix: Prefix, owners: Tensor, tokens: Tensor) -> Tensor:
        """Logits of rows that continue prompts.

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
class Prefix:
    """P prompts that were read, filled up on the left to W places."""

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


# --- Models -------------------------------------------------------------------------------------


class Beginnings(Protocol):
    """R different beginnings of samples."""

    logits: Tensor
    """`[R, vocabulary]` of what follows each."""

    def feed(self, parents: Tensor, tokens: Tensor) -> None:
        """Go on to longer ones.

        Args:
          parents: `[S]`, ascending: which of the R each of them continues. One may go on in several
            ways; one that does not is gone.
          tokens: `[S]`, by what.
        """


class Model(Protocol):
    """What sampling, training and evaluation need of a language model."""

    @property
    def ends(self) -> tuple[int, ...]:
        """The tokens that close a text; the first one also fills up rows."""

    @property
    def together(self) -> int:
        """Rows that are best followed together."""

    @property
    def shared(self) -> bool:
        """Whether rows share a part of their graph, which must be kept until all were followed."""

    @property
    def limit(self) -> int:
        """Tokens that its answers need; 0 where that is not known."""

    @property
    def positions(self) -> int:
        """Tokens that a prompt and its answer may have together; 0 where that is not bounded."""

    def batch_size(self, tokens: int) -> int:
        """Rows that memory allows to be sampled together, each of so many tokens with its prompt."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""

    @property
    def parameters(self) -> dict[str, nn.Parameter]:
        """What is trained, by name."""

    def prompt(self, question: str) -> list[int]:
        """What an answer to a question follows, as ids; ValueError for words that it does not know."""

    def text(self, ids: Iterable[int]) -> str:
        """The text of these ids."""

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """What each of these ids adds to the text; joined, they are `text`."""

    def read(self, prompts: Sequence[Sequence[int]]) -> Any:
        """P prompts, for `follow`."""

    def follow(self, prefix: Any, owners: Tensor, tokens: Tensor) -> Tensor:
        """Logits of rows that continue prompts; see `Decoder.follow`."""

    def start(self, prompts: Sequence[Sequence[int]]) -> Beginnings:
        """P prompts, before anything is drawn."""


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A decoder and the tokenizer that it was trained with; a `Model`."""

    decoder: Decoder
    tokenizer: Tokenizer
    limit: int = 0
    together: ClassVar[int] = 64
    shared: ClassVar[bool] = True
    positions: ClassVar[int] = 0

    def batch_size(self, tokens: int) -> int:
        """See `Model`: it is small, all of them."""
        return sys.maxsize

    @property
    def ends(self) -> tuple[int, ...]:
        """See `Model`."""
        return (self.tokenizer.end,)

    @property
    def device(self) -> torch.device:
        """See `Model`."""
        return self.decoder.embedding.weight.device

    @property
    def parameters(self) -> dict[str, nn.Parameter]:
        """See `Model`: all weights."""
        return dict(self.decoder.named_parameters())

    def prompt(self, question: str) -> list[int]:
        """See `Model`."""
        return [*self.tokenizer.encode(question), self.tokenizer.answer]

    def text(self, ids: Iterable[int]) -> str:
        """See `Model`."""
        return self.tokenizer.decode(ids)

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """See `Model`."""
        return self.tokenizer.pieces(ids)

    def read(self, prompts: Sequence[Sequence[int]]) -> Prefix:
        """See `Decoder`."""
        return self.decoder.read(prompts)

    def follow(self, prefix: Prefix, owners: Tensor, tokens: Tensor) -> Tensor:
        """See `Decoder`."""
        return self.decoder.follow(prefix, owners, tokens)

    def start(self, prompts: Sequence[Sequence[int]]) -> Beginnings:
        """See `Model`."""
        from pkpo.lm.generation import DecoderBeginnings  # late: it is written for this decoder

        return DecoderBeginnings(self.decoder, prompts)


# --- Files --------------------------------------------------------------------------------------


GENERATION = "generation_config.json"
"""Where transformers looks for the number of tokens that an answer may have."""


def save(model: LanguageModel, folder: Path) -> None:
    """Write a model's folder: weights in half precision, shape, vocabulary, and the limit if any."""
    config = model.decoder.config
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: w.half().contiguous() for name, w in to_llama(model.decoder).items()}
    data = safetensors.save(weights, {"format": "pt"})
    (folder / "model.safetensors").write_bytes(data)
    (folder / "config.json").write_text(
        json.dumps(llama_config(config), indent=1) + "\n", encoding="utf-8"
    )
    words = json.dumps(model.tokenizer.vocabulary, indent=0)
    (folder / VOCABULARY).write_text(words + "\n", encoding="utf-8")
    if model.limit:
        generation = json.dumps({"do_sample": True, "max_new_tokens": model.limit}, indent=1)
        (folder / GENERATION).write_text(generation + "\n", encoding="utf-8")


def load(model: str | Path, lora: int = 0) -> Model:
    """Read a model, one of ours in single precision, to where `pkpo.lm.devices` says.

    Args:
      model: what `find` takes, or "hub:NAME", which is downloaded.
      lora: see `pkpo.lm.pretrained.load_pretrained`.

    Raises:
      ValueError: there is none, it cannot be read, adapters are wanted for one of ours, or the device is
        not there.
    """
    if str(model).startswith(HUB):
        path = download("model", str(model).removeprefix(HUB), "model", WEIGHTS)
    else:
        path = find(model)
    device = choose_device(path)
    if not ours(path):
        return _pretrained(path, lora, device)
    if lora:
        raise ValueError(f"lora must be 0 for model {model}, all of which is trained, got {lora}")
    shape = json.loads((path / "config.json").read_text(encoding="utf-8"))
    decoder = Decoder(ModelConfig(**{name: shape[theirs] for name, theirs in _CONFIG.items()}))
    weights = safetensors.load_file(path / "model.safetensors")
    from_llama(decoder, {name: w.float() for name, w in weights.items()})
    words = json.loads((path / VOCABULARY).read_text(encoding="utf-8"))
    generation = path / GENERATION
    limit = (
        json.loads(generation.read_text(encoding="utf-8"))["max_new_tokens"]
        if generation.is_file()
        else 0
    )
    return LanguageModel(decoder.to(device), Tokenizer(words), limit)


def _pretrained(path: Path, lora: int, device: str) -> Model:
    try:  # late: our own models need neither transformers nor peft
        from pkpo.lm.pretrained import load_pretrained
    except ModuleNotFoundError as reason:
        raise missing(f"model {path}", reason) from None
    return load_pretrained(path, lora, device)


_CONFIG = {
    "vocabulary": "vocab_size",
    "width": "hidden_size",
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "hidden": "intermediate_size",
    "rope_theta": "rope_theta",
    "norm_eps": "rms_norm_eps",
}
_OUTER = {"embedding.weight": "model.embed_tokens.weight", "norm.weight": "model.norm.weight"}
_INNER = {
    "attention_norm": ("input_layernorm",),
    "qkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "out": ("self_attn.o_proj",),
    "mlp_norm": ("post_attention_layernorm",),
    "gate_up": ("mlp.gate_proj", "mlp.up_proj"),
    "down": ("mlp.down_proj",),
}


def llama_config(config: ModelConfig) -> dict:
    """The shape in the words of transformers' `LlamaConfig`."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "tie_word_embeddings": True,
        "bos_token_id": None,
        "eos_token_id": 0,
        **{_CONFIG[name]: value for name, value in asdict(config).items()},
    }


def to_llama(decoder: Decoder) -> dict[str, Tensor]:
    """The weights under the names that `LlamaForCausalLM` gives them."""
    own = decoder.state_dict()
    result = {theirs: own[name] for name, theirs in _OUTER.items()}
    for i in range(decoder.config.layers):
        for name, parts in _INNER.items():
            split = own[f"layers.{i}.{name}.weight"].chunk(len(parts))
            result |= {
                f"model.layers.{i}.{part}.weight": w for part, w in zip(parts, split, strict=True)
            }
    return result


def from_llama(decoder: Decoder, weights: dict[str, Tensor]) -> None:
    """Take over weights that go by `LlamaForCausalLM`'s names."""
    own = {name: weights[theirs] for name, theirs in _OUTER.items()}
    for i in range(decoder.config.layers):
        for name, parts in _INNER.items():
            own[f"layers.{i}.{name}.weight"] = torch.cat(
                [weights[f"model.layers.{i}.{part}.weight"] for part in parts]
            )
    decoder.load_state_dict(own)
