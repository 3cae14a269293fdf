"""The worksheet for a class: `GET lesson-worksheet`, one question of every lesson, and the key."""

from __future__ import annotations

from functools import cache
from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.components.lesson.worksheet import worksheet_html
from app.lessons.catalogue import LESSONS, WORKSHEET_PATH, get_lesson
from app.lessons.lesson import pack_lesson


def worksheet_routes() -> list[Route]:
    """Where the server answers with it."""
    base = st.get_option("server.baseUrlPath").strip("/")
    path = f"/{base}/{WORKSHEET_PATH}" if base else f"/{WORKSHEET_PATH}"
    return [Route(path, _answer, methods=["GET"])]


def pack_worksheet() -> list[dict[str, Any]]:
    """One question of every lesson as plain data: what is asked, blank and answered."""
    sheet = []
    for number, key in enumerate(LESSONS, 1):
        lesson = get_lesson(key)
        ask = pack_lesson(lesson)["asks"][lesson.on_paper]
        sheet.append({"number": number, "title": lesson.title, **ask})
    return sheet


@cache
def _worksheet() -> str:
    return worksheet_html(pack_worksheet())


def _answer(request: Request) -> Response:
    return Response(_worksheet(), 200, {"Cache-Control": "no-cache"}, "text/html")
