"""What the command line prints: short lines on any terminal, and JSON that every reader takes."""

from __future__ import annotations

import io
import json
import math
import re
import sys
from typing import Any

WORD, LINE = 120, 600  # characters of a word, of a line, before they are cut


def shorten(text: object) -> str:
    """A message as one line of bounded length, whatever value of the caller's it repeats."""
    cut = re.sub(
        rf"\S{{{WORD + 1},}}", lambda word: word[0][: WORD - 3] + "...", str(text)[: 100 * LINE]
    )
    line = " ".join(cut.split())
    return line if len(line) <= LINE else line[: LINE - 3] + "..."


def to_json(value: Any) -> str:
    """A value as JSON; numbers that are not finite, which JSON does not know, are null."""
    return json.dumps(_finite(value), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    return [_finite(part) for part in value] if isinstance(value, (list, tuple)) else value


def print_anything() -> None:
    """Let the standard output replace the characters that its encoding does not have."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
