"""Variance of gradient estimates at a language model, prompt by prompt.

A sample's gradient depends on its text only, and a model that has learned the form of its task draws few
different texts for a prompt. So every different text is differentiated once; the inner products of these
gradients, over all parameters, give the exact length of any estimate, and of any difference of two.

`python -m pkpo.lm.gradient_variance` writes the file that ships anew, in about five minutes on one core.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.stats import binom

from pkpo.config import EVAL_KS
from pkpo.estimators import get_estimator, transform
from pkpo.lm.devices import one_thread
from pkpo.lm.experiments import VARIANCE_FILE
from pkpo.lm.generation import decode_completions, generate
from pkpo.lm.language_model import Model
from pkpo.lm.model_files import load_model
from pkpo.lm.policy import log_probs
from pkpo.lm.problem_sets import draw_without_replacement, load_problem_sets
from pkpo.training.loop import Loop
from pkpo.training.tasks.word_problems import WordProblemsConfig
from toy_envs.word_problems import WordProblem, draw_problems, verify

REFERENCE = "sloo_minus_one"
UNBIASED_ESTIMATORS = (
    REFERENCE,
    "canonical",
    "dial:-0.5",
    "dial:0.5",
    "s",
    "sloo",
    "sloo_minus_one_partitioned",
)
"""Those that are unbiased; the last is TZSM25 at k = n, and its extension below."""
GROUP_SIZE, VARIANCE_KS = 16, EVAL_KS[1:]
PROMPTS, GROUPS_PER_PROMPT = 40, 64


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured."""

    config: WordProblemsConfig
    """A model, problems, and how it is trained on them."""
    trained: bool = False
    """Whether the model is trained before."""


_TINY = WordProblemsConfig(schedule="8", steps=40, held_out=0)
_SMALL = WordProblemsConfig(model="small", problems="gsm_symbolic", held_out=0)
SUBJECTS = {
    "start": Subject(_TINY),
    "trained": Subject(_TINY, trained=True),
    "small": Subject(_SMALL),
}


@dataclass(frozen=True, slots=True)
class DifferentiatedGroups:
    """R groups of n samples of one prompt."""

    which: np.ndarray
    """`[R, n]`: each sample's place among the U different ones."""
    rewards: np.ndarray
    """`[U]`"""
    products: np.ndarray
    """`[U, U]`: inner products of the gradients of their log-probabilities, by all parameters."""


def draw_groups(
    model: Model, problem: WordProblem, n: int, groups: int, rng: np.random.Generator
) -> DifferentiatedGroups:
    """Sample a prompt, and differentiate what was drawn."""
    drawn = generate(model, [problem.question], n * groups, rng)
    _, which = torch.unique(drawn.tokens[0], dim=0, return_inverse=True)
    _, firsts = np.unique(which.numpy(), return_index=True)
    texts = decode_completions(model, drawn)[0]
    parameters = list(model.parameters.values())
    gradients = []
    for first in firsts:
        used = torch.zeros_like(drawn.lengths, dtype=torch.bool)
        used[0, first] = True
        (value,) = log_probs(model, [problem.question], drawn, used)
        parts = torch.autograd.grad(value, parameters)
        gradients.append(torch.cat([part.flatten() for part in parts]))
    scores = torch.stack(gradients)
    return DifferentiatedGroups(
        which=which.numpy().reshape(groups, n),
        rewards=np.array([verify(texts[i], problem).reward("strict") for i in firsts]),
        products=(scores @ scores.T).double().numpy(),
    )


def effective_dimension(groups: DifferentiatedGroups) -> float:
    """The effective dimension of a group's scores: their Gram matrix's participation ratio.

    It is 1 if all point the same way, n if they are orthogonal and of the same length; the mean over
    the groups of (Σλ)²/Σλ².
    """
    found = groups.products[groups.which[:, :, None], groups.which[:, None, :]]
    traces = np.trace(found, axis1=1, axis2=2)
    return float((traces**2 / (found**2).sum(axis=(1, 2))).mean())


def measure_variance(
    groups: DifferentiatedGroups, estimators: Sequence[str], k: int
) -> list[dict[str, Any]]:
    """Variance and bias of the estimators that allow this k, from the same groups.

    Returns:
      For each of them estimator; variance, the trace of the covariance, and variance_error over groups;
      expected, see there, or None; bias, the squared distance of its expectation from that of
      `REFERENCE`, estimated without bias (so that it can be negative); and signal, the squared length of
      the latter, likewise.
    """
    n = groups.which.shape[1]
    reference = _combine(groups, REFERENCE, k)
    rows = []
    for name in estimators:
        entry = get_estimator(name)
        if k not in entry.allowed_k(n):
            continue
        estimates = _combine(groups, name, k)
        squares = _squares(groups, estimates - estimates.mean(axis=0))
        scale = len(squares) / (len(squares) - 1)
        rows.append(
            {
                "estimator": name,
                "variance": float(squares.mean()) * scale,
                "variance_error": float(squares.std(ddof=1)) * scale / len(squares) ** 0.5,
                "expected": expected_variance(groups, name, k) if entry.symmetric else None,
                "bias": _squared_mean(groups, estimates - reference),
                "signal": _squared_mean(groups, reference),
            }
        )
    return rows


def _combine(groups: DifferentiatedGroups, estimator: str, k: int) -> np.ndarray:
    """Every group's estimate, `[R, U]`: the coefficients of the different samples' gradients."""
    weights = transform(groups.rewards[groups.which], k, estimator)
    result = np.zeros((len(weights), len(groups.rewards)))
    np.add.at(result, (np.arange(len(weights))[:, None], groups.which), weights)
    return result


