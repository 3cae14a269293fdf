"""Runs of the language model made of nothing but random numbers: complete, at once, without torch."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from pkpo.estimators import rho, transform
from pkpo.lm.problem_sets import PASS_KS, load_problem_sets
from pkpo.runs import Store
from pkpo.runs.process import Process
from pkpo.runs.records import RunRecord
from pkpo.training.tasks.word_problems import WordProblemsConfig
from toy_envs.word_problems import draw_problems

SMALL = WordProblemsConfig(steps=4, interval=2, held_out=24, prompts=2, n=8)
TRIES = max(PASS_KS)


def record(config: WordProblemsConfig) -> RunRecord:
    """A run: before training every method answers alike, after it each in its own way."""
    start = np.random.default_rng(7)
    own = np.random.default_rng((config.seed, len(config.schedule), config.k_schedule(0)))
    rates = start.beta(1, 1, config.held_out)
    counts = [start.binomial(TRIES, rates)]
    while len(counts) <= config.steps // config.interval:
        rates = np.clip(rates + 0.1 * own.standard_normal(len(rates)), 0, 1)
        counts.append(own.binomial(TRIES, rates))
    rows, details = [], {}
    for update in range(config.steps + 1):
        held_out = counts[update // config.interval]
        groups = [_group(config, own, i) for i in reversed(range(config.prompts))]
        rewards = np.array([[s["reward"] for s in group["samples"]] for group in groups])
        rows.append(
            {"update": update, "k": config.k_schedule(update), "learning_rate": 1e-4}
            | {f"pass@{k}": float(rho(rewards, k).mean()) for k in PASS_KS if k <= config.n}
            | {f"held_out_pass@{k}": float(_rho(held_out, k).mean()) for k in PASS_KS}
            | {"entropy": own.random(), "cumulative_solve_rate": own.random()}
            | {"valid_chain_share": own.random(), "tokens": 20.0}
        )
        if update % config.interval == 0:
            details[update] = {"groups": groups, "held_out": held_out.tolist()}
            if config.problems == "hard":
                size = len(load_problem_sets(config)[0])
                details[update]["first_solved"] = own.integers(-1, update + 1, size).tolist()
    return RunRecord(
        config=config,
        changes=(),
        columns={name: np.array([row[name] for row in rows]) for name in rows[0]},
        details=details,
        provenance={"seconds": 60.0},
    )


def _rho(counts: np.ndarray, k: int) -> np.ndarray:
    return rho(np.arange(TRIES) < counts[:, None], k)


def _group(config: WordProblemsConfig, rng: np.random.Generator, right: int) -> dict:
    """A group of which so many answers and one more are right."""
    (problem,) = draw_problems(1, rng)
    rewards = (np.arange(config.n) <= right).astype(float)
    weights = transform(rewards, config.k_schedule(0), config.estimator)
    texts = [problem.solution if reward else "1+1=3####-1" for reward in rewards]
    samples = [
        {
            "tokens": list(text),
            "probabilities": rng.random(len(text)).round(3).tolist(),
            "reward": reward,
            "weight": weight,
        }
        for text, reward, weight in zip(texts, rewards.tolist(), weights.tolist(), strict=True)
    ]
    return {"problem": asdict(problem), "samples": samples}


def keep(store: Store, config: WordProblemsConfig) -> str:
    """The same run as a store has it, finished; returns its id."""
    made, id, process = record(config), store.submit(config), Process.this_one()
    assert id in store.claim(lambda device: 1000)
    store.begin(id, process, {})
    rows = zip(*(curve.tolist() for curve in made.columns.values()), strict=True)
    events = [dict(zip(made.columns, row, strict=True)) for row in rows]
    store.append(id, process, events, None, made.details)
    store.end(id, process, "finished")
    return id
