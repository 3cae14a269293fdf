"""The page of a problem, toy problem or bandit: controls, message, player, downloads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from app import cached, controls, page_registry
from app.classroom.joining import page_url
from app.components import player
from app.components.player.saved import saved_page
from app.downloads import show_table_downloads
from app.glossary import link_terms
from pkpo import comparisons
from pkpo.comparisons.settings import command_line
from pkpo.figures.style import Styles


def show_problem_page(
    page: controls.ProblemPage,
    question: str,
    takeaway: Callable[[Any, Styles], str],
    exact: str,
) -> None:
    """Controls, the message of the runs, the player, and what can be taken away.

    Args:
      page: the problem.
      question: the page's heading.
      takeaway: a study's message in words.
      exact: what is computed, what is random, and what is not claimed.
    """
    controls.sync_from_url(page, st.session_state["entered"])
    (study, styles), problem = controls.compute_results(page, cached.cached_comparison)
    configs = tuple(recording.config for recording in study.recordings)

    st.header(question, anchor=False)
    # What comes and goes has containers that may be empty: if it moved what is below it, the browser
    # would draw that anew, and a popover just opened would close.
    with st.container():
        controls.show_notices(page)
    message = controls.preset_pills(page)
    with st.container():
        if problem:
            st.info(
                "These settings cannot run; the picture is of the last that could, or of the default."
            )
    numbers = takeaway(study, styles)
    st.markdown(link_terms(message or numbers))
    key = f"{page.address}-player"
    player.show_player(
        cached.cached_playback(configs),
        key=key,
        controls=controls.shown_controls(page, problem),
        view=controls.player_view(page),
        on_settings=lambda: controls.take_settings(page, st.session_state[key].settings),
        awaited=page.address if controls.is_url_behind(page) else "",
        on_arrival=lambda: controls.url_arrived(page),
    )
    controls.show_sidebar(page, problem)  # after the picture, which is what a visitor waits for
    with st.container(key="numbers"):
        if message:
            st.markdown(link_terms(numbers))

    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("Copy as command", icon=":material/terminal:"):
            st.caption("Prints the same numbers, without a browser:")
            st.code(command_line(configs), language="bash", wrap_lines=True)
        with st.popover("Save", icon=":material/download:"):
            show_table_downloads(
                "Every update",
                lambda: comparisons.comparison_columns(study, [label for label, _ in styles]),
                page.address,
            )
            st.download_button(
                "Settings, JSON",
                lambda: comparisons.comparison_json(study),
                f"{page.address}.json",
                "application/json",
            )
            st.download_button(
                "This page, one HTML file",
                lambda: saved_page(
                    cached.cached_playback(configs),
                    player.exact_payload(configs[0]),
                    title=question,
                    message=f"{message or ''} {numbers}".strip(),
                    settings=comparisons.comparison_json(study),
                ),
                f"{page.address}.html",
                "text/html",
                help="Plays anywhere, without network, Python or PKPO Lab.",
            )
            player.show_picture_buttons(f"{page.address}-picture")
        _show_assignment(page)
        with st.popover("What is exact here?", icon=":material/help:"):
            st.markdown(link_terms(exact))
        if not controls.describe_assignment(page):  # there every setting can be changed
            st.page_link(
                page_registry.get_page("runs"),
                label="Run this for longer",
                icon=":material/timeline:",
                query_params=controls.as_long_run(page),
            )


def _show_assignment(page: controls.ProblemPage) -> None:
    """The link to the page with a few of its controls; on such a page, which they are."""
    if told := controls.describe_assignment(page):
        st.caption(told)
        return
    with st.popover("Assignment link", icon=":material/assignment:"):
        settings = controls.choose_kept_controls(page)
        st.code(
            page_url(f"{page.address}?{urlencode(settings, safe=',')}"),
            language=None,
            wrap_lines=True,
        )
