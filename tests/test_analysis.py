"""The variance lab's numbers, each computed again by another route."""

import math
from collections import defaultdict

import numpy as np
import pytest

from pkpo import analysis, transform
from pkpo.analysis import AnalysisSettings
from pkpo.analysis.enumeration import enumerate_outcomes
from pkpo.analysis.estimation_problems import GaussianProblem, SoftmaxProblem, binary_problem
from pkpo.analysis.monte_carlo import run_monte_carlo, variance_margin
from toy_envs import discrete

# --- Settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"problem": "maze"}, "problem must be one of binary, graded, hill, got 'maze'"),
        ({"n": 1}, "n must be from 2 to 64, got 1"),
        ({"n": 65}, "n must be from 2 to 64, got 65"),
        ({"k": 0}, "k must be from 1 to 64, got 0"),
        ({"n": 8, "k": 9}, "k must be at most n = 8, got 9"),
        ({"k": 2.0}, "k must be of type int, got 2.0"),
        ({"p": 0.0}, "p must be from 0.005 to 0.995, got 0.0"),
        ({"p": math.nan}, "p must be from 0.005 to 0.995, got nan"),
        ({"ways": 501}, "ways must be from 1 to 500, got 501"),
        ({"wrong": 0}, "wrong must be from 1 to 500, got 0"),
        ({"theta": 2.1}, "theta must be from -1.0 to 2.0, got 2.1"),
        ({"dimension": 101}, "dimension must be from 1 to 100, got 101"),
        ({"seed": -1}, "seed must be from 0 to 4294967294, got -1"),
    ],
)
def test_settings_refuse(changes, message):
    with pytest.raises(ValueError, match=message):
        AnalysisSettings(**changes)


@pytest.mark.parametrize("problem", analysis.PROBLEM_KINDS)
def test_every_axis_runs_over_settings_that_are_possible(problem):
    for n, k in ((2, 1), (2, 2), (16, 4), (21, 21), (64, 1), (64, 64)):
        settings = AnalysisSettings(problem=problem, n=n, k=k)
        for axis in settings.axes:
            points = settings.along(axis)  # each is checked as it is made
            values = [getattr(point, axis) for point in points]
            assert values == sorted(set(values)), (axis, n, k)
            rest = {settings.replace(**{axis: value}) for value in values}
            assert set(points) == rest, (axis, n, k)


def test_axes_belong_to_problems():
    assert AnalysisSettings().axes == ("k", "n", "p", "ways")
    assert AnalysisSettings(problem="graded").axes == ("k", "n", "ways")
    assert AnalysisSettings(problem="hill").axes == ("k", "n", "theta", "dimension")
    with pytest.raises(ValueError, match="axis must be one of k, n, p, ways, got 'theta'"):
        AnalysisSettings().along("theta")


def test_the_axis_of_k_has_every_k_of_a_small_group_and_ends_with_n():
    assert [s.k for s in AnalysisSettings(n=20).along("k")] == list(range(1, 21))
    ks = [s.k for s in AnalysisSettings(n=64).along("k")]
    assert (ks[0], ks[-1]) == (1, 64)
    assert [s.n for s in AnalysisSettings(k=7, n=10).along("n")][:2] == [
        7,
        8,
    ]  # k = n, and the next


def test_settings_make_their_problem():
    assert AnalysisSettings(p=0.2, ways=3, wrong=2).make() == binary_problem(0.2, 3, 2)
    assert AnalysisSettings(problem="hill", theta=0.5, dimension=3).make() == GaussianProblem(
        0.5, dimension=3
    )
    assert len(AnalysisSettings(problem="graded", ways=2).make().rewards) == 8


def test_known_estimators():
    assert analysis.check_estimators(["s", "dial:0.3", "s"]) == ("s", "dial:0.3")
    with pytest.raises(ValueError, match="choose at least one of s, sloo"):
        analysis.check_estimators([])
    with pytest.raises(ValueError, match="estimator must be one of"):
        analysis.check_estimators(["s", "magic"])


