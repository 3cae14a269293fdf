"""The player's own files, as a page of the app and a saved file use them."""

from __future__ import annotations

from pathlib import Path

from app.components.wire import script
from pkpo import figures

_HERE = Path(__file__).parent
_FILES = (
    "marks",
    "charts",
    "exact",
    "hill",
    "bandit",
    "rates",
    "../live",
    "schedule_chart",
    "world",
    "controls",
    "paid",
    "picture",
    "player",
)
"""Each needs those before it."""

PLAYER_HTML = (_HERE / "player.html").read_text(encoding="utf-8")
PICTURE_BUTTONS = (_HERE / "picture_buttons.html").read_text(encoding="utf-8")
PLAYER_CSS = (
    (_HERE / "player.css").read_text(encoding="utf-8")
    + f".pk-towards {{ background: {figures.TOWARDS}; }}"
    + f" .pk-away {{ background: {figures.AWAY}; }}"
    + f" .pk-none {{ background: {figures.NO_WEIGHT}; }}"
)


def player_script(*entry: str) -> str:
    """The player's script, begun by its last file: "page_entry" or "saved_entry"."""
    return script(_HERE, *_FILES, *entry)
