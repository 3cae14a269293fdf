"""Old name of `pkpo.analysis.enumeration`; it goes with version 1."""

from __future__ import annotations

import warnings

from pkpo.analysis.enumeration import enumerate_outcomes as moments

__all__ = ["moments"]

warnings.warn("pkpo.enumeration is now pkpo.analysis.enumeration", DeprecationWarning, stacklevel=2)
