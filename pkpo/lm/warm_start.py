"""Supervised training of a small model from scratch, so that reinforcement has something to explore.

`python -m pkpo.lm.warm_start --out FOLDER` makes the model that ships as "tiny": it stops where about
half of the answers are right, and other answers are still being tried.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pkpo.lm.evaluate import KS, Evaluation, evaluate, hard_problems
from pkpo.lm.model import Decoder, LanguageModel, ModelConfig, load, save
from pkpo.lm.tokenizer import Tokenizer
from toy_envs.word_problems import DIFFICULTIES, Problem, problems, words

BATCH = 64
WARM_UP = 50  # updates until the learning rate is in full force
LEARNING_RATE = 2e-3
STEPS = 725
HELD_OUT, SAMPLES = 1024, 32  # problems of the model card, and samples of each
HARD = 128  # problems of the hard set


def untrained(seed: int, **shape: int) -> LanguageModel:
    """A model with random weights that knows the words of all word problems.

    Args:
      seed: of the weights.
      shape: fields of `ModelConfig` other than the defaults.
    """
    tokenizer = Tokenizer.of(words())
    torch.manual_seed(seed)
    return LanguageModel(Decoder(ModelConfig(vocabulary=len(tokenizer), **shape)), tokenizer)


def rows(tokenizer: Tokenizer, batch: Sequence[Problem]) -> tuple[Tensor, Tensor]:
    """Question and worked solution as tokens `[B, T]`, and a mask of the solution's, `[B, T]`."""
    made = []
    for p in batch:
        question = [*tokenizer.encode(p.question), tokenizer.answer]
        made.append((question, [*tokenizer.encode(p.solution), tokenizer.end]))
    length = max(len(question) + len(solution) for question, solution in made)
    tokens = torch.full((len(made), length), tokenizer.end)
    mask = torch.zeros(len(made), length, dtype=torch.bool)
    for i, (question, solution) in enumerate(made):
        whole = len(question) + len(solution)
        tokens[i, :whole] = torch.tensor(question + solution)
        mask[i, len(question) : whole] = True
    return tokens, mask


def train(
    model: LanguageModel, steps: int, seed: int, learning_rate: float = LEARNING_RATE
) -> Iterator[float]:
    """Learn worked solutions of random problems, in place; yields every update's mean loss in nats."""
    optimizer = torch.optim.AdamW(
        model.decoder.parameters(), lr=learning_rate, betas=(0.9, 0.95), weight_decay=0.01
    )
    for step in range(steps):
        batch = problems(BATCH, np.random.default_rng((seed, step)))
        tokens, mask = rows(model.tokenizer, batch)
        logits = model.decoder(tokens[:, :-1])
        loss = F.cross_entropy(logits[mask[:, 1:]], tokens[:, 1:][mask[:, 1:]])
        optimizer.param_groups[0]["lr"] = learning_rate * min(1.0, (step + 1) / WARM_UP)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.decoder.parameters(), 1.0)
        optimizer.step()
        yield loss.item()


CARD = """# {name}

A decoder of {parameters:,} parameters (Llama's shape: width {width}, {layers} layers, {heads} heads)
that learned worked solutions of the word problems in `toy_envs/word_problems.py`. It reads nothing
else: {vocabulary} tokens, single digits among them. transformers' `LlamaForCausalLM` reads this folder,
too.

    {command}

made it: {examples:,} random problems in {seconds:.0f} seconds on one CPU thread ({machine}). The same
command makes the same weights on the same machine; elsewhere rounding may differ.

Measured on {problems:,} held-out problems, {samples} samples of each from the full softmax at
temperature 1, strict reward (answer right and every written equation true); ± one standard error over
problems. Mean entropy of a token {entropy:.3f} nats; {truncated:.2%} of the samples were cut off.

`hard.json` holds {hard} training problems that it solves at most 3 of 64 times.

| steps | problems | {heads_of_k} |
|---|---|{rule}
{table}
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Train, measure, and write the model's folder."""
    parser = argparse.ArgumentParser(prog="python -m pkpo.lm.warm_start", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="random seed; default 0")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"updates; default {STEPS}")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for the model; made if missing"
    )
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    model = untrained(arguments.seed)
    start = time.perf_counter()
    for step, loss in enumerate(train(model, arguments.steps, arguments.seed), 1):
        if step % 50 == 0:
            seconds = time.perf_counter() - start
            print(
                f"{step} of {arguments.steps} updates, loss {loss:.3f}, {seconds:.0f} s", flush=True
            )
    seconds = time.perf_counter() - start
    save(model, arguments.out)
    found = evaluate(load(arguments.out), problems(HELD_OUT, 0, "held-out"), SAMPLES)
    command = f"python -m pkpo.lm.warm_start --seed {arguments.seed} --steps {arguments.steps}"
    card = CARD.format(
        name=arguments.out.name,
        parameters=sum(p.numel() for p in model.decoder.parameters()),
        **asdict(model.decoder.config),
        command=f"{command} --out {arguments.out}",
        examples=arguments.steps * BATCH,
        seconds=seconds,
        machine=f"{platform.machine()}, torch {torch.__version__}",
        problems=HELD_OUT,
        hard=HARD,
        samples=SAMPLES,
        entropy=found.entropy,
        truncated=found.truncated,
        heads_of_k=" | ".join(f"pass@{k}" for k in KS),
        rule="---|" * len(KS),
        table="\n".join(_table_row(found, difficulty) for difficulty in (*DIFFICULTIES, None)),
    )
    (arguments.out / "README.md").write_text(card)
    hard = [json.dumps(asdict(p)) for p in hard_problems(load(arguments.out), HARD)]
    (arguments.out / "hard.json").write_text("[\n" + ",\n".join(hard) + "\n]\n")
    print(card)


def _table_row(found: Evaluation, difficulty: int | None) -> str:
    count = (found.difficulties == difficulty).sum() if difficulty else len(found.difficulties)
    pairs = (found.max_at(k, difficulty) for k in KS)
    cells = " | ".join(f"{mean:.3f} ± {error:.3f}" for mean, error in pairs)
    return f"| {difficulty or 'all'} | {count} | {cells} |"


if __name__ == "__main__":
    main()
