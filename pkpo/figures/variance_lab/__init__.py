"""Figures of the variance lab: under each name the drawing of what `pkpo.analysis` has under it."""

from pkpo.figures.variance_lab.dial import describe_dial, plot_best_dials, plot_dial
from pkpo.figures.variance_lab.labels import LEGEND_ABOVE, estimator_label, objective_of
from pkpo.figures.variance_lab.objectives import plot_cosines, plot_scales, plot_value_variance
from pkpo.figures.variance_lab.rate_weights import (
    EVEN,
    HARD,
    describe_rate_weights,
    plot_rate_history,
    plot_rate_weights,
    tabulate_rate_weights,
)
from pkpo.figures.variance_lab.sample_budget import describe_budget, plot_budget
from pkpo.figures.variance_lab.variance_curves import (
    MEASURES,
    describe_cloud,
    describe_curves,
    plot_cloud,
    plot_curves,
)
from pkpo.figures.variance_lab.winner_map import (
    FACTORS,
    NEUTRAL,
    REACH,
    RULES,
    WHY,
    advice,
    describe_map,
    plot_explanation,
    plot_winner_map,
)

__all__ = [
    "EVEN",
    "FACTORS",
    "HARD",
    "LEGEND_ABOVE",
    "MEASURES",
    "NEUTRAL",
    "REACH",
    "RULES",
    "WHY",
    "advice",
    "describe_budget",
    "describe_cloud",
    "describe_curves",
    "describe_dial",
    "describe_map",
    "describe_rate_weights",
    "estimator_label",
    "objective_of",
    "plot_best_dials",
    "plot_budget",
    "plot_cloud",
    "plot_cosines",
    "plot_curves",
    "plot_dial",
    "plot_explanation",
    "plot_rate_history",
    "plot_rate_weights",
    "plot_scales",
    "plot_value_variance",
    "plot_winner_map",
    "tabulate_rate_weights",
]
