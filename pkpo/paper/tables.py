"""Results as text: tables, claims and settings for files."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pkpo.paper.recipe import FigureRecipe, FigureResult, Grid
from pkpo.paper.registry import RECIPES


def result_csv(result: FigureResult) -> str:
    """The result's table."""
    return _csv(list(result.table), zip(*result.table.values(), strict=True))


def grid_csv(grid: Grid) -> str:
    """A table's means, with their standard errors beside them."""
    heads = [head for column in grid.columns for head in (column, f"{column} error")]
    cells = np.stack([grid.means, grid.errors], axis=-1).reshape(len(grid.rows), -1)
    texts = np.where(np.isnan(cells), "", cells.astype(str)).tolist()
    return _csv(["", *heads], ([name, *row] for name, row in zip(grid.rows, texts, strict=True)))


def grid_markdown(grid: Grid) -> str:
    """A table for reading: mean ± standard error; in bold `Grid.best`."""
    lines = [["method", *grid.columns], ["---"] * (1 + len(grid.columns))]
    for name, means, errors, best in zip(
        grid.rows, grid.means, grid.errors, grid.best, strict=True
    ):
        cells = zip(means, errors, best, strict=True)
        lines.append([name, *(_cell(*cell) for cell in cells)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _cell(mean: float, error: float, best: bool) -> str:
    if np.isnan(mean):
        return ""
    # All seeds share what was measured once; their spread is 0 but for rounding.
    text = f"{mean:.3f}" if error < 1e-12 else f"{mean:.3f} ± {error:.3f}"
    return f"**{text}**" if best else text


def _csv(heads: Sequence[str], rows: Iterable[Iterable]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(rows)
    return out.getvalue()


def results_zip(results: Sequence[FigureResult], write: Callable[..., object]) -> bytes:
    """Every file that the command line writes, in one archive; its pages share plotly's code.

    Args:
      results: what to pack.
      write: puts a recipe's files into a folder (`pkpo.figures.export.write_figure`); is told that its
        pages are `shared`.
    """
    packed = io.BytesIO()
    with (
        tempfile.TemporaryDirectory() as folder,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        out = Path(folder)
        for result in results:
            write(RECIPES[result.key], result, out, shared=True)
        (out / "claims.json").write_text(claims_json(results), encoding="utf-8")
        for file in sorted(out.iterdir()):
            archive.write(file, file.name)
    return packed.getvalue()


def claim_rows(results: Sequence[FigureResult]) -> list[dict[str, Any]]:
    """Every claim with its figure, for claims.json."""
    return [
        {
            "figure": result.key,
            "claim": claim.text,
            "measured": claim.measured,
            "required": claim.required,
            "passed": None if claim.passed is None else bool(claim.passed),
            "verdict": claim.verdict,
            "kind": claim.kind,
            "seed": result.seed,
            "provenance": result.origin,
        }
        for result in results
        for claim in result.claims
    ]


def claims_json(results: Sequence[FigureResult]) -> str:
    """The text of claims.json."""
    return json.dumps(claim_rows(results), indent=2, ensure_ascii=False) + "\n"


def config_json(recipe: FigureRecipe, seed: int) -> str:
    """A figure's parameters, and its seed where that is all it is made from."""
    seeded = {"seed": seed} if recipe.source is None else {}
    return json.dumps({"figure": recipe.key} | seeded | recipe.parameters, indent=2) + "\n"
