"""The recipe on the variance of estimators at a language model: on bandits whose variances are known."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from pkpo import paper
from pkpo.analysis.enumeration import enumerate_outcomes
from pkpo.analysis.estimation_problems import binary_problem
from pkpo.figures.paper_toy import DRAW
from pkpo.intervals import mean_and_error
from pkpo.lm import gradient_variance
from pkpo.paper import estimator_choice
from pkpo.paper.estimator_choice import CANONICAL, LOO
from tests.test_gradient_variance import bandit_groups

RATES = tuple(np.linspace(0.03, 0.97, 24).tolist())
RECIPE = paper.RECIPES["which"]


@pytest.fixture
def found():
    """The study, with bandits in the place of prompts: of one parameter, then of many."""
    rows = []
    for checkpoint, ways in (("start", 1), ("trained", 40)):
        for prompt, p in enumerate(RATES):
            groups = bandit_groups(binary_problem(p, ways, ways), 64, prompt)
            known = {
                "checkpoint": checkpoint,
                "prompt": prompt,
                "pass_rate": float(groups.rewards[groups.which].mean()),
                "dimension": gradient_variance.effective_dimension(groups),
            }
            for k in gradient_variance.VARIANCE_KS:
                rows += [
                    known | {"k": k} | r
                    for r in gradient_variance.measure_variance(
                        groups, gradient_variance.UNBIASED_ESTIMATORS, k
                    )
                ]
    table = {name: [row[name] for row in rows] for name in rows[0]}
    return {"table": table, "groups": 64, "seed": 0, "seconds": 90.0, "finished": 1.8e9}


def test_ratios_are_those_of_the_exact_sums(found):
    for grid, ways in zip(RECIPE.tabulate(found), (1, 40), strict=True):
        for k, column in ((2, 0), (8, 2)):
            sums = [
                sum(
                    enumerate_outcomes(binary_problem(p, ways, ways), name, 16, k).variance
                    for p in RATES
                )
                for name in (CANONICAL, LOO)
            ]
            exact = sums[0] / sums[1]
            # The error takes the prompts as a sample, too: it is rather larger than needed here.
            assert abs(grid.means[1, column] - exact) < 4 * grid.errors[1, column]
        assert grid.means[0].tolist() == [1.0] * 4 and not grid.errors[0].any()
        assert np.isnan(grid.means[1, 3]) and grid.means[-1, 3] == 1  # TZSM25 is loo-1 at k = n
        lowest = np.nanargmin(grid.means, axis=0)
        assert grid.best[lowest, range(4)].all()
        canonical = paper.grid_csv(grid).splitlines()[2]
        assert canonical.startswith("Canonical") and canonical.endswith(",,")


def test_a_ratio_s_error_is_that_of_its_linear_part():
    above, below = np.array([1.0, 4.0, 4.0]), np.array([1.0, 2.0, 3.0])
    value, error = mean_and_error(estimator_choice._ratio(above, below))
    rest = above - 1.5 * below
    assert value == 1.5 and error == pytest.approx(rest.std(ddof=1) / 3**0.5 / 2, rel=1e-12)


def scaled(found: dict, factor: float) -> dict:
    """The study as if loo-1's rivals had so many times the variance."""
    changed = copy.deepcopy(found)
    for row, name in enumerate(found["table"]["estimator"]):
        if name in ("s", "sloo", CANONICAL):
            for column in ("variance", "variance_error", "expected"):
                changed["table"][column][row] *= factor
    return changed


def test_claims_follow_the_numbers(found):
    def held(data: dict) -> list[bool]:
        return [claim.passed for claim in RECIPE.make(data)[1]]

    # With one parameter canonical has less variance at k = 2 and a low pass rate, with many mostly.
    assert held(found) == [True, False, False, False, True, True]
    assert held(scaled(found, 1000)) == [True, True, True, True, True, True]
    for row, name in enumerate(found["table"]["estimator"]):
        if name == "sloo":
            found["table"]["bias"][row] += 0.1
            found["table"]["expected"][row] *= 2
        found["table"]["pass_rate"][row] = float(found["table"]["prompt"][row] % 5)
    assert held(found) == [False, False, False, False, False, False]


def test_the_figure_shows_every_prompt_that_has_both(found):
    figure = DRAW["which"](found["table"])
    points = [trace for trace in figure.data if trace.mode == "markers"]
    columns = {name: np.array(values) for name, values in found["table"].items()}
    at = (columns["estimator"] == CANONICAL) & (columns["expected"] != 0)
    assert sum(len(trace.x) for trace in points) == 2 * at.sum()
    assert {trace.legendgroup for trace in points} == {"2", "4", "8"}
    (trace,) = (
        t
        for t in points
        if t.legendgroup == "2" and t.xaxis == "x" and t.marker.symbol == "diamond-open"
    )
    own = {
        name: columns["expected"][
            (columns["estimator"] == name)
            & (columns["k"] == 2)
            & (columns["checkpoint"] == "trained")
        ]
        for name in (LOO, CANONICAL)
    }
    assert list(trace.y) == (own[LOO] / own[CANONICAL]).tolist()


def test_what_ships_is_there():
    result = RECIPE.run()
    assert "40 prompts, 64 groups of 16 at each; seed 0; computed on 20" in result.origin
    assert set(result.table["estimator"]) == set(gradient_variance.UNBIASED_ESTIMATORS)
    assert [len(grid.rows) for grid in result.grids] == [
        len(gradient_variance.UNBIASED_ESTIMATORS)
    ] * 3
