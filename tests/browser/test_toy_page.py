"""The toy page in a real browser: what is drawn is what the engine computed."""

from __future__ import annotations

import json
import re
import shlex

import pytest
from playwright.sync_api import expect

from app.presets import HILL_PRESETS
from pkpo.__main__ import main
from pkpo.comparisons.settings import parse_comparison
from pkpo.training.recording import record_run
from tests.browser.browser import cards, scrub, settled

FIGURE_1 = parse_comparison({}, "schedule 1 2 4 8")


def drawn(page) -> dict:
    """What the stage shows at the play head."""
    return page.evaluate(
        """() => {
          const root = document.querySelector('.pk-player');
          const plot = root.querySelector('[data-chart=stage] .pk-plot');
          const { xaxis, yaxis } = plot._fullLayout;
          const dots = [...root.querySelectorAll('.pk-stand')];
          return {
            frame: Number(root.dataset.frame),
            phase: root.dataset.phase,
            theta: dots.map(d => Number(d.dataset.theta)),
            x: dots.map(d => xaxis.p2l(Number(d.getAttribute('cx')) - xaxis._offset)),
            y: dots.map(d => yaxis.p2l(Number(d.getAttribute('cy')) - yaxis._offset)),
            samples: [...root.querySelectorAll('.pk-sample')].map(c => ({
              x: xaxis.p2l(Number(c.getAttribute('cx')) - xaxis._offset),
              y: yaxis.p2l(Number(c.getAttribute('cy')) - yaxis._offset),
              r: Number(c.getAttribute('r')), fill: c.getAttribute('fill') })),
          };
        }"""
    )


