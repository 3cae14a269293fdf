"""Formulas for what the browser draws without Streamlit."""

from __future__ import annotations

from functools import lru_cache

import latex2mathml.converter


@lru_cache(maxsize=128)
def mathml(latex: str) -> str:
    """A LaTeX formula as MathML, on a line of its own."""
    return latex2mathml.converter.convert(latex, display="block")
