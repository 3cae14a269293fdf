"""The language model on one thread: completions, tokens and updates per second, and memory.

The yardsticks are transformers' generate() and TRL's GRPOTrainer, where they are installed, with the
same weights, kind of prompts, sampling and rewards: generate() in one padded batch of prompts x samples,
TRL for whole steps of as many, in one micro-batch. generate() is timed in turn with ours, so that a slow
spell of the machine falls on both; the aim is at least twice its completions per second. TRL's steps
are timed before ours.

The nominal share of the machine's matrix speed: multiplications and additions by the decoder's weights,
as if every prompt were read once and every sampled token computed by itself, per second, over what a
product of two large matrices reaches on the same thread. For an update those of sampling, and for
samples with weight three times as many again, forward and backward. Attention is not counted; equal
beginnings and equal samples are, although ours computes them once only.
"""

import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

from pkpo import transform
from pkpo.lm.generation import MAX_NEW_TOKENS, decode_completions, generate
from pkpo.lm.language_model import LanguageModel
from pkpo.lm.model_files import llama_config, load_model, to_llama
from pkpo.lm.policy import backward
from pkpo.runs.provenance import peak_memory
from tests.bench.trl_steps import step_seconds
from toy_envs.word_problems import draw_problems, verify

AIM = 2.0
ROUNDS = 5
SHAPES = ((16, 16), (32, 16), (128, 16))  # prompts, samples of each
SMALLEST = {"ROUNDS": 1, "SHAPES": ((2, 8),)}
TOKEN = r"####|<end>|<answer>|\d|[^\W\d_]+|\S"  # as the model's tokenizer has it


def main() -> None:
    torch.set_num_threads(1)
    model, peak = load_model("tiny"), matrix_speed()
    print(f"model tiny, CPU, one thread, torch {torch.__version__}: median of {ROUNDS}")
    print(f"a product of two large matrices: {peak / 1e9:.1f} GFLOP/s\n")
    theirs = generator(model) if find_spec("transformers") else None
    if theirs is None:
        print("transformers is not installed: no generate() beside ours")
    head = "prompts x n   ours/s   tokens/s  nominal matrix share   generate()/s   ratio    aim"
    print(head)
    for count, n in SHAPES:
        questions = [p.question for p in draw_problems(count, 0)]
        pairs = []
        for round in range(-1, ROUNDS):  # the first one warms up
            drawn = generate(model, questions, n, np.random.default_rng(0))
            one = drawn.seconds
            other = seconds(theirs, questions, n) if theirs else float("nan")
            if round >= 0:
                pairs.append((one, other))
        one, other = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(b / a for a, b in pairs)
        met = "" if theirs is None else "met" if ratio >= AIM else "MISS"
        share = forward_work(model, questions, drawn.lengths) / one / peak
        row = f"{f'{count} x {n}':>11} {count * n / one:>8,.0f} {drawn.lengths.sum() / one:>10,.0f}"
        row += f" {share:>21.0%} {count * n / other:>14,.0f} {ratio:>7.2f} {met:>6}"
        print(row, flush=True)
    print("\nprompts x n    k   s/update   tokens/s   of it sampling   samples with weight", end="")
    print(" nominal matrix share   TRL's s/step   ratio")
    has_trl = bool(find_spec("trl") and find_spec("datasets") and theirs)
    for count, n in SHAPES[:2]:
        step = statistics.median(trl_steps(model, count, n)) if has_trl else float("nan")
        for k in (1, 8):
            update_rate(model, count, n, k, peak, step)
    if not has_trl:
        print("trl is not installed: none of its steps beside ours")
    memory = peak_memory()["peak_memory_mib"]
    print(f"\nmemory at its peak, all of these included: {memory:,} MiB")


def matrix_speed(size: int = 1024) -> float:
    """Operations per second of a product of two large matrices, the best of several."""
    a, b = torch.rand(size, size), torch.rand(size, size)
    return 2 * size**3 / min(seconds(torch.mm, a, b) for _ in range(20))


