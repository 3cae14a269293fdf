"""What a GPU does: `python -m tests.bench.cuda MODEL PROBLEMS [--seconds S] [--out FILE]`.

MODEL is a folder or GGUF file of transformers, PROBLEMS a folder with GSM8K's train.jsonl and
test.jsonl. Prints, and with --out writes as JSON, each part's numbers as soon as there are any:
estimators on both devices; sampling, step by step and replayed, against transformers' generate();
whole updates, against TRL's where that is installed; training for k = 1 and k = 8 from the same start,
for so many seconds each, with pass@1 and pass@16 on test problems before and after. With
PKPO_DEVICE=cpu and a tiny model it can be tried without a GPU.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pkpo import transform
from pkpo.estimators import ESTIMATORS
from pkpo.lm.devices import choose_device
from pkpo.lm.evaluation import evaluate
from pkpo.lm.generation import decode_completions, generate
from pkpo.lm.model_files import load_model
from pkpo.lm.policy import log_probs
from pkpo.lm.pretrained import PretrainedModel
from pkpo.training.loop import Loop
from pkpo.training.tasks.word_problems import WordProblemsConfig
from tests.bench.trl_steps import step_seconds
from toy_envs.word_problems import gsm8k_splits

PROMPTS, N = 16, 16
TESTED = 256
"""Test problems that are measured before and after."""
AIM = 2.0
"""Seconds of an update."""


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.cuda", description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("problems", type=Path)
    parser.add_argument("--seconds", type=float, default=100.0, help="of training, for each k")
    parser.add_argument("--limit", type=int, default=200, help="tokens of an answer")
    parser.add_argument("--learning-rate", type=float, default=1e-5)
    parser.add_argument("--only", nargs="*", help="parts, default all")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(argv)
    device = choose_device(given.model)
    parts = {
        "machine": machine,
        "estimators": estimators,
        "sampling": sampling,
        "updates": updates,
        "training": training,
        "trl": trl_step,
    }
    found: dict[str, Any] = {}
    for name in given.only or parts:
        start = time.perf_counter()
        found[name] = {}
        try:
            for key, value in parts[name](given, device):
                found[name][key] = value
                print(f"{name}: {key}: {value}", flush=True)
                if given.out:
                    given.out.write_text(json.dumps(found, indent=1))
        except Exception:  # the other parts shall still be measured
            found[name]["failed"] = traceback.format_exc()
            print(found[name]["failed"], flush=True)
        found[name]["seconds"] = round(time.perf_counter() - start, 1)
        print(f"{name}: {found[name]['seconds']} s\n", flush=True)
        if given.out:
            given.out.write_text(json.dumps(found, indent=1))


Figures = Iterator[tuple[str, Any]]


def machine(given: argparse.Namespace, device: str) -> Figures:
    import transformers

    yield "torch", torch.__version__
    yield "transformers", transformers.__version__
    if device == "cuda":
        yield "gpu", torch.cuda.get_device_name()
        a = torch.randn(8192, 8192, device=device, dtype=torch.bfloat16)
        a @ a
        yield "bf16 TFLOP/s", round(2 * 8192**3 / timed(lambda: a @ a, 10) / 1e12)


def estimators(given: argparse.Namespace, device: str) -> Figures:
    """The largest difference of weights between the two devices, as a share of the largest weight."""
    rng = np.random.default_rng(0)
    for dtype in (torch.float64, torch.float32):
        for name, entry in ESTIMATORS.items():
            worst = 0.0
            ties, distinct = rng.integers(0, 2, (64, 16)), rng.random((64, 16))
            for rewards in (ties,) if entry.binary else (ties, distinct):
                here = torch.tensor(rewards, dtype=dtype)
                for k in (k for k in (1, 4, 8, 16) if k in entry.allowed_k(16)):
                    want = transform(here, k, name)
                    got = transform(here.to(device), k, name)
                    assert got.device.type == device and got.dtype == dtype
                    apart = (got.cpu() - want).abs().max() / want.abs().max().clamp(min=1e-30)
                    worst = max(worst, float(apart))
            yield f"{name} {dtype}", worst
    rewards_there = torch.rand(65536, 16, device=device)
    yield (
        "transform of 65,536 groups of 16, ms",
        1e3 * timed(lambda: transform(rewards_there, 8), 20),
    )


def sampling(given: argparse.Namespace, device: str) -> Figures:
    model = load(given)
    yield "steps replayed", model.uses_slots
    yield (
        "rows in one batch of sampling, of a gradient",
        (
            model.batch_size(500),
            model.micro_batch_size(500),
        ),
    )
    questions = [p.question for p in gsm8k_splits(given.problems)[0][:PROMPTS]]
    drawn = {}
    for slots in dict.fromkeys((False, model.uses_slots)):
        model.uses_slots, name = slots, "replayed" if slots else "step by step"
        reset_memory(device)

        def draw() -> Any:
            return generate(model, questions, N, np.random.default_rng(0), given.limit)

        draw()
        seconds = timed(draw, 2)
        drawn[name] = draw()
        tokens = int(drawn[name].lengths.sum())
        yield f"{name}, s", round(seconds, 3)
        yield f"{name}, tokens/s", round(tokens / seconds)
        yield f"{name}, peak GiB", peak_memory(device)
        used = torch.ones_like(drawn[name].lengths, dtype=torch.bool)
        with torch.no_grad():
            again = log_probs(model, questions, drawn[name], used)
        apart = again - drawn[name].log_probs.sum(-1).flatten()
        yield (
            f"{name}, log-probabilities of samples against whole texts",
            {
                "mean": float(apart.mean()),
                "largest": float(apart.abs().max()),
                "of about": float(again.mean()),
            },
        )
    if len(drawn) == 2:
        one, other = drawn.values()
        width = min(one.tokens.shape[-1], other.tokens.shape[-1])
        same = (one.tokens[..., :width] == other.tokens[..., :width]).all(-1)
        yield "samples that are the same both ways", float(same.float().mean())
    yield "a text", decode_completions(model, next(reversed(drawn.values())))[0][0]
    reset_memory(device)
    theirs = their_generate(model, questions, given.limit)
    theirs()
    seconds = timed(theirs, 2)
    made = theirs()
    yield "generate(), s", round(seconds, 3)
    yield "generate(), tokens/s", round(int(made.sum()) / seconds)
    yield "generate(), peak GiB", peak_memory(device)


def their_generate(model: PretrainedModel, questions: list[str], limit: int) -> Callable:
    """transformers' own sampling of the same prompts, in one batch, in bfloat16 on a GPU; lengths."""
    asked, real = model._padded([model.encode_prompt(q) for q in questions])
    kind = model.device.type

    def sample() -> torch.Tensor:
        with torch.no_grad(), torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda"):
            made = model.module.generate(
                asked.repeat_interleave(N, 0),
                attention_mask=real.repeat_interleave(N, 0),
                max_new_tokens=limit,
                eos_token_id=list(model.eos_ids),
                pad_token_id=model.eos_ids[0],
                do_sample=True,
                temperature=1.0,
                top_k=0,
                top_p=1.0,
            )[:, asked.shape[1] :]
        ended = torch.isin(made, torch.tensor(model.eos_ids, device=made.device)).int().cumsum(1)
        return ((ended == 0).sum(1) + 1).clamp(max=made.shape[1])

    return sample


