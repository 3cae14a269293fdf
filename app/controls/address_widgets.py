"""Widgets whose values the address keeps, where it differs from the default."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st


def bind(page: str, name: str, value: Any, default: Any, **more: Any) -> dict[str, Any]:
    """Key and callback of such a widget; `more` is passed on."""
    key = f"_{page}_{name}"
    st.session_state[key] = value

    def take() -> None:
        chosen = st.session_state[key]
        text = " ".join(chosen) if isinstance(chosen, list) else str(chosen)
        if chosen is None or text == str(default):
            st.query_params.pop(name, None)
        else:
            st.query_params[name] = text

    return {"key": key, "on_change": take, **more}


TYPED: dict[str, Any] = {"accept_new_options": True, "filter_mode": "prefix", "select_all": False}
"""A list to which exactly what is typed is added: Enter takes neither a likely match nor all of them."""


def suggested(chosen: Sequence[str], word: str) -> Callable[[str], str]:
    """Labels of such a list: chosen values as they are, suggestions behind a word.

    So no value that is typed is the beginning of a suggestion's label.
    """
    return lambda value: value if value in chosen else f"{word} {value}"


def typed(texts: Sequence[str], word: str = "") -> list[str]:
    """What such a list holds: each once, without blanks and the word of a suggestion."""
    bare = ("".join(text.split()).removeprefix("".join(word.split())) for text in texts)
    return list(dict.fromkeys(bare))


def one_of(name: str, options: Sequence[str]) -> Callable[[str], str]:
    """A reader of texts that must be one of a few; raises ValueError at others."""

    def read(text: str) -> str:
        if text not in options:
            raise ValueError(f"{name} must be one of {', '.join(options)}, got {text[:40]!r}")
        return text

    return read
