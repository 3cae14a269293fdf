"""A study as one HTML file that plays without Python, server or network."""

from __future__ import annotations

import base64
import gzip
import html
import json
from pathlib import Path
from typing import Any

import streamlit as st

from app.components.player.assets import (
    PICTURE_BUTTONS,
    PLAYER_CSS,
    PLAYER_HTML,
    player_script,
)
from app.components.wire import PLOTLY_FILE
from pkpo.figures.style import FONT

_HERE = Path(__file__).parent
_COLOURS = {
    "primary-color": "primaryColor",
    "background-color": "backgroundColor",
    "secondary-background-color": "secondaryBackgroundColor",
    "text-color": "textColor",
    "border-color": "borderColor",
}
"""The player's names of the theme's colours."""


def saved_page(
    study: dict[str, Any], exact: dict[str, Any], *, title: str, message: str, settings: str
) -> str:
    """The whole file: recording, player, plotly.js (these two packed by gzip), settings and command.

    Args:
      study: from `player_payload`.
      exact: from `exact_payload`.
      title: what the page asks.
      message: what the runs say, in plain words.
      settings: every run's, in JSON.
    """
    content = {"plotly": PLOTLY_FILE.read_text(encoding="utf-8"), "study": study, "exact": exact}
    packed = gzip.compress(json.dumps(content).encode(), mtime=0)
    parts = {
        "title": html.escape(title),
        "message": html.escape(message),
        "styles": _theme() + (_HERE / "saved.css").read_text(encoding="utf-8") + PLAYER_CSS,
        "player": PLAYER_HTML,
        "pictures": PICTURE_BUTTONS,
        "command": html.escape(study["command"]),
        "settings": html.escape(settings),
        "packed": base64.b64encode(packed).decode(),
        "script": player_script("saved_entry").replace("</script", "<\\/script"),
    }
    page = (_HERE / "saved.html").read_text(encoding="utf-8")
    before, *rest = page.split("{{")
    return before + "".join(
        parts[name] + after for name, _, after in (part.partition("}}") for part in rest)
    )


def _theme() -> str:
    """The app's colours, light and dark, as the variables that Streamlit gives to components."""
    colours = "".join(
        f"--st-{name}: light-dark({st.get_option(f'theme.light.{option}')}, "
        f"{st.get_option(f'theme.dark.{option}')}); "
        for name, option in _COLOURS.items()
    )
    return (
        f":root {{ color-scheme: light dark; --st-font: {FONT}; {colours}"
        "--st-red-text-color: light-dark(#b3261e, #ff8a80); }\n"
    )
