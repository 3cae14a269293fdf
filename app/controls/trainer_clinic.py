"""The trainer clinic's controls: a trainer, what stands between it and PKPO's weights, and a group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from app.controls.address_reader import read_link, show_complaints
from app.controls.address_widgets import bind, one_of
from app.controls.estimators import ESTIMATOR_VIEWS, GROUP, GROUP_LIMIT, read_group
from app.controls.markdown import problem_text
from app.controls.numbers import number_input
from pkpo.analysis import trainer_clinic
from pkpo.analysis.trainer_clinic import FAULTS, LENGTH_LIMITS, PublishedFault, TrainerSettings
from pkpo.estimators import ESTIMATORS
from pkpo.fields import parse_number
from pkpo.integrations.conventions import REDUCTIONS, TRAINERS


def _length(text: str) -> float:
    return TrainerSettings(length=parse_number("length", text)).length


CLINIC_READERS: dict[str, Any] = {
    "view": one_of("view", tuple(ESTIMATOR_VIEWS)),
    "trainer": one_of("trainer", tuple(TRAINERS)),
    "through": one_of("through", tuple(trainer_clinic.THROUGH)),
    "estimator": one_of("estimator", tuple(ESTIMATORS)),
    "centre": one_of("centre", tuple(trainer_clinic.CENTRES)),
    "divide": one_of("divide", tuple(trainer_clinic.DIVIDES)),
    "loss": str,
    "length": _length,
    "rewards": lambda text: read_group({"rewards": text, "k": "1"})[0],
    "k": lambda text: read_group({"rewards": "0 " * GROUP_LIMIT, "k": text})[1],
}
"""The address's settings, and how each is read."""
DEFAULT_THROUGH = "rewards"
_bind = partial(bind, "clinic")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicPage:
    """What the address asks of the clinic."""

    settings: TrainerSettings
    rewards: tuple[float, ...]
    k: int
    fault: PublishedFault | None
    """The published case that these settings are, if they are one."""


def standard_settings(trainer: str, through: str) -> TrainerSettings:
    """What such a trainer does by its defaults with what it is given through there."""
    if through in ("adapter", "unscaled"):
        return trainer_clinic.adapter_settings(trainer).replace(through=through)
    return trainer_clinic.own_settings(trainer).replace(through=through)


def clinic_settings() -> ClinicPage:
    """Draw the controls in view; what the address holds and cannot be used is said."""
    given, complaints = read_link(CLINIC_READERS)
    standard = standard_settings(given.get("trainer", "trl"), given.get("through", DEFAULT_THROUGH))
    chosen = {name: given[name] for name in _CHOSEN if name in given}
    try:
        settings = standard.replace(**chosen)
    except ValueError:  # the loss, which may be another trainer's
        complaints.append(f"{standard.about.label} has no loss {chosen['loss'][:40]!r}")
        settings = standard.replace(**{**chosen, "loss": standard.loss})
    rewards = tuple(given.get("rewards") or read_group({})[0])
    k = given.get("k", int(GROUP["k"]))
    if k > len(rewards):
        complaints.append(f"k must be from 1 to n = {len(rewards)}, got {k}")
        k = len(rewards)
    show_complaints(complaints)
    fault = next(
        (
            fault
            for fault in FAULTS.values()
            if (fault.settings, fault.k, len(fault.rewards)) == (settings, k, len(rewards))
        ),
        None,
    )
    _draw_faults(fault)
    _draw_trainer(settings, len(rewards), k)
    return ClinicPage(settings=settings, rewards=rewards, k=k, fault=fault)


_CHOSEN = ("estimator", "centre", "divide", "loss", "length")
"""Settings that start from what is usual for the trainer."""


def fault_address(fault: PublishedFault) -> dict[str, str]:
    """The page's address of a published case."""
    settings = fault.settings
    standard = standard_settings(settings.trainer, settings.through)
    found = {"view": "clinic", "rewards": _rewards_text(fault.rewards), "k": str(fault.k)}
    found |= {
        name: getattr(settings, name)
        for name, default in (("trainer", "trl"), ("through", DEFAULT_THROUGH))
        if getattr(settings, name) != default
    }
    for name in _CHOSEN:
        value = getattr(settings, name)
        if value != getattr(standard, name):
            found[name] = f"{value:g}" if isinstance(value, float) else value
    return {name: text for name, text in found.items() if GROUP.get(name) != text}