def _squares(groups: DifferentiatedGroups, combined: np.ndarray) -> np.ndarray:
    """Squared lengths `[R]` of combinations `[R, U]`."""
    return ((combined @ groups.products) * combined).sum(axis=1)


def _squared_mean(groups: DifferentiatedGroups, combined: np.ndarray) -> float:
    """The squared length of the expectation, estimated without bias from pairs of groups."""
    count = len(combined)
    total = combined.sum(axis=0)
    both = total @ groups.products @ total - _squares(groups, combined).sum()
    return float(both / (count * (count - 1)))


def expected_variance(groups: DifferentiatedGroups, estimator: str, k: int) -> float:
    """The variance that a prompt's pass rate and the agreement within right and wrong samples imply.

    Rewards being 0 or 1, a symmetric estimator's weights depend on the number c of right samples only,
    and c is binomial. With the mean scores of right and wrong samples and their mean squared lengths
    that is all the variance depends on (see `pkpo.analysis.enumeration`); they are estimated from all
    samples.
    """
    n = groups.which.shape[1]
    counts = np.bincount(groups.which.ravel(), minlength=len(groups.rewards))
    levels = np.stack([counts * (groups.rewards == 0), counts * (groups.rewards == 1)])  # [2, U]
    sizes = levels.sum(axis=1)
    lengths = levels @ np.diag(groups.products) / np.maximum(sizes, 1)
    sums = levels @ groups.products @ levels.T
    pairs = np.outer(sizes, sizes) - np.diag(sizes)  # of two different samples
    means = (sums - np.diag(sizes * lengths)) / np.maximum(pairs, 1)  # inner products, [2, 2]
    rewards = (np.arange(n) < np.arange(n + 1)[:, None]).astype(float)
    weights = transform(rewards, k, estimator)
    right = rewards == 1
    totals = np.stack([np.where(right, 0, weights).sum(axis=1), (weights * right).sum(axis=1)])
    squares = np.stack(
        [np.where(right, 0, weights**2).sum(axis=1), (weights**2 * right).sum(axis=1)]
    )
    chances = binom.pmf(np.arange(n + 1), n, sizes[1] / sizes.sum())
    mean = totals @ chances
    second = ((means @ totals) * totals).sum(axis=0) + (lengths - np.diag(means)) @ squares
    return float(second @ chances - mean @ means @ mean)


@one_thread()
def run_study(
    seed: int = 0,
    progress: Callable[[float], object] = lambda _: None,
    subjects: Sequence[str] = (),
) -> dict[str, Any]:
    """The study, at random problems.

    Args:
      seed: of problems, training and samples.
      progress: is told the share that is done.
      subjects: keys of `SUBJECTS`; none for all.

    Returns:
      "table", columns by name, a row per checkpoint (the subject), prompt, k and estimator; "groups",
      how many at each prompt; "seed"; "seconds", of the processor; and "finished", when, in seconds
      since 1970.
    """
    start = time.process_time()
    rows: list[dict[str, Any]] = []
    subjects = subjects or tuple(SUBJECTS)
    done, total = 0, PROMPTS * len(subjects)
    for name in subjects:
        model, chosen = _prepare(SUBJECTS[name], seed)
        for prompt, problem in enumerate(chosen):
            rng = np.random.default_rng((seed, prompt))
            groups = draw_groups(model, problem, GROUP_SIZE, GROUPS_PER_PROMPT, rng)
            known = {
                "checkpoint": name,
                "prompt": prompt,
                "pass_rate": float(groups.rewards[groups.which].mean()),
                "dimension": effective_dimension(groups),
            }
            rows += [
                known | {"k": k} | row
                for k in VARIANCE_KS
                for row in measure_variance(groups, UNBIASED_ESTIMATORS, k)
            ]
            done += 1
            progress(done / total)
    return {
        "table": {column: [row[column] for row in rows] for column in rows[0]},
        "groups": GROUPS_PER_PROMPT,
        "seed": seed,
        "seconds": time.process_time() - start,
        "finished": time.time(),
    }


def _prepare(subject: Subject, seed: int) -> tuple[Model, Sequence[WordProblem]]:
    rng = np.random.default_rng(seed)
    fixed, _ = load_problem_sets(subject.config)
    chosen = draw_without_replacement(fixed, PROMPTS, rng) if fixed else draw_problems(PROMPTS, rng)
    if not subject.trained:
        return load_model(subject.config.model), chosen
    loop = Loop(subject.config.replace(seed=seed))
    deque(loop, maxlen=0)
    return loop.task.policy.model, chosen


def main(argv: Sequence[str] | None = None) -> None:
    """Write what ships."""
    parser = argparse.ArgumentParser(
        prog="python -m pkpo.lm.gradient_variance", description=__doc__
    )
    parser.add_argument("--seed", type=int, default=0, help="random seed; default 0")
    found = run_study(parser.parse_args(argv).seed, _say)
    found["table"] = {name: _rounded(column) for name, column in found["table"].items()}
    text = json.dumps(found, separators=(",", ":"))
    VARIANCE_FILE.parent.mkdir(exist_ok=True)
    VARIANCE_FILE.write_bytes(gzip.compress(text.encode(), mtime=0))


def _rounded(column: list) -> list:
    return [float(f"{x:.5g}") if isinstance(x, float) else x for x in column]


def _say(done: float) -> None:
    print(f"\r{done:.1%} ", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
