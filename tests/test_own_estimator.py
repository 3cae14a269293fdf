"""An estimator that somebody else registers: it appears everywhere, in a colour of its own."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from pkpo import ESTIMATORS, analysis, figures
from pkpo.analysis import group_weights
from pkpo.figures import style
from pkpo.figures import variance_lab as lab_figures
from pkpo.training.recording import record_run
from pkpo.training.tasks.gaussian_hill import HillConfig
from tests.pages import open_page


@pytest.fixture
def own(monkeypatch):
    """Two estimators that the palette has never heard of."""
    names = ("half", "third")
    for place, name in enumerate(names, 2):
        entry = dataclasses.replace(
            ESTIMATORS["rloo"],
            key=name,
            label=f"My {name}",
            weigh=lambda r, k, part=place: (r - r.mean(-1, keepdims=True)) / part,
        )
        monkeypatch.setitem(ESTIMATORS, name, entry)
    return names


def test_colours_of_their_own(own):
    colours = [figures.estimator_colour(name) for name in own]
    assert len(set(colours)) == 2 and set(colours) <= set(style.OTHER_COLOURS)
    assert not set(colours) & set(style.ESTIMATOR_COLOURS.values())
    assert [figures.estimator_colour(f"{name}:0.5") for name in own] == colours
    assert figures.estimator_colour("never registered") in style.OTHER_COLOURS
    for name in ESTIMATORS:
        if name not in own:
            assert figures.estimator_colour(name) == style.ESTIMATOR_COLOURS[name]
    assert figures.estimator_colour("dial:0.3") == style.ESTIMATOR_COLOURS["dial"]


def test_more_of_them_than_spare_colours(monkeypatch):
    for i in range(len(style.OTHER_COLOURS) + 2):
        name = f"own{i}"
        monkeypatch.setitem(ESTIMATORS, name, dataclasses.replace(ESTIMATORS["rloo"], key=name))
    assert figures.estimator_colour("own5") in style.OTHER_COLOURS


def test_it_is_drawn(own):
    rewards = [0.0, 1.0, 0.5, 0.25]
    drawn = figures.plot_group_weights(rewards, group_weights.weigh_group(rewards, 2, own))
    assert [trace.name for trace in drawn.data if trace.name in ("My half", "My third")]
    configs = [HillConfig(n=4, schedule="1", estimator=name, steps=3) for name in own]
    assert [label for label, _ in figures.run_styles(configs)] == ["My half", "My third"]
    assert all(np.isfinite(record_run(c).columns["theta"]).all() for c in configs)
    found = analysis.sample_estimates(analysis.AnalysisSettings(n=4, k=2), own)
    assert len(lab_figures.plot_cloud(found).data) > 0


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("estimators", {"show": "half third s", "close_up": "half"}),
        ("variance_lab", {"view": "curves", "show": "half third s"}),
        ("variance_lab", {"view": "cloud", "show": "half third s"}),
        ("toy_problem", {"estimator": "half", "compare": "schedule 1 4"}),
        ("toy_problem", {"compare": "estimator half third s"}),
        ("bandit", {"compare": "estimator half third s"}),
    ],
    ids=str,
)
def test_its_pages_open(own, page, address):
    open_page(page, **address)
