"""Figures: numbers in, Plotly figures out. One template, one palette for the whole lab."""

from pkpo.figures import bandit, progress, toy
from pkpo.figures.groups import weight_matrix, weights_of_group
from pkpo.figures.runs import schedule_preview, value_over_updates
from pkpo.figures.style import (
    AWAY,
    ESTIMATOR_COLOURS,
    K_COLOURS,
    NO_WEIGHT,
    TOWARDS,
    estimator_colour,
    k_colour,
    reward_colour,
    run_styles,
)

__all__ = [
    "AWAY",
    "ESTIMATOR_COLOURS",
    "K_COLOURS",
    "NO_WEIGHT",
    "TOWARDS",
    "bandit",
    "estimator_colour",
    "k_colour",
    "progress",
    "reward_colour",
    "run_styles",
    "schedule_preview",
    "toy",
    "value_over_updates",
    "weight_matrix",
    "weights_of_group",
]
