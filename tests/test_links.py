"""What a link says of a picture, and what the server answers about links."""

import pytest
import segno
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.classroom.command import CLASS_ADDRESS
from app.controls.player_view import read_view, split_view
from app.links import LONGEST_LINK, link_routes, qr_code, reachable

client = TestClient(Starlette(routes=link_routes()), base_url="http://127.0.0.1:8501")


def test_an_address_is_settings_and_a_view():
    address = {"n": "8", "update": "40", "run": "2", "explain": "3", "show": "k"}
    settings, given = split_view(address)
    assert settings == {"n": "8", "show": "k"}
    assert read_view(given, 300, 4) == ({"update": 40, "run": 2, "explain": 3}, [])
    assert read_view({"update": "300"}, 300, 1) == ({"update": 300}, [])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"update": "301"}, "update must be a whole number from 0 to 300, got '301'"),
        ({"update": "300", "explain": "1"}, "update must be a whole number from 0 to 299"),
        ({"update": "-1"}, "got '-1'"),
        ({"update": "٣"}, "got '٣'"),
        ({"run": "0"}, "run must be a whole number from 1 to 2, got '0'"),
        ({"run": "3"}, "got '3'"),
        ({"explain": "5"}, "explain must be a whole number from 1 to 4, got '5'"),
        ({"explain": ""}, "got ''"),
        ({"update": "9" * 500}, "got '" + "9" * 40 + "'"),
    ],
)
def test_nonsense_in_a_view_is_named(given, said):
    view, (problem,) = read_view(given, 300, 2)
    assert said in problem and len(view) == len(given) - 1


def test_a_link_comes_with_its_code():
    link = "http://127.0.0.1:8501/toy-problem?n=8&update=40"
    found = client.get("/link", params={"to": link}).json()
    assert found == {"address": link, "code": qr_code(link)}
    assert found["code"] != qr_code(link + "1") and found["code"].startswith("data:image/svg+xml")
    assert segno.make(link, error="m", micro=False).version > 0


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("", "an address of this app, got ''"),
        ("http://elsewhere.example/toy-problem", "got 'http://elsewhere.example"),
        ("javascript:alert(1)", "an address of this app"),
        ("http://127.0.0.1:8501/?" + "a" * LONGEST_LINK, f"at most {LONGEST_LINK} characters, got"),
    ],
)
def test_other_links_get_a_sentence(to, said):
    answer = client.get("/link", params={"to": to})
    assert answer.status_code == 400 and said in answer.json()["problem"]


def test_others_find_it_where_the_class_was_told(monkeypatch):
    here = "http://localhost:8501/bandit?k=2"
    monkeypatch.delenv(CLASS_ADDRESS, raising=False)
    assert reachable(here) == here
    monkeypatch.setenv(CLASS_ADDRESS, "http://192.168.1.7:8600")
    assert reachable(here) == "http://192.168.1.7:8600/bandit?k=2"
    assert reachable("http://lab.example/bandit") == "http://lab.example/bandit"
