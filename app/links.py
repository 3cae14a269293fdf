"""Links to pages, for other machines: the address as they find it, and its QR code.

`GET link?to=...`: both of an address of this app, as JSON: `{"address": ..., "code": ...}`.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import segno
import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.classroom.command import CLASS_ADDRESS
from app.components.player import LINK_PATH

LONGEST_LINK = 1200
"""Characters of an address whose code a phone still reads from a screen."""

_OWN_HOSTS = ("127.0.0.1", "localhost", "::1")


def reachable(address: str) -> str:
    """An address as others find it: where it names this machine itself, with what was printed."""
    here = urlsplit(address)
    printed = os.environ.get(CLASS_ADDRESS, "")
    if not printed or here.hostname not in _OWN_HOSTS:
        return address
    public = urlsplit(printed)
    return here._replace(scheme=public.scheme, netloc=public.netloc).geturl()


def qr_code(address: str) -> str:
    """An address's QR code, as the source of an image."""
    return segno.make(address, error="m", micro=False).svg_data_uri(
        scale=8, border=3, light="#fff", dark="#000"
    )


def link_routes() -> list[Route]:
    """The address at which the server answers about links."""
    base = st.get_option("server.baseUrlPath").strip("/")
    return [Route(f"/{base}/{LINK_PATH}" if base else f"/{LINK_PATH}", _link, methods=["GET"])]


async def _link(request: Request) -> Response:
    address = request.query_params.get("to", "")
    here = urlsplit(address)
    if here.scheme not in ("http", "https") or here.netloc != request.headers.get("host"):
        return _problem(f"to must be an address of this app, got {address[:40]!r}")
    if len(address) > LONGEST_LINK:
        return _problem(
            f"to must have at most {LONGEST_LINK} characters, got {len(address)}; copy the link instead"
        )
    address = reachable(address)
    return JSONResponse({"address": address, "code": qr_code(address)})


def _problem(reason: str) -> Response:
    return JSONResponse({"problem": reason}, 400)
