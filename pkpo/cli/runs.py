"""`pkpo runs ...`: list, show, stop, resume, delete, export; and what `train --background` starts."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pkpo.cli.output import shorten, to_json
from pkpo.comparisons.settings import command_line
from pkpo.config import RunConfig
from pkpo.runs import export
from pkpo.runs.executor import Executor
from pkpo.runs.executors import make_executor
from pkpo.runs.run import STATUSES, Run, StoreError
from pkpo.runs.store import Store
from pkpo.runs.trackers import (
    TRACKERS,
    TrackedRun,
    check_trackers,
    log_whole_run,
    trackers_from_environment,
)

STOP_POLL_SECONDS = 0.1  # seconds between looks at a run that was asked to stop


def add_command(commands: argparse._SubParsersAction) -> None:
    """Add `runs`, with commands of its own, to a parser's commands."""
    runs = commands.add_parser("runs", help="list, show, stop, resume, delete, export runs")
    actions = runs.add_subparsers(dest="action", required=True)
    for name, action, text in (
        ("list", _list, "all runs, newest first"),
        ("show", _show, "one run"),
        ("stop", _stop, "let a run finish its update and stop"),
        ("resume", _resume, "let a run go on from its last checkpoint"),
        ("delete", _delete, "forget a run and its files"),
        (
            "export",
            _export,
            "write metrics (CSV, Parquet), settings (JSON) and the newest checkpoint",
        ),
    ):
        parser = actions.add_parser(name, help=text)
        if name == "list":
            parser.add_argument(
                "--status", choices=STATUSES, default=STATUSES, help="only these; default all"
            )
        else:
            parser.add_argument("id", help="the run's id")
        if name == "export":
            parser.add_argument("--out", required=True, help="folder; made if missing")
            add_log_option(parser)
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.set_defaults(run=_guarded, act=action)


def add_log_option(parser: argparse.ArgumentParser, when: str = "") -> None:
    """Add `--log`, which `chosen_trackers` reads; `when` is said behind its help."""
    parser.add_argument(
        "--log",
        action="append",
        metavar="TRACKER",
        help=f"also log metrics to {', '.join(TRACKERS)}, if installed; can be repeated{when}; "
        "default PKPO_LOG",
    )


def chosen_trackers(arguments: argparse.Namespace) -> tuple[str, ...]:
    """The trackers that --log or PKPO_LOG names.

    Raises:
      ValueError: one is unknown or not installed.
    """
    named = arguments.log
    return trackers_from_environment() if named is None else check_trackers(named, "--log")


@contextmanager
def writable(folder: str) -> Iterator[Path]:
    """The folder that --out names, made if it is missing; what goes wrong while writing is named.

    Raises:
      ValueError: no name, or a folder that cannot be written.
    """
    if not folder.strip():
        raise ValueError(f"--out must name a folder, got {folder!r}")
    try:
        out = Path(folder)
        out.mkdir(parents=True, exist_ok=True)
        yield out
    except BrokenPipeError:  # of what is printed meanwhile
        raise
    except OSError as reason:
        raise ValueError(f"--out {folder}: {reason.strerror or reason}") from None


def start_in_background(configs: Sequence[RunConfig], as_json: bool, log: Sequence[str]) -> None:
    """Submit runs, together if there are several, start what may start, and print their ids.

    Args:
      configs: the runs'.
      as_json: whether more than ids is printed.
      log: trackers.

    Raises:
      ValueError: a run is longer than allowed, or the store cannot be used.
    """
    try:
        store = Store()
        if len(configs) == 1:
            ids = [store.submit(configs[0], log=log)]
        else:
            sweep = store.submit_together(configs, log=log)
            ids = [run.id for run in reversed(store.runs(sweep=sweep))]
        make_executor(store).reconcile()
        reports = [_report(store, store.run(id)) for id in ids]
    except StoreError as reason:
        raise ValueError(str(reason)) from None
    if as_json:
        print(to_json(reports if len(reports) > 1 else reports[0]))
    else:
        print("\n".join(ids))


