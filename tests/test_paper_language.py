"""The paper's language-model figures: claims on made-up runs whose truth is known, tables, sources."""

from __future__ import annotations

import csv
import dataclasses
import io
import json

import numpy as np
import pytest
from scipy import stats

from pkpo import paper, pass_at_k
from pkpo.__main__ import main
from pkpo.figures import paper_language as drawing
from pkpo.figures.paper_toy import DRAW
from pkpo.intervals import Difference, mean_and_error
from pkpo.lm import experiments
from pkpo.lm.experiments import EXPERIMENTS, METHODS, VARIANTS
from pkpo.paper import recipe, trained_runs
from pkpo.paper.trained_runs import held_out
from pkpo.runs.records import write_record
from tests.paper_runs import PAPER, WRONG, runs

FIGURES = ("fig3", "fig6", "fig7", "fig8")


@pytest.fixture(scope="module")
def found():
    return runs(PAPER)


@pytest.mark.parametrize(("key", "count"), [("fig3", 7), ("fig6", 8), ("fig7", 8), ("fig8", 5)])
def test_every_claim_holds_where_the_paper_is_right(found, key, count):
    _, claims = paper.RECIPES[key].make(found)
    assert [c for c in claims if not c.passed] == [] and len(claims) == count


@pytest.mark.parametrize("key", FIGURES)
def test_no_claim_holds_where_the_opposite_is_true(key):
    _, claims = paper.RECIPES[key].make(runs(WRONG))
    assert [c.text for c in claims if c.passed] == []


def test_the_error_of_a_mean_is_that_of_its_seeds_and_its_problems():
    seeds = np.array([1.0, 2.0, 6.0])
    assert mean_and_error(seeds) == (3.0, pytest.approx((7 / 3) ** 0.5, abs=1e-12))
    both = seeds[:, None] + np.array([0.0, 4.0])
    assert mean_and_error(both) == (5.0, pytest.approx((7 / 3 + 8 / 2) ** 0.5, abs=1e-12))


def test_that_error_is_what_means_scatter_by():
    rng = np.random.default_rng(0)
    draws, s, p = 4000, 4, 30
    parts = rng.normal(0, 0.3, (draws, s, 1)), rng.normal(0, 1, (draws, 1, p))
    values = sum(parts) + rng.normal(0, 0.5, (draws, s, p))
    squares = np.array([mean_and_error(x)[1] ** 2 for x in values])
    # What belongs to one seed and problem only is counted twice.
    expected = 0.3**2 / s + 1 / p + 2 * 0.5**2 / (s * p)
    assert abs(squares.mean() - expected) < 4 * squares.std() / draws**0.5
    assert values.mean(axis=(1, 2)).var() < expected


def test_held_out_problems_one_by_one(found):
    records = found["fresh"]["k4"]
    for update in (0, 120):
        values = held_out(records, 4, update)
        for row, record in zip(values, records, strict=True):
            counts = record.details[update]["held_out"]
            assert row.tolist() == [pass_at_k(16, round(c), 4) for c in counts]


