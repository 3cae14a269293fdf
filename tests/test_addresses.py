"""Addresses as nobody should write them: every page says in a short line what it cannot use, and opens.

The slow part draws addresses at random; what it draws is the same every time.
"""

from __future__ import annotations

import dataclasses
import random
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.requests import Request
from streamlit.testing.v1 import AppTest

from app import access, live_routes, paper_figure_view
from app.controls import BANDIT_PAGE, HILL_PAGE, language_page, variance_lab
from app.controls.estimators import GROUP
from app.controls.trainer_clinic import CLINIC_READERS
from app.runs import engine
from pkpo.estimators import ESTIMATORS
from pkpo.integrations.conventions import TRAINERS
from pkpo.lm.experiments import METHODS
from pkpo.runs import LocalExecutor, Store, sweep
from pkpo.training.tasks.bandit import BanditConfig
from tests.browser.browser import ROOT

resource = pytest.importorskip("resource")

NOT_WHOLE = (
    "-",
    "",
    " ",
    "1.5",
    "1_0",
    "１２",
    "٣",
    "½",
    "0x10",
    "1e3",
    "1e999",
    "nan",
    "inf",
    "1 2",
)
NO_NUMBER = ("-", "", " ", "1_0", "１２", "٣", "½", "0x10", "1e999", "-1e999", "nan", "inf", "1 2")
TOO_MUCH = ("00000000033333333333333333333", "0" * 30 + "9" * 12, "9" * 30, "-" + "9" * 30, "-7000")
TOO_MUCH += ("9" * 5000, "0000000099999999999", "+99999999999")
CHARACTERS = 320
"""What a complaint may have: two lines of a page."""


