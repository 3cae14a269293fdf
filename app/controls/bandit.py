"""What only the bandit's page has: the arms, and what prompts share."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.controls.problem_address import current_settings, is_shown
from app.controls.problem_spec import ProblemPage, estimators_of_any_reward
from app.controls.sidebar import setting_number
from pkpo.estimators import ESTIMATORS
from pkpo.training.tasks.bandit import BanditConfig
from toy_envs.bandit import ARM_LIMIT, BANDITS, PROMPT_LIMIT, bandit

OWN_BANDIT = "arms:0,0.3,0.5,1@0.5,0.3,0.18,0.02"


def _controls(page: ProblemPage, slots: dict[str, Any]) -> None:
    if is_shown(page, "bandit"):
        _bandit_controls(page, slots)
    text = current_settings(page)["bandit"]
    if ";" in text or (text in BANDITS and BANDITS[text].prompts > 1):
        setting_number(page, "sharing", "What prompts share", slots, step=0.1)


def _bandit_controls(page: ProblemPage, slots: dict[str, Any]) -> None:
    text = current_settings(page)["bandit"]
    rewards, _, start = text.removeprefix("arms:").partition("@")
    st.session_state["_bandit"] = text if text in BANDITS else "own"
    st.session_state["_arms"] = rewards.replace(";", "\n").replace(",", " ")
    st.session_state["_start"] = start.replace(",", " ")

    def choose() -> None:
        chosen = st.session_state["_bandit"]
        current_settings(page)["bandit"] = OWN_BANDIT if chosen == "own" else chosen

    def write() -> None:
        rows = st.session_state["_arms"].replace(";", "\n").splitlines()
        table = ";".join(filter(None, map(_joined, rows)))
        chances = _joined(st.session_state["_start"])
        current_settings(page)["bandit"] = f"arms:{table}" + (f"@{chances}" if chances else "")

    labels = {name: b.label for name, b in BANDITS.items()} | {"own": "Your own arms"}
    st.selectbox(
        "Bandit", list(labels), format_func=labels.__getitem__, key="_bandit", on_change=choose
    )
    if st.session_state["_bandit"] == "own":
        st.text_area(
            "Rewards of the arms; a line for each prompt",
            key="_arms",
            on_change=write,
            height=90,
            help=f"From 2 to {ARM_LIMIT} numbers, parted by spaces or commas, such as 0 0.3 0.5 1. For "
            f"several prompts (at most {PROMPT_LIMIT}), a line of as many numbers for each.",
        )
        st.text_input(
            "Probabilities at the start",
            key="_start",
            on_change=write,
            placeholder="all alike",
            help="One number for each arm, such as 0.5 0.3 0.18 0.02, or any in that proportion. Empty: "
            "all arms start alike.",
        )
    slots["bandit"] = st.empty()


def _joined(line: str) -> str:
    return ",".join(line.replace(",", " ").split())


def _estimators(text: str) -> tuple[str, ...]:
    try:
        return tuple(ESTIMATORS) if bandit(text).binary else estimators_of_any_reward()
    except ValueError:
        return estimators_of_any_reward()


def _count(config: Any) -> int:
    chosen = bandit(config.bandit)
    return chosen.prompts * (config.n + chosen.arms)


def _world(text: str) -> dict[str, Any]:
    chosen = bandit(text)
    return {"rewards": chosen.rewards.tolist(), "start": chosen.start.tolist()}


BANDIT_PAGE = ProblemPage(
    task=BanditConfig.task,
    address="bandit",
    limits={"n": 256, "steps": 5000},
    counted="samples and probabilities",
    count=_count,
    count_limit=250_000,
    learning_rates=("0.25", "1", "4", "16"),
    problem="bandit",
    estimators=_estimators,
    world=_world,
    controls=_controls,
    own=("bandit", "sharing"),
)