def test_curves_are_means_and_errors_over_seeds(found):
    table, _ = paper.RECIPES["fig3"].make(found)
    rows = list(zip(*table.values(), strict=True))
    assert list(table) == ["panel", "method", "problems", "update", "mean", "error"]
    for panel, method, problems, update, mean, error in rows[:: len(rows) // 50]:
        name, _, hard = panel.partition(", ")
        name = name if problems == "training" else f"held_out_{name}"
        records = found["hard" if hard else "fresh"][method]
        values = np.array([record[name][update] for record in records])
        assert mean == values.mean() and abs(error - values.std(ddof=1) / 3**0.5) < 1e-15
    assert {row[3] for row in rows if row[2] == "held-out"} == {0, 120}
    fresh = [row for row in rows if ", " not in row[0]]
    assert {row[3] for row in fresh if row[2] == "training"} == set(range(121))


@pytest.mark.parametrize("key", FIGURES)
def test_figures_carry_their_tables(found, key):
    table, _ = paper.RECIPES[key].make(found)
    figure = DRAW[key](table)
    drawn = [trace for trace in figure.data if trace.hoverinfo != "skip"]
    assert sorted(y for trace in drawn for y in trace.y) == sorted(table["mean"])
    titles = [axis.title.text.replace("<br>", ", ") for axis in figure.select_yaxes()]
    assert titles == list(dict.fromkeys(table["panel"]))
    legend = [trace.name for trace in drawn if trace.showlegend]
    assert sorted(legend) == sorted({METHODS[name].label for name in table["method"]})


def test_a_figure_shows_its_own_methods_only(found):
    for key in FIGURES:
        table, _ = paper.RECIPES[key].make(found)
        allowed = paper.RECIPES[key].source.methods
        assert set(table["method"]) <= {name for names in allowed.values() for name in names}


def test_does_less_variance_learn_faster(found):
    methods = {"k8": found["fresh"]["k8"], "canonical": found["fresh"]["k2"]}
    recipe = paper.RECIPES["faster"]
    table, claims = recipe.make({"estimator": methods})
    assert [claim.passed for claim in claims] == [True]  # at update 120
    assert "over 3 seeds and 1600 problems" in claims[0].required
    assert len([t for t in DRAW["faster"](table).data if t.showlegend]) == 2
    methods["k8"] = found["fresh"]["k1"]
    assert not any(claim.passed for claim in recipe.make({"estimator": methods})[1])


def test_what_if_only_the_answer_counts(found):
    fresh = found["fresh"]
    recipe = paper.RECIPES["answer"]
    worse = {"k1": fresh["entropy"], "k8": fresh["tzsm25"], "annealed": fresh["annealed"]}
    table, claims = recipe.make({"answer": fresh, "fresh": worse})
    assert [claim.passed for claim in claims] == [True] * 5 + [None]  # tzsm25 has as many of them
    means = np.mean([record["pass@8"][120] for record in fresh["k8"]])
    rows = zip(*table.values(), strict=True)
    (row,) = (r for r in rows if r[:4] == ("pass@8", "k8", "training", 120))
    assert row[4] == means
    (grid,) = recipe.tabulate({"answer": {name: fresh[name] for name in worse}})
    assert grid.rows == ("Before training", "k = 1", "k = 8", "k = 8, then 1")
    swapped = fresh | {"k1": fresh["k8"], "k8": fresh["k1"]}
    assert not any(c.passed for c in recipe.make({"answer": swapped, "fresh": fresh})[1][:3])


def unseen(found, **replaced: str) -> dict:
    """Made-up runs of every method on hard problems, unseen; those named are another's."""
    stand_ins = {"annealed-early": "annealed", "canonical": "k2"} | replaced
    methods = EXPERIMENTS["hard-unseen"].methods
    return {"hard-unseen": {m: found["fresh"][stand_ins.get(m, m)] for m in methods}}


def test_hard_problems_unseen(found):
    recipe, data = paper.RECIPES["fig8-unseen"], unseen(found)
    table, claims = recipe.make(data)
    verdicts = {claim.text: claim.passed for claim in claims}
    assert verdicts.pop("k = 8 ends above k = 1 at pass@1, too.") is False
    # The stand-ins are alike, or are themselves.
    assert verdicts.pop("Annealing late keeps more of pass@16 than annealing early.") is not True
    assert verdicts.pop("loo-1 ends above canonical at pass@8, what both are trained for.") is True
    assert all(verdicts.pop(text) for text in list(verdicts) if "at pass@1 against" not in text)
    assert "over 3 seeds and 1600 problems" in claims[0].required
    figure = DRAW["fig8-unseen"](table)
    drawn = [y for trace in figure.data if trace.hoverinfo != "skip" for y in trace.y]
    assert sorted(drawn) == sorted(table["mean"]) and np.isfinite(table["error"]).all()
    place = [
        i
        for i, row in enumerate(zip(*table.values(), strict=True))
        if row[1:4] == ("k8", "held-out", 120)
    ]
    assert [table["mean"][i] for i in place] == [
        held_out(data["hard-unseen"]["k8"], k).mean() for k in (1, 4, 8, 16)
    ]
    (grid,) = recipe.tabulate(data)
    assert len(grid.rows) == 10 and np.isfinite(grid.errors).all()


def test_hard_problems_unseen_if_the_opposite_is_true(found):
    data = unseen(found, annealed="k1", k8="k1", k1="k8", tzsm25="k8", entropy="k8")
    verdicts = {c.text: c.passed for c in paper.RECIPES["fig8-unseen"].make(data)[1]}
    for text in (
        "k = 8 ends above k = 1 at pass@16.",
        "k = 8 has solved more of the training problems at least once than k = 1.",
        "k = 8 ends above TZSM25 at pass@16.",
        "k = 8 ends above the entropy bonus at pass@16.",
        "For every k_eval > 1 the annealed run ends above k = 1.",
    ):
        assert verdicts[text] is False, text


def test_is_one_method_helped_by_the_learning_rate(found):
    worlds = {end: runs | {"canonical": runs["k8"]} for end, runs in found.items()}
    fresh, rates = worlds["fresh"], EXPERIMENTS["rate"].methods
    lead = {name: fresh[name] for name in dict.fromkeys(VARIANTS[key][0] for key in rates)}
    data = {"rate": {name: fresh["tzsm25"] for name in rates}, "hard-unseen": lead}
    table, claims = paper.RECIPES["rate"].make(data)
    assert claims[0].measured.count("from") == 12
    # TZSM25 gains nothing over itself.
    assert [c.passed for c in claims] == [False, False, False, False, True, False]
    assert set(table["x"]) == {1e-4, 3e-4, 1e-3}
    wanted = ("pass@16, learning rate", "k8", 3e-4)
    place = [i for i, row in enumerate(zip(*table.values(), strict=True)) if row[:3] == wanted]
    assert [table["mean"][i] for i in place] == [held_out(fresh["k8"], 16).mean()]
    drawn = [(list(t.x), list(t.y)) for t in DRAW["rate"](table).data]
    assert len(drawn) == 12 and all(x == [1e-4, 3e-4, 1e-3] for x, _ in drawn)
    for ends, verdicts in (("fresh", [False] + 5 * [True]), ("hard", [True, True])):
        data["rate"] = {name: worlds[ends][VARIANTS[name][0]] for name in rates}
        claims = paper.RECIPES["rate"].make(data)[1]
        assert [c.passed for c in claims][: len(verdicts)] == verdicts


def test_which_entropy_bonus(found):
    fresh, names = found["fresh"], EXPERIMENTS["bonus"].methods
    recipe = paper.RECIPES["bonus"]
    tried = dict.fromkeys(names, fresh["k1"]) | {names[2]: fresh["annealed"]}
    data = {
        "bonus": tried,
        "hard-unseen": {"entropy": fresh["k1"], "k1": fresh["k1"], "k8": fresh["k4"]},
    }
    table, claims = recipe.make(data)
    assert [claim.passed for claim in claims] == [True, True]
    assert "(coefficient 0.01)" in claims[0].measured and "one of these 5" in claims[0].required
    rows = [row[1:4] for row in zip(*table.values(), strict=True) if row[0].startswith("pass@1,")]
    bonuses = [x for method, x, _ in rows if method == "entropy"]
    assert bonuses == [0.001, 0.005, 0.01, 0.05, 0.1]
    assert rows[3] == ("entropy", 0.05, held_out(fresh["annealed"], 1).mean())
    assert [method for method, x, _ in rows if np.isnan(x)] == ["k1", "k8"]
    figure = DRAW["bonus"](table)
    drawn = [list(trace.y) for trace in figure.data if "markers" in (trace.mode or "")]
    shown = [m for m, x in zip(table["mean"], table["x"], strict=True) if not np.isnan(x)]
    assert [y for ys in drawn for y in ys] == shown
    levels = [trace.y for trace in figure.data if trace.mode == "lines" and len(trace.y) == 2]
    assert [list(y) for y in levels if y[0] == y[1] == rows[5][2]]
    (grid,) = recipe.tabulate(data)
    assert len(grid.rows) == 8 and np.isfinite(grid.errors).all()
    data["bonus"] = tried | {names[2]: fresh["k1"]}
    assert not recipe.make(data)[1][0].passed
    data["bonus"] = tried | {names[2]: fresh["k8"]}
    assert not recipe.make(data)[1][1].passed


def test_what_is_nearly_0_has_no_sign_of_its_own():
    words = trained_runs.interval_in_words(np.array([-0.0004, -0.0002, 0.0]))
    assert words == "+0.000, from -0.001 to +0.000"


def test_the_best_of_several_tries_must_stand_out_further():
    differences = np.array([0.9, 1.0, 1.1, 1.3]) - 0.75
    one, five = (Difference.from_samples(differences, tries) for tries in (1, 5))
    assert five.low < 0 < one.low < one.high < five.high
    half = stats.t.ppf(1 - 0.025 / 5, 3) * differences.std(ddof=1) / 2
    assert five.high - five.low == pytest.approx(2 * half, rel=1e-9)
    assert trained_runs.surely_above(differences) is True
    assert trained_runs.surely_above(differences, 5) is None


def stalling(fresh, one="tzsm25", eight="k4", annealed="k1"):
    """Made-up runs for where k = 1 stalls: by method, where it ends."""
    ends = {"k1": fresh[one], "k8": fresh[eight], "annealed": fresh[annealed]}
    data = {"abstention": ends}
    for name in ("abstention-map", "abstention-rate"):
        seeds = len(EXPERIMENTS[name].seeds)
        data[name] = {key: ends[VARIANTS[key][0]][:seeds] for key in EXPERIMENTS[name].methods}
    return data


def test_where_k_1_stalls(found):
    recipe = paper.RECIPES["stall"]
    data = stalling(found["fresh"])
    table, claims = recipe.make(data)
    assert [claim.passed for claim in claims] == [True] * 5
    panels = list(dict.fromkeys(table["panel"]))
    assert panels == ["pass@1", "pass@16", "reward of a single try", "share that abstains"]
    wanted = ("pass@1", "annealed", "held-out", 120)
    (place,) = [i for i, row in enumerate(zip(*table.values(), strict=True)) if row[:4] == wanted]
    assert table["mean"][place] == pytest.approx(
        held_out(found["fresh"]["k1"], 1).mean(), abs=1e-12
    )
    figure = DRAW["stall"](table)
    drawn = [y for trace in figure.data if trace.hoverinfo != "skip" for y in trace.y]
    assert sorted(drawn) == sorted(table["mean"])
    (grid,) = recipe.tabulate(data)
    assert len(grid.rows) == 4 and np.isfinite(grid.errors).all()
    opposite = stalling(found["fresh"], one="k1", eight="tzsm25", annealed="tzsm25")
    assert not any(claim.passed for claim in recipe.make(opposite)[1])


def test_when_k_8_overtakes_k_1(found):
    recipe = paper.RECIPES["stall-map"]
    table, claims = recipe.make(stalling(found["fresh"]))
    assert [claim.passed for claim in claims] == [True] * 6
    rows = list(zip(*table.values(), strict=True))
    by_pay = [row for row in rows if row[:2] == ("pass@1, what abstaining earns", "k8")]
    assert [row[2] for row in by_pay] == [0.2, 0.3, 0.4, 0.5]
    assert {row[3] for row in by_pay} == {held_out(found["fresh"]["k4"], 1).mean()}
    solved = [
        row for row in rows if row[0] == "pass@1, of 16 tries right before (4+)" and row[1] == "k8"
    ]
    before = np.array(found["fresh"]["tzsm25"][0].details[0]["held_out"])
    after = held_out(found["fresh"]["k4"], 1)
    assert [row[2] for row in solved] == [0, 1, 2, 3, 4]
    assert solved[0][3] == after[:, before == 0].mean()
    assert solved[4][3] == after[:, before >= 4].mean()
    figure = DRAW["stall-map"](table)
    titles = [figure.layout[name].title.text for name in ("xaxis", "xaxis2", "xaxis3")]
    assert titles == [
        "what abstaining earns",
        "learning rate",
        "of 16 tries right before (4+)",
    ]
    assert sorted(y for trace in figure.data for y in trace.y) == sorted(table["mean"])
    other = stalling(found["fresh"], one="k4", eight="tzsm25")
    assert not any(claim.passed for claim in recipe.make(other)[1])


def test_every_method_has_its_colour():
    colours = [drawing.METHOD_COLOURS[name] for name in EXPERIMENTS["hard-unseen"].methods]
    assert len(set(colours)) == len(colours)


def test_table_7(found):
    grid, _ = paper.RECIPES["fig7"].tabulate(found)
    assert grid.rows == (
        "Before training",
        *(METHODS[m].label for m in EXPERIMENTS["fresh"].methods),
    )
    counts = [record.details[120]["held_out"] for record in found["fresh"]["k8"]]
    means = np.array([pass_at_k(16, np.array(c).astype(int), 16).mean() for c in counts])
    row, column = grid.rows.index("k = 8"), grid.columns.index("pass@16")
    assert grid.means[row, column] == pytest.approx(means.mean(), abs=1e-12)
    assert grid.errors[row, column] == pytest.approx(means.std(ddof=1) / 3**0.5, abs=1e-12)
    lines = paper.grid_markdown(grid).splitlines()
    assert lines[0].split(" | ")[1:3] == ["pass@1", "pass@2"] and len(lines) == 2 + len(grid.rows)
    error = grid.errors[row, column]
    assert f"**{means.mean():.3f}{f' ± {error:.3f}' if error > 1e-12 else ''}**" in lines[2 + row]
    rows = list(csv.DictReader(io.StringIO(paper.grid_csv(grid))))
    assert float(rows[row]["pass@16 error"]) == grid.errors[row, column]


def test_the_best_and_what_ties_with_it():
    """Differences from the best: 2 seeds of -.1 and -.3 leave 0 possible, -.19 and -.21 do not."""
    best, near, far = (np.array(x) for x in ([1.0, 3.0], [0.9, 2.7], [0.81, 2.79]))
    samples = [
        [best, 2 * near - [1, 1.1]],
        [near, 2 * near],
        [far, None],
        [best, 2 * near - [3, 3.1]],
    ]
    head = ("a", "A", ("x", "y", "z", "same"), ("one", "two"))
    grid = paper.Grid.from_samples(*head, samples)
    marked = [[True, False], [True, True], [False, False], [True, False]]
    assert grid.best.tolist() == marked
    assert grid.means[0, 0] == 2 and np.isnan(grid.means[2, 1])
    assert grid.errors[:2, 0] == pytest.approx([1, 0.9])


def test_ratios_are_marked_by_their_logarithms():
    even, uneven = np.ones(40), np.r_[np.ones(38), 200.0, 200.0]
    assert mean_and_error(uneven) == pytest.approx((10.95, 6.94), abs=0.05)
    found = {
        ratios: paper.Grid.from_samples("r", "R", ("a", "b"), ("x",), [[even], [uneven]], ratios)
        for ratios in (False, True)
    }
    assert found[False].best.tolist() == [[True], [True]]
    assert found[True].best.tolist() == [[True], [False]]
    assert found[True].best_in_words != found[False].best_in_words


@pytest.fixture
def shipped(found, tmp_path, monkeypatch):
    """The made-up runs in the place of those that ship."""
    monkeypatch.setattr(experiments, "RECORDED", tmp_path / "recorded")
    experiments.recorded_runs.cache_clear()
    for name, methods in found.items():
        (experiments.RECORDED / name).mkdir(parents=True)
        for method, records in methods.items():
            for record in records:
                write_record(record, experiments.path_of(name, method, record.config.seed))
    yield
    experiments.recorded_runs.cache_clear()


def test_the_command_reads_what_ships(shipped, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["figures", "--out", str(out), "--only", "fig7,fig8", "--recorded"]) == 0
    said = capsys.readouterr()
    assert "13 claims passed, 0 failed" in said.out and "Figure 7" not in said.err
    assert "21 runs, seeds 0, 1, 2, of 42 minutes in all; trained on 2027-01-15; cpu" in said.out
    names = {file.name for file in out.iterdir()}
    assert {"fig7.csv", "fig7.html", "table7.csv", "table7.md", "fig8.csv", "table5.md"} <= names
    assert (out / "table5.md").read_text().startswith("Table 5: the hard set (trained on)")
    settings = json.loads(paper.config_json(paper.RECIPES["fig8"], 3))
    assert "seed" not in settings and settings["settings"]["hard"]["problems"] == "hard"


def test_the_command_trains_what_is_named(found, tmp_path, capsys, monkeypatch):
    asked = []

    def finish(store, configs, progress):
        asked.extend(configs)
        for done in (0.25, 1.0):
            progress(done)
        known = [r for methods in found.values() for records in methods.values() for r in records]
        return [
            next(r for r in known if r.config == config.replace(seed=config.seed - 5))
            for config in configs
        ]

    monkeypatch.setattr(trained_runs, "run_all", finish)
    monkeypatch.setenv("PKPO_DATA_DIR", str(tmp_path / "data"))
    arguments = ["figures", "--out", str(tmp_path), "--only", "fig3", "--seed", "5"]
    assert main(arguments) == 0
    chosen = {"methods": ("k1", "k8", "annealed"), "seeds": (5, 6, 7)}
    wanted = [dataclasses.replace(EXPERIMENTS[name], **chosen) for name in ("fresh", "hard")]
    assert asked == [config for one in wanted for config in one.configs().values()]
    said = capsys.readouterr()
    assert "Figure 3: annealing k [########......................]  25.0%" in said.err
    assert "100.0%\n" in said.err and "7 claims passed" in said.out


def test_interrupted(tmp_path, capsys, monkeypatch):
    def finish(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(trained_runs, "run_all", finish)
    monkeypatch.setenv("PKPO_DATA_DIR", str(tmp_path / "data"))
    assert main(["figures", "--out", str(tmp_path), "--only", "fig3"]) == 130
    assert "pkpo figures: interrupted" in capsys.readouterr().err


def test_no_recorded_runs_are_said(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(experiments, "RECORDED", tmp_path / "nothing")
    experiments.recorded_runs.cache_clear()
    assert main(["figures", "--out", str(tmp_path), "--only", "fig6", "--recorded"]) == 2
    said = capsys.readouterr().err
    assert "the recorded runs cannot be read: fresh/k1-0.json.gz: No such file" in said
    experiments.recorded_runs.cache_clear()


# --- Verdicts -------------------------------------------------------------------------------------


def test_few_seeds_leave_a_claim_undecided():
    three, many = np.array([0.1, 0.2, 0.6]), np.tile([0.1, 0.2, 0.6], 20)
    mean, error = mean_and_error(three)
    assert mean / error > 1.9  # 2 errors would do, if they were known
    text = "more"
    assert trained_runs.claim_above(text, three).verdict == "undecided"
    assert trained_runs.claim_above(text, many).verdict == "holds"
    assert trained_runs.claim_above(text, -many).verdict == "fails"
    assert trained_runs.claim_above(text, three[:1]).verdict == "undecided"
    found = Difference.from_samples(three)  # t with 2 degrees of freedom: 4.303
    assert error == pytest.approx(three.std(ddof=1) / 3**0.5)
    ends = three.mean() + np.array([-1, 1]) * 4.302653 * error
    assert np.allclose((found.low, found.high), ends, atol=1e-6)


def test_no_loss_needs_an_interval_that_is_short_enough():
    claim, spread = trained_runs.claim_not_below, np.linspace(-1, 1, 9)
    assert claim("", 0.001 * spread).verdict == "holds"
    assert claim("", 0.3 * spread).verdict == "undecided"  # nothing is shown by a lack of data
    assert claim("", -0.05 + 0.001 * spread).verdict == "fails"


@pytest.mark.parametrize("s", [2, 3])
def test_intervals_hold_the_truth_as_often_as_they_say(s):
    rng = np.random.default_rng(0)
    draws, p = 2000, 40
    parts = rng.normal(0, 0.3, (draws, s, 1)), rng.normal(0, 1, (draws, 1, p))
    values = sum(parts) + rng.normal(0, 0.3, (draws, s, p))
    share = np.mean([Difference.from_samples(x).standing == "undecided" for x in values])
    assert share > 0.95 - 4 * (0.95 * 0.05 / draws) ** 0.5


def test_verdicts_of_several():
    assert [recipe.all_hold(x) for x in ([True], [True, None], [None, False])] == [
        True,
        None,
        False,
    ]
    assert [recipe.any_holds(x) for x in ([False], [False, None], [None, True])] == [
        False,
        None,
        True,
    ]


@pytest.mark.parametrize(
    "key", ["fig1", "fig4", "fig7", "fig8-unseen", "bonus", "which", "direction"]
)
def test_figures_that_draw_errors_say_over_what(key):
    recipe = paper.RECIPES[key]
    assert bool(recipe.errors_over) == ("error" in recipe.run().table)
    assert recipe.errors_over in recipe.errors_in_words


def test_every_claim_has_its_kind(found):
    kinds = {key: {c.kind or r.kind for c in r.make(found)[1]} for key, r in _language().items()}
    assert kinds == {"fig3": {"paper", "own"}} | dict.fromkeys(FIGURES[1:], {"paper"})
    assert list(paper.RECIPES)[:9] == [*(f"fig{i}" for i in range(1, 9)), "fig8-unseen"]
    assert {paper.RECIPES[key].kind for key in ("which", "faster", "answer", "bonus")} == {"own"}


def _language():
    return {key: paper.RECIPES[key] for key in FIGURES}
