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
from pkpo.comparisons import BEST_OF, BanditComparison, HillComparison
from pkpo.training.tasks.gaussian_hill import HillConfig

_HERE = Path(__file__).parent
_COMPONENT = st.components.v2.component(
    "pkpo_player",
    html=(_HERE / "player.html").read_text(encoding="utf-8"),
    css=(_HERE / "player.css").read_text(encoding="utf-8")
    + f".pk-towards {{ background: {figures.TOWARDS}; }}"
    f" .pk-away {{ background: {figures.AWAY}; }}"
    f" .pk-none {{ background: {figures.NO_WEIGHT}; }}",
    js=script(
        _HERE,
        "marks",
        "charts",
        "exact",
        "hill",
        "bandit",
        "live",
        "schedule_chart",
        "controls",
        "player",
    ),
    isolate_styles=False,
)

CONTENTS: dict[type, Callable[[Any, Styles], dict[str, Any]]] = {
    HillComparison: hill.hill_contents,
    BanditComparison: bandit.bandit_contents,
}
"""What is packed of each kind of study, besides what all share."""
STUDY_PATH = "study"
EXACT_PATH = "study/exact"
"""Where the server answers while a hand moves a control; see `app.study_routes`."""


def show_player(
    data: dict[str, Any],
    *,
    key: str,
    controls: dict[str, Any] | None = None,
    on_settings: Callable[[], None] = lambda: None,
    awaited: str = "",
    on_arrival: Callable[[], None] = lambda: None,
) -> None:
    """Show a study with its playback controls.

    Args:
      data: from `player_payload`.
      key: names the component on the page; its charts keep their state while the key lives.
      controls: what its controls of settings show; without, there are none.
      on_settings: called, before the page runs again, with what these controls were left at in the
        session's state under the key, as "settings".
      awaited: the path that the browser is about to show; "" where it shows it already.
      on_arrival: called, before the page runs again, when the browser shows that path.
    """
    _COMPONENT(
        data={
            **data,
            "awaited": awaited,
            "controls": controls,
            "routes": {"study": f"./{STUDY_PATH}", "exact": f"./{EXACT_PATH}"},
        },
        key=key,
        height="content",
        on_settings_change=on_settings,
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


def exact_payload(config: Any) -> dict[str, Any]:
    """What the browser shows by itself while k moves: exact values by k, and each k's colour.

    Args:
      config: a run's; only its problem counts.
    """
    colours = {str(k): figures.k_colour(k) for k in BEST_OF}
    return {
        "colours": colours,
        **(hill.hill_exact(config) if config.task == HillConfig.task else {}),
    }
