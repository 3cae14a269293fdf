"""Completions as a fan: what they share is there once, and parts where they go different ways."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path

import streamlit as st

from app.language_model.completions import MARKS
from pkpo.lm.token_tree import TokenBranch

_CSS = Path(__file__).parent / "tries.css"


def show_fan(tree: TokenBranch, mark: Callable[[str], str]) -> None:
    """The fan, read from left to right; lines are as thick as many completions go there.

    Args:
      tree: the completions.
      mark: a whole completion -> what is right about it, a key of `MARKS`.
    """
    st.html(_CSS)
    drawn = _node(tree, "", tree.count, mark)
    st.html(
        f"<div class='pk-fan' tabindex='0' role='group' aria-label='Tries as a tree'>{drawn}</div>"
    )


def _node(branch: TokenBranch, before: str, total: int, mark: Callable[[str], str]) -> str:
    text = before + branch.text
    parts = [_node(part, text, total, mark) for part in branch.branches]
    if branch.ends:
        parts.insert(0, _leaf(branch.ends, mark(text)))
    said = escape(branch.text) or "<i>starts</i>"
    share = f"<b>{branch.count}</b>" if len(parts) > 1 else ""
    return (
        f"<div class='pk-branch' style='--w:{branch.count / total:.3f}'>"
        f"<span class='pk-tokens'>{said}{share}</span><div class='pk-parts'>{''.join(parts)}</div></div>"
    )


def _leaf(count: int, mark: str) -> str:
    sign, words = MARKS[mark]
    return (
        f"<span class='pk-end pk-{mark}' title='{words}'><span aria-label='{words}'>{sign}</span> "
        f"{count}×</span>"
    )
