"""The report: one HTML file with every figure and claim, readable by people and by axe-core."""

from __future__ import annotations

import json
import re
from html import escape, unescape

import pytest

from pkpo import paper
from pkpo.__main__ import main
from pkpo.figures import export, report
from pkpo.runs.provenance import versions

KEYS = ("fig1", "fig3")


@pytest.fixture(scope="module")
def results():
    return [paper.RECIPES[key].run(3) for key in KEYS]


def no_browser(*_):
    raise export.NoExporterError("no browser")


def test_the_report_says_all_of_every_figure(results, monkeypatch):
    monkeypatch.setattr(export, "to_image", lambda figure, kind: b"<svg/>")
    text = report.report_html(results, 3)
    assert re.findall(r'<h2 id="([^"]+)"', text) == list(KEYS)
    assert text.count("data:image/svg+xml;base64,") == len(KEYS) and "<script" not in text
    for result in results:
        recipe = paper.RECIPES[result.key]
        for said in (recipe.title, recipe.message, result.origin):
            assert escape(said) in text
        for claim in result.claims:
            for said in (claim.text, claim.measured, claim.required):
                assert f"<td>{escape(said)}</td>" in text
        for grid in result.grids:
            assert escape(grid.title) in text
    settings = [
        json.loads(unescape(found)) for found in re.findall(r"<pre>(.*?)</pre>", text, re.S)
    ]
    assert [found["figure"] for found in settings] == list(KEYS) and settings[0]["seed"] == 3
    for name, version in versions()["packages"].items():
        assert f"<td>{name}</td><td>{version}</td>" in text


def test_the_verdict_counts_the_claims(results, monkeypatch):
    monkeypatch.setattr(export, "to_image", lambda figure, kind: b"<svg/>")
    text = report.report_html(results, 3)
    claims = [claim for result in results for claim in result.claims]
    rows = re.findall(r"<tr><td>([^<]*)</td>((?:<td class=\"number\">\d+</td>){4})</tr>", text)
    assert len(rows) == len({claim.kind for claim in claims})
    totals = [sum(map(int, re.findall(r">(\d+)<", row)[:3])) for _, row in rows]
    assert sum(totals) == len(claims)


def test_without_a_browser_figures_are_interactive_with_one_copy_of_the_code(results, monkeypatch):
    monkeypatch.setattr(export, "to_image", no_browser)
    text = report.report_html(results, 3)
    assert text.count("Plotly.newPlot(") >= len(KEYS)
    assert len(text) < 8_000_000
    assert not re.search(r"<(script|link)[^>]+(src|href)=", text)


@pytest.mark.parametrize("out", ["", "."])
def test_the_command_refuses_what_is_no_file(out, capsys):
    assert main(["report", "--out", out]) == 2
    assert capsys.readouterr().err.strip() == f"pkpo report: --out must name a file, got {out!r}"


def test_the_command_writes_one_file(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(export, "to_image", lambda figure, kind: b"<svg/>")
    monkeypatch.setattr(paper, "choose_recipes", lambda _: [paper.RECIPES["fig1"]])
    assert main(["report", "--out", str(tmp_path / "new" / "report.html")]) == 0
    assert "1 figures, claims: " in capsys.readouterr().out
    assert (
        (tmp_path / "new" / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    )


@pytest.mark.slow
def test_a_browser_prints_it(tmp_path, capsys):
    out = tmp_path / "report.pdf"
    assert main(["report", "--out", str(out)]) == 0
    printed = out.read_bytes()
    assert printed.startswith(b"%PDF-") and printed.rstrip().endswith(b"%%EOF")
    assert printed.count(b"/Type /Page\n") > len(paper.RECIPES)  # every figure has claims below it
    assert str(out) in capsys.readouterr().out


@pytest.mark.parametrize("path", ["/bin/false", "/no/such/browser"])
def test_without_a_browser_a_pdf_is_refused_in_words(path, results, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("BROWSER_PATH", path)
    monkeypatch.setattr(paper, "choose_recipes", lambda keys: [])
    out = tmp_path / "report.pdf"
    assert main(["report", "--out", str(out)]) != 0
    said = capsys.readouterr().err
    assert "a PDF needs Chrome or Chromium, which prints it" in said and path in said
    assert not out.exists()
