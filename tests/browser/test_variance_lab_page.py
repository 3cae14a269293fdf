"""The variance lab in a real browser: what is drawn is what the engine says."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from pkpo import analysis
from pkpo.analysis import AnalysisSettings

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


def test_fits_a_phone(visit):
    page = visit("/variance-lab?n=8", width=390, height=844, ready=False)
    drawn(page, "heatmap", 2)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
