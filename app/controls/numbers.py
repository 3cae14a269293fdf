"""The one control of a number: what is typed and cannot be used is said, never changed in silence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.controls.markdown import problem_text


def number_input(
    label: str,
    low: float,
    high: float,
    *,
    key: str,
    on_change: Callable[[], None],
    step: float | None = None,
    place: Any = st,
    **more: Any,
) -> None:
    """Draw it. The session's state holds the value under `key`: an int where a whole number is wanted.

    Streamlit's own control of a whole number reads 1e9 as 1 and takes its lowest value for what is no
    number. One of a float says that 1e9 is too much, and one that may be empty tells of the rest.

    Args:
      label: what it is.
      low: the least that is allowed.
      high: the most.
      key: where its value is.
      on_change: called once a number that is allowed has been typed, with it under `key`.
      step: of the buttons; by default 1 for whole numbers.
      place: where to draw it, and what is wrong with it below.
      more: passed on.
    """
    whole = isinstance(st.session_state[key], int)
    refused = f"{key} refused"

    def take() -> None:
        typed = st.session_state[key]
        if typed is None or (whole and not float(typed).is_integer()):
            wanted = f"a whole number from {low} to {high}" if whole else f"from {low} to {high}"
            got = "none" if typed is None else f"{typed:g}"
            st.session_state[refused] = f"{label}: must be {wanted}, got {got}"
            return
        if whole:
            st.session_state[key] = int(typed)
        on_change()

    st.session_state[key] = float(st.session_state[key])
    if whole:
        step = step or 1
    place.number_input(
        label,
        float(low),
        float(high),
        None,
        float(step) if step else None,
        "%g",
        key=key,
        on_change=take,
        **more,
    )
    if problem := st.session_state.pop(refused, ""):
        place.error(problem_text(problem), icon=":material/error:")
