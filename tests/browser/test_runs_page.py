"""The page Runs in a real browser, with real workers."""

from __future__ import annotations

import os
import re
import signal

import numpy as np
import pytest
from playwright.sync_api import TimeoutError, expect

from pkpo.figures.run_curves import run_panels
from pkpo.runs import Store
from pkpo.training.recording import record_run
from pkpo.training.tasks.bandit import BanditConfig
from tests.browser import browser as real

LONG = BanditConfig(n=8, schedule="4", steps=200_000)
CHARTS = len(run_panels([LONG]))
HELD = """column => Object.fromEntries([...document.querySelector('.lc').charts.series.values()].map(
  one => [one.label, {last: one.last, x: [...one.curves[column].x], y: [...one.curves[column].y]}]))"""
PLOTS = "[...document.querySelectorAll('.lc-plot')]"
RANGES = PLOTS + ".map(plot => plot._fullLayout.xaxis.range.map(Math.round))"
HOVERS = PLOTS + ".filter(plot => plot.querySelector('.hoverlayer *')).length"


@pytest.fixture
def store(app_address, app_data):
    """The app's own store; what a test leaves going is stopped."""
    found = Store(app_data)
    yield found
    for run in found.runs(status=("queued", "running")):
        found.stop(run.id)
    found.close()


def button(page, name: str):
    """One of the page's own buttons: Streamlit's bar has a Stop, too."""
    main = page.get_by_test_id("stMainBlockContainer")
    return main.get_by_role("button", name=name, exact=True)


def badge(page, status: str) -> None:
    expect(page.locator(".stMarkdownBadge", has_text=status).first).to_be_visible()


def updates(page) -> int:
    """Messages that the charts have taken so far."""
    return page.evaluate("+(document.querySelector('.lc')?.dataset.updates ?? 0)")


def wait_for_updates(page, more: int) -> None:
    """Wait for so many messages; the charts are made to ask ten times a second."""
    page.wait_for_function(
        """count => {
          const root = document.querySelector('.lc');
          root?.charts?.follower.now();
          return +(root?.dataset.updates ?? 0) >= count;
        }""",
        arg=updates(page) + more,
        polling=100,
        timeout=60_000,
    )


def wait_for_step(page, step: int) -> None:
    """Wait until the charts show a run's update."""
    page.wait_for_function(
        """step => {
          const charts = document.querySelector('.lc')?.charts;
          charts?.follower.now();
          return [...(charts?.series.values() ?? [])].some(one => one.last >= step);
        }""",
        arg=step,
        polling=100,
        timeout=60_000,
    )


def until(page, condition: str, act) -> None:
    """Repeat what a busy browser may have missed, until it shows."""
    for _ in range(20):
        act()
        try:
            page.wait_for_function(condition, timeout=2000)
            return
        except TimeoutError:
            continue
    raise AssertionError(f"never came true: {condition}")


def open_run(visit, id: str, beside=None):
    page = visit(f"/runs?run={id}", ready=False, beside=beside)
    page.wait_for_selector(".lc[data-updates] .main-svg")
    return page


def test_a_run_from_the_form_to_its_end(visit, store):
    page = visit("/runs?new=bandit&schedule=8", ready=False)
    box = page.get_by_label("Updates", exact=True)
    box.fill("2000")
    box.press("Enter")
    page.wait_for_url(re.compile("steps=2000"))
    button(page, "Start").click()
    page.wait_for_url(re.compile(r"/runs\?run=[0-9a-f]{12}$"))
    badge(page, "finished")
    want = record_run(BanditConfig(schedule="8", steps=2000))
    page.wait_for_function("document.querySelector('.lc').charts.series.get('k = 8').last == 2000")
    for column in ("max@8", "max@1", "entropy"):
        (drawn,) = page.evaluate(HELD, column).values()
        assert np.allclose(drawn["y"], want[column][np.array(drawn["x"], int)], rtol=1e-6)
    button(page, "All runs").click()
    row = page.locator(".rl tr[data-status=finished]").first
    expect(row).to_contain_text("2,000 of 2,000")
    row.get_by_role("link").click()
    page.wait_for_url(re.compile(r"run=[0-9a-f]{12}$"))
    button(page, "Duplicate with changes").click()
    expect(page.get_by_label("Updates", exact=True)).to_have_value("2000")


