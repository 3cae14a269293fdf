"""`pkpo train`: train here, or in the background, and print what happened."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from pkpo.cli.output import shorten, to_json
from pkpo.cli.runs import add_log_option, chosen_trackers, start_in_background, writable
from pkpo.comparisons.settings import command_line, parse_comparison
from pkpo.config import RunConfig
from pkpo.lm.devices import one_thread
from pkpo.runs.environment import data_folder
from pkpo.runs.export import write_metrics
from pkpo.runs.run import new_id
from pkpo.runs.trackers import TrackedRun, log_whole_run
from pkpo.training.recording import record_run
from pkpo.training.tasks.registry import TASKS, all_fields, fields_of

ROWS = 11  # of the table that `train` prints per run


def add_command(commands: argparse._SubParsersAction) -> None:
    """Add `train` to a parser's commands."""
    parser = commands.add_parser("train", help="train and print what happened")
    parser.add_argument(
        "--task",
        default=next(iter(TASKS)),
        metavar="TASK",
        help=f"what is learned ({', '.join(TASKS)}); default {next(iter(TASKS))}",
    )
    for name, field in all_fields().items():
        kind = type(field.default)
        option: dict[str, Any] = {"default": argparse.SUPPRESS, "help": _help(name, field)}
        if kind is bool:
            option["action"] = argparse.BooleanOptionalAction
        else:
            option |= {"type": kind, "metavar": name.upper()}
        parser.add_argument("--" + name.replace("_", "-"), **option)
    parser.add_argument(
        "--compare",
        nargs="+",
        default=[],
        metavar=("FIELD", "VALUE"),
        help="up to four values of one setting on the same random numbers: schedule 1 2 4 8",
    )
    parser.add_argument(
        "--json", action="store_true", help="print JSON, with every update's numbers"
    )
    parser.add_argument(
        "--out",
        metavar="FOLDER",
        help="write every update's numbers there, as CSV and Parquet; made if missing",
    )
    add_log_option(parser, "; with --background while it trains, else at its end")
    parser.add_argument(
        "--background",
        action="store_true",
        help="train in processes of their own, see `runs`; print the ids at once",
    )
    parser.set_defaults(run=_train)


def _help(name: str, field: dataclasses.Field) -> str:
    limits = field.metadata
    owners = {task: known[name] for task in TASKS if name in (known := fields_of(task))}
    of = "" if len(owners) == len(TASKS) else f", task {', '.join(owners)} only"
    defaults = dict.fromkeys(str(own.default) for own in owners.values())
    allowed = ""
    if "choices" in limits:
        allowed = f" ({', '.join(limits['choices'])})"
    elif "low" in limits:
        allowed = f" ({limits['low']} to {limits['high']})"
    return f"{limits['help']}{allowed}{of}; default {' or '.join(defaults)}"


def _train(arguments: argparse.Namespace) -> int:
    known = all_fields()
    given = {name: value for name, value in vars(arguments).items() if name in known}
    settings = {"task": arguments.task, **given}
    configs = parse_comparison(settings, " ".join(arguments.compare))
    log = chosen_trackers(arguments)
    if arguments.background:
        if arguments.out is not None:
            raise ValueError("--out is not for --background; `pkpo runs export ID --out` writes it")
        start_in_background(configs, arguments.json, log)
        return 0
    with writable(arguments.out) if arguments.out is not None else nullcontext() as out:
        return _train_here(configs, arguments, log, out)


def _train_here(
    configs: Sequence[RunConfig],
    arguments: argparse.Namespace,
    log: Sequence[str],
    out: Path | None,
) -> int:
    """Train in this process, one after the other; the exit status, 1 if a run could not be logged."""
    reports, failed = [], False
    for config in configs:
        start = time.perf_counter()
        with one_thread() if TASKS[config.task].dtype == "float32" else nullcontext():
            recording = record_run(config)
        seconds = round(time.perf_counter() - start, 3)
        columns = recording.columns
        tracked = TrackedRun(
            task=config.task, id=new_id(), config=config.to_dict(), folder=data_folder()
        )
        files, problem = write_metrics(columns, out, tracked.name) if out else ([], "")
        logged_to, problems = log_whole_run(log, tracked, columns)
        if not arguments.json:
            _print_run(config, columns, seconds, [*map(str, files), *logged_to])
        for said in [problem, *problems]:
            if said:
                print(f"pkpo train: {shorten(said)}", file=sys.stderr)
        failed = failed or bool(problems)
        reports.append(
            {
                "status": "finished",
                "step": config.steps,
                "config": config.to_dict(),
                "metrics": recording.final() | {"seconds": seconds},
                "seconds": seconds,
                "history": {name: curve.tolist() for name, curve in columns.items()},
                "files": list(map(str, files)),
                "logged_to": logged_to,
            }
        )
    if arguments.json:
        print(to_json(reports if arguments.compare else reports[0]))
    return 1 if failed else 0


def _print_run(
    config: RunConfig, columns: dict[str, Any], seconds: float, kept: Sequence[str]
) -> None:
    """Print a table of a run, and below it where else its numbers are."""
    print(f"{command_line([config])}    # {config.steps} updates in {seconds:.2f} s")
    shown = [name for name in ("update", "k", *TASKS[config.task].printed) if name in columns]
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
    print("".join(f"{line}\n" for line in kept))
