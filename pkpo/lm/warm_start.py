"""Supervised training of a small model from scratch, so that reinforcement has something to explore.

`python -m pkpo.lm.warm_start --model tiny --out FOLDER` makes the model that ships as "tiny": it stops
where about half of the answers are right, and other answers are still being tried. "small" needs the
extra gsm-symbolic; the problems of it that ship are made together with the model.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pkpo.config import EVAL_KS
from pkpo.lm.decoder import Decoder, ModelConfig
from pkpo.lm.devices import one_thread
from pkpo.lm.evaluation import EvalResult, evaluate, hard_problems, rarely_solved_problems
from pkpo.lm.language_model import LanguageModel
from pkpo.lm.model_files import load_model, save_model
from pkpo.lm.paths import HARD_UNSEEN
from pkpo.lm.tokenizer import Tokenizer
from toy_envs import gsm_symbolic, word_problems
from toy_envs.word_problems import ABSTENTION, WordProblem, write_gsm8k

CARD_PROBLEMS, CARD_SAMPLES = 1024, 32  # problems of the model card, and samples of each
HARD_PROBLEMS = 128  # problems of the hard set
UNSEEN_PROBLEMS = {"train": (2000, "train"), "held_out": (1024, "held-out")}
"""Rarely solved problems: so many of a split, by the name of their list."""
REPORTED = 50  # updates between reports


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmStart:
    """How a model that ships is made."""

    source: ModuleType
    """Whose `problems` it learns, and whose `words` it knows."""
    shape: Mapping[str, int]
    """Fields of `ModelConfig` other than the defaults."""
    steps: int
    limit: int = 0
    """Tokens that its answers need; 0 leaves it to who samples."""
    files: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    """Problems that are written beside the model: so many of a split, by the name of a file."""
    hard_unseen: bool = False
    """Whether lists of rarely solved problems are written, too."""
    abstentions: float = 0.0
    """The share of problems, drawn at random, whose solution abstains (`ABSTENTION`)."""
    note: str = ""
    """What else the card must say of the problems."""
    batch: int = 64
    parts: int = 1
    """So many passes through the model make an update, each of problems of similar length."""
    learning_rate: float = 2e-3
    warm_up: int = 50
    """Updates until the learning rate is in full force."""
    falling: int = 1
    """Updates in the end over which it falls to nothing, in a straight line."""


ORIGIN = """
The problems are those of reasoning-gym's `gsm_symbolic` (Apache License 2.0; after GSM-Symbolic,
arXiv:2410.05229, whose templates are made from GSM8K's problems, MIT License) that
`toy_envs/gsm_symbolic.py` lets through. `train.jsonl` and `test.jsonl` hold some of them, the held-out
ones apart from all that it has learned; they are what `gsm_symbolic` stands for in a run's settings.
"""

WARM_STARTS = {
    "tiny": WarmStart(source=word_problems, shape={}, steps=725, hard_unseen=True),
    "tiny-abstaining": WarmStart(
        source=word_problems,
        shape={},
        steps=1000,
        note="Of three in ten problems it learned to abstain: its answer is then `####?`.\n",
        hard_unseen=True,
        abstentions=0.3,
    ),
    "small": WarmStart(
        source=gsm_symbolic,
        shape={"width": 128, "hidden": 352},
        steps=6500,
        limit=64,
        files={"train.jsonl": (4096, "train"), "test.jsonl": (1280, "held-out")},
        note=ORIGIN,
        batch=32,
        parts=8,
        learning_rate=1.5e-3,
        warm_up=200,
        falling=1500,
    ),
}


def untrained_model(
    seed: int, source: ModuleType = word_problems, limit: int = 0, **shape: int
) -> LanguageModel:
    """A model with random weights that knows the words of all problems of a source.

    Args:
      seed: of the weights.
      source: see `WarmStart`.
      limit: see `WarmStart`.
      shape: fields of `ModelConfig` other than the defaults.
    """
    tokenizer = Tokenizer.from_texts(source.vocabulary_texts())
    torch.manual_seed(seed)
    decoder = Decoder(ModelConfig(vocabulary=len(tokenizer), **shape))
    return LanguageModel(decoder, tokenizer, limit)


def encode_batch(tokenizer: Tokenizer, batch: Sequence[WordProblem]) -> tuple[Tensor, Tensor]:
    """Question and worked solution as tokens `[B, T]`, and a mask of the solution's, `[B, T]`."""
    made = []
    for p in batch:
        question = [*tokenizer.encode(p.question), tokenizer.answer_id]
        made.append((question, [*tokenizer.encode(p.solution), tokenizer.eos_id]))
    length = max(len(question) + len(solution) for question, solution in made)
    tokens = torch.full((len(made), length), tokenizer.eos_id)
    mask = torch.zeros(len(made), length, dtype=torch.bool)
    for i, (question, solution) in enumerate(made):
        whole = len(question) + len(solution)
        tokens[i, :whole] = torch.tensor(question + solution)
        mask[i, len(question) : whole] = True
    return tokens, mask


