"""PKPO in TRL's GRPOTrainer, on a model of a few thousand random parameters: nothing is downloaded.

Run: pip install trl, then python examples/trl_trainer.py. For a model of your own replace `policy()`
and `tokenizer()` by what `from_pretrained` gives, and the reward by yours.
"""

from __future__ import annotations

import tempfile

from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import GRPOConfig

from pkpo.integrations.trl import PKPOTrainer

WORDS = ["<pad>", "<eos>", *"abcdefgh"]


def tokenizer() -> PreTrainedTokenizerFast:
    """A word is a letter."""
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, "<pad>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="<eos>", unk_token="<pad>"
    )


def policy() -> LlamaForCausalLM:
    """One layer, random."""
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    config = LlamaConfig(
        vocab_size=len(WORDS), num_attention_heads=2, pad_token_id=0, eos_token_id=1, **sizes
    )
    return LlamaForCausalLM(config)


def repeats_the_prompt(prompts: list[str], completions: list[str], **_: object) -> list[float]:
    """1 where the first letter is the prompt's last, else 0."""
    pairs = zip(prompts, completions, strict=True)
    return [float(answer[:1] == prompt[-1]) for prompt, answer in pairs]


def main(steps: int = 30) -> list[dict[str, float]]:
    """Train for `steps` updates; the logged metrics."""
    with tempfile.TemporaryDirectory() as folder:
        settings = GRPOConfig(
            folder,
            loss_type="dr_grpo",  # keeps the gradient, as dapo, luspo, cispo and vespo do
            per_device_train_batch_size=64,
            num_generations=8,
            max_completion_length=4,
            max_steps=steps,
            learning_rate=3e-2,
            logging_steps=5,
            save_strategy="no",
            report_to="none",
            use_cpu=True,
            bf16=False,
        )
        trainer = PKPOTrainer(
            model=policy(),
            reward_funcs=repeats_the_prompt,
            args=settings,
            train_dataset=Dataset.from_dict({"prompt": list("abcdefgh")}),
            processing_class=tokenizer(),
            k="8@0,1@20",  # the best of 8 first, the single answer from update 20 on
        )
        trainer.train()
        return trainer.state.log_history


if __name__ == "__main__":
    for row in main():
        if "reward" in row:
            best = row.get("pkpo/max_at_k", float("nan"))
            print(f"reward {row['reward']:.3f}  k {row['pkpo/k']:.0f}  max@k {best:.3f}")
