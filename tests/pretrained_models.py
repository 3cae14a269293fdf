"""A model of transformers for tests, with problems in files: tiny, random, made in a second."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from toy_envs.word_problems import draw_problems


def llama(path: Path) -> Path:
    """A Llama with random weights and a byte-level tokenizer, as `save_pretrained` writes them."""
    import tokenizers
    import transformers

    from pkpo.lm.pretrained import PROMPT

    bpe = tokenizers.ByteLevelBPETokenizer()
    texts = [PROMPT, *(p.question for p in draw_problems(200, 0))]
    bpe.train_from_iterator(texts, 400, show_progress=False, special_tokens=["<|end|>", "<|stop|>"])
    own = bpe._tokenizer
    transformers.PreTrainedTokenizerFast(tokenizer_object=own, eos_token="<|end|>").save_pretrained(
        path
    )
    config = transformers.LlamaConfig(
        vocab_size=own.get_vocab_size(),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        bos_token_id=None,
        eos_token_id=[0, 1],
    )
    torch.manual_seed(0)
    model = transformers.LlamaForCausalLM(config)
    with torch.no_grad():
        model.lm_head.weight *= 10
        model.lm_head.weight[:2] += 0.3  # so that some samples end
    model.save_pretrained(path)
    return path


def questions_file(path: Path, count: int) -> str:
    """So many problems in a file of GSM8K's format, as a setting."""
    items = [
        {"question": p.question, "answer": f"So it is.\n#### {p.answer}"}
        for p in draw_problems(count, 0)
    ]
    (path / "some.jsonl").write_text("\n".join(map(json.dumps, items)))
    return f"gsm8k:{path / 'some.jsonl'}"
