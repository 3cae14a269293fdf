"""How a class gets in: the address that is printed, and addresses behind a proxy."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app import registry
from tests.browser.browser import ROOT

SHOWN = "import sys; from app import classroom; print(classroom.options(sys.argv[1:]))"


def printed(*options: str, **environment: str) -> list[str]:
    """What is printed when classroom mode begins, without blank lines."""
    kept = {name: x for name, x in os.environ.items() if not name.startswith("STREAMLIT_")}
    command = [sys.executable, "-c", SHOWN, "--classroom", *options]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=kept | {"PKPO_HOST_SECRET": "sesame"} | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")


@pytest.mark.parametrize(
    ("options", "environment", "address"),
    [
        ((), {}, "http://HERE:8501"),
        ((), {"STREAMLIT_SERVER_PORT": "8644"}, "http://HERE:8644"),
        (("--server.port", "8645"), {"STREAMLIT_SERVER_PORT": "8644"}, "http://HERE:8645"),
        (("--server.baseUrlPath=/lab/",), {}, "http://HERE:8501/lab"),
        ((), {"STREAMLIT_SERVER_BASE_URL_PATH": "a/b"}, "http://HERE:8501/a/b"),
        (("--server.sslCertFile=a", "--server.sslKeyFile=b"), {}, "https://HERE:8501"),
        (("--server.address=10.0.0.7",), {}, "http://10.0.0.7:8501"),
        ((), {"STREAMLIT_SERVER_ADDRESS": "10.0.0.7"}, "http://10.0.0.7:8501"),
        (("--server.address=::1",), {}, "http://[::1]:8501"),
    ],
)
def test_the_address_that_is_printed_is_the_one_that_is_used(options, environment, address):
    lines = printed(*options, **environment)
    shown = next(line.strip() for line in lines if line.startswith("    http"))
    if "HERE" in address:  # wherever this machine is
        assert lines[-2].endswith("'--server.address=0.0.0.0']")
        host = shown.partition("://")[2].partition(":")[0]
        assert host.count(".") == 3 and host != "0.0.0.0"
        address = address.replace("HERE", host)
    else:
        assert "0.0.0.0" not in lines[-2]
    assert shown == address
    assert f"    {address}/runs#host=sesame" in lines


def test_options_that_are_none_are_left_to_streamlit():
    assert printed("--server.nonsense=1") == ["['--server.nonsense=1']", ""]


@pytest.mark.parametrize("base", ["", "lab", "/a/b/"])
def test_an_address_with_a_slash_behind_it(monkeypatch, base):
    """The answer is relative: it is right as well where a proxy has taken a prefix away."""
    monkeypatch.setattr(st, "get_option", {"server.baseUrlPath": base}.__getitem__)
    client = TestClient(Starlette(routes=registry.routes()), follow_redirects=False)
    start = f"/{base.strip('/')}" if base else ""
    for name in ("bandit", "language-model", "runs"):
        answer = client.get(f"{start}/{name}/?k=2&k=3")
        assert (answer.status_code, answer.headers["location"]) == (301, f"../{name}?k=2&k=3")
    if base:
        last = start.rpartition("/")[2]
        answer = client.get(f"{start}?k=2")
        assert (answer.status_code, answer.headers["location"]) == (301, f"{last}/?k=2")
