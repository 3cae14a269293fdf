"""What CONTRIBUTING.md shows: each kind of thing is added from outside, and is there everywhere."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import controls
from pkpo import ESTIMATORS, plugins, schedules, transform
from pkpo.__main__ import main
from pkpo.estimators import register_estimator
from pkpo.runs import LocalExecutor, Store
from pkpo.training.tasks.registry import TASKS, make_task, register_task, run_config
from tests.browser.browser import ROOT
from tests.pages import open_page

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ESTIMATOR, RAMP, TASK = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture
def added():
    """All examples carried out; the registries are as before afterwards."""
    registries = (ESTIMATORS, schedules.RAMPS, TASKS)
    before = [dict(registry) for registry in registries]
    space = {"__name__": "added"}
    try:
        for code in (ESTIMATOR, RAMP, TASK):
            exec(compile(code, "CONTRIBUTING.md", "exec", dont_inherit=True), space)
        yield space
    finally:
        for registry, known in zip(registries, before, strict=True):
            registry.clear()
            registry.update(known)


def test_the_estimator_is_everywhere(added, capsys):
    assert np.array_equal(transform([0.0, 1.0], 1, "from_best"), [-0.5, 0.0])
    assert main(["estimators"]) == 0
    assert "from_best: Below the best" in capsys.readouterr().out
    assert main(["train", "--estimator", "from_best", "--steps", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["config"]["estimator"] == "from_best"
    for page, setting in (
        ("estimators", "show"),
        ("toy_problem", "compare"),
        ("variance_lab", "show"),
    ):
        view = open_page(page, **({"view": "curves"} if page == "variance_lab" else {}))
        labels = [label for box in (*view.multiselect, *view.selectbox) for label in box.options]
        if page == "toy_problem":
            open_page(page, compare="estimator from_best s")
        else:
            assert "Below the best" in labels, (page, labels)
            open_page(page, **{setting: "from_best s"})


def test_the_schedule_is_everywhere(added, capsys):
    text = "square:8->1@100"
    found = schedules.parse(text)
    assert str(found) == text and (found(0), found(100)) == (8, 1)
    assert found(50) == 6  # 8 - 7/4, rounded
    assert main(["train", "--schedule", text, "--steps", "100", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["history"]["k"][50] == 6
    view = open_page("toy_problem", schedule=text, compare="off")
    assert f'--schedule "{text}"' in view.code[0].value
    given = controls.read_address(controls.HILL_PAGE, {"schedule": text, "compare": "off"})[0]
    runs = controls.settings_of_runs(controls.HILL_PAGE, given)
    assert "square" in controls.player_controls(controls.HILL_PAGE, given, runs)["shapes"]


def test_the_task_is_everywhere(added, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("PKPO_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(LocalExecutor, "reconcile", lambda self: None)
    config = run_config("coin", n=4, schedule="2", steps=5)
    assert make_task(config).policy.probabilities().shape == (1, 2)
    assert main(["train", "--task", "coin", "--n", "4", "--schedule", "2", "--steps", "5"]) == 0
    said = capsys.readouterr().out
    assert "--task coin" in said and "max@1" in said
    store = Store()
    id = store.submit(config, name="my coin")
    assert main(["runs", "list"]) == 0
    assert id in capsys.readouterr().out
    view = open_page("runs", run=id)
    assert [title.value for title in view.header] == ["my coin"] and not view.error


def test_what_is_taken_is_refused(added):
    for again, entry in ((register_estimator, ESTIMATORS["s"]), (register_task, TASKS["bandit"])):
        with pytest.raises(ValueError, match="registered"):
            again(entry)
    with pytest.raises(ValueError, match="registered"):
        schedules.register_ramp("linear", lambda first, last, share: share)


class Entry:
    name, value = "one", "somewhere:add"

    def __init__(self, function):
        self.load = lambda: function


def test_plugins_are_called_once(monkeypatch):
    called: list[int] = []
    monkeypatch.setattr(plugins, "entry_points", lambda group: [Entry(lambda: called.append(1))])
    plugins.load_plugins.cache_clear()
    try:
        assert plugins.load_plugins() == plugins.load_plugins() == ("one",)
        assert called == [1]

        def fail():
            raise RuntimeError("no luck")

        monkeypatch.setattr(plugins, "entry_points", lambda group: [Entry(fail)])
        plugins.load_plugins.cache_clear()
        with pytest.raises(ValueError, match=r"plugin one \(somewhere:add\) failed: no luck"):
            plugins.load_plugins()
        assert main(["estimators"]) == 2
        view = AppTest.from_file(str(ROOT / "app" / "script.py"), default_timeout=60).run()
        assert not view.exception and "no luck" in " ".join(str(e.value) for e in view.error)
    finally:
        monkeypatch.undo()
        plugins.load_plugins.cache_clear()
