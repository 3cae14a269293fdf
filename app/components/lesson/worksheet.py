"""The worksheet as a page of its own: the files that draw lessons, and data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


def _read(*names: str) -> str:
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


def worksheet_html(sheet: Sequence[dict[str, Any]]) -> str:
    """Two pages of questions and one with the key; it needs nothing else, and prints.

    Args:
      sheet: per question what `app.lessons.worksheet.pack_worksheet` puts there.
    """
    parts = {
        "style": _read("lesson.css", "worksheet.css"),
        "sheet": json.dumps(list(sheet)).replace("<", "\\u003c"),
        "script": _read("scene.js", "predict.js", "worksheet.js"),
    }
    page = _read("worksheet.html")
    for name, text in parts.items():
        page = page.replace("{{" + name + "}}", text)
    return page
