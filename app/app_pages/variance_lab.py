"""The variance lab: which estimator has the least variance, where, and why."""

import streamlit as st

from app import controls, lab_views

# View -> its message, what draws it, and the settings that it does not use.
EXACT = ("problem", "ways", "wrong", "seed")
VIEWS = {
    "map": (
        "Which unbiased estimator is calmest? It depends on how alike right answers are",
        lab_views.winner_map,
        ("k",),
    ),
    "curves": ("How gradient estimates scatter, exactly and measured", lab_views.curves, ()),
    "dial": ("Between loo-1 and canonical there is a dial, and often better", lab_views.dial, ()),
    "cloud": (
        "Unbiased but wild, or biased but calm: every dot is one estimate",
        lab_views.cloud,
        (),
    ),
    "budget": ("The same samples: many prompts, or large groups?", lab_views.budget, (*EXACT, "n")),
    "targets": ("What does it really optimise?", lab_views.targets, (*EXACT, "p")),
    "value": ("How sure is an estimate of pass@k?", lab_views.value, (*EXACT, "k", "p")),
}

point, own = controls.lab_settings()
message, draw, unused = VIEWS[own["view"]]
st.header(message, anchor=False)
controls.lab_view(own)
draw(point, own)
controls.lab_point(point, unused)
