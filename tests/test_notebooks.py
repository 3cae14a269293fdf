"""The notebooks run cell by cell, and show what a notebook would show."""

from __future__ import annotations

import ast
import re

import numpy as np
import plotly.graph_objects as go
import pytest

from tests.browser.browser import ROOT

NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.py"))
CELL = re.compile(r"^# %%(?: (\[markdown\]))?\n(.*?)(?=^# %%|\Z)", re.MULTILINE | re.DOTALL)


def run_cell(text: str, space: dict) -> object:
    """Run it; the value of its last line, which a notebook shows, if that is one."""
    tree = ast.parse(text)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec", dont_inherit=True), space)
    return last and eval(compile(ast.Expression(last.value), "cell", "eval"), space)


def points_of(trace) -> list:
    return [x for name in ("x", "y", "z") if (x := getattr(trace, name, None)) is not None]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path, capsys):
    cells = CELL.findall(path.read_text(encoding="utf-8"))
    assert cells[0][0] and cells[0][1].startswith("# # ")
    space: dict = {}
    shown, printed = [], []
    for markdown, text in cells:
        if markdown:
            assert all(line.startswith("#") for line in text.strip().splitlines())
            continue
        shown.append(run_cell(text, space))
        printed.append(capsys.readouterr().out)
    drawn = [value for value in shown if isinstance(value, go.Figure)]
    assert len(drawn) >= 3
    for figure in drawn:
        assert any(np.size(x) > 1 for trace in figure.data for x in points_of(trace))
    assert sum(bool(text) for text in printed) >= 3
    assert not any("nan" in text for text in printed)
