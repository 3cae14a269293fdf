"""The documentation: its Python runs and prints what it says, its links lead somewhere, it builds."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from sphinx.util.inventory import InventoryFile

import pkpo
from app.lessons import catalogue
from pkpo import estimators, evaluation, integrations
from pkpo.__main__ import main
from tests.browser.browser import ROOT

DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")])
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)|^```{literalinclude} (\S+)", re.MULTILINE)


def test_the_tutorial_prints_what_it_says():
    space: dict[str, object] = {}
    printed, compared = "", 0
    for kind, text in BLOCK.findall((DOCS / "tutorial.md").read_text(encoding="utf-8")):
        if kind == "text":
            assert printed == text
            printed, compared = "", compared + 1
            continue
        assert not printed, f"nothing stands under what printed {printed!r}"
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(text, "docs/tutorial.md", "exec", dont_inherit=True), space)
        printed = out.getvalue()
    assert compared > 8 and not printed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_links_to_files_that_are_there(page):
    for pair in LINK.findall(page.read_text(encoding="utf-8")):
        address = urlsplit("".join(pair))
        if not address.scheme and address.path:
            assert (page.parent / address.path).exists(), address.path


COMMANDS = sorted(
    {
        line
        for page in DOCS.rglob("*.md")
        for line in re.findall(
            r"^python -m pkpo (.*)", page.read_text(encoding="utf-8"), re.MULTILINE
        )
        if "--model" not in line  # which must be downloaded
    }
)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_does_what_it_says(command, capsys):
    assert main(shlex.split(command)) == 0
    assert capsys.readouterr().out


def test_there_are_commands():
    assert len(COMMANDS) > 2


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built with warnings as errors."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-E", "-W", "--keep-going", DOCS, folder]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=250)
    assert built.returncode == 0, built.stderr
    return folder


class Page(HTMLParser):
    """What a page asks for, what it links to, what can be linked to in it, and its words."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.linked: list[str] = []
        self.places: set[str] = set()
        self.words = ""
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.places.add(given.get("id", ""))
        if tag == "a" and "href" in given:
            self.linked.append(given["href"])
        elif "src" in given or (tag == "link" and given.get("rel") != "canonical"):
            self.loaded.append(given.get("src") or given["href"])

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.slow
def test_every_link_within_the_site_leads_somewhere_and_nothing_is_loaded_from_elsewhere(site):
    pages = {page.resolve(): Page(page) for page in site.rglob("*.html")}
    assert len(pages) > 8
    checked = 0
    for page, found in pages.items():
        for address in found.loaded:
            parts = urlsplit(address)
            assert not parts.netloc and parts.scheme in ("", "data"), (page.name, address)
            inside = parts.path and not parts.scheme
            assert not inside or (page.parent / unquote(parts.path)).is_file(), address
        for address in found.linked:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            assert target.is_file(), (page.name, address)
            if parts.fragment and target in pages:
                assert unquote(parts.fragment) in pages[target].places, (page.name, address)
            checked += 1
    assert checked > 500


@pytest.mark.slow
def test_the_reference_has_every_public_name(site):
    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="").data
    known = {name for kind, names in inventory.items() if kind.startswith("py:") for name in names}
    assert {f"pkpo.{name}" for name in pkpo.__all__} <= known
    for module in (estimators, evaluation, integrations):
        own = set(module.__all__) - set(pkpo.__all__)
        assert own and {f"{module.__name__}.{name}" for name in own} <= known


@pytest.mark.slow
def test_the_lessons_stand_there_word_for_word(site):
    said = plain(Page(site / "lessons.html").words)
    for lesson in map(catalogue.get_lesson, catalogue.LESSONS):
        asks = [
            text for ask in lesson.asks for text in (ask.lead, ask.question.text, ask.explanation)
        ]
        for text in (lesson.title, *asks, lesson.task.text, lesson.task.done, lesson.not_claimed):
            assert plain(text) in said


def plain(text: str) -> str:
    """A text without emphasis, and with quotation marks and blanks as a keyboard has them."""
    marks = {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "--", "…": "..."}
    for printed, typed in marks.items():
        text = text.replace(printed, typed)
    return " ".join(text.replace("**", "").split())
