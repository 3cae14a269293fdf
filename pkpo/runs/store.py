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
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from pkpo.config import Change, RunConfig
from pkpo.runs.environment import Limits, data_folder, error_reason, is_full, run_device
from pkpo.runs.process import Process
from pkpo.runs.run import (
    STATUSES,
    NotOurs,
    Requests,
    Run,
    StoreError,
    check_id,
    check_transition,
    fair_order,
    new_id,
)

TIMEOUT = 10.0  # seconds to wait for another process that writes
RETRY = 0.01  # seconds
NAME_LENGTH = 80

# The tables of every version of this program, each made of the one before it.
_TABLES = (
    """
CREATE TABLE runs (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  task TEXT NOT NULL,
  settings TEXT NOT NULL,
  owner TEXT NOT NULL,
  sweep TEXT NOT NULL,
  device TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'queued',
  message TEXT NOT NULL DEFAULT '',
  step INTEGER NOT NULL DEFAULT 0,
  metrics TEXT NOT NULL DEFAULT '{}',
  provenance TEXT NOT NULL DEFAULT '{}',
  created REAL NOT NULL,
  queued REAL NOT NULL,
  started REAL,
  finished REAL,
  heartbeat REAL,
  stop_requested REAL,
  pid INTEGER,
  process TEXT
);
CREATE INDEX runs_by_status ON runs (status);
CREATE TABLE events (
  run TEXT NOT NULL,
  step INTEGER NOT NULL,
  metrics TEXT NOT NULL,
  PRIMARY KEY (run, step)
) WITHOUT ROWID;
CREATE TABLE steering (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  run TEXT NOT NULL,
  requested REAL NOT NULL,
  step INTEGER,
  k INTEGER,
  learning_rate REAL
);
CREATE INDEX steering_by_run ON steering (run);
""",
    """
CREATE TABLE details (
  run TEXT NOT NULL,
  step INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (run, step)
) WITHOUT ROWID;
""",
    """
ALTER TABLE runs ADD COLUMN address TEXT NOT NULL DEFAULT '';
""",
)

