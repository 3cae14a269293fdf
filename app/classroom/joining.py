"""How a class gets in: the address and its QR code, on the host's screen."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from app import page_registry
from app.classroom.page_address import CLASS_PAGE
from app.links import qr_code, reachable


def class_address() -> str:
    """Where visitors find the class."""
    return page_url(CLASS_PAGE)


def page_url(page: str) -> str:
    """Where others find a page of this app.

    It is where this browser found it, or what was printed where that is on the machine itself.

    Args:
      page: its path below the app's address, and its settings.
    """
    here = urlsplit(st.context.url or "http://localhost")
    start, _, last = here.path.rstrip("/").rpartition("/")
    if last not in page_registry.paths():
        start = here.path.rstrip("/")
    return reachable(f"{here.scheme}://{here.netloc}{start}/{page}")


def show_door() -> None:
    """Draw the QR code, with the address below it."""
    address = class_address()
    st.html(
        f"<img src=\"{qr_code(address)}\" alt='QR code of the class' "
        "style='width:100%;max-width:15rem;border-radius:0.5rem'>"
    )
    st.markdown(f"Point a phone's camera at it, or open\n\n**{address}**")
