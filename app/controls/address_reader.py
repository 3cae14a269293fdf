"""Read a page's settings from its address: known, unknown, repeated or unusable, by one rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import streamlit as st

from app.controls.markdown import problem_text

COMPLAINTS_SHOWN = 8
"""Complaints that are shown at once."""


def read_link(readers: Mapping[str, Callable[[str], Any]]) -> tuple[dict[str, Any], list[str]]:
    """The settings in the address, and what could not be used of it.

    Args:
      readers: by the name of a setting, what makes a value of its text or raises a ValueError.
    """
    values: dict[str, Any] = {}
    complaints = repeated_settings()
    for name, text in st.query_params.to_dict().items():
        try:
            if name not in readers:
                raise ValueError(unknown_setting(name))
            values[name] = readers[name](text)
        except ValueError as reason:
            complaints.append(str(reason))
    return values, complaints


def unknown_setting(name: str) -> str:
    """What is said of a setting that a page does not have."""
    return f"{name[:40]!r} is not a setting of this page"


def repeated_settings() -> list[str]:
    """What is said of settings that the address gives more than once."""
    return [
        f"{name[:40]} is given more than once; the last one counts"
        for name in st.query_params
        if len(st.query_params.get_all(name)) > 1
    ]


def show_complaints(complaints: Iterable[str]) -> None:
    """Say at the page's top what could not be used."""
    if shown := [f"- {problem_text(text)}" for text in complaints][:COMPLAINTS_SHOWN]:
        lines = "\n".join(shown)
        st.warning(
            f"Not everything in this link could be used:\n{lines}", icon=":material/link_off:"
        )
