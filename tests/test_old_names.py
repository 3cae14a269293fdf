"""Modules that README named before they moved: they still import, with a warning."""

from __future__ import annotations

import importlib
import sys

import pytest

from pkpo.analysis import enumeration, estimation_problems, monte_carlo


@pytest.mark.parametrize(
    ("old", "name", "new"),
    [
        ("pkpo.enumeration", "moments", enumeration.enumerate_outcomes),
        ("pkpo.problems", "binary_problem", estimation_problems.binary_problem),
        ("pkpo.problems", "GaussianProblem", estimation_problems.GaussianProblem),
        ("pkpo.variance", "scatter", monte_carlo.run_monte_carlo),
    ],
)
def test_an_old_name_warns_and_is_the_new_one(old, name, new):
    sys.modules.pop(old, None)
    with pytest.warns(DeprecationWarning, match=f"{old} is now pkpo.analysis"):
        module = importlib.import_module(old)
    assert getattr(module, name) is new