def test_charts_keep_their_node_zoom_cursor_and_legend_while_a_run_is_steered(visit, store):
    page = open_run(visit, store.submit(LONG))
    badge(page, "running")
    wait_for_updates(page, 2)
    page.evaluate("window.node = document.querySelector('.lc-plot')")
    box = page.locator(".lc-plot").first.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 120, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, middle + 5, steps=4)
    page.mouse.up()
    page.wait_for_selector(".lc[data-range]")
    zoomed = page.evaluate(RANGES)
    assert zoomed[0][0] > 0
    assert all(other == zoomed[0] for other in zoomed)  # the charts' stretches are tied
    until(  # one cursor in all charts
        page, f"{HOVERS} == {CHARTS}", lambda: page.mouse.move(box["x"] + 180, middle, steps=2)
    )
    wait_for_updates(page, 20)
    assert page.evaluate("node.isConnected && node === document.querySelector('.lc-plot')")
    assert page.evaluate(RANGES) == zoomed
    assert page.evaluate(HOVERS) == CHARTS

    id = store.runs(status="running")[0].id
    page.get_by_role("slider", name="k, from the next update on").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text(re.compile("Changed by hand: k = 3, from update"))).to_be_visible()
    (change,) = store.changes(id)
    assert (change.k, change.learning_rate) == (3, None)
    page.get_by_role("slider", name="Learning rate").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text(re.compile("; learning rate = 1.26, from update"))).to_be_visible()
    assert store.changes(id)[1].learning_rate == 1.26
    until(
        page,
        "document.querySelector('.lc').dataset.range === ''",
        lambda: page.mouse.dblclick(box["x"] + 200, middle),
    )
    page.wait_for_selector(".lc figure[data-column=k] .annotation-text")
    page.wait_for_function("document.querySelector('.lc-plot').layout.shapes?.length === 2")
    mark = page.evaluate("document.querySelector('.lc-plot').layout.shapes.map(shape => shape.x0)")
    assert mark == [change.update for change in store.changes(id)]


@pytest.mark.slow
def test_reload_stop_resume_kill_and_two_tabs(visit, store):
    id = store.submit(LONG.replace(seed=1))
    page = open_run(visit, id)
    badge(page, "running")
    wait_for_step(page, 200)
    (before,) = page.evaluate(HELD, "max@1").values()
    page.reload()
    page.wait_for_selector(".lc[data-updates] .main-svg")
    wait_for_updates(page, 1)
    (after,) = page.evaluate(HELD, "max@1").values()
    assert after["x"][0] == 0 and after["last"] > before["last"]
    known = dict(zip(after["x"], after["y"], strict=True))
    both = [(y, known[x]) for x, y in zip(before["x"], before["y"], strict=True) if x in known]
    assert len(both) > 100 and all(a == b for a, b in both)

    other = open_run(visit, id, beside=page)
    button(other, "Stop").click()
    for tab in (page, other):
        badge(tab, "stopped")
    stopped_at = store.run(id).step
    button(page, "Resume").click()
    badge(page, "running")
    other.reload()
    badge(other, "running")
    wait_for_step(other, stopped_at + 1)

    os.kill(store.run(id).process.pid, signal.SIGKILL)
    badge(page, "interrupted")
    expect(page.get_by_text("its worker is gone")).to_be_visible()
    killed_at = store.run(id).step
    button(page, "Resume").click()
    badge(page, "running")
    wait_for_step(page, killed_at + 1)

    page.context.set_offline(True)
    problem = page.get_by_text("The server does not answer. Trying again.")
    expect(problem).to_be_visible()
    page.context.set_offline(False)
    expect(problem).to_be_hidden()
    wait_for_updates(page, 1)
    button(page, "Stop").click()
    badge(page, "stopped")
    button(page, "Delete").click()
    button(page, "Delete for good").click()
    page.wait_for_url(re.compile(r"/runs$"))
    assert id not in {run.id for run in store.runs()}
    other.reload()
    expect(other.get_by_text(f"there is no run {id}")).to_be_visible()


