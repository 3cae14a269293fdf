"""The report: one HTML file with every figure, its claims, tables and settings, for an appendix."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

import numpy as np

from pkpo import paper
from pkpo.figures import export
from pkpo.figures.browsers import NoExporterError, print_pdf
from pkpo.figures.paper_toy import DRAW
from pkpo.paper import Claim, FigureResult, Grid
from pkpo.runs.provenance import versions

__all__ = ["NoExporterError", "report_html", "write_report"]

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1b232c; background: #fff; max-width: 62rem;
  margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.25; }
h2 { margin-top: 2.5rem; border-top: 1px solid #d5dbe1; padding-top: 1rem; }
figure { margin: 1rem 0; }
figure img { width: 100%; height: auto; }
figcaption, .origin { color: #4b5563; font-size: 0.9rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 0.75rem 0; font-size: 0.9rem; }
caption { text-align: left; font-weight: 600; padding: 0.25rem 0; }
th, td { border: 1px solid #d5dbe1; padding: 0.25rem 0.5rem; text-align: left; vertical-align: top; }
td.number { text-align: right; white-space: nowrap; }
.holds { color: #17692f; } .fails { color: #b3261e; } .undecided { color: #4b5563; }
pre { background: #f3f5f7; padding: 0.75rem; overflow-x: auto; font-size: 0.85rem; }
@media print { body { margin: 0; font-size: 13px; } table { font-size: 0.8rem; }
  figure, tr { break-inside: avoid; } h2, h3, caption { break-after: avoid; }
  details { display: none; } }
"""


def report_html(results: Sequence[FigureResult], seed: int) -> str:
    """Every figure with its claims, tables, settings and origin, and what all was made with.

    Figures are drawings where a browser can make them, else interactive, with Plotly's code once.

    Args:
      results: the figures, in their order.
      seed: of those that are computed.
    """
    claims = [claim for result in results for claim in result.claims]
    parts = [
        "<h1>Pass@K Policy Optimization: figures made again, and claims checked</h1>",
        '<p>Walder and Karkhanis, <a href="https://arxiv.org/abs/2505.15201">arXiv:2505.15201</a>.</p>',
        "<h2>Verdict</h2>",
        _table(
            ("whose claims", *paper.VERDICTS.values(), "in all"),
            (
                (words, *paper.count_verdicts(own).values(), len(own))
                for kind, words in paper.KINDS.items()
                if (own := [claim for claim in claims if claim.kind == kind])
            ),
        ),
        _open_claims(results),
        "<h2>Made with</h2>",
        _table(("what", "version"), _made_with(seed)),
    ]
    pictures = _pictures(results)
    for result, picture in zip(results, pictures, strict=True):
        parts += _section(result, seed, picture)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>PKPO: figures and claims</title><style>{STYLE}</style></head>"
        f"<body><main>\n{chr(10).join(parts)}\n</main></body></html>\n"
    )


def write_report(results: Sequence[FigureResult], seed: int, out: Path) -> None:
    """The same as a file: a PDF where its name ends so, else HTML.

    Raises:
      NoExporterError: there is no browser to print a PDF.
      OSError: the file cannot be written.
    """
    page = report_html(results, seed)
    if out.suffix.lower() == ".pdf":
        print_pdf(page, out)
    else:
        out.write_text(page, encoding="utf-8")


def _made_with(seed: int) -> Iterable[tuple[str, object]]:
    found = versions()
    packages = found.pop("packages")
    yield "seed of what is computed", seed
    yield from found.items()
    yield from packages.items()


def _open_claims(results: Sequence[FigureResult]) -> str:
    rows = [
        (
            paper.RECIPES[result.key].title,
            claim.text,
            claim.verdict,
            paper.RECIPES[result.key].caveat,
        )
        for result in results
        for claim in result.claims
        if not claim.passed
    ]
    heads = ("figure", "claim that fails or is undecided", "verdict", "why, as far as is known")
    return _table(heads, rows) if rows else ""


def _section(result: FigureResult, seed: int, picture: str) -> list[str]:
    recipe = paper.RECIPES[result.key]
    caption = f"{recipe.message} {recipe.errors_in_words}".strip()
    return [
        f'<h2 id="{escape(result.key)}">{escape(recipe.title)}</h2>',
        f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure>",
        *(_grid_table(grid) for grid in result.grids),
        _table(
            ("verdict", "whose", "claim", "measured", "required"), map(_claim_row, result.claims)
        ),
        f'<p class="origin">Made from: {escape(result.origin)}; {result.seconds:.2f} s.</p>',
        "<details><summary>Settings</summary>"
        f"<pre>{escape(paper.config_json(recipe, seed))}</pre></details>",
    ]


def _claim_row(claim: Claim) -> tuple[object, ...]:
    whose = paper.KINDS[claim.kind] if claim.kind else ""
    return claim.verdict, whose, claim.text, claim.measured, claim.required


def _grid_table(grid: Grid) -> str:
    rows = []
    for name, means, errors, best in zip(
        grid.rows, grid.means, grid.errors, grid.best, strict=True
    ):
        cells = [
            "" if np.isnan(mean) else f"{mean:.3f} ± {error:.3f}" + (" *" if top else "")
            for mean, error, top in zip(means, errors, best, strict=True)
        ]
        rows.append((name, *cells))
    title = f"{grid.title} (* {grid.best_in_words})"
    return _table(("method", *grid.columns), rows, title)


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> str:
    def cell(x: object) -> str:
        text = escape(str(x))
        if isinstance(x, (int, float)):
            return f'<td class="number">{text}</td>'
        return (
            f'<td class="{text}">{text}</td>'
            if text in paper.VERDICTS.values()
            else f"<td>{text}</td>"
        )

    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in rows)
    caption = f"<caption>{escape(title)}</caption>" if title else ""
    return f'<div class="wide" tabindex="0"><table>{caption}<tr>{head}</tr>{body}</table></div>'


def _pictures(results: Sequence[FigureResult]) -> list[str]:
    """A figure for each: a drawing, or where no browser makes one, Plotly's, its code in the first."""
    figures = [DRAW[result.key](result.table) for result in results]
    try:
        with export.browser():
            drawn = [export.to_image(figure, "svg") for figure in figures]
    except export.NoExporterError:
        return [
            figure.update_layout(paper_bgcolor="white").to_html(
                full_html=False, include_plotlyjs=place == 0
            )
            for place, figure in enumerate(figures)
        ]
    return [
        f'<img alt="{escape(paper.RECIPES[result.key].title)}" '
        f'src="data:image/svg+xml;base64,{base64.b64encode(image).decode()}">'
        for result, image in zip(results, drawn, strict=True)
    ]
