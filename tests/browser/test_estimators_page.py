"""The estimators' page in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from pkpo import rho, transform
from pkpo.analysis import group_weights
from pkpo.analysis.trainer_clinic import FAULTS

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


@pytest.mark.slow
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


def test_weights_follow_a_dragged_reward_at_once(visit):
    page = visit("/estimators?rewards=0+0.5+1+0.2&k=2&show=sloo_minus_one+canonical", ready=False)
    before = bars(page)["PKPO (loo-1)"]
    assert before == pytest.approx(transform([0, 0.5, 1, 0.2], 2).tolist())
    slider = page.get_by_label("Reward r1", exact=True)
    box = slider.bounding_box()
    assert box["height"] > 3 * box["width"]  # upright
    x = box["x"] + box["width"] / 2
    address = page.url
    page.mouse.move(x, box["y"] + box["height"] - 8)
    page.mouse.down()
    seen = []
    for share in (0.7, 0.5, 0.3):
        page.mouse.move(x, box["y"] + share * box["height"])
        reward = float(page.locator(".pk-drag strong").first.inner_text())
        group = [reward, 0.5, 1, 0.2]
        want, centred = transform(group, 2), transform(group, 2, "canonical")
        page.wait_for_function(
            "w => Math.abs(" + PLOTS + "'bar')[0]._fullData[0].y[0] - w) < 1e-9",
            arg=want[0],
        )
        drawn = bars(page)
        assert drawn["PKPO (loo-1)"] == pytest.approx(want.tolist(), abs=1e-12)
        assert drawn["Canonical (centred s)"] == pytest.approx(centred.tolist(), abs=1e-12)
        expect(page.locator(".pk-rho")).to_contain_text(f"{rho(group, 2):.4f}")
        seen.append(reward)
    assert seen == sorted(set(seen)) and page.url == address  # nothing is taken yet
    page.mouse.up()
    page.wait_for_url(re.compile(rf"rewards={re.escape(f'{seen[-1]:g}')}\+0\.5\+1\+0\.2"))
    box = page.get_by_label("Rewards of one group", exact=True)
    expect(box).to_have_value(f"{seen[-1]:g} 0.5 1 0.2")
    slider.press("ArrowUp")  # by keyboard, too
    page.wait_for_url(re.compile(rf"rewards={re.escape(f'{seen[-1] + 0.01:g}')}\+"))


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


@pytest.mark.slow
def test_fits_a_phone(visit):
    page = visit("/estimators", width=390, height=844, ready=False)
    bars(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_clinic_shows_a_published_fault_and_its_cure(visit):
    page = visit("/estimators", ready=False)
    page.get_by_text("Trainer clinic", exact=True).click()
    expect(page.get_by_text("Biased: its cosine with")).to_be_visible()
    page.get_by_text("All zero at k = n", exact=True).click()
    expect(page.get_by_text("It trains nothing")).to_be_visible()
    page.wait_for_function(PLOTS + "'bar').length == 1")
    page.wait_for_function("() => " + PLOTS + "'bar')[0]._fullData[1].y.length == 8")
    drawn = bars(page)
    assert drawn["this trainer"] == pytest.approx([0] * 8, abs=1e-15)
    fault = FAULTS["all-zero"]
    assert drawn["unbiased for max@k"] == pytest.approx(transform(fault.rewards, 8).tolist())
    expect(page.get_by_text("register_rllm_adv_estimator").first).to_be_visible()
