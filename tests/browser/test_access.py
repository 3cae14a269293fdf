"""Every page can be read and worked: axe-core's rules, charts' contrast, nothing cut, whole on paper."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from pkpo.runs import Store
from pkpo.training.tasks.bandit import BanditConfig
from tests.browser.browser import at_rest

AXE = Path(__file__).parent / "axe" / "axe.min.js"
PAGES = {
    "start": "/",
    "learn": "/learn",
    "learn, to try": "/learn?lesson=wrong-goal&step=4",
    "toy problem": "/toy-problem",
    "bandit": "/bandit",
    "language model": "/language-model",
    "language model, train": "/language-model?view=train",
    "language model, group": "/language-model?view=group",
    "language model, problems": "/language-model?view=problems",
    "language model, playground": "/language-model?view=playground",
    "runs": "/runs",
    "new run": "/runs?new=bandit",
    "finished run": "/runs?run={run}",
    "estimators": "/estimators",
    "trainer clinic": "/estimators?view=clinic",
    **{
        f"variance lab, {view}": f"/variance-lab?view={view}"
        for view in ("map", "curves", "dial", "cloud", "budget", "targets", "rates", "value")
    },
    "paper figures": "/paper-figures",
    "which k": "/which-k",
    "your results": "/your-results",
    "glossary": "/glossary",
    "class": "/class",
}
SCREENS = [(width, dark) for width in (1440, 390) for dark in (False, True)]
ONCE = {
    name: SCREENS[place % len(SCREENS)]
    for place, name in enumerate(
        (
            "start",
            "toy problem",
            "language model",
            "bandit",
            "new run",
            "finished run",
            "paper figures",
            "estimators",
            "variance lab, dial",
            "runs",
            "glossary",
            "which k",
            "your results",
            "trainer clinic",
        )
    )
}
"""What the quick tier looks at: every page on one screen, every screen at least twice."""

IMPACTS = ("serious", "critical")
ALSO = ("empty-table-header",)
"""Rules that count though axe-core calls them minor."""

PAPER = {"portrait": (718, 1047), "landscape": (1047, 718)}
"""What A4 has room for within 1 cm, in CSS pixels."""

FAINT = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (rgb) => rgb.map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const page = numbers(getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor);
  const words = ['.xtick', '.ytick', '.cbaxis', '.g-xtitle', '.g-ytitle', '.g-gtitle', '.legend',
    '.cbtitle'];
  const found = [...document.querySelectorAll(words.map((word) => `.js-plotly-plot ${word} text`))];
  const ratio = (text) => {
    const { fill, fillOpacity, opacity } = getComputedStyle(text);
    const [r, g, b, a = 1] = numbers(fill);
    const share = a * fillOpacity * opacity;
    const seen = [r, g, b].map((c, i) => share * c + (1 - share) * page[i]);
    const [high, low] = [luminance(seen), luminance(page)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const low = found.filter((text) => ratio(text) < 4.5);
  return { texts: found.length, plots: document.querySelectorAll('.js-plotly-plot').length,
    low: low.map((text) => `${text.textContent}: ${ratio(text).toFixed(2)}`) };
}"""

CUT = """() => {
  const cut = [];
  for (const row of document.querySelectorAll('[role=radiogroup], [data-testid=stTopNav]'))
    if (row.scrollWidth > row.clientWidth + 1) cut.push(`${row.innerText.slice(0, 40)} is cut`);
  for (const plot of document.querySelectorAll('.js-plotly-plot')) {
    const box = plot.getBoundingClientRect();
    for (const text of plot.querySelectorAll('text')) {
      const { left, right, top, bottom, width } = text.getBoundingClientRect();
      const across = left < box.left - 1 || right > box.right + 1;
      if (width && (across || top < box.top - 1 || bottom > box.bottom + 1))
        cut.push(`${text.textContent} is cut`);
    }
  }
  const main = document.querySelector('[data-testid=stMain]');
  if (main.scrollWidth > main.clientWidth + 1) cut.push('the page scrolls sideways');
  return cut;
}"""

OFF_PAPER = """() => {
  const shown = (node) => node.getClientRects().length && getComputedStyle(node).visibility !== 'hidden';
  const wrong = [];
  for (const controls of ['[data-testid=stSidebar]', '[data-testid=stHeader]', '.stMain .stButton',
      '.stMain .stPopover', '.stMain .stSlider', '.stMain .stSelectbox', '.pk-bar button'])
    if ([...document.querySelectorAll(controls)].some(shown)) wrong.push(`${controls} is printed`);
  const whole = '.stMain :is(h1, h2, h3, p, pre, table, figure, .main-svg)';
  for (const node of document.querySelectorAll(whole)) {
    const { left, right } = node.getBoundingClientRect();
    if (shown(node) && (left < -1 || right > innerWidth + 1))
      wrong.push(`${node.tagName} ${node.textContent.slice(0, 40)} from ${left} to ${right}`);
  }
  const main = getComputedStyle(document.querySelector('[data-testid=stMain]'));
  if (main.overflow !== 'visible') wrong.push('the page ends with the screen');
  if (getComputedStyle(document.querySelector('.stApp')).backgroundColor !== 'rgb(255, 255, 255)')
    wrong.push('dark paper');
  return wrong;
}"""


@pytest.fixture(scope="session")
def run(app_address, app_data) -> str:
    """The id of a run that soon ends."""
    store = Store(app_data)
    id = store.submit(BanditConfig(n=8, schedule="2", steps=20))
    store.close()
    return id


def findings(page: Page) -> list[str]:
    """What axe-core finds against a page."""
    page.add_script_tag(path=str(AXE))
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")["violations"]
    return [
        f"{rule['id']}: {node['target']} {node['html'][:120]} {node['failureSummary'][:200]}"
        for rule in found
        if rule["impact"] in IMPACTS or rule["id"] in ALSO
        for node in rule["nodes"]
    ]


def check(visit, run: str, name: str, width: int, dark: bool) -> None:
    height = 900 if width > 1000 else 844
    page = visit(PAGES[name].format(run=run), width=width, height=height, dark=dark, ready=False)
    if name == "finished run":
        page.wait_for_selector(".stMarkdownBadge:has-text('finished')")
    at_rest(page)  # page_frame.js looks for what scrolls a moment after the last change
    assert findings(page) == []
    seen = page.evaluate(FAINT)
    assert seen["low"] == []
    assert seen["texts"] >= 4 * seen["plots"]
    assert page.evaluate(CUT) == []
    if width > 1000:
        assert not page.get_by_test_id("stTopNav").get_by_text("more").is_visible()
    page.emulate_media(media="print")
    for width, height in PAPER.values():
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(OFF_PAPER) == []


EVERYDAY = (
    "start",
    "learn",
    "toy problem",
    "bandit",
    "language model",
    "paper figures",
    "estimators",
)


@pytest.mark.parametrize(
    "name",
    [name if name in EVERYDAY else pytest.param(name, marks=pytest.mark.slow) for name in ONCE],
)
def test_every_page_once(visit, run, name):
    check(visit, run, name, *ONCE[name])


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), SCREENS)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_on_every_screen(visit, run, name, width, dark):
    check(visit, run, name, width, dark)
