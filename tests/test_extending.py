"""What docs/how-to shows: each kind of thing is added from outside, and is there everywhere."""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
import types
from importlib.metadata import EntryPoint

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from app import controls, page_registry
from pkpo import ESTIMATORS, plugins, schedules, transform
from pkpo.__main__ import main
from pkpo.analysis import enumerate_verdict
from pkpo.estimators import register_estimator
from pkpo.runs import LocalExecutor, Store
from pkpo.training.tasks.registry import TASKS, make_task, register_task, run_config
from tests.browser.browser import ROOT
from tests.pages import open_page


def examples(page: str, language: str = "python") -> list[str]:
    """The blocks of code of a page of docs/how-to."""
    text = (ROOT / "docs" / "how-to" / f"{page}.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


[ESTIMATOR], [RAMP], [TASK] = map(examples, ("add-estimator", "add-schedule", "add-task"))


@pytest.fixture
def added():
    """All examples carried out; the registries are as before afterwards."""
    registries = (ESTIMATORS, schedules.RAMPS, TASKS)
    before = [dict(registry) for registry in registries]
    space = {"__name__": "added"}
    try:
        for code in (ESTIMATOR, RAMP, TASK):
            exec(compile(code, "docs/how-to", "exec", dont_inherit=True), space)
        yield space
    finally:
        for registry, known in zip(registries, before, strict=True):
            registry.clear()
            registry.update(known)


def test_the_estimator_is_everywhere(added, capsys):
    assert np.array_equal(transform([0.0, 1.0], 1, "from_best"), [-0.5, 0.0])
    assert transform(torch.tensor([0.0, 1.0]), 1, "from_best").tolist() == [-0.5, 0.0]
    mixture = enumerate_verdict("from_best", n=8, k=3).mixture
    assert np.abs(mixture - [1, *[0] * 6, -1 / 8]).max() < 1e-9  # as it says: max@1 - max@n / n
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


def test_the_page_works_as_printed(monkeypatch):
    """As Streamlit runs it, and with an entry like those of the other pages."""
    script, entry = examples("add-page")

    def opened(**address: str) -> AppTest:
        view = AppTest.from_string(script, default_timeout=60)
        for name, text in address.items():
            view.query_params[name] = text
        view.run()
        assert not view.exception, view.exception[0].value
        return view

    view = opened(percent="50")
    assert [metric.value for metric in view.metric] == [
        "50.0%",
        "75.0%",
        "93.8%",
        "99.6%",
        "100.0%",
    ]
    view.slider[0].set_value(0).run()
    assert view.query_params["percent"] == "0" and view.metric[4].value == "0.0%"
    view.slider[0].set_value(10).run()
    assert "percent" not in view.query_params
    (complaint,) = opened(percent="101").warning
    assert "percent must be from 0 to 100, got 101" in complaint.value
    ((name, about),) = ast.literal_eval(f"{{{entry}}}").items()
    assert about.keys() == page_registry.PAGES["glossary"].keys()
    monkeypatch.setitem(page_registry.PAGES, name, about)
    assert page_registry.paths()[-1] == "odds"


def test_the_package_registers_what_it_names(added, monkeypatch):
    [code], [settings] = examples("plugin"), examples("plugin", "toml")
    (entry,) = tomllib.loads(settings)["project"]["entry-points"][plugins.ENTRY_POINTS].values()
    module = types.ModuleType(entry.partition(":")[0])
    exec(compile(code, "docs/how-to/plugin.md", "exec", dont_inherit=True), module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    found = EntryPoint("my_parts", entry, plugins.ENTRY_POINTS)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [found])
    plugins.load_plugins.cache_clear()
    try:
        assert plugins.load_plugins() == ("my_parts",)
        assert schedules.parse("cubic:8->1@100")(50) == 7  # 8 - 7/8, rounded
    finally:
        plugins.load_plugins.cache_clear()


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
