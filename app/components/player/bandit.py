"""What the player gets of the bandit."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.components.player.packing import PlayerPanel, Styles
from app.components.wire import floats
from pkpo import figures
from pkpo.analysis import rate_weight
from pkpo.comparisons import BEST_OF, BanditComparison
from pkpo.comparisons.comparison import ks_used

RATE_POINTS = 201  # pass rates from 0 to 1 at which w(p) is sent
CURVES = 400  # at most so many best-of-k curves are sent of a run

BANDIT_PHASES = (
    (
        "Sample",
        "Draw n = {n} arms from the policy{at_prompts}.",
        r"a_1, \dots, a_n \sim \pi_\theta",
    ),
    (
        "Score",
        "Each draw gets its arm's reward; the best of these is {best}.",
        r"r_i = g(a_i)",
    ),
    ("Transform", "", ""),
    (
        "Update",
        "Ordinary policy gradient with these weights (length {gradient}; the exact one {exact}, the "
        "cosine between them {alignment}). The bars move: max@{compared_k} goes from {reached} to "
        "{nextReached}, max@1 from {atOne} to {nextAtOne}.",
        r"\theta \leftarrow \theta + \eta \sum_i w_i \, \nabla_\theta \log \pi_\theta(a_i)",
    ),
)
"""Title, text and LaTeX of the four phases of an update; the third's are the estimator's."""


def bandit_contents(study: BanditComparison, styles: Styles) -> dict[str, Any]:
    """See `app.components.player.packing.pack`."""
    bandit, prompts = figures.bandit, study.bandit.prompts
    layout = bandit.lanes(study)
    at_prompts = f" at each of the {prompts} prompts" if prompts > 1 else ""
    return {
        "panels": {
            "stage": PlayerPanel("bandit", lambda: bandit.plot_bandit_stage(study), span=2),
            "best": PlayerPanel("curve", lambda: bandit.plot_best_of_k(study, styles)),
            "value": PlayerPanel(
                "lines", lambda: figures.plot_value(study, styles), column="reached"
            ),
            "entropy": PlayerPanel(
                "lines", lambda: bandit.plot_entropy(study, styles), column="entropy"
            ),
            "groups": PlayerPanel(
                "lines", lambda: bandit.plot_solved_and_dead(study, styles), column="solved"
            ),
            "rates": PlayerPanel(
                "rates", lambda: bandit.plot_pass_rates(study), on_request=lambda: _rates(study)
            ),
        },
        "alts": bandit.describe_bandit(study, styles),
        "phases": [
            (title, text.replace("{at_prompts}", at_prompts), latex)
            for title, text, latex in BANDIT_PHASES
        ],
        "columns": [
            {
                "probabilities": p,
                "curve": best_of[_rows(len(best_of))],
                "entropy": r["entropy"],
                "solved": r["cumulative_solve_rate"],
                "gradient": r["gradient_norm"],
                "exactGradient": r["exact_gradient_norm"],
                "alignment": r["alignment"],
            }
            for r, p, best_of in zip(
                study.recordings, study.probabilities, study.best_of, strict=True
            )
        ],
        "note": bandit.bandit_legend(study),
        "readouts": [
            (f"max@{study.compared_k}", "reached"),
            ("max@1", "atOne"),
            ("entropy", "entropy"),
        ],
        "prompts": prompts,
        "curveX": floats(BEST_OF),
        "lanes": [
            {"prompts": group, "base": base, "scale": layout.scale, "colours": colours}
            for group, base, colours in zip(
                layout.prompts, layout.bases, layout.colours, strict=True
            )
        ],
        "bar": bandit.BAR_WIDTH,
        "sampleColour": bandit.reward_colours(study),
    }


def _rates(study: BanditComparison) -> dict[str, Any]:
    """Per run, each prompt's pass rate over updates, and by k what the estimator makes of a rate."""
    p = np.linspace(0, 1, RATE_POINTS)
    return {
        "passRates": [floats(rates) for rates in study.pass_rates],
        "rateWeights": [
            {
                str(k): floats(rate_weight(r.config.estimator, p, r.config.n, k))
                for k in ks_used([r])
            }
            for r in study.recordings
        ],
    }


def _rows(updates: int) -> np.ndarray:
    """Even places over a run's updates, the first and the last among them."""
    return np.linspace(0, updates - 1, min(updates, CURVES)).round().astype(int)