def forward_work(model: LanguageModel, questions: list[str], lengths: torch.Tensor) -> float:
    """Multiplications and additions by weights, forward: prompts, and samples of these lengths."""
    tokens = sum(len(model.encode_prompt(question)) for question in questions) + int(lengths.sum())
    return 2.0 * tokens * sum(p.numel() for p in model.decoder.parameters() if p.ndim == 2)


def llama(model: LanguageModel) -> Any:
    """The same model in transformers."""
    import transformers

    config = transformers.LlamaConfig(**llama_config(model.decoder.config))
    made = transformers.LlamaForCausalLM(config).eval()
    made.load_state_dict(to_llama(model.decoder), strict=False)
    made.tie_weights()
    return made


def generator(model: LanguageModel) -> Callable:
    """A function that samples n completions of every question by transformers."""
    module = llama(model)
    sampling = {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0}

    def sample(questions: list[str], n: int) -> torch.Tensor:
        prompts = [model.encode_prompt(question) for question in questions]
        width = max(map(len, prompts))
        tokens = torch.tensor([[0] * (width - len(p)) + p for p in prompts])
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
        return module.generate(
            tokens.repeat_interleave(n, 0),
            attention_mask=mask.repeat_interleave(n, 0),
            max_new_tokens=MAX_NEW_TOKENS,
            eos_token_id=model.tokenizer.eos_id,
            pad_token_id=model.tokenizer.eos_id,
            **sampling,
        )

    return sample


def trl_steps(model: LanguageModel, count: int, n: int) -> list[float]:
    """Seconds of steps of TRL's GRPOTrainer, at a step size that leaves the policy as it is."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    own, end = model.tokenizer, model.tokenizer.vocabulary[model.tokenizer.eos_id]
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(own.vocabulary)}, end))
    words.pre_tokenizer = pre_tokenizers.Split(Regex(TOKEN), "removed", invert=True)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, eos_token=end, pad_token=end, unk_token=end
    )
    answer = own.vocabulary[own.answer_id]
    asked = {f"{p.question} {answer}": p for p in draw_problems(count * (ROUNDS + 1), 0)}
    for prompt, problem in asked.items():
        assert tokenizer(prompt)["input_ids"] == model.encode_prompt(problem.question)

    def reward(prompts: list[str], completion_ids: list[list[int]], **_: Any) -> list[float]:
        texts = (model.decode([i for i in ids if i != own.eos_id]) for ids in completion_ids)
        pairs = zip(texts, prompts, strict=True)
        return [float(verify(text, asked[prompt]).strict) for text, prompt in pairs]

    return step_seconds(
        llama(model).train(),
        tokenizer,
        list(asked),
        reward,
        ROUNDS,
        per_device_train_batch_size=count * n,
        num_generations=n,
        max_completion_length=MAX_NEW_TOKENS,
        bf16=False,
        use_cpu=True,
        gradient_checkpointing=False,
    )


def update_rate(
    model: LanguageModel, count: int, n: int, k: int, peak: float, trl_step: float
) -> None:
    """Time whole updates with a step size of 0, so that the policy stays the same."""
    optimizer = torch.optim.AdamW(model.decoder.parameters(), lr=0.0, weight_decay=0.0)
    taken, sampling, used, tokens, shares = [], [], [], [], []
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
        taught = [q for q, w in zip(questions, weights, strict=True) if w.any()]
        work = forward_work(model, questions, drawn.lengths)
        work += 3 * forward_work(model, taught, drawn.lengths[torch.as_tensor(weights != 0)])
        shares.append(work / taken[-1] / peak)
    second, part = statistics.median(taken), statistics.median(sampling)
    row = f"{f'{count} x {n}':>11} {k:>4} {second:>10.3f} {statistics.median(tokens):>10,.0f}"
    row += f" {part:>16.0%} {np.mean(used):>21.0%} {statistics.median(shares):>21.0%}"
    print(f"{row} {trl_step:>14.3f} {trl_step / second:>7.1f}", flush=True)


def seconds(call: Callable[..., object], *arguments) -> float:
    start = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
