"""The paper's one-dimensional problem: train, play back, compare."""

import streamlit as st

from app import cached, controls, player
from pkpo import figures, studies
from pkpo.config import command

controls.sync_from_url(st.session_state["entered"])
(study, styles), problem = controls.read(cached.toy_study)
configs = tuple(recording.config for recording in study.recordings)

st.header("How far should a policy climb when only the best of k attempts counts?", anchor=False)
controls.notices()
message = controls.preset_pills()
if problem:
    st.info("These settings cannot run; the picture is of the last that could, or of the default.")
st.markdown(f"{message or ''} {figures.toy.takeaway(study, styles)}")
player.play(cached.recorded(configs), key="toy-player")
controls.sidebar(problem)  # after the picture, which is what a visitor waits for

with st.container(horizontal=True):
    with st.popover("Copy as command", icon=":material/terminal:"):
        st.caption("Prints the same numbers, without a browser:")
        st.code(command(configs), language="bash", wrap_lines=True)
    with st.popover("Save", icon=":material/download:"):
        st.download_button(
            "Every update, CSV",
            lambda: studies.to_csv(study, [label for label, _ in styles]),
            "toy-problem.csv",
            "text/csv",
        )
        st.download_button(
            "Settings, JSON",
            lambda: studies.to_json(study),
            "toy-problem.json",
            "application/json",
        )
    with st.popover("What is exact here?", icon=":material/help:"):
        st.markdown(
            "Every curve of max@k and every ★ is computed by quadrature, not sampled. Only the "
            "samples, the gradient estimates (dots) and the path of θ are random; the band around "
            "the exact gradient is the standard deviation of 128 fresh estimates at 25 points of the "
            "run. All compared runs draw the same random numbers. The bell of the policy is drawn "
            "without scale. With a learned σ, curves and ★ are those of the σ at the start.\n\n"
            "Not claimed: that one learning rate suits every k. *Steps of equal length* takes the "
            "length out of the comparison, but follows the sign of a noisy estimate, which is no "
            "longer unbiased."
        )
