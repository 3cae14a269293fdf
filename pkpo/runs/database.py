"""The SQLite file that a store keeps its runs in: schema, connections, and its errors in words."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pkpo.runs.environment import is_full
from pkpo.runs.run import StoreError

TIMEOUT = 10.0  # seconds to wait for another process that writes
RETRY = 0.01  # seconds

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
    """
ALTER TABLE runs ADD COLUMN log TEXT NOT NULL DEFAULT '';
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


class Database:
    """One file for all threads of a process: one connection that reads, one that writes.

    Args:
      file: made, with its tables, if it is missing; its folder must be there.
      timeout: seconds to wait for another process that writes.

    Raises:
      StoreError: it cannot be opened.
    """

    def __init__(self, file: Path, timeout: float = TIMEOUT):
        self.file = file
        self._reading, self._writing = threading.Lock(), threading.Lock()
        with self.explained():
            self._writer = _open(file, timeout)
            self._reader = _open(file, timeout)  # so that nobody waits for a writer to read

    def close(self) -> None:
        """Let go of the file; no other method may follow."""
        self._reader.close()
        self._writer.close()

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what SQLite raises meanwhile into a `StoreError` in words."""
        try:
            yield
        except sqlite3.Error as reason:
            code = getattr(reason, "sqlite_errorname", "")
            if code.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN")) and is_full(self.file.parent):
                code = "SQLITE_FULL"
            known = (text for name, text in _REASONS.items() if code.startswith(name))
            raise StoreError(f"{self.file} {next(known, f'cannot be used: {reason}')}") from reason

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """The connection that reads, for this thread alone."""
        with self._reading, self.explained():
            yield self._reader

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """The connection that writes, in a transaction: all or nothing."""
        with self._writing, self.explained(), _transaction(self._writer):
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
