"""Models as folders: weights as safetensors under the names of `LlamaForCausalLM`, shape, vocabulary."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import torch as safetensors
from torch import Tensor

from pkpo.extras import missing
from pkpo.lm.decoder import Decoder, ModelConfig
from pkpo.lm.devices import choose_device
from pkpo.lm.language_model import LanguageModel, Model
from pkpo.lm.paths import HUB, VOCABULARY, WEIGHTS, download, find, ours
from pkpo.lm.tokenizer import Tokenizer

GENERATION = "generation_config.json"
"""Where transformers looks for the number of tokens that an answer may have."""


def save_model(model: LanguageModel, folder: Path) -> None:
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
    if model.max_new_tokens:
        generation = json.dumps(
            {"do_sample": True, "max_new_tokens": model.max_new_tokens}, indent=1
        )
        (folder / GENERATION).write_text(generation + "\n", encoding="utf-8")


def load_model(model: str | Path, lora: int = 0) -> Model:
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
