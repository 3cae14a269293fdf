"""The variance lab's figures carry the numbers they were given, and their words say them."""

import math

import numpy as np
import pytest

from pkpo import ESTIMATORS, analysis
from pkpo.analysis import AnalysisSettings
from pkpo.analysis.enumeration import enumerate_outcomes, rho_variance, rho_variance_asymptote
from pkpo.analysis.monte_carlo import variance_margin
from pkpo.figures import variance_lab as figures
from pkpo.figures.style import estimator_colour


def named(drawn, name: str):
    """The one trace of that name."""
    (trace,) = [trace for trace in drawn.data if trace.name == name]
    return trace


# --- The winner map -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found_map():
    return analysis.compute_winner_map(AnalysisSettings(n=8, ways=1), "p")


def test_the_map_s_colours_are_the_clipped_log_ratio(found_map):
    heat, rest, *_ = figures.plot_winner_map(found_map).data
    want = np.clip(found_map.log_ratio, -3, 3)
    assert np.array_equal(np.array(heat.z), want, equal_nan=True)
    assert np.nanmin(found_map.log_ratio) < -3  # some are clipped
    assert (heat.zmin, heat.zmax) == (-3, 3)
    assert heat.colorscale[0][1] == estimator_colour("sloo_minus_one")  # low: loo-1's is smaller
    assert heat.colorscale[2][1] == estimator_colour("canonical")
    assert list(heat.x) == found_map.x.tolist()
    assert list(heat.y) == [str(k) for k in found_map.k]
    only = ~np.isnan(np.array(rest.z, float))
    assert np.array_equal(only, np.repeat(found_map.k == 8, found_map.x.size).reshape(8, -1))


def test_the_map_s_hover_holds_every_variance(found_map):
    hover = figures.plot_winner_map(found_map).data[0].customdata
    for row, k in enumerate(found_map.k.tolist()):
        for column, p in enumerate(found_map.x.tolist()):
            title, *lines = hover[row][column].split("<br>")
            assert title == f"k = {k}, p = {p:g}"
            here = {name: v[row, column] for name, v in found_map.variances.items()}
            here = {name: v for name, v in here.items() if not math.isnan(v)}
            least = min(here.values())
            want = {
                f"{ESTIMATORS[name].label}: {v:.4g} ({v / least:.2f}×)" for name, v in here.items()
            }
            assert set(lines) == want
            assert f"{least:.4g} (1.00×)" in lines[0]  # the winner first


def test_the_map_s_sentence_counts_cells(found_map):
    ratio = found_map.variances["sloo_minus_one"] / found_map.variances["canonical"]
    cells = ratio[1:-1].ravel()  # 1 < k < n: at k = 1 they are the same, at n only one is there
    text = figures.describe_map(found_map)
    assert f"loo-1 has less variance in {(cells < 1).mean():.0%} of the cells" in text
    assert f"canonical in {(cells > 1).mean():.0%}" in text
    assert f"(up to {1 / cells.min():.0f}×)" in text
    assert f"(up to {cells.max():.1f}×)" in text


def test_the_map_names_its_regions_where_they_are():
    found = analysis.compute_winner_map(AnalysisSettings(n=8, ways=2), "p")
    notes = figures.plot_winner_map(found).layout.annotations
    lead = found.log_ratio
    for note, sign, name in zip(notes, (-1, 1), ("loo-1", "canonical"), strict=True):
        column = found.x.tolist().index(note.x)
        assert sign * lead[note.y, column] > 0.25  # its own region
        most = 2 ** np.nanmax(sign * lead)
        assert note.text == f"<b>{name}</b><br>up to {most:.1f}× less"


def test_a_dot_where_the_hill_s_map_is_not_decided():
    found = analysis.compute_winner_map(AnalysisSettings(problem="hill", n=6), "dimension")
    found.decided[:] = True
    found.decided[2, 3] = found.decided[0, 1] = False  # the second: k = 1, where both are the same
    dots = figures.plot_winner_map(found).data[2]
    assert list(zip(dots.x, dots.y, strict=True)) == [(f"{found.x[3]:g}", "3")]


def test_advice_holds_the_rule_s_costs():
    found = analysis.explain_winner()
    text = figures.advice(found)
    for name, shown in figures.RULES.items():
        mean, worst = found.costs[name]
        assert f"| {shown} | {mean - 1:.0%} | {worst:.1f}× |" in text
    assert (
        f"below {analysis.RULE_THRESHOLD:g};" in text
        and f"{found.cells:,} right-or-wrong problems" in text
    )
    (bars,) = figures.plot_explanation(found).data
    for text, percent in zip(bars.y, bars.x, strict=True):
        (factor,) = [name for name, words in figures.FACTORS.items() if words == text]
        assert percent == 100 * found.shares[factor]
    assert set(figures.FACTORS) == set(found.shares)


