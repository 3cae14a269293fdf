"""HTTP routes that browsers poll for live curves, without running a page's script.

`GET live/runs?of=ID:AFTER&column=METRIC`, both as often as wanted: for each `of`, the run's points after
an update (-1: all) and how it stands. Several ids joined by "+" are the runs of one setting, whose mean
is given. Thirty who ask the same cost one look at the store. Whoever can open the app may ask.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.components.live_charts import PATH, new_points
from app.runs import run_text
from app.runs.engine import Engine, RunSnapshot, engine, reopen
from pkpo.figures.run_curves import charted_metrics
from pkpo.runs import Run, StoreError
from pkpo.runs.run import check_id
from pkpo.runs.sweep import mean_curves

RUNS_PER_REQUEST = 200  # runs in one question
_ASKED = re.compile(r"([^:]*):(-1|[0-9]{1,9})")
_packing = threading.Lock()


def live_routes() -> list[Route]:
    """The addresses at which the server answers besides Streamlit's own."""
    base = st.get_option("server.baseUrlPath").strip("/")
    return [Route(f"/{base}/{PATH}" if base else f"/{PATH}", _runs, methods=["GET"])]


def state(runs: Sequence[Run], changes: int) -> dict[str, Any]:
    """What a page may show of runs that stand for one setting, and must draw anew when it changes.

    Args:
      runs: one, or those of the same setting.
      changes: how often they have been steered.
    """
    force = runs[0].metrics
    return {
        "status": " ".join(run.status for run in runs),
        "stopping": any(run.stop_requested is not None for run in runs),
        "message": " ".join(run.message for run in runs),
        "changes": changes,
        "k": force.get("k"),
        "learning_rate": force.get("learning_rate"),
    }


def mean_members(runs: Sequence[Run]) -> list[str]:
    """Those whose mean is drawn: the finished or, while there is none, all that have begun."""
    finished = [run.id for run in runs if run.status == "finished"]
    return finished or [run.id for run in runs if run.metrics]


def _runs(request: Request) -> Response:
    """Answer a question; Starlette calls this in a thread, so that nobody else waits for the store."""
    try:
        asked = _asked(request.query_params.getlist("of"))
        columns = tuple(dict.fromkeys(request.query_params.getlist("column")))
        charted = charted_metrics()
        for column in columns:
            if column not in charted:
                raise ValueError(f"column must be one of {', '.join(charted)}, got {column[:40]!r}")
    except ValueError as reason:
        return _problem(400, reason)
    try:
        found = engine()
        found.look()
        parts = [_part(found, *one, columns, len(asked)) for one in asked]
    except StoreError as reason:
        reopen()
        return _problem(503, reason)
    except ValueError as reason:
        return _problem(404, reason)
    return _json(200, b"[" + b",".join(parts) + b"]")


def _asked(texts: Sequence[str]) -> list[tuple[tuple[str, ...], int]]:
    """Which runs, and after which update."""
    asked = []
    for text in texts:
        if not (match := _ASKED.fullmatch(text)):
            raise ValueError(f"of must look like ID:AFTER, got {text[:40]!r}")
        asked.append((tuple(map(check_id, match[1].split("+"))), int(match[2])))
    if not 1 <= (count := sum(len(ids) for ids, _ in asked)) <= RUNS_PER_REQUEST:
        raise ValueError(f"of: ask for from 1 to {RUNS_PER_REQUEST} runs, got {count}")
    return asked


def _part(
    found: Engine, ids: tuple[str, ...], after: int, columns: tuple[str, ...], together: int
) -> bytes:
    """The answer to one `of`, made once of what was seen at the same moments."""
    seen = [found.snapshot(id) for id in ids]
    key = (tuple(one.at for one in seen), ids, after, columns, together)
    with _packing:
        if key not in seen[0].packed:
            seen[0].packed[key] = json.dumps(_answer(seen, after, columns, together)).encode()
        return seen[0].packed[key]


def _answer(
    seen: Sequence[RunSnapshot], after: int, columns: Sequence[str], together: int
) -> dict[str, Any]:
    runs = [one.run for one in seen]
    drawn = mean_members(runs)
    curves = [one.curves for one in seen if one.run.id in drawn]
    means: Mapping[str, np.ndarray] = curves[0] if curves else {}
    errors: Mapping[str, np.ndarray] = {}
    if len(curves) > 1:
        wanted = ("update", *columns)
        new = [{name: one[name][after + 1 :] for name in wanted if name in one} for one in curves]
        spreads = mean_curves(new)
        means = {name: spread.mean for name, spread in spreads.items()}
        errors = {name: spread.error for name, spread in spreads.items()}
    return {
        "name": "+".join(run.id for run in runs),
        "of": "+".join(drawn),
        "at": min(one.at for one in seen),
        "over": not any(run.status in run_text.ACTIVE for run in runs),
        "state": state(runs, sum(one.changes for one in seen)),
        "share": sum(map(run_text.share_done, runs)) / len(runs),
        "told": run_text.progress_of(runs, sum(one.pace for one in seen), seen[0].place),
        **new_points(means, errors, columns, after, together),
    }


def _problem(status: int, reason: Exception) -> Response:
    return _json(status, json.dumps({"problem": str(reason)}).encode())


def _json(status: int, content: bytes) -> Response:
    return Response(content, status, {"Cache-Control": "no-store"}, "application/json")
