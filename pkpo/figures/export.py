"""Figures as files: CSV, interactive HTML that needs no network, and an image where one can be made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import plotly.graph_objects as go

from pkpo import paper
from pkpo.figures.browsers import NoExporterError, browser
from pkpo.figures.paper_toy import DRAW
from pkpo.paper import FigureRecipe, FigureResult, grid_csv, grid_markdown, result_csv

IMAGE_WIDTH, IMAGE_HEIGHT = 1000, 520


__all__ = ["NoExporterError", "browser", "figures_zip", "to_image", "write_figure"]


def to_image(figure: go.Figure, kind: str) -> bytes:
    """The figure as a "png" or "svg" file, on white; within `browser()`, many need one browser only.

    Raises:
      NoExporterError: kaleido, or a Chrome or Chromium that it can drive, is not there. Nothing is
        ever downloaded.
    """
    white = go.Figure(figure).update_layout(paper_bgcolor="white", font_color="#1b232c")
    options = {
        "format": kind,
        "width": IMAGE_WIDTH,
        "height": figure.layout.height or IMAGE_HEIGHT,
        "scale": 2 if kind == "png" else 1,
    }
    with browser() as opened:
        return opened.draw(white.to_dict(), options)


def write_figure(
    recipe: FigureRecipe, result: FigureResult, out: Path, shared: bool = False
) -> tuple[list[str], str]:
    """Write a figure's files, and those of the tables beside it.

    Args:
      recipe: the figure.
      result: what it shows.
      out: the folder.
      shared: let the pages of a folder share one file with plotly's code instead of each holding it.

    Returns:
      The names, `KEY.csv`, `KEY.html` and `KEY.svg`, of every table `TABLE.csv` and `TABLE.md`; and why
      there is no image, if so.
    """
    figure = DRAW[recipe.key](result.table)
    figure.update_layout(title={"text": recipe.title, "x": 0.01, "y": 0.985, "yanchor": "top"})
    figure.update_layout(margin_t=96, paper_bgcolor="white")
    (out / f"{recipe.key}.csv").write_text(result_csv(result), encoding="utf-8")
    figure.write_html(out / f"{recipe.key}.html", include_plotlyjs="directory" if shared else True)
    names = [f"{recipe.key}.csv", f"{recipe.key}.html"]
    for grid in result.grids:
        (out / f"{grid.key}.csv").write_text(grid_csv(grid), encoding="utf-8")
        words = f"{grid.title}\n\n{grid_markdown(grid)}"
        (out / f"{grid.key}.md").write_text(words, encoding="utf-8")
        names += [f"{grid.key}.csv", f"{grid.key}.md"]
    try:
        (out / f"{recipe.key}.svg").write_bytes(to_image(figure, "svg"))
    except NoExporterError as reason:
        return names, str(reason)
    return [*names, f"{recipe.key}.svg"], ""


def figures_zip(results: Sequence[FigureResult]) -> bytes:
    """Every file of these results in one archive, drawn by one browser."""
    with browser():
        return paper.results_zip(results, write_figure)
