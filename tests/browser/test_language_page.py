"""The language model's page in a real browser: what is drawn is what the runs hold."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from playwright.sync_api import expect

from pkpo.comparisons import word_problems as study
from pkpo.estimators import transform
from pkpo.lm.experiments import METHODS, recorded_runs
from pkpo.lm.model_files import save_model
from pkpo.lm.warm_start import untrained_model
from pkpo.runs import Store
from tests.browser.browser import at_rest
from tests.language_runs import SMALL, keep, record

PLOT = "[...document.querySelectorAll('.stPlotlyChart .js-plotly-plot')]"
CURVES = f"""() => Object.fromEntries({PLOT}.flatMap(plot => plot._fullData)
  .filter(t => t.fill === 'none').map(t => [t.name, {{x: [...t.x], y: [...t.y]}}]))"""
HELD = """column => Object.fromEntries([...document.querySelector('.lc').charts.series.values()].map(
  one => [one.label, [...one.curves[column].y]]))"""
WEIGHTS = "[...document.querySelectorAll('.pk-weight')].map(w => +w.title.split(' ')[1])"


@pytest.fixture
def store(app_address, app_data):
    """The app's own store; what a test brings is taken away again."""
    found = Store(app_data)
    before = {run.id for run in found.runs()}
    yield found
    for run in found.runs():
        if run.id not in before and run.status != "running":
            found.delete(run.id)
    found.close()


@pytest.fixture
def runs(store) -> str:
    """Two methods with two seeds each, as an address."""
    configs = [
        METHODS[method].config(dataclasses.replace(SMALL, seed=seed))
        for method in ("k1", "k8")
        for seed in (0, 1)
    ]
    return "experiment=own&runs=" + "+".join(keep(store, config) for config in configs)


def records(method: str):
    return [record(METHODS[method].config(dataclasses.replace(SMALL, seed=s))) for s in (0, 1)]


def test_the_curves_are_those_of_the_runs(visit, runs):
    page = visit(f"/language-model?{runs}", ready=False)
    page.wait_for_function(f"{PLOT}.length == 1 && {PLOT}[0]._fullData")
    page.wait_for_function("document.querySelector('.lc')?.dataset.updates > 0")
    drawn, held = page.evaluate(CURVES), page.evaluate(HELD, "pass@8")
    for method, label in (("k1", "k = 1"), ("k8", "k = 8")):
        found = study.pass_at_k_at(records(method), study.HELD_OUT_PASS, -1)
        assert drawn[label]["x"] == list(found)
        assert drawn[label]["y"] == pytest.approx([s.mean for s in found.values()], abs=1e-9)
        mean = np.mean([r["pass@8"] for r in records(method)], axis=0)
        assert held[label] == pytest.approx(mean.tolist(), abs=1e-6)
        share = f"{100 * found[16].mean:.1f}%"
        expect(page.get_by_role("heading", level=2)).to_contain_text(share)


def test_a_group_is_weighed_anew_by_keyboard(visit, runs):
    page = visit(f"/language-model?view=group&method=1&update=4&prompt=2&{runs}", ready=False)
    samples = records("k8")[0].details[4]["groups"][1]["samples"]
    rewards = np.array([sample["reward"] for sample in samples])
    for k in (8, 7):
        want = sorted(transform(rewards, k, SMALL.estimator), reverse=True)
        page.wait_for_function(f"{WEIGHTS}.length == {len(want)}")
        page.wait_for_function(f"Math.abs({WEIGHTS}[0] - {want[0]}) < 1e-6")
        assert page.evaluate(WEIGHTS) == pytest.approx(want, abs=1e-6)
        page.get_by_role("slider", name="and k").press("ArrowLeft")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440


def test_training_is_seen_live_and_found_again(visit, store, tmp_path):
    save_model(untrained_model(0, width=16, layers=1, heads=2, hidden=16), tmp_path)
    form = f"model={tmp_path}&train=k1&steps=3&prompts=1&n=2&held_out=2"
    page = visit(f"/language-model?view=train&{form}", width=390, height=844, ready=False)
    page.get_by_role("button", name="Train 1 run").click()
    page.wait_for_url("**runs=**")
    over = """() => [...(document.querySelector('.lc')?.charts?.series?.values() ?? [])]
      .filter(one => one.last == 3).length == 1"""
    finished = page.get_by_role("link", name="seed 0: finished")
    page.wait_for_function(over, timeout=120_000)  # a worker first has to import torch
    expect(finished).to_have_count(1)
    page.reload()
    page.wait_for_function(over)
    expect(finished).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_was_measured_on_the_way_has_a_marker_for_each(visit):
    page = visit("/language-model?experiment=hard&methods=k8", ready=False)
    plot = "document.querySelector('figure[data-column=\"held_out_pass@16\"] .lc-plot')"
    page.wait_for_function(f"{plot}?.data?.length")
    line = page.evaluate(f"{plot}.data.at(-1)")
    (first, *_) = recorded_runs("hard", "k8")
    assert line["mode"] == "lines+markers"
    assert line["x"] == study.updates_with(first, "held_out")


@pytest.mark.parametrize("width", [pytest.param(1440, marks=pytest.mark.slow), 390])
def test_a_problem_is_built_by_keyboard_and_its_tries_are_drawn(visit, width):
    page = visit("/language-model?view=playground", width=width, height=900, ready=False)
    page.locator(".pk-fan").nth(1).wait_for()
    kind = page.get_by_role("combobox", name="Kind of problem")
    kind.focus()
    kind.fill("… had … … and gave")
    page.keyboard.press("Enter")
    expect(page.get_by_text("have left?", exact=True)).to_be_visible()
    at_rest(page)
    for fan in page.locator(".pk-fan").all():
        ends = [
            int(text.split()[1].rstrip("×")) for text in fan.locator(".pk-end").all_inner_texts()
        ]
        assert sum(ends) == 16
    page.get_by_role("button", name="Deal", exact=True).click()
    expect(page.locator(".pk-deal")).to_have_count(3)
    for row in page.locator(".pk-deal").all():
        expect(row.locator(".pk-dealt")).to_have_count(4)
        expect(row).to_contain_text("of 1 deals")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
