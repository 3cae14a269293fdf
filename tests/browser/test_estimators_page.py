"""The estimators' page in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from pkpo import transform
from pkpo.analysis import group_weights

PLOTS = "[...document.querySelectorAll('.js-plotly-plot')].filter(p => p._fullData[0].type == "


def bars(page) -> dict[str, list[float]]:
    page.wait_for_function(PLOTS + "'bar').length == 1")
    return page.evaluate(
        "() => Object.fromEntries(" + PLOTS + "'bar')[0]._fullData.map(t => [t.name, [...t.y]]))"
    )


def test_shows_weights_matrix_and_subsets(visit):
    page = visit("/estimators", ready=False)
    rewards = [0.1, 0.9, 0.4, 0.4, 0.7, 0.0]
    drawn = bars(page)
    assert drawn["PKPO (loo-1)"] == pytest.approx(transform(rewards, 3).tolist())
    assert drawn["Canonical (centred s)"] == pytest.approx(
        transform(rewards, 3, "canonical").tolist()
    )
    page.wait_for_function(PLOTS + "'heatmap').length == 1")
    heat = page.evaluate("() => " + PLOTS + "'heatmap')[0]._fullData[0].z.map(r => [...r])")
    want = group_weights.weight_matrix("sloo_minus_one", 6, 3)
    assert [v for row in heat for v in row] == pytest.approx(want.ravel().tolist())
    weight = transform(rewards, 3)[1]
    expect(page.get_by_text(f"what it adds to the best is {weight:.4f}")).to_be_visible()
    expect(page.get_by_text("unbiased for max@k").first).to_be_visible()


def test_typed_rewards_go_to_the_url_and_back(visit):
    page = visit("/estimators", ready=False)
    bars(page)
    box = page.get_by_label("Rewards of one group", exact=True)
    box.fill("0, 0, 1, 0")
    box.press("Enter")
    page.wait_for_url(re.compile(r"rewards="))
    expect(page.get_by_text("r3 is in 3 of the 4 subsets of size 3")).to_be_visible()
    again = visit(page.url.removeprefix(page.evaluate("location.origin")), ready=False)
    assert bars(again)["PKPO (loo-1)"] == pytest.approx(transform([0, 0, 1, 0], 3).tolist())


def test_a_reward_can_be_dragged(visit):
    page = visit("/estimators?rewards=0+0.5+1+0.2&k=2", ready=False)
    before = bars(page)["PKPO (loo-1)"]
    assert before == pytest.approx(transform([0, 0.5, 1, 0.2], 2).tolist())
    slider = page.get_by_label("Reward r1", exact=True)
    box = slider.bounding_box()
    assert box["height"] > 3 * box["width"]  # upright
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 8)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    page.wait_for_url(re.compile(r"rewards=0\.[456]\d*\+0\.5\+1\+0\.2"))
    box = page.get_by_label("Rewards of one group", exact=True)
    expect(box).to_have_value(re.compile(r"^0\.[456]\d* 0\.5 1 0\.2$"))
    moved = [float(x) for x in box.input_value().split()]
    want = transform(moved, 2).tolist()
    page.wait_for_function(
        "w => Math.abs("
        + PLOTS
        + "'bar')[0]._fullData.find(t => t.name == 'PKPO (loo-1)').y[0] - w) < 1e-9",
        arg=want[0],
    )
    assert bars(page)["PKPO (loo-1)"] == pytest.approx(want)


def test_nonsense_is_explained(visit):
    page = visit("/estimators?rewards=x&k=99&show=foo", ready=False)
    expect(page.get_by_text("numbers within a million, got 'x'")).to_be_visible()
    expect(
        page.get_by_text("k must be from 1 to 6, got 99; the picture is of k = 3")
    ).to_be_visible()
    expect(page.get_by_text("choose at least one estimator that is registered")).to_be_visible()
    assert len(bars(page)) == 4
    box = page.get_by_label("Rewards of one group", exact=True)
    box.fill("1 2")
    box.press("Enter")
    expect(
        page.get_by_text("k must be from 1 to 2, got 99; the picture is of k = 2")
    ).to_be_visible()


def test_fits_a_phone(visit):
    page = visit("/estimators", width=390, height=844, ready=False)
    bars(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
