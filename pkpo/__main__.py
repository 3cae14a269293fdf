"""The command line: `python -m pkpo ...`, or `pkpo ...` once installed."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, NoReturn

from pkpo.config import CONFIGS, FIELDS, RunConfig, command_line, parse_comparison, fields_of
from pkpo.estimators import ESTIMATORS
from pkpo.extras import missing
from pkpo.output import print_anything, shorten, to_json
from pkpo.runs import commands as runs

ROWS = 11  # of the table that `train` prints per run
BAR = 30  # characters of a bar of progress
SHOWN = {
    "gaussian-hill": ("theta", "sigma", "gradient", "exact_gradient", "max@1", "value"),
    "bandit": ("entropy", "alignment", "cumulative_solve_rate", "max@8", "max@1", "value"),
    "word-problems": (
        "pass@1",
        "held_out_pass@1",
        "held_out_pass@16",
        "entropy",
        "cumulative_solve_rate",
        "valid_chain_share",
    ),
}
"""Columns of that table, by task, as far as a run has them; "value" is headed max@k."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (2: something asked for is impossible)."""
    print_anything()
    arguments = _parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except ValueError as reason:
        print(f"pkpo {arguments.command}: {shorten(reason)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\npkpo {arguments.command}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        sys.stderr.close()
        return 0


class _Parser(argparse.ArgumentParser):
    """Argparse's, whose errors are two lines, however long its usage or what was typed."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and end with status 2."""
        usage = self.format_usage()
        if len(usage.splitlines()) > 1:
            usage = f"usage: {self.prog} ...; {self.prog} --help lists what it takes\n"
        self.exit(2, f"{usage}{self.prog}: error: {shorten(message)}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="pkpo", description="Pass@K Policy Optimization, to try.")
    commands = parser.add_subparsers(dest="command", required=True)

    train = commands.add_parser("train", help="train and print what happened")
    train.add_argument(
        "--task",
        default=next(iter(CONFIGS)),
        metavar="TASK",
        help=f"what is learned ({', '.join(CONFIGS)}); default {next(iter(CONFIGS))}",
    )
    for name, field in FIELDS.items():
        kind = type(field.default)
        option: dict[str, Any] = {"default": argparse.SUPPRESS, "help": _help(name, field)}
        if kind is bool:
            option["action"] = argparse.BooleanOptionalAction
        else:
            option |= {"type": kind, "metavar": name.upper()}
        train.add_argument("--" + name.replace("_", "-"), **option)
    train.add_argument(
        "--compare",
        nargs="+",
        default=[],
        metavar=("FIELD", "VALUE"),
        help="up to four values of one setting on the same random numbers: schedule 1 2 4 8",
    )
    train.add_argument(
        "--json", action="store_true", help="print JSON, with every update's numbers"
    )
    train.add_argument(
        "--background",
        action="store_true",
        help="train in processes of their own, see `runs`; print the ids at once",
    )
    train.set_defaults(run=_train)
    runs.add_to(commands)

    figures = commands.add_parser(
        "figures",
        help="compute the paper's figures and check their claims",
        description="Compute the paper's figures and check their claims. Figures of the language model "
        "that are named with --only are trained for, in processes of their own: about an hour on two "
        "cores for all of them. Ctrl-C stops that; the same command goes on where it stood.",
    )
    figures.add_argument("--out", required=True, help="folder for the files; made if missing")
    figures.add_argument("--only", metavar="KEYS", help="such as fig1,fig4; default all")
    figures.add_argument("--seed", type=int, default=0, help="random seed; default 0")
    figures.add_argument(
        "--recorded",
        action="store_true",
        help="read what ships, as without --only, instead of training the named figures' runs",
    )
    figures.set_defaults(run=_figures)

    worker = commands.add_parser("worker", help="train a claimed run; executors call this")
    worker.add_argument("id", help="the run's id")
    worker.set_defaults(run=_worker)

    listing = commands.add_parser("estimators", help="list the estimators")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=_estimators)
    return parser


def _help(name: str, field: dataclasses.Field) -> str:
    limits = field.metadata
    owners = {task: known[name] for task in CONFIGS if name in (known := fields_of(task))}
    of = "" if len(owners) == len(CONFIGS) else f", task {', '.join(owners)} only"
    defaults = dict.fromkeys(str(own.default) for own in owners.values())
    allowed = ""
    if "choices" in limits:
        allowed = f" ({', '.join(limits['choices'])})"
    elif "low" in limits:
        allowed = f" ({limits['low']} to {limits['high']})"
    return f"{limits['help']}{allowed}{of}; default {' or '.join(defaults)}"


def _train(arguments: argparse.Namespace) -> int:
    from pkpo.training import record_run

    given = {name: value for name, value in vars(arguments).items() if name in FIELDS}
    settings = {"task": arguments.task, **given}
    configs = parse_comparison(settings, " ".join(arguments.compare))
    if arguments.background:
        runs.start(configs, arguments.json)
        return 0
    reports = []
    for config in configs:
        start = time.perf_counter()
        recording = record_run(config)
        seconds = round(time.perf_counter() - start, 3)
        columns = recording.columns
        if not arguments.json:
            _print_run(config, columns, seconds)
        reports.append(
            {
                "status": "finished",
                "step": config.steps,
                "config": config.to_dict(),
                "metrics": recording.final() | {"seconds": seconds},
                "seconds": seconds,
                "history": {name: curve.tolist() for name, curve in columns.items()},
            }
        )
    if arguments.json:
        print(to_json(reports if arguments.compare else reports[0]))
    return 0


def _print_run(config: RunConfig, columns: dict[str, Any], seconds: float) -> None:
    print(f"{command_line([config])}    # {config.steps} updates in {seconds:.2f} s")
    shown = [name for name in ("update", "k", *SHOWN[config.task]) if name in columns]
    heads = ["max@k" if name == "value" else name for name in shown]
    print("".join(f"{head:>{max(15, len(head) + 2)}}" for head in heads))
    rows = sorted({round(i * config.steps / (ROWS - 1)) for i in range(ROWS)})
    for row in rows:
        cells = zip(heads, (columns[name][row] for name in shown), strict=True)
        print(
            "".join(
                f"{x:>{max(15, len(head) + 2)}{'' if head in ('update', 'k') else '.6f'}}"
                for head, x in cells
            )
        )
    print()


def _figures(arguments: argparse.Namespace) -> int:
    """Exit status 0 if every claim holds, 1 if one does not."""
    from pkpo import paper

    try:
        from pkpo.figures import export
    except ModuleNotFoundError as reason:
        raise missing("drawing", reason) from None

    recipes = paper.choose_recipes(_keys(arguments.only))
    afresh = arguments.only is not None and not arguments.recorded
    results: list[paper.FigureResult] = []
    with runs.writable(arguments.out) as out, export.browser():
        for recipe in recipes:
            result = recipe.run(arguments.seed, afresh, partial(_bar, recipe.title))
            results.append(result)
            files, problem = export.write_figure(recipe, result, out)
            print(f"{recipe.title} ({result.seconds:.2f} s): {', '.join(files)}")
            print(f"  {result.origin}")
            for claim in result.claims:
                print(f"  {'pass' if claim.passed else 'FAIL'}  {claim.text}  {claim.measured}")
            if problem:
                print(f"  no image: {shorten(problem)}", file=sys.stderr)
        (out / "claims.json").write_text(paper.claims_json(results), encoding="utf-8")
    claims = [claim for result in results for claim in result.claims]
    failed = sum(not claim.passed for claim in claims)
    print(f"{len(claims) - failed} claims passed, {failed} failed; see {out / 'claims.json'}")
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


def _worker(arguments: argparse.Namespace) -> int:
    from pkpo.runs import worker

    return worker.main(arguments.id)


def _estimators(arguments: argparse.Namespace) -> int:
    shown = "key label reference optimises unbiased centred needs formula formula_at_one".split()
    rows = [{name: getattr(e, name) for name in shown} for e in ESTIMATORS.values()]
    if arguments.json:
        print(to_json(rows))
        return 0
    for row in rows:
        flags = [name for name in ("unbiased", "centred") if row[name]]
        print(f"{row['key']}: {row['label']}  [{row['reference']}]")
        print(f"    optimises {row['optimises']}; needs {row['needs']}")
        print(f"    {', '.join(flags) or 'neither unbiased for max@k nor centred'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
