"""The player: a recorded study, played back in the browser.

`player_payload` packs a study once, as compact arrays and Plotly figures, and `show_player` sends it;
play, pause, step and scrub then need no server.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app.components.player import bandit, hill
from app.components.player.assets import (
    PICTURE_BUTTONS,
    PLAYER_CSS,
    PLAYER_HTML,
    player_script,
)
from app.components.player.packing import Styles, pack
from app.components.wire import floats
from pkpo import figures
from pkpo.analysis.group_weights import SUBSET_LIMIT, count_wins, explain_silence, list_subsets
from pkpo.comparisons import BEST_OF, BanditComparison, HillComparison
from pkpo.estimators import transform
from pkpo.training.recording import Recording
from pkpo.training.tasks.gaussian_hill import HillConfig

_COMPONENT = st.components.v2.component(
    "pkpo_player",
    html=PLAYER_HTML,
    css=PLAYER_CSS,
    js=player_script("view_address", "link_card", "page_entry"),
    isolate_styles=False,
)
_PICTURE_BUTTONS = st.components.v2.component(
    "pkpo_picture_buttons",
    html=PICTURE_BUTTONS,
    js=(Path(__file__).parent / "picture_buttons.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)

CONTENTS: dict[type, Callable[[Any, Styles], dict[str, Any]]] = {
    HillComparison: hill.hill_contents,
    BanditComparison: bandit.bandit_contents,
}
"""What is packed of each kind of study, besides what all share."""
STUDY_PATH = "study"
EXACT_PATH = "study/exact"
PAID_PATH = "study/paid"
LINK_PATH = "link"
"""Where the server answers while a hand moves a control; see `app.study_routes` and `app.links`."""

LISTED_DRAWS = 16
"""A group of more draws has no picture of its subsets."""


def show_player(
    data: dict[str, Any],
    *,
    key: str,
    controls: dict[str, Any] | None = None,
    view: dict[str, Any] | None = None,
    on_settings: Callable[[], None] = lambda: None,
    awaited: str = "",
    on_arrival: Callable[[], None] = lambda: None,
) -> None:
    """Show a study with its playback controls.

    Args:
      data: from `player_payload`.
      key: names the component on the page; its charts keep their state while the key lives.
      controls: what its controls of settings show; without, there are none.
      view: what to begin with: "update", "run" and "explain" as in the page's address, the "path" of
        the page, which then keeps them in its address, and a "serial", new where they are.
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
            "view": view,
            "routes": {
                "study": f"./{STUDY_PATH}",
                "exact": f"./{EXACT_PATH}",
                "paid": f"./{PAID_PATH}",
                "link": f"./{LINK_PATH}",
            },
        },
        key=key,
        height="content",
        on_settings_change=on_settings,
        on_arrival_change=on_arrival,
    )


def show_picture_buttons(key: str) -> None:
    """Buttons that save the picture at the play head of the page's player; the browser makes it.

    Args:
      key: names the component on the page.
    """
    _PICTURE_BUTTONS(key=key, height="content")


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


def paid_payload(recording: Recording, ks: Sequence[int]) -> list[dict[str, Any]]:
    """What every group of a run is worth under each of some k, for the same draws.

    Args:
      recording: the run.
      ks: values of k.

    Returns:
      For each k: "k"; "weights", `[T, prompts x n]`, by the run's estimator; "silences", `[T, prompts]`,
      places in `group_weights.SILENCES`; "subsets", how many subsets of size k a group has; "wins",
      `[n]`, in how many of them a draw is best, by how many others are not above it; "listed", the
      subsets where there are few, and of more than one draw.

    Raises:
      ValueError: a k that the estimator does not allow.
    """
    n, estimator = recording.config.n, recording.config.estimator
    said = []
    for k in ks:
        weights = transform(recording.rewards, k, estimator)
        count = math.comb(n, k)
        few = k > 1 and n <= LISTED_DRAWS and count <= SUBSET_LIMIT
        said.append(
            {
                "k": k,
                "weights": floats(weights),
                "silences": floats(explain_silence(recording.rewards, weights)),
                "subsets": _count_text(count),
                "wins": [_count_text(wins) for wins in count_wins(n, k)],
                "listed": [s.members for s in list_subsets(range(n), k)] if few else [],
            }
        )
    return said


def _count_text(count: int) -> str:
    return f"{count:,}" if count < 10**9 else f"{float(count):.2e}"
