"""The bandit's exact values and its text form."""

import numpy as np
import pytest

from toy_envs.bandit import bandit, exact, objective
from toy_envs.discrete import max_at_k


@pytest.mark.parametrize("k", [(), (0,), (2, -1), (2.5,), (2.0,), (np.nan,), (True,), ("2",)])
def test_k_refused(k):
    with pytest.raises(ValueError, match="k must hold whole numbers >= 1, got \\["):
        max_at_k([0, 1], [0.5, 0.5], k)
    with pytest.raises(ValueError, match="k must hold whole numbers >= 1, got \\["):
        exact([0.5, 0.5], k, "arms:0,1")


@pytest.mark.parametrize(
    ("probabilities", "reason"),
    [
        ([0.5, 0.25, 0.25], r"\(prompts, arms\) = \(2, 2\), got the shape \(3,\)"),
        ([[0.5, 0.5]] * 3, r"\(prompts, arms\) = \(2, 2\), got the shape \(3, 2\)"),
        (0.5, r"\(prompts, arms\) = \(2, 2\), got the shape \(\)"),
        ([[0.5, 0.5], [0.5, 0.4]], r">= 0 and sum to 1 over the arms, got \[0.5, 0.4\]"),
        ([[1.5, -0.5], [0.5, 0.5]], r"sum to 1 over the arms, got \[1.5, -0.5\]"),
        ([[0.5, 0.5], [np.nan, 0.5]], r"sum to 1 over the arms, got \[nan, 0.5\]"),
        ([np.inf, 0.5], r"sum to 1 over the arms, got \[inf, 0.5\]"),
    ],
)
def test_probabilities_refused(probabilities, reason):
    with pytest.raises(ValueError, match="probabilities must .*" + reason):
        exact(probabilities, (1,), "arms:0,1;1,0")
    with pytest.raises(ValueError, match="probabilities must .*" + reason):
        objective(probabilities, 1, "arms:0,1;1,0")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("robber", "bandit must be one of jackpot, mediocre, .* got 'robber'"),
        ("Trap", "bandit must be one of .* got 'Trap'"),
        ("", "bandit must be one of .* got ''"),
        (None, "bandit must be one of .* got 'None'"),
        (3, "bandit must be one of .* got '3'"),
        ("points:0,1;1,1", "bandit must be one of .* got 'points:0,1;1,1'"),
        ("x" * 200, f"bandit must be one of .* got '{'x' * 80}'$"),
        ("arms:", "bandit: a reward must be a number, got ''"),
        ("arms:0,1;", "bandit: a reward must be a number, got ''"),
        ("arms:0,,1", "bandit: a reward must be a number, got ''"),
        ("arms:0,a", "bandit: a reward must be a number, got 'a'"),
        ("arms:0,nan", "bandit: a reward must be a number, got 'nan'"),
        ("arms:0,inf", "bandit: a reward must be a number, got 'inf'"),
        ("arms:0,1e999", "bandit: a reward must be a number, got '1e999'"),
        ("arms:0," + "b" * 99, f"a reward must be a number, got '{'b' * 40}'$"),
        ("arms:1", "bandit: arms must number from 2 to 50, got 1"),
        ("arms:" + ",".join("1" * 51), "bandit: arms must number from 2 to 50, got 51"),
        ("arms:" + ";".join(["0,1"] * 13), "bandit: prompts must number at most 12, got 13"),
        ("arms:0,1;1,0;1", "got 2 rewards for the first and 1 for number 3"),
        ("arms:0,100.5", "bandit: a reward must be within ±100, got 100.5"),
        ("arms:0,1;-101,1", "bandit: a reward must be within ±100, got -101.0"),
        ("arms:0,1@", "bandit: a probability must be a number, got ''"),
        ("arms:0,1@1,x", "bandit: a probability must be a number, got 'x'"),
        ("arms:0,1@1,1@1,1", "bandit: a probability must be a number, got '1@1'"),
        ("arms:0,1@1", "bandit: give one probability per arm, got 1 for 2"),
        ("arms:0,1;1,0@1,1;1,1", "bandit: a probability must be a number, got '1;1'"),
        ("arms:0,1@0,1", "a probability of at least 1e-9, got 0 of 1$"),
        ("arms:0,1@-1,2", "a probability of at least 1e-9, got -1 of 1$"),
        ("arms:0,1@1,1e10", r"a probability of at least 1e-9, got 1 of 1e\+10$"),
        ("arms:0,1@1e308,1e308", r"a probability of at least 1e-9, got 1e\+308 of inf$"),
    ],
)
def test_texts_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        bandit(text)
    with pytest.raises(ValueError, match="bandit"):
        objective([0.5, 0.5], 2, text)
