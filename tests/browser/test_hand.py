"""The player's controls in a real browser: what is drawn while they move is what the engine knows."""

from __future__ import annotations

import json
import re
import shlex
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import expect

from pkpo import schedules
from pkpo.__main__ import main
from pkpo.analysis.group_weights import list_subsets
from pkpo.comparisons import BEST_OF, compare_bandits
from pkpo.comparisons.settings import parse_comparison
from pkpo.estimators import transform
from pkpo.training.recording import record_run
from tests.browser.browser import at_rest, cards, scrub, settled
from toy_envs import bandit, gaussian_hill

PIXEL = 1e-4  # a hundredth of a pixel on an axis from 0 to 1, and more than enough
ONE = "/toy-problem?compare=off&schedule=8"


def star(page) -> dict[str, float]:
    """The star of the k in force: its k, and where it is drawn in the units of the axes."""
    return page.evaluate(
        """() => {
          const plot = document.querySelector('[data-chart=stage] .pk-plot');
          const { xaxis, yaxis } = plot._fullLayout;
          const mark = document.querySelector('.pk-star');
          const [x, y] = mark.getAttribute('transform').match(/-?[0-9.]+/g).map(Number);
          const slider = document.querySelector('.pk-knob-k input[type=range]');
          return { k: Number(mark.dataset.k),
            slider: Number(slider.getAttribute('aria-valuetext').slice(4)),
            theta: xaxis.p2l(x - xaxis._offset), value: yaxis.p2l(y - yaxis._offset),
            curve: Number(document.querySelector('.pk-max-at-k').dataset.k) };
        }"""
    )


def ready_to_move(page) -> None:
    """Wait for the table of exact values, which comes after the picture."""
    page.wait_for_function("document.querySelector('.pk-player').player.exact")


def middle(locator) -> tuple[float, float]:
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def setting(page, name: str) -> str:
    return parse_qs(urlsplit(page.url).query).get(name, [""])[0]


def theta(page) -> list[float]:
    return page.locator(".pk-stand").evaluate_all("n => n.map(d => Number(d.dataset.theta))")


@pytest.mark.slow
def test_the_star_follows_the_finger_without_the_server(visit):
    page = visit(ONE)
    ready_to_move(page)
    page.context.set_offline(True)  # nothing can be asked
    slider = page.get_by_label("Slide k", exact=True)
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.6 * box["width"], y)
    page.mouse.down()
    seen = set()
    for share in (0.55, 0.4, 0.2, 0.05, 0.95):
        page.mouse.move(box["x"] + share * box["width"], y)
        drawn = star(page)
        best = gaussian_hill.optimum(drawn["k"])
        assert drawn["k"] == drawn["slider"] == drawn["curve"]
        assert drawn["theta"] == pytest.approx(best.theta, abs=2e-3), drawn
        assert drawn["value"] == pytest.approx(best.value, abs=2e-3), drawn
        worth = gaussian_hill.objective(theta(page)[0], int(drawn["k"]))
        said = re.search(r"= ([0-9.]+)", page.inner_text(".pk-exactly"))
        assert float(said[1]) == pytest.approx(worth, abs=2e-3)
        seen.add(drawn["k"])
    assert len(seen) >= 4
    page.mouse.up()
    page.context.set_offline(False)


def test_k_moves_while_the_hand_is_down_and_is_taken_on_release(visit):
    page = visit(ONE)
    ready_to_move(page)
    slider = page.get_by_label("Slide k", exact=True)
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.6 * box["width"], y)
    settled(page, page.mouse.down)  # the slider jumps to where the mouse is
    settled(page, lambda: page.mouse.move(box["x"] + 0.28 * box["width"], y))
    k = int(star(page)["slider"])
    run = record_run(parse_comparison({"schedule": str(k)}, "")[0])
    assert theta(page) == pytest.approx([run["theta"][-1]], abs=1e-6)
    assert setting(page, "schedule") == ""  # the default still: nothing is taken yet
    page.mouse.up()
    page.wait_for_url(re.compile(rf"schedule={k}(&|$)"))
    assert f"max@1 {run['max@1'][-1]:.3f}" in cards(page)[0]
    again = visit(page.url.removeprefix(page.evaluate("location.origin")))
    assert theta(again) == theta(page)


