"""The bandit's page in a real browser: what is drawn is what the engine computed."""

from __future__ import annotations

import json
import re
import shlex

import numpy as np
import pytest
from playwright.sync_api import expect

from app.presets import BANDIT_PRESETS
from pkpo import figures
from pkpo.__main__ import main
from pkpo.comparisons import BEST_OF, compare_bandits
from pkpo.comparisons.settings import parse_comparison
from tests.browser.browser import cards, scrub, settled

ANNEALING = compare_bandits(BANDIT_PRESETS[0].runs("bandit"))
APART = "bandit=arms:0,0.5,-1;1,0,2@1,2,1&sharing=0.3&steps=40&compare=schedule+1+3"


def drawn(page) -> dict:
    """What the stage and the best-of-k curves show, read off with their own axes."""
    return page.evaluate(
        """() => {
          const root = document.querySelector('.pk-player');
          const axes = name => root.querySelector(`[data-chart=${name}] .pk-plot`)._fullLayout;
          const { xaxis, yaxis } = axes('stage');
          const at = (n, name) => Number(n.getAttribute(name));
          const value = y => yaxis.p2d(y - yaxis._offset);
          const shown = n => n.getAttribute('visibility') !== 'hidden';
          const which = n => ({ arm: Number(n.dataset.arm), prompt: Number(n.dataset.prompt) });
          const best = axes('best');
          return {
            frame: Number(root.dataset.frame),
            phase: root.dataset.phase,
            bars: [...root.querySelectorAll('.pk-arm')].map(n => ({ ...which(n),
              x: xaxis.p2d(at(n, 'x') - xaxis._offset), top: value(at(n, 'y')),
              foot: value(at(n, 'y') + at(n, 'height')),
              fill: n.getAttribute('fill'), stroke: n.getAttribute('stroke') })),
            ticks: [...root.querySelectorAll('.pk-tick')].filter(shown).map(n => ({ ...which(n),
              y: value(at(n, 'y1')), stroke: n.getAttribute('stroke') })),
            samples: [...root.querySelectorAll('.pk-sample')].map(n => ({
              arm: Number(n.dataset.arm), weight: Number(n.dataset.weight),
              x: xaxis.p2d(at(n, 'cx') - xaxis._offset), y: value(at(n, 'cy')),
              fill: n.getAttribute('fill') })),
            curves: [...root.querySelectorAll('.pk-curve')].map(n =>
              n.getAttribute('d').slice(1).split('L').map(point => {
                const [x, y] = point.split(',').map(Number);
                return [best.xaxis.p2d(x - best.xaxis._offset), best.yaxis.p2d(y - best.yaxis._offset)];
              })),
            heads: Object.fromEntries(['value', 'entropy', 'groups'].map(name => [name,
              [...root.querySelectorAll(`[data-chart=${name}] .pk-ring`)].map(n =>
                axes(name).yaxis.p2d(at(n, 'cy') - axes(name).yaxis._offset))])),
          };
        }"""
    )


