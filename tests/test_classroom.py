"""How a class gets in: the address that is printed, and addresses behind a proxy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
import segno
import streamlit as st
from click.testing import CliRunner
from starlette.routing import Router

from app import cached, page_registry
from app.__main__ import start
from app.classroom import command
from tests.browser.browser import ROOT
from tests.coroutines import run_coroutine

SHOWN = """
import contextlib, io, json, os, sys
from app.classroom import command
shown = []
for options, environment in json.loads(sys.argv[1]):
    os.environ.update(environment)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        given = command.options(options)
    shown.append([given, printed.getvalue()])
    for name in environment:
        del os.environ[name]
print(json.dumps(shown))
"""
CASES: list[tuple[list[str], dict[str, str], str]] = [
    ([], {}, "http://HERE:8501"),
    ([], {"STREAMLIT_SERVER_PORT": "8644"}, "http://HERE:8644"),
    (["--server.port", "8645"], {"STREAMLIT_SERVER_PORT": "8644"}, "http://HERE:8645"),
    (["--server.baseUrlPath=/lab/"], {}, "http://HERE:8501/lab"),
    ([], {"STREAMLIT_SERVER_BASE_URL_PATH": "a/b"}, "http://HERE:8501/a/b"),
    (["--server.sslCertFile=a", "--server.sslKeyFile=b"], {}, "https://HERE:8501"),
    (["--server.address=10.0.0.7"], {}, "http://10.0.0.7:8501"),
    ([], {"STREAMLIT_SERVER_ADDRESS": "10.0.0.7"}, "http://10.0.0.7:8501"),
    (["--server.address=::1"], {}, "http://[::1]:8501"),
]


def test_the_address_that_is_printed_is_the_one_that_is_used():
    environment = {name: x for name, x in os.environ.items() if not name.startswith("STREAMLIT_")}
    asked = json.dumps([case[:2] for case in CASES])
    done = subprocess.run(
        [sys.executable, "-c", SHOWN, asked],
        cwd=ROOT,
        env=environment | {"PKPO_HOST_SECRET": "sesame"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for (options, _, address), (given, printed) in zip(CASES, json.loads(done.stdout), strict=True):
        shown = next(row.strip() for row in printed.splitlines() if row.startswith("    http"))
        host = shown.partition("://")[2].rpartition(":")[0]
        if "HERE" in address:  # wherever this machine is
            assert given == [*options, "--server.address=0.0.0.0"]
            assert host.count(".") == 3 and host != "0.0.0.0"
        else:
            assert given == options
        assert shown == f"{address.replace('HERE', host)}/class"
        assert f"    {shown}#host=sesame\n" in printed
        assert drawn_code(shown) in printed


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            ["lectures"],
            "'lectures' is not an option: pkpo app takes --classroom and Streamlit's opti",
        ),
        (["--classroom", "--server.port=8600", "--", "x"], "'x' is not an option: pkpo app takes"),
        (["--server.nonsense=1"], "No such option '--server.nonsense'"),
        (["--server.port=door"], "'door' is not a valid integer"),
    ],
)
def test_what_the_app_does_not_take_is_refused_as_it_was_typed(given, sentence, monkeypatch):
    monkeypatch.setattr(command, "options", lambda given: pytest.fail("it was started"))
    monkeypatch.setattr(cached, "cached_playback", lambda *given: pytest.fail("it was started"))
    done = CliRunner().invoke(start, given, prog_name="pkpo app")
    assert done.exit_code == 2
    assert sentence in done.stderr and done.stderr.startswith("Usage: pkpo app [OPTIONS]\n")


def test_help_is_of_the_command_that_was_typed():
    done = CliRunner().invoke(start, ["--help"], prog_name="python -m app")
    assert done.exit_code == 0 and done.stdout.startswith("Usage: python -m app [OPTIONS]\n")
    assert "--classroom " in done.stdout and "--server.port " in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("typed", "said"), [("pkpo app", "pkpo app"), ("app", "python -m app")])
def test_the_hint_repeats_what_was_typed(typed, said):
    command = [sys.executable, "-m", *typed.split(), "--server.prot=8600"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and f"Try '{said} --help' for help." in done.stderr


def drawn_code(text: str) -> str:
    """A QR code's modules as blocks of text, light ones drawn."""
    rows = [bytes(row) for row in segno.make(text, error="l", micro=False).matrix_iter(border=2)]
    rows += [bytes([1]) * len(rows[0])] * (len(rows) % 2)
    blocks = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}
    return "\n".join(
        "".join(blocks[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    )


def redirected(path: str, query: str) -> tuple[int, str]:
    """What the server answers: the status, and where to."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query.encode(),
        "headers": [],
        "server": ("127.0.0.1", 80),
        "scheme": "http",
    }
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    run_coroutine(Router(page_registry.slash_routes())(scope, lambda: None, send))
    return sent[0]["status"], dict(sent[0]["headers"]).get(b"location", b"").decode()


@pytest.mark.parametrize("base", ["", "lab", "/a/b/"])
def test_an_address_with_a_slash_behind_it(monkeypatch, base):
    """The answer is relative: it is right as well where a proxy has taken a prefix away."""
    monkeypatch.setattr(st, "get_option", {"server.baseUrlPath": base}.__getitem__)
    start = f"/{base.strip('/')}" if base else ""
    for name in ("bandit", "language-model", "runs"):
        assert redirected(f"{start}/{name}/", "k=2&k=3") == (301, f"../{name}?k=2&k=3")
    if base:
        assert redirected(start, "k=2") == (301, f"{start.rpartition('/')[2]}/?k=2")