@pytest.mark.slow
def test_compared_runs_are_moved_one_at_a_time(visit):
    page = visit("/toy-problem?compare=schedule+1+4+8")
    page.locator(".pk-settings button").nth(1).click()
    settled(page, lambda: page.get_by_label("Slide k", exact=True).press("ArrowRight"))
    runs = [record_run(c) for c in parse_comparison({}, "schedule 1 5 8")]
    assert theta(page) == pytest.approx([run["theta"][-1] for run in runs], abs=1e-6)
    expect(page.locator(".pk-settings button").nth(1)).to_have_attribute("aria-pressed", "true")
    page.wait_for_url(re.compile(re.escape("compare=schedule+1+5+8")))
    expect(page.locator(".pk-knob-n")).to_contain_text("all runs")
    settled(page, lambda: page.get_by_label("Slide n", exact=True).press("ArrowLeft"))
    runs = [record_run(c) for c in parse_comparison({"n": 12}, "schedule 1 5 8")]
    assert theta(page) == pytest.approx([run["theta"][-1] for run in runs], abs=1e-6)


def test_a_point_of_the_schedule_is_dragged(visit):
    page = visit("/toy-problem?compare=off&schedule=8@0,1@150")
    page.locator(".pk-schedule summary").click()
    point = page.locator(".pk-point").nth(1)
    point.scroll_into_view_if_needed()
    x, y = middle(point)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 120, y - 45, steps=5)
    page.mouse.up()
    page.wait_for_url(re.compile("schedule="))
    page.wait_for_function("!location.search.includes('150')")
    text = setting(page, "schedule")
    (first, second) = schedules.parse(text).pieces
    assert (first.first, first.start) == (8, 0) and second.start > 150 and second.first > 1
    assert (point.get_attribute("data-update"), point.get_attribute("data-k")) == (
        str(second.start),
        str(second.first),
    )
    expect(page.get_by_label("Schedule", exact=True)).to_have_value(text)
    run = record_run(parse_comparison({"schedule": text}, "")[0])
    assert theta(page) == pytest.approx([run["theta"][-1]], abs=1e-6)
    drawn = page.evaluate("[...document.querySelector('.pk-player').player.runs[0].k]")
    assert drawn == list(schedules.parse(text).values(np.arange(301)))


@pytest.mark.slow
def test_the_schedule_is_edited_by_keys_buttons_and_text(visit):
    page = visit("/toy-problem?compare=off&schedule=8@0,1@150")
    page.locator(".pk-schedule summary").click()

    def leads_to(text: str) -> None:
        page.wait_for_function(
            "text => new URLSearchParams(location.search).get('schedule') === text", arg=text
        )

    page.locator(".pk-point").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    leads_to("6@0,1@150")
    page.locator("[data-shape=cosine]").click()
    leads_to("cosine:6->1@150")
    page.locator("[data-shape=step]").click()
    leads_to("6@0,1@150")
    page.locator(".pk-point").nth(1).focus()
    page.keyboard.press("Shift+ArrowLeft")
    leads_to("6@0,1@140")
    page.get_by_role("button", name="Add a point").click()
    leads_to("6@0,1@140,8@220")
    page.keyboard.press("Delete")
    leads_to("6@0,1@140")
    page.locator(".pk-point").nth(1).dblclick(delay=120)  # two taps take a point away
    leads_to("6")
    page.wait_for_timeout(300)
    leads_to("6")
    text = page.get_by_label("Schedule", exact=True)
    text.fill("6@0,1@140")
    text.press("Enter")
    leads_to("6@0,1@140")
    late_echo = (
        "() => { const { controls } = document.querySelector('.pk-player').player;"
        " controls.show(controls.accepted, controls.routes, controls.send); }"
    )
    text.fill("three")
    page.evaluate(late_echo)  # of what was set before, while the next is being typed
    text.press("Enter")
    expect(page.locator(".pk-said")).to_contain_text("schedule must look like")
    expect(text).to_have_value("three")
    leads_to("6@0,1@140")
    page.evaluate(late_echo)
    expect(text).to_have_value("three")
    expect(page.locator(".pk-said")).to_contain_text("schedule must look like")
    text.fill("linear:8->1 @ 100")
    text.press("Enter")
    leads_to("linear:8->1@100")
    expect(page.locator(".pk-said")).to_be_hidden()
    assert page.locator(".pk-point").count() == 2


