"""Runs as a table: open one, choose several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent
_COMPONENT = st.components.v2.component(
    "pkpo_run_list",
    html="<div class='rl'><table><thead></thead><tbody></tbody></table></div>",
    css=(_HERE / "runlist.css").read_text(encoding="utf-8"),
    js=(_HERE / "runlist.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def show_run_list(
    rows: Sequence[dict[str, Any]],
    on_open: Callable[[str], None],
    on_choose: Callable[[list[str]], None],
    chosen: Sequence[str],
    *,
    key: str,
) -> None:
    """Show runs, and sweeps in one row each.

    Args:
      rows: "address" (its page's query), "id" ("" if it cannot be chosen), "title", "detail",
        "status", "icon", "colour", "note", "progress" (0 to 1), "count", "age".
      on_open: called with the address of the row that was opened.
      on_choose: called with the ids of all chosen rows.
      chosen: those that are.
      key: names the component on the page.
    """

    def open_row() -> None:
        on_open(str(st.session_state[key].open))

    def choose() -> None:
        on_choose([str(id) for id in st.session_state[key].chosen])

    _COMPONENT(
        data={"rows": list(rows), "chosen": list(chosen)},
        key=key,
        on_open_change=open_row,
        on_chosen_change=choose,
        height="content",
    )