# --- The winner map -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "axis"),
    [
        (AnalysisSettings(n=6, ways=3), "p"),
        (AnalysisSettings(n=6, k=5), "n"),
        (AnalysisSettings(n=5, wrong=4), "ways"),
        (AnalysisSettings(problem="graded", n=6), "n"),
        (AnalysisSettings(problem="graded", n=5), "ways"),
    ],
)
def test_the_map_holds_the_exact_variance_in_every_cell(settings, axis):
    found = analysis.compute_winner_map(settings, axis)
    assert found.axis == axis and tuple(found.variances) == analysis.UNBIASED
    assert found.decided.all()  # exact
    assert found.k[0] == 1 and found.k[-1] == (found.x.max() if axis == "n" else settings.n)
    for name, variances in found.variances.items():
        assert variances.shape == (found.k.size, found.x.size)
        for column, x in enumerate(found.x.tolist()):
            point = settings.replace(k=1).replace(**{axis: x})
            for row, k in enumerate(found.k.tolist()):
                allowed = k <= point.n if name in ("s", "sloo_minus_one") else k < point.n
                if allowed:
                    want = enumerate_outcomes(point.make(), name, point.n, k).variance
                    assert variances[row, column] == want, (name, k, x)
                else:
                    assert math.isnan(variances[row, column]), (name, k, x)
    want = np.log2(found.variances["sloo_minus_one"] / found.variances["canonical"])
    assert np.array_equal(found.log_ratio, want, equal_nan=True)


@pytest.mark.parametrize("axis", ["theta", "n"])
def test_the_map_of_the_hill_is_that_of_its_groups(axis):
    settings = AnalysisSettings(problem="hill", n=6, seed=3)
    found = analysis.compute_winner_map(settings, axis)
    for column in range(0, found.x.size, 6):
        point = settings.replace(k=1).replace(**{axis: found.x[column].item()})
        for row, k in list(enumerate(found.k.tolist()))[::2]:
            # The same seed and n: the same groups, weighed one estimator at a time.
            want = (
                run_monte_carlo(point.make(), analysis.UNBIASED, point.n, k, 5000, point.seed)
                if (k <= point.n)
                else {}
            )
            for name in analysis.UNBIASED:
                cell = found.variances[name][row, column]
                if name in want:
                    assert cell == pytest.approx(want[name].variance.value, rel=1e-9), (name, k)
                else:
                    assert math.isnan(cell), (name, k)
            if "canonical" in want and k > 1:  # at k = 1 both are the same
                gap = variance_margin(want["sloo_minus_one"], want["canonical"])
                assert found.decided[row, column] == (gap.low > 0 or gap.high < 0), k


def test_nuisance_coordinates_add_what_they_do_in_a_real_policy():
    settings = AnalysisSettings(problem="hill", n=8, seed=1)
    found = analysis.compute_winner_map(settings, "dimension")
    column = found.x.tolist().index(10)
    problem = GaussianProblem(settings.theta, dimension=10)
    for k in (1, 4, 7):
        real = run_monte_carlo(problem, analysis.UNBIASED, 8, k, replicates=10_000, seed=2)
        for name in analysis.UNBIASED:
            cell = found.variances[name][found.k.tolist().index(k), column]
            # The map has half the groups, and less noise in each: nuisance is taken out exactly.
            error = math.sqrt(3) * (real[name].variance.high - real[name].variance.value) / 1.96
            assert abs(cell - real[name].variance.value) < 4 * error, (name, k)


def test_the_map_refuses_an_axis_that_the_problem_has_not():
    with pytest.raises(ValueError, match="axis must be one of"):
        analysis.compute_winner_map(AnalysisSettings(), "theta")


# --- What explains it -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def explanation():
    return analysis.explain_winner()