def updates(given: argparse.Namespace, device: str) -> Figures:
    for k in (1, 8):
        reset_memory(device)
        loop = Loop(config(given, k, learning_rate=1e-9))
        taken, drawing, used = [], [], []
        next(loop)
        for _ in range(5):
            start = time.perf_counter()
            event = next(loop)
            synchronize(device)
            taken.append(time.perf_counter() - start)
            drawing.append(loop.task.policy.samples.seconds)
            used.append(float((event.weights != 0).mean()))
        yield f"k = {k}, seconds of an update", [round(x, 3) for x in taken]
        yield f"k = {k}, seconds of its sampling", [round(x, 3) for x in drawing]
        yield f"k = {k}, samples with weight", [round(x, 3) for x in used]
        yield f"k = {k}, median, s", round(statistics.median(taken), 3)
        yield f"k = {k}, aim of {AIM} s", "met" if statistics.median(taken) < AIM else "MISSED"
        yield f"k = {k}, peak GiB", peak_memory(device)
    policy = loop.task.policy
    weights = np.random.default_rng(0).normal(size=(PROMPTS, N))
    yield (
        "gradient with all samples weighted, s",
        round(timed(lambda: policy.gradient(event.samples, weights), 2), 3),
    )
    yield "its peak GiB", peak_memory(device)


