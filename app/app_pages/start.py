"""What pass@k training is about, in one screen."""

import streamlit as st

from app import cached, page_registry
from app.components import player
from app.controls.address_reader import read_link, show_complaints
from app.glossary import link_terms
from pkpo.comparisons.settings import parse_comparison

st.title("PKPO Lab", anchor=False)
show_complaints(read_link({})[1])
text, picture = st.columns([2, 3], gap="large")
with text:
    st.markdown(
        link_terms(
            "**Sample a model k times and keep the best answer: then train it for that.** Ordinary "
            "reinforcement learning rewards every sample alone, and so teaches caution. Pass@K Policy "
            "Optimization rewards a *group*: each sample is paid what it adds to the best of k. One "
            "line of the training loop changes:"
        )
    )
    st.code(
        "rewards = score(samples)\n"
        "# new:\n"
        "weights = transform(rewards, k)\n"
        "loss = -(weights * logp).sum()",
        language="python",
    )
    st.markdown(
        link_terms(
            "In the picture, two policies learned the same hill with a cliff at x = 1. The one "
            "trained for single attempts keeps a safe distance. The one trained for the best of 8 "
            "stands at the edge: a good part of its attempts fall, the best of 8 hardly ever does."
        )
    )
    if st.button("Learn it: predict, then see", type="primary", icon=":material/school:"):
        st.switch_page(page_registry.get_page("learn"))
    st.page_link(
        page_registry.get_page("toy_problem"),
        label="Try it: the toy problem",
        icon=":material/arrow_forward:",
    )
    st.page_link(
        page_registry.get_page("language_model"),
        label="See it on a language model",
        icon=":material/arrow_forward:",
    )
    st.caption(
        "Walder and Karkhanis, *Pass@K Policy Optimization*, NeurIPS 2025, "
        "[arXiv:2505.15201](https://arxiv.org/abs/2505.15201)."
    )
with picture:
    player.show_player(
        cached.cached_playback(parse_comparison({}, "schedule 1 8"), ("stage",)), key="start-player"
    )