@pytest.fixture(scope="module")
def cells():
    """Every problem of the grid with its ratio of variances, by plain loops."""
    result = []
    for p in analysis.WINNER_GRID["p"]:
        for ways in analysis.WINNER_GRID["ways"]:
            for wrong in analysis.WINNER_GRID["wrong"]:
                problem = binary_problem(p, ways, wrong)
                for n in analysis.WINNER_GRID["n"]:
                    for k in (k for k in analysis.WINNER_GRID["k"] if k < n):
                        loo = enumerate_outcomes(problem, "sloo_minus_one", n, k).variance
                        ratio = loo / enumerate_outcomes(problem, "canonical", n, k).variance
                        result.append(
                            {"p": p, "k": k, "n": n, "ways": ways, "wrong": wrong, "ratio": ratio}
                        )
    return result


def share(cells, *factors: str) -> float:
    """Between-group over total sum of squares of the log ratio, by its definition."""
    logs = [math.log2(cell["ratio"]) for cell in cells]
    middle = math.fsum(logs) / len(logs)
    groups = defaultdict(list)
    for cell, value in zip(cells, logs, strict=True):
        groups[tuple(cell[factor] for factor in factors)].append(value)
    between = math.fsum(
        len(values) * (math.fsum(values) / len(values) - middle) ** 2 for values in groups.values()
    )
    return between / math.fsum((value - middle) ** 2 for value in logs)


def test_shares_are_recomputed(explanation, cells):
    assert explanation.cells == len(cells)
    for factor in analysis.WINNER_GRID:
        assert explanation.shares[factor] == pytest.approx(share(cells, factor), abs=1e-10)
    both = share(cells, "p", "ways")
    assert explanation.shares["p and ways"] == pytest.approx(both, abs=1e-10)
    three = share(cells, "p", "k", "ways")
    assert explanation.shares["p, k and ways"] == pytest.approx(three, abs=1e-10)


def test_shares_are_sane(explanation):
    shares = explanation.shares
    assert set(shares) == {*analysis.WINNER_GRID, "p and ways", "p, k and ways"}
    assert all(0 <= value <= 1 for value in shares.values())
    assert shares["p and ways"] >= max(shares["p"], shares["ways"])  # a finer partition
    assert shares["p, k and ways"] >= max(shares["p and ways"], shares["k"])


def test_the_rules_cost_what_they_pay_over_the_better_one(explanation, cells):
    rules = {
        "always loo-1": lambda cell: False,
        "always canonical": lambda cell: True,
        "the rule": lambda cell: (
            cell["ways"] > 1 or cell["k"] * cell["p"] < analysis.RULE_THRESHOLD
        ),
    }
    assert set(explanation.costs) == set(rules)
    for name, takes_canonical in rules.items():
        paid = [
            (1 if takes_canonical(cell) else cell["ratio"]) / min(cell["ratio"], 1)
            for cell in cells
        ]
        mean, worst = explanation.costs[name]
        assert mean == pytest.approx(math.fsum(paid) / len(paid), rel=1e-10), name
        assert worst == pytest.approx(max(paid), rel=1e-10), name
    assert explanation.costs["the rule"][0] < min(
        explanation.costs[name][0] for name in ("always loo-1", "always canonical")
    )


# --- The dial -------------------------------------------------------------------------------------

DIALS = [
    AnalysisSettings(),
    AnalysisSettings(p=0.5, ways=3, n=8, k=2),
    AnalysisSettings(problem="graded", n=8, k=3),
    AnalysisSettings(problem="hill", n=8, k=2, seed=5),
]


def variance_at(settings: AnalysisSettings, alpha: float) -> float:
    """The variance of the estimator of that α, without the parabola."""
    problem, name = settings.make(), f"dial:{alpha!r}"
    if isinstance(problem, SoftmaxProblem):
        return enumerate_outcomes(problem, name, settings.n, settings.k).variance
    found = run_monte_carlo(problem, [name], settings.n, settings.k, 10_000, settings.seed)
    return found[name].variance.value


