"""The variance lab's page without a browser."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.browser.browser import ROOT


def open_lab(**address: str) -> AppTest:
    page = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=60)
    page.run()
    page.switch_page("app_pages/variance_lab.py")
    for name, text in address.items():
        page.query_params[name] = text
    page.run()
    assert not page.exception
    return page


def test_too_many_outcome_counts_are_said():
    page = open_lab(problem="graded", n="64")
    assert "n = 64 and 4 reward levels cannot be" in page.info[0].value.replace("\\", "")
    assert page.slider(key="_lab_n").value == 64  # the way back