def test_opens_on_a_finished_picture_and_scrubs_steps_and_plays(visit):
    page = visit("/toy-problem")
    seen = drawn(page)
    runs = [record_run(config) for config in FIGURE_1]
    assert seen["frame"] == 300
    for k, theta, x, y, run in zip(
        (1, 2, 4, 8), seen["theta"], seen["x"], seen["y"], runs, strict=True
    ):
        assert theta == pytest.approx(run["theta"][-1], abs=1e-6), k
        assert x == pytest.approx(run["theta"][-1], abs=1e-3), k
        assert y == pytest.approx(run["value"][-1], abs=1e-3), k
    for text, run in zip(cards(page), runs, strict=True):
        assert f"θ {run['theta'][-1]:.3f}" in text
        assert f"max@8 {run['max@8'][-1]:.3f}" in text
        assert f"max@1 {run['max@1'][-1]:.3f}" in text
    assert "k = 8 stands at θ = 0.97" in page.inner_text("main, .stMain").replace("\u00a0", " ")
    alts = page.locator(".pk-plot[role=figure]").evaluate_all("n => n.map(x => x.ariaLabel)")
    assert "0.969 for k = 8" in alts[0]
    run = runs[3]
    for update in (0, 57, 123):
        scrub(page, update)
        seen = drawn(page)
        assert seen["frame"] == update
        assert seen["theta"][3] == pytest.approx(run["theta"][update], abs=1e-6)
        assert seen["x"][3] == pytest.approx(run["theta"][update], abs=1e-3)
        for circle, x, reward in zip(
            seen["samples"], run.samples[update], run.rewards[update], strict=True
        ):
            assert circle["x"] == pytest.approx(x, abs=1e-3)
            assert circle["y"] == pytest.approx(reward, abs=2e-3)
        heaviest = run.weights[update].argmax()
        assert max(range(16), key=lambda i: seen["samples"][i]["r"]) == heaviest
    page.click("[data-do=step]")
    assert drawn(page)["frame"] == 124
    page.click("[data-do=back]")
    page.click("[data-do=back]")
    assert drawn(page)["frame"] == 122
    page.keyboard.press("ArrowRight")
    assert drawn(page)["frame"] == 123
    page.click("[data-do=rewind]")
    assert drawn(page)["frame"] == 0
    page.click("[data-do=play]")
    page.wait_for_function("document.querySelector('.pk-player').dataset.frame > 20")
    page.click("[data-do=play]")
    paused = drawn(page)["frame"]
    page.wait_for_timeout(300)
    assert drawn(page)["frame"] == paused < 300
    assert drawn(page)["theta"][3] == pytest.approx(run["theta"][paused], abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("off", ["- 1e-12", "+ 1e-12"])
def test_a_step_moves_on_from_where_playing_stopped(visit, off):
    page = visit("/toy-problem")
    # Sums of fractions of a second end a rounding error beside a whole update.
    page.evaluate(f"document.querySelector('.pk-player').player.move(124 {off})")
    assert drawn(page)["frame"] == 124
    page.click("[data-do=step]")
    assert drawn(page)["frame"] == 125
    page.evaluate(f"document.querySelector('.pk-player').player.move(124 {off})")
    page.click("[data-do=back]")
    assert drawn(page)["frame"] == 123


@pytest.mark.slow
def test_play_ends_at_the_end_and_starts_over(visit):
    page = visit("/toy-problem?steps=60")
    assert drawn(page)["frame"] == 60
    page.select_option(".pk-speed select", "5")
    page.click("[data-do=play]")
    page.wait_for_function("document.querySelector('.pk-player').dataset.frame < 60")
    page.wait_for_function("document.querySelector('.pk-player').dataset.frame == 60")
    expect(page.locator("[data-do=play]")).to_have_attribute("aria-label", "Play")


def test_explains_a_step(visit):
    page = visit("/toy-problem?compare=off&schedule=4&n=8")
    run = record_run(parse_comparison({"schedule": "4", "n": 8}, "")[0])
    scrub(page, 100)
    page.click("[data-do=explain]")
    assert drawn(page)["phase"] == "0"
    assert all(abs(c["y"]) < 1e-3 for c in drawn(page)["samples"])
    says = page.locator(".pk-say")
    expect(says).to_contain_text("n = 8")
    page.click("[data-do=step]")
    seen = drawn(page)
    assert seen["phase"] == "1"
    assert [c["y"] for c in seen["samples"]] == pytest.approx(run.rewards[100], abs=2e-3)
    expect(says).to_contain_text(f"{run.rewards[100].max():.3f}")
    page.click("[data-do=step]")
    assert drawn(page)["phase"] == "2"
    expect(says).to_contain_text(f"{(run.weights[100] != 0).sum()} of 8 samples carry weight")
    assert page.locator(".pk-formula math").count() == 1
    page.click("[data-do=step]")
    assert drawn(page)["phase"] == "3"
    expect(says).to_contain_text(f"{run['gradient'][100]:.3f}")
    expect(says).to_contain_text(f"{run['theta'][101]:.3f}")
    page.click("[data-do=step]")
    assert (drawn(page)["frame"], drawn(page)["phase"]) == (101, "0")
    page.click("[data-do=back]")
    assert (drawn(page)["frame"], drawn(page)["phase"]) == (100, "3")
    page.get_by_role("button", name="2 Score").click()
    assert (drawn(page)["frame"], drawn(page)["phase"]) == (100, "1")
    page.click("[data-do=play]")  # goes on by itself, phase by phase
    page.wait_for_function("document.querySelector('.pk-player').dataset.phase == '2'")
    page.click("[data-do=play]")


@pytest.mark.slow
def test_a_card_brings_its_run_into_focus(visit):
    page = visit("/toy-problem")
    page.locator(".pk-settings button").first.click()
    run = record_run(FIGURE_1[0])
    seen = drawn(page)
    assert [c["x"] for c in seen["samples"]] == pytest.approx(run.samples[-1], abs=1e-3)
    away = page.evaluate("getComputedStyle(document.querySelector('.pk-away')).backgroundColor")
    assert away == "rgb(153, 112, 171)"
    fills = {c["fill"] for c, w in zip(seen["samples"], run.weights[-1], strict=True) if w < 0}
    assert fills == {"#9970ab"}
    shown = page.evaluate(
        """() => document.querySelector('[data-chart=gradient] .pk-plot').data
          .filter(t => t.visible).map(t => t.meta.setting)"""
    )
    assert set(shown) == {0}


def test_a_changed_control_keeps_the_charts_and_goes_to_the_url(visit):
    page = visit("/toy-problem")
    page.evaluate("window.kept = document.querySelector('[data-chart=stage] .pk-plot')")
    box = page.get_by_label("Samples per group, n", exact=True)

    def change():
        box.fill("24")
        box.press("Enter")

    settled(page, change)
    runs = [record_run(config) for config in parse_comparison({"n": 24}, "schedule 1 2 4 8")]
    assert drawn(page)["theta"] == pytest.approx([r["theta"][-1] for r in runs], abs=1e-6)
    assert page.evaluate("window.kept === document.querySelector('[data-chart=stage] .pk-plot')")
    page.wait_for_url(re.compile(r"\?n=24$"))

    settled(page, lambda: page.get_by_text("Stuck at pass@1", exact=True).click())
    page.wait_for_url(re.compile("two-peaks"))
    again = visit(page.url.removeprefix(page.evaluate("location.origin")))
    assert drawn(again)["theta"] == pytest.approx(drawn(page)["theta"], abs=1e-6)
    expect(again.get_by_label("Samples per group, n", exact=True)).to_have_value("32")

    settled(page, page.go_back)
    expect(box).to_have_value("24")
    assert drawn(page)["theta"] == pytest.approx([r["theta"][-1] for r in runs], abs=1e-6)


@pytest.mark.slow
def test_every_setting_is_read_from_the_url(visit):
    page = visit(
        "/toy-problem?n=12&schedule=linear:6->1@80&estimator=canonical&steps=100&learning_rate=0.01"
        "&optimizer=adam&seed=7&theta=0.4&sigma=0.2&learn_sigma=true&shape=points:0,0;0.5,1;1,0"
        "&compare=off"
    )
    config = parse_comparison(
        dict(
            n=12,
            schedule="linear:6->1@80",
            estimator="canonical",
            steps=100,
            learning_rate=0.01,
            optimizer="adam",
            seed=7,
            theta=0.4,
            sigma=0.2,
            learn_sigma=True,
            shape="points:0,0;0.5,1;1,0",
        ),
        "",
    )[0]
    run = record_run(config)
    assert drawn(page)["theta"] == pytest.approx([run["theta"][-1]], abs=1e-6)
    expect(page.get_by_label("Samples per group, n", exact=True)).to_have_value("12")
    expect(page.get_by_label("Start θ", exact=True)).to_have_value("0.4")
    expect(page.get_by_label("Schedule", exact=True)).to_have_value("linear:6->1@80")
    expect(page.get_by_label("Random seed", exact=True)).to_have_value("7")
    expect(page.get_by_label("Learning rate", exact=True)).to_have_value("0.01")
    assert page.get_by_text("cannot").count() == 0


def test_a_bad_url_opens_the_defaults_and_says_why(visit):
    page = visit(
        "/toy-problem?n=lots&schedule=8@5&banana=1&compare=colour+red&seed=-1"
        "&estimator=<img src=x onerror=alert(1)>&shape=**bold**[x](http://x)"
    )
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("n must be a whole number, got 'lots'")
    expect(notice).to_contain_text("schedule must start at update 0, got '8@5'")
    expect(notice).to_contain_text("'banana' is not a setting of this page")
    expect(notice).to_contain_text("compare: cannot compare by 'colour'")
    expect(notice).to_contain_text("seed must be from 0 to")
    # Markup is shown as text.
    expect(notice).to_contain_text("<img src=x onerror=alert(1)>")
    expect(notice).to_contain_text("**bold**[x](http://x)")
    runs = [record_run(config) for config in FIGURE_1]
    assert drawn(page)["theta"] == pytest.approx([r["theta"][-1] for r in runs], abs=1e-6)


def test_an_impossible_setting_is_explained_and_nothing_is_lost(visit):
    page = visit("/toy-problem?n=32")
    before = drawn(page)["theta"]
    box = page.get_by_label("Samples per group, n", exact=True)
    box.fill("4")
    box.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="k = 8 is more than n = 4")).to_be_visible()
    assert drawn(page)["theta"] == before
    assert page.url.endswith("?n=32")
    expect(box).to_have_value("4")
    box.fill("8")
    box.press("Enter")
    expect(page.get_by_text("is more than n")).to_have_count(0)
    page.wait_for_url(re.compile(r"\?n=8$"))


