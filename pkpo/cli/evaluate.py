"""`pkpo evaluate FILE [FILE]`: pass@k of graded samples, with intervals; a second file is compared."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pkpo.cli.output import to_json
from pkpo.evaluation import (
    Curve,
    PairedComparison,
    Results,
    compare_results,
    estimate_coverage,
    estimate_curve,
    plug_in_curve,
    read_results,
    rows_shown,
)
from pkpo.evaluation.curves import K_SHOWN
from pkpo.fields import FieldError, parse_whole

THRESHOLDS = (0.1, 0.25, 0.5, 0.75, 0.9)


def add_command(commands: argparse._SubParsersAction) -> None:
    """Add `evaluate` to a parser's commands."""
    parser = commands.add_parser(
        "evaluate",
        help="pass@k or max@k of graded samples in a file",
        description="Unbiased pass@k (max@k for rewards other than 0 and 1) of graded samples, with 95% "
        "bootstrap intervals over problems. A CSV or JSON Lines file has a row per sample (problem, "
        "correct) or per problem (problem, n, c); HumanEval-style results are read, too. A second file "
        "is compared with the first, problem by problem.",
    )
    parser.add_argument("file", help="CSV or JSON Lines")
    parser.add_argument("other", nargs="?", help="a second one, to compare")
    parser.add_argument(
        "--k", metavar="KS", default="", help="such as 1,8,64; default all there are"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap; default 0")
    parser.add_argument("--json", action="store_true", help="print JSON, with every k")
    parser.set_defaults(run=_evaluate)


def _evaluate(arguments: argparse.Namespace) -> int:
    ks = _ks(arguments.k)
    if arguments.seed < 0:
        raise FieldError("seed", f"--seed must be 0 or more, got {arguments.seed}")
    files = [arguments.file, *([arguments.other] if arguments.other else [])]
    found = [read_results(file) for file in files]
    curves = [estimate_curve(results, ks, arguments.seed) for results in found]
    compared = compare_results(found[0], found[1], ks, arguments.seed) if len(found) == 2 else None
    drawn = min(K_SHOWN, *(results.smallest_n for results in found))
    if arguments.json:
        reports = [
            _report(file, results, curve, drawn, arguments.seed)
            for file, results, curve in zip(files, found, curves, strict=True)
        ]
        print(to_json({"results": reports, "comparison": compared and _difference(compared)}))
        return 0
    for file, results, curve in zip(files, found, curves, strict=True):
        _print_results(file, results, curve, bool(ks), drawn, arguments.seed)
    if compared:
        _print_comparison(compared, bool(ks))
    return 0


def _ks(text: str) -> tuple[int, ...]:
    if not text.strip():
        return ()
    return tuple(dict.fromkeys(parse_whole("--k", part, 1, 10**6) for part in text.split(",")))


def _rows(curve: Curve, every: bool) -> list[int]:
    """Which k to print: all that were asked for, else as a table does."""
    return list(range(len(curve.ks))) if every else rows_shown(curve.ks)


def _print_results(
    file: str, results: Results, curve: Curve, every: bool, drawn: int, seed: int
) -> None:
    count, name = len(results.rewards), "pass" if results.binary else "max"
    print(
        f"{Path(file).name}: {count:,} problems, {results.samples:,} samples "
        f"({results.smallest_n:,} or more of each); {results.layout}"
    )
    naive = plug_in_curve(results, curve.ks) if results.binary else None
    print(
        f"{'k':>6} {name + '@k':>9}   95% interval    {'plug-in' if results.binary else ''}".rstrip()
    )
    for i in _rows(curve, every):
        line = f"{curve.ks[i]:>6} {curve.mean[i]:>9.4f}   {curve.low[i]:.4f} to {curve.high[i]:.4f}"
        print(line + (f" {naive[i]:>9.4f}" if naive is not None else ""))
    if results.binary:
        cover = estimate_coverage(results, THRESHOLDS, drawn, seed)
        print(
            f"solved at least so often (of {cover.samples:,} samples, with 95% interval; "
            "Cover@tau, the share of problems whose pass rate is that, as far as samples decide)"
        )
        for i, rate in enumerate(THRESHOLDS):
            print(
                f"{rate:>6.0%} {cover.mean[i]:>9.4f}   {cover.low[i]:.4f} to {cover.high[i]:.4f}"
                f"     {cover.at_least[i]:.4f} to {cover.at_most[i]:.4f}"
            )
    print()


def _print_comparison(found: PairedComparison, every: bool) -> None:
    curve = found.difference
    print(f"the second less the first, on {len(found.problems):,} problems of both")
    print(f"{'k':>6} {'change':>9}   95% interval         to decide: problems, or samples of each")
    for i in _rows(curve, every):
        size = found.needs[i]
        counts = (f"{x:,}" if x else "-" for x in (size.problems, size.samples))
        print(
            f"{curve.ks[i]:>6} {curve.mean[i]:>+9.4f}   {curve.low[i]:+.4f} to {curve.high[i]:+.4f}"
            "   {:>19} {:>16}".format(*counts)
        )
    stretches = (
        f"from k = {k} {'neither is surely ahead' if who == 'neither' else f'the {who} is ahead'}"
        for k, who in found.ahead
    )
    print("; ".join(stretches))
    won, lost = len(found.won), len(found.lost)
    print(f"solved by the second alone: {won:,} problems; by the first alone: {lost:,}")


def _report(file: str, results: Results, curve: Curve, drawn: int, seed: int) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if results.binary:
        cover = estimate_coverage(results, THRESHOLDS, drawn, seed)
        more["plug_in"] = plug_in_curve(results, curve.ks).tolist()
        more["coverage"] = {
            "threshold": list(cover.thresholds),
            "samples": cover.samples,
            "mean": cover.mean.tolist(),
            "low": cover.low.tolist(),
            "high": cover.high.tolist(),
            "at_least": cover.at_least.tolist(),
            "at_most": cover.at_most.tolist(),
        }
    return {
        "file": file,
        "layout": results.layout,
        "problems": len(results.rewards),
        "samples": results.samples,
        "quantity": "pass@k" if results.binary else "max@k",
        **_columns(curve),
        **more,
    }


def _difference(found: PairedComparison) -> dict[str, Any]:
    return {
        "problems": len(found.problems),
        **_columns(found.difference),
        "deciding_problems": [size.problems for size in found.needs],
        "deciding_samples": [size.samples for size in found.needs],
        "ahead": [{"k": k, "who": who} for k, who in found.ahead],
        "won": list(found.won),
        "lost": list(found.lost),
    }


def _columns(curve: Curve) -> dict[str, Any]:
    return {
        "k": list(curve.ks),
        "mean": curve.mean.tolist(),
        "low": curve.low.tolist(),
        "high": curve.high.tolist(),
    }
