"""Figures: numbers in, Plotly figures out. One template, one palette for the whole lab."""

from pkpo.figures import bandit, gaussian_hill, run_curves
from pkpo.figures.comparison import plot_value
from pkpo.figures.group_weights import (
    describe_group_weights,
    plot_group_weights,
    plot_weight_matrix,
)
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
    "gaussian_hill",
    "k_colour",
    "describe_group_weights",
    "plot_group_weights",
    "plot_value",
    "plot_weight_matrix",
    "reward_colour",
    "run_curves",
    "run_styles",
]
