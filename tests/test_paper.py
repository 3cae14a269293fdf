"""The paper's toy figures: their claims, their files, their drawings."""

import csv
import io
import json
import os
import re
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import plotly.graph_objects as go
import pytest

from pkpo import paper
from pkpo.__main__ import main
from pkpo.figures import browsers, export
from pkpo.figures.paper_toy import DRAW
from pkpo.paper import toy
from tests.browser.browser import executable
from toy_envs import gaussian_hill


@pytest.fixture(scope="module")
def results():
    return {recipe.key: recipe.run(0) for recipe in toy.TOY_RECIPES}


def test_every_claim_holds(results):
    failed = [c for result in results.values() for c in result.claims if not c.passed]
    assert failed == []
    assert {key: len(result.claims) for key, result in results.items()} == {
        "fig1": 3,
        "fig2": 4,
        "fig4": 2,
        "fig5": 3,
    }


def test_a_wrong_claim_fails(monkeypatch):
    monkeypatch.setitem(toy.FIGURE_4, "theta", 0.5)  # canonical wins there
    monkeypatch.setitem(toy.FIGURE_4, "k", 2)
    monkeypatch.setitem(toy.FIGURE_4, "n", (16,))
    claims = paper.RECIPES["fig4"].run(0).claims
    assert [c.passed for c in claims] == [False, True]
    monkeypatch.setattr(toy, "_mean_weight", lambda name, n, k: 1.0 / k)
    assert not any(c.passed for c in paper.RECIPES["fig5"].run(0).claims)


def test_same_seed_same_table_another_seed_another(results):
    again = paper.RECIPES["fig4"].run(0)
    assert again.table == results["fig4"].table
    assert paper.RECIPES["fig4"].run(1).table != again.table
    assert paper.RECIPES["fig1"].run(1).table == results["fig1"].table


def test_figure_1_is_the_exact_objective(results):
    table = results["fig1"].table
    for row in range(0, len(table["k"]), 97):
        theta, k = table["theta"][row], table["k"][row]
        assert table["value"][row] == pytest.approx(gaussian_hill.objective(theta, k), abs=1e-12)
        assert table["gradient"][row] == pytest.approx(gaussian_hill.gradient(theta, k), abs=1e-12)
    assert sorted(set(table["k"])) == [1, 2, 4, 8, 16]
    assert (min(table["theta"]), max(table["theta"])) == (-0.2, 1.4)


def test_figures_carry_their_tables(results):
    fig4 = DRAW["fig4"](results["fig4"].table)
    table = results["fig4"].table
    for trace in fig4.data:
        if trace.hoverinfo == "skip":
            continue
        rows = [i for i, name in enumerate(table["estimator"]) if name == trace.legendgroup]
        assert list(trace.y) == [table["variance"][i] for i in rows]
        assert list(trace.x) == [table["n"][i] for i in rows]
    fig1 = DRAW["fig1"](results["fig1"].table)
    drawn = np.concatenate([t.y for t in fig1.data if t.yaxis == "y"])
    assert drawn.tolist() == results["fig1"].table["value"]
    for key, result in results.items():
        assert len(DRAW[key](result.table).data) > 0


