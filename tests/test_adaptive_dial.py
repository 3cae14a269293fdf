"""The baseline that chooses itself: exact moments, what is learned of them, and what that changes."""

import numpy as np
import pytest

from pkpo import paper, transform
from pkpo.analysis.adaptive_dial import LEARNING_GROUPS, AdaptiveDial, ScoreMoments
from pkpo.analysis.enumeration import enumerate_outcomes
from pkpo.analysis.estimation_problems import binary_problem
from pkpo.figures.paper_toy import DRAW
from pkpo.paper import baseline_question as question
from pkpo.training.loop import Loop
from pkpo.training.tasks.bandit import BanditConfig

PROBLEMS = [(0.05, 1, 1), (0.3, 3, 5), (0.5, 1, 4), (0.9, 10, 1)]


def drawn(problem, groups, n, seed):
    """Rewards `[groups, n]` and scores `[groups, n, arms]` of a softmax policy's samples."""
    made = binary_problem(*problem)
    chances = np.array(made.probabilities)
    arms = np.random.default_rng(seed).choice(chances.size, (groups, n), p=chances)
    return np.array(made.rewards)[arms], np.eye(chances.size)[arms] - chances


def watched(rewards, scores, memory=None):
    dial = AdaptiveDial(memory)
    for group in zip(rewards, scores, strict=True):
        dial.observe(*group)
    return dial


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize(("n", "k"), [(8, 2), (8, 7), (16, 4), (32, 1)])
def test_four_numbers_say_the_variance(problem, n, k):
    dial = question._exact_moments(*problem).dial(n, k)
    made = binary_problem(*problem)
    for alpha in (0, 0.5, 1, -2):
        exact = enumerate_outcomes(made, f"dial:{alpha}", n, k).variance
        assert dial.variance(alpha) == pytest.approx(exact, rel=1e-9, abs=1e-13)


def test_the_best_alpha_has_the_least_variance():
    moments = question._exact_moments(0.3, 3, 5)
    best, dial = moments.best_alpha(16, 4), moments.dial(16, 4)
    assert best == pytest.approx(dial.best, abs=1e-12)
    assert all(dial.variance(best) < dial.variance(best + off) for off in (-0.01, 0.01))
    assert question._exact_moments(0.5, 1, 1).best_alpha(16, 4) == pytest.approx(-1.28, abs=0.01)


@pytest.mark.parametrize("memory", [None, 3.0])
def test_the_sums_are_those_over_pairs_of_different_samples(memory):
    rewards, scores = drawn((0.4, 3, 5), 12, 8, 0)
    kept = 1.0 if memory is None else np.exp(-1 / memory)
    weights = np.repeat(kept ** np.arange(12)[::-1], 8)
    r, s = rewards.ravel(), scores.reshape(-1, scores.shape[-1])
    share = weights @ r / weights.sum()
    pulls = weights * (r - share)
    products = np.outer(pulls, pulls) * (s @ s.T)
    pairs = np.outer(weights, weights)
    np.fill_diagonal(products, 0)
    np.fill_diagonal(pairs, 0)
    found = watched(rewards, scores, memory).moments()
    rate = (weights @ r + 0.5) / (weights.sum() + 1)
    norms = (s**2).sum(axis=1)
    usual = weights @ norms / weights.sum()
    assert found.rate == pytest.approx(rate, rel=1e-12)
    assert found.right == pytest.approx(
        (weights * r @ norms + usual) / (weights @ r + 1), rel=1e-12
    )
    assert found.agreement == pytest.approx(products.sum() / pairs.sum() / rate**2, rel=1e-9)


def test_the_study_s_counts_say_what_the_groups_say():
    problem, groups, n = (0.3, 3, 5), 20, 8
    rng = np.random.default_rng(5)
    fast = question._histories(*problem, groups * n, rng)
    counts = np.random.default_rng(5).multinomial(
        groups * n, binary_problem(*problem).probabilities, size=question.ADAPTIVE["repeats"]
    )
    made = binary_problem(*problem)
    for row in (0, 1, 7):
        arms = np.repeat(np.arange(counts.shape[1]), counts[row]).reshape(groups, n)
        scores = np.eye(counts.shape[1])[arms] - np.array(made.probabilities)
        slow = watched(np.array(made.rewards)[arms], scores).moments()
        for name in question.MOMENTS:
            assert getattr(fast, name)[row] == pytest.approx(getattr(slow, name), rel=1e-9)


