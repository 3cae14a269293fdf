"""Classroom mode: the app for everybody in the room, with one host."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Sequence

from app.access import SECRET

OPTION = "--classroom"
EVERYWHERE = "0.0.0.0"
LIMITS = {"PKPO_QUEUE_LIMIT": "24", "PKPO_STEPS_LIMIT": "50000"}
"""What a visitor may ask for where the environment says nothing else."""


def options(given: Sequence[str]) -> list[str]:
    """Turn classroom mode on for this process, say how to get in, and return Streamlit's options."""
    for name, limit in LIMITS.items():
        os.environ.setdefault(name, limit)
    secret = os.environ.setdefault(SECRET, secrets.token_urlsafe(24))
    rest = [option for option in given if option != OPTION]
    named = _value(rest, "--server.address")
    shown = local_address() if named in ("", EVERYWHERE) else named
    address = f"http://{shown}:{_value(rest, '--server.port') or 8501}"
    print(
        f"Classroom mode. For everybody in this network:\n\n    {address}\n\n"
        "For you, the host; whoever has this link may stop and delete every run:\n\n"
        f"    {address}/runs#host={secret}\n",
        flush=True,
    )
    return rest if named else [*rest, f"--server.address={EVERYWHERE}"]


def local_address() -> str:
    """This machine's address in the local network; its own where it has no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # reserved for documentation; nothing is sent
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def _value(given: Sequence[str], name: str) -> str:
    """An option's value, "" if it is not there."""
    for at, option in enumerate(given):
        if option == name:
            return given[at + 1] if at + 1 < len(given) else ""
        if option.startswith(f"{name}="):
            return option.partition("=")[2]
    return ""