def test_a_map_with_nothing_to_compare_says_so():
    for settings, axis in (
        (AnalysisSettings(n=2, k=1), "p"),  # canonical only at k = 1
        (AnalysisSettings(problem="hill", n=4, theta=2.0), "dimension"),  # no reward is ever seen
    ):
        found = analysis.compute_winner_map(settings, axis)
        assert "Nothing to compare" in figures.describe_map(found)
        hover = figures.plot_winner_map(found).data[0].customdata
        assert not any("nan" in text for row in hover for text in row)


# --- Curves ---------------------------------------------------------------------------------------


NAMES = ("s", "sloo_minus_one", "canonical", "grpo", "naive")


@pytest.fixture(scope="module")
def points():
    return analysis.moments_along(AnalysisSettings(n=6, k=2, ways=2), "k", NAMES)


@pytest.mark.parametrize("measure", ["variance", "mse", "signal_to_noise"])
def test_curves_carry_exact_lines_and_measured_points(points, measure):
    settings = AnalysisSettings(n=6, k=2, ways=2)
    drawn = figures.plot_curves(points, "k", measure)
    for name in NAMES:
        mine = [point for point in points if point.estimator == name]
        label = ESTIMATORS[name].label
        ks = [int(point.x) for point in mine]
        measured = [getattr(point.measured, measure) for point in mine]
        dots = named(drawn, label if name == "naive" else f"{label}, measured")
        assert list(dots.x) == ks
        assert list(dots.y) == [m.value for m in measured]
        (band,) = [t for t in drawn.data if t.fill == "toself" and t.legendgroup == name]
        assert list(band.y) == [m.high for m in measured] + [m.low for m in measured][::-1]
        assert list(band.x) == ks + ks[::-1]
        if name != "naive":  # it cannot be enumerated
            exact = named(drawn, label)
            assert exact.mode == "lines" and list(exact.x) == ks
            problem = settings.make()
            assert list(exact.y) == [
                getattr(enumerate_outcomes(problem, name, 6, k), measure) for k in ks
            ], name


def test_curves_of_the_bias_show_it_only_where_there_is_one(points):
    drawn = figures.plot_curves(points, "k", "bias")
    names = [trace.name for trace in drawn.data]
    problem = AnalysisSettings(n=6, k=2, ways=2).make()
    want = [enumerate_outcomes(problem, "grpo", 6, k).bias for k in range(1, 7)]
    assert list(named(drawn, "GRPO").y) == want
    assert ESTIMATORS["canonical"].label in names and (
        f"{ESTIMATORS['canonical'].label}, measured" not in names  # no exact line: nothing to draw
    )


def test_curves_of_the_ratio_compare_with_the_best_unbiased_one(points):
    drawn = figures.plot_curves(points, "k", "ratio")
    by = {(point.estimator, int(point.x)): point for point in points}
    for k in range(2, 6):
        unbiased = [by[name, k] for name in ("s", "sloo_minus_one", "canonical")]
        best = min(unbiased, key=lambda point: point.exact.variance)
        for name in ("s", "sloo_minus_one", "canonical", "grpo"):
            point, label = by[name, k], ESTIMATORS[name].label
            exact = named(drawn, label).y[k - 1]
            assert exact == point.exact.variance / best.exact.variance, (name, k)
            paired = variance_margin(point.measured, best.measured).value
            dot = named(drawn, f"{label}, measured").y[k - 1]
            want = 1 + paired / best.measured.variance.value
            assert dot == pytest.approx(want, rel=1e-12), (name, k)


def test_the_sentence_of_curves_names_the_best_over_its_stretches(points):
    text = figures.describe_curves(points, "k")
    best = []
    for k in range(1, 7):
        unbiased = [p for p in points if p.x == k and ESTIMATORS[p.estimator].unbiased and p.exact]
        best.append(min(unbiased, key=lambda p: p.exact.variance).estimator)
    assert best[1:] == ["canonical"] + ["sloo_minus_one"] * 4
    assert "Canonical (centred s) at 2; PKPO (loo-1) from 3 to 6." in text
    biased = [p for p in points if p.estimator == "grpo"]
    assert figures.describe_curves(biased, "k").startswith("None of these is unbiased")


@pytest.mark.parametrize("measure", figures.MEASURES)
def test_no_scatter_at_all_can_be_drawn(measure):
    points = analysis.moments_along(
        AnalysisSettings(problem="hill", theta=-1.0, n=4), "k", ["s", "canonical"]
    )
    assert all(point.measured.variance.value == 0 for point in points)
    drawn = figures.plot_curves(points, "k", measure)
    if measure == "ratio":
        assert all(math.isnan(y) for trace in drawn.data for y in trace.y)


# --- The dial -------------------------------------------------------------------------------------


def test_the_dial_s_sentence():
    found = analysis.dial_variance(AnalysisSettings(p=0.5, n=16, k=4))
    assert figures.describe_dial(found, 0.25) == (
        f"At α = 0.25 the variance is {found.variance(0.25):.4g}. "
        f"Least at α = {found.best:.2f}: {found.gain:.2f} times less than the better end."
    )
    text = figures.describe_dial(analysis.dial_variance(AnalysisSettings(k=1)), 0.25)
    assert text.endswith("α has no effect at this point.") and "nan" not in text