def check(page, study, update: int, focus: int) -> dict:
    """Every mark against the engine's numbers at this update; half a pixel is allowed."""
    seen, layout = drawn(page), figures.bandit.lanes(study)
    styles = figures.run_styles([r.config for r in study.recordings])
    assert seen["frame"] == update
    base = {group[0]: b for group, b in zip(layout.prompts, layout.bases, strict=True)}
    pixel = len(layout.prompts) / 250
    assert len(seen["bars"]) == len(base) * study.bandit.arms
    for bar in seen["bars"]:
        p = study.probabilities[focus][update, bar["prompt"], bar["arm"]]
        foot = base[bar["prompt"]]
        assert bar["foot"] == pytest.approx(foot, abs=pixel / 2), bar
        assert bar["top"] - foot == pytest.approx(layout.scale * p, abs=pixel / 2), bar
        assert bar["x"] == pytest.approx(bar["arm"] + 1 + figures.bandit.BAR_WIDTH[0], abs=0.02)
        assert bar["stroke"] == styles[focus][1]
    fills = [bar["fill"] for bar in seen["bars"]]
    assert fills == [colour for row in layout.colours for colour in row]
    others = [i for i in range(len(styles)) if i != focus]
    assert len(seen["ticks"]) == len(others) * len(seen["bars"])
    for tick in seen["ticks"]:
        (run,) = (i for i in others if styles[i][1] == tick["stroke"])
        p = study.probabilities[run][update, tick["prompt"], tick["arm"]]
        wanted = base[tick["prompt"]] + layout.scale * p
        assert tick["y"] == pytest.approx(wanted, abs=pixel / 2), tick
    r = study.recordings[focus]
    assert [s["arm"] for s in seen["samples"]] == r.samples[update].ravel().tolist()
    assert [s["weight"] for s in seen["samples"]] == pytest.approx(r.weights[update].ravel())
    for curve, wanted in zip(seen["curves"], study.best_of, strict=True):
        assert [x for x, _ in curve] == pytest.approx(BEST_OF, rel=0.01)
        reach = max(c.max() for c in study.best_of) - min(c.min() for c in study.best_of)
        assert [y for _, y in curve] == pytest.approx(wanted[update], abs=reach / 250)
    for name, columns in (
        ("value", study.reached),
        ("entropy", [r["entropy"] for r in study.recordings]),
        ("groups", [r["cumulative_solve_rate"] for r in study.recordings]),
    ):
        reach = max(float(np.max(c)) for c in columns)
        wanted = [c[update] for c in columns]
        assert seen["heads"][name] == pytest.approx(wanted, abs=reach / 100), name
    return seen


def test_draws_the_engine_s_numbers_where_it_is_scrubbed_played_and_stepped(visit):
    page = visit("/bandit")
    check(page, ANNEALING, 300, 2)
    for update in (0, 77, 151):
        scrub(page, update)
        check(page, ANNEALING, update, 2)
    for text, r, reached in zip(cards(page), ANNEALING.recordings, ANNEALING.reached, strict=True):
        assert f"max@8 {reached[151]:.3f}" in text
        assert f"max@1 {r['max@1'][151]:.3f}" in text
        assert f"entropy {r['entropy'][151]:.3f}" in text
    text = page.inner_text(".stMain")
    takeaway = figures.bandit.bandit_takeaway(
        ANNEALING, figures.run_styles(BANDIT_PRESETS[0].runs("bandit"))
    )
    assert takeaway in text and BANDIT_PRESETS[0].message.split(";")[0] in text.replace(
        "\u00a0", " "
    )
    page.click("[data-do=rewind]")
    page.click("[data-do=play]")
    page.wait_for_function("document.querySelector('.pk-player').dataset.frame > 20")
    page.click("[data-do=play]")
    paused = drawn(page)["frame"]
    check(page, ANNEALING, paused, 2)
    page.click("[data-do=step]")
    check(page, ANNEALING, paused + 1, 2)
    page.locator(".pk-settings button").first.click()
    check(page, ANNEALING, paused + 1, 0)


@pytest.mark.slow
def test_draws_stack_as_high_as_their_share(visit):
    page = visit("/bandit")
    scrub(page, 10)
    seen, arms = drawn(page), ANNEALING.recordings[2].samples[10, 0]
    colours = {1: "#3fa34d", 0: "#9aa0a6", -1: "#9970ab"}
    for arm in set(arms.tolist()):
        mine = [s for s in seen["samples"] if s["arm"] == arm]
        assert all(arm + 1 < s["x"] < arm + 1.5 for s in mine)
        middles = [(j + 0.5) / 16 for j in range(len(mine))]
        assert [s["y"] for s in mine] == pytest.approx(middles, abs=2e-3)
    assert [s["fill"] for s in seen["samples"]] == [
        colours[int(np.sign(w))] for w in ANNEALING.recordings[2].weights[10, 0]
    ]