_NO_WAL = (
    "cannot be shared there: its folder is on a network file system, or one that does not lock as "
    "SQLite's write-ahead log needs; PKPO_DATA_DIR can name a folder on a disk of this machine"
)
_REASONS = {
    "SQLITE_BUSY": "is held by another process; try again",
    "SQLITE_LOCKED": "is held by another process; try again",
    "SQLITE_FULL": "cannot grow: the disk is full",
    "SQLITE_READONLY": "cannot be written: it is read-only",
    "SQLITE_CANTOPEN": "cannot be opened: its folder may be read-only",
    "SQLITE_CORRUPT": "is damaged; move it away to begin a new one",
    "SQLITE_NOTADB": "is damaged; move it away to begin a new one",
    "SQLITE_PROTOCOL": _NO_WAL,
    "SQLITE_IOERR": "cannot be read or written: the disk failed or is full",
}


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
        self._reading, self._writing = threading.Lock(), threading.Lock()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as reason:
            raise StoreError(
                f"{self.folder} cannot be made or written: {error_reason(reason)}; "
                "PKPO_DATA_DIR can name another place"
            ) from reason
        with self._explained():
            self._writer = _open(self.file, timeout)
            self._reader = _open(self.file, timeout)  # so that nobody waits for a writer to read

    def close(self) -> None:
        """Let go of the database; no other method may follow."""
        self._reader.close()
        self._writer.close()

    # --- Asking -----------------------------------------------------------------------------------

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
        with self._read() as db:
            rows = db.execute(query, (*values, limit)).fetchall()
        return [_run(row) for row in rows]

    def run(self, id: str) -> Run:
        """One run."""
        with self._read() as db:
            return _run(_row(db, id))

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
        with self._read() as db:
            known = _run(_row(db, id))
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
        with self._read() as db:
            _row(db, id)
            rows = [tuple(row) for row in db.execute(query, (id,))]
        try:
            return {step: json.loads(zlib.decompress(data)) for step, data in rows}
        except (ValueError, zlib.error) as reason:
            raise StoreError(f"{self.file} is damaged: details of run {id} are lost") from reason

    def changes(self, id: str) -> list[Change]:
        """What was changed while the run went on, each with the update from which it holds."""
        with self._read() as db:
            _row(db, id)
            return _changes(db, id)

    def steered(self, ids: Iterable[str]) -> dict[str, list[Change]]:
        """The changes of several runs, by run; only of those that have any."""
        wanted = list(ids)
        query = (
            "SELECT run, step, k, learning_rate FROM steering WHERE step IS NOT NULL "
            f"AND run IN ({', '.join('?' * len(wanted))}) ORDER BY number"
        )
        with self._read() as db:
            rows = db.execute(query, wanted).fetchall()
        found: dict[str, list[Change]] = {}
        for run, *change in rows:
            found.setdefault(run, []).append(_change(change))
        return found

    def queue(self) -> list[str]:
        """The runs that wait, in the order in which they will start; see `fair_order`."""
        with self._read() as db:
            return _queue(db)

    def files(self, id: str) -> Path:
        """The run's folder: checkpoints, and the worker's log."""
        return self.folder / "runs" / check_id(id)

    # --- Wanting ----------------------------------------------------------------------------------

    def submit(
        self,
        config: RunConfig,
        *,
        owner: str = "",
        address: str = "",
        name: str = "",
        device: str = "",
    ) -> str:
        """Queue a run; returns its id. Its device is that of `environment.device_of` if none is given.

        Raises:
          ValueError: it is longer than allowed, too many wait of its owner, from its address or of
            all visitors, or its device is not there.
        """
        return self._submit([config], owner, address, name, device, sweep="")[0]

    def submit_together(
        self,
        configs: Sequence[RunConfig],
        *,
        owner: str = "",
        address: str = "",
        name: str = "",
        device: str = "",
    ) -> str:
        """Queue all of several runs or, if that is too many, none; returns their sweep's id."""
        sweep = new_id()
        self._submit(configs, owner, address, name, device, sweep)
        return sweep

    def stop(self, id: str) -> None:
        """Ask a run to stop: at once if it waits, after the update in progress if it is running.

        Raises:
          ValueError: it is over.
        """
        with self._write() as db:
            if _row(db, id)["status"] == "running":
                db.execute(
                    "UPDATE runs SET stop_requested = coalesce(stop_requested, ?) WHERE id = ?",
                    (time.time(), id),
                )
            else:
                _move(db, id, "stopped", finished=time.time(), message="stopped while it waited")

    def resume(self, id: str) -> None:
        """Queue a run again, to go on from its last checkpoint.

        Raises:
          ValueError: it is finished, or not over, or too many wait, as for `submit`.
        """
        with self._write() as db:
            row = _row(db, id)
            self._check_queue(db, row["owner"], row["address"], 1)
            columns = {"finished": None, "stop_requested": None, "message": ""}
            _move(db, id, "queued", queued=time.time(), **columns)

    def steer(self, id: str, *, k: int | None = None, learning_rate: float | None = None) -> None:
        """Change a run's k, learning rate or both, from its next update on.

        Raises:
          ValueError: an impossible value, or the run is finished.
        """
        with self._write() as db:
            run = _run(_row(db, id))
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
        with self._write() as db:
            if _row(db, id)["status"] == "running":
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
        with self._write() as db:
            busy = Counter(
                device
                for id, device in db.execute("SELECT id, device FROM runs WHERE status = 'running'")
                if id not in lost
            )
            claimed = []
            for id in _queue(db):
                device = _row(db, id)["device"]
                if busy[device] < slots(device):
                    now = time.time()
                    _move(db, id, "running", started=now, heartbeat=now)
                    busy[device] += 1
                    claimed.append(id)
        return claimed

    def launched(self, id: str, process: Process) -> None:
        """Note a claimed run's worker, unless it has already done so itself."""
        with self._write() as db:
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
        with self._write() as db:
            run = _run(_row(db, id))
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
        with self._write() as db:
            db.execute(
                "UPDATE runs SET heartbeat = ? "
                "WHERE id = ? AND status = 'running' AND pid = ? AND process = ?",
                (time.time(), id, process.pid, process.started),
            )

    def note(self, id: str, message: str) -> None:
        """Show a line about a run."""
        with self._write() as db:
            db.execute("UPDATE runs SET message = ? WHERE id = ?", (message, id))

    def describe(self, id: str, provenance: Mapping[str, Any]) -> None:
        """Say what a run's numbers depend on, or take, where that is known only after `begin`."""
        with self._write() as db:
            known = _object(_row(db, id)["provenance"])
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
        with self._write() as db:
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
                changes = [_change(row) for row in db.execute(asked, (upcoming, id))]
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
        with self._write() as db:
            run = _run(_row(db, id))
            if run.status != "running" or run.process != process:
                return False
            said = run.message if message is None else message
            _move(db, id, status, finished=time.time(), message=said, pid=None, process=None)
        return True

    # --- The database -----------------------------------------------------------------------------

    def _submit(
        self,
        configs: Sequence[RunConfig],
        owner: str,
        address: str,
        name: str,
        device: str,
        sweep: str,
    ) -> list[str]:
        for config in configs:
            if config.steps > self.limits.steps:
                raise ValueError(
                    f"steps of a run must be at most {self.limits.steps}, got {config.steps}"
                )
        if len(name) > NAME_LENGTH:
            raise ValueError(f"name must have at most {NAME_LENGTH} characters, got {len(name)}")
        ids = [new_id() for _ in configs]
        now = time.time()
        rows = [
            (
                *(id, name, config.task, json.dumps(config.to_dict()), owner, address, sweep),
                *(device or run_device(config), now, now),
            )
            for id, config in zip(ids, configs, strict=True)
        ]
        with self._write() as db:
            self._check_queue(db, owner, address, len(configs))
            db.executemany(
                "INSERT INTO runs "
                "(id, name, task, settings, owner, address, sweep, device, created, queued) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as reason:
            code = getattr(reason, "sqlite_errorname", "")
            if code.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN")) and is_full(self.folder):
                code = "SQLITE_FULL"
            known = (text for name, text in _REASONS.items() if code.startswith(name))
            raise StoreError(f"{self.file} {next(known, f'cannot be used: {reason}')}") from reason

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        with self._reading, self._explained():
            yield self._reader

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._writing, self._explained(), _transaction(self._writer):
            yield self._writer


def _open(file: Path, timeout: float) -> sqlite3.Connection:
    db = sqlite3.connect(file, timeout=timeout, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    db.text_factory = lambda text: text.decode(errors="replace")  # damage is found where it is read
    if _log_ahead(db, timeout) != "wal":
        raise StoreError(f"{file} {_NO_WAL}")
    db.execute("PRAGMA synchronous = NORMAL")
    if _version(db) < len(_TABLES):
        with _transaction(db):
            for tables in _TABLES[_version(db) :]:  # unless somebody else has made them meanwhile
                for statement in tables.split(";"):
                    db.execute(statement)
            db.execute(f"PRAGMA user_version = {len(_TABLES)}")
    if _version(db) != len(_TABLES):
        raise StoreError(f"{file} was written by another version of this program")
    return db


def _log_ahead(db: sqlite3.Connection, timeout: float) -> str:
    """Ask for a write-ahead log; how changes are logged then.

    Where several open a new database, SQLite refuses all but one at once, without its usual patience.
    """
    end = time.monotonic() + timeout
    while True:
        try:
            return db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        except sqlite3.OperationalError as reason:
            busy = reason.sqlite_errorname.startswith("SQLITE_BUSY")
            if not busy or time.monotonic() > end:
                raise
            time.sleep(RETRY)


def _version(db: sqlite3.Connection) -> int:
    return db.execute("PRAGMA user_version").fetchone()[0]


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _row(db: sqlite3.Connection, id: str) -> sqlite3.Row:
    row = db.execute("SELECT * FROM runs WHERE id = ?", (check_id(id),)).fetchone()
    if row is None:
        raise ValueError(f"there is no run {id}")
    return row


def _move(db: sqlite3.Connection, id: str, to: str, **columns: Any) -> None:
    """Change a run's status, and columns with it."""
    check_transition(id, _row(db, id)["status"], to)
    names = ", ".join(f"{name} = ?" for name in ("status", *columns))
    db.execute(f"UPDATE runs SET {names} WHERE id = ?", (to, *columns.values(), id))


def _run(row: sqlite3.Row) -> Run:
    values = dict(row)
    del values["number"]
    pid, started = values.pop("pid"), values.pop("process")
    for name in ("settings", "metrics", "provenance"):
        values[name] = _object(values[name])
    return Run(process=None if pid is None else Process(pid, started), **values)


def _object(text: str) -> dict[str, Any]:
    """What a JSON text says; nothing if it is damaged."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _changes(db: sqlite3.Connection, id: str) -> list[Change]:
    query = (
        "SELECT step, k, learning_rate FROM steering WHERE run = ? AND step IS NOT NULL "
        "ORDER BY number"
    )
    return [_change(row) for row in db.execute(query, (id,))]


def _change(row: Sequence[Any]) -> Change:
    update, k, learning_rate = row
    return Change(update=update, k=k, learning_rate=learning_rate)


def _queue(db: sqlite3.Connection) -> list[str]:
    waiting = db.execute(
        "SELECT id, owner FROM runs WHERE status = 'queued' ORDER BY queued, number"
    ).fetchall()
    served = db.execute("SELECT owner, max(started) FROM runs WHERE started > 0 GROUP BY owner")
    return fair_order([tuple(row) for row in waiting], dict(served.fetchall()))
