"""The variance lab's figures carry the numbers they were given, and their words say them."""

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
