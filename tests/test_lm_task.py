"""The language model's task: scores, metrics against plain counting, what a stopped run goes on from."""

import json
from dataclasses import asdict

import numpy as np
import pytest
import torch

from pkpo import rho, transform
from pkpo.lm import task as module
from pkpo.lm.evaluate import KS, evaluate
from pkpo.lm.model import save
from pkpo.lm.task import HELD_OUT_SEED, WINDOW, WordProblemsTask
from pkpo.lm.warm_start import train, untrained
from toy_envs.word_problems import problems, verify

HARD = problems(10, 4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A micro model that has seen the form of solutions, and ten problems as its hard set."""
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("micro")
    model = untrained(0, width=24, layers=2, heads=2, hidden=40)
    for _ in train(model, 120, 0, 1e-2):
        pass
    save(model, path)
    (path / "hard.json").write_text(json.dumps([asdict(p) for p in HARD]))
    return str(path)


def step(task: WordProblemsTask, update: int, n: int = 16, k: int = 4) -> dict:
    texts = task.policy.sample(np.random.default_rng((0, update)), n)
    rewards = task.score(texts)
    weights = transform(rewards, k)
    metrics = task.observe(rewards, weights, task.policy.gradient(weights))
    task.policy.step(1e-3)
    return {"texts": texts, "rewards": rewards, "weights": weights, "metrics": metrics}


@pytest.mark.parametrize("source", module.SETS)
def test_metrics_are_what_counting_gives(folder, source):
    task = WordProblemsTask(folder, source, "share", prompts=6, held_out=0)
    seen, values = {}, []
    for update in range(WINDOW + 3):
        done = step(task, update)
        rewards, metrics = done["rewards"], done["metrics"]
        groups = list(zip(task.policy.problems, done["texts"], strict=True))
        verdicts = [[verify(text, p) for text in group] for p, group in groups]
        assert rewards.tolist() == [[v.share for v in group] for group in verdicts]
        flat = [v for group in verdicts for v in group]
        assert metrics["mean_reward"] == rewards.mean()
        assert metrics["valid_chain_share"] == np.mean([v.chain for v in flat])
        right = [v for v in flat if v.answer]
        lucky = np.mean([not v.chain for v in right]) if right else 0
        assert abs(metrics["lucky_share"] - lucky) < 1e-15
        unique = [len({text.partition("####")[2] for text in group}) for _, group in groups]
        assert metrics["unique_answers"] == np.mean(unique) > 1
        assert metrics["dead_group_share"] == np.mean(~done["weights"].any(axis=1))
        values.append([rho(rewards, k).mean() for k in KS])
        for i, k in enumerate(KS):
            want = np.mean([row[i] for row in values[-WINDOW:]])
            assert abs(metrics[f"pass@{k}"] - want) < 1e-12, f"pass@{k}, update {update}"
        for p, row in zip(task.policy.problems, rewards, strict=True):
            place = p if source == "hard" else (update, p)
            seen[place] = seen.get(place, False) | (1 in row)
        total = len(HARD) if source == "hard" else len(seen)
        assert metrics["cumulative_solve_rate"] == sum(seen.values()) / total
        assert 0 <= metrics["truncation_share"] <= 1 and metrics["gradient_norm"] > 0
        assert 0 < metrics["entropy"] < np.log(len(task.policy.model.tokenizer))
        assert not [name for name in metrics if name.startswith("held_out")]
    if source == "hard":
        assert set(seen) <= set(HARD)
        assert len({p.question for p in task.policy.problems}) == 6


def test_held_out_problems_are_measured_at_intervals(folder):
    task = WordProblemsTask(folder, held_out=8, interval=2, prompts=2)
    held_out = problems(8, HELD_OUT_SEED, "held-out")
    before = None
    for update in range(4):
        if update % 2 == 0:
            found = evaluate(task.policy.model, held_out, 16, reward="strict")
            before = [found.max_at(k) for k in KS]
        metrics = step(task, update)["metrics"]
        for k, (mean, error) in zip(KS, before, strict=True):
            assert metrics[f"held_out_pass@{k}"] == mean, f"update {update}"
            assert metrics[f"held_out_error@{k}"] == error


def test_a_small_group_has_no_large_k(folder):
    metrics = step(WordProblemsTask(folder, held_out=0, prompts=2), 0, n=5)["metrics"]
    assert [name for name in metrics if name.startswith("pass@")] == ["pass@1", "pass@2", "pass@4"]


@pytest.mark.parametrize("source", module.SETS)
def test_a_stopped_task_goes_on_bit_for_bit(folder, source):
    arguments = {"source": source, "reward": "share", "prompts": 3, "held_out": 4, "interval": 3}
    whole, first, second = (WordProblemsTask(folder, **arguments) for _ in range(3))
    want = [step(whole, update)["metrics"] for update in range(6)]
    for update in range(4):
        step(first, update)
    policy, state = first.policy.state(), first.state
    step(first, 4)  # what was handed over does not change with it
    second.policy.load(policy)
    second.state = state
    assert [step(second, update)["metrics"] for update in (4, 5)] == want[4:]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"source": "easy"}, "problems must be one of fresh, hard, got 'easy'"),
        ({"reward": "none"}, "reward must be one of strict, answer, share, got 'none'"),
        ({"source": "hard", "prompts": 11}, "prompts must be at most 10 .* got 11"),
    ],
)
def test_refusals(folder, arguments, reason):
    with pytest.raises(ValueError, match=reason):
        WordProblemsTask(folder, **arguments)