def test_the_dial_s_figure_has_the_parabola_its_ends_and_the_slider():
    found = analysis.dial_variance(AnalysisSettings(p=0.5, n=16, k=4))
    drawn = figures.plot_dial(found, 0.25)
    parabola = named(drawn, "mixture")
    assert list(parabola.y) == [found.variance(x) for x in parabola.x]
    assert min(parabola.x) < found.best < max(parabola.x)
    marks = {
        trace.name: (trace.x[0], trace.y[0]) for trace in drawn.data if trace.name != "mixture"
    }
    assert marks == {
        "PKPO (loo-1)": (0.0, found.at_zero),
        "Canonical (centred s)": (1.0, found.variance(1.0)),
        "least": (found.best, found.variance(found.best)),
        "the slider": (0.25, found.variance(0.25)),
    }
    flat = figures.plot_dial(analysis.dial_variance(AnalysisSettings(k=1)), 0.25)
    assert "least" not in {trace.name for trace in flat.data}


def test_the_best_dials_figure_holds_them():
    x, dials = analysis.dial_variance_along(AnalysisSettings(n=8, k=3), "p")
    drawn = figures.plot_best_dials(x, dials, "p")
    best = named(drawn, "best α")
    assert list(best.x) == x.tolist()
    assert list(best.y) == [d.best for d in dials]
    assert list(best.customdata) == [d.gain for d in dials]
    assert set(named(drawn, "PKPO (loo-1)").y) == {0}
    assert set(named(drawn, "Canonical (centred s)").y) == {1}


# --- Single estimates -----------------------------------------------------------------------------


def test_the_cloud_s_dots_are_the_estimates():
    found = analysis.sample_estimates(AnalysisSettings(), ("s", "grpo"))
    drawn = figures.plot_cloud(found)
    text = figures.describe_cloud(found)
    for row, (name, values) in enumerate(found.items()):
        dots, middle = [t for t in drawn.data if t.name == ESTIMATORS[name].label]
        assert list(dots.x) == values.tolist()
        assert np.abs(np.array(dots.y) - row).max() <= 0.3  # within its own row
        assert (middle.x[0], middle.y[0]) == (values.mean(), row)
        assert middle.error_x.array[0] == values.std(ddof=1)
        label = ESTIMATORS[name].label
        assert f"{label}: mean {values.mean():.2f}, s.d. {values.std(ddof=1):.2f}" in text
    assert list(drawn.layout.yaxis.ticktext) == [ESTIMATORS[name].label for name in found]
    assert {shape.x0 for shape in drawn.layout.shapes} == {0, 1}


# --- Budget, targets, value -----------------------------------------------------------------------


def test_the_budget_s_lines_and_best_splits():
    found = analysis.split_budget(AnalysisSettings(k=4), ["sloo_minus_one", "canonical"], 64)
    drawn = figures.plot_budget(found)
    best = {}
    for what, curves, suffix in (("alike", found.same, ""), ("differ", found.mixed, ", mixed")):
        for name, values in curves.items():
            trace = named(drawn, ESTIMATORS[name].label + suffix)
            assert list(trace.x) == found.n.tolist()
            assert np.array_equal(np.array(trace.y), values, equal_nan=True)
            assert trace.line.dash == ("dash" if suffix else "solid")
            for n, value in zip(found.n.tolist(), values.tolist(), strict=True):
                if not math.isnan(value) and value < best.get(what, (math.inf,))[0]:
                    best[what] = (value, n, ESTIMATORS[name].label)
    text = figures.describe_budget(found, 4)
    for value, n, label in best.values():
        assert f"{64 // n} × n = {n} ({label}, {value:.3g})" in text
    none = analysis.split_budget(AnalysisSettings(n=64, k=64), ["s"], 16)
    assert figures.describe_budget(none, 64) == "No split of 16 samples allows k = 64."


def test_the_targets_lines():
    found = analysis.expected_directions(8, 3)
    cosines, scales = figures.plot_cosines(found), figures.plot_scales(found)
    assert len(cosines.data) == len(scales.data) == len(analysis.TRAINED_ESTIMATORS)
    for target in found:
        name = figures.estimator_label(target.estimator)
        for drawn, values in ((cosines, target.cosine), (scales, target.scale)):
            assert list(named(drawn, name).x) == list(range(1, 9))
            assert list(named(drawn, name).y) == values.tolist()
    assert figures.estimator_label(analysis.CENTRED_AGAIN) == analysis.CENTRED_AGAIN
    assert "biased" in figures.objective_of(analysis.CENTRED_AGAIN)
    assert figures.objective_of("maxrl") == ESTIMATORS["maxrl"].optimises


def test_the_value_s_lines():
    drawn = figures.plot_value_variance(8, (1, 4))
    for row, k in enumerate((1, 4)):
        exact, limit = named(drawn, f"k = {k}, exact"), named(drawn, f"k = {k}, Corollary 3")
        p = np.array(exact.x)
        assert list(exact.y) == rho_variance(8, (1, 4), p)[row].tolist()
        assert list(limit.y) == rho_variance_asymptote(8, (1, 4), p)[row].tolist()
