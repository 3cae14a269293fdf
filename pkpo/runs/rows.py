"""Rows of the database as runs and changes, and a run's status as a row."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from pkpo.config import Change
from pkpo.runs.process import Process
from pkpo.runs.run import Run, check_id, check_transition, fair_order


def find_row(db: sqlite3.Connection, id: str) -> sqlite3.Row:
    """A run's row; a ValueError if there is none."""
    row = db.execute("SELECT * FROM runs WHERE id = ?", (check_id(id),)).fetchone()
    if row is None:
        raise ValueError(f"there is no run {id}")
    return row


def change_status(db: sqlite3.Connection, id: str, to: str, **columns: Any) -> None:
    """Change a run's status, and columns with it."""
    check_transition(id, find_row(db, id)["status"], to)
    names = ", ".join(f"{name} = ?" for name in ("status", *columns))
    db.execute(f"UPDATE runs SET {names} WHERE id = ?", (to, *columns.values(), id))


def run_of_row(row: sqlite3.Row) -> Run:
    """A row of the table as a run."""
    values = dict(row)
    del values["number"]
    pid, started = values.pop("pid"), values.pop("process")
    for name in ("settings", "metrics", "provenance"):
        values[name] = object_of_json(values[name])
    values["log"] = tuple(values["log"].split())
    return Run(process=None if pid is None else Process(pid, started), **values)


def object_of_json(text: str) -> dict[str, Any]:
    """What a JSON text says; nothing if it is damaged."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def changes_of_run(db: sqlite3.Connection, id: str) -> list[Change]:
    """What was steered, each with the update from which it holds."""
    query = (
        "SELECT step, k, learning_rate FROM steering WHERE run = ? AND step IS NOT NULL "
        "ORDER BY number"
    )
    return [change_of_row(row) for row in db.execute(query, (id,))]


def change_of_row(row: Sequence[Any]) -> Change:
    """(update, k, learning rate) as a change."""
    update, k, learning_rate = row
    return Change(update=update, k=k, learning_rate=learning_rate)


def queued_ids(db: sqlite3.Connection) -> list[str]:
    """The runs that wait, in the order in which they will start; see `fair_order`."""
    waiting = db.execute(
        "SELECT id, owner FROM runs WHERE status = 'queued' ORDER BY queued, number"
    ).fetchall()
    served = db.execute("SELECT owner, max(started) FROM runs WHERE started > 0 GROUP BY owner")
    return fair_order([tuple(row) for row in waiting], dict(served.fetchall()))