def _draw_faults(fault: PublishedFault | None) -> None:
    st.session_state["_clinic_fault"] = next(
        (key for key, value in FAULTS.items() if value is fault), None
    )

    def take() -> None:
        if key := st.session_state["_clinic_fault"]:
            st.query_params.from_dict(fault_address(FAULTS[key]))

    st.pills(
        "As published",
        list(FAULTS),
        format_func=lambda key: FAULTS[key].label,
        key="_clinic_fault",
        on_change=take,
        help="Ways in which pass@k training was released that optimise something else.",
    )


def _draw_trainer(settings: TrainerSettings, n: int, k: int) -> None:
    def forget(name: str, binding: dict[str, Any]) -> dict[str, Any]:
        """Another trainer, or another way in, starts from what is usual there."""
        take = binding["on_change"]

        def both() -> None:
            take()
            for other in ("centre", "divide", "loss"):
                st.query_params.pop(other, None)

        return {**binding, "on_change": both}

    left, middle, right = st.columns([3, 3, 1])
    left.selectbox(
        "Trainer",
        list(TRAINERS),
        format_func=lambda key: f"{TRAINERS[key].label} {TRAINERS[key].version}",
        **forget("trainer", _bind("trainer", settings.trainer, "trl")),
    )
    middle.selectbox(
        "PKPO's weights w enter as",
        list(trainer_clinic.THROUGH),
        format_func=trainer_clinic.THROUGH.__getitem__,
        **forget("through", _bind("through", settings.through, DEFAULT_THROUGH)),
    )
    st.session_state["_clinic_k"] = k
    number_input(
        "k",
        1,
        n,
        place=right,
        key="_clinic_k",
        on_change=lambda: _keep("k", str(st.session_state["_clinic_k"]), GROUP["k"]),
        help="How many attempts count: from 1 to the number of rewards.",
    )


def more_clinic_settings(page: ClinicPage) -> None:
    """Draw the settings that start from what is usual for the trainer, and the group, folded away."""
    settings = page.settings
    standard = standard_settings(settings.trainer, settings.through)
    refused = st.session_state.pop("_clinic_refused", "")
    with st.expander("The trainer's settings, and the group", expanded=bool(refused)):
        _draw_group(page.rewards, refused)
        places = st.columns(3)
        for name, label, texts, place in (
            ("centre", "It subtracts", trainer_clinic.CENTRES, places[0]),
            ("divide", "It divides by", trainer_clinic.DIVIDES, places[1]),
            ("loss", "Its loss", {name: name for name in settings.about.losses}, places[2]),
        ):
            _choice(place, name, label, texts, settings, standard)
        how = settings.about.losses[settings.loss]
        st.caption(
            f"Its loss, {settings.loss}: {how}. As to the gradient's direction, this "
            f"{REDUCTIONS[how]}."
        )
        left, right = st.columns(2)
        left.selectbox(
            "Estimator of w",
            list(ESTIMATORS),
            format_func=lambda key: ESTIMATORS[key].label,
            disabled=settings.through == "nothing",
            **_bind("estimator", settings.estimator, standard.estimator),
        )
        st.session_state["_clinic_length"] = settings.length
        number_input(
            "Right answers, tokens against wrong ones",
            *LENGTH_LIMITS,
            place=right,
            key="_clinic_length",
            on_change=lambda: _keep("length", f"{st.session_state['_clinic_length']:g}", "1"),
            help="3: three times as long. Only losses that divide by lengths see it.",
        )


def _choice(
    place: Any,
    name: str,
    label: str,
    texts: Mapping[str, str],
    settings: TrainerSettings,
    standard: TrainerSettings,
) -> None:
    place.selectbox(
        label,
        list(texts),
        format_func=texts.__getitem__,
        **_bind(name, getattr(settings, name), getattr(standard, name)),
    )


def _draw_group(rewards: tuple[float, ...], refused: str) -> None:
    st.session_state["_clinic_rewards"] = _rewards_text(rewards)

    def take() -> None:
        typed = st.session_state["_clinic_rewards"].strip()
        try:
            read_group({"rewards": typed, "k": "1"})
        except ValueError as reason:
            st.session_state["_clinic_refused"] = str(reason)
            return
        _keep("rewards", typed, GROUP["rewards"])

    st.text_input(
        "Rewards of one group",
        key="_clinic_rewards",
        on_change=take,
        help=f"From 1 to {GROUP_LIMIT} numbers, separated by spaces or commas.",
    )
    if refused:
        st.error(problem_text(refused), icon=":material/error:")


def _rewards_text(rewards: tuple[float, ...]) -> str:
    return " ".join(f"{reward:.12g}" for reward in rewards)


def _keep(name: str, text: str, default: str) -> None:
    if text == default:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = text
