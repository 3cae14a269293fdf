"""The language model on one thread: completions, tokens and updates per second, and memory.

The yardstick is transformers' generate() with the same weights, the same prompts and the same
sampling, in one padded batch of prompts x samples; it is timed in turn with ours, so that a slow spell
of the machine falls on both. The aim is at least twice its completions per second.
"""

import contextlib
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from pkpo import transform
from pkpo.lm.generation import MAX_NEW_TOKENS, decode_completions, generate
from pkpo.lm.language_model import LanguageModel
from pkpo.lm.model_files import llama_config, load_model, to_llama
from pkpo.lm.policy import backward
from pkpo.runs.provenance import peak_memory
from toy_envs.word_problems import draw_problems, verify

AIM = 2.0
ROUNDS = 5
SHAPES = ((16, 16), (32, 16), (128, 16))  # prompts, samples of each
SMALLEST = {"ROUNDS": 1, "SHAPES": ((2, 8),)}


def main() -> None:
    torch.set_num_threads(1)
    model = load_model("tiny")
    print(f"model tiny, CPU, one thread, torch {torch.__version__}: median of {ROUNDS}\n")
    print("prompts x n   ours/s   tokens/s   generate()/s   ratio    aim")
    theirs = generator(model)
    for count, n in SHAPES:
        questions = [p.question for p in draw_problems(count, 0)]
        pairs = []
        for round in range(-1, ROUNDS):  # the first one warms up
            rng = np.random.default_rng(0)
            drawn = generate(model, questions, n, rng)
            one = drawn.seconds
            other = seconds(theirs, questions, n) if theirs else float("nan")
            if round >= 0:
                pairs.append((one, other))
        one, other = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(b / a for a, b in pairs)
        met = "" if theirs is None else "met" if ratio >= AIM else "MISS"
        row = f"{f'{count} x {n}':>11} {count * n / one:>8,.0f} {drawn.lengths.sum() / one:>10,.0f}"
        print(f"{row} {count * n / other:>14,.0f} {ratio:>7.2f} {met:>6}", flush=True)
    print("\nprompts x n    k   updates/s   tokens/s   of it sampling   samples with weight")
    for count, n in SHAPES[:2]:
        for k in (1, 8):
            update_rate(model, count, n, k)
    peak = peak_memory()["peak_memory_mib"]
    print(f"\nmemory at its peak, generate() included: {peak:,} MiB")


def generator(model: LanguageModel) -> Callable | None:
    """A function that samples n completions of every question; None without transformers."""
    with contextlib.suppress(ImportError):
        import transformers

        config = transformers.LlamaConfig(**llama_config(model.decoder.config))
        llama = transformers.LlamaForCausalLM(config).eval()
        llama.load_state_dict(to_llama(model.decoder), strict=False)
        llama.tie_weights()
        sampling = {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0}

        def generate(questions: list[str], n: int) -> torch.Tensor:
            prompts = [model.encode_prompt(question) for question in questions]
            width = max(map(len, prompts))
            tokens = torch.tensor([[0] * (width - len(p)) + p for p in prompts])
            mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
            return llama.generate(
                tokens.repeat_interleave(n, 0),
                attention_mask=mask.repeat_interleave(n, 0),
                max_new_tokens=MAX_NEW_TOKENS,
                eos_token_id=model.tokenizer.eos_id,
                pad_token_id=model.tokenizer.eos_id,
                **sampling,
            )

        return generate
    print("transformers is not installed: no yardstick")
    return None


def update_rate(model: LanguageModel, count: int, n: int, k: int) -> None:
    """Time whole updates with a step size of 0, so that the policy stays the same."""
    optimizer = torch.optim.AdamW(model.decoder.parameters(), lr=0.0, weight_decay=0.0)
    taken, sampling, used, tokens = [], [], [], []
    for update in range(ROUNDS):
        start = time.perf_counter()
        rng = np.random.default_rng(update)
        asked = draw_problems(count, rng)
        questions = [p.question for p in asked]
        drawn = generate(model, questions, n, rng)
        texts = zip(asked, decode_completions(model, drawn), strict=True)
        weights = transform([[verify(text, p).strict for text in group] for p, group in texts], k)
        optimizer.zero_grad()
        backward(model, questions, drawn, weights)
        optimizer.step()
        taken.append(time.perf_counter() - start)
        sampling.append(drawn.seconds / taken[-1])
        used.append((weights != 0).mean())
        tokens.append(int(drawn.lengths.sum()) / taken[-1])
    rate, share = 1 / statistics.median(taken), statistics.median(sampling)
    row = f"{f'{count} x {n}':>11} {k:>4} {rate:>11.2f} {statistics.median(tokens):>10,.0f}"
    print(f"{row} {share:>16.0%} {np.mean(used):>21.0%}", flush=True)


def seconds(call: Callable[..., object], *arguments) -> float:
    start = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