@pytest.fixture
def store(tmp_path, monkeypatch) -> Iterator[Store]:
    """A store of the test's own, in which no executor starts anything."""
    monkeypatch.setenv("PKPO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(LocalExecutor, "reconcile", lambda self: None)
    monkeypatch.setattr(
        paper_figure_view, "show_paper_figure", lambda *_: None
    )  # what it computes is none of ours
    engine._engine.cache_clear()
    yield Store()
    engine._engine.cache_clear()


@pytest.fixture
def little_memory() -> Iterator[None]:
    """2 GiB more than what is in use: a list as long as an address wishes does not fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    status = Path("/proc/self/statm")
    if not status.exists():
        pytest.skip("this system does not say how much memory is in use")
    used = int(status.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**31, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def opened(name: str, browser: str = "") -> AppTest:
    """A page as it opens without settings."""
    page = AppTest.from_file(str(ROOT / "app" / "script.py"), default_timeout=60)
    if browser:
        page.session_state["browser"] = browser
    page.run()
    page.switch_page(f"app_pages/{name}.py")
    return page


def at(page: AppTest, address: Mapping[str, str | list[str]]) -> AppTest:
    """The same page at another address."""
    page.query_params.clear()
    for name, text in address.items():
        page.query_params[name] = text
    page.run()
    assert not page.exception, (address, page.exception[0].value)
    return page


def complaints(page: AppTest) -> list[str]:
    """What the page says is wrong, a line each, without Markdown's escapes."""
    said = "\n".join(box.value for box in [*page.warning, *page.error])
    lines = [line.removeprefix("- ").replace("\\", "") for line in said.splitlines()]
    return [line for line in lines if line and not line.startswith("Not everything in this link")]


def numbers_of(fields: Mapping[str, dataclasses.Field]) -> dict[str, type]:
    """The numeric ones of settings, and whether they are whole."""
    kinds = {name: type(field.default) for name, field in fields.items()}
    return {name: kind for name, kind in kinds.items() if kind in (int, float)}


def whole(readers: Mapping[str, tuple[str, object]]) -> dict[str, type]:
    """The numeric ones of a page's own settings."""
    return {name: int for name, (default, _) in readers.items() if default.isdecimal()}


PLACES: dict[str, tuple[str, dict[str, str], dict[str, type]]] = {
    "toy": ("toy_problem", {}, numbers_of(HILL_PAGE.fields)),
    "bandit": ("bandit", {}, numbers_of(BANDIT_PAGE.fields)),
    "lab": (
        "variance_lab",
        {},
        numbers_of(variance_lab.LAB_FIELDS) | {"alpha": float, "total": int},
    ),
    "paper": ("paper_figures", {}, {"seed": int}),
    "estimators": ("estimators", {}, {"k": int}),
    "clinic": ("estimators", {"view": "clinic"}, {"k": int, "length": float}),
    **{
        f"new {page.task}": ("runs", {"new": page.task}, numbers_of(page.fields) | {"seeds": int})
        for page in (HILL_PAGE, BANDIT_PAGE)
    },
    **{
        f"language {view}": (
            "language_model",
            {"view": view},
            numbers_of(language_page.LANGUAGE_FIELDS) | whole(language_page.LANGUAGE_READERS),
        )
        for view in language_page.LANGUAGE_VIEWS
    },
}
"""By name: the page, what else its address holds, and its numeric settings."""


def test_every_page_s_numbers_are_tried():
    assert set(PLACES["toy"][2]) == {"n", "learning_rate", "steps", "seed", "theta", "sigma"}
    assert {"seeds", "update", "n", "draw", "k"} <= set(PLACES["language train"][2])
    assert {"n", "p", "seed", "dimension"} <= set(PLACES["lab"][2])


@pytest.mark.parametrize("place", PLACES)
def test_no_number_is_used_before_it_is_read_whole(store, little_memory, place):
    name, rest, numbers = PLACES[place]
    page = opened(name)
    for position in range(len(NOT_WHOLE)):
        for texts in ({int: NOT_WHOLE, float: NO_NUMBER}, {int: TOO_MUCH, float: TOO_MUCH}):
            names = list(numbers)
            for start in range(0, len(names), 8):  # so many are said at once
                asked = {}
                for one in names[start : start + 8]:
                    choices = texts[numbers[one]]
                    asked[one] = choices[position % len(choices)]
                said = complaints(at(page, rest | asked))
                assert [line.split()[0] for line in said] == list(asked), (asked, said)
                for line in said:
                    assert len(line) <= CHARACTERS
                    assert re.search(" must be (a|from|one of) .*, got ", line), line


def field(page: AppTest, key: str) -> float:
    return page.number_input(key=key).value


def starts(page: AppTest) -> tuple[str, bool]:
    """The label of the button that starts runs, and whether it can be pressed."""
    (button,) = (b for b in page.button if re.match(r"(Start|Train)\b", b.label))
    return button.label, not button.disabled


@pytest.mark.parametrize(
    ("text", "count"),
    [("5", 5), ("0005", 5), (" 5 ", 5), ("+5", 5), ("0000000015555", 0), ("00000000030", 0)],
)
def test_the_field_and_the_button_agree_about_seeds(store, monkeypatch, text, count):
    page = at(opened("runs"), {"new": "bandit", "seeds": text})
    assert field(page, "_run_seeds") == max(count, 1)
    assert starts(page) == ((f"Start {count} runs", True) if count else ("Start", False))
    monkeypatch.setenv(access.SECRET, "open sesame")
    page = at(opened("language_model"), {"view": "train", "train": "k1", "seeds": text})
    assert field(page, "_language_seeds") == max(count, 1)
    shown = max(count, 1)
    assert starts(page) == (f"Train {shown} run" + "s" * (shown > 1), True)
    assert bool(complaints(page)) == (count == 0)


@pytest.mark.parametrize(
    ("vary", "problem"),
    [
        (" ", ""),
        ("\t\n ", ""),
        ("nothing 1 2", "vary: cannot go through 'nothing 1 2'"),
        ("n 1 2 3 4 5 6 7 8 9", "vary: give at most 8 values, got 9"),
        ("n " + "1 " * 99_999, "vary: give at most 8 values, got 99999"),
        ("n 8 00000000033333333333333333333", "n must be from 1 to 4096, got 0000000003"),
        ("schedule 1 ８", "schedule must look like"),
        ("seed 1 2", "vary: cannot go through 'seed 1 2'"),
    ],
)
def test_what_runs_differ_in(store, little_memory, vary, problem):
    page = at(opened("runs"), {"new": "bandit", "vary": vary})
    said = complaints(page)
    assert len(said) == bool(problem) and all(problem in line for line in said), said
    assert starts(page) == ("Start", not problem)


def test_an_endless_dial_leaves_nothing_in_the_log(store, caplog):
    for number in ("1e300", "-1e6", "1e6", "nan", "1_0", "1" * 400):
        page = at(opened("variance_lab"), {"view": "cloud", "show": f"dial:{number}"})
        assert all(len(line) <= CHARACTERS for line in complaints(page))
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]


