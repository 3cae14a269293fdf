"""What the player gets of the toy problem."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.components.player.packing import PlayerPanel, Styles
from app.components.wire import floats
from pkpo import figures
from pkpo.comparisons import BEST_OF, HillComparison
from pkpo.schedules import K_STOPS
from toy_envs import gaussian_hill

EXACT_POINTS = 481  # of a curve whose k moves with the finger

HILL_PHASES = (
    (
        "Sample",
        "Draw n = {n} attempts from the policy: θ = {theta}, σ = {sigma}.",
        r"x_1, \dots, x_n \sim \mathcal{N}(\theta, \sigma^2)",
    ),
    (
        "Score",
        "Each attempt gets its own reward; the best of these is {best}.",
        r"r_i = g(x_i)",
    ),
    ("Transform", "", ""),
    (
        "Update",
        "Ordinary policy gradient with these weights: {gradient} (coloured arrow; grey: exactly "
        "{exact}). With the learning rate, θ goes from {theta} to {next}.",
        r"\theta \leftarrow \theta + \eta \sum_i w_i \, \nabla_\theta \log \pi_\theta(x_i)",
    ),
)
"""Title, text and LaTeX of the four phases of an update; the third's are the estimator's."""


def hill_contents(study: HillComparison, styles: Styles) -> dict[str, Any]:
    """See `app.components.player.packing.pack`."""
    toy = figures.gaussian_hill
    return {
        "panels": {
            "stage": PlayerPanel("hill", lambda: toy.plot_hill_stage(study), span=3),
            "theta": PlayerPanel("lines", lambda: toy.plot_theta(study, styles), column="theta"),
            "value": PlayerPanel(
                "lines", lambda: figures.plot_value(study, styles), column="reached"
            ),
            "gradient": PlayerPanel(
                "lines",
                lambda: toy.plot_gradient(study, styles),
                column="gradient",
                single=True,
            ),
        },
        "alts": toy.describe_hill(study, styles),
        "phases": HILL_PHASES,
        "columns": [
            {
                "theta": r["theta"],
                "sigma": r["sigma"],
                "gradient": r["gradient"],
                "exact": r["exact_gradient"],
                "value": r["value"],
            }
            for r in study.recordings
        ],
        "note": toy.hill_legend(study),
        "readouts": [
            ("θ", "theta"),
            (f"max@{study.compared_k}", "reached"),
            ("max@1", "atOne"),
        ],
        "grid": floats(study.theta),
        "curves": {str(k): floats(curve) for k, curve in study.curves.items()},
        "colours": {str(k): figures.k_colour(k) for k in study.curves},
    }


def hill_exact(config: Any) -> dict[str, Any]:
    """Exact max@k over θ for every k of `BEST_OF`, and the best θ for those that a slider stops at.

    About 165 kB in JSON: `[64, EXACT_POINTS]` in float32.
    """
    left, right = gaussian_hill.reward_shape(config.shape).support
    grid = np.linspace(2 * left - right, 2 * right - left, EXACT_POINTS)
    stars = {
        k: gaussian_hill.optimum(k, config.sigma, config.shape) for k in K_STOPS if k in BEST_OF
    }
    return {
        "grid": floats(grid),
        "curves": floats(gaussian_hill.exact(grid, BEST_OF, config.sigma, config.shape).value),
        "stars": {str(k): [best.theta, best.value] for k, best in stars.items()},
    }
