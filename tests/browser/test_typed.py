"""What is typed into lists and fields is what is used, or it is said why not."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import expect

from pkpo.runs import Store
from pkpo.training.tasks.bandit import BanditConfig
from tests.test_addresses import INJECTED

AT_REST = "document.querySelector('.stApp')?.dataset.testScriptState === 'notRunning'"
COMPARED = "k, or a schedule of k"


def chips(page) -> list[str]:
    """What stands in the page's list."""
    return page.locator(".react-aria-ComboBox [data-tag]").evaluate_all(
        "all => all.map(tag => tag.getAttribute('aria-label'))"
    )


def add(page, label: str, text: str) -> None:
    """Type a value into a list once the page is at rest, and press Enter when the list has seen it."""
    page.wait_for_function(AT_REST)
    box = page.get_by_role("combobox", name=label, exact=True)
    box.fill(text)
    expect(box).to_have_attribute("aria-expanded", "true")
    box.press("Enter")


def expect_list(page, name: str, given: str, shown: list[str]) -> None:
    """Wait for what the address says, and for what stands in the list."""
    page.wait_for_function(
        "([name, given]) => new URLSearchParams(location.search).get(name) === given",
        arg=[name, given],
    )
    page.wait_for_function(
        "shown => JSON.stringify([...document.querySelectorAll("
        "'.react-aria-ComboBox [data-tag]')].map(t => t.getAttribute('aria-label'))) === shown",
        arg=json.dumps(shown, separators=(",", ":"), ensure_ascii=False),
    )


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/toy-problem", "/bandit"])
def test_a_compared_value_is_added_as_typed(visit, path):
    page = visit(f"{path}?compare=schedule+1")
    for count, text in enumerate(("2", "5"), 2):
        add(page, COMPARED, text)
        typed = ["1", "2", "5"][:count]
        expect_list(page, "compare", " ".join(["schedule", *typed]), typed)
    add(page, COMPARED, "0")
    expect(page.get_by_text("k must be from 1 to 1000000, got 0")).to_be_visible()
    expect_list(page, "compare", "schedule 1 2 5", ["1", "2", "5", "0"])
    page = visit(f"{path}?compare=schedule+1")
    for count, text in enumerate(("12", "8@0,1@100"), 2):
        add(page, COMPARED, text)
        typed = ["1", "12", "8@0,1@100"][:count]
        expect_list(page, "compare", " ".join(["schedule", *typed]), typed)
    add(page, COMPARED, "12")  # is there already
    page.wait_for_timeout(1000)
    assert chips(page) == ["1", "12", "8@0,1@100"]


@pytest.mark.slow
def test_a_run_s_values_are_added_as_typed(visit):
    page = visit("/runs?new=bandit&vary=schedule+1", ready=False)
    typed = ["1"]
    for text in ("2", "5", "12", "8@0,1@100"):
        add(page, "Values of k", text)
        typed.append(text)
        expect_list(page, "vary", " ".join(["schedule", *typed]), typed)
    expect(page.get_by_text("Start 5 runs")).to_be_visible()
    add(page, "Values of k", "5")
    page.wait_for_timeout(1000)
    assert chips(page) == typed
    page.get_by_role("combobox", name="Values of k").fill("")
    add(page, "Values of k", "0")
    expect(page.get_by_text("k must be from 1 to 1000000, got 0")).to_be_visible()
    expect_list(page, "vary", " ".join(["schedule", *typed, "0"]), [*typed, "0"])


@pytest.mark.slow
def test_what_to_train_is_added_as_typed(visit):
    page = visit("/language-model?view=train&train=k1", ready=False)
    add(page, "Train", "2")
    expect_list(page, "train", "k1 2", ["k = 1", "k: 2"])
    add(page, "Train", "5")
    expect_list(page, "train", "k1 2 5", ["k = 1", "k: 2", "k: 5"])
    add(page, "Train", "5")
    page.wait_for_timeout(1000)
    assert chips(page) == ["k = 1", "k: 2", "k: 5"]
    page.get_by_role("combobox", name="Train", exact=True).fill("")
    add(page, "Train", "0")
    expect(page.get_by_text("k must be from 1 to 1000000, got 0")).to_be_visible()
    expect_list(page, "train", "k1 2 5 0", ["k = 1", "k: 2", "k: 5", "k: 0"])


