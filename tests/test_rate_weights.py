"""w(p): what an estimator makes of a prompt by its pass rate, against exact gradients."""

from __future__ import annotations

import numpy as np
import pytest

from pkpo.analysis import objectives, rate_form, rate_weight, rate_weights, weight_below
from pkpo.analysis.enumeration import enumerate_outcomes
from pkpo.analysis.estimation_problems import SoftmaxProblem, binary_problem
from pkpo.estimators import ESTIMATORS

P = np.linspace(0.01, 0.99, 99)
ENDS = np.array([0.0, 1.0])
FINITE = [(2, 1), (4, 4), (8, 3), (12, 6), (16, 8), (64, 5)]


def allowed(name: str, n: int, k: int) -> bool:
    return k in ESTIMATORS[name].allowed_k(n) and (ESTIMATORS[name].symmetric or n <= 16)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_closed_form_holds_for_every_n(name):
    form = rate_form(name)
    seen = 0
    for n, k in FINITE:
        if form is None or not form.exact or not allowed(name, n, k):
            continue
        error = np.abs(rate_weight(name, P, n, k) - form.value(P, n, k)).max()
        assert error < 1e-12, (name, n, k)
        seen += 1
    assert seen >= 2 or form is None or not form.exact


@pytest.mark.parametrize("p", [0.02, 0.3, 0.9])
@pytest.mark.parametrize("name", ["sloo_minus_one", "canonical", "s", "dial:0.3"])
def test_w_times_the_gradient_of_p_is_that_of_pass_at_k(name, p):
    for ways in (1, 3):  # of being right: shared, or each its own
        problem = binary_problem(p, ways, 2)
        for k in (1, 4, 7):
            w = rate_weight(name, p, 8, k)
            want = problem.gradient(k)
            assert np.abs(w * problem.gradient(1) - want).max() < 1e-12, (ways, k)


@pytest.mark.parametrize("name", [name for name in ESTIMATORS if ESTIMATORS[name].symmetric])
def test_w_times_the_gradient_of_p_is_what_the_estimator_expects(name):
    """Biased ones, too: against the enumeration of outcome counts."""
    for rewards, chances in (
        ((0.0, 1.0, 0.0, 1.0), (0.5, 0.2, 0.2, 0.1)),
        ((1.0, 0.0), (0.93, 0.07)),
    ):
        problem = SoftmaxProblem(rewards, chances)
        p = float(np.dot(rewards, chances))
        mean = enumerate_outcomes(problem, name, 6, 3).mean
        found = rate_weight(name, p, 6, 3) * problem.gradient(1)
        assert np.abs(found - mean).max() < 1e-12


def test_at_the_ends_nothing_is_divided_by_zero():
    for name in ESTIMATORS:
        if allowed(name, 8, 4):
            w = rate_weight(name, ENDS, 8, 4)
            assert np.isfinite(w).all(), name
    assert rate_weight("sloo_minus_one", ENDS, 8, 4) == pytest.approx([4, 0], abs=1e-12)
    assert rate_weight("maxrl", ENDS, 8, 4) == pytest.approx([7, 1], abs=1e-12)


@pytest.mark.parametrize("name", ["grpo", "passk_training", "rs_grpo", "rs_grpo:-1"])
@pytest.mark.parametrize("k", [1, 4])
def test_large_groups_come_to_the_limit(name, k):
    p = np.array([0.1, 0.3, 0.6])
    limit = rate_form(name).value(p, 0, k)
    errors = [np.abs(rate_weight(name, p, n, k) / limit - 1).max() for n in (32, 128, 512)]
    assert errors[0] > 2 * errors[1] > 4 * errors[2], errors
    assert errors[2] < 0.02


def test_those_that_are_alike_stand_together():
    found = rate_weights(16, 4)
    groups = [set(one.estimators) for one in found]
    unbiased = {name for name in ESTIMATORS if ESTIMATORS[name].unbiased and allowed(name, 16, 4)}
    assert unbiased in groups and {"maxrl", "tailrl"} in groups and {"rloo", "reinforce"} in groups
    assert found[0].estimators[0] == "sloo_minus_one"
    assert sum(map(len, groups)) == len({name for group in groups for name in group})
    assert found[0].at(0.25) == pytest.approx(4 * 0.75**3, abs=1e-12)
    # At k = 1, what trains for the best of k trains for the mean.
    assert {"rloo", "sloo_minus_one", "canonical"} <= set(rate_weights(16, 1)[0].estimators)
    assert set(objectives.TRAINED_ESTIMATORS) - {objectives.CENTRED_AGAIN} <= set.union(*groups)


@pytest.mark.parametrize(
    ("name", "p", "n", "k", "sentence"),
    [
        ("s", 1.5, 4, 2, "p must be from 0 to 1, got 1.5"),
        ("s", float("nan"), 4, 2, "p must be from 0 to 1"),
        ("canonical", 0.5, 4, 4, "k = 4 is not allowed with n = 4"),
        ("naive", 0.5, 32, 4, "n must be at most 16 for estimator 'naive'"),
        ("magic", 0.5, 4, 2, "estimator must be one of"),
    ],
)
def test_what_cannot_be_is_said(name, p, n, k, sentence):
    with pytest.raises(ValueError, match=sentence.replace("(", r"\(")):
        rate_weight(name, p, n, k)


def test_the_share_of_weight_on_hard_prompts():
    rates = np.array([0.1, 0.4, 0.5, 0.9])
    weight = 3 * (1 - rates) ** 2
    assert weight_below(0.5, rates, "sloo_minus_one", 8, 3) == pytest.approx(
        weight[:2].sum() / weight.sum(), abs=1e-12
    )
    assert weight_below(0.5, rates, "rloo", 8, 3) == pytest.approx(0.5, abs=1e-12)
    assert weight_below(0.1, rates, "rloo", 8, 3) == 0
