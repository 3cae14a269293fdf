"""Completions as a list: tokens coloured by their probability, rewards, weights as signed bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import streamlit as st

from pkpo.figures.language_model import weight_in_words

UNSURE = 0.7
"""A token of a lower probability carries its number."""
_CSS = Path(__file__).parent / "completions.css"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionRow:
    """One completion, or several that are the same."""

    tokens: Sequence[str]
    probabilities: Sequence[float]
    mark: str
    """What is right about it, a key of `MARKS`."""
    note: str
    """Beside the mark: the reward, or how often it was drawn."""
    weight: float | None = None


MARKS = {
    "right": ("✓", "fully right"),
    "only": ("★", "the only one fully right"),
    "lucky": ("≈", "right answer, false equation"),
    "partly": ("◐", "partly right"),
    "abstains": ("?", "abstains"),
    "wrong": ("✕", "wrong"),
    "false": ("✕", "false equation"),
    "unknown": ("○", "equations true, answer not checked"),
}
"""A completion's sign, and what it says."""


def show_completions(rows: Sequence[CompletionRow], reach: float = 1.0) -> None:
    """The list; `reach` is the weight of the longest bar."""
    st.html(_CSS)
    body = "".join(_row(row, reach) for row in rows)
    st.html(f"<div class='pk-completions' role='list'>{body}</div>")


def completions_legend(rows: Sequence[CompletionRow]) -> None:
    """What colours, numbers and signs mean."""
    keys = "".join(
        f"<span class='pk-t' style='--p:{p}'>{100 * p:.0f}%</span>" for p in (0.9, 0.5, 0.1)
    )
    signs = " · ".join(
        f"{sign} {words}"
        for name, (sign, words) in MARKS.items()
        if any(r.mark == name for r in rows)
    )
    st.html(
        f"<p class='pk-legend'>A token's colour is its probability: {keys} The number below a token is "
        f"that in percent, where it is under {100 * UNSURE:.0f}. {signs}</p>"
    )


def _row(row: CompletionRow, reach: float) -> str:
    sign, words = MARKS[row.mark]
    tokens = "".join(map(_token, row.tokens, row.probabilities)) or "<i>nothing</i>"
    weight = "" if row.weight is None else _weight(row.weight, reach)
    return (
        f"<div role='listitem' class='pk-{row.mark}'>"
        f"<span class='pk-sign' title='{words}' aria-label='{words}'>{sign}</span>"
        f"<span class='pk-note'>{escape(row.note)}</span>"
        f"<span class='pk-text'>{tokens}</span>{weight}</div>"
    )


def _token(token: str, probability: float) -> str:
    unsure = probability < UNSURE
    number = f"<sub>{100 * probability:.0f}</sub>" if unsure else ""
    return (
        f"<span class='pk-t' style='--p:{probability}' title='{100 * probability:.1f}% likely'>"
        f"{escape(token)}{number}</span>"
    )


def _weight(weight: float, reach: float) -> str:
    side = "up" if weight > 0 else "down" if weight < 0 else "none"
    share = 50 * abs(weight) / reach
    return (
        f"<span class='pk-weight pk-{side}' title='weight {weight:.6f}'><span class='pk-bar'>"
        f"<i style='width:{share:.2f}%'></i></span><b>{weight_in_words(weight)}</b></span>"
    )