@pytest.mark.parametrize("settings", DIALS, ids=lambda s: s.problem)
def test_the_parabola_is_the_dial_s_variance(settings):
    found = analysis.dial_variance(settings)
    for alpha in (-0.7, 0.0, 0.3, 1.0, 1.9):
        assert found.variance(alpha) == pytest.approx(variance_at(settings, alpha), rel=1e-9)
    least = variance_at(settings, found.best)
    assert least < min(variance_at(settings, found.best + step) for step in (-0.02, 0.02))
    ends = min(variance_at(settings, 0.0), variance_at(settings, 1.0))
    assert found.gain == pytest.approx(ends / least, rel=1e-9)
    assert found.gain >= 1


def test_known_gain_of_one_parameter():
    found = analysis.dial_variance(AnalysisSettings(p=0.5, n=16, k=4))
    assert found.best == pytest.approx(-1.28, abs=0.005)
    assert 2.67 < found.gain < 2.69


@pytest.mark.parametrize(("n", "k", "best"), [(8, 2, 0.27), (16, 4, -0.41), (16, 8, -0.90)])
def test_known_best_dials_of_the_hill(n, k, best):
    seeds = [
        analysis.dial_variance(AnalysisSettings(problem="hill", n=n, k=k, seed=s)).best
        for s in range(20)
    ]
    error = np.std(seeds, ddof=1) / math.sqrt(len(seeds))
    assert abs(np.mean(seeds) - best) < 4 * error + 0.005  # known to two digits
    assert error < 0.012  # so that the bound above is worth something


def test_at_k_1_the_dial_has_no_effect():
    found = analysis.dial_variance(AnalysisSettings(k=1))
    assert math.isnan(found.best) and found.gain == 1.0
    assert found.variance(-1.7) == pytest.approx(found.at_zero, rel=1e-12)


def test_best_dials_are_dials_along_the_axis():
    settings = AnalysisSettings(n=6, k=2)
    ks, dials = analysis.dial_variance_along(settings, "k")
    assert ks.tolist() == [1, 2, 3, 4, 5]  # not k = n
    assert dials == [analysis.dial_variance(settings.replace(k=k)) for k in ks.tolist()]


def test_the_dial_needs_k_below_n():
    with pytest.raises(ValueError, match="k must be below n = 8 for the dial, got 8"):
        analysis.dial_variance(AnalysisSettings(n=8, k=8))


# --- Curves and single estimates ------------------------------------------------------------------


def test_curves_are_measured_and_where_possible_exact():
    names = ("s", "canonical", "naive", "grpo")
    settings = AnalysisSettings(n=6, k=2, ways=2, seed=4)
    points = analysis.moments_along(settings, "k", names)
    assert {(p.estimator, p.x) for p in points} == {
        (name, float(k))
        for k in range(1, 7)
        for name in names
        if k < 6 or name != "canonical"
        if 6 % k == 0 or name != "naive"
    }
    for point in points:
        k = int(point.x)
        want = run_monte_carlo(settings.make(), [point.estimator], 6, k, 10_000, 4)[point.estimator]
        assert point.measured.variance == want.variance, (point.estimator, k)
        if point.estimator == "naive":  # depends on the order of the samples
            assert point.exact is None
        else:
            exact = enumerate_outcomes(settings.make(), point.estimator, 6, k)
            assert point.exact.variance == exact.variance, (point.estimator, k)
    assert all(
        p.exact is None
        for p in analysis.moments_along(AnalysisSettings(problem="hill"), "k", ["s"])
    )


def test_fewer_groups_where_each_has_many_numbers():
    assert analysis.group_count(AnalysisSettings()) == 10_000
    assert analysis.group_count(AnalysisSettings(ways=500)) == 2000
    assert analysis.group_count(AnalysisSettings(problem="graded", ways=17)) == 2000
    assert analysis.group_count(AnalysisSettings(problem="hill", ways=500)) == 10_000
    assert analysis.group_count(AnalysisSettings(problem="hill", dimension=100)) == 2000


