"""Text from outside as safe Markdown."""

from __future__ import annotations

import re

from pkpo.estimators import ESTIMATORS

PROBLEM_TEXT_CHARACTERS = 300
"""Characters of a complaint that are shown."""
_LINK = re.compile(r"https?:(?=//[^\s/]*\.)|www(?=\.)", re.IGNORECASE)
_LIST = re.compile(r"estimator must be one of [^']*got ('[^']*')")
_NAMED = re.compile(r"(?:estimator )?'([a-z_]+)'")
_JOINED = re.compile(rf"\b({'|'.join(key for key in ESTIMATORS if '_' in key)})\b")


def plain_text(text: str) -> str:
    """Text from outside, without Markdown's meaning; an address in it is no link."""
    text = _LINK.sub("\\g<0>\u2060", text)  # a sign of no width, as escapes do not help there
    return "".join("\\" + c if c in r"\`*_{}[]()<>#+-.!|$~:" else c for c in text)


def problem_text(reason: str | Exception) -> str:
    """What is wrong, for a page: a line of bounded length, with estimators by their labels."""
    text = _LIST.sub(r"there is no estimator \1", " ".join(str(reason).split()))
    text = _NAMED.sub(lambda found: _label(found[1]) or found[0], text)
    text = _JOINED.sub(lambda found: _label(found[1]) or found[0], text)
    return plain_text(
        text if len(text) <= PROBLEM_TEXT_CHARACTERS else text[:PROBLEM_TEXT_CHARACTERS] + " …"
    )


def code_text(text: str) -> str:
    """Text from outside as code, in one line."""
    line = " ".join(text.replace("`", "'").split())
    return f"`{line}`"


def _label(key: str) -> str:
    """An estimator's label; "" if there is none of this key."""
    return ESTIMATORS[key].label if key in ESTIMATORS else ""