def train_supervised(model: LanguageModel, recipe: WarmStart, seed: int) -> Iterator[float]:
    """Learn worked solutions of random problems, in place; yields every update's mean loss in nats."""
    optimizer = torch.optim.AdamW(
        model.decoder.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.95), weight_decay=0.01
    )
    for step in range(recipe.steps):
        rng = np.random.default_rng((seed, step))
        batch = [
            replace(problem, solution=ABSTENTION) if chance < recipe.abstentions else problem
            for problem, chance in zip(
                recipe.source.draw_problems(recipe.batch, rng),
                rng.random(recipe.batch),
                strict=True,
            )
        ]
        tokens, mask = encode_batch(model.tokenizer, batch)
        solutions = int(mask.sum())
        optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for part in split_by_length(mask, recipe.parts):
            length = int(mask[part].nonzero()[:, 1].max()) + 1
            given, wanted = tokens[part, : length - 1], tokens[part, 1:length]
            at = mask[part, 1:length]
            loss = F.cross_entropy(model.decoder(given)[at], wanted[at], reduction="sum")
            loss = loss / solutions
            loss.backward()
            total += loss.item()
        left = (recipe.steps - step) / recipe.falling
        share = min(1.0, (step + 1) / recipe.warm_up, left)
        optimizer.param_groups[0]["lr"] = recipe.learning_rate * share
        torch.nn.utils.clip_grad_norm_(model.decoder.parameters(), 1.0)
        optimizer.step()
        yield total


def split_by_length(mask: Tensor, parts: int) -> list[Tensor]:
    """Rows of a mask `[B, T]`, in parts whose last true places are near each other."""
    ends = (mask * torch.arange(mask.shape[1])).argmax(1)
    return [part.sort().values for part in ends.argsort(stable=True).tensor_split(parts)]


UNSEEN_CARD = """`{file}` holds problems that it solves at most once in 16 tries: {train:,} to train on,
and {held_out:,} that are held out.
"""
CARD = """# {name}

A decoder of {parameters:,} parameters (Llama's shape: width {width}, {layers} layers, {heads} heads)
that learned worked solutions of the word problems in `{source}`. It reads nothing
else: {vocabulary} tokens, single digits among them. transformers' `LlamaForCausalLM` reads this folder,
too.
{note}
    {command}

made it: {examples:,} random problems in {seconds:.0f} seconds on one CPU thread ({machine}). The same
command makes the same weights on the same machine; elsewhere rounding may differ.

Measured on {problems:,} held-out problems, {samples} samples of each from the full softmax at
temperature 1, strict reward (answer right and every written equation true); ± one standard error over
problems. Mean entropy of a token {entropy:.3f} nats; {truncated:.2%} of the samples were cut off.

`hard.json` holds {hard} training problems that it solves at most 3 of 64 times.
{unseen}
| steps | problems | {heads_of_k} |
|---|---|{rule}
{table}
"""