@pytest.mark.slow
@pytest.mark.parametrize("preset", HILL_PRESETS, ids=lambda p: p.name)
def test_presets_show_what_they_say(visit, preset):
    page = visit("/toy-problem")
    if preset is not HILL_PRESETS[0]:
        settled(page, lambda: page.get_by_text(preset.name, exact=True).click())
    runs = [record_run(config) for config in parse_comparison(preset.changes, preset.compare)]
    assert drawn(page)["theta"] == pytest.approx([r["theta"][-1] for r in runs], abs=1e-6)
    expect(page.get_by_text(preset.message[:40])).to_be_visible()


def test_the_command_prints_the_numbers_on_the_page(visit, capsys):
    page = visit("/toy-problem?theta=-0.1&steps=120&compare=schedule+1+linear:8->1@100&n=10")
    page.get_by_role("button", name="Copy as command").click()
    command = page.locator("code").filter(has_text="python -m pkpo").inner_text()
    program, *arguments = shlex.split(command)
    assert (program, arguments[:2]) == ("python", ["-m", "pkpo"])
    assert main([*arguments[2:], "--json"]) == 0
    reports = json.loads(capsys.readouterr().out)
    for report, card, theta in zip(reports, cards(page), drawn(page)["theta"], strict=True):
        assert report["metrics"]["theta"] == pytest.approx(theta, abs=1e-6)
        assert f"θ {report['metrics']['theta']:.3f}" in card
        assert f"max@1 {report['metrics']['max@1']:.3f}" in card


