"""Where models are; no torch is needed to look."""

from __future__ import annotations

import os
from pathlib import Path

MODELS = Path(__file__).parent / "models"
"""The models that ship."""


def find(model: str | Path) -> Path:
    """The folder of a model: one that ships, such as "tiny", by its name, any other by its path.

    Raises:
      ValueError: there is none.
    """
    for folder in (MODELS / model, Path(model)):
        if os.path.isfile(folder / "config.json"):  # false for any nonsense, too
            return folder
    shipped = ", ".join(sorted(path.name for path in MODELS.iterdir()))
    raise ValueError(f"model must be one of {shipped} or a model's folder, got {str(model)[:80]!r}")
