"""What only the toy problem's page has: the policy's start and the reward's shape."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.controls.problem_address import current_settings, is_shown, setting_view
from app.controls.problem_spec import ProblemPage, estimators_of_any_reward
from app.controls.sidebar import setting_number
from pkpo.training.tasks.gaussian_hill import HillConfig
from toy_envs.gaussian_hill import POINT_LIMIT, REWARD_SHAPES, reward_shape

OWN_SHAPE = "points:0,0;0.4,0.6;0.6,0.1;0.9,1;1,0"


def _controls(page: ProblemPage, slots: dict[str, Any]) -> None:
    setting_number(page, "theta", "Start θ", slots, step=0.05)
    setting_number(page, "sigma", "σ of the policy", slots, step=0.01)
    if is_shown(page, "learn_sigma"):
        st.checkbox("Learn σ too", **setting_view(page, "learn_sigma"))
    if is_shown(page, "shape"):
        _shape_controls(page, slots)


def _shape_controls(page: ProblemPage, slots: dict[str, Any]) -> None:
    text = current_settings(page)["shape"]
    st.session_state["_shape"] = text if text in REWARD_SHAPES else "own"
    st.session_state["_points"] = text.removeprefix("points:")

    def choose() -> None:
        chosen = st.session_state["_shape"]
        current_settings(page)["shape"] = OWN_SHAPE if chosen == "own" else chosen

    def draw() -> None:
        current_settings(page)["shape"] = "points:" + st.session_state["_points"].strip().strip(";")

    labels = {name: shape.label for name, shape in REWARD_SHAPES.items()} | {
        "own": "Your own points"
    }
    st.selectbox(
        "Reward", list(labels), format_func=labels.__getitem__, key="_shape", on_change=choose
    )
    if st.session_state["_shape"] == "own":
        st.text_input(
            "Points x,reward; joined by lines",
            key="_points",
            on_change=draw,
            help="Such as 0,0; 0.5,1; 1,0. Two points at the same x make a cliff; 0 outside.",
        )
    slots["shape"] = st.empty()


HILL_PAGE = ProblemPage(
    task=HillConfig.task,
    address="toy-problem",
    limits={"n": 256, "steps": 5000},
    counted="samples",
    count=lambda config: config.n,
    count_limit=150_000,
    learning_rates=("0.002", "0.005", "0.01", "0.02"),
    problem="shape",
    estimators=lambda shape: estimators_of_any_reward(),
    world=lambda shape: {"points": reward_shape(shape).corners, "most": POINT_LIMIT},
    controls=_controls,
    own=("theta", "sigma", "learn_sigma", "shape"),
)