@pytest.mark.slow
def test_what_cannot_be_is_said_and_the_last_possible_stays(visit):
    page = visit("/toy-problem?compare=off&schedule=8")
    slider = page.get_by_label("Slide n", exact=True)
    settled(page, lambda: slider.press("ArrowLeft"))
    slider.press("ArrowLeft")
    page.wait_for_function(
        "document.querySelector('.pk-player').player.controls.accepted.address.n === '8'"
    )
    slider.press("ArrowLeft")  # before the page has taken n = 8
    page.wait_for_url(re.compile("n=8"))
    page.wait_for_function("document.querySelector('.pk-player').player.controls.onPage.n === '8'")
    at_rest(page)
    expect(page.locator(".pk-said")).to_contain_text("k = 8 is more than n = 6")
    expect(page.get_by_label("Samples per group, n", exact=True)).to_have_value("8")
    run = record_run(parse_comparison({"schedule": "8", "n": 8}, "")[0])
    assert theta(page) == pytest.approx([run["theta"][-1]], abs=1e-6)


@pytest.mark.slow
def test_the_bandit_s_best_of_k_follows_and_the_die_draws_another_seed(visit):
    page = visit("/bandit?compare=off&schedule=4")
    scrub(page, 60)
    study = compare_bandits(parse_comparison({"task": "bandit", "schedule": "4"}, ""))
    page.context.set_offline(True)
    slider = page.get_by_label("Slide k", exact=True)
    slider.evaluate("n => { n.value = 6; n.dispatchEvent(new Event('input')) }")
    dot = page.locator("[data-chart=best] circle").first
    assert dot.get_attribute("data-k") == "7"
    value = float(dot.get_attribute("data-value"))
    assert value == pytest.approx(study.best_of[0][60, BEST_OF.index(7)], abs=1e-6)
    page.context.set_offline(False)
    slider.evaluate("n => n.dispatchEvent(new Event('change'))")
    page.wait_for_url(re.compile("schedule=7"))
    settled(page, lambda: page.get_by_role("button", name="Another seed").click())
    page.wait_for_url(re.compile("seed=1"))
    run = record_run(parse_comparison({"task": "bandit", "schedule": "7", "seed": 1}, "")[0])
    assert f"max@1 {run['max@1'][60]:.3f}" in cards(page)[0]  # the play head stayed


@pytest.mark.parametrize(
    ("schedule", "becomes"),
    [("1", "1@0,7@120"), ("linear:8->1@200", "linear:8->1@200,7@120")],
)
def test_k_is_turned_while_it_trains(visit, capsys, schedule, becomes):
    page = visit(f"/bandit?compare=off&schedule={schedule}")
    before = page.evaluate("[...document.querySelector('.pk-player').player.runs[0].atOne]")
    page.evaluate(
        """() => {
          const { player } = document.querySelector('.pk-player');
          player.speed = 0.25;
          player.move(120);
          player.play();
          const slider = document.querySelector('.pk-knob-k input[type=range]');
          slider.value = 6;
          slider.dispatchEvent(new Event('input'));
          slider.dispatchEvent(new Event('change'));
        }"""
    )
    page.wait_for_function(
        "text => new URLSearchParams(location.search).get('schedule') === text", arg=becomes
    )
    frame = int(page.get_attribute(".pk-player", "data-frame"))
    page.wait_for_function(f"document.querySelector('.pk-player').dataset.frame > {frame}")
    page.click("[data-do=play]")
    at_rest(page)
    page.get_by_role("button", name="Copy as command").click()
    command = page.locator("code").filter(has_text="python -m pkpo").inner_text()
    assert main([*shlex.split(command)[3:], "--json"]) == 0
    history = json.loads(capsys.readouterr().out)["history"]
    now = page.evaluate("[...document.querySelector('.pk-player').player.runs[0].atOne]")
    assert now == pytest.approx(history["max@1"], abs=1e-6)
    assert now[:121] == before[:121] and now[121:] != before[121:]
    ribbon = page.locator("[data-chart=value] .pk-ribbon rect").evaluate_all(
        "n => n.map(r => [Number(r.dataset.from), Number(r.dataset.k)])"
    )
    k = schedules.parse(becomes).values(np.arange(301))
    turns = [0, *(np.flatnonzero(np.diff(k)) + 1)]
    assert ribbon == [[int(at), int(k[at])] for at in turns]


