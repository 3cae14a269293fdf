"""What the player gets of the toy problem."""

from __future__ import annotations

from typing import Any

from app.components.player.packing import PlayerPanel, Styles
from app.components.wire import floats
from pkpo import figures
from pkpo.comparisons import HillComparison

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
