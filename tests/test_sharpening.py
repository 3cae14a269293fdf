"""What is counted of many samples before and after training, and the recipe that asks what it means."""

from __future__ import annotations

import dataclasses
import gzip
import json

import numpy as np
import pytest

from pkpo import paper
from pkpo.estimators import pass_at_k
from pkpo.figures.paper_toy import DRAW
from pkpo.lm import sharpening
from pkpo.lm.experiments import EXPERIMENTS
from pkpo.lm.paths import HARD_UNSEEN
from pkpo.lm.sharpening import count_answers, run_sharpening
from toy_envs.word_problems import WordProblem

RECIPE = paper.RECIPES["sharpening"]
PROBLEMS = 400


def made_up(**rates) -> dict:
    """Three seeds of counts: samples right at each problem's own rate, all in all as stated."""
    rng = np.random.default_rng(5)
    stages = {}
    for stage, (low, high) in rates.items():
        p = np.linspace(low, high, PROBLEMS)
        stages[stage] = [
            {
                "right": rng.binomial(256, p).tolist(),
                "top": rng.binomial(256, 0.2 + 0.6 * p).tolist(),
                "top_right": (p > 0.5).astype(int).tolist(),
            }
            for _ in range(3)
        ]
    return {
        "models": stages,
        "samples": 256,
        "seeds": [0, 1, 2],
        "seconds": 90.0,
        "finished": 1.8e9,
    }


def verdicts(data: dict) -> list[bool | None]:
    return [claim.passed for claim in RECIPE.make(data)[1]]


def test_verdicts_follow_the_rates():
    # At the start every problem is solved now and then; k = 1 solves a third never, the rest often.
    lost = made_up(start=(0.001, 0.05), k1=(0.0, 0.0), k8=(0.02, 0.9))
    k1 = np.r_[np.zeros(PROBLEMS // 3), np.linspace(0.5, 1, PROBLEMS - PROBLEMS // 3)]
    for one in lost["models"]["k1"]:
        one["right"] = np.random.default_rng(1).binomial(256, k1).tolist()
        one["top"] = [250] * PROBLEMS
    assert verdicts(lost) == [False, True, True, True]
    text = RECIPE.make(lost)[1][0].measured
    # By the exact chances of at least one right of k.
    start = np.linspace(0.001, 0.05, PROBLEMS)
    ks = RECIPE.parameters["k"]
    chances = {k: (1 - (1 - start) ** k).mean() - (1 - (1 - k1) ** k).mean() for k in ks}
    assert min(map(abs, chances.values())) > 0.02  # nothing that chance could turn
    behind = [str(k) for k, chance in chances.items() if chance > 0]
    assert text.endswith(f"; behind at k = {', '.join(behind)}") and behind[-1] == "256"
    same = made_up(start=(0.1, 0.9), k1=(0.1, 0.9), k8=(0.1, 0.9))
    assert None in verdicts(same) and True not in verdicts(same)[:3]


def test_the_table_holds_unbiased_rates_and_the_grid_what_stands_beside():
    data = made_up(start=(0.0, 0.1), k1=(0.2, 0.6), k8=(0.1, 0.8))
    table, _ = RECIPE.make(data)
    rows = list(zip(*table.values(), strict=True))
    found = {(panel, curve, x): mean for panel, curve, x, mean, _ in rows}
    counts = np.array([one["right"] for one in data["models"]["k8"]])
    assert found["within k tries", "k = 8", 16] == pytest.approx(pass_at_k(256, counts, 16).mean())
    assert found["at least so often", "k = 8", 0.5] == pytest.approx((counts >= 128).mean())
    (grid,) = RECIPE.tabulate(data)
    tops = np.array([one["top_right"] for one in data["models"]["start"]])
    assert grid.means[0, grid.columns.index("top answer right")] == pytest.approx(tops.mean())
    assert "400 problems, 256 samples of each; seeds 0, 1, 2" in RECIPE.source.origin(data)
    drawn = DRAW["sharpening"](table)
    assert [trace.name for trace in drawn.data if trace.name][:3] == [
        "before training",
        "k = 1",
        "k = 8",
    ]


def test_answers_are_counted(monkeypatch):
    texts = ["2+3=5####5"] * 3 + ["2+3=6####6"] * 5 + ["5####", "2+2=4;4+1=5####5"]
    monkeypatch.setattr(sharpening, "generate", lambda *_: None)
    monkeypatch.setattr(sharpening, "decode_completions", lambda *_: [texts, texts])
    five, six = (WordProblem("?", f"####{answer}", answer, 1) for answer in (5, 6))
    found = count_answers(None, [five, six], len(texts), 0)
    assert found["top"] == [5, 5] and found["top_right"] == [0, 1]
    assert found["right"] == [4, 0]  # of 6, the chain is false: 2 + 3 is not 6


@pytest.mark.slow
def test_the_study_is_the_same_again_and_is_written(tmp_path, monkeypatch):
    known = EXPERIMENTS[HARD_UNSEEN]
    base = dataclasses.replace(known.base, steps=2, prompts=4)
    monkeypatch.setitem(EXPERIMENTS, HARD_UNSEEN, dataclasses.replace(known, base=base))
    monkeypatch.setattr(sharpening, "SHARPENING_PROBLEMS", 3)
    monkeypatch.setattr(sharpening, "SHARPENING_SAMPLES", 8)
    monkeypatch.setattr(sharpening, "SHARPENING_SEEDS", 2)
    monkeypatch.setattr(sharpening, "SHARPENING_FILE", tmp_path / "sharpening.json.gz")
    told = []
    found = run_sharpening(4, told.append)
    assert told[-1] == 1.0 and found["seeds"] == [4, 5]
    assert set(found["models"]) == {"start", "k1", "k8"}
    assert all(len(one["right"]) == 3 for runs in found["models"].values() for one in runs)
    sharpening.main(["--seed", "4"])
    written = json.loads(gzip.decompress(sharpening.SHARPENING_FILE.read_bytes()))
    assert written["models"] == found["models"]


def test_what_ships_is_of_the_problems_that_it_says():
    data = RECIPE.source.recorded()
    for runs in data["models"].values():
        assert len(runs) == len(data["seeds"]) == sharpening.SHARPENING_SEEDS
        for one in runs:
            assert {len(values) for values in one.values()} == {sharpening.SHARPENING_PROBLEMS}
            assert 0 <= min(one["right"]) and max(one["right"]) <= data["samples"]
