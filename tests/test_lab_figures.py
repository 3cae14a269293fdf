"""The variance lab's figures carry the numbers they were given, and their words say them."""

import math

import pytest

from pkpo import lab
from pkpo.figures import lab as figures
from pkpo.lab import LabSettings

# --- The winner map -------------------------------------------------------------------------------


def test_a_map_with_nothing_to_compare_says_so():
    for settings, axis in (
        (LabSettings(n=2, k=1), "p"),  # canonical only at k = 1
        (LabSettings(problem="hill", n=4, theta=2.0), "dimension"),  # no reward is ever seen
    ):
        found = lab.winner_map(settings, axis)
        assert "Nothing to compare" in figures.describe_map(found)
        hover = figures.winner_map(found).data[0].customdata
        assert not any("nan" in text for row in hover for text in row)


# --- Curves ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("measure", figures.MEASURES)
def test_no_scatter_at_all_can_be_drawn(measure):
    points = lab.curves(LabSettings(problem="hill", theta=-1.0, n=4), "k", ["s", "canonical"])
    assert all(point.measured.variance.value == 0 for point in points)
    drawn = figures.curves(points, "k", measure)
    if measure == "ratio":
        assert all(math.isnan(y) for trace in drawn.data for y in trace.y)


# --- The dial -------------------------------------------------------------------------------------


def test_the_dial_s_sentence():
    found = lab.dial(LabSettings(p=0.5, n=16, k=4))
    assert figures.describe_dial(found, 0.25) == (
        f"At α = 0.25 the variance is {found.variance(0.25):.4g}. "
        f"Least at α = {found.best:.2f}: {found.gain:.2f} times less than the better end."
    )
    text = figures.describe_dial(lab.dial(LabSettings(k=1)), 0.25)
    assert text.endswith("α has no effect at this point.") and "nan" not in text
