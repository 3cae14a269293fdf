"""Who is visiting, and what they may do.

Without classroom mode the server answers its own machine only, and whoever opens the app is its host.
In classroom mode (`python -m app --classroom`) a browser that has shown the host link's secret is the
host's; every other one is a visitor, known by a random id in a cookie, so that its runs are its own
after a reload. Browsers can be had at will, so that limits also hold by network address and in all.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from starlette.requests import Request

from pkpo.runs import Run

SECRET = "PKPO_HOST_SECRET"
"""The environment variable whose value opens the host's door; its presence is classroom mode."""
COOKIE = "pkpo_visitor"
ID_HEADER = "PKPO-Visitor"
REFUSED = "host link refused"
NOTE = "Classroom: you may look at all runs, and change your own."

_ID = re.compile(r"[0-9a-f]{32}")
_HOSTS: set[str] = set()  # ids of browsers that have shown the secret, until the server ends
_COMPONENT = st.components.v2.component(
    "pkpo_visitor",
    html="<span class='pk-visitor' hidden></span>",
    js=(Path(__file__).parent / "components" / "visitor.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who has the app open."""

    owner: str
    """As `Run.owner`."""
    host: bool
    address: str = ""
    """As `Run.address`."""

    def may_change(self, run: Run) -> bool:
        """Whether they may stop, resume, steer or delete a run."""
        return self.host or run.owner == self.owner


def classroom() -> bool:
    """Whether others than the host may be here."""
    return bool(os.environ.get(SECRET))


def visitor() -> Visitor:
    """Whoever opened this page."""
    if not classroom():
        return Visitor("", host=True)
    id = browser_id()
    if st.session_state.get("host"):
        _HOSTS.add(id)  # the browser's id may have come after the secret
    return _visitor_of(id, _network())


def asking_visitor(request: Request) -> Visitor | None:
    """Whoever asks a route: by the id in the header `ID_HEADER`, or as host by the secret as a bearer's.

    A header, and not the cookie, so that no other site's page can ask in a visitor's name.

    Returns:
      None if they say neither.
    """
    if _is_secret(request.headers.get("authorization", "").removeprefix("Bearer ")):
        return Visitor("", host=True)
    id = request.headers.get(ID_HEADER, "")
    shown = request.client.host if request.client else None
    return _visitor_of(id, network_of(shown)) if _ID.fullmatch(id) else None


def _visitor_of(id: str, network: str) -> Visitor:
    host = id in _HOSTS
    return Visitor("", host=True) if host else Visitor(_hashed(id), False, _hashed(network))


def recognise() -> None:
    """Let the browser keep its id, and hear the secret of a host link; draws nothing."""
    if not classroom():
        return

    def adopt() -> None:
        if _ID.fullmatch(known := str(st.session_state["visitor"].id)):
            st.session_state["browser"] = known

    def check() -> None:
        if _is_secret(str(st.session_state["visitor"].secret)):
            st.session_state["host"] = True
        else:
            st.session_state[REFUSED] = True

    _COMPONENT(
        data={"cookie": COOKIE, "id": browser_id()},
        key="visitor",
        on_id_change=adopt,
        on_secret_change=check,
        height="content",
    )


def _is_secret(text: str) -> bool:
    return hmac.compare_digest(text.encode(), os.environ[SECRET].encode())


def _network() -> str:
    """From where this page was opened."""
    return network_of(st.context.ip_address)


def network_of(shown: str | None) -> str:
    """Who somebody at this network address is, as far as that cannot be made up.

    It is the other end of the connection. What a header says of others behind it is believed of
    proxies that uvicorn's FORWARDED_ALLOW_IPS names, by default only those on this machine.
    """
    shown = str(shown or "this machine")
    try:
        address = ipaddress.ip_address(shown)
    except ValueError:
        return shown
    if isinstance(address, ipaddress.IPv4Address):
        return shown
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))  # what one home or machine has


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def browser_id() -> str:
    """The id that this browser keeps, or is to keep."""
    kept = str(st.context.cookies.get(COOKIE, ""))
    if "browser" not in st.session_state:
        new = secrets.token_hex(16)
        st.session_state["browser"] = kept if _ID.fullmatch(kept) else new
    return st.session_state["browser"]