@pytest.mark.parametrize("place", [*PLACES, "runs", "run", "start"])
def test_unknown_and_repeated_settings_are_said_on_every_page(store, place):
    name, rest, numbers = PLACES.get(place, ("runs", {}, {}))
    if place == "run":
        rest = {"run": store.submit(BanditConfig(steps=9))}
    if place == "start":
        name = "start"
    page = opened(name)
    said = complaints(at(page, {**rest, "mäze": ["1", "2"], "<b>": "x"}))
    assert "mäze is given more than once; the last one counts" in said
    assert "'mäze' is not a setting of this page" in said
    assert "'<b>' is not a setting of this page" in said
    for number in list(numbers)[:1]:
        said = complaints(at(page, {**rest, number: ["1", "2" if number == "k" else "16"]}))
        assert said == [f"{number} is given more than once; the last one counts"]


def test_a_baseline_is_one_of_the_runs(store):
    together = store.submit_together(
        sweep.sweep_configs(BanditConfig(steps=9, n=8), [0], "schedule", ["1", "2"])
    )
    ids = " ".join(run.id for run in store.runs())
    page = opened("runs")
    for kind, text in (("sweep", together), ("compare", ids)):
        assert complaints(at(page, {kind: text, "baseline": "01"})) == []
        for bad in (*NOT_WHOLE, *TOO_MUCH, "2"):
            said = complaints(at(page, {kind: text, "baseline": bad}))
            assert len(said) == 1 and said[0].startswith("baseline must be "), (bad, said)
            assert len(said[0]) <= CHARACTERS


STUDENT = "0123456789abcdef" * 2


def test_a_visitor_learns_nothing_of_the_host_s_files(store, monkeypatch):
    monkeypatch.setenv(access.SECRET, "open sesame")
    page = opened("language_model", STUDENT)
    for setting in ("problems", "model", "model_after"):
        for view in ("train", "playground"):
            heard = set()
            for path in ("/etc/passwd", "/etc/shadow", "/etc/nope", "~/nope", str(ROOT)):
                for before in ("", "gsm8k:", "hub:"):
                    at(page, {"view": view, setting: before + path})
                    lines = "\n".join(complaints(page)).replace(before + path, "PATH")
                    heard.add((lines, starts(page) if view == "train" else None))
            assert len(heard) == 1, heard


def test_a_visitor_cannot_pass_the_limit_of_seeds(store, monkeypatch):
    monkeypatch.setenv(access.SECRET, "open sesame")
    page = opened("language_model", STUDENT)
    for text in ("6", "00000000030", "+30", " 30", "３０"):
        at(page, {"view": "train", "train": "k1", "seeds": text})
        assert starts(page)[0] == "Train 1 run"
        assert [line[:10] for line in complaints(page)] == ["seeds must"]


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"of": ""},
        {"of": "x"},
        {"of": "a:1"},
        {"of": ":1"},
        {"of": "0123456789ab:" + "0" * 400 + "1"},
        {"of": "0123456789ab:１"},
        {"of": "0123456789ab:-2"},
        {"of": "0123456789ab:1e9"},
        {"of": "0123456789ab:999999999"},
        {"of": "+".join(["0123456789ab"] * 201) + ":-1"},
        {"of": ["0123456789ab:-1"] * 201},
        {"of": "../../etc/passwd:-1"},
        {"of": "<script>:-1", "column": "<script>"},
        {"of": "0123456789ab:-1", "column": ["max@4"] * 9999 + ["__class__"]},
        {"of": "x" * 100_000, "column": "y" * 100_000},
    ],
    ids=range(16),
)
def test_the_route_for_live_curves_refuses_nonsense(store, little_memory, query):
    (route,) = live_routes.live_routes()
    asked = Request({"type": "http", "query_string": urlencode(query, doseq=True).encode()})
    response = route.endpoint(asked)
    assert response.status_code in (400, 404)
    assert (
        len(response.body) <= 1000
    )  # no page shows it: it names every column, and repeats no query


