"""`pkpo runs ...`: list, show, stop, resume, delete, export; and what `train --background` starts."""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pkpo.cli.output import to_json
from pkpo.comparisons.settings import command_line
from pkpo.config import RunConfig
from pkpo.runs import export
from pkpo.runs.executor import Executor
from pkpo.runs.executors import make_executor
from pkpo.runs.run import STATUSES, Run, StoreError
from pkpo.runs.store import Store

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
        ("export", _export, "write metrics (CSV), settings (JSON) and the newest checkpoint"),
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
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.set_defaults(run=_guarded, act=action)


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


def start_in_background(configs: Sequence[RunConfig], as_json: bool) -> None:
    """Submit runs, together if there are several, start what may start, and print their ids.

    Raises:
      ValueError: a run is longer than allowed, or the store cannot be used.
    """
    try:
        store = Store()
        if len(configs) == 1:
            ids = [store.submit(configs[0])]
        else:
            sweep = store.submit_together(configs)
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
    with writable(arguments.out) as out:
        files = export.export_run(store, arguments.id, out)
    if arguments.json:
        print(to_json({"id": arguments.id, "files": [str(path) for path in files]}))
    else:
        print("\n".join(map(str, files)))
    return 0


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