@one_thread()
def main(argv: Sequence[str] | None = None) -> None:
    """Train, measure, and write the model's folder."""
    parser = argparse.ArgumentParser(prog="python -m pkpo.lm.warm_start", description=__doc__)
    parser.add_argument("--model", choices=tuple(WARM_STARTS), default="tiny", help="default tiny")
    parser.add_argument("--seed", type=int, default=0, help="random seed; default 0")
    parser.add_argument("--steps", type=int, help="updates; default those of the model that ships")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for the model; made if missing"
    )
    arguments = parser.parse_args(argv)
    recipe, out = WARM_STARTS[arguments.model], arguments.out
    if arguments.steps:
        recipe = replace(recipe, steps=arguments.steps)
    model = untrained_model(arguments.seed, recipe.source, recipe.limit, **recipe.shape)
    start = time.perf_counter()
    for step, loss in enumerate(train_supervised(model, recipe, arguments.seed), 1):
        if step % REPORTED == 0:
            seconds = time.perf_counter() - start
            print(f"{step} of {recipe.steps} updates, loss {loss:.3f}, {seconds:.0f} s", flush=True)
            save_model(model, out)  # what there is, should it be stopped
    seconds = time.perf_counter() - start
    save_model(model, out)
    command = (
        f"python -m pkpo.lm.warm_start --model {arguments.model} --seed {arguments.seed} "
        f"--steps {recipe.steps} --out {out}"
    )
    write_model_card(out, recipe, command, seconds)


def write_model_card(folder: Path, recipe: WarmStart, command: str, seconds: float) -> None:
    """Measure a model; write its card and what problems belong to it.

    Args:
      folder: the model's.
      recipe: how it was made,
      command: by what,
      seconds: and how long that took.
    """
    model = load_model(folder)
    assert isinstance(model, LanguageModel)  # it was made here
    found = evaluate(model, recipe.source.draw_problems(CARD_PROBLEMS, 0, "held-out"), CARD_SAMPLES)
    card = CARD.format(
        name=folder.name,
        parameters=sum(p.numel() for p in model.decoder.parameters()),
        **asdict(model.decoder.config),
        source=recipe.source.__name__.replace(".", "/") + ".py",
        note=recipe.note,
        command=command,
        examples=recipe.steps * recipe.batch,
        seconds=seconds,
        machine=f"{platform.machine()}, torch {torch.__version__}",
        problems=CARD_PROBLEMS,
        hard=HARD_PROBLEMS,
        unseen=_write_hard_unseen(model, folder, recipe.source) if recipe.hard_unseen else "",
        samples=CARD_SAMPLES,
        entropy=found.entropy,
        truncated=found.truncated,
        heads_of_k=" | ".join(f"pass@{k}" for k in EVAL_KS),
        rule="---|" * len(EVAL_KS),
        table="\n".join(_table_row(found, x) for x in (*np.unique(found.difficulties), None)),
    )
    (folder / "README.md").write_text(card, encoding="utf-8")
    hard = [
        json.dumps(asdict(p)) for p in hard_problems(model, HARD_PROBLEMS, source=recipe.source)
    ]
    (folder / "hard.json").write_text("[\n" + ",\n".join(hard) + "\n]\n", encoding="utf-8")
    for name, (count, split) in recipe.files.items():
        write_gsm8k(recipe.source.draw_problems(count, 0, split), folder / name)
    print(card)


def _write_hard_unseen(model: LanguageModel, folder: Path, source: ModuleType) -> str:
    """Write the lists of problems that a model rarely solves; what its card says of them."""
    lists = {
        name: rarely_solved_problems(model, count, split, seed, source)
        for seed, (name, (count, split)) in enumerate(UNSEEN_PROBLEMS.items())
    }
    write_problem_lists(folder / f"{HARD_UNSEEN}.json", lists)
    counts = {name: len(problems) for name, problems in lists.items()}
    return UNSEEN_CARD.format(file=f"{HARD_UNSEEN}.json", **counts)


def write_problem_lists(file: Path, lists: Mapping[str, Sequence[WordProblem]]) -> None:
    """Write lists of problems by name, a problem in a line."""
    parts = [
        f"{json.dumps(name)}: [\n" + ",\n".join(json.dumps(asdict(p)) for p in problems) + "\n]"
        for name, problems in lists.items()
    ]
    file.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def _table_row(found: EvalResult, difficulty: int | None) -> str:
    count = (found.difficulties == difficulty).sum() if difficulty else len(found.difficulties)
    pairs = (found.max_at(k, difficulty) for k in EVAL_KS)
    cells = " | ".join(f"{mean:.3f} ± {error:.3f}" for mean, error in pairs)
    return f"| {difficulty or 'all'} | {count} | {cells} |"


if __name__ == "__main__":
    main()
