"""`pkpo train`: train here, or in the background, and print what happened."""

from __future__ import annotations

import argparse
import dataclasses
import time
from contextlib import nullcontext
from typing import Any

from pkpo.cli.output import to_json
from pkpo.cli.runs import start_in_background
from pkpo.comparisons.settings import command_line, parse_comparison
from pkpo.config import RunConfig
from pkpo.lm.devices import one_thread
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
    if arguments.background:
        start_in_background(configs, arguments.json)
        return 0
    reports = []
    for config in configs:
        start = time.perf_counter()
        with one_thread() if TASKS[config.task].dtype == "float32" else nullcontext():
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
    print()
