"""HTTP routes that answer while a hand moves a control, without running a page's script.

`GET study?task=...&n=...&schedule=...`: the recording of these settings, as the player gets it from
its page, and what the controls show of them. The parameters are those of the page's address, read by
the same code. `GET study/exact?task=...`: exact values by k, which the player then shows by itself.
`GET weights?rewards=...&k=...&show=...`: the weights of a group, as the estimators' page draws them.
`GET study/paid?task=...&run=0&ks=1,8`: what the draws of a run are worth under some k.

Two threads compute, and train in lockstep whatever waits, so that thirty who ask at once only wait.
Whoever can open the app may ask.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import cached, controls
from app.components.player import EXACT_PATH, PAID_PATH, STUDY_PATH, exact_payload, paid_payload
from app.components.reward_dragger import WEIGHTS_PATH, weights_payload
from pkpo.fields import parse_whole

WAITING_LIMIT = 64
"""Questions that wait for an answer; more are refused."""
TOGETHER = 16
"""Questions whose runs are trained together."""
PAID_LIMIT = 4
"""Values of k in one question."""
LOOPBACK = ("127.0.0.1", "::1")
"""Addresses of this machine: to compress an answer takes longer than to carry it there as it is."""

Asked = tuple[tuple[str, str], ...]
_pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="study")
_waiting = 0
_untrained: dict[Asked, None] = {}  # in the order in which they came
_training = threading.Lock()
_PAGES = {page.task: page for page in (controls.HILL_PAGE, controls.BANDIT_PAGE)}


def study_routes() -> list[Route]:
    """The addresses at which the server answers about studies."""
    base = st.get_option("server.baseUrlPath").strip("/")
    start = f"/{base}" if base else ""
    return [
        Route(f"{start}/{STUDY_PATH}", _study, methods=["GET"]),
        Route(f"{start}/{EXACT_PATH}", _exact, methods=["GET"]),
        Route(f"{start}/{WEIGHTS_PATH}", _weights, methods=["GET"]),
        Route(f"{start}/{PAID_PATH}", _paid, methods=["GET"]),
    ]


async def _study(request: Request) -> Response:
    if _waiting < WAITING_LIMIT:
        _untrained[tuple(request.query_params.multi_items())] = None
    return await _answer(request, _trained_together)


async def _exact(request: Request) -> Response:
    return await _answer(request, exact_answer)


async def _weights(request: Request) -> Response:
    return await _answer(request, weights_answer)


async def _paid(request: Request) -> Response:
    return await _answer(request, paid_answer)


async def _answer(request: Request, compute: Callable[[Asked], bytes]) -> Response:
    global _waiting
    if _waiting >= WAITING_LIMIT:
        return _problem(503, "Too many settings are being tried at once. Try again in a moment.")
    _waiting += 1
    asked = tuple(request.query_params.multi_items())
    try:
        content = await asyncio.get_running_loop().run_in_executor(_pool, compute, asked)
    except ValueError as reason:
        return _problem(400, str(reason))
    finally:
        _waiting -= 1
    answer = _json(200, content)
    if request.client and request.client.host in LOOPBACK:
        answer.headers["Content-Encoding"] = "identity"  # else it is compressed
    return answer


def _trained_together(asked: Asked) -> bytes:
    """The answer, once whatever waits beside it has been trained in lockstep."""
    with _training:
        if asked in _untrained:  # else it was trained beside another
            waiting = list(_untrained)[:TOGETHER]
            with suppress(ValueError):  # each is told of its own
                cached.RECORDINGS.record(
                    [config for one in waiting for config in _possible_runs(one)]
                )
            for one in waiting:
                del _untrained[one]
    return study_answer(asked)


def _possible_runs(asked: Asked) -> tuple:
    try:
        return _read(asked)[2]
    except ValueError:
        return ()


@lru_cache(maxsize=64)
def study_answer(asked: Asked) -> bytes:
    """The recording of settings, `{"study": ..., "controls": ...}` in JSON.

    Args:
      asked: the task, and settings as in the address of its page.

    Raises:
      ValueError: a setting that cannot be used, with the sentence that its page shows.
    """
    page, values, configs = _read(asked)
    study = cached.cached_playback(configs)
    return json.dumps(
        {"study": study, "controls": controls.player_controls(page, values, configs)}
    ).encode()


@lru_cache(maxsize=32)
def exact_answer(asked: Asked) -> bytes:
    """Exact values of max@k by k for the problem of these settings, in JSON; see `exact_payload`."""
    return json.dumps(exact_payload(_read(asked)[2][0])).encode()


@lru_cache(maxsize=256)
def weights_answer(asked: Asked) -> bytes:
    """The weights of a group, `weights_payload` in JSON.

    Args:
      asked: settings as in the address of the estimators' page.

    Raises:
      ValueError: a setting that cannot be used, with the sentence that its page shows.
    """
    return json.dumps(weights_payload(*controls.read_group(_once(asked)))).encode()


@lru_cache(maxsize=32)
def paid_answer(asked: Asked) -> bytes:
    """What the draws of a run are worth under some k, in JSON; see `paid_payload`.

    Args:
      asked: as for `study_answer`, and "run", its place among the compared ones, and "ks", values of k
        with commas between them.

    Raises:
      ValueError: a setting, a run or a k that cannot be.
    """
    given = _once(asked)
    run, ks = given.pop("run", "0"), given.pop("ks", "1").split(",")
    configs = _read(tuple(given.items()))[2]
    place = parse_whole("run", run, 0, len(configs) - 1)
    if len(ks) > PAID_LIMIT:
        raise ValueError(f"ks must have at most {PAID_LIMIT} values, got {len(ks)}")
    numbers = [parse_whole("ks", k, 1, configs[place].n) for k in ks]
    recording = cached.cached_comparison(configs)[0].recordings[place]
    return json.dumps(paid_payload(recording, numbers)).encode()


def _read(asked: Asked) -> tuple[controls.ProblemPage, dict, tuple]:
    given = _once(asked)
    task = given.pop("task", "")
    if task not in _PAGES:
        raise ValueError(f"task must be one of {', '.join(_PAGES)}, got {task[:40]!r}")
    values, problems = controls.read_address(_PAGES[task], given)
    if problems:
        raise ValueError(problems[0])
    return _PAGES[task], values, controls.settings_of_runs(_PAGES[task], values)


def _once(asked: Asked) -> dict[str, str]:
    names = [name for name, _ in asked]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name[:40]} is given more than once")
    return dict(asked)


def _problem(status: int, reason: str) -> Response:
    return _json(status, json.dumps({"problem": reason}).encode())


def _json(status: int, content: bytes) -> Response:
    return Response(content, status, {"Cache-Control": "no-store"}, "application/json")
