"""Pass@k or max@k of anybody's graded samples: read from files, with intervals, and compared."""

from pkpo.evaluation.curves import (
    Curve,
    PairedComparison,
    compare_results,
    coverage,
    estimate_curve,
    plug_in_curve,
)
from pkpo.evaluation.files import Results, read_results

__all__ = [
    "Curve",
    "PairedComparison",
    "Results",
    "compare_results",
    "coverage",
    "estimate_curve",
    "plug_in_curve",
    "read_results",
]
