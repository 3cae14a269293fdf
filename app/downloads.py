"""Buttons that download a table in every form that tables are written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import streamlit as st

from pkpo.columns import FORMATS, Format


def show_table_downloads(
    label: str, columns: Callable[[], Mapping[str, np.ndarray]], name: str
) -> None:
    """A button per format.

    Args:
      label: what the table holds.
      columns: computes it, once somebody asks.
      name: the files', without their ending.
    """
    for kind, form in FORMATS.items():
        st.download_button(
            f"{label}, {kind}",
            partial(_write, form, columns),
            f"{name}.{form.ending}",
            form.mime,
            on_click="ignore",
        )


def _write(form: Format, columns: Callable[[], Mapping[str, np.ndarray]]) -> bytes:
    return form.write(columns())
