"""What "Save" gives, in a real browser: a file that plays by itself, and pictures."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from pyarrow import parquet

from app import cached, controls
from app.components import player
from app.components.player.saved import saved_page
from app.controls.problem_address import read_address, settings_of_runs
from app.presets import BANDIT_PRESETS, HILL_PRESETS
from pkpo.comparisons import comparison_columns, comparison_json
from pkpo.comparisons.settings import command_line
from tests.browser.browser import cards, scrub

SIZE_LIMIT = 3_000_000
DRAWN = """() => {
  const numbers = (of, name) => [...document.querySelectorAll(of)].map(n => Number(n.dataset[name]));
  return { theta: numbers('.pk-stand', 'theta'), chances: numbers('.pk-arm', 'probability'),
    worth: numbers('[data-chart=value] .pk-ring', 'value') };
}"""


@pytest.fixture
def play_from_disk(chromium, tmp_path):
    """Open a saved file with the network off; nothing but the file itself may be asked for."""
    wrong = []
    context = chromium.new_context(offline=True)

    def open_file(file):
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(f"page error: {error}"))
        page.on("console", lambda message: wrong.append(f"console: {message.text}"))
        page.on(
            "request",
            lambda request: (
                request.url.startswith(("data:", "blob:"))
                or request.url == file.as_uri()
                or wrong.append(f"request to {request.url}")
            ),
        )
        page.goto(file.as_uri())
        page.wait_for_selector(".pk-player[data-ready]")
        return page

    yield open_file
    context.close()
    assert not wrong, wrong


def test_the_saved_file_plays_from_disk(visit, play_from_disk, tmp_path):
    page = visit("/toy-problem")
    page.get_by_role("button", name="Save", exact=False).first.click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="This page, one HTML file").click()
    file = tmp_path / saved.value.suggested_filename
    saved.value.save_as(file)
    with page.expect_download() as table:
        page.get_by_role("button", name="Every update, Parquet").click()
    columns = parquet.read_table(table.value.path())
    scrub(page, 120)
    with page.expect_download() as picture:
        page.get_by_role("button", name="Picture at the play head, SVG").click()
    drawing = ElementTree.parse(picture.value.path())
    assert picture.value.suggested_filename == "gaussian-hill-update-120.svg"
    with page.expect_download() as picture:
        page.get_by_role("button", name="Picture at the play head, PNG").click()
    assert picture.value.path().read_bytes()[:4] == b"\x89PNG"

    configs = HILL_PRESETS[0].runs("gaussian-hill")
    study, styles = cached.cached_comparison(configs)
    want = comparison_columns(study, [label for label, _ in styles])
    assert columns.to_pydict() == {name: curve.tolist() for name, curve in want.items()}
    said = " ".join(node.text or "" for node in drawing.iter() if node.tag.endswith("text"))
    assert "Update 120 of 300" in said and f"Settings: {command_line(configs)}" in said
    stands = [n for n in drawing.iter() if "pk-stand" in n.get("class", "")]
    assert [float(n.get("data-theta")) for n in stands] == pytest.approx(
        [run["theta"][120] for run in study.recordings], abs=1e-6
    )

    assert file.stat().st_size < SIZE_LIMIT
    page = play_from_disk(file)
    for update in (0, 57, 300):
        scrub(page, update)
        drawn = page.evaluate(DRAWN)
        want = [run["theta"][update] for run in study.recordings]
        assert drawn["theta"] == pytest.approx(want, abs=1e-6), update
        worth = [reached[update] for reached in study.reached]
        assert drawn["worth"] == pytest.approx(worth, abs=1e-6), update
        for text, run in zip(cards(page), study.recordings, strict=True):
            assert f"max@1 {run['max@1'][update]:.3f}" in text
    page.click("[data-do=rewind]")
    page.click("[data-do=play]")
    page.wait_for_function("document.querySelector('.pk-player').dataset.frame > 20")
    assert page.locator(".pk-controls").is_hidden()
    page.get_by_text("Command and settings").click()
    assert page.get_by_text(command_line(configs), exact=True).is_visible()


def saved_text(configs, title="", message="") -> str:
    study, _ = cached.cached_comparison(configs)
    return saved_page(
        cached.cached_playback(configs),
        player.exact_payload(configs[0]),
        title=title,
        message=message,
        settings=comparison_json(study),
    )


def test_a_saved_bandit_draws_its_own_numbers(play_from_disk, tmp_path):
    file = tmp_path / "bandit.html"
    configs = BANDIT_PRESETS[0].runs("bandit")
    study, _ = cached.cached_comparison(configs)
    text = saved_text(configs, "<b>", "a & b")
    assert len(text.encode()) < SIZE_LIMIT
    file.write_text(text, encoding="utf-8")
    page = play_from_disk(file)
    assert page.inner_text("h1") == "<b>"
    scrub(page, 40)
    want = study.probabilities[-1][40].ravel()  # of the run in focus
    assert page.evaluate(DRAWN)["chances"] == pytest.approx(np.float32(want).tolist(), abs=1e-7)


ESTIMATORS = "estimator s sloo sloo_minus_one canonical"
LARGEST = [
    (controls.HILL_PAGE, {"compare": "schedule 1 4 16 64", "n": "256"}),
    (controls.HILL_PAGE, {"compare": "schedule 1 2 4 8", "n": "16"}),
    (controls.HILL_PAGE, {"compare": "schedule 1 2 4 8", "n": "8"}),
    (controls.HILL_PAGE, {"compare": ESTIMATORS, "schedule": "8", "n": "64"}),
    (controls.BANDIT_PAGE, {"compare": "schedule 1 4 16 64", "n": "256"}),
    (controls.BANDIT_PAGE, {"compare": "schedule 1 2 4 8", "n": "16"}),
    (controls.BANDIT_PAGE, {"compare": ESTIMATORS, "bandit": "crowded", "n": "16"}),
]
"""To be run for as long as the page allows."""


@pytest.mark.slow
@pytest.mark.parametrize(("page", "given"), LARGEST)
def test_the_file_of_a_page_s_largest_settings_is_small(page, given):
    def runs(steps: int):
        values, problems = read_address(page, {**given, "steps": str(steps)})
        assert not problems
        return settings_of_runs(page, values)

    configs = runs(page.count_limit // sum(map(page.count, runs(1))) - 1)
    text = saved_text(configs)
    print(page.address, given, configs[0].steps, f"{len(text.encode()) / 1e6:.2f} MB")
    assert len(text.encode()) < SIZE_LIMIT
