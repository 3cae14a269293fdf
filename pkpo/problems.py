"""Old name of `pkpo.analysis.estimation_problems`; it goes with version 1."""

from __future__ import annotations

import warnings

from pkpo.analysis.estimation_problems import (
    GaussianProblem,
    SoftmaxProblem,
    binary_problem,
    graded_problem,
)

__all__ = ["GaussianProblem", "SoftmaxProblem", "binary_problem", "graded_problem"]

warnings.warn(
    "pkpo.problems is now pkpo.analysis.estimation_problems", DeprecationWarning, stacklevel=2
)
