"""A problem page's settings: what they are, and their two-way binding to the URL.

A setting has one name everywhere: the field of the task's config, the URL parameter, the command-line
option and the widget's key. The URL holds what differs from the page's default, as text that
`pkpo.config.parse_value` reads; Streamlit's own binding is not used because it would put labels
there in place of the names that the command line takes, and correct a bad value in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.controls.link import repeated, unknown
from app.controls.page import COMPARISONS, Page
from pkpo.config import COMPARE_LIMIT, compared, format_value, parse_value

OFF = "off"  # the URL's word for no comparison


def memory(page: Page) -> dict[str, Any]:
    """What a visitor's session remembers of a page, also while another page is open."""
    return st.session_state.setdefault(f"page {page.task}", {})


def sync_from_url(page: Page, entered: bool) -> None:
    """Take the settings from the address where it is new: first opened, or gone back to.

    What cannot be used is left at its default and kept as a notice for `notices`.

    Args:
      page: the page that is open.
      entered: whether this run came from another page, whose address says nothing of this one.
    """
    address = st.query_params.to_dict()
    known = memory(page).get("address")
    by_link = entered and not address
    if known is not None and (address == known or by_link or waiting(page)):
        memory(page)["waiting"] = by_link or waiting(page)
        return
    values, problems = read_address(page, address)
    problems += repeated()
    memory(page).update(values=values, notices=problems, address=address, waiting=False)


def current(page: Page) -> dict[str, Any]:
    """The page's settings. Widgets are views of them: a widget that is not drawn loses its state."""
    return memory(page)["values"]


def view(page: Page, name: str) -> dict[str, Any]:
    """Key and callback of a widget that shows one setting as it is."""
    st.session_state[name] = current(page)[name]

    def take() -> None:
        current(page)[name] = st.session_state[name]

    return {"key": name, "on_change": take}


def read_address(page: Page, address: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Every setting's value from an address, and what was wrong with it."""
    values, problems = page.defaults, []
    for name, text in address.items():
        try:
            if name not in values:
                raise ValueError(unknown(name))
            values[name] = _read(page, name, text)
        except ValueError as reason:
            problems.append(str(reason))
    if not problems:
        try:
            settings(page, values)
        except ValueError as reason:
            problems.append(str(reason))
    if problems and not _possible(page, values):
        values = page.defaults
    return values, problems


def settings(page: Page, values: Mapping[str, Any]) -> tuple[Any, ...]:
    """The runs that the page's values ask for.

    Raises:
      ValueError: an impossible setting, or more than this page computes at once.
    """
    shared = {name: values[name] for name in page.fields}
    configs = compared({"task": page.task, **shared}, values["compare"])
    for name, limit in page.limits.items():
        if (largest := max(getattr(c, name) for c in configs)) > limit:
            raise ValueError(f"{name} must be at most {limit} on this page, got {largest}")
    count = sum(page.count(c) * (c.steps + 1) for c in configs)
    if count > page.count_limit:
        raise ValueError(
            f"steps: {count:,} {page.counted} in all are too many for this page (at most "
            f"{page.count_limit:,}); lower the updates or n, or run the command"
        )
    return configs


def _read(page: Page, name: str, text: str) -> Any:
    if name != "compare":
        return parse_value(name, text, page.limits.get(name))
    if text == OFF:
        return ""
    field, *values = text.split() or [""]
    if field not in COMPARISONS or not field:
        raise ValueError(f"compare: cannot compare by {field[:40]!r}")
    if not 1 <= len(values) <= COMPARE_LIMIT:
        raise ValueError(f"compare: give from 1 to {COMPARE_LIMIT} values, got {len(values)}")
    for value in values:
        _read(page, field, value)
    return " ".join([field, *values])


def _possible(page: Page, values: Mapping[str, Any]) -> bool:
    try:
        settings(page, values)
    except ValueError:
        return False
    return True


def write_address(page: Page, values: Mapping[str, Any]) -> None:
    """Bring the browser's address in step with the settings, once it shows this page's path."""
    defaults = page.defaults
    address = {
        name: format_value(value) if name != "compare" else value or OFF
        for name, value in values.items()
        if value != defaults[name]
    }
    differs = address != st.query_params.to_dict()
    if differs and not waiting(page):
        st.query_params.from_dict(address)
    memory(page).update(address=address, waiting=differs and waiting(page))


def waiting(page: Page) -> bool:
    """Whether the address must wait: a link runs the page first and changes the browser's path later."""
    return memory(page).get("waiting", False)


def arrived(page: Page) -> None:
    """The browser shows the page's path, without settings as yet; now they can be written."""
    memory(page).update(waiting=False, address=st.query_params.to_dict())


def apply(page: Page, values: Mapping[str, Any]) -> None:
    """Set these settings, and all others to their defaults."""
    memory(page).update(values=page.defaults | dict(values), notices=[], written_out=False)


def as_long_run(page: Page) -> dict[str, str]:
    """The address of the form for a long run, filled with the page's settings."""
    values = current(page)
    changed = {
        name: format_value(values[name])
        for name, field in page.fields.items()
        if name != "steps" and values[name] != field.default
    }
    return {"new": page.task, **changed} | (
        {"vary": values["compare"]} if values["compare"] else {}
    )
