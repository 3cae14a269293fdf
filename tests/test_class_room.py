"""The class: which answers are taken, what is shown of them, to whom, and when."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any, get_args

import pytest
import streamlit as st
from starlette.routing import Router

from app import access
from app.classroom import agenda, page_address, questions, room, routes
from app.classroom.questions import Question, check_answer, distribution
from app.classroom.room import NotNow, Room, RoomFull
from app.lessons.catalogue import LESSONS, find_ask, get_lesson
from tests.coroutines import run_coroutine

CHOICE = agenda.question_of("letters-3")
NUMBER = agenda.question_of("share")
MARKER = Question(key="marker", text="Where?", kind="marker", low=-2, high=2.5)
BARS = Question(
    key="bars", text="How long?", kind="bars", choices=("a", "b"), low=0, high=1, count=2
)
CURVE = Question(key="curve", text="Draw it.", kind="curve", low=-1, high=1, count=3)
LESSON_ASKS = [ask for key in LESSONS for ask in get_lesson(key).asks]
HOST, STUDENT = "a" * 32, "b" * 32


# --- Answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "value", "kept"),
    [
        (CHOICE, 2, 2),
        (NUMBER, 0, 0.0),
        (NUMBER, 0.25, 0.25),
        (NUMBER, 1, 1.0),
        (MARKER, -2, -2.0),
        (MARKER, 2.5, 2.5),
        (BARS, [0, 1], (0.0, 1.0)),
        (CURVE, [-1, 0, 0.5], (-1.0, 0.0, 0.5)),
    ],
)
def test_answers_that_are_possible(question, value, kept):
    assert check_answer(question, value) == kept


@pytest.mark.parametrize("question", [CHOICE, NUMBER, MARKER, BARS, CURVE])
@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        "1",
        "<b>",
        {},
        [],
        -3,
        3,
        10**400,
        0.5j,
        float("nan"),
        float("inf"),
        [1],
        [1, -0.1],
        [0, 0, 0, 0],
        [0, 0, 1.01],
        [0, 0, True],
        [0, 0, "1"],
        [0, 0, [0]],
    ],
)
def test_answers_that_are_not(question, value):
    with pytest.raises(ValueError, match="value must be a") as caught:
        check_answer(question, value)
    assert len(str(caught.value)) < 120


def test_a_choice_is_whole_and_a_number_within_its_range():
    for value in (0.0, 1.0):
        with pytest.raises(ValueError, match="a choice from 0 to 2"):
            check_answer(CHOICE, value)
    with pytest.raises(ValueError, match=r"from 0 to 1, got 1\.0000001"):
        check_answer(NUMBER, 1.0000001)


def test_distributions():
    assert distribution(CHOICE, [2, 0, 2]) == {"counts": [1, 0, 2]}
    assert distribution(CHOICE, []) == {"counts": [0, 0, 0]}
    seen = distribution(NUMBER, [0.5, 1.0, 0.501, 0.0, 1.0])
    assert seen["dots"] == [[0.0, 0], [0.5, 0], [0.501, 1], [1.0, 0], [1.0, 1]]
    assert seen["median"] == 0.501
    assert distribution(NUMBER, []) == {"dots": []}
    drawn = [(0.0, 1.0, -1.0), (0.5, 0.0, -1.0), (1.0, 0.5, 1.0)]
    assert distribution(CURVE, drawn) == {
        "curves": [list(curve) for curve in drawn],
        "median": [0.5, 0.5, -1.0],
    }
    assert distribution(BARS, []) == {"curves": []}


# --- The room -------------------------------------------------------------------------------------


def test_one_answer_a_visitor_and_round_the_last_before_the_reveal():
    here = Room()
    here.show_question(CHOICE)
    for value in (0, 2, 1):
        here.answer(CHOICE.key, 1, value, "ann", "one")
    here.answer(CHOICE.key, 1, 2, "bob", "two")
    assert here.host_view()["rounds"] == [{"answered": 2}]  # and not how, before the reveal
    assert here.visitor_view("ann")["mine"] == 1 and here.visitor_view("eve")["mine"] is None
    here.reveal()
    assert here.host_view()["rounds"] == [{"answered": 2, "counts": [0, 1, 1]}]
    with pytest.raises(NotNow, match="too late"):
        here.answer(CHOICE.key, 1, 0, "ann", "one")
    here.ask_again()
    assert here.visitor_view("ann") | {"mine": None} == here.visitor_view("bob")
    with pytest.raises(NotNow, match="too late"):  # sent before, and arrived after
        here.answer(CHOICE.key, 1, 0, "ann", "one")
    here.answer(CHOICE.key, 2, 0, "ann", "one")
    assert [one["answered"] for one in here.host_view()["rounds"]] == [2, 1]
    assert "counts" in here.host_view()["rounds"][0]
    assert "counts" not in here.host_view()["rounds"][1]


def test_only_what_is_asked_can_be_answered():
    here = Room()
    for act in (here.reveal, here.ask_again):
        with pytest.raises(NotNow, match="nothing is asked"):
            act()
    with pytest.raises(NotNow, match="not asked now"):
        here.answer(CHOICE.key, 1, 0, "ann", "one")
    here.show_question(CHOICE)
    with pytest.raises(NotNow, match="reveal it first"):
        here.ask_again()
    with pytest.raises(NotNow, match="not asked now"):
        here.answer(NUMBER.key, 1, 0.5, "ann", "one")
    here.answer(CHOICE.key, 1, 1, "ann", "one")
    here.show_page("bandit")
    assert here.visitor_view("ann") == {"page": "bandit"}
    here.show_nothing()
    assert here.visitor_view("ann") == {"page": ""}
    here.show_question(CHOICE)  # it was there before
    assert here.visitor_view("ann")["mine"] == 1
    here.forget()
    here.show_question(CHOICE)
    assert here.visitor_view("ann")["mine"] is None


def test_limits_by_address_and_in_all(monkeypatch):
    here = Room()
    here.show_question(CHOICE)
    monkeypatch.setenv("PKPO_CLASS_ADDRESS", "3")
    for name in ("a", "b", "c"):
        here.answer(CHOICE.key, 1, 0, name, "one")
    with pytest.raises(RoomFull, match="no more than 3 answers are taken from one address"):
        here.answer(CHOICE.key, 1, 0, "d", "one")
    here.answer(CHOICE.key, 1, 2, "a", "one")  # theirs can still be changed
    for number in range(room.ANSWERS - 3):
        here.answer(CHOICE.key, 1, 1, f"other {number}", f"address {number}")
    with pytest.raises(RoomFull, match=f"no more than {room.ANSWERS} answers"):
        here.answer(CHOICE.key, 1, 0, "late", "another")
    here.reveal()
    assert here.host_view()["rounds"][0]["counts"] == [2, room.ANSWERS - 3, 1]


def test_what_is_kept_is_bounded():
    here = Room()
    big = Question(key="big", text="", kind="curve", count=questions.MOST_PARTS)
    here.show_question(big)
    for _ in range(6):
        number = here.visitor_view("x")["round"]
        for visitor in range(room.ANSWERS):
            value = [visitor / room.ANSWERS] * big.count
            here.answer(big.key, number, value, f"{visitor:016x}", f"{visitor:016x}")
        here.reveal()
        here.ask_again()
    rounds = here._rounds[big.key]
    assert [one.number for one in rounds] == [6, 7] and len(rounds) == room.ROUNDS
    values = [part for answer in rounds[0].answers.values() for part in answer]
    assert sum(map(sys.getsizeof, values)) < 1e6  # bytes, of the largest round there can be
    for visitor in range(3 * room.MOST_HERE):
        here.visitor_view(str(visitor))
    assert len(here._seen) == room.MOST_HERE


def test_who_is_here():
    now = [0.0]
    here = Room(lambda: now[0])
    here.visitor_view("ann")
    now[0] = 5.0
    here.visitor_view("bob")
    assert here.host_view()["here"] == 2
    now[0] = room.HERE + 1
    assert here.host_view()["here"] == 1


# --- Pages that the host shows --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("/toy-problem?n=8&schedule=8%400%2C1%40150", "toy-problem?n=8&schedule=8%400%2C1%40150"),
        ("http://192.0.2.7:8501/bandit", "bandit"),
        ("https://lab.example.org/prefix/bandit/?k=", "bandit?k="),
        ("bandit#host=sesame", "bandit"),
        ("/", ""),
        ("", ""),
        ("//elsewhere.example/bandit", "bandit"),  # the name is dropped: it is this app's page
        ("/bandit?a=<b>&a=%22", "bandit?a=%3Cb%3E&a=%22"),
    ],
)
def test_pages_of_this_app(text, page):
    assert page_address.check_page(text) == page


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "https://example.org/evil",
        "javascript:alert(1)",
        "/bandit/../evil",
        "data:text/html,x",
        "/bandit\\evil",
        "http://[bandit",
        "/class",
        "x" * 5_000,
    ],
)
def test_other_addresses(text):
    with pytest.raises(ValueError, match="page"):
        page_address.check_page(text)


# --- The routes -----------------------------------------------------------------------------------


@pytest.fixture
def class_of(monkeypatch) -> Room:
    """A class with its host."""
    monkeypatch.setenv(access.SECRET, "sesame")
    monkeypatch.setattr(access, "_HOSTS", {HOST})
    monkeypatch.setattr(routes, "THE_CLASS", Room())
    return routes.THE_CLASS


def ask(
    method: str, path: str, visitor: str = "", body: bytes = b"", base: str = "", **headers: str
) -> tuple[int, Any, dict[str, str]]:
    """What the server answers: status, body, headers."""
    given = {"PKPO-Visitor": visitor} if visitor else {}
    given |= {name.replace("_", "-"): text for name, text in headers.items()}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(name.lower().encode(), text.encode()) for name, text in given.items()],
        "client": ("192.0.2.9", 5000),
        "server": ("127.0.0.1", 80),
        "scheme": "http",
    }
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    run_coroutine(Router(routes.class_routes())(scope, receive, send))
    content = b"".join(part.get("body", b"") for part in sent[1:])
    answered = {name.decode(): text.decode() for name, text in sent[0]["headers"]}
    return sent[0]["status"], json.loads(content) if content else None, answered


def post(where: str, visitor: str, **told: Any) -> tuple[int, Any]:
    return ask("POST", f"/live/class/{where}", visitor, json.dumps(told).encode())[:2]


def test_a_round_by_http(class_of):
    assert ask("GET", "/live/class", STUDENT)[:2] == (200, {"page": ""})
    assert post("host", HOST, do="ask", question=CHOICE.key)[0] == 200
    status, view = post("answer", STUDENT, question=CHOICE.key, round=1, value=2)
    assert (status, view["mine"]) == (200, 2)
    assert post("host", HOST, do="reveal")[1]["rounds"] == [{"answered": 1, "counts": [0, 0, 1]}]
    status, view = post("answer", STUDENT, question=CHOICE.key, round=1, value=1)
    assert (status, view) == (409, {"problem": "too late: the answers are shown already"})
    status, view = post("host", HOST, do="page", page="/bandit?k=2")
    assert (status, view["page"]) == (200, "bandit?k=2")
    assert ask("GET", "/live/class", STUDENT)[1] == {"page": "bandit?k=2"}


def test_the_same_costs_next_to_nothing(class_of):
    status, _, headers = ask("GET", "/live/class", STUDENT)
    assert ask("GET", "/live/class", STUDENT, If_None_Match=headers["etag"])[:2] == (304, None)
    post("host", HOST, do="ask", question=CHOICE.key)
    assert ask("GET", "/live/class", STUDENT, If_None_Match=headers["etag"])[0] == 200


def test_only_the_host_advances(class_of):
    for told in ({"do": "ask", "question": CHOICE.key}, {"do": "page", "page": "bandit"}):
        status, said = post("host", STUDENT, **told)
        assert (status, said) == (403, {"problem": "only the host may do that"})
    assert ask("GET", "/live/class", STUDENT)[1] == {"page": ""}
    told = json.dumps({"do": "ask", "question": CHOICE.key}).encode()
    assert ask("POST", "/live/class/host", "", told, Authorization="Bearer guess")[0] == 400
    assert ask("POST", "/live/class/host", STUDENT, told, Authorization="Bearer guess")[0] == 403
    assert ask("POST", "/live/class/host", "", told, Authorization="Bearer sesame")[0] == 200
    for act in ("reveal", "again", "rest", "forget"):
        assert post("host", STUDENT, do=act)[0] == 403
    status, said = post("answer", HOST, question=CHOICE.key, round=1, value=1)
    assert (status, said) == (403, {"problem": "the host does not answer"})


@pytest.mark.parametrize("visitor", ["", "x", "B" * 32, "b" * 33, "ｂ" * 3])
def test_a_visitor_without_an_id(class_of, visitor):
    headers = {"PKPO_Visitor": visitor} if visitor.isascii() else {}
    status, said, _ = ask("GET", "/live/class", **headers)
    assert status == 400 and "PKPO-Visitor must be 32" in said["problem"]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"1", b"{", b"\xff", b'{"a":' + b"1" * 5_000 + b"}", b"[" * 8_000, b"x" * 9_000],
)
def test_bodies_that_say_nothing(class_of, body):
    for where, visitor in (("answer", STUDENT), ("host", HOST)):
        status, said, _ = ask("POST", f"/live/class/{where}", visitor, body)
        assert status == 400 and "the body must be" in said["problem"]


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ({}, "do must be one of ask, reveal, again, page, rest, forget, got None"),
        ({"do": ["ask"]}, "do must be one of"),
        ({"do": "ask"}, "question: there is none named None"),
        ({"do": "ask", "question": "<script>"}, "question: there is none named '<script>'"),
        ({"do": "ask", "question": {}}, "question: there is none named {}"),
        ({"do": "page", "page": "https://example.org"}, "page"),
    ],
)
def test_what_the_host_cannot_do(class_of, told, problem):
    status, said = post("host", HOST, **told)
    if problem == "page":  # the start page, of this app
        assert (status, said["page"]) == (200, "")
    else:
        assert status == 400 and said["problem"].startswith(problem)


def test_no_class_without_classroom_mode(class_of, monkeypatch):
    monkeypatch.delenv(access.SECRET)
    status, said, _ = ask("GET", "/live/class", STUDENT)
    assert status == 404 and "make classroom" in said["problem"]


def test_below_a_prefix(class_of, monkeypatch):
    monkeypatch.setattr(st, "get_option", {"server.baseUrlPath": "/lab/"}.__getitem__)
    assert ask("GET", "/lab/live/class", STUDENT)[0] == 200


@pytest.mark.parametrize("ask", LESSON_ASKS, ids=lambda ask: ask.question.key)
def test_every_question_of_a_lesson_can_be_asked(class_of, ask):
    question = ask.question
    status, view = post("host", HOST, do="ask", question=question.key)
    assert status == 200 and view["ask"]["question"]["text"] == question.text
    truth = list(ask.truth) if isinstance(ask.truth, tuple) else ask.truth
    for value in (None, "1", -1e9, [truth, truth], {"0": 1}):
        told = {"question": question.key, "round": 1, "value": value}
        assert post("answer", STUDENT, **told)[0] == 400
    status, seen = post("answer", STUDENT, question=question.key, round=1, value=truth)
    assert (status, seen["mine"]) == (200, truth)
    assert set(seen["ask"]) == {"lead", "question", "scene", "at", "decimals"}  # not the truth
    layers = seen["ask"]["scene"]["layers"] if seen["ask"]["scene"] else []
    assert len(layers) == sum(not layer.after for layer in ask.scene.layers)
    [round] = post("host", HOST, do="reveal")[1]["rounds"]
    if question.kind == "choice":
        assert round["counts"][truth] == 1
    elif question.kind in ("number", "marker"):
        assert round["dots"] == [[truth, 0]]
    else:
        assert round["curves"] == [truth] == [round["median"]]


def test_lessons_have_every_kind_of_question_and_no_name_twice():
    assert {ask.question.kind for ask in LESSON_ASKS} == set(get_args(questions.QuestionKind))
    keys = [ask.question.key for ask in LESSON_ASKS] + [one.key for one in questions.PLAIN]
    assert len(set(keys)) == len(keys)
    assert find_ask("one-try") is find_ask("one-try-") is find_ask("") is None


def test_plain_questions_are_data():
    assert len({question.key for question in questions.PLAIN}) == len(questions.PLAIN)
    json.dumps([asdict(question) for question in questions.PLAIN])
    for changes in ({"choices": ("one",)}, {"low": 1.0}, {"count": 0}, {"count": 65}):
        with pytest.raises(ValueError, match=next(iter(changes))):
            Question(**{"key": "x", "text": "", "kind": "choice", "choices": ("a", "b")} | changes)
