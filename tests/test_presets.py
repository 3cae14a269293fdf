"""What the presets' sentences say holds at ten seeds, under the optimizers that they name."""

from __future__ import annotations

import pytest

from app.presets import PRESETS
from pkpo.training.recording import record_run

CASES = [
    pytest.param(task, preset, rule, seed, marks=() if seed < 2 else pytest.mark.slow)
    for task, presets in PRESETS.items()
    for preset in presets
    for rule in preset.claims
    for seed in range(10)
]


@pytest.mark.parametrize(
    ("task", "preset", "rule", "seed"), CASES, ids=lambda x: getattr(x, "name", str(x))
)
def test_what_a_preset_says_holds(task, preset, rule, seed):
    runs = [record_run(run.replace(seed=seed, optimizer=rule)) for run in preset.runs(task)]
    ends = {name: [r[name][-1] for r in runs] for name in ("max@1", "max@8")}
    assert preset.claims[rule](runs), f"{preset.name}, {rule}, seed {seed}: {ends}"


@pytest.mark.parametrize("task", PRESETS)
def test_every_preset_claims_something_under_the_rule_that_it_shows(task):
    for preset in PRESETS[task]:
        assert preset.changes.get("optimizer", "sgd") in preset.claims, preset.name


def test_a_claim_can_fail():
    (task, presets), *_ = PRESETS.items()
    first = presets[0]
    runs = [record_run(run) for run in first.runs(task)]
    assert first.claims["sgd"](runs) and not first.claims["sgd"](runs[::-1])