@pytest.mark.slow
def test_a_sweep_and_a_comparison(visit, store):
    page = visit("/runs?new=bandit&steps=400&seeds=2&vary=schedule+1+4", ready=False)
    button(page, "Start 4 runs").click()
    expect(page.locator(".stMarkdown table tr", has_text="k = 4")).to_contain_text(
        "2 of 2", timeout=60_000
    )
    (first,) = {run.sweep for run in store.runs(limit=4)}
    runs = store.runs(sweep=first)[::-1]
    values = [run.metrics["max@4"] for run in runs if run.config.schedule == "4"]
    error = np.std(values, ddof=1) / np.sqrt(2)
    wanted = f"{np.mean(values):.4f} ± {error:.4f}"
    expect(page.locator(".stMarkdown table tr", has_text="k = 4")).to_contain_text(wanted)
    page.wait_for_function(
        "document.querySelector('.lc').charts.series.get('k = 4')?.curves['max@4'].error?.length"
    )
    page.get_by_text("The 4 runs").click()
    for run in (runs[0], runs[2]):
        box = page.locator(f".rl input[value='{run.id}']")
        ticked = f"document.querySelector(`.rl input[value='{run.id}']`).checked"
        until(page, ticked, lambda box=box: box.is_checked() or box.click())
    button(page, "Compare 2 runs").click()
    page.wait_for_url(re.compile(f"compare={runs[0].id}"))
    expect(page.locator(".stMarkdown table", has_text="schedule")).to_be_visible()
    page.wait_for_function("document.querySelector('.lc').charts.series.size == 2")
    ends = [run.metrics["max@4"] for run in (runs[0], runs[2])]
    wanted = f"max@4{ends[0]:.4g}{ends[1]:.4g} ({ends[1] - ends[0]:+.3g})"
    expect(page.locator(".lc-numbers tr", has_text="max@4")).to_have_text(wanted)
    chips = page.locator(".lc-key button")
    chips.first.click()
    drawn = "document.querySelector('.lc-plot').data.length"
    page.wait_for_function(f"{drawn} == 1")


@pytest.mark.slow
def test_classroom(chromium, tmp_path):
    environment = {"PKPO_HOST_SECRET": "open sesame", "PKPO_DATA_DIR": str(tmp_path)}
    store = Store(tmp_path)
    with real.running_app("--classroom", "--server.address=127.0.0.1", **environment) as address:

        def someone(path: str):
            page = chromium.new_context().new_page()
            page.goto(address + path)
            return page

        student = someone("/runs?new=bandit&steps=50")
        button(student, "Start").click()
        student.wait_for_url(re.compile("run="))
        badge(student, "finished")
        (run,) = store.runs()
        assert re.fullmatch("[0-9a-f]{16}", run.owner)
        expect(button(student, "Delete")).to_be_visible()
        student.reload()  # still theirs
        expect(button(student, "Delete")).to_be_visible()

        other = someone(student.url.removeprefix(address))
        badge(other, "finished")
        expect(other.get_by_text("you may look at all runs")).to_be_visible()
        expect(button(other, "Delete")).to_have_count(0)

        other.goto(address + "/runs#host=guess")
        expect(other.get_by_text("This host link is not, or no longer, valid.")).to_be_visible()
        assert other.url == f"{address}/runs"

        host = other.context.new_page()
        host.goto(address + "/runs#host=open%20sesame")
        expect(host.get_by_text("You are the host.")).to_be_visible()
        assert host.url == f"{address}/runs"
        host.goto(student.url)
        expect(host.get_by_text("You are the host.")).to_be_visible()
        button(host, "Delete").click()
        button(host, "Delete for good").click()
        host.wait_for_url(re.compile("/runs$"))
        assert store.runs() == []
    for context in list(chromium.contexts):
        context.close()
    store.close()


@pytest.mark.slow
def test_fits_a_phone(visit, store, app_address):
    id = store.submit(LONG.replace(steps=50))
    page = visit("/runs", width=390, height=844, ready=False)
    for address, drawn in (
        ("", ".rl a"),
        ("?new=gaussian-hill&vary=n+8+16", "[data-testid=stNumberInput]"),
        (f"?run={id}", ".lc .main-svg"),
    ):
        page.goto(f"{app_address}/runs{address}")
        page.wait_for_selector(drawn)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
