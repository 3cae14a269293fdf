"""Runs as data: their settings, status, events and steering in one SQLite file, and a folder each.

Everything that a page, the command line, a worker or an executor knows of a run goes through here.
Statuses move only as `pkpo.runs.run` says. Whatever must not be torn apart is one transaction; a worker
writes only while the run is still its own.
"""

from __future__ import annotations

import json
import math
import shutil
import sqlite3
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from pkpo.config import Change, RunConfig
from pkpo.runs.database import TIMEOUT, Database
from pkpo.runs.environment import Limits, data_folder, error_reason, run_device
from pkpo.runs.process import Process
from pkpo.runs.rows import (
    change_of_row,
    change_status,
    changes_of_run,
    find_row,
    object_of_json,
    queued_ids,
    run_of_row,
)
from pkpo.runs.run import (
    STATUSES,
    NotOurs,
    Requests,
    Run,
    StoreError,
    check_id,
    new_id,
)
from pkpo.runs.trackers import check_trackers, trackers_from_environment

NAME_LENGTH = 80


class Store:
    """The runs in a data directory; made, with its tables, if it is missing.

    One object serves all threads of a process. Every method raises `StoreError` if the database
    cannot be read or written, and those that take a run's id a ValueError if there is no such run.

    Args:
      folder: the data directory; default `data_folder()`.
      limits: default `Limits.from_environment()`.
      timeout: seconds to wait for another process that writes.
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        limits: Limits | None = None,
        timeout: float = TIMEOUT,
    ):
        self.folder = Path(folder or data_folder()).absolute()
        self.limits = limits or Limits.from_environment()
        self.file = self.folder / "runs.sqlite3"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as reason:
            raise StoreError(
                f"{self.folder} cannot be made or written: {error_reason(reason)}; "
                "PKPO_DATA_DIR can name another place"
            ) from reason
        self._database = Database(self.file, timeout)

    def close(self) -> None:
        """Let go of the database; no other method may follow."""
        self._database.close()

    # --- Queries ----------------------------------------------------------------------------------

    def runs(
        self,
        *,
        status: str | Iterable[str] = STATUSES,
        task: str = "",
        owner: str | None = None,
        sweep: str = "",
        limit: int = 1000,
    ) -> list[Run]:
        """The newest runs, newest first, of these statuses and, where given, task, owner, sweep."""
        wanted = (status,) if isinstance(status, str) else tuple(status)
        for name in wanted:
            if name not in STATUSES:
                raise ValueError(f"status must be one of {', '.join(STATUSES)}, got {name[:40]!r}")
        conditions = [f"status IN ({', '.join('?' * len(wanted))})"]
        values: list[Any] = list(wanted)
        for column, value in (("task", task or None), ("owner", owner), ("sweep", sweep or None)):
            if value is not None:
                conditions.append(f"{column} = ?")
                values.append(value)
        query = f"SELECT * FROM runs WHERE {' AND '.join(conditions)} ORDER BY number DESC LIMIT ?"
        with self._database.read() as db:
            rows = db.execute(query, (*values, limit)).fetchall()
        return [run_of_row(row) for row in rows]

    def run(self, id: str) -> Run:
        """One run."""
        with self._database.read() as db:
            return run_of_row(find_row(db, id))

    def events(self, id: str, after: int = -1, limit: int = -1) -> dict[str, np.ndarray]:
        """A run's curves by name, "update", "k" and every metric, each of one row per event.

        The same arrays as `Recording.columns`; NaN where an event lacks a metric.

        Args:
          id: the run.
          after: only events of later updates.
          limit: at most so many, the earliest; -1 for all.
        """
        after = max(after, -1)
        query = "SELECT metrics FROM events WHERE run = ? AND step > ? ORDER BY step LIMIT ?"
        with self._database.read() as db:
            known = run_of_row(find_row(db, id))
            texts = [row[0] for row in db.execute(query, (id, after, limit))]
        expected = max(known.step - after, 0) if known.metrics else 0
        try:
            rows = json.loads(f"[{','.join(texts)}]")
            names = dict.fromkeys(name for row in rows for name in row)
            whole = all(row["update"] == at for at, row in enumerate(rows, after + 1))
        except (ValueError, TypeError, KeyError):
            whole = False
        if not whole or len(rows) < (expected if limit < 0 else min(expected, limit)):
            raise StoreError(f"{self.file} is damaged: events of run {id} are missing")
        return {name: np.array([row.get(name, math.nan) for row in rows]) for name in names}

    def details(self, id: str) -> dict[int, dict[str, Any]]:
        """What is kept of a run besides its curves, by update; see `pkpo.training.loop.Event`."""
        query = "SELECT step, data FROM details WHERE run = ? ORDER BY step"
        with self._database.read() as db:
            find_row(db, id)
            rows = [tuple(row) for row in db.execute(query, (id,))]
        try:
            return {step: json.loads(zlib.decompress(data)) for step, data in rows}
        except (ValueError, zlib.error) as reason:
            raise StoreError(f"{self.file} is damaged: details of run {id} are lost") from reason

    def changes(self, id: str) -> list[Change]:
        """What was changed while the run went on, each with the update from which it holds."""
        with self._database.read() as db:
            find_row(db, id)
            return changes_of_run(db, id)

    def steered(self, ids: Iterable[str]) -> dict[str, list[Change]]:
        """The changes of several runs, by run; only of those that have any."""
        wanted = list(ids)
        query = (
            "SELECT run, step, k, learning_rate FROM steering WHERE step IS NOT NULL "
            f"AND run IN ({', '.join('?' * len(wanted))}) ORDER BY number"
        )
        with self._database.read() as db:
            rows = db.execute(query, wanted).fetchall()
        found: dict[str, list[Change]] = {}
        for run, *change in rows:
            found.setdefault(run, []).append(change_of_row(change))
        return found

    def queue(self) -> list[str]:
        """The runs that wait, in the order in which they will start; see `fair_order`."""
        with self._database.read() as db:
            return queued_ids(db)

    def files(self, id: str) -> Path:
        """The run's folder: checkpoints, and the worker's log."""
        return self.folder / "runs" / check_id(id)

    # --- Requests ---------------------------------------------------------------------------------

    def submit(
        self,
        config: RunConfig,
        *,
        owner: str = "",
        address: str = "",
        name: str = "",
        device: str = "",
        log: Sequence[str] | None = None,
    ) -> str:
        """Queue a run; returns its id.

        Args:
          config: what determines its numbers.
          owner: who asks, see `Run`.
          address: from where.
          name: what it is called.
          device: where it computes; "" is what `run_device` says.
          log: the trackers; None is what `trackers_from_environment` says.

        Raises:
          ValueError: it is longer than allowed, too many wait of its owner, from its address or of
            all visitors, or its device or a tracker is not there.
        """
        return self._submit([config], owner, address, name, device, log, sweep="")[0]

    def submit_together(
        self,
        configs: Sequence[RunConfig],
        *,
        owner: str = "",
        address: str = "",
        name: str = "",
        device: str = "",
        log: Sequence[str] | None = None,
    ) -> str:
        """Queue all of several runs or, if that is too many, none; returns their sweep's id."""
        sweep = new_id()
        self._submit(configs, owner, address, name, device, log, sweep)
        return sweep

    def stop(self, id: str) -> None:
        """Ask a run to stop: at once if it waits, after the update in progress if it is running.

        Raises:
          ValueError: it is over.
        """
        with self._database.write() as db:
            if find_row(db, id)["status"] == "running":
                db.execute(
                    "UPDATE runs SET stop_requested = coalesce(stop_requested, ?) WHERE id = ?",
                    (time.time(), id),
                )
            else:
                change_status(
                    db, id, "stopped", finished=time.time(), message="stopped while it waited"
                )

    def resume(self, id: str) -> None:
        """Queue a run again, to go on from its last checkpoint.

        Raises:
          ValueError: it is finished, or not over, or too many wait, as for `submit`.
        """
        with self._database.write() as db:
            row = find_row(db, id)
            self._check_queue(db, row["owner"], row["address"], 1)
            columns = {"finished": None, "stop_requested": None, "message": ""}
            change_status(db, id, "queued", queued=time.time(), **columns)

    def steer(self, id: str, *, k: int | None = None, learning_rate: float | None = None) -> None:
        """Change a run's k, learning rate or both, from its next update on.

        Raises:
          ValueError: an impossible value, or the run is finished.
        """
        with self._database.write() as db:
            run = run_of_row(find_row(db, id))
            if run.status == "finished":
                raise ValueError(f"run {id} is finished and cannot be changed")
            Change(update=run.step, k=k, learning_rate=learning_rate).check(run.config)
            db.execute(
                "INSERT INTO steering (run, requested, k, learning_rate) VALUES (?, ?, ?, ?)",
                (id, time.time(), k, learning_rate),
            )

    def delete(self, id: str) -> None:
        """Forget a run, its events, its checkpoints.

        Raises:
          ValueError: it is running.
        """
        with self._database.write() as db:
            if find_row(db, id)["status"] == "running":
                raise ValueError(f"run {id} is running and cannot be deleted; stop it first")
            db.execute("DELETE FROM runs WHERE id = ?", (id,))
            db.execute("DELETE FROM events WHERE run = ?", (id,))
            db.execute("DELETE FROM details WHERE run = ?", (id,))
            db.execute("DELETE FROM steering WHERE run = ?", (id,))
        shutil.rmtree(self.files(id), ignore_errors=True)

    # --- For executors ----------------------------------------------------------------------------

    def claim(self, slots: Callable[[str], int], lost: Sequence[str] = ()) -> list[str]:
        """Mark as running what may start now; whoever gets an id here must launch its worker.

        Args:
          slots: a device -> runs that it can serve at the same time.
          lost: runs that do not count, though they are marked as running.
        """
        if not self.queue():
            return []
        with self._database.write() as db:
            busy = Counter(
                device
                for id, device in db.execute("SELECT id, device FROM runs WHERE status = 'running'")
                if id not in lost
            )
            claimed = []
            for id in queued_ids(db):
                device = find_row(db, id)["device"]
                if busy[device] < slots(device):
                    now = time.time()
                    change_status(db, id, "running", started=now, heartbeat=now)
                    busy[device] += 1
                    claimed.append(id)
        return claimed

    def launched(self, id: str, process: Process) -> None:
        """Note a claimed run's worker, unless it has already done so itself."""
        with self._database.write() as db:
            db.execute(
                "UPDATE runs SET pid = ?, process = ? "
                "WHERE id = ? AND status = 'running' AND pid IS NULL",
                (process.pid, process.started, id),
            )

    # --- For workers ------------------------------------------------------------------------------

    def begin(self, id: str, process: Process, provenance: Mapping[str, Any]) -> tuple[Run, int]:
        """Take a claimed run as this process's own.

        Returns:
          The run, and how many events of it are stored: the highest update that may come next.

        Raises:
          ValueError: it was not claimed, or another process has it.
        """
        with self._database.write() as db:
            run = run_of_row(find_row(db, id))
            if run.status != "running":
                raise ValueError(f"run {id} is {run.status}, so no worker may train it now")
            if run.process not in (None, process):
                raise ValueError(f"run {id} belongs to the worker process {run.process.pid}")
            db.execute(
                "UPDATE runs SET pid = ?, process = ?, provenance = ?, heartbeat = ? WHERE id = ?",
                (process.pid, process.started, json.dumps(provenance), time.time(), id),
            )
            count = db.execute("SELECT count(*) FROM events WHERE run = ?", (id,)).fetchone()[0]
        return run, count

    def beat(self, id: str, process: Process) -> None:
        """Give a sign of life, if the run is this process's."""
        with self._database.write() as db:
            db.execute(
                "UPDATE runs SET heartbeat = ? "
                "WHERE id = ? AND status = 'running' AND pid = ? AND process = ?",
                (time.time(), id, process.pid, process.started),
            )

    def note(self, id: str, message: str) -> None:
        """Show a line about a run."""
        with self._database.write() as db:
            db.execute("UPDATE runs SET message = ? WHERE id = ?", (message, id))

    def describe(self, id: str, provenance: Mapping[str, Any]) -> None:
        """Say what a run's numbers depend on, or take, where that is known only after `begin`."""
        with self._database.write() as db:
            known = object_of_json(find_row(db, id)["provenance"])
            texts = (json.dumps({**known, **provenance}), id)
            db.execute("UPDATE runs SET provenance = ? WHERE id = ?", texts)

    def append(
        self,
        id: str,
        process: Process,
        events: Sequence[Mapping[str, Any]],
        upcoming: int | None,
        details: Mapping[int, Mapping[str, Any]] = MappingProxyType({}),
    ) -> Requests:
        """Store events, give a sign of life, and take up what was asked for, all or nothing.

        Args:
          id: the run.
          process: its worker, which asks.
          events: rows of `events`, each with its "update"; what is there already stays as it is.
          upcoming: the next update, from which pending changes hold; None at the end. They wait
            while updates that have been before are done again.
          details: what is to be kept besides, by update.

        Raises:
          NotOurs: the run is no longer this worker's; nothing was stored.
        """
        texts = [json.dumps(event) for event in events]
        rows = [(id, event["update"], text) for event, text in zip(events, texts, strict=True)]
        last = rows[-1][1:] if rows else (-1, "")
        packed = [(id, at, zlib.compress(json.dumps(x).encode())) for at, x in details.items()]
        with self._database.write() as db:
            own = db.execute(
                "UPDATE runs SET heartbeat = ?, step = max(step, ?), "
                "metrics = CASE WHEN ? >= step THEN ? ELSE metrics END "
                "WHERE id = ? AND status = 'running' AND pid = ? AND process = ?",
                (time.time(), last[0], *last, id, process.pid, process.started),
            )
            if own.rowcount != 1:
                raise NotOurs(f"run {id} is no longer this worker's")
            db.executemany("INSERT OR IGNORE INTO events VALUES (?, ?, ?)", rows)
            db.executemany("INSERT OR IGNORE INTO details VALUES (?, ?, ?)", packed)
            stop = db.execute("SELECT stop_requested FROM runs WHERE id = ?", (id,)).fetchone()[0]
            changes: list[Change] = []
            known = db.execute("SELECT max(step) FROM events WHERE run = ?", (id,)).fetchone()[0]
            if upcoming is not None and upcoming > (-1 if known is None else known):
                pending = "run = ? AND step IS NULL"
                asked = f"SELECT ?, k, learning_rate FROM steering WHERE {pending} ORDER BY number"
                changes = [change_of_row(row) for row in db.execute(asked, (upcoming, id))]
                if changes:
                    db.execute(f"UPDATE steering SET step = ? WHERE {pending}", (upcoming, id))
        return Requests(stop is not None, changes)

    def end(
        self, id: str, process: Process | None, status: str, message: str | None = None
    ) -> bool:
        """End a running run's work, if it is still this process's.

        Args:
          id: the run.
          process: its worker; None if it has none yet.
          status: what becomes of it.
          message: why; None leaves what was noted while it went on.

        Returns:
          Whether it was still this process's.
        """
        with self._database.write() as db:
            run = run_of_row(find_row(db, id))
            if run.status != "running" or run.process != process:
                return False
            said = run.message if message is None else message
            change_status(
                db, id, status, finished=time.time(), message=said, pid=None, process=None
            )
        return True

    # --- The database -----------------------------------------------------------------------------

    def _submit(
        self,
        configs: Sequence[RunConfig],
        owner: str,
        address: str,
        name: str,
        device: str,
        log: Sequence[str] | None,
        sweep: str,
    ) -> list[str]:
        for config in configs:
            if config.steps > self.limits.steps:
                raise ValueError(
                    f"steps of a run must be at most {self.limits.steps}, got {config.steps}"
                )
        if len(name) > NAME_LENGTH:
            raise ValueError(f"name must have at most {NAME_LENGTH} characters, got {len(name)}")
        trackers = trackers_from_environment() if log is None else check_trackers(log)
        ids = [new_id() for _ in configs]
        now = time.time()
        rows = [
            (
                *(id, name, config.task, json.dumps(config.to_dict()), owner, address, sweep),
                *(device or run_device(config), " ".join(trackers), now, now),
            )
            for id, config in zip(ids, configs, strict=True)
        ]
        with self._database.write() as db:
            self._check_queue(db, owner, address, len(configs))
            db.executemany(
                "INSERT INTO runs "
                "(id, name, task, settings, owner, address, sweep, device, log, created, queued) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
        return ids

    def _check_queue(self, db: sqlite3.Connection, owner: str, address: str, more: int) -> None:
        if not owner:  # the machine's own user
            return
        for limit, whose, condition, value in (
            (self.limits.queued, "of your runs", "owner = ?", owner),
            (self.limits.from_address, "runs from one network address", "address = ?", address),
            (self.limits.in_all, "runs of all visitors", "owner != ?", ""),
        ):
            query = (
                f"SELECT count(*) FROM runs WHERE status = 'queued' AND owner != '' AND {condition}"
            )
            waiting = db.execute(query, (value,)).fetchone()[0]
            if (value or whose.endswith("visitors")) and waiting + more > limit:
                raise ValueError(
                    f"at most {limit} {whose} can wait at the same time, got {more} more to {waiting}"
                )
