"""Text from outside on a page."""

from __future__ import annotations


def plain(text: str) -> str:
    """Text from outside, without Markdown's meaning."""
    return "".join("\\" + c if c in r"\`*_{}[]()<>#+-.!|$~:" else c for c in text)


def code(text: str) -> str:
    """Text from outside as code, in one line."""
    line = " ".join(text.replace("`", "'").split())
    return f"`{line}`"
