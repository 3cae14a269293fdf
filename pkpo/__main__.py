"""The command line: `python -m pkpo ...`, or `pkpo ...` once installed."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pkpo.config import CONFIGS, FIELDS, RunConfig, command, compared, fields_of
from pkpo.estimators import ESTIMATORS
from pkpo.runs import commands as runs

ROWS = 11  # of the table that `train` prints per run
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
    parser = _parser()
    arguments = parser.parse_args(argv)
    try:
        return arguments.run(arguments)
    except ValueError as reason:
        print(f"pkpo {arguments.command}: {reason}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        sys.stderr.close()
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pkpo", description="Pass@K Policy Optimization, to try.")
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
        "figures", help="compute the paper's figures and check their claims"
    )
    figures.add_argument("--out", required=True, help="folder for the files; made if missing")
    figures.add_argument(
        "--only", default="", metavar="KEYS", help="such as fig1,fig4; default all"
    )
    figures.add_argument("--seed", type=int, default=0, help="random seed; default 0")
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
    from pkpo.training import record

    given = {name: value for name, value in vars(arguments).items() if name in FIELDS}
    settings = {"task": arguments.task, **given}
    configs = compared(settings, " ".join(arguments.compare))
    if arguments.background:
        runs.start(configs, arguments.json)
        return 0
    reports = []
    for config in configs:
        start = time.perf_counter()
        recording = record(config)
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
        print(json.dumps(reports if arguments.compare else reports[0]))
    return 0


def _print_run(config: RunConfig, columns: dict[str, Any], seconds: float) -> None:
    print(f"{command([config])}    # {config.steps} updates in {seconds:.2f} s")
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
    from pkpo.figures.export import write_figure

    recipes = paper.choose([key for key in arguments.only.split(",") if key])
    out = Path(arguments.out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        results = []
        for recipe in recipes:
            result = recipe.run(arguments.seed)
            results.append(result)
            files, problem = write_figure(recipe, result, out)
            print(f"{recipe.title} ({result.seconds:.2f} s): {', '.join(files)}")
            for claim in result.claims:
                print(f"  {'pass' if claim.passed else 'FAIL'}  {claim.text}  {claim.measured}")
            if problem:
                print(f"  no image: {problem}", file=sys.stderr)
        (out / "claims.json").write_text(paper.claims_json(results))
    except OSError as reason:
        raise ValueError(f"--out {arguments.out}: {reason.strerror or reason}") from None
    claims = [claim for result in results for claim in result.claims]
    failed = sum(not claim.passed for claim in claims)
    print(f"{len(claims) - failed} claims passed, {failed} failed; see {out / 'claims.json'}")
    return 1 if failed else 0


def _worker(arguments: argparse.Namespace) -> int:
    from pkpo.runs import worker

    return worker.main(arguments.id)


def _estimators(arguments: argparse.Namespace) -> int:
    shown = ("key", "label", "reference", "optimises", "unbiased", "centred", "needs", "formula")
    rows = [{name: getattr(e, name) for name in shown} for e in ESTIMATORS.values()]
    if arguments.json:
        print(json.dumps(rows))
        return 0
    for row in rows:
        flags = [name for name in ("unbiased", "centred") if row[name]]
        print(f"{row['key']}: {row['label']}  [{row['reference']}]")
        print(f"    optimises {row['optimises']}; needs {row['needs']}")
        print(f"    {', '.join(flags) or 'neither unbiased for max@k nor centred'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
