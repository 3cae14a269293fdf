"""`pkpo figures`: compute the paper's figures, check their claims, write files."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from pkpo import paper
from pkpo.cli.output import shorten
from pkpo.cli.runs import writable
from pkpo.extras import missing

BAR = 30  # characters of a bar of progress
SAID = {True: "pass", False: "FAIL", None: "open"}
"""By whether a claim holds."""


def add_command(commands: argparse._SubParsersAction) -> None:
    """Add `figures` to a parser's commands."""
    parser = commands.add_parser(
        "figures",
        help="compute the paper's figures and check their claims",
        description="Compute the paper's figures and check their claims. Figures of the language model "
        "that are named with --only are trained for, in processes of their own: about an hour on two "
        "cores for all of them. Ctrl-C stops that; the same command goes on where it stood.",
    )
    parser.add_argument("--out", required=True, help="folder for the files; made if missing")
    parser.add_argument("--only", metavar="KEYS", help="such as fig1,fig4; default all")
    parser.add_argument("--seed", type=int, default=0, help="random seed; default 0")
    parser.add_argument(
        "--recorded",
        action="store_true",
        help="read what ships, as without --only, instead of training the named figures' runs",
    )
    parser.set_defaults(run=_figures)


def _figures(arguments: argparse.Namespace) -> int:
    """Exit status 1 if a claim fails, else 0: one that is undecided does not."""
    try:
        from pkpo.figures import export
    except ModuleNotFoundError as reason:
        raise missing("drawing", reason) from None

    recipes = paper.choose_recipes(_keys(arguments.only))
    afresh = arguments.only is not None and not arguments.recorded
    results: list[paper.FigureResult] = []
    with writable(arguments.out) as out, export.browser():
        for recipe in recipes:
            result = recipe.run(arguments.seed, afresh, partial(_bar, recipe.title))
            results.append(result)
            files, problem = export.write_figure(recipe, result, out)
            print(f"{recipe.title} ({result.seconds:.2f} s): {', '.join(files)}")
            print(f"  {result.origin}")
            for claim in result.claims:
                print(f"  {SAID[claim.passed]}  {claim.text}  {claim.measured}")
            if problem:
                print(f"  no image: {shorten(problem)}", file=sys.stderr)
        (out / "claims.json").write_text(paper.claims_json(results), encoding="utf-8")
    passed, failed, undecided = paper.count_verdicts(
        claim for result in results for claim in result.claims
    ).values()
    print(
        f"{passed} claims passed, {failed} failed, {undecided} undecided; see {out / 'claims.json'}"
    )
    return 1 if failed else 0


def _keys(only: str | None) -> list[str]:
    """The figures named by --only; none where it is not given."""
    if only is None:
        return []
    keys = [key.strip() for key in only.split(",")]
    if not all(keys):
        raise ValueError(f"--only must name figures, such as fig1,fig4, got {only[:40]!r}")
    return keys


def _bar(title: str, done: float) -> None:
    """Show how far it is on the standard error."""
    filled = round(BAR * done)
    bar = "#" * filled + "." * (BAR - filled)
    end = "\n" if done == 1 else ""
    print(f"\r{title} [{bar}] {done:6.1%}", end=end, file=sys.stderr, flush=True)
