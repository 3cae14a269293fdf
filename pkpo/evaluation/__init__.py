"""Pass@k or max@k of anybody's graded samples: read from files, with intervals, and compared."""

from pkpo.evaluation.coverage import Coverage, estimate_coverage
from pkpo.evaluation.curves import (
    Curve,
    DecidingSize,
    PairedComparison,
    SeedPairing,
    compare_results,
    estimate_curve,
    plug_in_curve,
    rows_shown,
)
from pkpo.evaluation.files import Results, parse_results, read_results
from pkpo.evaluation.report import Evaluation, evaluate_results, evaluation_csv
from pkpo.evaluation.seeds import join_seeds

__all__ = [
    "Coverage",
    "Curve",
    "DecidingSize",
    "Evaluation",
    "PairedComparison",
    "Results",
    "SeedPairing",
    "compare_results",
    "estimate_coverage",
    "estimate_curve",
    "evaluate_results",
    "evaluation_csv",
    "join_seeds",
    "parse_results",
    "plug_in_curve",
    "read_results",
    "rows_shown",
]