@pytest.mark.slow
def test_prompts_with_policies_of_their_own_have_lanes(visit):
    page = visit(f"/bandit?{APART}")
    settings = {
        "task": "bandit",
        "bandit": "arms:0,0.5,-1;1,0,2@1,2,1",
        "sharing": 0.3,
        "steps": 40,
    }
    study = compare_bandits(parse_comparison(settings, "schedule 1 3"))
    assert not study.prompts_alike
    for update in (0, 21, 40):
        scrub(page, update)
        check(page, study, update, 1)
    ticks = page.locator("[data-chart=stage] .ytick text").all_text_contents()
    assert sorted(ticks) == ["prompt 1", "prompt 2"]
    page.get_by_text("More settings", exact=True).click()
    box = page.get_by_label("Rewards of the arms; a line for each prompt", exact=True)
    expect(box).to_have_value("0 0.5 -1\n1 0 2")
    expect(page.get_by_label("What prompts share", exact=True)).to_have_value("0.3")

    def together():
        box.fill("0 1\n1 0\n0 1")
        box.press("Control+Enter")
        page.get_by_label("Probabilities at the start", exact=True).fill("")
        page.get_by_label("Probabilities at the start", exact=True).press("Enter")

    settled(page, together)
    page.wait_for_url(re.compile("arms(:|%3A)0(,|%2C)1(;|%3B)1(,|%2C)0(;|%3B)0(,|%2C)1"))
    assert len(drawn(page)["bars"]) == 6


@pytest.mark.slow
def test_many_prompts_with_one_policy_share_the_bars(visit):
    preset = next(p for p in BANDIT_PRESETS if p.changes.get("bandit") == "crowded")
    page = visit("/bandit")
    settled(page, lambda: page.get_by_text(preset.name, exact=True).click())
    study = compare_bandits(preset.runs("bandit"))
    seen = check(page, study, 300, 1)
    assert len(seen["bars"]) == 8 and len(seen["samples"]) == 6 * 16
    labels = page.locator("[data-chart=stage] .xtick text").all_text_contents()
    assert labels == ["1-3", "4", "5", "6", "none", "none", "none", "none"]


@pytest.mark.slow
def test_explains_a_step(visit):
    page = visit("/bandit?compare=off&schedule=4&n=8")
    study = compare_bandits(parse_comparison({"task": "bandit", "schedule": "4", "n": 8}, ""))
    (r,) = study.recordings
    update = int(np.flatnonzero(r.weights[:, 0].any(axis=1))[5])  # a group that carries weight
    scrub(page, update)
    page.click("[data-do=explain]")
    says, grey = page.locator(".pk-say"), "#9aa0a6"
    assert drawn(page)["phase"] == "0"
    expect(says).to_contain_text("Draw n = 8 arms from the policy.")
    assert {s["fill"] for s in drawn(page)["samples"]} == {grey}
    page.click("[data-do=step]")
    (colours,) = figures.bandit.reward_colours(study)
    assert [s["fill"] for s in drawn(page)["samples"]] == [
        colours[arm] for arm in r.samples[update, 0]
    ]
    expect(says).to_contain_text(f"the best of these is {r.rewards[update].max():.3f}")
    page.click("[data-do=step]")
    weighty = (r.weights[update] != 0).sum()
    expect(says).to_contain_text(f"{weighty} of 8 samples carry weight")
    assert sum(s["fill"] != grey for s in drawn(page)["samples"]) == weighty
    assert page.locator(".pk-formula math").count() == 1
    page.click("[data-do=step]")
    seen = drawn(page)
    assert (seen["frame"], seen["phase"]) == (update, "3")
    after = study.probabilities[0][update + 1, 0]
    assert [b["top"] for b in seen["bars"]] == pytest.approx(after, abs=2e-3)
    (reached,) = study.reached
    expect(says).to_contain_text(
        f"max@4 goes from {reached[update]:.3f} to {reached[update + 1]:.3f}"
    )
    expect(says).to_contain_text(f"cosine between them {r['alignment'][update]:.2f}")
    page.click("[data-do=step]")
    assert (drawn(page)["frame"], drawn(page)["phase"]) == (update + 1, "0")


