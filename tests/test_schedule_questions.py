"""Questions of our own about schedules: what the tables hold, and that the claims can fail."""

import numpy as np
import pytest

from pkpo import paper
from pkpo.analysis.interference import interference
from pkpo.figures.paper_toy import DRAW
from pkpo.lm.experiments import recorded_runs
from pkpo.paper import schedule_questions as questions
from pkpo.training.recording import record_run


@pytest.mark.parametrize(("key", "claims"), [("direction", 8), ("interference", 6)])
def test_the_figure_shows_the_table(key, claims):
    result = paper.RECIPES[key].run(0)
    assert [claim.verdict for claim in result.claims] == ["holds"] * claims
    assert all(claim.kind in (None, "own") for claim in result.claims)
    figure = DRAW[key](result.table)
    drawn = [y for trace in figure.data if trace.hoverinfo != "skip" for y in trace.y]
    assert sorted(drawn) == sorted(result.table["mean"])


def test_means_are_those_of_runs_alone():
    table = paper.RECIPES["direction"].run(3).table
    base = questions.DIRECTION["problems"]["the trap"]
    runs = [record_run(base.replace(schedule="8@0,1@120", seed=seed)) for seed in range(3, 8)]
    rows = list(zip(*table.values(), strict=True))
    (row,) = (r for r in rows if r[:4] == ("the trap", 8, "8, then 1", 200))
    ends = [run["max@8"][200] for run in runs]
    assert row[4] == pytest.approx(np.mean(ends), abs=1e-15)
    assert row[5] == pytest.approx(np.std(ends, ddof=1) / 5**0.5, abs=1e-15)
    table = paper.RECIPES["interference"].run(3).table
    base = questions.INTERFERENCE["base"].replace(sharing=0.5)
    runs = [record_run(base.replace(seed=seed)) for seed in range(3, 8)]
    cosines = [interference(r.parameters[120], 8, "crowded", 0.5).cosine for r in runs]
    rows = list(zip(*table.values(), strict=True))
    (row,) = (r for r in rows if r[0].startswith("cosine") and r[1:3] == (0.5, 120))
    assert row[3] == pytest.approx(np.mean(cosines), abs=1e-12)


def test_claims_fail_where_the_opposite_is_true(monkeypatch):
    schedules = questions.DIRECTION["schedules"]
    swapped = schedules | {"8, then 1": schedules["1, then 8"], "1, then 8": schedules["8, then 1"]}
    monkeypatch.setitem(questions.DIRECTION, "schedules", swapped)
    assert sum(claim.passed is False for claim in paper.RECIPES["direction"].run(0).claims) >= 5
    base = questions.INTERFERENCE["base"].replace(schedule="8")
    monkeypatch.setitem(questions.INTERFERENCE, "base", base)
    monkeypatch.setitem(questions.INTERFERENCE, "sharing", (0.2, 1.0, 1.0))
    together, kept, *_ = paper.RECIPES["interference"].run(0).claims
    assert together.passed is kept.passed is False


def test_the_mixture_s_figure_is_that_of_the_recorded_runs():
    result = paper.RECIPES["mixture"].run(0)
    rows = {row[:3]: row[3:] for row in zip(*result.table.values(), strict=True)}
    panel = "pass@16, α, share of best of 8"
    for alpha in (0.25, 0.5, 0.75):
        mixed = recorded_runs("mixture", f"mix-{alpha}")
        assert len(mixed) == 5 and {run.config.estimator for run in mixed} == {f"mix:{alpha}"}
        mean, error = rows[panel, "mixture", alpha]
        counts = np.array([run.details[150]["held_out"] for run in mixed])
        assert mean == pytest.approx((counts > 0).mean(), abs=1e-12) and 0 < error < 0.05
    assert [x for place, method, x in rows if (place, method) == (panel, "mixture")] == [
        0,
        0.25,
        0.5,
        0.75,
        1,
    ]
    assert [claim.passed for claim in result.claims] == [True] * 4 + [None] + [True] * 3
    assert rows[panel, "mixture", 0] == rows[panel, "k1", 0]
    assert rows[panel, "mixture", 1] == rows[panel, "k8", 1]
    figure = DRAW["mixture"](result.table)
    drawn = [y for trace in figure.data if "markers" in (trace.mode or "") for y in trace.y]
    table = zip(result.table["method"], result.table["mean"], strict=True)
    assert drawn == pytest.approx([mean for method, mean in table if method != "annealed"])


def test_the_mixture_s_claims_fail_for_runs_of_k_1():
    recipe = paper.RECIPES["mixture"]
    data = recipe.source.recorded()
    data["mixture"] = dict.fromkeys(data["mixture"], data["hard-unseen"]["k1"])
    claims = recipe.make(data)[1]
    assert [claim.passed for claim in claims][1:5] == [False, None, False, False]
    assert [claim.passed for claim in claims][5:] == [False, True, False]
