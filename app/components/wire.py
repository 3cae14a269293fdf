"""Encoding of arrays and scripts that all components share (browser side: `wire.js`)."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np

PLOTLY_FILE = Path(__file__).parents[1] / "static" / "plotly" / "plotly-basic-4.1.1.min.js"
"""What charts are drawn with; see the README beside it."""
PLOTLY_URL = f"./app/static/plotly/{PLOTLY_FILE.name}"


def floats(values: Any) -> str:
    """An array as the browser reads it: float32, little-endian, in base64."""
    return base64.b64encode(np.ascontiguousarray(values, np.float32).tobytes()).decode()


def script(folder: Path, *names: str) -> str:
    """A component's script: what is shared, then its files, each of which needs those before it."""
    files = [Path(__file__).with_suffix(".js"), *(folder / f"{name}.js" for name in names)]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)
