"""The speaker's window: `GET speaker-notes`, a page of its own that follows the presenting one."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.presenter.notes import PRESENTER_NOTES

NOTES_PATH = "speaker-notes"


def notes_routes() -> list[Route]:
    """Where the server answers with that page."""
    base = st.get_option("server.baseUrlPath").strip("/")
    return [Route(f"/{base}/{NOTES_PATH}" if base else f"/{NOTES_PATH}", _window, methods=["GET"])]


def notes_html() -> str:
    """The page, with every note in it."""
    notes = {
        page: {step: dataclasses.asdict(note) for step, note in steps.items()}
        for page, steps in PRESENTER_NOTES.items()
    }
    page = Path(__file__).with_name("notes.html").read_text(encoding="utf-8")
    return page.replace("{{notes}}", json.dumps(notes).replace("<", "\\u003c"))


def _window(request: Request) -> Response:
    return Response(notes_html(), 200, {"Cache-Control": "no-cache"}, "text/html")
