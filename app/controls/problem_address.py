"""A problem page's settings: what they are, and their two-way binding to the URL.

A setting has one name everywhere: the field of the task's config, the URL parameter, the command-line
option and the widget's key. The URL holds what differs from the page's default, as text that
`parse_value` of `pkpo.training.tasks.registry` reads; Streamlit's own binding is not used because it
would put labels there in place of the names that the command line takes, and correct a bad value in
silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.controls.address_reader import repeated_settings, unknown_setting
from app.controls.player_view import read_view, split_view
from app.controls.problem_spec import COMPARISONS, ProblemPage
from pkpo.comparisons.settings import COMPARE_LIMIT, parse_comparison
from pkpo.fields import FieldError, format_value
from pkpo.training.tasks.registry import parse_value

OFF = "off"  # the URL's word for no comparison
SHOW = "show"  # the URL's word for the controls of an assignment


def page_memory(page: ProblemPage) -> dict[str, Any]:
    """What a visitor's session remembers of a page, also while another page is open."""
    return st.session_state.setdefault(f"page {page.task}", {})


def sync_from_url(page: ProblemPage, entered: bool) -> None:
    """Take the settings from the address where it is new: first opened, or gone back to.

    What cannot be used is left at its default and kept as a notice for `notices`.

    Args:
      page: the page that is open.
      entered: whether this run came from another page, whose address says nothing of this one.
    """
    address, given = split_view(st.query_params.to_dict())
    known = page_memory(page).get("address")
    by_link = entered and not address and not given
    if known is not None and (address == known or by_link or is_url_behind(page)):
        page_memory(page)["waiting"] = by_link or is_url_behind(page)
        if entered:
            _take_view(page, given)
        return
    settings = {name: text for name, text in address.items() if name != SHOW}
    values, problems = read_address(page, settings)
    shown = None
    if SHOW in address:
        shown, wrong = read_shown(page, address[SHOW])
        problems += wrong
    problems += repeated_settings()
    page_memory(page).update(values=values, address=address, waiting=False, shown=shown)
    page_memory(page)["notices"] = problems + _take_view(page, given)


def _take_view(page: ProblemPage, given: Mapping[str, str]) -> list[str]:
    """Keep what the address says of the player's view, for the player; what was wrong with it."""
    values = current_settings(page)
    runs = len(settings_of_runs(page, values)) if _possible(page, values) else 1
    view, problems = read_view(given, values["steps"], runs)
    serial = page_memory(page).get("view", {}).get("serial", 0) + 1
    page_memory(page)["view"] = {**view, "path": page.address, "serial": serial}
    return problems


def player_view(page: ProblemPage) -> dict[str, Any]:
    """What the page's player begins with; see `app.components.player.show_player`."""
    return page_memory(page)["view"]


def read_shown(page: ProblemPage, text: str) -> tuple[tuple[str, ...], list[str]]:
    """The controls that an assignment keeps in view, and what was wrong with their names.

    Args:
      page: the page that is open.
      text: names of controls, parted by commas; "" for none at all.
    """
    known = page.control_names
    named = list(dict.fromkeys(filter(None, (name.strip() for name in text.split(",")))))
    wrong = [
        f"show: {name[:40]!r} is no control of this page; there are {', '.join(known)}"
        for name in named
        if name not in known
    ]
    return tuple(name for name in known if name in named), wrong


def is_shown(page: ProblemPage, name: str) -> bool:
    """Whether a control is in view: all are, where the address does not say which."""
    shown = page_memory(page).get("shown")
    return shown is None or name in shown


def is_assignment(page: ProblemPage) -> bool:
    """Whether the address says which controls are in view."""
    return page_memory(page).get("shown") is not None


def kept_controls(page: ProblemPage) -> tuple[str, ...]:
    """The names of the controls in view."""
    return tuple(name for name in page.control_names if is_shown(page, name))


def current_settings(page: ProblemPage) -> dict[str, Any]:
    """The page's settings. Widgets are views of them: a widget that is not drawn loses its state."""
    return page_memory(page)["values"]


