"""Pass@k to k = 256 on unseen hard problems, before and after training: does it only sharpen?

`python -m pkpo.lm.sharpening` trains k = 1 and k = 8 as the experiment "hard-unseen" does, samples
held-out problems, and writes what was counted: some ten minutes on one core.
"""

from __future__ import annotations

import argparse
import dataclasses
import gzip
import json
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pkpo.lm.devices import one_thread
from pkpo.lm.experiments import EXPERIMENTS, METHODS, SHARPENING_FILE
from pkpo.lm.generation import decode_completions, generate
from pkpo.lm.language_model import Model
from pkpo.lm.model_files import load_model
from pkpo.lm.paths import HARD_UNSEEN
from pkpo.lm.problem_sets import HELD_OUT_SEED, draw_without_replacement, load_hard_unseen
from pkpo.runs.provenance import versions
from pkpo.training.loop import Loop
from toy_envs.word_problems import WordProblem, answer_of, verify

SHARPENED_METHODS = ("k1", "k8")
"""Methods of the experiment that are trained."""
SHARPENING_PROBLEMS, SHARPENING_SAMPLES, SHARPENING_SEEDS = 1024, 256, 3
AT_ONCE = 32  # problems sampled together


def count_answers(
    model: Model, problems: Sequence[WordProblem], n: int, seed: int
) -> dict[str, list[int]]:
    """Sample every problem n times, and count.

    Returns:
      Lists by problem: "right", samples with a right answer and a valid chain (reward "strict"); "top",
      samples that give the most frequent answer, among those that give one; "top_right", 1 if that
      answer is the right one.
    """
    found: dict[str, list[int]] = {"right": [], "top": [], "top_right": []}
    for start in range(0, len(problems), AT_ONCE):
        chunk = problems[start : start + AT_ONCE]
        drawn = generate(
            model, [p.question for p in chunk], n, np.random.default_rng((seed, start))
        )
        for p, texts in zip(chunk, decode_completions(model, drawn), strict=True):
            different = Counter(texts)
            right = sum(
                count for text, count in different.items() if verify(text, p).reward("strict") == 1
            )
            answers: Counter[str] = Counter()
            is_right: dict[str, bool] = {}
            for text, count in different.items():
                if answer := answer_of(text):
                    answers[answer] += count
                    is_right[answer] = verify(text, p).reward("answer") == 1
            top, times = answers.most_common(1)[0] if answers else ("", 0)
            found["right"].append(right)
            found["top"].append(times)
            found["top_right"].append(int(is_right.get(top, False)))
    return found


@one_thread()
def run_sharpening(
    seed: int = 0, progress: Callable[[float], object] = lambda _: None
) -> dict[str, Any]:
    """Train, and count on the same held-out problems before and after.

    Args:
      seed: the first of `SHARPENING_SEEDS`, of training and samples.
      progress: is told the share that is done.

    Returns:
      "models", by "start" and the methods the counts of `count_answers`, a list over seeds; "samples"
      of each problem; "seeds"; "seconds", of the processor; "finished", in seconds since 1970; and the
      versions of what computed them.
    """
    start = time.process_time()
    base = EXPERIMENTS[HARD_UNSEEN].base
    _, others = load_hard_unseen(base.model)
    problems = draw_without_replacement(
        others, SHARPENING_PROBLEMS, np.random.default_rng(HELD_OUT_SEED)
    )
    seeds = range(seed, seed + SHARPENING_SEEDS)
    found: dict[str, list[dict[str, list[int]]]] = {}
    for name in ("start", *SHARPENED_METHODS):
        found[name] = []
        for at in seeds:
            if name == "start":
                model: Model = load_model(base.model)
            else:
                config = dataclasses.replace(base, seed=at, held_out=0)
                loop = Loop(METHODS[name].config(config))
                deque(loop, maxlen=0)
                model = loop.task.policy.model
            found[name].append(count_answers(model, problems, SHARPENING_SAMPLES, at))
            done = sum(map(len, found.values()))
            progress(done / (len(seeds) * (1 + len(SHARPENED_METHODS))))
    return {
        "models": found,
        "samples": SHARPENING_SAMPLES,
        "seeds": list(seeds),
        "seconds": time.process_time() - start,
        "finished": time.time(),
        **versions(),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Write what ships."""
    parser = argparse.ArgumentParser(prog="python -m pkpo.lm.sharpening", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="random seed; default 0")
    found = run_sharpening(parser.parse_args(argv).seed, _say)
    text = json.dumps(found, separators=(",", ":"))
    SHARPENING_FILE.write_bytes(gzip.compress(text.encode(), mtime=0))


def _say(done: float) -> None:
    print(f"\r{done:.1%} ", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