def _guarded(arguments: argparse.Namespace) -> int:
    try:
        store = Store()
        executor = make_executor(store)
        executor.reconcile()
        return arguments.act(arguments, store, executor)
    except StoreError as reason:
        raise ValueError(str(reason)) from None


def _list(arguments: argparse.Namespace, store: Store, executor: Executor) -> int:
    runs = store.runs(status=arguments.status)
    if arguments.json:
        print(to_json([_report(store, run) for run in runs]))
        return 0
    places = {id: place for place, id in enumerate(store.queue(), 1)}
    for run in runs:
        print(_line(run, places))
    if not runs:
        print(f"no runs in {store.folder}")
    return 0


def _show(arguments: argparse.Namespace, store: Store, executor: Executor) -> int:
    run = store.run(arguments.id)
    if arguments.json:
        print(to_json(_report(store, run)))
        return 0
    print(_line(run, {id: place for place, id in enumerate(store.queue(), 1)}))
    for change in store.changes(run.id):
        changed = {"k": change.k, "learning_rate": change.learning_rate}
        words = ", ".join(f"{name} {x:g}" for name, x in changed.items() if x is not None)
        print(f"  from update {change.update}: {words}")
    for name, value in run.metrics.items():
        print(f"  {name:<24}{value:>16g}")
    print(f"  files in {store.files(run.id)}")
    if "logged_to" in run.provenance:
        print(f"  logged to {run.provenance['logged_to']}")
    return 0


def _stop(arguments: argparse.Namespace, store: Store, executor: Executor) -> int:
    store.stop(arguments.id)
    while store.run(arguments.id).status == "running":  # at the latest until it is ended by force
        time.sleep(STOP_POLL_SECONDS)
        executor.reconcile()
    return _show(arguments, store, executor)


def _resume(arguments: argparse.Namespace, store: Store, executor: Executor) -> int:
    executor.give_up(arguments.id)
    store.resume(arguments.id)
    executor.reconcile()
    return _show(arguments, store, executor)


def _delete(arguments: argparse.Namespace, store: Store, executor: Executor) -> int:
    store.delete(arguments.id)
    print(to_json({"id": arguments.id}) if arguments.json else f"deleted {arguments.id}")
    return 0


def _export(arguments: argparse.Namespace, store: Store, executor: Executor) -> int:
    log = chosen_trackers(arguments)
    with writable(arguments.out) as out:
        run = store.run(arguments.id)
        if run.status == "running" and (busy := set(log) & set(run.log)):
            raise ValueError(
                f"run {run.id} is running and logged to {', '.join(busy)} by its worker"
            )
        files, problem = export.export_run(store, run.id, out)
    tracked = TrackedRun(task=run.task, id=run.id, config=run.settings, folder=store.folder)
    logged_to, problems = log_whole_run(log, tracked, store.events(run.id))
    names = [str(path) for path in files]
    if arguments.json:
        print(to_json({"id": run.id, "files": names, "logged_to": logged_to}))
    else:
        print("\n".join([*names, *logged_to]))
    for said in [problem, *problems]:
        if said:
            print(f"pkpo runs: {shorten(said)}", file=sys.stderr)
    return 1 if problems else 0


def _report(store: Store, run: Run) -> dict[str, Any]:
    """What `--json` says of a run."""
    return {
        "id": run.id,
        "status": run.status,
        "step": run.step,
        "config": run.settings,
        "metrics": run.metrics,
        "message": run.message,
        "name": run.name,
        "sweep": run.sweep,
        "log": run.log,
        "changes": [dataclasses.asdict(change) for change in store.changes(run.id)],
        "provenance": run.provenance,
        "created": run.created,
        "started": run.started,
        "finished": run.finished,
    }


def _line(run: Run, places: dict[str, int]) -> str:
    status = run.status + (f" ({places[run.id]} in line)" if run.id in places else "")
    try:
        config = run.config
        words = f"{run.step} of {config.steps}  {command_line([config])}"
    except ValueError as reason:
        words = str(reason)
    line = f"{run.id}  {status:<12} {words}"
    return f"{line}  [{run.message}]" if run.message else line
