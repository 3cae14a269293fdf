"""`pkpo evaluate FILE [FILE]`: pass@k of graded samples, with intervals; a second file is compared."""

from __future__ import annotations

import argparse
import glob
import os
from pathlib import Path
from typing import Any

from pkpo.cli.output import to_json
from pkpo.evaluation import (
    Coverage,
    Curve,
    Evaluation,
    PairedComparison,
    Results,
    compare_results,
    evaluate_results,
    join_seeds,
    read_results,
    rows_shown,
)
from pkpo.evaluation.report import DECIDING, SEEDS_COMPARED
from pkpo.fields import FieldError, parse_whole


def add_command(commands: argparse._SubParsersAction) -> None:
    """Add `evaluate` to a parser's commands."""
    parser = commands.add_parser(
        "evaluate",
        help="pass@k or max@k of graded samples in a file",
        description="Unbiased pass@k (max@k for rewards other than 0 and 1) of graded samples, with 95% "
        "intervals over problems. A CSV or JSON Lines file has a row per sample (problem, correct) or "
        "per problem (problem, n, c); HumanEval-style results are read, too. Where a column (seed, run, "
        "run_id) names several seeds, intervals are over seeds and problems. A second file is compared "
        "with the first, problem by problem.",
    )
    parser.add_argument(
        "file", help="CSV or JSON Lines; a pattern in quotes, such as 'run-*.csv': a file per seed"
    )
    parser.add_argument("other", nargs="*", help="a second one, to compare")
    parser.add_argument(
        "--k", metavar="KS", default="", help="such as 1,8,64; default all there are"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap; default 0")
    parser.add_argument(
        "--pool-seeds", action="store_true", help="take the samples of all seeds as one model's"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, with every k")
    parser.set_defaults(run=_evaluate)


def _evaluate(arguments: argparse.Namespace) -> int:
    ks = _ks(arguments.k)
    if arguments.seed < 0:
        raise FieldError("seed", f"--seed must be 0 or more, got {arguments.seed}")
    files = [arguments.file, *arguments.other]
    if len(files) > 2:
        raise FieldError(
            "other",
            f"at most two results are compared, got {len(files)} files; a pattern in quotes, such as "
            "'run-*.csv', takes its files as the seeds of one",
        )
    read = [(file, _read(file)) for file in files]
    if arguments.pool_seeds:
        read = [(file, results.pooled()) for file, results in read]
    found = evaluate_results(read, ks, seed=arguments.seed)
    compared = (
        compare_results(read[0][1], read[1][1], ks, arguments.seed) if len(read) == 2 else None
    )
    if arguments.json:
        reports = [_report(one) for one in found]
        print(to_json({"results": reports, "comparison": compared and _difference(compared)}))
        return 0
    for one in found:
        _print_results(one, bool(ks))
    if compared:
        _print_comparison(compared, bool(ks))
    return 0


def _read(given: str) -> Results:
    """A file, or all that a pattern names, as the seeds of one model."""
    if os.path.exists(os.path.expanduser(given)) or not glob.has_magic(given):
        return read_results(given)
    paths = sorted(glob.glob(os.path.expanduser(given)))
    if not paths:
        raise ValueError(f"no file has a name like {given!r}")
    return join_seeds([(path, read_results(path)) for path in paths])[1]


def _ks(text: str) -> tuple[int, ...]:
    if not text.strip():
        return ()
    return tuple(dict.fromkeys(parse_whole("--k", part, 1, 10**6) for part in text.split(",")))


def _rows(curve: Curve, every: bool) -> list[int]:
    """Which k to print: all that were asked for, else as a table does."""
    return list(range(len(curve.ks))) if every else rows_shown(curve.ks)


def _print_results(found: Evaluation, every: bool) -> None:
    results, curve, naive = found.results, found.curve, found.plug_in
    print(
        f"{Path(found.name).name}: {len(results.rewards):,} problems, {results.samples:,} samples "
        f"({results.smallest_n:,} or more of each{' in a seed' if curve.seeds else ''}); "
        f"{results.layout}"
    )
    head = f"{'k':>6} {found.quantity:>9}   {'95% interval':<16}"
    head += "" if naive is None else f" {'plug-in':>9}"
    print((head + ("   the seeds, from to" if curve.seeds else "")).rstrip())
    for i in _rows(curve, every):
        line = f"{curve.ks[i]:>6} {curve.mean[i]:>9.4f}   {curve.low[i]:.4f} to {curve.high[i]:.4f}"
        line += f" {naive[i]:>9.4f}" if naive is not None else ""
        if curve.seeds:
            at = [values[i] for values in curve.seeds.values()]
            line += f"   {min(at):.4f} to {max(at):.4f}"
        print(line)
    if curve.seeds:
        print("intervals: over seeds and problems, by Student's t")
    if found.coverage:
        _print_coverage(found.coverage)
    print()


def _print_coverage(cover: Coverage) -> None:
    print(
        f"problems solved at least so often (in {cover.samples:,} samples), and Cover@tau's bracket"
    )
    print(f"{'tau':>6} {'share':>9}   95% interval       from       to")
    for i, rate in enumerate(cover.thresholds):
        print(
            f"{rate:>6.0%} {cover.mean[i]:>9.4f}   {cover.low[i]:.4f} to {cover.high[i]:.4f}"
            f"   {cover.at_least[i]:.4f}   {cover.at_most[i]:.4f}"
        )


def _print_comparison(found: PairedComparison, every: bool) -> None:
    curve = found.difference
    seeds = SEEDS_COMPARED[found.seeds]
    print(
        f"the second less the first, on {len(found.problems):,} problems of both"
        + (f"; {seeds}" if seeds else "")
    )
    needs = f"to decide: problems, or {DECIDING[found.seeds]}"
    print(f"{'k':>6} {'change':>9}   95% interval         {needs}")
    for i in _rows(curve, every):
        line = (
            f"{curve.ks[i]:>6} {curve.mean[i]:>+9.4f}   {curve.low[i]:+.4f} to {curve.high[i]:+.4f}"
        )
        size = found.needs[i]
        counts = [f"{x:,}" if x else "-" for x in (size.problems, size.samples or size.seeds)]
        print(f"{line}   {counts[0]:>19} {counts[1]:>16}")
    stretches = (
        f"from k = {k} {'neither is surely ahead' if who == 'neither' else f'the {who} is ahead'}"
        for k, who in found.ahead
    )
    print("; ".join(stretches))
    won, lost = len(found.won), len(found.lost)
    print(f"solved by the second alone: {won:,} problems; by the first alone: {lost:,}")


def _report(found: Evaluation) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if found.plug_in is not None and (cover := found.coverage):
        more["plug_in"] = found.plug_in.tolist()
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
        "file": found.name,
        "layout": found.results.layout,
        "problems": len(found.results.rewards),
        "samples": found.results.samples,
        "quantity": found.quantity,
        **_columns(found.curve),
        **more,
    }


def _difference(found: PairedComparison) -> dict[str, Any]:
    return {
        "problems": len(found.problems),
        "seed_pairing": found.seeds,
        **_columns(found.difference),
        "deciding_problems": [size.problems for size in found.needs],
        "deciding_samples": [size.samples for size in found.needs],
        "deciding_seeds": [size.seeds for size in found.needs],
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
        "seeds": {seed: values.tolist() for seed, values in curve.seeds.items()},
    }
