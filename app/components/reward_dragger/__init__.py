"""Rewards as a row of upright sliders, and the weights of each: drag one, and the weights follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from plotly.io.json import to_json_plotly

from app.components.wire import PLOTLY_URL, script
from pkpo import figures
from pkpo.analysis.group_weights import weigh_group
from pkpo.estimators import rho

_HERE = Path(__file__).parent
_COMPONENT = st.components.v2.component(
    "pkpo_dragger",
    html="<section class='pk-group' aria-label='One group'>"
    "<div class='pk-drag' role='group' aria-label='Rewards, to drag'></div>"
    "<p class='pk-rho'></p><div class='pk-weights' role='figure'></div>"
    "<p class='pk-refused' role='alert' hidden></p></section>",
    css=(_HERE / "dragger.css").read_text(encoding="utf-8"),
    js=script(_HERE, "../live", "dragger"),
    isolate_styles=False,
)
WEIGHTS_PATH = "weights"
"""Where the server answers while a reward is dragged; see `app.study_routes`."""


def show_group_weights(
    rewards: Sequence[float],
    k: int,
    names: Sequence[str],
    on_change: Callable[[list[float]], None],
    *,
    key: str,
) -> None:
    """Show the rewards as sliders, and the weights that estimators give them.

    Args:
      rewards: `[n]`, what the sliders stand at.
      k: attempts that count.
      names: of estimators.
      on_change: called with all rewards once one was dragged.
      key: names the component on the page.
    """
    serial = f"{key} serial"

    def take() -> None:
        moved = st.session_state[key]["moved"]
        st.session_state[serial] = moved["serial"]
        on_change([float(value) for value in moved["rewards"]])

    data = {
        "plotly": PLOTLY_URL,
        "route": f"./{WEIGHTS_PATH}",
        "rewards": list(rewards),
        "low": min(0.0, *rewards),
        "high": max(1.0, *rewards),
        "k": k,
        "show": " ".join(names),
        "weights": weights_payload(rewards, k, names),
        "serial": st.session_state.get(serial),
    }
    _COMPONENT(data=data, key=key, on_moved_change=take, height="content")


def weights_payload(rewards: Sequence[float], k: int, names: Sequence[str]) -> dict[str, Any]:
    """What the browser draws of a group: the rewards, the chart of weights, and what it says.

    Args:
      rewards: `[n]`.
      k: attempts that count, from 1 to n.
      names: of estimators; one that refuses the group is left out.
    """
    weighed = weigh_group(rewards, k, names)
    spec = figures.plot_group_weights(rewards, weighed).to_plotly_json()
    return {
        "rewards": list(rewards),
        "figure": to_json_plotly(spec),
        "alt": figures.describe_group_weights(weighed),
        "caption": f"Weight of each sample; ρ = {rho(rewards, k):.4f}",
    }
