"""The controls of "Which k?": tries, group size, pass rates and updates, all in the address."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import streamlit as st

from app.controls.address_reader import read_link, show_complaints
from app.controls.numbers import number_input
from app.glossary import GLOSSARY
from pkpo.analysis.k_choice import CHOICE_N_LIMITS, TRIES_LIMIT
from pkpo.fields import parse_whole

RATE_EXAMPLES = {
    "Of every kind": "0.9x5 0.5x5 0.2x5 0.05x5 0.01x5",
    "Mostly hard": "0.02x20 0.1x3",
    "Half easy, half hopeless": "0.9x10 0x10",
    "All alike": "0.3x20",
}
CHOICE_UPDATES = (1, 1_000_000)
RATES_CHARACTERS = 4000
_DEFAULTS = {"tries": 8, "n": 16, "updates": 300}
_LIMITS = {"tries": (1, TRIES_LIMIT), "n": CHOICE_N_LIMITS, "updates": CHOICE_UPDATES}
_LABELS = {
    "tries": "Tries when it is used",
    "n": "Samples per group, n",
    "updates": "Updates of the training",
}
_HELP = {
    "tries": "How many answers are drawn for one problem, of which the best is kept.",
    "n": GLOSSARY["n"].meaning,
    "updates": "Only for where the schedule switches.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WhichKSettings:
    """What is asked."""

    tries: int
    n: int
    updates: int
    rates: str
    """Text, read by `pkpo.analysis.parse_rates`."""


def _short_rates(text: str) -> str:
    if len(text) > RATES_CHARACTERS:
        raise ValueError(f"rates must have at most {RATES_CHARACTERS} characters, got {len(text)}")
    return text


def which_k_settings() -> WhichKSettings:
    """Draw the numbers; what the address holds, and says wrong, at the page's top."""
    readers = {
        name: partial(parse_whole, name, low=low, high=high)
        for name, (low, high) in _LIMITS.items()
    }
    given, complaints = read_link({**readers, "rates": _short_rates})
    show_complaints(complaints)
    values = _DEFAULTS | {name: given[name] for name in _DEFAULTS if name in given}
    for (name, value), place in zip(values.items(), st.columns(3), strict=True):
        key = f"_which_k_{name}"
        st.session_state[key] = value
        low, high = _LIMITS[name]
        number_input(
            _LABELS[name],
            low,
            high,
            key=key,
            on_change=partial(_keep_number, name, key),
            place=place,
            help=f"{_HELP[name]} From {low:,} to {high:,}.",
        )
    rates = given.get("rates", next(iter(RATE_EXAMPLES.values())))
    return WhichKSettings(**values, rates=rates)


def rates_input(rates: str) -> None:
    """Examples of pass rates, and a field for one's own."""
    st.session_state["_which_k_rates"] = rates
    st.session_state["_which_k_example"] = next(
        (name for name, text in RATE_EXAMPLES.items() if text == rates), None
    )

    def choose() -> None:
        if chosen := st.session_state["_which_k_example"]:
            _keep_rates(RATE_EXAMPLES[chosen])

    st.pills(
        "Pass rates of your problems",
        list(RATE_EXAMPLES),
        key="_which_k_example",
        on_change=choose,
        help="How often today's model solves each of them in one try.",
    )
    st.text_area(
        "Your own: a pass rate for each problem",
        key="_which_k_rates",
        on_change=lambda: _keep_rates(st.session_state["_which_k_rates"].strip()),
        height=70,
        max_chars=RATES_CHARACTERS,
        help="Numbers from 0 to 1, apart by blanks or commas; 0.9x10 is ten problems of rate 0.9.",
    )


def _keep_number(name: str, key: str) -> None:
    value = int(st.session_state[key])
    if value == _DEFAULTS[name]:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = str(value)


def _keep_rates(text: str) -> None:
    if text == next(iter(RATE_EXAMPLES.values())):
        st.query_params.pop("rates", None)
    else:
        st.query_params["rates"] = text