def setting_view(page: ProblemPage, name: str) -> dict[str, Any]:
    """Key and callback of a widget that shows one setting as it is."""
    st.session_state[name] = current_settings(page)[name]

    def take() -> None:
        current_settings(page)[name] = st.session_state[name]

    return {"key": name, "on_change": take}


def read_address(page: ProblemPage, address: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Every setting's value from an address, and what was wrong with it."""
    values, problems = page.defaults, []
    for name, text in address.items():
        try:
            if name not in values:
                raise ValueError(unknown_setting(name))
            values[name] = _read(page, name, text)
        except ValueError as reason:
            problems.append(str(reason))
    if not problems:
        try:
            settings_of_runs(page, values)
        except ValueError as reason:
            problems.append(str(reason))
    if problems and not _possible(page, values):
        values = page.defaults
    return values, problems


def settings_of_runs(page: ProblemPage, values: Mapping[str, Any]) -> tuple[Any, ...]:
    """The runs that the page's values ask for.

    Raises:
      ValueError: an impossible setting, or more than this page computes at once.
    """
    shared = {name: values[name] for name in page.fields}
    configs = parse_comparison({"task": page.task, **shared}, values["compare"])
    for name, limit in page.limits.items():
        if (largest := max(getattr(c, name) for c in configs)) > limit:
            raise FieldError(name, f"{name} must be at most {limit} on this page, got {largest}")
    count = sum(page.count(c) * (c.steps + 1) for c in configs)
    if count > page.count_limit:
        raise FieldError(
            "steps",
            f"steps: {count:,} {page.counted} in all are too many for this page (at most "
            f"{page.count_limit:,}); lower the updates or n, or run the command",
        )
    return configs


def _read(page: ProblemPage, name: str, text: str) -> Any:
    if name != "compare":
        return parse_value(name, text, page.limits.get(name))
    if text == OFF:
        return ""
    field, *values = text.split() or [""]
    if field not in COMPARISONS or not field:
        raise FieldError("compare", f"compare: cannot compare by {field[:40]!r}")
    if not 1 <= len(values) <= COMPARE_LIMIT:
        raise FieldError(
            "compare", f"compare: give from 1 to {COMPARE_LIMIT} values, got {len(values)}"
        )
    for value in values:
        _read(page, field, value)
    return " ".join([field, *values])


def _possible(page: ProblemPage, values: Mapping[str, Any]) -> bool:
    try:
        settings_of_runs(page, values)
    except ValueError:
        return False
    return True


def settings_address(page: ProblemPage, values: Mapping[str, Any]) -> dict[str, str]:
    """The address that `read_address` reads as these settings."""
    defaults = page.defaults
    return {
        name: format_value(value) if name != "compare" else value or OFF
        for name, value in values.items()
        if value != defaults[name]
    }


def write_address(page: ProblemPage, values: Mapping[str, Any]) -> None:
    """Bring the browser's address in step with the settings, once it shows this page's path."""
    address = settings_address(page, values)
    if is_assignment(page):
        address[SHOW] = ",".join(kept_controls(page))
    differs = address != split_view(st.query_params.to_dict())[0]
    if differs and not is_url_behind(page):
        st.query_params.from_dict(address)
    page_memory(page).update(address=address, waiting=differs and is_url_behind(page))


def is_url_behind(page: ProblemPage) -> bool:
    """Whether the address must wait: a link runs the page first and changes the browser's path later."""
    return page_memory(page).get("waiting", False)


def url_arrived(page: ProblemPage) -> None:
    """The browser shows the page's path, without settings as yet; now they can be written."""
    page_memory(page).update(waiting=False, address=split_view(st.query_params.to_dict())[0])


def apply_settings(page: ProblemPage, values: Mapping[str, Any]) -> None:
    """Set these settings, and all others to their defaults."""
    page_memory(page).update(values=page.defaults | dict(values), notices=[])


def as_long_run(page: ProblemPage) -> dict[str, str]:
    """The address of the form for a long run, filled with the page's settings."""
    values = current_settings(page)
    changed = {
        name: format_value(values[name])
        for name, field in page.fields.items()
        if name != "steps" and values[name] != field.default
    }
    return {"new": page.task, **changed} | (
        {"vary": values["compare"]} if values["compare"] else {}
    )
