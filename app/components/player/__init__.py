"""The player: a recorded study, played back in the browser.

`player_payload` packs a study once, as compact arrays and Plotly figures, and `show_player` sends it;
play, pause, step and scrub then need no server.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app.components.player import bandit, hill
from app.components.player.packing import Styles, pack
from app.components.wire import script
from pkpo import figures
from pkpo.comparisons import BanditComparison, HillComparison

_HERE = Path(__file__).parent
_COMPONENT = st.components.v2.component(
    "pkpo_player",
    html=(_HERE / "player.html").read_text(encoding="utf-8"),
    css=(_HERE / "player.css").read_text(encoding="utf-8")
    + f".pk-towards {{ background: {figures.TOWARDS}; }}"
    f" .pk-away {{ background: {figures.AWAY}; }}"
    f" .pk-none {{ background: {figures.NO_WEIGHT}; }}",
    js=script(_HERE, "marks", "charts", "hill", "bandit", "player"),
    isolate_styles=False,
)

CONTENTS: dict[type, Callable[[Any, Styles], dict[str, Any]]] = {
    HillComparison: hill.hill_contents,
    BanditComparison: bandit.bandit_contents,
}
"""What is packed of each kind of study, besides what all share."""


def show_player(
    data: dict[str, Any],
    *,
    key: str,
    awaited: str = "",
    on_arrival: Callable[[], None] = lambda: None,
) -> None:
    """Show a study with its playback controls.

    Args:
      data: from `player_payload`.
      key: names the component on the page; its charts keep their state while the key lives.
      awaited: the path that the browser is about to show; "" where it shows it already.
      on_arrival: called, before the page runs again, when the browser shows that path.
    """
    _COMPONENT(
        data={**data, "awaited": awaited},
        key=key,
        height="content",
        on_arrival_change=on_arrival,
    )


def player_payload(study: Any, styles: Styles, panels: Sequence[str] = ()) -> dict[str, Any]:
    """What the browser gets: the study, each run's label and colour, and which charts to show.

    Args:
      study: a kind of study in `CONTENTS`.
      styles: each run's label and colour.
      panels: names of charts; all for none.
    """
    return pack(study, styles, panels, CONTENTS[type(study)](study, styles))