def test_an_alpha_from_earlier_groups_is_unbiased_and_has_the_variance_that_is_said():
    problem, n, k, histories, fresh = (0.3, 3, 5), 8, 3, 40, 500
    made, exact = binary_problem(*problem), question._exact_moments(*problem).dial(n, k)
    estimates, expected = [], []
    for seed in range(histories):
        dial = watched(*drawn(problem, LEARNING_GROUPS, n, (seed, 0)))
        alpha = dial.alpha(n, k)
        rewards, scores = drawn(problem, fresh, n, (seed, 1))
        weights = transform(rewards, k, f"dial:{alpha}")
        estimates.append((weights[..., None] * scores).sum(axis=1))
        expected.append(exact.variance(alpha))
    found = np.concatenate(estimates)
    gradient = made.gradient(k)
    errors = found.std(axis=0, ddof=1) / len(found) ** 0.5
    assert (abs(found.mean(axis=0) - gradient) < 4 * errors).all()
    squares = ((found - gradient) ** 2).sum(axis=1)
    assert abs(squares.mean() - np.mean(expected)) < 4 * squares.std(ddof=1) / len(squares) ** 0.5
    assert np.mean(expected) < min(exact.at_zero, exact.at_one)


def test_groups_of_one_kind_only_teach_something_and_break_nothing():
    for value in (0.0, 1.0):
        dial = watched(np.full((20, 4), value), np.ones((20, 4, 3)))
        found = dial.moments()
        assert 0 < found.rate < 1 and found.agreement >= 0
        assert np.isfinite(dial.alpha(4, 2))


def test_alpha_waits_for_enough_groups_and_is_0_where_there_is_no_dial():
    rewards, scores = drawn((0.3, 3, 5), LEARNING_GROUPS, 8, 0)
    assert watched(rewards[:-1], scores[:-1]).alpha(8, 3) == 0
    dial = watched(rewards, scores)
    assert dial.alpha(8, 3) != 0
    assert dial.alpha(8, 8) == 0


@pytest.mark.parametrize(
    ("rewards", "scores", "words"),
    [
        ([0.0, 1.0], np.ones((3, 2)), r"rewards must be \[n\] and scores \[n, d\]"),
        ([0.0, 0.5], np.ones((2, 2)), "rewards must be 0 or 1, got 0.5"),
        ([0.0, np.nan], np.ones((2, 2)), "rewards must be 0 or 1, got nan"),
    ],
)
def test_what_cannot_be_observed_is_refused(rewards, scores, words):
    with pytest.raises(ValueError, match=words):
        AdaptiveDial().observe(rewards, scores)


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="memory must be None or at least 1 group, got 0"):
        AdaptiveDial(0)
    with pytest.raises(ValueError, match="no group was observed yet"):
        AdaptiveDial().moments()
    with pytest.raises(ValueError, match="k"):
        ScoreMoments(0.5, 1.0, 1.0, 0.5).best_alpha(4, 4)


def test_a_loop_takes_another_estimator_from_the_next_update_on():
    config = BanditConfig(bandit="jackpot", n=8, schedule="2", steps=6)
    loop = Loop(config)
    events = [next(loop) for _ in range(3)]
    loop.estimator = "canonical"
    events.append(next(loop))
    for event, name in zip(events, ["sloo_minus_one"] * 3 + ["canonical"], strict=True):
        assert np.array_equal(event.weights, transform(event.rewards, 2, name))


@pytest.fixture(scope="module")
def result():
    return paper.RECIPES["adaptive"].run(0)


def test_the_figure_shows_the_table(result):
    shown = DRAW["adaptive"](result.table)
    values = [y for trace in shown.data if trace.hoverinfo != "skip" for y in trace.y]
    assert sorted(values) == sorted(result.table["mean"])
    assert shown.layout.xaxis.title.text == "earlier groups"


def test_the_rule_s_cost_is_that_of_the_winner_map(result):
    from pkpo.analysis import explain_winner

    rows = list(zip(*result.table.values(), strict=True))
    (mean,) = {row[3] for row in rows if row[1] == "mean of the rule"}
    assert mean == pytest.approx(explain_winner().costs["the rule"][0], rel=1e-9)


def test_claims_fail_where_less_is_allowed(result, monkeypatch):
    assert [claim.passed for claim in result.claims[:2]] == [True, True]
    monkeypatch.setitem(question.ADAPTIVE, "groups", (1, 4))
    monkeypatch.setitem(question.ADAPTIVE, "enough", 1)
    monkeypatch.setitem(question.ADAPTIVE, "seeds", 2)
    claims = paper.RECIPES["adaptive"].run(0).claims
    assert [claim.passed for claim in claims[:2]] == [False, False]


@pytest.mark.parametrize(("gain", "passed"), [(0.1, True), (0.0, False), (0.02, None)])
def test_what_is_called_visibly_faster(gain, passed):
    around = np.linspace(-0.01, 0.01, 11)
    assert question._visibly_above("", gain + around).passed is passed
