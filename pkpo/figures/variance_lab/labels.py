"""Names and colours of estimators in the variance lab's figures, and their legend."""

from __future__ import annotations

from collections.abc import Iterable

from pkpo import analysis
from pkpo.estimators import get_estimator
from pkpo.figures.style import (
    OTHER_COLOURS,
    distinct_colours,
    estimator_colour,
)

LEGEND_ABOVE = {
    "showlegend": True,
    "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
    "margin": {"l": 66, "r": 14, "t": 64, "b": 50},
}


def objective_of(name: str) -> str:
    """What an estimator's expected direction is the gradient of, where known."""
    if name == analysis.CENTRED_AGAIN:
        return "max@k, less the mean weight: biased"
    return get_estimator(name).optimises


def estimator_label(name: str) -> str:
    """An estimator's label, also of those that only the lab knows."""
    return name if name == analysis.CENTRED_AGAIN else get_estimator(name).label


def colours_of_estimators(names: Iterable[str]) -> dict[str, str]:
    """The colours of estimators that are drawn together, also of those that only the lab knows."""
    wanted = {
        name: OTHER_COLOURS[1] if name == analysis.CENTRED_AGAIN else estimator_colour(name)
        for name in names
    }
    return dict(zip(wanted, distinct_colours(list(wanted.values())), strict=True))
