"""The scatter of gradient estimates at a language model, against exact values and plain gradients."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from pkpo.analysis.enumeration import enumerate_outcomes
from pkpo.analysis.estimation_problems import SoftmaxProblem, binary_problem
from pkpo.estimators import get_estimator, transform
from pkpo.lm import gradient_variance
from pkpo.lm.generation import generate
from pkpo.lm.gradient_variance import (
    REFERENCE,
    UNBIASED_ESTIMATORS,
    VARIANCE_KS,
    DifferentiatedGroups,
    Subject,
)
from pkpo.lm.model_files import save_model
from pkpo.lm.policy import backward
from pkpo.lm.warm_start import WARM_STARTS, train_supervised, untrained_model
from pkpo.training.tasks.word_problems import WordProblemsConfig
from toy_envs.word_problems import draw_problems

GROUP_SIZE = 16


@pytest.fixture(scope="module")
def model():
    """A micro model that has seen the form of solutions."""
    torch.set_num_threads(1)
    made = untrained_model(0, width=24, layers=2, heads=2, hidden=40)
    for _ in train_supervised(made, replace(WARM_STARTS["tiny"], steps=120, learning_rate=1e-2), 0):
        pass
    return made


def bandit_groups(problem: SoftmaxProblem, groups: int, seed: int) -> DifferentiatedGroups:
    """Groups of a bandit, whose scores are known."""
    chances = np.array(problem.probabilities)
    scores = np.eye(chances.size) - chances
    which = np.random.default_rng(seed).choice(chances.size, (groups, GROUP_SIZE), p=chances)
    return DifferentiatedGroups(which, np.array(problem.rewards), scores @ scores.T)


def test_a_draw_s_products_are_those_of_plain_gradients(model):
    (problem,) = draw_problems(1, 3)
    groups, n = 3, 5
    found = gradient_variance.draw_groups(model, problem, n, groups, np.random.default_rng(1))
    drawn = generate(model, [problem.question], groups * n, np.random.default_rng(1))
    assert len(found.rewards) > 5
    coefficients = np.random.default_rng(2).normal(size=(groups, n))
    for row in range(groups):
        weights = np.zeros((1, groups * n))
        weights[0, row * n : (row + 1) * n] = coefficients[row]
        model.decoder.zero_grad()
        backward(model, [problem.question], drawn, weights)
        length = sum(float((p.grad.double() ** 2).sum()) for p in model.decoder.parameters())
        combined = np.bincount(found.which[row], coefficients[row], len(found.rewards))
        assert combined @ found.products @ combined == pytest.approx(length, rel=1e-4)


@pytest.mark.parametrize("k", (2, 8))
def test_variances_are_the_exact_ones(k):
    problem = binary_problem(0.3, 3, 2)
    rows = gradient_variance.measure_variance(
        bandit_groups(problem, 3000, 1), UNBIASED_ESTIMATORS, k
    )
    assert [row["estimator"] for row in rows] == list(UNBIASED_ESTIMATORS)
    for row in rows:
        if not get_estimator(row["estimator"]).symmetric:
            assert row["expected"] is None
            continue
        exact = enumerate_outcomes(problem, row["estimator"], GROUP_SIZE, k).variance
        assert abs(row["variance"] - exact) < 4 * row["variance_error"], row
        assert abs(row["expected"] - exact) < 4 * row["variance_error"], row


@pytest.mark.parametrize(
    "name", [name for name in UNBIASED_ESTIMATORS if get_estimator(name).symmetric]
)
def test_one_parameter_s_expected_variance_is_exact(name):
    problem = binary_problem(0.25)
    groups = bandit_groups(problem, 8, 0)
    which = (
        (np.arange(8 * GROUP_SIZE) % 4 == 0).astype(int).reshape(8, GROUP_SIZE)
    )  # a quarter is right
    found = gradient_variance.expected_variance(
        DifferentiatedGroups(which, groups.rewards, groups.products), name, 4
    )
    assert found == pytest.approx(
        enumerate_outcomes(problem, name, GROUP_SIZE, 4).variance, rel=1e-12
    )


def test_bias_is_seen_and_none_is_imagined():
    problem, k, draws = binary_problem(0.3, 3, 2), 4, 200
    names = ("canonical", "s", "grpo")
    values = {name: [] for name in names}
    for seed in range(draws):
        for row in gradient_variance.measure_variance(bandit_groups(problem, 40, seed), names, k):
            values[row["estimator"]].append(row["bias"])
    reference = enumerate_outcomes(problem, REFERENCE, GROUP_SIZE, k).mean
    for name in names:
        distance = enumerate_outcomes(problem, name, GROUP_SIZE, k).mean - reference
        found = np.array(values[name])
        error = found.std(ddof=1) / draws**0.5
        assert abs(found.mean() - distance @ distance) < 4 * error, name
    assert np.mean(values["grpo"]) > 100 * abs(np.mean(values["canonical"]))


def test_effective_dimension():
    which = np.arange(2 * GROUP_SIZE).reshape(2, GROUP_SIZE)
    orthogonal = DifferentiatedGroups(which, np.zeros(2 * GROUP_SIZE), 3.0 * np.eye(2 * GROUP_SIZE))
    assert gradient_variance.effective_dimension(orthogonal) == pytest.approx(GROUP_SIZE)
    parallel = DifferentiatedGroups(
        which, np.zeros(2 * GROUP_SIZE), np.ones((2 * GROUP_SIZE, 2 * GROUP_SIZE))
    )
    assert gradient_variance.effective_dimension(parallel) == pytest.approx(1)


@pytest.mark.slow
def test_the_study_is_repeatable(model, tmp_path, monkeypatch):
    save_model(model, tmp_path)
    hard = [asdict(problem) for problem in draw_problems(5, 0)]
    (tmp_path / "hard.json").write_text(json.dumps(hard))
    config = WordProblemsConfig(model=str(tmp_path), steps=1, prompts=2, held_out=0)
    subjects = {
        "start": Subject(config),
        "trained": Subject(config, trained=True),
        "small": Subject(config.replace(problems="hard")),
    }
    monkeypatch.setattr(gradient_variance, "PROMPTS", 2)
    monkeypatch.setattr(gradient_variance, "GROUPS_PER_PROMPT", 3)
    monkeypatch.setattr(gradient_variance, "SUBJECTS", subjects)
    monkeypatch.setattr(gradient_variance, "VARIANCE_FILE", tmp_path / "made" / "spread.json.gz")
    told: list[float] = []
    found = gradient_variance.run_study(4, told.append)
    assert told == sorted(told) and told[-1] == 1.0
    table = found["table"]
    per_k = {
        k: sum(
            k in get_estimator(e).allowed_k(gradient_variance.GROUP_SIZE)
            for e in UNBIASED_ESTIMATORS
        )
        for k in VARIANCE_KS
    }
    assert len(table["k"]) == 3 * 2 * sum(per_k.values()) and per_k[16] == 3
    assert list(dict.fromkeys(table["checkpoint"])) == list(subjects)
    assert gradient_variance.run_study(4)["table"] == table
    (alone,) = set(gradient_variance.run_study(4, subjects=["small"])["table"]["checkpoint"])
    assert alone == "small"
    gradient_variance.main(["--seed", "4"])
    shipped = json.loads(
        gradient_variance.gzip.decompress(gradient_variance.VARIANCE_FILE.read_bytes())
    )
    assert shipped["seed"] == 4 and shipped["groups"] == 3
    assert np.allclose(shipped["table"]["variance"], table["variance"], rtol=1e-4, atol=0)


def test_a_variance_is_the_trace_of_the_sample_covariance():
    groups = bandit_groups(binary_problem(0.5), 2, 0)
    (row,) = gradient_variance.measure_variance(groups, ("s",), 2)
    weights = transform(groups.rewards[groups.which], 2, "s")
    scores = np.array([[0.5, -0.5], [-0.5, 0.5]])
    estimates = np.einsum("rn,rnd->rd", weights, scores[groups.which])
    assert row["variance"] == pytest.approx(estimates.var(axis=0, ddof=1).sum(), rel=1e-12)
