"""Classroom mode: the app for everybody in the room, with one host."""

from __future__ import annotations

import io
import os
import secrets
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import segno
from streamlit.web import bootstrap, cli
from streamlit.web.server import server_util

from app.access import SECRET

SCRIPT = Path(__file__).parents[1] / "main.py"
"""What Streamlit runs."""
OPTION = "--classroom"
EVERYWHERE = "0.0.0.0"
CLASS_ADDRESS = "PKPO_CLASS_AT"
"""The environment variable that keeps the address that was printed."""
CLASSROOM_LIMITS = {
    "PKPO_QUEUE_LIMIT": "24",
    "PKPO_QUEUE_TOTAL": "240",
    "PKPO_STEPS_LIMIT": "50000",
}
"""What visitors may ask for where the environment says nothing else."""


def options(given: Sequence[str]) -> list[str]:
    """Turn classroom mode on for this process and say how to get in.

    Args:
      given: Streamlit's options, which it takes.

    Returns:
      Those to start with.
    """
    for name, limit in CLASSROOM_LIMITS.items():
        os.environ.setdefault(name, limit)
    secret = os.environ.setdefault(SECRET, secrets.token_urlsafe(24))
    named, address = _resolved(given)
    os.environ[CLASS_ADDRESS] = address
    print(f"Classroom mode. For everybody in this network:\n\n    {address}/class\n")
    print(
        f"{_qr_code(f'{address}/class')}\n"
        "For you, the host; whoever has this link leads the class, and may stop and delete every run:"
        f"\n\n    {address}/class#host={secret}\n",
        flush=True,
    )
    return [*given] if named else [*given, f"--server.address={EVERYWHERE}"]


def _qr_code(text: str) -> str:
    """A QR code in letters; "" where what is printed cannot hold them."""
    drawn = io.StringIO()
    segno.make(text, error="l", micro=False).terminal(drawn, border=2, compact=True)
    try:
        drawn.getvalue().encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return ""
    return drawn.getvalue()


def local_address() -> str:
    """This machine's address in the local network; its own where it has no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # reserved for documentation; nothing is sent
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def _resolved(given: Sequence[str]) -> tuple[str, str]:
    """The address to listen on that options or the environment name, "" for none, and that to open.

    What counts, of options, environment and files of settings, is found by Streamlit itself.
    """
    context = cli.main_run.make_context("run", [str(SCRIPT), *given])
    flags = {name: x for name, x in context.params.items() if name not in ("target", "args")}
    bootstrap.load_config_options(flags)
    named = str(flags.get("server_address") or "")
    everywhere = named in ("", EVERYWHERE, "::")
    shown = local_address() if everywhere else f"[{named}]" if ":" in named else named
    return named, server_util.get_url(shown)