@pytest.mark.slow
def test_a_zoom_survives_playing(visit):
    page = visit("/toy-problem")
    page.evaluate(
        "Plotly.relayout(document.querySelector('[data-chart=stage] .pk-plot'),"
        " {'xaxis.range': [0.5, 1]})"
    )
    scrub(page, 200)
    page.click("[data-do=step]")
    ranges = page.evaluate(
        "document.querySelector('[data-chart=stage] .pk-plot')._fullLayout.xaxis.range"
    )
    assert ranges == [0.5, 1]
    run = record_run(FIGURE_1[3])
    assert drawn(page)["x"][3] == pytest.approx(run["theta"][201], abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/toy-problem"])
def test_fits_a_phone(visit, path, dark):
    page = visit(path, width=390, height=844, dark=dark)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    inside = page.evaluate(
        """() => [...document.querySelectorAll('.pk-player *')].filter(node => {
          const box = node.getBoundingClientRect();
          return box.width > 0 && !node.closest('svg, math') && box.right > 391;
        }).map(node => node.className || node.tagName)"""
    )
    assert inside == []
    page.wait_for_function(  # the page's own styles may come after the picture
        """dark => {
          const text = document.querySelector('.pk-plot .xtick text');
          const ink = getComputedStyle(text).fill.match(/[0-9]+/g).map(Number);
          return dark ? Math.min(...ink) > 150 : Math.max(...ink) < 100;
        }""",
        arg=dark,
    )


def test_start_leads_to_the_toy_problem(visit):
    page = visit("/")
    expect(page.get_by_role("heading", name="PKPO Lab")).to_be_visible()
    seen = drawn(page)
    runs = [record_run(config) for config in parse_comparison({}, "schedule 1 8")]
    assert seen["theta"] == pytest.approx([r["theta"][-1] for r in runs], abs=1e-6)
    page.get_by_role("link", name="Try it: the toy problem").click()
    page.wait_for_url(re.compile("/toy-problem$"))
    expect(page.get_by_text("Paper, Figure 1")).to_be_visible()


@pytest.mark.slow
def test_settings_survive_a_visit_to_another_page(visit):
    page = visit("/toy-problem?n=24&seed=3")
    theta = drawn(page)["theta"]
    page.get_by_role("link", name="Start").first.click()
    expect(page.get_by_role("heading", name="PKPO Lab")).to_be_visible()
    page.get_by_role("link", name="Toy problem", exact=True).first.click()
    expect(page.get_by_label("Samples per group, n", exact=True)).to_have_value("24")
    page.wait_for_selector(".pk-player[data-ready]")
    assert drawn(page)["theta"] == theta


@pytest.mark.slow
def test_two_tabs_do_not_mix(visit):
    one = visit("/toy-problem?seed=1")
    other = visit("/toy-problem?seed=2")
    settled(other, lambda: other.get_by_text("Variance hurts", exact=True).click())
    one.reload()
    one.wait_for_selector(".pk-player[data-ready]")
    runs = [record_run(config) for config in parse_comparison({"seed": 1}, "schedule 1 2 4 8")]
    assert drawn(one)["theta"] == pytest.approx([r["theta"][-1] for r in runs], abs=1e-6)


@pytest.mark.slow
def test_charts_follow_the_width_that_they_have(visit):
    page = visit("/toy-problem")

    def widths():
        return page.evaluate(
            """() => [...document.querySelectorAll('.pk-plot')].map(plot =>
              [plot.clientWidth, plot._fullLayout.width])"""
        )

    run = record_run(FIGURE_1[3])
    # A change of the box that is no change of the window, as when the sidebar comes late.
    for style in ("max-width: 620px", ""):
        page.evaluate("s => document.querySelector('.pk-player').style.cssText = s", style)
        page.wait_for_function(
            """() => [...document.querySelectorAll('.pk-plot')].every(plot =>
              Math.abs(plot.clientWidth - plot._fullLayout.width) <= 1)"""
        )
        assert all(abs(a - b) <= 1 for a, b in widths())
        assert drawn(page)["x"][3] == pytest.approx(run["theta"][-1], abs=1e-3)


@pytest.mark.slow
def test_nothing_offers_to_upload(visit):
    page = visit("/toy-problem")
    page.hover("[data-chart=stage] .pk-plot")
    buttons = page.locator(".modebar-btn").evaluate_all("n => n.map(x => x.dataset.title || '')")
    assert buttons and not [b for b in buttons if "loud" in b or "hare" in b]


@pytest.mark.slow
def test_comparisons_change_at_the_first_choice(visit):
    page = visit("/toy-problem?n=24")
    for label, colour_count in (("Estimators", 4), ("Learning rates", 3), ("One run", 1)):

        def choose(label=label):
            page.get_by_label("Compare", exact=True).click()
            page.get_by_role("option", name=label, exact=True).click()

        settled(page, choose)
        expect(page.locator(".pk-settings button")).to_have_count(colour_count)
    expect(page.get_by_label("Samples per group, n", exact=True)).to_have_value("24")
    page.wait_for_url(re.compile(r"n=24.*compare=off"))