@pytest.mark.parametrize("problem", analysis.PROBLEM_KINDS)
def test_single_estimates_scatter_around_the_truth(problem):
    settings = AnalysisSettings(problem=problem, n=12, k=4, ways=3, dimension=2, theta=0.7, seed=8)
    found = analysis.sample_estimates(
        settings, ("s", "sloo", "sloo_minus_one", "canonical", "grpo")
    )
    for name in analysis.UNBIASED:
        values = found[name]
        assert values.shape == (2000,)
        assert abs(values.mean() - 1) < 4 * values.std(ddof=1) / math.sqrt(2000), name
    wide = found["grpo"].std(ddof=1) / math.sqrt(2000)
    assert abs(found["grpo"].mean() - 1) > 4 * wide  # biased


def test_a_single_estimate_is_the_projection_of_a_group_s():
    settings = AnalysisSettings(p=0.4, n=6, k=2, seed=9)
    rewards, _ = settings.make().draw(np.random.default_rng((9, 6)), 2000, 6)
    exact = settings.make().gradient(2)
    found = analysis.sample_estimates(settings, ["canonical", "naive", "passk_training"])
    for name, values in found.items():
        for group in range(0, 2000, 333):
            weights = transform(rewards[group], 2, name)
            estimate = sum(
                w * (np.array([1 - r, r]) - [0.6, 0.4])
                for w, r in zip(weights, rewards[group], strict=True)
            )
            want = estimate @ exact / (exact @ exact)
            assert values[group] == pytest.approx(want, abs=1e-12), (name, group)
    assert set(analysis.sample_estimates(settings.replace(k=4), ["naive", "s"])) == {
        "s"
    }  # 4 does not divide 6


def test_no_cloud_where_there_is_no_gradient():
    with pytest.raises(ValueError, match="the exact gradient vanishes here"):
        analysis.sample_estimates(AnalysisSettings(problem="hill", theta=-1.0), ["s"])


# --- The budget -----------------------------------------------------------------------------------


def updates(
    rates: np.ndarray, prompts: int, n: int, k: int, name: str, rng: np.random.Generator
) -> np.ndarray:
    """Whole updates' gradients by the shared logit: prompts drawn, sampled, weighed, averaged."""
    p = rng.choice(rates, (20_000, prompts, 1))
    hits = rng.random((20_000, prompts, n)) < p
    weights = transform(hits.astype(float), k, name)
    return (weights * (hits - p)).sum(axis=2).mean(axis=1)


