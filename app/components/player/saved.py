"""A study as one HTML file that plays without Python, server or network."""

from __future__ import annotations

import base64
import gzip
import html
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
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


LINE_POINTS = 1200
"""Of a line that is drawn, at most, but for its end: no screen shows more."""


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
    parts = {
        "title": html.escape(title),
        "message": html.escape(message),
        "styles": _theme() + (_HERE / "saved.css").read_text(encoding="utf-8") + PLAYER_CSS,
        "player": PLAYER_HTML,
        "pictures": PICTURE_BUTTONS,
        "command": html.escape(study["command"]),
        "settings": html.escape(settings),
        "packed": base64.b64encode(packed_content(study, exact)).decode(),
        "script": player_script("saved_entry").replace("</script", "<\\/script"),
    }
    page = (_HERE / "saved.html").read_text(encoding="utf-8")
    before, *rest = page.split("{{")
    return before + "".join(
        parts[name] + after for name, _, after in (part.partition("}}") for part in rest)
    )


def packed_content(study: dict[str, Any], exact: dict[str, Any]) -> bytes:
    """Recording and plotly.js, packed by gzip.

    The runs' columns stand behind the JSON, first the lowest bytes of all numbers, at last the highest:
    so the highest, which hardly differ, take little room. Weights keep five digits, more than are
    written anywhere; lines are drawn through about `LINE_POINTS` points at most.
    """
    columns: list[bytes] = []
    runs = []
    for run in study["runs"]:
        numbers = {name: base64.b64decode(text) for name, text in run["columns"].items()}
        numbers["weights"] = _five_digits(numbers["weights"])
        columns += numbers.values()
        counts = {name: len(raw) // 4 for name, raw in numbers.items()}
        runs.append({**run, "columns": counts})
    content = {
        "plotly": PLOTLY_FILE.read_text(encoding="utf-8"),
        "study": {
            **study,
            "runs": runs,
            "figures": {
                name: {**figure, "json": _lean_figure(figure["json"])}
                for name, figure in study["figures"].items()
            },
        },
        "exact": exact,
    }
    words = json.dumps(content).encode()
    planes = np.frombuffer(b"".join(columns), np.uint8).reshape(-1, 4).T.tobytes()
    return gzip.compress(struct.pack("<I", len(words)) + words + planes, mtime=0)


def _five_digits(raw: bytes) -> bytes:
    """Numbers of single precision, rounded to 16 of their 23 binary places."""
    bits = np.frombuffer(raw, np.uint32)
    return ((bits + np.uint32(1 << 6)) & np.uint32(0xFFFFFF80)).tobytes()


def _lean_figure(text: str) -> str:
    """A figure of Plotly's with arrays of single precision, through at most `LINE_POINTS` points.

    A trace that carries lists or tables beside its points stays as it is.
    """
    found = json.loads(text)
    for trace in found["data"]:
        packed = {name: part for name, part in trace.items() if "bdata" in _keys(part)}
        if any(isinstance(part, list) or "shape" in _keys(part) for part in trace.values()):
            continue
        arrays = {
            name: np.frombuffer(base64.b64decode(part["bdata"]), part["dtype"])
            for name, part in packed.items()
        }
        points = max(map(len, arrays.values()), default=0)
        stride = max(1, -(-points // LINE_POINTS))
        for name, values in arrays.items():
            lean = values
            if stride > 1 and len(values) == points:
                lean = values[np.unique(np.r_[0:points:stride, points - 1])]
            if lean.dtype == np.float64:
                lean = lean.astype(np.float32)
            raw = base64.b64encode(lean.tobytes()).decode()
            trace[name] = {"dtype": lean.dtype.str[1:], "bdata": raw}
    return json.dumps(found)


def _keys(part: Any) -> Any:
    return part if isinstance(part, dict) else ()


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
