"""The variance lab: which estimator has the least variance, where, and why."""

import streamlit as st

from app import controls, variance_lab_views

# View -> its message, what draws it, and the settings that it does not use.
EXACT = ("problem", "ways", "wrong", "seed")
VIEWS = {
    "map": (
        "Which unbiased estimator has the least variance? It depends on how alike right answers are",
        variance_lab_views.show_winner_map,
        ("k",),
    ),
    "curves": (
        "How gradient estimates scatter, exactly and measured",
        variance_lab_views.show_curves,
        (),
    ),
    "dial": (
        "Mixtures of loo-1 and canonical: unbiased, and often of less variance than both",
        variance_lab_views.show_dial,
        (),
    ),
    "cloud": (
        "Bias and variance, seen: every dot is one gradient estimate",
        variance_lab_views.show_cloud,
        (),
    ),
    "budget": (
        "The same samples: many prompts, or large groups?",
        variance_lab_views.show_budget,
        (*EXACT, "n"),
    ),
    "targets": ("What does it really optimise?", variance_lab_views.show_objectives, (*EXACT, "p")),
    "rates": (
        "Every method is a weight on pass rates: E[w(p) ∇p]. Which prompts does it work on?",
        variance_lab_views.show_rate_weights,
        (*EXACT, "p"),
    ),
    "value": (
        "How sure is an estimate of pass@k?",
        variance_lab_views.show_value_variance,
        (*EXACT, "k", "p"),
    ),
}

point, page = controls.lab_settings()
message, draw, unused = VIEWS[page.view]
st.header(message, anchor=False)
controls.lab_view(page)
draw(point, page)
controls.lab_point(point, unused)
