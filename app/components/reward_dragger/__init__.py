"""Rewards as a row of upright sliders: drag one, let go, and the page follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
_COMPONENT = st.components.v2.component(
    "pkpo_dragger",
    html="<div class='pk-drag' role='group' aria-label='Rewards, to drag'></div>",
    css=(_HERE / "dragger.css").read_text(encoding="utf-8"),
    js=(_HERE / "dragger.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def drag_rewards_input(
    rewards: Sequence[float], on_change: Callable[[list[float]], None], *, key: str
) -> None:
    """Show the rewards as sliders.

    Args:
      rewards: `[n]`, what the sliders stand at.
      on_change: called with all rewards once one was dragged.
      key: names the component on the page.
    """

    def take() -> None:
        moved = st.session_state[key]["rewards"]
        on_change([round(float(value), 4) for value in moved])

    low, high = min(0.0, *rewards), max(1.0, *rewards)
    data = {"rewards": list(rewards), "low": low, "high": high}
    _COMPONENT(data=data, key=key, on_rewards_change=take, height="content")
