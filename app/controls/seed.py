"""The control of a page whose only setting is a seed."""

from __future__ import annotations

from functools import partial

import streamlit as st

from app.controls.address_reader import read_link, show_complaints
from app.controls.numbers import number_input
from pkpo.training.tasks.registry import parse_value

LARGEST = 2**32 - 2  # so that there is always another


def read_seed(name: str) -> int:
    """The seed in the address, the page's only setting; says so if what is there cannot be used."""
    given, complaints = read_link({name: partial(parse_value, "seed", at_most=LARGEST)})
    show_complaints(complaints)
    return given.get(name, 0)


def seed_input(name: str) -> None:
    """The control of that seed, and a button that draws another."""
    key = f"_{name}_of_page"
    st.session_state[key] = _seed_or_default(name)

    def change() -> None:
        _set_seed(name, st.session_state[key])

    def another() -> None:
        _set_seed(name, _seed_or_default(name) + 1)

    number_input("Random seed", 0, LARGEST, key=key, on_change=change, width=180)
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