def test_no_page_says_a_registry_s_key(store):
    keys = [key for key in ESTIMATORS if "_" in key]
    assert keys
    asked = (
        *(("toy_problem", {"estimator": key, "schedule": "9", "n": "8"}) for key in keys),
        *(("toy_problem", {"compare": f"estimator {key} {key}"}) for key in keys),
        *(("bandit", {"compare": f"estimator {key} magic"}) for key in keys),
        *(("bandit", {"estimator": "magic_" + key, "n": "1"}) for key in keys),
        *(("runs", {"new": "bandit", "estimator": key, "n": "1", "schedule": "1"}) for key in keys),
        *(("runs", {"new": "gaussian-hill", "vary": f"estimator {key} x_y"}) for key in keys),
        *(("estimators", {"show": f"{key}", "rewards": "1", "k": "1"}) for key in keys),
        *(("estimators", {"show": f"{key} {key}_x"}) for key in keys),
        *(("estimators", {"view": "clinic", "estimator": key, "rewards": "1"}) for key in keys),
        *(("variance_lab", {"view": view, "show": "x_y"}) for view in variance_lab.LAB_VIEWS),
        *(("variance_lab", {"n": "2", "k": "2", "show": key, "view": "curves"}) for key in keys),
        *(("language_model", {"view": "train", "estimator": key, "n": "1"}) for key in keys),
        *(("language_model", {"view": "group", "by": key + "?"}) for key in keys),
    )
    pages: dict[str, AppTest] = {}
    for name, address in asked:
        if name not in pages:
            pages[name] = opened(name)
        page = at(pages[name], address)
        said = "\n".join(box.value for box in [*page.warning, *page.error, *page.info])
        typed = " ".join(address.values())
        for key in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", said.replace("\\", "")):
            assert key not in ESTIMATORS, (address, said)
            assert key in typed or key in language_page.LANGUAGE_FIELDS, (address, said)


# --- Drawn at random ------------------------------------------------------------------------------

PIECES = (
    *NOT_WHOLE,
    *TOO_MUCH,
    *("0", "1", "2", "3", "8", "16", "64", "0.3", "1e-3", "-1", "true", "false", "off", "007"),
    *("8@0,1@40", "linear:8->1@20", "cosine:1->9@9..3", "8@", "9@0,1@1", "hill", "two-peaks"),
    *("points:0,0;1,1", "points:0,1e999", "arms:0,0.5,1", "arms:0,1@1e-300,1", "trap", "crowded"),
    *("dial:0.3", "dial:1e300", "dial:", *ESTIMATORS, *METHODS, "sgd", "adam", "normalised"),
    *("schedule 1 2", "n 8 16", "estimator s sloo", "n 8 8", "n", "learning_rate 0.1 0"),
    *(*variance_lab.LAB_VIEWS, *language_page.LANGUAGE_VIEWS, "clinic", *TRAINERS, "adapter"),
    *("train", "group", "problems", "playground", "binary", "graded", "fresh", "hard", "words"),
    *("0123456789ab", "0123456789ab ba9876543210", "tiny", "small", "hub:a/b", "gsm8k:/etc/nope"),
    *("a\nb", "# a\n\n- b"),
    *("Ann has 3 pens. How many?", "{0}", "%s", "\x00", "\u202e", "é🎲", "a" * 1001, "~", "../.."),
)
HTML = "<img class=evil src=x onerror=evil()>"
INJECTED = (
    HTML,
    "<script class=evil>evil()</script>",
    "</code></pre><b class=evil>x</b>",
    "[evil](javascript:evil())",
    "![evil](http://192.0.2.1/evil.png)",
    "`` ` ``" + HTML + "`",
    "\n\n# evil\n\n| a | b |\n|-|-|\n| " + HTML + " | y |",
    "$\\href{javascript:evil()}{evil}$",
    ":red[evil] :material/home: **evil** _evil_ ~~evil~~",
    "\\" + HTML + "\\\\[evil](http://192.0.2.1)",
    "&lt;img src=x&gt; &#60;b&#62;",
    "<https://192.0.2.1/evil> http://192.0.2.1/evil",
)
NAMES: dict[str, tuple[str, ...]] = {
    "toy_problem": (*HILL_PAGE.fields, "compare"),
    "bandit": (*BANDIT_PAGE.fields, "compare"),
    "estimators": (*GROUP, *CLINIC_READERS),
    "variance_lab": (*variance_lab.LAB_FIELDS, *variance_lab.LAB_READERS),
    "paper_figures": ("seed",),
    "runs": (
        *{**HILL_PAGE.fields, **BANDIT_PAGE.fields},
        "new",
        "seeds",
        "vary",
        "name",
        "run",
        "compare",
    ),
    "language_model": (*language_page.LANGUAGE_FIELDS, *language_page.LANGUAGE_READERS),
    "start": (),
}
"""What the pages' addresses may hold."""


