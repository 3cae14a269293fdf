"""Old name of `pkpo.analysis.monte_carlo`; it goes with version 1."""

from __future__ import annotations

import warnings

from pkpo.analysis.monte_carlo import run_monte_carlo as scatter

__all__ = ["scatter"]

warnings.warn("pkpo.variance is now pkpo.analysis.monte_carlo", DeprecationWarning, stacklevel=2)
