"""Runs in lockstep are the runs that each is alone, bit for bit; so is a run that was continued."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pkpo.comparisons.settings import COMPARABLE
from pkpo.estimators import ESTIMATORS, transform
from pkpo.estimators.transforms import transform_rows
from pkpo.fields import FieldError
from pkpo.training.lockstep import RowOptimizers
from pkpo.training.loop import Loop, lockstep_key
from pkpo.training.optimizers import Optimizer, row_norms
from pkpo.training.recording import ARRAYS, continue_run, record_run, record_runs
from pkpo.training.tasks.bandit import BanditConfig
from pkpo.training.tasks.gaussian_hill import HillConfig
from pkpo.training.tasks.word_problems import WordProblemsConfig

OWN = "arms:-1,2,0.5;-3,0,0"
PROBLEMS = (
    HillConfig(steps=40),
    HillConfig(steps=40, learn_sigma=True, theta=0.7, shape="two-peaks"),
    BanditConfig(steps=40),
    BanditConfig(steps=40, bandit="crowded", sharing=0.3),
    BanditConfig(steps=40, bandit=OWN),
)
VALUES = {
    "schedule": ("1", "2", "8@0,1@20", "linear:1->12@30"),
    "estimator": ("sloo_minus_one", "canonical", "grpo", "naive"),
    "n": (8, 9, 16, 33),
    "learning_rate": (1e-3, 0.01, 0.1, 0.3),
    "optimizer": ("sgd", "adam", "normalised"),
    "seed": (0, 1, 2, 2**32 - 1),
}


def assert_same(one, other) -> None:
    for name in ARRAYS:
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
        assert getattr(one, name).dtype == getattr(other, name).dtype, name
    assert list(one.columns) == list(other.columns)
    for name in one.columns:
        assert np.array_equal(one[name], other[name]), name
        assert one[name].dtype == other[name].dtype, name
    assert one.config == other.config and one.details == other.details
    assert one.states.keys() == other.states.keys() and len(one.states) > 1
    for update, state in one.states.items():
        assert state.keys() == other.states[update].keys()
        for name, x in state.items():
            assert np.array_equal(x, other.states[update][name]), (update, name)


def assert_as_alone(configs) -> None:
    for config, run in zip(configs, record_runs(configs), strict=True):
        assert_same(run, record_run(config))


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda c: f"{c.task}-{list(c.changed())[1:]}")
@pytest.mark.parametrize("name", COMPARABLE)
def test_compared_runs_are_those_alone(problem, name):
    assert_as_alone([problem.replace(**{name: value}) for value in VALUES[name]])


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda c: f"{c.task}-{list(c.changed())[1:]}")
def test_runs_that_differ_in_everything_are_those_alone(problem):
    changes = (
        {"schedule": "8@0,1@20"},
        {"schedule": "1", "estimator": "sloo", "seed": 4},
        {"schedule": "4", "estimator": "sloo", "seed": 4, "optimizer": "adam"},
        {"estimator": "naive", "schedule": "8@0,2@10", "optimizer": "normalised"},
        {"estimator": "dial:0.3", "learning_rate": 0.02, "optimizer": "adam"},
        {"n": 12, "schedule": "4", "estimator": "sloo_minus_one_partitioned"},
        {"n": 12, "schedule": "linear:1->6@30"},
        {"steps": 25},
        {"steps": 25, "seed": 9},
    )
    assert_as_alone([problem.replace(**change) for change in changes])


def test_what_is_trained_together():
    config = HillConfig()
    together = [config.replace(**{name: VALUES[name][1]}) for name in VALUES if name != "n"]
    assert {lockstep_key(run) for run in together} == {lockstep_key(config)}
    apart = (
        config.replace(n=9),
        config.replace(steps=9),
        config.replace(theta=0.5),
        BanditConfig(),
    )
    assert len({lockstep_key(run) for run in (config, *apart)}) == 5
    assert lockstep_key(WordProblemsConfig()) is None
    loop = Loop([config, config.replace(schedule="2")])
    event = next(loop)
    assert event.samples.shape == (2, 16) and event.k.tolist() == [8, 2]
    assert np.array_equal(event.samples[0], event.samples[1])  # common random numbers


def test_the_first_that_diverges_says_so_as_if_alone():
    good = HillConfig(steps=20, learn_sigma=True, seed=13)
    wild = [good, good.replace(learning_rate=80.0), good.replace(learning_rate=1000.0)]
    with pytest.raises(FieldError) as alone:
        record_run(wild[1])
    with pytest.raises(FieldError) as together:
        record_runs(wild)
    assert str(together.value) == str(alone.value) and together.value.field == "learning_rate"


# --- Continued ------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("problem", PROBLEMS[1:4], ids=lambda c: c.task)
@pytest.mark.parametrize(
    "schedule", ["8", "1", "8@0,1@16", "8@0,3@29", "8@0,1@40", "8@0,linear:8->2@5..30"]
)
def test_a_continued_run_is_the_whole_one(problem, optimizer, schedule):
    before = record_run(problem.replace(optimizer=optimizer))
    config = before.config.replace(schedule=schedule)
    again = continue_run(before, schedule)
    assert_same(again, record_run(config))
    assert_same(continue_run(again, "8@0,2@35"), record_run(config.replace(schedule="8@0,2@35")))


def test_a_continued_run_trains_only_what_changes(monkeypatch):
    before = record_run(HillConfig(steps=100))
    trained = []
    step = Optimizer.step
    monkeypatch.setattr(
        Optimizer, "step", lambda self, *args: trained.append(1) or step(self, *args)
    )
    continue_run(before, "8@0,1@90")
    assert 10 <= len(trained) <= 10 + 16
    with pytest.raises(FieldError, match="schedule"):
        continue_run(before, "17")


# --- The parts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*ESTIMATORS, "dial:-0.7"])
@pytest.mark.parametrize("axes", [(), (3,)])
def test_weights_of_rows_are_those_of_each(name, axes):
    rng = np.random.default_rng(0)
    for rewards in (rng.random((4, *axes, 12)), rng.integers(0, 2, (4, *axes, 12))):
        if name == "passk_training":
            rewards = (rewards > 0.5).astype(float)
        for ks in itertools.product((1, 2, 6), repeat=2):
            k = np.array([*ks, 3, 1])
            want = [transform(row, int(each), name) for row, each in zip(rewards, k, strict=True)]
            assert np.array_equal(transform_rows(rewards, k, name), want), (name, ks)


def test_weights_of_rows_refuse_what_transform_refuses():
    with pytest.raises(ValueError, match="k must be from 1 to n = 5, got 6"):
        transform_rows(np.ones((2, 5)), np.array([2, 6]), "s")
    with pytest.raises(ValueError, match="one number for each of 2 rows, got 3"):
        transform_rows(np.ones((2, 5)), np.array([2, 2, 2]), "s")


@pytest.mark.parametrize("size", [1, 2, 7, 8, 33, 600])
def test_lengths_have_the_bits_of_numpy(size):
    x = np.random.default_rng(size).normal(size=(5, size))
    assert row_norms(x).tolist() == [np.linalg.norm(row) for row in x]


def test_optimizers_of_rows_are_one_each():
    rng, names, rates = np.random.default_rng(1), ["adam", "sgd", "adam"], [0.1, 0.2, 0.3]
    each = [Optimizer(name, rate) for name, rate in zip(names, rates, strict=True)]
    rows = RowOptimizers(names, rates)
    parameters = rng.normal(size=(3, 4))
    for _ in range(5):
        gradient = rng.normal(size=(3, 4))
        want = [o.step(p, g) for o, p, g in zip(each, parameters, gradient, strict=True)]
        parameters = rows.step(parameters, gradient)
        assert np.array_equal(parameters, want)
    for row, optimizer in enumerate(each):
        found = rows.row_state(row)
        assert found.keys() == optimizer.state.keys()
        assert all(np.array_equal(x, optimizer.state[name]) for name, x in found.items())
