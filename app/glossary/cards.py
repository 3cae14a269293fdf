"""Entries as cards, for the browser: `GET glossary.json` answers with every card by its slug."""

from __future__ import annotations

import json
import re
from functools import cache
from html import escape
from urllib.parse import quote

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.formulas import mathml
from app.glossary.entries import GLOSSARY, GlossaryEntry

CARDS_PATH = "glossary.json"
CARD_SECONDS = 600
"""For which a browser keeps the cards."""
_CODE = re.compile(r"`([^`]*)`")
_TITLE = re.compile(r"<title>(.*?)</title>")


def glossary_routes() -> list[Route]:
    """Where the server answers with the cards."""
    base = st.get_option("server.baseUrlPath").strip("/")
    return [Route(f"/{base}/{CARDS_PATH}" if base else f"/{CARDS_PATH}", _cards, methods=["GET"])]


def picture_html(entry: GlossaryEntry) -> str:
    """An entry's picture, with what it says in words."""
    svg = entry.picture()
    alt = _TITLE.search(svg)
    assert alt, entry.slug
    return f'<img src="data:image/svg+xml,{quote(svg)}" alt="{alt[1]}">'


def card_html(entry: GlossaryEntry) -> str:
    """What is shown beside a term."""
    meaning = _CODE.sub(r"<code>\1</code>", escape(entry.meaning, quote=False))
    formula = f"<div>{mathml(entry.formula)}</div>" if entry.formula else ""
    return (
        f"<strong>{escape(entry.name)}</strong><p>{meaning}</p>{formula}{picture_html(entry)}"
        f"<small>{escape(entry.source)}</small>"
    )


@cache
def _all_cards() -> bytes:
    return json.dumps({slug: card_html(entry) for slug, entry in GLOSSARY.items()}).encode()


def _cards(request: Request) -> Response:
    headers = {"Cache-Control": f"max-age={CARD_SECONDS}"}
    return Response(_all_cards(), 200, headers, "application/json")
