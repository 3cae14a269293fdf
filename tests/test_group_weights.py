"""One group looked at closely."""

import math

import numpy as np
import pytest

from pkpo import ESTIMATORS, figures, rho, transform
from pkpo.analysis import group_weights

REWARDS = [0.1, 0.9, 0.4, 0.4, 0.7, 0.0]
LINEAR = [name for name, entry in ESTIMATORS.items() if entry.linear]


@pytest.mark.parametrize("name", LINEAR)
def test_the_matrix_on_sorted_rewards_gives_the_weights(name):
    for n in (2, 5, 9):
        for k in ESTIMATORS[name].allowed_k(n):
            made = group_weights.weight_matrix(name, n, k)
            rewards = np.sort(np.random.default_rng(n).normal(size=n))
            want = transform(rewards, k, name)
            assert np.abs(made @ rewards - want).max() < 1e-12, (name, n, k)


def test_the_paper_s_matrix():
    made = group_weights.weight_matrix("s", 5, 3)  # arXiv:2505.15201, Eq. 20-21
    for i in range(1, 6):
        for j in range(1, 6):
            want = math.comb(i - 1, 2) if i == j else math.comb(j - 2, 1) if j > i and j >= 3 else 0
            assert made[i - 1, j - 1] == pytest.approx(want / math.comb(5, 3), abs=1e-15), (i, j)


def test_no_matrix_for_what_is_not_linear():
    with pytest.raises(ValueError, match="'grpo' is not linear"):
        group_weights.weight_matrix("grpo", 4, 2)
    with pytest.raises(ValueError, match="k = 4 is not allowed with n = 4"):
        group_weights.weight_matrix("canonical", 4, 4)


@pytest.mark.parametrize("k", [1, 2, 3, 6])
def test_subsets_add_up_to_the_closed_forms(k):
    listed = group_weights.list_subsets(REWARDS, k)
    assert len(listed) == math.comb(6, k)
    assert np.mean([s.best for s in listed]) == pytest.approx(rho(REWARDS, k), abs=1e-15)
    for i in range(6):
        mine = [s for s in listed if i in s.members]
        weight = sum(s.best for s in mine) / len(listed)
        assert weight == pytest.approx(transform(REWARDS, k, "s")[i], abs=1e-15)
        if k > 1:
            assert group_weights.mean_gain(listed, i) == pytest.approx(
                transform(REWARDS, k)[i], abs=1e-15
            )


def test_refusals():
    with pytest.raises(ValueError, match="makes 12,870 subsets; at most 60"):
        group_weights.list_subsets(np.arange(16.0), 8)
    with pytest.raises(ValueError, match="k must be from 1 to n = 6, got 7"):
        group_weights.list_subsets(REWARDS, 7)


def test_weigh_says_why_an_estimator_cannot():
    found = {w.estimator: w for w in group_weights.weigh_group(REWARDS, 6)}
    assert set(found) == set(ESTIMATORS)
    assert found["canonical"].weights is None and "k = 6" in found["canonical"].refusal
    assert "0 or 1" in found["passk_training"].refusal
    assert found["s"].weights.tolist() == transform(REWARDS, 6, "s").tolist()


def test_figures_carry_the_numbers():
    weighed = group_weights.weigh_group(REWARDS, 3, ["s", "canonical"])
    bars = figures.plot_group_weights(REWARDS, weighed)
    for trace, w in zip(bars.data, weighed, strict=True):
        assert list(trace.y) == w.weights.tolist()
    made = group_weights.weight_matrix("sloo", 6, 3)
    heat = figures.plot_weight_matrix("sloo", made)
    assert np.array_equal(np.array(heat.data[0].z), made)


@pytest.mark.parametrize("k", [1, 2, 4, 6])
def test_wins_are_counted_as_listed(k):
    rewards = np.array(REWARDS)
    wins = group_weights.count_wins(len(rewards), k)
    listed = group_weights.list_subsets(REWARDS, k)
    for i, reward in enumerate(REWARDS):
        others = int((rewards <= reward).sum()) - 1
        won = sum(i in s.members and s.best == reward for s in listed)
        assert wins[others] == won, (i, k)
    assert sum(wins) == math.comb(len(rewards), k)  # as many others below as there are places
    with pytest.raises(ValueError, match="k must be from 1 to n = 6, got 7"):
        group_weights.count_wins(6, 7)


def test_silence_is_explained():
    def said(rewards, k):
        given = np.array(rewards, float)
        weights = transform(given, k, "sloo_minus_one")
        return [group_weights.SILENCES[i] for i in group_weights.explain_silence(given, weights)]

    binary = [[0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 1], [0, 1, 1, 1]]
    assert said(binary, 3) == ["all_wrong", "all_right", "taught", "all_spared"]
    assert said(binary, 1) == ["all_wrong", "all_right", "taught", "taught"]
    assert said([[0, 0, 0, 0], [0.5, 0.5, 0.5, 0.5], [0, 0, 0.5, 1]], 2) == [
        "all_equal",
        "all_equal",
        "taught",
    ]
