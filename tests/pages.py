"""A page of the app without a browser, at an address."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from streamlit.testing.v1 import AppTest

from tests.browser.browser import ROOT


def open_page(page: str, session: Mapping[str, Any] | None = None, **address: str) -> AppTest:
    """The page of that file in `app/app_pages/`, run with these settings in its address."""
    view = AppTest.from_file(str(ROOT / "app" / "script.py"), default_timeout=60)
    for name, value in (session or {}).items():
        view.session_state[name] = value
    view.run()
    view.switch_page(f"app_pages/{page}.py")
    for name, text in address.items():
        view.query_params[name] = text
    view.run()
    assert not view.exception, view.exception[0].value
    return view


def words_of(parts: Iterable[Any]) -> str:
    """What elements say, without Markdown's escapes and the links of terms."""
    text = "\n".join(part.value for part in parts).replace("\\", "")
    return re.sub(r"\[([^\]]*)\]\(glossary#[^)]*\)", r"\1", text)
