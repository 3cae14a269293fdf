"""The variance lab in a real browser: what is drawn is what the engine says."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from app.variance_lab_views import RATES_BANDIT, RATES_ESTIMATORS
from pkpo import analysis
from pkpo.analysis import AnalysisSettings
from pkpo.comparisons import compare_bandits
from pkpo.comparisons.settings import parse_comparison
from tests.browser.browser import scrub

PLOTS = "[...document.querySelectorAll('.js-plotly-plot')]"
OF_TYPE = PLOTS + ".filter(p => p._fullData && p._fullData.length && p._fullData[0].type == '{}')"


def drawn(page, kind: str, count: int) -> list[list[dict]]:
    """The traces of every chart whose first trace is of that kind: name, x, y, z."""
    plots = OF_TYPE.format(kind)
    page.wait_for_function(f"{plots}.length == {count}")
    return page.evaluate(
        f"() => {plots}.map(p => p._fullData.map(t => "
        "({name: t.name, x: [...(t.x || [])], y: [...(t.y || [])], "
        "z: t.z ? [...t.z].map(r => [...r]) : null, text: t.customdata || null})))"
    )


def cells(z) -> list[float | None]:
    """A map's numbers row by row, None where there is none."""
    return [None if v is None or v != v else v for row in z for v in row]


@pytest.mark.slow
def test_the_two_maps_hold_the_engine_s_numbers(visit):
    page = visit("/variance-lab?n=8", ready=False)
    for traces, ways in zip(drawn(page, "heatmap", 2), (1, 50), strict=True):
        found = analysis.compute_winner_map(AnalysisSettings(n=8, ways=ways, k=1), "p")
        want = cells(found.log_ratio.clip(-3, 3).tolist())
        shown = cells(traces[0]["z"])
        assert [v is None for v in shown] == [v is None for v in want]
        assert [v for v in shown if v is not None] == pytest.approx(
            [v for v in want if v is not None], abs=1e-9
        )
        assert traces[0]["x"] == found.x.tolist()
        variance = found.variances["canonical"][3, 10]
        assert f"{variance:.4g}" in traces[0]["text"][3][10]
    (bars,) = drawn(page, "bar", 1)
    shares = analysis.explain_winner().shares
    assert bars[0]["x"][0] == pytest.approx(100 * shares["p, k and ways"])


def test_another_view_by_a_click_and_a_slider_by_keyboard(visit):
    page = visit("/variance-lab?n=8&k=2", ready=False)
    drawn(page, "heatmap", 2)
    page.get_by_role("radio", name="Mix of loo-1 and canonical").click()
    page.wait_for_url(re.compile(r"view=dial"))
    drawn(page, "scatter", 2)

    def least(k: int) -> analysis.DialVariance:
        found = analysis.dial_variance(AnalysisSettings(n=8, k=k))
        expect(page.get_by_text(f"Least at α = {found.best:.2f}")).to_be_visible()
        page.wait_for_function(
            OF_TYPE.format("scatter")
            + f"[0]._fullData.some(t => t.name == 'least' && Math.abs(t.x[0] - {found.best}) < 1e-9)"
        )
        return found

    least(2)
    page.get_by_role("slider", name="Attempts that count, k").press("ArrowRight")
    page.wait_for_url(re.compile(r"k=3"))
    found = least(3)
    parabola = next(t for t in drawn(page, "scatter", 2)[0] if t["name"] == "mixture")
    assert parabola["y"] == pytest.approx([found.variance(x) for x in parabola["x"]], abs=1e-12)


def test_prompts_move_along_the_curve_of_their_estimator(visit):
    page = visit("/variance-lab?view=rates&n=8&k=4")
    runs = parse_comparison(
        {"task": "bandit", "bandit": RATES_BANDIT, "n": 8, "schedule": "4"},
        f"estimator {' '.join(RATES_ESTIMATORS)}",
    )
    rates = compare_bandits(runs).pass_rates
    for run, update in ((0, 0), (0, 120), (2, 120)):
        page.locator(".pk-settings button").nth(run).click()
        scrub(page, update)
        drawn = page.locator(".pk-rate").evaluate_all(
            "n => n.map(d => [Number(d.dataset.rate), Number(d.dataset.weight)])"
        )
        want = rates[run][update]
        assert [rate for rate, _ in drawn] == pytest.approx(want.tolist(), abs=1e-6)
        weight = analysis.rate_weight(RATES_ESTIMATORS[run], want, 8, 4)
        # Between points of a table 0.005 apart, in a straight line.
        assert [w for _, w in drawn] == pytest.approx(weight.tolist(), abs=1e-3)
        counts = page.locator(".pk-rate-bar").evaluate_all("n => n.map(d => +d.dataset.count)")
        assert counts == np.histogram(np.float32(want), 20, (0, 1))[0].tolist()


@pytest.mark.slow
def test_fits_a_phone(visit):
    page = visit("/variance-lab?n=8", width=390, height=844, ready=False)
    drawn(page, "heatmap", 2)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
