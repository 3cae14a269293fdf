"""The trainer clinic: the weights that a trainer really uses, and what they optimise."""

from __future__ import annotations

import numpy as np
import streamlit as st

from app import cached, charts, controls, page_registry
from app.controls.trainer_clinic import ClinicPage, clinic_settings, more_clinic_settings
from app.glossary import link_terms
from pkpo import analysis
from pkpo.estimators import ESTIMATORS, transform
from pkpo.figures import trainer_clinic as figures
from pkpo.integrations.conventions import ALIKE


def show_clinic() -> None:
    """The whole view."""
    page = clinic_settings()
    settings, rewards, k = page.settings, page.rewards, page.k
    if page.fault:
        st.info(link_terms(page.fault.story), icon=":material/healing:")
    try:
        used = settings(np.array(rewards), k)
        (found,) = cached.cached_direction(settings, len(rewards), k)
    except ValueError as reason:
        st.error(controls.problem_text(reason), icon=":material/error:")
        more_clinic_settings(page)
        _show_lines(page)
        return
    lengths_count = settings.about.losses[settings.loss] != ALIKE and settings.length != 1
    told = figures.describe_direction(found, k, lengths_count)
    st.markdown(link_terms(told))
    left, right = st.columns(2, gap="medium")
    unbiased = transform(rewards, k) if len(rewards) > 1 else None
    with left:
        st.markdown(link_terms("**What each sample counts in the loss**"))
        numbers = ", ".join(f"{weight:.3f}" for weight in used)
        charts.show_chart(
            figures.plot_used_weights(rewards, used, unbiased),
            "clinic-weights",
            f"Weights that this trainer uses: {numbers}.",
            380,
            buttons=False,
        )
    with right:
        st.markdown(link_terms("**What it optimises, on average**"))
        charts.show_chart(
            figures.plot_followed_objective(found, k), "clinic-cosine", told, 380, False
        )
    rates = ", ".join(f"{p:.0%}" for p in analysis.PROMPT_RATES)
    st.caption(
        link_terms(
            "Left: weights as a sum over the group; unbiased is loo-1. Right: exact, by "
            f"enumeration. Three prompts share one policy, which is right on them with {rates}; each "
            f"also has an answer that is half right. Groups of n = {len(rewards)}; where the curve "
            "touches 1 is what the trainer follows."
        )
    )
    more_clinic_settings(page)
    _show_lines(page)


def _show_lines(page: ClinicPage) -> None:
    about = page.settings.about
    st.subheader("Copy for my trainer", anchor=False)
    st.markdown(
        link_terms(
            f"{about.label} {about.version} wants "
            f"{'w, since its loss sums' if about.sums else 'n·w, since its loss averages'} (its "
            f"conventions were {'checked by running it' if about.tested else 'read in its source'}). "
            f"For k = {page.k} and {ESTIMATORS[page.settings.estimator].label}:"
        )
    )
    st.code(about.adapter(page.k, page.settings.estimator), language="python", wrap_lines=True)
    st.page_link(
        page_registry.get_page("variance_lab"),
        label="What GRPO, MaxRL and others optimise",
        icon=":material/arrow_forward:",
    )
