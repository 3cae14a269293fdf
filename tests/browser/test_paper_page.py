"""The page of the paper's figures in a real browser."""

from __future__ import annotations

import contextlib
import csv
import functools
import re

import pytest
from playwright.sync_api import expect

from pkpo import paper


@functools.cache
def carried_out() -> list[paper.FigureResult]:
    """The recipes whose data are there; the page says of others that they are not."""
    results = []
    for recipe in paper.RECIPES.values():
        with contextlib.suppress(ValueError):
            results.append(recipe.run(0))
    return results


def wait_for_all_figures(page) -> None:
    count = len(carried_out())
    page.wait_for_function(f"document.querySelectorAll('.js-plotly-plot').length == {count}")


def test_shows_every_figure_with_its_claims(visit):
    page = visit("/paper-figures", ready=False)
    results = carried_out()
    claims = [claim for result in results for claim in result.claims]
    for kind, words in paper.KINDS.items():
        own = [claim for claim in claims if claim.kind == kind]
        held, _, _ = paper.count_verdicts(own).values()
        expect(page.get_by_text(f"{words}: {held} of {len(own)} hold").first).to_be_visible()
    for recipe in paper.RECIPES.values():
        expect(page.get_by_role("heading", name=recipe.title)).to_be_visible()
    wait_for_all_figures(page)
    drawn = page.evaluate(
        """() => [...document.querySelectorAll('.js-plotly-plot')].map(plot =>
          plot._fullData.filter(t => t.hoverinfo !== 'skip').map(t => Array.from(t.y)))"""
    )
    fig4 = list(paper.RECIPES).index("fig4")
    assert [v for line in drawn[fig4] for v in line] == results[fig4].table["variance"]
    shown = results[0].claims[0].measured
    expect(page.get_by_text(shown)).to_be_visible()
    places = {result.key: place for place, result in enumerate(results)}
    fig7 = results[places["fig7"]]
    lines = drawn[places["fig7"]]
    assert sorted(y for line in lines for y in line) == sorted(fig7.table["mean"])
    grid, _ = fig7.grids
    for name, mean, error in zip(grid.rows[:2], grid.means[:, 0], grid.errors[:, 0], strict=False):
        told = (
            f" ± {error:.3f}" if name != "Before training" else ""
        )  # one measurement for all seeds
        row = page.get_by_role("row", name=f"{name} {mean:.3f}{told} ", exact=False)
        expect(row.first).to_be_visible()
    expect(page.get_by_text("trained on").first).to_be_visible()


@pytest.mark.slow
def test_another_seed_goes_to_the_url_and_the_downloads(visit):
    place = list(paper.RECIPES).index("fig4")
    page = visit("/paper-figures", ready=False)
    page.get_by_role("button", name="Another seed").click()
    expect(page.get_by_text("with seed 1")).to_be_visible()
    page.wait_for_url(re.compile(r"\?seed=1$"))
    page.wait_for_function(  # the figures are all those of the new seed
        "document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"
    )
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).nth(place).click()
    assert download.value.suggested_filename == "fig4.csv"
    with open(download.value.path(), encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["variance"]) for row in rows] == paper.RECIPES["fig4"].run(1).table[
        "variance"
    ]
    again = visit("/paper-figures?seed=1", ready=False)
    expect(again.get_by_text("with seed 1")).to_be_visible()
    expect(again.get_by_label("Random seed", exact=True)).to_have_value("1")


def test_a_bad_seed_in_the_url(visit):
    page = visit("/paper-figures?seed=lots", ready=False)
    expect(page.get_by_role("alert")).to_contain_text("seed must be a whole number, got 'lots'")
    expect(page.get_by_text("with seed 0")).to_be_visible()


@pytest.mark.slow
def test_fits_a_phone(visit):
    page = visit("/paper-figures", width=390, height=844, ready=False)
    wait_for_all_figures(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    # No axis' title lies on a panel; where panels stand side by side, the figure scrolls.
    covered = page.evaluate(
        """() => [...document.querySelectorAll('.js-plotly-plot')].flatMap(plot => {
          const box = node => node.getBoundingClientRect();
          const panels = [...plot.querySelectorAll('.nsewdrag')].map(box);
          return [...plot.querySelectorAll('[class^="g-y"][class$="title"]')].filter(title => {
            const own = box(title);
            return own.width && panels.some(panel =>
              own.left + 2 < panel.right && own.right - 2 > panel.left &&
              own.top < panel.bottom && own.bottom > panel.top);
          }).map(title => title.textContent);
        })"""
    )
    assert not covered
    frame = page.locator("[class*=st-key-panels-3-fig3]")
    assert frame.evaluate("frame => frame.scrollWidth") > 2 * 390
