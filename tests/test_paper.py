"""The paper's toy figures: their claims, their files, their drawings."""

import csv
import json
import re

import numpy as np
import pytest

from pkpo import paper
from pkpo.__main__ import main
from pkpo.figures import export
from pkpo.figures.paper import DRAW
from pkpo.paper import toy
from toy_envs import gaussian_hill


@pytest.fixture(scope="module")
def results():
    return {recipe.key: recipe.run(0) for recipe in toy.RECIPES}


def test_every_claim_holds(results):
    failed = [c for result in results.values() for c in result.claims if not c.passed]
    assert failed == []
    assert {key: len(result.claims) for key, result in results.items()} == {
        "fig1": 3,
        "fig2": 4,
        "fig4": 9,
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
    assert "13 claims passed, 0 failed" in said.out
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
    assert {"figure", "claim", "measured", "required", "passed"} == set(claims[0])
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

    monkeypatch.setattr(export, "image", missing)
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
    import io
    import zipfile

    packed = paper.to_zip([results["fig2"]], export.write_figure)
    names = set(zipfile.ZipFile(io.BytesIO(packed)).namelist())
    assert {"fig2.csv", "fig2.html", "claims.json"} <= names
