"""The control of a page whose only setting is a seed."""

from __future__ import annotations

import streamlit as st

from app.controls.text import plain
from pkpo.config import parse_value

LARGEST = 2**32 - 2  # so that there is always another


def seed(name: str) -> int:
    """The seed in the address; says beside the page's top if what is there is none."""
    text = st.query_params.get(name, "0")
    try:
        return parse_value("seed", text, LARGEST)
    except ValueError as reason:
        st.warning(f"This link could not be used as it is: {plain(str(reason))}")
        return 0


def seed_input(name: str) -> None:
    """The control of that seed, and a button that draws another."""
    key = f"_{name}_of_page"
    st.session_state[key] = _seed_or_default(name)

    def change() -> None:
        _set_seed(name, st.session_state[key])

    def another() -> None:
        _set_seed(name, _seed_or_default(name) + 1)

    st.number_input("Random seed", 0, LARGEST, key=key, on_change=change, width=180)
    st.button("Another seed", icon=":material/casino:", on_click=another)


def _seed_or_default(name: str) -> int:
    try:
        return parse_value("seed", st.query_params.get(name, "0"), LARGEST)
    except ValueError:
        return 0


def _set_seed(name: str, value: int) -> None:
    if value:
        st.query_params[name] = str(value)
    else:
        st.query_params.pop(name, None)
