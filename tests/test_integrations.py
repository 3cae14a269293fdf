"""Advantages of a flat batch: those of each group alone, whatever the order, sizes and library."""

from __future__ import annotations

import importlib
import itertools
import math
import sys

import numpy as np
import pytest
import torch

from pkpo import ESTIMATORS, get_estimator, schedules, transform
from pkpo.integrations import group_advantages
from toy_envs import discrete

RNG = np.random.default_rng(0)
SIZES = (16, 1, 5, 16, 2, 9, 5)
INDEX = np.repeat(np.arange(len(SIZES)), SIZES)
SHUFFLED = RNG.permutation(len(INDEX))
SCORES = RNG.integers(0, 2, len(INDEX)) + 0.25 * RNG.random(len(INDEX))


def by_loop(scores, index, k, estimator="sloo_minus_one", scale="group", valid=None):
    """The same by a loop over groups, in plain words."""
    valid = np.ones(len(scores), bool) if valid is None else np.asarray(valid, bool)
    result = np.zeros(len(scores))
    groups = {name for name, used in zip(index, valid, strict=True) if used}
    for name in groups:
        rows = [i for i in range(len(scores)) if index[i] == name and valid[i]]
        n = len(rows)
        allowed = [x for x in get_estimator(estimator).allowed_k(n) if x <= k]
        if allowed:
            weights = transform([scores[i] for i in rows], max(allowed), estimator)
            factor = {"group": n, "prompt": len(scores) / len(groups), "sum": 1}[scale]
            result[rows] = np.asarray(weights) * factor
    return result


@pytest.mark.parametrize("scale", ["group", "prompt", "sum"])
@pytest.mark.parametrize("k", [1, 4, 8])
@pytest.mark.parametrize("estimator", [key for key, e in ESTIMATORS.items() if not e.binary])
def test_each_group_gets_its_weights(estimator, k, scale):
    scores, index = SCORES[SHUFFLED], INDEX[SHUFFLED]
    found = group_advantages(scores, index, k, estimator, scale=scale)
    assert np.abs(found - by_loop(scores, index, k, estimator, scale)).max() < 1e-12


@pytest.mark.parametrize(
    "names",
    [
        INDEX.tolist(),
        [f"prompt {i}" for i in INDEX],
        np.array([f"p{i}" for i in INDEX]),
        [(i, "seed") for i in INDEX.tolist()],
        torch.tensor(INDEX),
        INDEX * 10**12 - 5,
        INDEX / 7,
        iter(INDEX.tolist()),
    ],
    ids=["list", "texts", "array of texts", "tuples", "tensor", "large", "floats", "iterator"],
)
def test_groups_may_be_called_anything(names):
    assert np.array_equal(group_advantages(SCORES, names, 4), group_advantages(SCORES, INDEX, 4))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64, torch.bool])
def test_torch_gives_torch(dtype):
    scores = torch.tensor(SCORES > 0.5).to(dtype)
    found = group_advantages(scores, torch.tensor(INDEX), 4)
    assert found.dtype == (dtype if dtype.is_floating_point else torch.float64)
    want = group_advantages((SCORES > 0.5).astype(float), INDEX, 4)
    assert np.abs(found.numpy() - want).max() < (1e-5 if dtype == torch.float32 else 1e-14)
    assert not found.requires_grad


def test_only_valid_samples_take_part():
    scores, valid = SCORES.copy(), RNG.random(len(SCORES)) < 0.7
    scores[~valid] = math.nan  # whatever stands there
    found = group_advantages(scores, INDEX, 3, valid=valid)
    assert (found[~valid] == 0).all()
    assert np.abs(found - by_loop(scores, INDEX, 3, valid=valid)).max() < 1e-12
    for other in (valid.astype(int), valid.tolist(), torch.tensor(valid)):
        assert np.array_equal(group_advantages(scores, INDEX, 3, valid=other), found)
    assert not group_advantages(scores, INDEX, 3, valid=np.zeros(len(scores))).any()


def test_groups_that_are_too_small():
    scores, index = [1.0, 0.0, 1.0, 0.0, 1.0, 0.5], [0, 0, 0, 0, 1, 1]
    clipped = group_advantages(scores, index, 4, scale="sum")
    assert np.array_equal(clipped[:4], transform(scores[:4], 4))
    assert np.array_equal(clipped[4:], transform(scores[4:], 2))
    zero = group_advantages(scores, index, 4, scale="sum", too_small="zero")
    assert np.array_equal(zero, [*transform(scores[:4], 4), 0, 0])
    with pytest.raises(ValueError, match="k must be from 1 to n = 2, got 4"):
        group_advantages(scores, index, 4, too_small="error")
    alone = group_advantages([3.0], [0], 4)
    assert alone == [0.0]
    with pytest.raises(ValueError, match="n = 1 is too small for estimator 'sloo_minus_one'"):
        group_advantages([3.0], [0], 1, too_small="error")
    odd = group_advantages(scores, index, 3, "naive", scale="sum")  # k must divide n = 4
    assert np.array_equal(odd[:4], transform(scores[:4], 2, "naive"))