@pytest.mark.parametrize("name", ["sloo_minus_one", "canonical", "grpo"])
def test_the_budget_is_the_variance_of_whole_updates(name):
    settings = AnalysisSettings(n=8, k=2, p=0.2)
    found = analysis.split_budget(settings, [name], 16)
    assert found.total == 16
    assert found.n.tolist() == [2, 4, 8, 16]
    rng = np.random.default_rng(12)
    for place, n in enumerate(found.n.tolist()):
        for rates, curve in (
            (np.array([0.2]), found.same),
            (np.array(analysis.MIXED_PASS_RATES), found.mixed),
        ):
            if n == 2 and name == "canonical":
                assert math.isnan(curve[name][place])
                continue
            drawn = updates(rates, 16 // n, n, 2, name, rng)
            squares = (drawn - drawn.mean()) ** 2
            error = squares.std(ddof=1) / math.sqrt(squares.size)
            assert abs(squares.mean() - curve[name][place]) < 4 * error, (n, rates)


def test_alike_prompts_share_the_exact_binomial_variance():
    n, k, p = 8, 3, 0.2
    first = second = 0.0
    for c in range(n + 1):
        rewards = np.repeat([0.0, 1.0], [n - c, c])
        estimate = float(transform(rewards, k, "sloo") @ (rewards - p))
        chance = math.comb(n, c) * p**c * (1 - p) ** (n - c)
        first, second = first + chance * estimate, second + chance * estimate**2
    found = analysis.split_budget(AnalysisSettings(n=8, k=3, p=0.2), ["sloo"], 64)
    place = found.n.tolist().index(8)
    assert found.same["sloo"][place] == pytest.approx((second - first**2) / 8, rel=1e-12)


@pytest.mark.parametrize("total", [1, 257])
def test_the_budget_refuses(total):
    with pytest.raises(ValueError, match=f"total must be from 2 to 256, got {total}"):
        analysis.split_budget(AnalysisSettings(), ["s"], total)


# --- What is optimised ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exact_gradients():
    """`[16, 4]` the gradient of max@j, j = 1..16, over the three prompts of the figure."""
    rates = [0.5, 0.1, 0.02, 0.38]
    rewards = np.eye(4)[:3]
    return discrete.categorical_max_at_k(rewards, rates, range(1, 17)).d_logits.mean(axis=1)


@pytest.fixture(scope="module")
def found_targets():
    return {target.estimator: target for target in analysis.expected_directions(16, 4)}


def seen_along(direction, gradients):
    lengths = np.linalg.norm(gradients, axis=1)
    along = gradients @ direction / lengths
    return along / np.linalg.norm(direction), along / lengths


def test_targets_are_in_order_and_complete(found_targets):
    assert tuple(found_targets) == analysis.TRAINED_ESTIMATORS
    assert all(
        target.cosine.shape == target.scale.shape == (16,) for target in found_targets.values()
    )


def test_loo_1_follows_max_at_k_and_loses_it_when_centred_again(found_targets):
    found = found_targets["sloo_minus_one"]
    assert found.nearest == 4
    assert found.cosine[3] == pytest.approx(1, abs=1e-12)
    assert found.scale[3] == pytest.approx(1, abs=1e-12)
    assert max(np.delete(found.cosine, 3)) < 1 - 1e-4
    again = found_targets[analysis.CENTRED_AGAIN]
    assert again.cosine.max() < 1 - 1e-4 and again.scale[3] < 1 - 1e-4


def test_dr_grpo_follows_max_at_1_a_little_shorter(found_targets):
    found = found_targets["dr_grpo"]
    assert found.nearest == 1
    assert found.cosine[0] == pytest.approx(1, abs=1e-12)
    assert found.scale[0] == pytest.approx(1 - 1 / 16, abs=1e-12)


def test_maxrl_and_tailrl_follow_the_sum_of_max_at_j_over_j(found_targets, exact_gradients):
    direction = sum(exact_gradients[j - 1] / j for j in range(1, 16))  # j = 1..n-1
    cosine, scale = seen_along(direction, exact_gradients)
    for name in ("maxrl", "tailrl"):
        assert found_targets[name].cosine == pytest.approx(cosine, abs=1e-12), name
        assert found_targets[name].scale == pytest.approx(scale, abs=1e-12), name


@pytest.mark.parametrize("name", ["grpo", "passk_training"])
def test_a_target_is_the_mean_estimate(name, found_targets, exact_gradients):
    """By the number of right samples: given it, they are spread over the other arms by chance."""
    rates, n, k = np.array([0.5, 0.1, 0.02, 0.38]), 16, 4
    mean = np.zeros(4)
    for right in range(3):
        p = rates[right]
        others = np.where(np.arange(4) == right, 0, rates) / (1 - p)
        for c in range(n + 1):
            weights = transform(np.repeat([0.0, 1.0], [n - c, c]), k, name)
            chance = math.comb(n, c) * p**c * (1 - p) ** (n - c)
            wrong_sum, right_sum = weights[: n - c].sum(), weights[n - c :].sum()
            mean += chance * (right_sum * (np.eye(4)[right] - rates) + wrong_sum * (others - rates))
    cosine, scale = seen_along(mean / 3, exact_gradients)
    assert found_targets[name].cosine == pytest.approx(cosine, abs=1e-12)
    assert found_targets[name].scale == pytest.approx(scale, abs=1e-12)


def test_targets_refuse():
    with pytest.raises(ValueError, match="k must be from 1 to n = 8, got 9"):
        analysis.expected_directions(8, 9)
