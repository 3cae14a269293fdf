"""Which kinds of transformers' models can be policies: tiny random ones of each, through our guard."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

transformers = pytest.importorskip("transformers")
pytest.importorskip("peft")

from pkpo.lm.pretrained import PretrainedModel, _check_arguments, _check_cache  # noqa: E402

SHAPE = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
SERVED = {
    "Llama": {},
    "Mistral": {"sliding_window": 4},
    "Qwen2": {},
    "Qwen3": {"head_dim": 8},
    "Qwen3Moe": {"head_dim": 8, **EXPERTS},
    "Gemma2": {"head_dim": 8, "sliding_window": 4},
    "Phi": {},
    "Olmo2": {},
    "Granite": {},
    "GPTNeoX": {},
    "OPT": {"ffn_dim": 48, "word_embed_proj_dim": 32},
    "Cohere": {},
}
MAMBA = {"mamba_n_heads": 4, "mamba_d_head": 16, "mamba_d_state": 8, "mamba_n_groups": 1}
REFUSED = {
    "Lfm2": {"layer_types": ["conv", "full_attention"], "block_auto_adjust_ff_dim": False},
    "Bamba": {"attn_layer_indices": [1], "mamba_expand": 2, **MAMBA},
    "FalconH1": {"mamba_d_ssm": 64, **MAMBA},
    "RecurrentGemma": {
        "lru_width": 32,
        "attention_window_size": 8,
        "block_types": ["recurrent", "attention"],
    },
    "Mamba": {"state_size": 8},
    "Bloom": {},
}


def tiny(family: str, **more) -> PretrainedModel:
    config = getattr(transformers, f"{family}Config")(**{**SHAPE, **more})
    torch.manual_seed(0)
    module = getattr(transformers, f"{family}ForCausalLM")(config)
    return PretrainedModel(module, SimpleNamespace(eos_token_id=2, chat_template=None))


LATENT = {
    "num_key_value_heads": 4,
    "kv_lora_rank": 8,
    "q_lora_rank": 8,
    "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 8,
    "v_head_dim": 8,
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 16,
    "n_group": 1,
    "topk_group": 1,
    "first_k_dense_replace": 1,
}
MIXTURE = {"num_local_experts": 4, "num_experts_per_tok": 2}
SERVED_TOO = {
    "DeepseekV3": LATENT,
    "GptOss": {"head_dim": 8, "sliding_window": 4, **MIXTURE},
    "Mixtral": MIXTURE,
    "Phi3": {},
    "StableLm": {},
    "Starcoder2": {},
    "Falcon": {},
    "GPTJ": {"rotary_dim": 8},
    "GPTBigCode": {},
    "GPTNeo": {"attention_types": [[["global", "local"], 1]]},
    "Cohere2": {"sliding_window": 4},
    "SmolLM3": {},
    "Glm4": {"head_dim": 8},
    "Olmo3": {"sliding_window": 4},
    "Nemotron": {},
}
LINEAR = {
    "head_dim": 8,
    "layer_types": ["linear_attention", "full_attention"],
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
}
REFUSED_TOO = {
    "Qwen3Next": {"shared_expert_intermediate_size": 16, **LINEAR, **EXPERTS},
    "GraniteMoeHybrid": {
        "layer_types": ["mamba", "attention"],
        "shared_intermediate_size": 16,
        "mamba_expand": 2,
        **MAMBA,
        **MIXTURE,
    },
    "Jamba": {
        "attn_layer_period": 2,
        "attn_layer_offset": 1,
        "num_experts": 2,
        "use_mamba_kernels": False,
        "mamba_d_state": 8,
    },
}


def rare(families):
    return [pytest.param(name, marks=pytest.mark.slow) for name in families]


@pytest.mark.parametrize("family", [*SERVED, *rare(SERVED_TOO)])
def test_attention_with_keys_and_values_is_served(family):
    model = tiny(family, **(SERVED | SERVED_TOO)[family])
    _check_arguments(model.module)
    _check_cache(model, family)


@pytest.mark.parametrize("family", [*REFUSED, *rare(REFUSED_TOO)])
def test_others_are_refused_by_name(family):
    model = tiny(family, **(REFUSED | REFUSED_TOO)[family])
    with pytest.raises(ValueError, match=f"^{family}"):
        _check_arguments(model.module)
        _check_cache(model, family)


def test_a_cache_that_keeps_its_rows_is_noticed():
    model = tiny("Llama")
    start = model.start_decoding

    def stubborn(prompts):
        state = start(prompts)
        state._cache.batch_select_indices = lambda rows: None
        return state

    model.start_decoding = stubborn
    with pytest.raises(ValueError, match="Llama: "):
        _check_cache(model, "Llama")


def test_rows_swapped_in_the_cache_are_noticed():
    model = tiny("Llama")
    start = model.start_decoding

    def swapped(prompts):
        state = start(prompts)
        select = state._cache.batch_select_indices
        state._cache.batch_select_indices = lambda rows: select(1 - rows)
        return state

    model.start_decoding = swapped
    with pytest.raises(ValueError, match="other logits than the whole text"):
        _check_cache(model, "Llama")