@pytest.mark.slow
def test_the_trapped_policy_is_rescued(visit):
    page = visit("/bandit")
    settled(page, lambda: page.get_by_text("Your turn: rescue it", exact=True).click())
    expect(page.locator(".pk-goal")).to_contain_text("Not yet: 0.596")
    page.locator(".pk-schedule summary").click()
    text = page.get_by_label("Schedule", exact=True)

    def rescue():
        text.fill("1@0,16@60,1@200")
        text.press("Enter")

    settled(page, rescue)
    config = parse_comparison({"task": "bandit", "schedule": "1@0,16@60,1@200"}, "")[0]
    end = record_run(config)["max@1"][-1]
    expect(page.locator(".pk-goal")).to_contain_text(f"Reached: {end:.3f}")
    page.wait_for_url(re.compile("schedule="))
    expect(page.locator(".pk-goal")).to_contain_text("Reached")


def handles(page) -> list[list[float]]:
    """Where the handles on the stage are, in the units of its axes, to a hundredth of a pixel."""
    return page.evaluate(
        """() => {
          const { xaxis, yaxis } = document.querySelector('[data-chart=stage] .pk-plot')._fullLayout;
          return [...document.querySelectorAll('.pk-world .pk-point')].map((handle) => {
            const [x, y] = handle.getAttribute('transform').match(/-?[0-9.]+/g).map(Number);
            return [xaxis.p2l(x - xaxis._offset), yaxis.p2l(y - yaxis._offset)];
          });
        }"""
    )


def test_a_point_of_the_reward_is_dragged(visit):
    page = visit(ONE)
    page.get_by_role("button", name="Drag the reward").click()
    assert (
        np.abs(np.array(handles(page)) - gaussian_hill.reward_shape("hill").corners).max() < PIXEL
    )
    x, y = middle(page.locator(".pk-world-handle").nth(2))
    page.mouse.move(x, y)
    page.mouse.down()
    settled(page, lambda: page.mouse.move(x - 20, y - 60, steps=2))
    assert setting(page, "shape") == ""  # nothing is taken yet
    drawn = handles(page)
    assert drawn[2][0] < 0.39 and drawn[2][1] > 0.2
    assert page.locator(".pk-world-ghost").get_attribute("d").count("L") == 6  # as it was
    page.mouse.up()
    page.wait_for_url(re.compile("shape=points"))
    text = setting(page, "shape")
    shape = gaussian_hill.reward_shape(text)
    assert np.abs(np.array(handles(page)) - shape.corners).max() < PIXEL
    assert drawn[2] == pytest.approx(list(shape.corners[2]), abs=PIXEL)
    run = record_run(parse_comparison({"schedule": "8", "shape": text}, "")[0])
    assert theta(page) == pytest.approx([run["theta"][-1]], abs=1e-6)
    page.wait_for_function("document.querySelector('.pk-player').player.exact")
    best = gaussian_hill.optimum(8, 0.1, shape)
    assert star(page)["value"] == pytest.approx(best.value, abs=2e-3)