def test_a_list_of_arrays_gives_a_list():
    rows = [SCORES[INDEX == i] for i in range(len(SIZES))]
    found = group_advantages(rows, None, 4)
    assert [len(x) for x in found] == list(SIZES)
    assert np.array_equal(np.concatenate(found), group_advantages(SCORES, INDEX, 4))
    tensors = group_advantages([torch.tensor(x) for x in rows], None, 4)
    assert all(isinstance(x, torch.Tensor) for x in tensors)
    assert np.array_equal(torch.cat(tensors).numpy(), np.concatenate(found))
    valid = [np.arange(len(x)) % 2 == 0 for x in rows]
    part = group_advantages(rows, None, 4, valid=valid)
    assert np.array_equal(
        np.concatenate(part), group_advantages(SCORES, INDEX, 4, valid=np.concatenate(valid))
    )


def test_k_may_be_a_schedule():
    text = "8@0,1@100"
    for step, k in ((0, 8), (99, 8), (100, 1)):
        want = group_advantages(SCORES, INDEX, k)
        for schedule in (text, schedules.parse(text)):
            assert np.array_equal(group_advantages(SCORES, INDEX, schedule, step=step), want)
    assert np.array_equal(group_advantages(SCORES, INDEX, "4"), group_advantages(SCORES, INDEX, 4))
    with pytest.raises(ValueError, match="step must be given where k is a schedule"):
        group_advantages(SCORES, INDEX, text)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"scores": [[1.0, 0.0]]}, r"scores must have one dimension, got shape \(1, 2\)"),
        ({"scores": [1.0, math.nan, 0.0, 0.0]}, "rewards must be finite, got nan"),
        ({"group_index": [0, 0, 1]}, "group_index must have 4 entries, as scores, got 3"),
        ({"group_index": [[0], [0], [1], [1]]}, "group_index must be hashable: .*list"),
        ({"group_index": np.array([0, 0, math.nan, 1])}, "group_index must be finite"),
        ({"group_index": None}, "group_index must be given, or scores be a list"),
        ({"valid": [1, 0, 1]}, "valid must be 4 times true or false, as scores"),
        ({"valid": [2, 0, 1, 1]}, "valid must be 4 times true or false"),
        ({"k": 0}, "k must be a whole number from 1, or a schedule, got 0"),
        ({"k": True}, "k must be a whole number from 1, or a schedule, got True"),
        ({"k": 2.0}, "k must be a whole number from 1, or a schedule, got 2.0"),
        ({"k": "eight"}, "schedule must look like"),
        ({"scale": "mean"}, "scale must be one of group, prompt, sum, got 'mean'"),
        ({"too_small": "drop"}, "too_small must be one of clip, zero, error, got 'drop'"),
        ({"estimator": "ppo"}, "estimator must be one of"),
    ],
    ids=str,
)
def test_what_cannot_be_is_named(change, reason):
    given = {"scores": [1.0, 0.0, 0.5, 0.0], "group_index": [0, 0, 1, 1], "k": 2} | change
    with pytest.raises(ValueError, match=reason):
        group_advantages(given.pop("scores"), given.pop("group_index"), given.pop("k"), **given)


def test_no_samples_have_no_advantages():
    assert group_advantages([], [], 4).shape == (0,)


def test_the_caller_s_scores_stay_as_they_are():
    scores = SCORES.copy()
    group_advantages(scores, INDEX, 4)
    assert np.array_equal(scores, SCORES)


@pytest.mark.parametrize(
    ("scale", "factor"), [("group", "mean of group means"), ("prompt", "mean")]
)
def test_the_loss_s_expected_gradient_is_that_of_max_at_k(scale, factor):
    """Two prompts of three and four draws from three arms: every outcome, enumerated."""
    rewards, chances, k = (0.0, 0.5, 1.0), np.array([0.5, 0.3, 0.2]), 2
    exact = discrete.categorical_max_at_k(rewards, tuple(chances), (k,)).d_logits[0]
    total = np.zeros(3)
    sizes = (3, 4)
    index = np.repeat((0, 1), sizes)
    for arms in itertools.product(range(3), repeat=sum(sizes)):
        chosen = np.array(arms)
        scores = np.array(rewards)[chosen]
        advantages = group_advantages(scores, index, k, scale=scale)
        log_gradients = np.eye(3)[chosen] - chances
        per_sample = advantages[:, None] * log_gradients
        if factor == "mean":
            gradient = per_sample.mean(axis=0)
        else:
            gradient = np.mean([per_sample[index == i].mean(axis=0) for i in (0, 1)], axis=0)
        total += np.prod(chances[chosen]) * gradient
    assert np.abs(total - exact).max() < 1e-12


def test_a_trainer_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "trl", None)  # as if it were not installed
    monkeypatch.delitem(sys.modules, "pkpo.integrations.trl", raising=False)
    with pytest.raises(ValueError, match="pkpo.integrations.trl needs trl, which is not installed"):
        importlib.import_module("pkpo.integrations.trl")