def test_the_command_prints_the_numbers_on_the_page(visit, capsys):
    page = visit("/bandit?bandit=arms:0,0.3,1@0.5,0.4,0.1&steps=60&compare=schedule+1+4&n=10")
    page.get_by_role("button", name="Copy as command").click()
    command = page.locator("code").filter(has_text="python -m pkpo").inner_text()
    program, *arguments = shlex.split(command)
    assert (program, arguments[:2]) == ("python", ["-m", "pkpo"])
    assert main([*arguments[2:], "--json"]) == 0
    reports = json.loads(capsys.readouterr().out)
    for report, card in zip(reports, cards(page), strict=True):
        assert f"max@4 {report['metrics']['max@4']:.3f}" in card
        assert f"max@1 {report['metrics']['max@1']:.3f}" in card
        assert f"entropy {report['metrics']['entropy']:.3f}" in card


@pytest.mark.slow
def test_a_bad_url_opens_the_default_and_says_why(visit):
    page = visit("/bandit?bandit=arms:1,x&theta=1&sharing=7")
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("a reward must be a number, got 'x'")
    expect(notice).to_contain_text("'theta' is not a setting of this page")
    expect(notice).to_contain_text("sharing must be from 0.0 to 1.0, got 7")
    check(page, ANNEALING, 300, 2)


@pytest.mark.slow
@pytest.mark.parametrize("slower", [1, pytest.param(8, marks=pytest.mark.slow)])
def test_pages_keep_their_own_settings(visit, slower):
    page = visit("/toy-problem?n=24")
    # A slow browser shows the old page's path while the new page is running.
    seen = []
    page.on("framenavigated", lambda frame: seen.append(frame.url))
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
    page.get_by_role("link", name="Bandit", exact=True).first.click()
    page.wait_for_selector(".pk-player[data-ready] .pk-arm")
    box = page.get_by_label("Samples per group, n", exact=True)
    expect(box).to_have_value("16")

    def change():
        box.fill("12")
        box.press("Enter")

    settled(page, change)
    page.wait_for_url(re.compile(r"/bandit\?n=12$"))
    page.get_by_role("link", name="Toy problem", exact=True).first.click()
    page.wait_for_selector(".pk-player[data-ready] .pk-stand")
    expect(box).to_have_value("24")
    page.wait_for_url(re.compile(r"/toy-problem\?n=24$"))
    page.get_by_role("link", name="Bandit", exact=True).first.click()
    page.wait_for_selector(".pk-player[data-ready] .pk-arm")
    expect(box).to_have_value("12")
    page.wait_for_url(re.compile(r"/bandit\?n=12$"))
    shown = [url.rpartition("/")[2] for url in seen]
    assert "toy-problem?n=24" in shown and "bandit?n=12" in shown
    assert "bandit?n=24" not in shown and "toy-problem?n=12" not in shown


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("query", ["", APART, "bandit=arms:" + ",".join(["0", "1"] * 25)])
def test_fits_a_phone(visit, query, dark):
    page = visit(f"/bandit?{query}", width=390, height=844, dark=dark)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    inside = page.evaluate(
        """() => [...document.querySelectorAll('.pk-player *')].filter(node => {
          const box = node.getBoundingClientRect();
          return box.width > 0 && !node.closest('svg, math') && box.right > 391;
        }).map(node => node.className || node.tagName)"""
    )
    assert inside == []
    page.wait_for_function(  # the chart is drawn anew in the theme's colours
        """dark => {
          const text = document.querySelector('.pk-plot .xtick text');
          const ink = getComputedStyle(text).fill.match(/[0-9]+/g).map(Number);
          return dark ? Math.min(...ink) > 150 : Math.max(...ink) < 100;
        }""",
        arg=dark,
    )
