"""Figures: numbers in, Plotly figures out. One template, one palette for the whole lab."""

from pkpo.figures.groups import weight_matrix, weights_of_group
from pkpo.figures.style import (
    AWAY,
    ESTIMATOR_COLOURS,
    K_COLOURS,
    NO_WEIGHT,
    TOWARDS,
    estimator_colour,
    k_colour,
    run_styles,
)
from pkpo.figures.toy import (
    describe,
    gradient_over_updates,
    key,
    schedule_preview,
    stage,
    takeaway,
    theta_over_updates,
    value_over_updates,
)

__all__ = [
    "AWAY",
    "ESTIMATOR_COLOURS",
    "K_COLOURS",
    "NO_WEIGHT",
    "TOWARDS",
    "describe",
    "estimator_colour",
    "gradient_over_updates",
    "k_colour",
    "key",
    "run_styles",
    "schedule_preview",
    "stage",
    "takeaway",
    "theta_over_updates",
    "value_over_updates",
    "weight_matrix",
    "weights_of_group",
]
