"""HTTP routes by which browsers follow the class and answer, without running a page's script.

`GET live/class` says what is on the screen, with all that is needed to draw it, to the host also what
was answered; as often as wanted, and with `If-None-Match` for next to nothing. `POST live/class/answer`
takes an answer, `POST live/class/host` what the host does; both want JSON. Who asks is said by a
header, see `app.access.asking_visitor`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import access
from app.classroom.agenda import pack_question, question_of
from app.classroom.page_address import check_page
from app.classroom.room import THE_CLASS, NotNow, Room, RoomFull

CLASS_PATH = "live/class"
"""Where the server answers, below the app's address."""
LARGEST_BODY = 8_192  # bytes

ACTIONS: dict[str, Callable[[Room, dict[str, Any]], None]] = {
    "ask": lambda room, told: room.show_question(question_of(told.get("question"))),
    "reveal": lambda room, told: room.reveal(),
    "again": lambda room, told: room.ask_again(),
    "page": lambda room, told: room.show_page(check_page(told.get("page"))),
    "rest": lambda room, told: room.show_nothing(),
    "forget": lambda room, told: room.forget(),
}
"""What the host can do."""


def class_routes() -> list[Route]:
    """The addresses of the class."""
    base = st.get_option("server.baseUrlPath").strip("/")
    start = f"/{base}/{CLASS_PATH}" if base else f"/{CLASS_PATH}"
    return [
        Route(start, _look, methods=["GET"]),
        Route(f"{start}/answer", _answer, methods=["POST"]),
        Route(f"{start}/host", _act, methods=["POST"]),
    ]


async def _look(request: Request) -> Response:
    visitor = _asking(request)
    return visitor if isinstance(visitor, Response) else _view(request, visitor)


async def _answer(request: Request) -> Response:
    visitor = _asking(request)
    if isinstance(visitor, Response):
        return visitor
    if visitor.host:
        return _problem(403, "the host does not answer")
    try:
        told = await _body(request)
        given = told.get("question"), told.get("round"), told.get("value")
        THE_CLASS.answer(*given, visitor.owner, visitor.address)
    except ValueError as reason:
        return _refused(reason)
    return _view(request, visitor)


async def _act(request: Request) -> Response:
    visitor = _asking(request)
    if isinstance(visitor, Response):
        return visitor
    if not visitor.host:
        return _problem(403, "only the host may do that")
    try:
        told = await _body(request)
        name = told.get("do")
        if not isinstance(name, str) or name not in ACTIONS:
            raise ValueError(f"do must be one of {', '.join(ACTIONS)}, got {repr(name)[:40]}")
        await run_in_threadpool(ACTIONS[name], THE_CLASS, told)  # a lesson may have to be made
    except ValueError as reason:
        return _refused(reason)
    return _view(request, visitor)


def _asking(request: Request) -> access.Visitor | Response:
    if not access.classroom():
        return _problem(404, "there is no class here: start the app with make classroom")
    return access.asking_visitor(request) or _problem(
        400, f"{access.ID_HEADER} must be 32 hexadecimal digits"
    )


def _view(request: Request, visitor: access.Visitor) -> Response:
    """What this browser is to show; nothing if it says that it shows it already."""
    view = THE_CLASS.host_view() if visitor.host else THE_CLASS.visitor_view(visitor.owner)
    if "question" in view:
        view["ask"] = pack_question(view["question"])
    content = json.dumps(view).encode()
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers = {"Cache-Control": "no-store", "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(None, 304, headers)
    return Response(content, 200, headers, "application/json")


async def _body(request: Request) -> dict[str, Any]:
    """What was sent.

    Raises:
      ValueError: it is no JSON object, or too long.
    """
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > LARGEST_BODY:
            raise ValueError(f"the body must be at most {LARGEST_BODY} bytes long")
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise ValueError("the body must be a JSON object")
    return told


def _refused(reason: ValueError) -> Response:
    status = 409 if isinstance(reason, NotNow) else 429 if isinstance(reason, RoomFull) else 400
    return _problem(status, str(reason))


def _problem(status: int, reason: str) -> Response:
    content = json.dumps({"problem": reason}).encode()
    return Response(content, status, {"Cache-Control": "no-store"}, "application/json")
