"""What a page has made of a visitor's input: in their session alone, until they leave the page."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import streamlit as st

_T = TypeVar("_T")
_KEY = "page_memory"


def remember(place: str, key: Hashable, make: Callable[[], _T]) -> _T:
    """What `make` gives, made anew when the key of that place is another one; read-only.

    A place holds one thing, so that a page holds no more than it has places.
    """
    kept: dict[str, tuple[Hashable, Any]] = st.session_state.setdefault(_KEY, {})
    if place not in kept or kept[place][0] != key:
        kept.pop(place, None)  # before there is another
        kept[place] = key, make()
    return kept[place][1]


def forget(place: str = "") -> None:
    """Drop what a place holds, or all of it."""
    if place:
        st.session_state.get(_KEY, {}).pop(place, None)
    else:
        st.session_state.pop(_KEY, None)
