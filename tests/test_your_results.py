"""The page "Your results" without a browser: an example, files, pasted text, what cannot be read."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from app import your_results_view as view
from app.controls import your_results as controls
from pkpo.evaluation import (
    compare_results,
    evaluate_results,
    evaluation_csv,
    parse_results,
)
from pkpo.figures import evaluation as figures
from tests.pages import open_page, words_of

SURE = "problem,n,c\n" + "".join(f"p{i},8,{8 * (i < 20)}\n" for i in range(40))
BROAD = "problem,n,c\n" + "".join(f"p{i},8,1\n" for i in range(40))


def pasted(*texts: str):
    page = open_page("your_results")
    page.segmented_control[0].set_value("text").run()
    for place, text in enumerate(texts):
        page.text_area[place].set_value(text)
    page.run()
    assert not page.exception
    return page


def said(page) -> str:
    return words_of([*page.markdown, *page.caption])


def test_the_example_teaches_that_curves_cross():
    page = open_page("your_results")
    read = [(name, parse_results(data, name)) for name, data in controls.example_files().items()]
    compared = compare_results(read[0][1], read[1][1])
    words = said(page)
    assert "An example, from recorded runs" in words and "The curves cross" in words
    assert "with 5 seeds each" in words and "seeds are paired by their names" in words
    assert "columns problem, n, c; 5 seeds by the column seed." in words
    assert figures.describe_comparison(compared, True) in words
    for one in evaluate_results(read):
        assert figures.describe_evaluation(one) in words
    assert {who for _, who in compared.ahead} == {"first", "second", "neither"}
    assert not page.error and not page.query_params


def test_pasted_results_are_compared():
    page = pasted(SURE, BROAD)
    words = said(page)
    assert "With one try 50.0% (" in words and "within 8 tries 100.0%" in words
    assert "Solved by one alone: 20 by the second, 0 by the first" in [
        e.label for e in page.expander
    ]
    assert page.code[0].value == "python -m pkpo evaluate text-1.txt text-2.txt"
    assert not page.query_params


SEEDS = "seed,problem,n,c\n" + "".join(
    f"{seed},p{i},8,{(i + seed) % 9}\n" for seed in range(3) for i in range(40)
)


def test_seeds_are_drawn_and_may_be_pooled():
    page = pasted(SEEDS)
    found = evaluate_results([("text-1.txt", parse_results(SEEDS.encode(), "text-1.txt"))])[0]
    words = said(page)
    assert figures.describe_seeds(found) in words and "3 seeds, from " in words
    assert "intervals over problems and seeds" in words and "its seeds" in words
    drawn = figures.plot_evaluations([found])
    thin = next(trace for trace in drawn.data if trace.name == "seeds")
    expected = np.concatenate([np.append(x, np.nan) for x in found.curve.seeds.values()])
    assert np.array_equal(np.asarray(thin.y, float), expected, equal_nan=True)
    page.toggle(key="results_seeds").set_value(False).run()
    assert not page.exception
    words = said(page)
    assert "within 24 tries" in words and "its seeds" not in words and "seed, pooled." in words
    assert page.code[0].value == "python -m pkpo evaluate text-1.txt --pool-seeds"


def test_seeds_may_be_a_file_each():
    page = open_page("your_results")
    page.segmented_control[0].set_value("files").run()
    head, *rows = SEEDS.splitlines()
    each = [
        (f"run-{i}.csv", "\n".join([head, *rows[40 * i : 40 * (i + 1)]]).encode(), "text/csv")
        for i in range(3)
    ]
    page.file_uploader[0].set_value(each).run()
    assert not page.exception and not page.error
    whole = evaluate_results([("x", parse_results(SEEDS.encode(), "x"))])[0]
    assert figures.describe_evaluation(whole) in said(page)
    assert "python -m pkpo evaluate 'run-*.csv'" in page.code[0].value
    page.file_uploader[0].set_value([*each, each[0]]).run()
    assert "different names, got 'run-0.csv' twice" in page.error[0].value.replace("\\", "")


def test_a_control_reads_and_computes_only_what_it_changes(monkeypatch):
    calls = []

    def counted(module, name):
        real = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a: calls.append(name) or real(*a))

    counted(controls, "parse_results")
    counted(view, "evaluate_results")
    page = pasted(SEEDS)
    calls.clear()
    page.run()
    assert not calls
    page.toggle(key="results_seeds").set_value(False).run()
    assert calls == ["evaluate_results"]
    page.text_area[1].set_value(BROAD).run()
    assert calls == ["evaluate_results", "parse_results", "evaluate_results"]


def test_nothing_of_a_file_outlives_the_page():
    page = pasted(SURE, BROAD)
    assert set(page.session_state["page_memory"]) == {
        "results-0",
        "results-1",
        "results-evaluated",
    }
    for place in (0, 1):
        page.text_area[place].set_value("")
    page.run()
    assert not page.session_state["page_memory"]
    page = pasted(SURE)
    page.switch_page("app_pages/glossary.py").run()
    assert "page_memory" not in page.session_state
    assert "page_memory" not in open_page("glossary").session_state


def test_one_file_has_its_plug_in_and_no_comparison():
    words = said(pasted(SURE))
    assert "plug-in, %" in words and "second" not in words
    words = said(pasted("problem,reward\na,.5\na,2\nb,1\nb,1\n"))
    assert "A single try earns 1.125" in words and "the best of 2 1.5" in words
    assert "max@k by k" in words and "plug-in" not in words and "Cover@τ" not in words


def test_an_uploaded_file_is_read():
    page = open_page("your_results")
    page.segmented_control[0].set_value("files").run()
    page.file_uploader[0].set_value(("mine.csv", SURE.encode(), "text/csv")).run()
    assert not page.exception and not page.error
    assert "mine.csv" in said(page) and "40 problems, 320 samples" in said(page)
    page.file_uploader[1].set_value(("bad.csv", b"\xff\xfe\x00", "text/csv")).run()
    assert "bad.csv must be text, CSV or JSON Lines" in page.error[0].value.replace("\\", "")
    assert "mine.csv" in said(page)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name,grade\na,1\n", "text-1.txt: no column for the problem"),
        ("problem,correct\na,perhaps\n", "line 2: correct must be a number, true or false"),
        ("problem,n,c\na,2000000,1\n", "at most 1,000,000 samples can be read"),
        (
            "problem,c,n\n" + "".join(f"{i},1,1\n" for i in range(controls.RESULTS_PROBLEMS + 1)),
            "this page reads at most 20,000 problems, got 20,001",
        ),
    ],
    ids=("columns", "grade", "samples", "problems"),
)
def test_what_cannot_be_read_is_said_in_a_line(text, reason):
    page = pasted(text)
    (box,) = page.error
    assert reason in box.value.replace("\\", "") and len(box.value) < 500
    assert not page.get("plotly_chart")


def test_files_without_a_common_problem_are_shown_apart():
    page = pasted(SURE, "problem,n,c\nother,4,2\n")
    assert "problems in common" in page.error[0].value.replace("\\", "")
    assert "1 problems, 4 samples" in said(page)


def test_names_in_a_file_mean_nothing():
    evil = "<img src=x onerror=evil()>**evil**[evil](javascript:evil())`"
    page = pasted(*(f'problem,n,c\n"{evil}",4,{c}\nb,4,2\n' for c in (0, 4)))
    names = next(m for m in page.markdown if m.value.startswith("**The second alone"))
    assert not names.proto.allow_html and "`<img src=x" in names.value
    assert figures.plain_name("<b>a</b> & $x$") == "b a /b x"
    one, two = (figures.plain_name(f"word-problems-of-a-long-name-{s}.csv") for s in (1, 2))
    assert one != two and len(one) == len(two) == figures.NAME_CHARACTERS


def test_the_address_holds_nothing():
    page = open_page("your_results", file="x")
    assert "'file' is not a setting of this page" in page.warning[0].value.replace("\\", "")


@pytest.mark.parametrize("kind", controls.FILE_EXAMPLES)
def test_what_the_page_shows_as_a_file_can_be_read(kind):
    assert len(parse_results(controls.FILE_EXAMPLES[kind].encode(), kind).rewards) in (1, 2)


def test_the_exported_table_has_every_k():
    read = [("a", parse_results(SURE.encode(), "a")), ("b", parse_results(BROAD.encode(), "b"))]
    found, compared = evaluate_results(read), compare_results(read[0][1], read[1][1])
    rows = list(csv.DictReader(io.StringIO(evaluation_csv(found, compared))))
    assert [int(row["k"]) for row in rows] == list(range(1, 9))
    for i, row in enumerate(rows):
        assert float(row["pass@k 2"]) == found[1].curve.mean[i]
        assert float(row["change low"]) == compared.difference.low[i]
    assert rows[7]["deciding samples"] == "" != rows[0]["deciding samples"]
    assert view.page_ks(5000) == [*range(1, 65), 128, 256, 512, 1024]
