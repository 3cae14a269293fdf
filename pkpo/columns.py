"""Columns by name as files: CSV, and Parquet where pyarrow is installed."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from pkpo.extras import missing


def to_csv(columns: Mapping[str, np.ndarray]) -> bytes:
    """A header and a line per row, in UTF-8; numbers are read back exactly."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
    return out.getvalue().encode()


def to_parquet(columns: Mapping[str, np.ndarray]) -> bytes:
    """The same as a Parquet file: every column with its name, type and numbers, NaN included.

    Raises:
      ValueError: pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError as reason:
        raise missing("Parquet", reason) from None
    out = io.BytesIO()
    parquet.write_table(pyarrow.table(dict(columns)), out)
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file that a table can be."""

    ending: str
    mime: str
    write: Callable[[Mapping[str, np.ndarray]], bytes]
    """Columns -> the file's content."""


FORMATS = {
    "CSV": Format("csv", "text/csv", to_csv),
    "Parquet": Format("parquet", "application/vnd.apache.parquet", to_parquet),
}
"""By the name that people read."""