def training(given: argparse.Namespace, device: str) -> Figures:
    tested = gsm8k_splits(given.problems)[1][:TESTED]
    for k in (1, 8):
        loop = Loop(config(given, k, learning_rate=given.learning_rate))
        model = loop.task.policy.model
        if k == 1:
            yield "before", measured(model, tested, given.limit)
        start, rewards = time.perf_counter(), []
        while time.perf_counter() - start < given.seconds:
            rewards.append(float(next(loop).rewards.mean()))
        taken = time.perf_counter() - start
        yield f"k = {k}, updates, their seconds", (len(rewards), round(taken, 1))
        yield (
            f"k = {k}, mean reward by tens of updates",
            [round(float(np.mean(rewards[i : i + 10])), 4) for i in range(0, len(rewards), 10)],
        )
        yield f"after k = {k}", measured(model, tested, given.limit)


def measured(model: Any, problems: Any, limit: int) -> dict[str, Any]:
    start = time.perf_counter()
    found = evaluate(model, problems, 16, reward="answer", limit=limit)
    return {
        **{
            f"pass@{k}": [round(x, 4) for x in found.max_at(k)] for k in (1, 4, 8, 16)
        },  # and standard errors
        "entropy": round(found.entropy, 4),
        "truncated": round(found.truncated, 4),
        "right of 16, by problem": found.rewards.sum(1).astype(int).tolist(),
        "seconds": round(time.perf_counter() - start, 1),
    }


def trl_step(given: argparse.Namespace, device: str) -> Figures:
    """Seconds of a step of TRL's GRPOTrainer on the same model, problems and numbers of samples."""
    import trl

    model = load(given)
    problems = gsm8k_splits(given.problems)[0][: 4 * PROMPTS]
    model.tokenizer.pad_token = model.tokenizer.decode([model.eos_ids[0]])
    reset_memory(device)
    yield "trl", trl.__version__
    seconds = step_seconds(
        model.module.float().train(),
        model.tokenizer,
        [model.tokenizer.decode(model.encode_prompt(p.question)) for p in problems],
        lambda completions, **rest: [float(len(text) % 2) for text in completions],
        steps=3,
        per_device_train_batch_size=32 if device == "cuda" else PROMPTS * N,
        gradient_accumulation_steps=PROMPTS * N // 32 if device == "cuda" else 1,
        num_generations=N,
        max_completion_length=given.limit,
        bf16=device == "cuda",
        use_cpu=device == "cpu",
    )
    yield "seconds from one reward to the next", [round(x, 3) for x in seconds]
    yield "peak GiB", peak_memory(device)


def config(given: argparse.Namespace, k: int, learning_rate: float) -> WordProblemsConfig:
    return WordProblemsConfig(
        model=str(given.model),
        problems=f"gsm8k:{given.problems}",
        reward="answer",
        limit=given.limit,
        prompts=PROMPTS,
        n=N,
        schedule=str(k),
        learning_rate=learning_rate,
        held_out=0,
        steps=10_000,
    )


def load(given: argparse.Namespace) -> PretrainedModel:
    model = load_model(str(given.model))
    assert isinstance(model, PretrainedModel)
    return model


def timed(call: Callable[[], Any], times: int) -> float:
    """Mean seconds of a call."""
    synchronize("cuda" if torch.cuda.is_available() else "cpu")
    start = time.perf_counter()
    for _ in range(times):
        call()
    synchronize("cuda" if torch.cuda.is_available() else "cpu")
    return (time.perf_counter() - start) / times


def synchronize(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def reset_memory(device: str) -> None:
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def peak_memory(device: str) -> float | None:
    return round(torch.cuda.max_memory_allocated() / 2**30, 2) if device == "cuda" else None


if __name__ == "__main__":
    main()
