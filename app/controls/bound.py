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


def one_of(name: str, options: Sequence[str]) -> Callable[[str], str]:
    """A reader of texts that must be one of a few; raises ValueError at others."""

    def read(text: str) -> str:
        if text not in options:
            raise ValueError(f"{name} must be one of {', '.join(options)}, got {text[:40]!r}")
        return text

    return read