def drawn(count: int, texts: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str | list[str]]]]:
    """So many addresses, the same every time: a page, and up to six settings with texts."""
    rng = random.Random(20250515)
    pages = list(NAMES)
    for number in range(count):
        name = pages[number % len(pages)]
        names = [*NAMES[name], rng.choice((*texts, "maze"))]
        address: dict[str, str | list[str]] = {}
        for setting in rng.sample(names, min(len(names), rng.randint(1, 6))):
            text = rng.choice(texts)
            address[setting or "blank"] = [text, rng.choice(texts)] if rng.random() < 0.1 else text
        if name == "runs" and rng.random() < 0.7:
            address["new"] = rng.choice(("bandit", "gaussian-hill"))
        yield name, address


def walk(count: int, texts: tuple[str, ...]) -> Iterator[tuple[AppTest, dict]]:
    pages: dict[str, AppTest] = {}
    for name, address in drawn(count, texts):
        if name not in pages:
            pages[name] = opened(name)
        yield at(pages[name], address), address


def bare(text: str) -> str:
    """What of a Markdown text has a meaning of its own: without code and what is escaped."""
    unescaped = re.sub(r"\\[!-/:-@\[-`{-~]", "", text)
    return re.sub(r"(?s)(`+)(?!`).*?(?<!`)\1(?!`)", "", unescaped)


@pytest.mark.slow
def test_three_hundred_addresses_open(store, little_memory, caplog):
    for page, address in walk(300, PIECES):
        for line in complaints(page):
            assert len(line) <= CHARACTERS, (address, line)
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]


@pytest.mark.slow
def test_sixty_addresses_inject_nothing(store):
    for page, address in walk(60, INJECTED):
        assert_harmless(page, address)


@pytest.mark.slow
def test_hostile_names_of_runs(store):
    small = BanditConfig(n=8, schedule="4", steps=9)
    singles = [store.submit(small, name=name[:80]) for name in INJECTED]
    sweeps = [
        store.submit_together(
            sweep.sweep_configs(small, [0, 1], "schedule", ["1", "2"]), name=name[:80]
        )
        for name in INJECTED[:4]
    ]
    page = opened("runs")
    assert_harmless(at(page, {}), {})
    for address in (
        *({"run": id} for id in singles),
        *({"sweep": id} for id in sweeps),
        {"compare": " ".join(singles[:12])},
        {"new": "bandit", "name": INJECTED[0]},
    ):
        assert_harmless(at(page, address), address)


MEANT = re.compile(r"<\w|\]\(|javascript:|https?://192|\*\*evil|_evil_|~~evil|^# evil|^\| a", re.M)


def assert_harmless(page: AppTest, asked: object) -> None:
    """Nothing of what was given has a meaning in HTML or Markdown, and no complaint is long."""
    for box in [*page.markdown, *page.caption, *page.header, *page.subheader, *page.title]:
        html = getattr(box.proto, "allow_html", False)
        for found in MEANT.finditer(box.value if html else bare(box.value)):
            near = box.value[found.start() : found.start() + 80]
            assert "evil" not in near, (asked, box.value)
    for box in [*page.warning, *page.error, *page.info, *page.success]:
        assert not MEANT.search(bare(box.value)), (asked, box.value)
    assert all(len(line) <= CHARACTERS for line in complaints(page))
