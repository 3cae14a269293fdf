"""The link to a page as it is, with a few of its controls only."""

from __future__ import annotations

import streamlit as st

from app.controls.problem_address import (
    SHOW,
    current_settings,
    is_assignment,
    kept_controls,
    settings_address,
)
from app.controls.problem_spec import ProblemPage

_BEGINS_WITH = ("schedule", "n")


def choose_kept_controls(page: ProblemPage) -> dict[str, str]:
    """Ask which controls stay in view.

    Returns:
      The settings in the address of the page as it is, with these controls only.
    """
    kept = st.multiselect(
        "Controls that stay",
        list(page.control_names),
        default=_BEGINS_WITH,
        format_func=page.control_names.__getitem__,
        key=f"_{page.address}_kept",
        help="All others are hidden from whoever opens the link; the settings stay as they are now.",
    )
    return settings_address(page, current_settings(page)) | {SHOW: ",".join(kept)}


def describe_assignment(page: ProblemPage) -> str:
    """What is said of a page with a few of its controls; "" where all are in view."""
    names = [page.control_names[name] for name in kept_controls(page)]
    if not is_assignment(page):
        return ""
    return f"An assignment: its link keeps {', '.join(names) or 'no controls'} in view."
