"""Which experiment trackers new runs are logged to, as well as being kept here: the host's choice.

It is the one part of a form that the address does not hold: a link must not choose where somebody's
metrics go.
"""

from __future__ import annotations

import streamlit as st

from app.access import Visitor
from app.controls import plain_text
from app.controls.markdown import problem_text
from pkpo.runs import trackers

TRACKER_LABELS = {"tensorboard": "TensorBoard", "wandb": "Weights & Biases", "trackio": "trackio"}


def choose_trackers(visitor: Visitor) -> tuple[str, ...] | None:
    """The control, for the host where there is something to choose.

    Returns:
      The trackers; None, for what PKPO_LOG says, where there is no control.
    """
    found = trackers.installed_trackers()
    if not (visitor.host and found):
        return None
    default: tuple[str, ...] = ()
    try:
        default = trackers.trackers_from_environment()
    except ValueError as reason:
        st.warning(problem_text(reason), icon=":material/error:")
    chosen = st.multiselect(
        "Also log to",
        found,
        default=default,
        format_func=lambda name: TRACKER_LABELS.get(name, name),
        placeholder="no tracker",
        key="run_trackers",
        help="The metrics of every update, while it trains. TensorBoard's event files and Weights & "
        "Biases' offline runs go to `logs/` of the data directory, trackio keeps a database of its own. "
        "All of it stays on this machine, unless the environment of this server has "
        "`WANDB_MODE=online` (Weights & Biases), `TRACKIO_SPACE_ID` or `TRACKIO_SERVER_URL` (trackio). "
        f"Offered is what is installed of {', '.join(TRACKER_LABELS.values())}; `PKPO_LOG` says what is "
        "chosen at first.",
    )
    for name in chosen:
        if setting := trackers.setting_that_sends(name):
            st.warning(
                f"{TRACKER_LABELS.get(name, name)} sends the metrics and settings of these runs to "
                f"another machine: this server's environment has {plain_text(setting)}.",
                icon=":material/cloud_upload:",
            )
    return tuple(chosen)
