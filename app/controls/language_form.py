"""The form for runs of the language model: presets, a few settings in view, the others folded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.controls.address_widgets import TYPED, bind
from app.controls.language_page import (
    LANGUAGE_FIELDS,
    LANGUAGE_LABELS,
    LANGUAGE_LIMITS,
    LANGUAGE_READERS,
    LANGUAGE_SEEDS,
    TRAINED,
    LanguagePage,
    parse_trained,
)
from app.controls.numbers import number_input
from app.presets import LANGUAGE, Preset
from pkpo.estimators import ESTIMATORS, get_estimator
from pkpo.fields import format_value
from pkpo.lm.experiments import METHODS, VARIANTS
from pkpo.lm.paths import HARD_UNSEEN

LANGUAGE_FIELDS_IN_VIEW = ("model", "problems", "reward")
OPTIONS = {
    "problems": {
        "fresh": "New at every update",
        "hard": "Fixed hard set",
        HARD_UNSEEN: "Hard problems, unseen",
        "gsm_symbolic": "GSM-Symbolic (for small)",
    },
    "reward": {
        "strict": "Right, every equation true",
        "answer": "Right answer only",
        "share": "Right answer, and the share of true steps",
    },
}
_bind = partial(bind, "language")


def language_presets(values: dict[str, Any], page: LanguagePage) -> str:
    """The row of presets; returns the message of the one that is set, if one is."""
    now = {**values, "train": page.train, "seeds": page.seeds}
    wanted = {preset.name: _all(preset) for preset in LANGUAGE}
    set_now = next((name for name, all_of in wanted.items() if all_of == now), None)
    st.session_state["language preset"] = set_now

    def choose() -> None:
        chosen = st.session_state["language preset"]
        if chosen:
            preset = next(preset for preset in LANGUAGE if preset.name == chosen)
            given = {name: format_value(value) for name, value in preset.changes.items()}
            if preset.compare != LANGUAGE_READERS["train"][0]:
                given["train"] = preset.compare
            st.query_params.from_dict({"view": "train", **given})

    st.pills(
        "Examples",
        list(wanted),
        key="language preset",
        on_change=choose,
        label_visibility="collapsed",
    )
    return next((preset.message for preset in LANGUAGE if preset.name == set_now), "")


def _all(preset: Preset) -> dict[str, Any]:
    defaults = {name: field.default for name, field in LANGUAGE_FIELDS.items()}
    return defaults | preset.changes | {"train": parse_trained(preset.compare), "seeds": 1}


def language_form(
    values: dict[str, Any], page: LanguagePage, models: Sequence[str], top: int
) -> DeltaGenerator:
    """The settings of runs to be: a few in view, the others folded.

    Args:
      values: the settings.
      page: the page's own.
      models: names of models that ship.
      top: the most updates.

    Returns:
      The folded place.
    """
    for name, column in zip(LANGUAGE_FIELDS_IN_VIEW, st.columns(3), strict=True):
        with column:
            _field(name, values, models, top)
    st.multiselect(
        "Train",
        list(dict.fromkeys([*(x for x in METHODS if x not in VARIANTS), *page.train])),
        format_func=lambda name: METHODS[name].label if name in METHODS else f"k: {name}",
        max_selections=TRAINED,
        **TYPED,
        help="Each is a run. Choose, or type a schedule of k and press Enter: `2`, `8@0,1@60` (8, then "
        "1 from update 60), `linear:8->1@100`.",
        **_bind("train", list(page.train), LANGUAGE_READERS["train"][0]),
    )
    more = st.expander("More settings")
    with more:
        rest = [name for name in LANGUAGE_FIELDS if name not in LANGUAGE_FIELDS_IN_VIEW]
        # Row by row: a narrow page puts columns below each other.
        places = [column for _ in range(0, len(rest) + 1, 3) for column in st.columns(3)]
        for name, place in zip(rest, places, strict=False):
            with place:
                _field(name, values, models, top)
        with places[len(rest)]:
            number_input(
                "Seeds",
                1,
                LANGUAGE_SEEDS,
                help="So many runs of each that differ in their random numbers only.",
                **_bind("seeds", page.seeds, 1),
            )
    return more


def _field(name: str, values: dict[str, Any], models: Sequence[str], top: int) -> None:
    field, value, label = LANGUAGE_FIELDS[name], values[name], LANGUAGE_LABELS[name]
    bound = _bind(name, value, field.default)
    if name in OPTIONS:
        known = OPTIONS[name]
        options = list(dict.fromkeys([*known, value]))
        st.selectbox(label, options, format_func=lambda text: known.get(text, text), **bound)
    elif name == "model":
        st.selectbox(label, list(dict.fromkeys([*models, value])), **bound)
    elif name == "estimator":
        options = [key for key, entry in ESTIMATORS.items() if entry.uses_k]
        st.selectbox(
            label,
            list(dict.fromkeys([*options, value])),
            format_func=lambda key: get_estimator(key).label,
            **bound,
        )
    else:
        high = top if name == "steps" else LANGUAGE_LIMITS.get(name, field.metadata["high"])
        number_input(label, field.metadata["low"], high, **bound)
