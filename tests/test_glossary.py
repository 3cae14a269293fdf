"""The glossary: what must be in it, what links to it, and the numbers of its pictures."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.glossary import GLOSSARY, SECTIONS, estimator_slug, link_terms, term_link
from app.glossary.cards import card_html, glossary_routes
from app.glossary.pictures import PICTURED_BINARY_GROUP, PICTURED_GROUP, PICTURED_K
from pkpo.estimators import ESTIMATORS, transform
from tests.browser.browser import ROOT
from tests.pages import open_page

WANTED = """pass-at-k max-at-k k n group k-opt-and-k-eval policy theta rho unbiased weight baseline
centred dead-groups ways-to-be-right schedule annealing entropy held-out strict answer-mark s loo loo-1
canonical tzsm25 grpo maxrl tailrl""".split()
LINK = re.compile(r"glossary#([a-z0-9-]+)")
SHIPPED_ESTIMATORS = tuple(ESTIMATORS)
LINKED = (
    "start",
    "toy_problem",
    "bandit",
    "estimators",
    "variance_lab",
    "language_model",
    "paper_figures",
)
"""Pages on which terms are explained."""


def test_every_wanted_term_has_an_entry():
    assert set(WANTED) <= set(GLOSSARY)


@pytest.mark.parametrize("key", SHIPPED_ESTIMATORS)
def test_every_estimator_has_an_entry_that_agrees_with_the_registry(key):
    found, entry = GLOSSARY[estimator_slug(key)], ESTIMATORS[key]
    assert entry.label in found.name
    assert found.formula == f"w_i = {entry.formula}"
    assert entry.reference in found.source
    assert entry.optimises in found.source


@pytest.mark.parametrize("slug", GLOSSARY)
def test_an_entry_is_whole(slug):
    entry = GLOSSARY[slug]
    assert entry.slug == slug
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert entry.section in SECTIONS
    assert 5 <= len(entry.meaning.split()) <= 60
    assert entry.source
    assert "<img" in card_html(entry)
    assert ("<math" in card_html(entry)) == bool(entry.formula)


@pytest.mark.parametrize("slug", GLOSSARY)
def test_a_picture_is_well_formed_and_stays_inside(slug):
    svg = ElementTree.fromstring(GLOSSARY[slug].picture())
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    assert svg[0].tag.endswith("title") and svg[0].text
    for mark in svg:
        for name, most in (("x", width), ("y", height), ("cx", width), ("cy", height)):
            assert 0 <= float(mark.get(name, 0)) <= most
        for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", mark.get("d", "")):
            assert 0 <= float(x) <= width and 0 <= float(y) <= height


@pytest.mark.parametrize("key", SHIPPED_ESTIMATORS)
def test_an_estimators_picture_has_the_engines_weights(key):
    rewards = np.array(PICTURED_BINARY_GROUP if ESTIMATORS[key].binary else PICTURED_GROUP)
    weights = transform(rewards, PICTURED_K, key)
    svg = ElementTree.fromstring(GLOSSARY[estimator_slug(key)].picture())
    bars = [mark for mark in svg if mark.tag.endswith("rect")]
    heights = np.array([float(bar.get("height")) for bar in bars])
    largest = np.abs(weights).argmax()
    assert heights == pytest.approx(np.abs(weights / weights[largest]) * heights[largest], abs=0.1)
    zero = next(float(re.match(r"M\d+ ([\d.]+)H", m.get("d"))[1]) for m in svg if m.get("d"))
    for bar, weight in zip(bars, weights, strict=True):
        edge = float(bar.get("y")) + (float(bar.get("height")) if weight > 0 else 0)
        assert edge == pytest.approx(zero, abs=0.15)


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("pass@k and pass@16", "[pass@k](glossary#pass-at-k) and pass@16"),
        ("at k = 8, task", "at [k](glossary#k) = 8, task"),
        ("loo-1 and loo", "[loo-1](glossary#loo-1) and [loo](glossary#loo)"),
        ("Dr. GRPO, GRPO", "[Dr. GRPO](glossary#dr-grpo), [GRPO](glossary#grpo)"),
        ("`k = 8` $\\rho = ρ$ [ρ](#x) :green[ρ]", "`k = 8` $\\rho = ρ$ [ρ](#x) :green[ρ]"),
        ("**weights** heights", "**[weights](glossary#weight)** heights"),
        ("7 #### 8", "7 [####](glossary#answer-mark) 8"),
        ("### Heading", "### Heading"),
        ("nothing here", "nothing here"),
    ],
)
def test_terms_are_linked_where_a_text_has_them_first(text, linked):
    assert link_terms(text) == linked


def test_a_link_to_no_entry_is_refused():
    with pytest.raises(ValueError, match="slug must be one of .*pass-at-k.* got 'pass'"):
        term_link("pass")


@pytest.mark.parametrize(
    "name",
    [*LINKED[:-2], *(pytest.param(name, marks=pytest.mark.slow) for name in LINKED[-2:])],
)
def test_pages_explain_their_terms(name):
    page = open_page(name)
    texts = [element.value for element in [*page.markdown, *page.caption]]
    slugs = set(LINK.findall(" ".join(texts)))
    assert slugs
    assert slugs <= set(GLOSSARY)


def test_every_term_used_in_a_source_exists():
    sources = [*(ROOT / "app").rglob("*.py"), *(ROOT / "app").rglob("*.html")]
    used = {slug for path in sources for slug in LINK.findall(path.read_text(encoding="utf-8"))}
    assert used
    assert used <= set(GLOSSARY)


def test_the_page_shows_every_entry_under_its_address():
    page = open_page("glossary")
    anchors = {heading.anchor: heading.value for heading in page.subheader}
    assert list(anchors) == [e.slug for s in SECTIONS for e in GLOSSARY.values() if e.section == s]
    assert len(page.latex) == sum(bool(entry.formula) for entry in GLOSSARY.values())


def test_the_server_answers_with_every_card():
    with TestClient(Starlette(routes=glossary_routes())) as client:
        cards = client.get("/glossary.json").json()
    assert cards == {slug: card_html(entry) for slug, entry in GLOSSARY.items()}
