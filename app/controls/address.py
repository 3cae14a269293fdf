"""The toy page's settings: what they are, and their two-way binding to the URL.

A setting has one name everywhere: the field of `RunConfig`, the URL parameter, the command-line
option and the widget's key. The URL holds what differs from the page's default, as text that
`pkpo.config.parse_value` reads; Streamlit's own binding is not used because it would put labels
there in place of the names that the command line takes, and correct a bad value in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.presets import PRESETS
from pkpo.config import (
    COMPARE_LIMIT,
    OPTIMIZERS,
    compared,
    fields_of,
    format_value,
    parse_value,
)
from pkpo.estimators import ESTIMATORS

SAMPLE_LIMIT = 150_000  # of all compared runs together: instant on the page; more by command
LIMITS = {"n": 256, "steps": 5000}  # this page's, below the library's

FIELDS = fields_of("gaussian-hill")
SETTINGS = tuple(FIELDS)
DEFAULTS = {name: FIELDS[name].default for name in SETTINGS} | {"compare": PRESETS[0].compare}
OFF = "off"  # the URL's word for no comparison

CONTINUOUS = tuple(name for name, entry in ESTIMATORS.items() if not entry.binary)
"""The estimators for rewards that are not 0 or 1."""
SUGGESTIONS = {
    "schedule": ("1", "2", "4", "8", "16", "8@0,1@150", "linear:8->1@200", "cosine:8->1@200"),
    "estimator": CONTINUOUS,
    "n": ("8", "16", "32", "64"),
    "learning_rate": ("0.002", "0.005", "0.01", "0.02"),
    "optimizer": tuple(OPTIMIZERS),
}


def sync_from_url(entered: bool) -> None:
    """Take the settings from the address where it is new: first opened, or gone back to.

    What cannot be used is left at its default and kept as a notice for `notices`.

    Args:
      entered: whether this run came from another page, whose address says nothing of this one.
    """
    address = st.query_params.to_dict()
    known = st.session_state.get("address")
    if known is not None and (address == known or (entered and not address)):
        return
    values, problems = read_address(address)
    for name in address:
        if len(st.query_params.get_all(name)) > 1:
            problems.append(f"{name[:40]} is given more than once; the last one counts")
    st.session_state["values"] = values
    st.session_state["notices"] = problems
    st.session_state["address"] = address


def current() -> dict[str, Any]:
    """The page's settings. Widgets are views of them: a widget that is not drawn loses its state."""
    return st.session_state["values"]


def view(name: str) -> dict[str, Any]:
    """Key and callback of a widget that shows one setting as it is."""
    st.session_state[name] = current()[name]

    def take() -> None:
        current()[name] = st.session_state[name]

    return {"key": name, "on_change": take}


def read_address(address: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Every setting's value from an address, and what was wrong with it."""
    values, problems = dict(DEFAULTS), []
    for name, text in address.items():
        try:
            if name not in DEFAULTS:
                raise ValueError(f"{name[:40]!r} is not a setting of this page")
            values[name] = _read(name, text)
        except ValueError as reason:
            problems.append(str(reason))
    if not problems:
        try:
            settings(values)
        except ValueError as reason:
            problems.append(str(reason))
    if problems and not _possible(values):
        values = dict(DEFAULTS)
    return values, problems


def settings(values: Mapping[str, Any]) -> tuple[Any, ...]:
    """The runs that the page's values ask for.

    Raises:
      ValueError: an impossible setting, or more than this page computes at once.
    """
    configs = compared({name: values[name] for name in SETTINGS}, values["compare"])
    for name, limit in LIMITS.items():
        if (largest := max(getattr(c, name) for c in configs)) > limit:
            raise ValueError(f"{name} must be at most {limit} on this page, got {largest}")
    samples = sum(c.n * (c.steps + 1) for c in configs)
    if samples > SAMPLE_LIMIT:
        raise ValueError(
            f"steps: {samples:,} samples in all are too many for this page (at most "
            f"{SAMPLE_LIMIT:,}); lower the updates or n, or run the command"
        )
    return configs


def _read(name: str, text: str) -> Any:
    if name != "compare":
        return parse_value(name, text, LIMITS.get(name))
    if text == OFF:
        return ""
    field, *values = text.split() or [""]
    if field not in SUGGESTIONS:
        raise ValueError(f"compare: cannot compare by {field[:40]!r}")
    if not 1 <= len(values) <= COMPARE_LIMIT:
        raise ValueError(f"compare: give from 1 to {COMPARE_LIMIT} values, got {len(values)}")
    for value in values:
        _read(field, value)
    return " ".join([field, *values])


def _possible(values: Mapping[str, Any]) -> bool:
    try:
        settings(values)
    except ValueError:
        return False
    return True


def write_address(values: Mapping[str, Any]) -> None:
    """Bring the browser's address in step with the settings."""
    address = {
        name: format_value(value) if name != "compare" else value or OFF
        for name, value in values.items()
        if value != DEFAULTS[name]
    }
    if address != st.query_params.to_dict():
        st.query_params.from_dict(address)
    st.session_state["address"] = address


def apply(values: Mapping[str, Any]) -> None:
    """Set these settings, and all others to their defaults."""
    st.session_state["values"] = DEFAULTS | dict(values)
    st.session_state["notices"] = []
    st.session_state["written_out"] = False