def test_command_writes_everything(tmp_path, capsys):
    assert (
        main(["figures", "--out", str(tmp_path / "new"), "--only", "fig2,fig4", "--seed", "3"]) == 0
    )
    said = capsys.readouterr()
    assert "6 claims passed, 0 failed, 0 undecided" in said.out
    out = tmp_path / "new"
    names = {file.name for file in out.iterdir()}
    assert {"fig2.csv", "fig2.html", "fig4.csv", "fig4.html", "claims.json"} <= names
    assert ("fig4.svg" in names) == ("no image" not in said.err)
    with (out / "fig4.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["estimator", "n", "variance", "ci_low", "ci_high"]
    assert {row["estimator"] for row in rows} == set(toy.FIGURE_4["estimators"])
    assert all(float(r["ci_low"]) < float(r["variance"]) < float(r["ci_high"]) for r in rows)
    claims = json.loads((out / "claims.json").read_text())
    assert {"figure", "claim", "measured", "required", "passed", "verdict", "kind"} < set(claims[0])
    assert {(c["seed"], c["provenance"], c["verdict"]) for c in claims} == {(3, "seed 3", "holds")}
    assert [c["kind"] for c in claims if c["figure"] == "fig4"] == ["paper", "check"]
    page = (out / "fig4.html").read_text()
    assert "<script src=" not in page  # needs nothing but itself


def test_command_fails_with_a_failing_claim(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(toy, "_mean_weight", lambda name, n, k: 1.0 / k)
    assert main(["figures", "--out", str(tmp_path), "--only", "fig5"]) == 1
    assert "FAIL" in capsys.readouterr().out
    assert not all(c["passed"] for c in json.loads((tmp_path / "claims.json").read_text()))


def test_no_exporter_is_said_and_the_rest_written(tmp_path, capsys, monkeypatch):
    def missing(*_):
        raise export.NoExporterError("images need Chrome or Chromium")

    monkeypatch.setattr(export, "to_image", missing)
    assert main(["figures", "--out", str(tmp_path), "--only", "fig2"]) == 0
    assert "no image: images need Chrome" in capsys.readouterr().err
    assert {f.name for f in tmp_path.iterdir()} == {"fig2.csv", "fig2.html", "claims.json"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "fig9"], "figure must be one of fig1, fig2, .* got 'fig9'"),
        (["--seed", "-1", "--only", "fig2"], "seed must be >= 0, got -1"),
    ],
)
def test_command_refuses(tmp_path, capsys, arguments, message):
    assert main(["figures", "--out", str(tmp_path), *arguments]) == 2
    assert re.search(message, capsys.readouterr().err)


def test_a_folder_that_is_a_file(tmp_path, capsys):
    (tmp_path / "taken").write_text("")
    assert main(["figures", "--out", str(tmp_path / "taken"), "--only", "fig2"]) == 2
    assert "taken: File exists" in capsys.readouterr().err


def test_zip_holds_what_the_command_writes(results):
    packed = zipfile.ZipFile(io.BytesIO(paper.results_zip([results["fig2"]], export.write_figure)))
    assert {"fig2.csv", "fig2.html", "claims.json"} <= set(packed.namelist())


def test_zip_holds_plotly_s_code_once(results, monkeypatch):
    monkeypatch.setattr(export, "to_image", lambda *_: b"")
    packed = zipfile.ZipFile(io.BytesIO(export.figures_zip(list(results.values()))))
    code = packed.read("plotly.min.js")
    assert len(code) > 1e6
    for key in results:
        page = packed.read(f"{key}.html")
        assert b'src="plotly.min.js"' in page and len(page) < len(code) / 10
    assert sum(file.file_size for file in packed.filelist) < 1.5 * len(code)


# --- Browsers that draw the images ----------------------------------------------------------------

STUB = "#!/bin/sh\necho 'this needs the snap' >&2\nexit 1\n"