def test_an_invalid_group_keeps_the_last_picture(visit):
    page = visit("/estimators?rewards=0+0+1&k=2", ready=False)
    best = page.get_by_text("The mean best of every 2 of these 3 is")
    expect(best).to_be_visible()
    box = page.get_by_label("Rewards of one group", exact=True)
    box.fill("0 0 x")
    box.press("Enter")
    said = page.get_by_text("numbers within a million, got '0 0 x'; the picture is as before")
    expect(said).to_be_visible()
    expect(best).to_be_visible()
    expect(box).to_have_value("0 0 x")
    below = said.bounding_box()["y"] - box.bounding_box()["y"]
    assert 0 < below < 150  # beside the field
    page = visit("/estimators?k=99", ready=False)
    limit = page.get_by_text("k must be from 1 to 6, got 99")
    expect(limit).to_be_in_viewport()
    across = limit.bounding_box()["x"] - page.get_by_label("k", exact=True).bounding_box()["x"]
    assert abs(across) < 100


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "label", "setting"),
    [
        ("/runs?new=bandit", "Seeds", "seeds"),
        ("/estimators", "k", "k"),
    ],
)
def test_a_number_that_cannot_be_used_is_said(visit, path, label, setting):
    page = visit(path, ready=False)
    box = page.get_by_label(label, exact=True)
    expect(box).not_to_have_value("")
    before = box.input_value()

    def enter(text: str) -> None:
        box.focus()
        box.press("ControlOrMeta+a")
        page.keyboard.type(text)
        box.press("Enter")

    said = page.get_by_text(re.compile(f"^{label}: must be a whole number from "))
    enter("1.5")
    expect(said).to_contain_text("got 1.5")
    expect(box).to_have_value(before)
    enter("1e999")
    expect(said).to_contain_text("got none")
    expect(box).to_have_value(before)
    enter("1e12")  # the browser's own message
    assert box.evaluate("box => box.validity.rangeOverflow")
    assert setting not in parse_qs(urlsplit(page.url).query)
    enter("12")
    page.wait_for_url(re.compile(rf"[?&]{setting}=12$|[?&]{setting}=12&"))
    expect(said).to_have_count(0)


@pytest.mark.slow
def test_nothing_that_is_given_becomes_html(visit, app_data):
    store = Store(app_data)
    small = BanditConfig(n=8, schedule="4", steps=9)
    ids = [store.submit(small, name=name[:80]) for name in INJECTED]
    for id in ids:
        store.stop(id)
    asked = [("runs", {}), ("runs", {"compare": " ".join(ids)})]
    asked += [("runs", {"run": id}) for id in ids[:5]]
    pages = (
        "toy-problem",
        "bandit",
        "estimators",
        "language-model",
        "variance-lab",
        "paper-figures",
    )
    for path in pages:
        names = [
            *INJECTED[:3],
            "n",
            "shape",
            "bandit",
            "rewards",
            "show",
            "question",
            "model",
            "seed",
        ]
        texts = [*INJECTED] * 2
        asked.append((path, dict(zip(names, texts, strict=False))))
    page = visit("/runs", ready=False)
    start = page.evaluate("location.origin")
    for path, address in asked:
        page.goto(f"{start}/{path}?{urlencode(address)}")
        page.wait_for_function(AT_REST)
        for wrong in (".evil", "a[href^=javascript]", "[src*='192.0.2.1']", "[href*='192.0.2.1']"):
            assert page.locator(wrong).count() == 0, (path, address, wrong)
    for id in ids:
        store.delete(id)