@pytest.mark.slow
def test_points_of_the_reward_come_and_go_by_hand(visit):
    page = visit(ONE)
    page.get_by_role("button", name="Drag the reward").click()
    more = page.get_by_role("button", name="Add a point")
    less = page.get_by_role("button", name="Remove the point")
    expect(less).to_be_disabled()  # none is chosen
    corners = [list(point) for point in gaussian_hill.reward_shape("hill").corners]
    centres = [middle(handle) for handle in page.locator(".pk-world-handle").all()]
    (x1, y1), (x2, y2) = centres[0], centres[1]
    settled(page, lambda: page.mouse.click((x1 + x2) / 2, (y1 + y2) / 2))
    page.wait_for_url(re.compile("shape=points"))
    added = gaussian_hill.reward_shape(setting(page, "shape")).corners
    assert len(added) == len(corners) + 1
    assert np.abs(np.array(handles(page)) - added).max() < PIXEL
    assert corners[0][0] < added[1][0] < corners[1][0]
    chosen = page.locator(".pk-world .pk-point:focus")
    expect(chosen).to_have_count(1)
    settled(page, lambda: chosen.press("Insert"))
    settled(page, lambda: more.click())
    page.wait_for_url(lambda url: url.count("%3B") + url.count(";") == len(corners) + 2)
    while (
        len(gaussian_hill.reward_shape(setting(page, "shape")).corners) < gaussian_hill.POINT_LIMIT
    ):
        before = page.url
        settled(page, lambda: more.click())
        page.wait_for_function("before => location.href !== before", arg=before)
    expect(more).to_be_disabled()
    last = page.locator(".pk-world .pk-point").last
    before = page.url
    settled(page, lambda: last.press("Delete"))
    page.wait_for_function("before => location.href !== before", arg=before)
    assert len(handles(page)) == gaussian_hill.POINT_LIMIT - 1
    before = page.url
    settled(page, lambda: page.locator(".pk-world .pk-point").last.dblclick())
    page.wait_for_function("before => location.href !== before", arg=before)
    before = gaussian_hill.reward_shape(setting(page, "shape")).corners
    assert len(before) == gaussian_hill.POINT_LIMIT - 2
    page.locator(".pk-world .pk-point").nth(3).focus()
    less.focus()  # as Tab does: the point stays the chosen one
    was = page.url
    settled(page, lambda: less.press("Enter"))
    page.wait_for_function("was => location.href !== was", arg=was)
    shape = gaussian_hill.reward_shape(setting(page, "shape"))
    assert shape.corners == before[:3] + before[4:]
    run = record_run(parse_comparison({"schedule": "8", "shape": shape.name}, "")[0])
    assert theta(page) == pytest.approx([run["theta"][-1]], abs=1e-6)


def test_two_points_stay(visit):
    page = visit("/toy-problem?compare=off&schedule=8&shape=points:0,0;1,1")
    page.get_by_role("button", name="Drag the reward").click()
    page.locator(".pk-world .pk-point").first.focus()
    expect(page.get_by_role("button", name="Remove the point")).to_be_disabled()
    page.locator(".pk-world .pk-point").first.press("Delete")
    assert len(handles(page)) == 2


@pytest.mark.parametrize(
    ("path", "kept"),
    [("/toy-problem", "shape"), pytest.param("/bandit", "bandit", marks=pytest.mark.slow)],
)
def test_an_assignment_may_keep_the_problem_as_it_is(visit, path, kept):
    page = visit(f"{path}?compare=off&show=n")
    expect(page.locator("[data-world]").first).to_be_hidden()
    expect(page.get_by_text("Run this for longer")).to_have_count(0)
    page = visit(f"{path}?compare=off&show={kept}")
    expect(page.locator("[data-world]").first).to_be_visible()