@pytest.fixture
def no_browser_named(monkeypatch):
    for name in ("BROWSER_PATH", "PKPO_BROWSER"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def programs(tmp_path, monkeypatch, no_browser_named):
    """Makes programs the only ones there are: a text is a script, a path becomes a link."""
    monkeypatch.setattr(browsers, "PLACES", ())

    def make(**named: str) -> None:
        for name, content in named.items():
            path = tmp_path / name.replace("_", "-")
            if os.path.exists(content):
                path.symlink_to(content)
            else:
                path.write_text(content, encoding="utf-8")
                path.chmod(0o755)
        found = {path.name: str(path) for path in tmp_path.iterdir()}
        monkeypatch.setattr(browsers.shutil, "which", found.get)

    return make


@pytest.fixture
def chrome() -> str:
    return executable() or pytest.skip("there is no Chrome or Chromium here")


FIGURE = go.Figure({"data": [{"y": [1, 3, 2]}]})


def test_the_first_browser_that_works_is_taken(programs, chrome):
    programs(chromium_browser=STUB, google_chrome=chrome)
    assert [os.path.basename(path) for path in browsers.candidates()] == [
        "chromium-browser",
        "google-chrome",
    ]
    assert export.to_image(FIGURE, "png").startswith(b"\x89PNG")
    executable.cache_clear()
    try:
        assert os.path.basename(executable()) == "google-chrome"
    finally:
        executable.cache_clear()


def test_a_browser_that_does_not_work_is_named_with_one_reason(programs):
    programs(chromium_browser=STUB)
    with pytest.raises(export.NoExporterError) as refused:
        export.to_image(FIGURE, "svg")
    said = str(refused.value)
    assert said.startswith("images need Chrome or Chromium, which kaleido drives (/")
    assert "chromium-browser: The browser seemed to close immediately" in said
    assert "('" not in said and "\n" not in said and len(said) < 400


def test_a_named_browser_is_the_only_one_tried(monkeypatch, tmp_path):
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "absent"))
    assert browsers.candidates() == [str(tmp_path / "absent")]
    with pytest.raises(export.NoExporterError, match="No browser found at path='.*absent'"):
        export.to_image(FIGURE, "svg")
    monkeypatch.setenv("PKPO_BROWSER", "sh")
    assert browsers.candidates("PKPO_BROWSER") == [shutil.which("sh")]


@pytest.fixture
def starts(monkeypatch) -> list[str | None]:
    """The browsers that were started."""
    started, real = [], browsers._open

    def counting(path):
        started.append(path)
        return real(path)

    monkeypatch.setattr(browsers, "_open", counting)
    return started


def test_one_browser_draws_all_images_of_a_command(tmp_path, capsys, starts, chrome):
    assert main(["figures", "--out", str(tmp_path), "--only", "fig1,fig2,fig4,fig5"]) == 0
    assert len(starts) == 1
    for key in ("fig1", "fig2", "fig4", "fig5"):
        assert (tmp_path / f"{key}.svg").read_text(encoding="utf-8").startswith("<svg")
    assert "no image" not in capsys.readouterr().err


def test_a_browser_that_fails_is_tried_once(tmp_path, capsys, starts, monkeypatch):
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "absent"))
    assert main(["figures", "--out", str(tmp_path), "--only", "fig1,fig2"]) == 0
    assert len(starts) == 1
    assert capsys.readouterr().err.count("no image: images need Chrome") == 2


def images_by_threads(threads: int, each: int) -> None:
    """Every thread draws figures of its own, and each gets the picture of its figure."""

    def draw(thread: int) -> list[tuple[str, bytes]]:
        drawn = []
        for i in range(each):
            title = f"picture {thread} of {i}"
            figure = go.Figure({"data": [{"y": [thread, i]}], "layout": {"title": {"text": title}}})
            drawn.append((title, export.to_image(figure, "svg")))
        return drawn

    with ThreadPoolExecutor(threads) as pool:
        found = [pair for pairs in pool.map(draw, range(threads)) for pair in pairs]
    assert len(found) == threads * each
    for title, picture in found:
        assert picture.startswith(b"<svg") and f">{title}<".encode() in picture, title
    assert browsers._shared is None and browsers._users == 0


def test_two_threads_draw_at_once(chrome):
    images_by_threads(2, 2)


@pytest.mark.slow
def test_eight_threads_draw_at_once(chrome, starts):
    images_by_threads(8, 12)
    assert len(starts) <= 8 * 12


def test_no_table_has_the_name_of_another_file():
    keys = [
        grid.key
        for recipe in paper.RECIPES.values()
        if recipe.tabulate and recipe.source
        for grid in recipe.tabulate(recipe.source.recorded())
    ]
    assert len(keys) > 8 and len({*keys, *paper.RECIPES}) == len(keys) + len(paper.RECIPES)
