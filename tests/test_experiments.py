"""The named experiments: what they compare, and the records of them that ship."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from pkpo.figures.language_model import language_panels
from pkpo.figures.run_curves import charted_metrics, run_panels
from pkpo.lm import experiments
from pkpo.lm.experiments import EXPERIMENTS, FRESH_RUN, recorded_runs
from pkpo.lm.model_files import load_model
from pkpo.paper.trained_runs import held_out
from pkpo.training.loop import Loop


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_methods_differ_in_what_they_are_and_seeds_only(name):
    experiment = EXPERIMENTS[name]
    configs = experiment.configs()
    assert (
        len(set(configs.values()))
        == len(configs)
        == len(experiment.methods) * len(experiment.seeds)
    )
    for (_, seed), config in configs.items():
        own = {"schedule", "estimator", "entropy_bonus", "seed"}
        own |= {"learning_rate"} if name in ("rate", "abstention-rate") else set()
        own |= {"abstention"} if name == "abstention-map" else set()
        changed = {
            key for key, x in config.to_dict().items() if x != experiment.base.to_dict()[key]
        }
        assert changed <= own and config.seed == seed


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_chart_has_its_metric(name):
    (record, *_) = recorded_runs(name, EXPERIMENTS[name].methods[0])
    panels = [*language_panels(record.config), *run_panels([record.config])]
    columns = {panel.column for panel in panels}
    assert columns <= set(charted_metrics()) and columns <= set(record.columns)
    assert ("abstention_share" in columns) == name.startswith("abstention")
    # Where a wrong answer earns something, charts of training groups do not say that it is solved.
    assert ("reward of a single try" in panels[0].title) == name.startswith("abstention")


def test_what_texts_say_of_the_runs_that_may_abstain():
    ends = {
        name: held_out(recorded_runs("abstention", name), 1).mean() for name in ("k1", "annealed")
    }
    start = held_out(recorded_runs("abstention", "k1"), 1, 0).mean()
    assert round(start, 2) == 0.06 and ends["k1"] < 0.001  # "6 tries in 100", "gives up trying"
    assert abs(ends["annealed"] - 2 / 3) < 0.02  # "two problems in three"
    behind = {
        pay: held_out(recorded_runs("abstention-map", f"k1-abstention-{pay}"), 1).mean()
        < held_out(recorded_runs("abstention-map", f"k8-abstention-{pay}"), 1).mean()
        for pay in (0.2, 0.3, 0.4)
    }
    assert behind == {0.2: False, 0.3: False, 0.4: True}  # "between 0.3 and 0.4"


def test_an_annealed_schedule_ends_at_1():
    schedule = EXPERIMENTS["hard"].configs()["annealed", 0].k_schedule
    assert [schedule(u) for u in (0, 239, 240, 400)] == [8, 8, 1, 1]


@pytest.mark.parametrize(
    "path",
    sorted(experiments.RECORDED.glob("*/*.json.gz")),
    ids=lambda p: f"{p.parent.name}/{p.name}",
)
def test_what_ships_is_what_the_experiments_say(path):
    method, seed = path.name.removesuffix(".json.gz").rsplit("-", 1)
    (found,) = (r for r in recorded_runs(path.parent.name, method) if r.config.seed == int(seed))
    assert found.config == EXPERIMENTS[path.parent.name].configs()[method, int(seed)]
    assert not found.changes and len(found["update"]) == found.config.steps + 1


@pytest.mark.slow
def test_records_and_models_are_written(tmp_path, monkeypatch):
    small = {"steps": 2, "prompts": 2, "n": 4, "held_out": 2, "interval": 2, "schedule": "2"}
    base = dataclasses.replace(FRESH_RUN, **small)
    few = dataclasses.replace(EXPERIMENTS["fresh"], base=base, methods=("k1", "k2"), seeds=(0, 1))
    monkeypatch.setattr(experiments, "EXPERIMENTS", {"fresh": few})
    monkeypatch.setattr(experiments, "RECORDED", tmp_path / "recorded")
    monkeypatch.setenv("PKPO_DATA_DIR", str(tmp_path / "data"))
    recorded_runs.cache_clear()
    experiments.main(["fresh"])
    first, second = recorded_runs("fresh", "k2")
    recorded_runs.cache_clear()
    assert (first.config.seed, second.config.seed) == (0, 1)
    assert "groups" in first.details[0] and "groups" not in second.details[0]
    assert [p.name for p in (tmp_path / "recorded" / "models").iterdir()] == ["k1"]
    loop = Loop(few.configs()["k1", 0])
    for _ in loop:
        pass
    want = loop.task.policy.model.parameters
    for name, p in load_model(tmp_path / "recorded" / "models" / "k1").parameters.items():
        assert torch.equal(p, want[name].half().float()), name
