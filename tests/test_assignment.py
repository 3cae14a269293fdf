"""Links that keep a few controls of a page in view."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from app import controls
from app.controls.problem_spec import CONTROL_NAMES
from tests.test_app import open_bandit_page, open_toy_page

PAGES = {
    "toy": (open_toy_page, controls.HILL_PAGE),
    "bandit": (open_bandit_page, controls.BANDIT_PAGE),
}
LABELS = {
    "compare": "Compare",
    "estimator": "Estimator",
    "optimizer": "Optimizer",
    "steps": "Updates",
    "theta": "Start θ",
    "sigma": "σ of the policy",
    "learn_sigma": "Learn σ too",
    "shape": "Reward",
    "bandit": "Bandit",
    "sharing": "What prompts share",
    "examples": "Examples",
}


def labels(page: AppTest) -> set[str]:
    """The controls that are in view, of those that Streamlit draws."""
    kinds = ("selectbox", "number_input", "checkbox", "button_group")
    found = {widget.label for kind in kinds for widget in page.get(kind)}
    return found & set(LABELS.values())


def address_of(page: AppTest) -> dict[str, str]:
    """The settings in the page's address."""
    return {
        name: text if isinstance(text, str) else text[-1]
        for name, text in page.query_params.items()
    }


@pytest.mark.parametrize("name", PAGES)
def test_without_a_link_every_control_is_there(name):
    open_page, page = PAGES[name]
    assert set(page.control_names) == {*CONTROL_NAMES, *page.own}
    several = {"bandit": "crowded"} if name == "bandit" else {}
    shown = open_page(compare="off", **several)
    assert labels(shown) == {LABELS[one] for one in page.control_names if one in LABELS}
    assert any(button.label == "Reset everything" for button in shown.button)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("kept", ["", "n", "estimator,n", "steps", "examples", "compare,optimizer"])
def test_a_link_keeps_what_it_names(name, kept):
    open_page, _ = PAGES[name]
    page = open_page(show=kept, compare="off", n="12")
    assert labels(page) == {LABELS[one] for one in kept.split(",") if one in LABELS}
    assert not page.warning and not any(b.label == "Reset everything" for b in page.button)
    assert set(address_of(page)["show"].split(",")) == set(kept.split(","))
    assert address_of(page)["n"] == "12"


@pytest.mark.parametrize("name", PAGES)
def test_a_bad_name_gets_a_sentence(name):
    open_page, known = PAGES[name]
    page = open_page(show="n,colour,<b>", compare="off")
    assert labels(page) == set()
    [warning] = page.warning
    assert "'colour' is no control of this page; there are examples, schedule" in warning.value
    assert "<b>" not in warning.value


def test_the_page_offers_the_link():
    page = open_toy_page(n="12", compare="off")
    kept = page.multiselect(key="_toy-problem_kept")
    kept.set_value(["seed", "schedule"]).run()
    [link] = [code.value for code in page.code if "show=" in code.value]
    settings = dict(parse_qsl(urlsplit(link).query))
    assert urlsplit(link).path.endswith("/toy-problem")
    assert settings == {"n": "12", "compare": "off", "show": "seed,schedule"}
    opened = open_toy_page(**settings)
    assert labels(opened) == set() and not opened.warning
    assert "keeps k and its schedule, seed in view" in " ".join(c.value for c in opened.caption)


def test_an_assignment_stays_when_settings_change():
    page = open_toy_page(show="steps", compare="off")
    page.number_input(key="steps").set_value(150).run()
    assert labels(page) == {"Updates"}
    assert {**address_of(page), "compare": ""} == {"show": "steps", "steps": "150", "compare": ""}
