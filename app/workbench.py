"""What the problems' pages have in common, from top to bottom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app import cached, controls, player, registry
from pkpo import studies
from pkpo.config import command


def show(
    page: controls.Page, question: str, takeaway: Callable[[Any, cached.Styles], str], exact: str
) -> None:
    """Controls, the message of the runs, the player, and what can be taken away.

    Args:
      page: the problem.
      question: the page's heading.
      takeaway: a study's message in words.
      exact: what is computed, what is random, and what is not claimed.
    """
    controls.sync_from_url(page, st.session_state["entered"])
    (study, styles), problem = controls.read(page, cached.study)
    configs = tuple(recording.config for recording in study.recordings)

    st.header(question, anchor=False)
    controls.notices(page)
    message = controls.preset_pills(page)
    if problem:
        st.info(
            "These settings cannot run; the picture is of the last that could, or of the default."
        )
    st.markdown(f"{message or ''} {takeaway(study, styles)}")
    player.play(
        cached.recorded(configs),
        key=f"{page.address}-player",
        awaited=page.address if controls.waiting(page) else "",
        on_arrival=lambda: controls.arrived(page),
    )
    controls.sidebar(page, problem)  # after the picture, which is what a visitor waits for

    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("Copy as command", icon=":material/terminal:"):
            st.caption("Prints the same numbers, without a browser:")
            st.code(command(configs), language="bash", wrap_lines=True)
        with st.popover("Save", icon=":material/download:"):
            st.download_button(
                "Every update, CSV",
                lambda: studies.to_csv(study, [label for label, _ in styles]),
                f"{page.address}.csv",
                "text/csv",
            )
            st.download_button(
                "Settings, JSON",
                lambda: studies.to_json(study),
                f"{page.address}.json",
                "application/json",
            )
        with st.popover("What is exact here?", icon=":material/help:"):
            st.markdown(exact)
        st.page_link(
            registry.page("runs"),
            label="Run this for longer",
            icon=":material/timeline:",
            query_params=controls.as_long_run(page),
        )
