"""`pkpo report --out FILE`: every figure of the paper with its claims, in one HTML or PDF file."""

from __future__ import annotations

import argparse
from pathlib import Path

from pkpo import paper
from pkpo.extras import missing


def add_command(commands: argparse._SubParsersAction) -> None:
    """Add `report` to a parser's commands."""
    parser = commands.add_parser(
        "report",
        help="write all figures, claims and settings to one HTML or PDF file",
        description="Write the paper's figures, made again, with their claims, tables, settings, seeds "
        "and versions to one HTML or PDF file, for an appendix. Those of the language model are "
        "recorded ones. A PDF is printed by Chrome or Chromium.",
    )
    parser.add_argument(
        "--out", required=True, metavar="FILE", help="such as report.html or report.pdf"
    )
    parser.add_argument("--seed", type=int, default=0, help="random seed; default 0")
    parser.set_defaults(run=_report)


def _report(arguments: argparse.Namespace) -> int:
    try:
        from pkpo.figures import report
    except ModuleNotFoundError as reason:
        raise missing("drawing", reason) from None

    out = Path(arguments.out)
    if not arguments.out.strip() or out.is_dir():
        raise ValueError(f"--out must name a file, got {arguments.out!r}")
    results = [recipe.run(arguments.seed) for recipe in paper.choose_recipes([])]
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        report.write_report(results, arguments.seed, out)
    except report.NoExporterError as reason:
        raise ValueError(f"--out {arguments.out}: {reason}") from None
    except OSError as reason:
        raise ValueError(f"--out {arguments.out}: {reason.strerror or reason}") from None
    counts = paper.count_verdicts(claim for result in results for claim in result.claims)
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    print(f"{out}: {len(results)} figures, claims: {told}; {out.stat().st_size / 1e6:.1f} MB")
    return 0
