"""Figures as files: CSV, interactive HTML that needs no network, and an image where one can be made."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import plotly.graph_objects as go

from pkpo.figures.paper import DRAW
from pkpo.paper import Recipe, Result, grid_csv, grid_markdown, to_csv

WIDTH, HEIGHT = 1000, 520


class NoExporterError(RuntimeError):
    """An image cannot be made on this machine; the message says what is missing."""


def image(figure: go.Figure, kind: str) -> bytes:
    """The figure as a "png" or "svg" file, on white.

    Raises:
      NoExporterError: kaleido, or the Chrome or Chromium that it drives, is not installed. Nothing is
        ever downloaded.
    """
    try:
        import kaleido  # noqa: F401
    except ImportError:
        raise NoExporterError("images need the package kaleido: pip install kaleido") from None
    found = os.environ.get("BROWSER_PATH") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if found:
        os.environ["BROWSER_PATH"] = found
    white = go.Figure(figure).update_layout(paper_bgcolor="white", font_color="#1b232c")
    try:
        return white.to_image(
            kind,
            width=WIDTH,
            height=figure.layout.height or HEIGHT,
            scale=2 if kind == "png" else 1,
        )
    except Exception as reason:  # kaleido's own errors have no common base
        text = str(reason).strip().splitlines() or [type(reason).__name__]
        raise NoExporterError(
            f"images need Chrome or Chromium, which kaleido drives ({text[0][:120]})"
        ) from None


def write_figure(recipe: Recipe, result: Result, out: Path) -> tuple[list[str], str]:
    """Write a figure's files, and those of the tables beside it.

    Returns:
      The names, `KEY.csv`, `KEY.html` and `KEY.svg`, of every table `TABLE.csv` and `TABLE.md`; and why
      there is no image, if so.
    """
    figure = DRAW[recipe.key](result.table)
    figure.update_layout(title={"text": recipe.title, "x": 0.01, "y": 0.985, "yanchor": "top"})
    figure.update_layout(margin_t=96, paper_bgcolor="white")
    (out / f"{recipe.key}.csv").write_text(to_csv(result))
    figure.write_html(out / f"{recipe.key}.html", include_plotlyjs=True, full_html=True)
    names = [f"{recipe.key}.csv", f"{recipe.key}.html"]
    for grid in result.grids:
        (out / f"{grid.key}.csv").write_text(grid_csv(grid))
        (out / f"{grid.key}.md").write_text(f"{grid.title}\n\n{grid_markdown(grid)}")
        names += [f"{grid.key}.csv", f"{grid.key}.md"]
    try:
        (out / f"{recipe.key}.svg").write_bytes(image(figure, "svg"))
    except NoExporterError as reason:
        return names, str(reason)
    return [*names, f"{recipe.key}.svg"], ""