def test_the_arms_are_moved_by_keys(visit):
    page = visit("/bandit?compare=off&schedule=4")
    page.get_by_role("button", name="Drag the rewards").click()

    def press(name: str, key: str) -> bandit.Bandit:
        before = page.url
        settled(page, lambda: page.get_by_label(name, exact=True).press(key))
        page.wait_for_function("before => location.href !== before", arg=before)
        return bandit.bandit(setting(page, "bandit"))

    chosen = press("Reward of arm 3", "Shift+ArrowUp")
    assert chosen.rewards.tolist() == [[0, 0, 0.1, 0, 0, 0, 0.6, 1]]
    page.get_by_role("button", name="Drag the starting chances").click()
    chosen = press("Starting chance of arm 8", "Shift+ArrowUp")
    assert chosen.start[7] == pytest.approx(0.115, abs=6e-3)
    was = bandit.BANDITS["trap"].start
    rest = chosen.start[:7] / was[:7]  # the others share what is left as before
    assert rest == pytest.approx([rest[0]] * 7, rel=1e-3)
    drawn = [y for _, y in handles(page)]
    assert drawn == pytest.approx(list(chosen.start), abs=PIXEL)
    config = {"task": "bandit", "schedule": "4", "bandit": setting(page, "bandit")}
    run = record_run(parse_comparison(config, "")[0])
    assert f"max@1 {run['max@1'][-1]:.3f}" in cards(page)[0]


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/toy-problem", "/bandit"])
def test_a_finger_moves_the_controls(chromium, app_address, path):
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto(f"{app_address}{path}?compare=off&schedule=8@0,1@150")
    page.wait_for_selector(".pk-player[data-ready]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator(".pk-schedule summary").tap()
    for control in page.locator(".pk-controls :is(button, input, summary):visible").all():
        assert control.bounding_box()["height"] >= 43.9, control.evaluate("n => n.outerHTML")
    page.locator(".pk-plan").scroll_into_view_if_needed()
    x, y = middle(page.locator(".pk-point").nth(1))
    touch = page.context.new_cdp_session(page)

    def event(kind: str, *points: dict) -> None:
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    event("touchStart", {"x": x, "y": y})
    event("touchMove", {"x": x + 30, "y": y - 20})
    event("touchMove", {"x": x + 60, "y": y - 40})
    event("touchEnd")
    page.wait_for_function("!location.search.includes('150')")
    moved = schedules.parse(setting(page, "schedule")).pieces[1]
    assert moved.start > 150 and moved.first > 1
    page.locator("[data-world]").first.tap()
    for control in page.locator(".pk-worlds button:visible").all():
        assert control.bounding_box()["height"] >= 43.9, control.evaluate("n => n.outerHTML")
    handle = page.locator(".pk-world-handle").nth(1)
    handle.scroll_into_view_if_needed()
    x, y = middle(handle)
    event("touchStart", {"x": x, "y": y})
    event("touchMove", {"x": x, "y": y - 30})
    event("touchMove", {"x": x, "y": y - 60})
    event("touchEnd")
    page.wait_for_function("/shape=points|bandit=arms/.test(location.search)")
    context.close()


def test_who_gets_paid_shows_the_library_s_weights(visit):
    page = visit("/bandit?compare=off&schedule=4&n=6")
    scrub(page, 40)
    page.locator(".pk-paid summary").click()
    page.wait_for_selector(".pk-paid-weight")
    run = record_run(parse_comparison({"task": "bandit", "schedule": "4", "n": 6}, "")[0])
    rewards = np.sort(run.rewards[40].ravel())
    for side, k in ((0, 1), (1, 4)):
        figure = page.locator(".pk-paid figure").nth(side)
        drawn = figure.locator(".pk-paid-weight").evaluate_all("n => n.map(r => +r.dataset.weight)")
        assert drawn == pytest.approx(list(transform(rewards, k, "sloo_minus_one")), abs=1e-7)
    page.get_by_label("Choose a draw").press("Home")  # the one with the least reward
    lit = page.locator(".pk-paid figure").nth(1).locator("[data-lit=true]").count()
    assert lit == (rewards == rewards[0]).sum() == 1
    expect(page.locator(".pk-paid-won").nth(1)).to_contain_text("Best in 0 of the 15 subsets of 4")
    page.get_by_label("Choose a draw").press("End")
    subsets = list_subsets(list(rewards), 4)
    won = sum(5 in s.members and s.best == rewards[5] for s in subsets)
    assert page.locator(".pk-paid-subset[data-best=true]").count() == won
    silent = [~transform(run.rewards[:41], k, "sloo_minus_one").any(axis=-1) for k in (1, 4)]
    taught = [str(int((~s).sum())) for s in silent]
    assert page.locator(".pk-paid tbody tr").first.locator("td").all_inner_texts()[1:] == taught
    scrub(page, 0)
    page.get_by_label("Second k").select_option("6")
    rewards = np.sort(run.rewards[0].ravel())
    want = [f"{w:.6f}" for w in transform(rewards, 6, "sloo_minus_one")]
    page.wait_for_function(
        """want => [...document.querySelectorAll('.pk-paid figure')].at(-1)
          .querySelectorAll('.pk-paid-weight').values()
          .map((r) => (+r.dataset.weight).toFixed(6)).toArray().join() === want.join()""",
        arg=want,
    )
