"""Results of several seeds: which column or files name them, intervals, and pairs of seeds."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from scipy.special import expit, stdtrit

from pkpo.__main__ import main
from pkpo.estimators import pass_at_k
from pkpo.evaluation import (
    Results,
    compare_results,
    estimate_coverage,
    estimate_curve,
    evaluate_results,
    evaluation_csv,
    files,
    join_seeds,
    parse_results,
    plug_in_curve,
)
from pkpo.evaluation.curves import mean_with_interval
from pkpo.evaluation.seeds import name_seeds
from pkpo.intervals import (
    Difference,
    MeanVariance,
    deciding_count,
    joint_t_interval,
    mean_variances,
)

T1 = 12.706204736
"""Student's t with one degree of freedom, 97.5%."""
CELLS = {"0": {"a": [1, 0], "b": [0, 0]}, "1": {"a": [1, 1], "b": [0, 1]}}
PER_SAMPLE = "".join(
    f"{seed},{problem},{x}\n"
    for seed, cells in CELLS.items()
    for problem, values in cells.items()
    for x in values
)
LAYOUTS = {
    "csv of samples": "seed,problem,correct\n" + PER_SAMPLE,
    "csv of counts": "n,c,problem,Run\n2,1,a,0\n2,0,b,0\n2,2,a,1\n2,1,b,1\n",
    "lists": "\n".join(
        json.dumps({"run_id": seed, "task_id": problem, "rewards": values})
        for problem in ("a", "b")
        for seed, values in ((seed, CELLS[seed][problem]) for seed in ("0", "1"))
    ),
}


def read(text: str) -> Results:
    return parse_results(text.encode(), "file")


def seeded(values: np.ndarray, names: str = "", problems: str = "p") -> Results:
    """Of values `[S, P, n]`."""
    seeds = names or [str(i) for i in range(len(values))]
    cells = [Results({f"{problems}{i}": x for i, x in enumerate(seed)}) for seed in values]
    return Results.from_seeds(dict(zip(seeds, cells, strict=True)), "")


@pytest.mark.parametrize("kind", LAYOUTS)
def test_a_column_names_the_seeds(kind):
    found = read(LAYOUTS[kind])
    assert {
        seed: {name: sorted(x.tolist()) for name, x in one.rewards.items()}
        for seed, one in found.by_seed.items()
    } == {
        seed: {name: sorted(values) for name, values in cells.items()}
        for seed, cells in CELLS.items()
    }
    assert found.samples == 8 and found.smallest_n == 2 and found.binary
    assert "; 2 seeds by the column " in found.layout
    pooled = found.pooled()
    assert pooled.smallest_n == 4 and not pooled.by_seed and pooled.layout.endswith("pooled")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "run,problem,correct\n0,a,1\n1,a,0\n0,b,1\n1,b,0\n",
            "run is not taken for seeds: it numbers",
        ),
        (
            "run_id,problem,correct\nx,a,1\nx,a,0\ny,b,1\ny,b,0\n",
            "not every problem has samples of each",
        ),
        (
            "seed,problem,correct\n" + "".join(f"{i},a,{j}\n" for i in range(101) for j in (0, 1)),
            "it has over 100 values",
        ),
        (
            "seed,problem,n,c\n" + "".join(f"{i},a,2,1\n" for i in range(150)),
            "it has over 100 values",
        ),
    ],
    ids=("samples", "nested", "many", "many counts"),
)
def test_a_column_that_names_no_seeds_changes_nothing_but_is_named(text, why):
    found = read(text)
    assert not found.by_seed and why in found.layout
    n = text.count("\n") - 1 if ",n,c" not in text else 300
    assert found.samples == n


def test_one_seed_is_as_without():
    without = "problem,correct\na,1\na,0\nb,1\nb,1\nc,0\nc,1\n"
    named = without.replace("\n", ",7\n").replace("correct,7", "correct,seed")
    one, other = estimate_curve(read(without)), estimate_curve(read(named))
    assert read(named).layout == read(without).layout and not other.seeds
    for part in ("mean", "low", "high"):
        assert np.array_equal(getattr(one, part), getattr(other, part))


def test_a_problem_stands_twice_only_in_different_seeds():
    with pytest.raises(ValueError, match="line 3: problem 'a' stands there twice"):
        read("seed,problem,n,c\n0,a,3,1\n0,a,3,1\n")


def test_column_names_of_seeds_are_small_and_no_others():
    assert all(name == name.lower() for name in files.SEED_COLUMNS)
    assert not {*files.SEED_COLUMNS} & {*files.PROBLEM_COLUMNS, *files.SCORE_COLUMNS}


# --- Intervals ------------------------------------------------------------------------------------


def test_the_mean_is_that_of_the_seeds_and_theirs_over_subsets():
    rng = np.random.default_rng(1)
    values = (rng.random((3, 5, 6)) < 0.4) * 1.0
    curve = estimate_curve(seeded(values))
    for k in curve.ks:
        each = [
            [np.mean([max(s) for s in itertools.combinations(x, k)]) for x in seed]
            for seed in values
        ]
        assert curve.mean[k - 1] == pytest.approx(np.mean(each), abs=1e-12)
        for seed, row in zip(curve.seeds.values(), each, strict=True):
            assert seed[k - 1] == pytest.approx(np.mean(row), abs=1e-12)
    assert list(curve.seeds) == ["0", "1", "2"]
    plug_in = 1 - (1 - values.mean(axis=2)) ** 2
    assert plug_in_curve(seeded(values), (2,))[0] == pytest.approx(plug_in.mean())


def test_the_interval_by_hand():
    """Means of seeds 1 and 3, of problems 1.5 and 2.5: variances of the mean 1 and .25."""
    values = np.array([[[0.0, 1], [1, 2]], [[2, 3], [3, 4]]])
    curve = estimate_curve(seeded(values), (1,))
    half = T1 * math.sqrt(1 + 0.25)
    assert curve.mean.tolist() == [2]
    assert (curve.low[0], curve.high[0]) == pytest.approx((2 - half, 2 + half))
    binary = estimate_curve(seeded(np.array([[[0.0, 1], [1, 1]], [[0, 0], [0, 1]]])), (1,))
    assert (binary.low[0], binary.high[0]) == (0, 1)  # as far as pass@k goes


def test_parts_of_the_variance_are_joined_by_their_squares():
    rng = np.random.default_rng(2)
    values = rng.normal(size=(4, 7, 2))
    parts = mean_variances(values, (0, 1))
    assert [part.freedom for part in parts] == [3, 6]
    assert parts[0].value == pytest.approx(values.mean(axis=1).var(axis=0, ddof=1) / 4)
    for part, quantile in zip(parts, (3.182446, 2.446912), strict=True):  # t with 3 and 6, a table
        low, high = joint_t_interval(1.0, [part])
        assert np.allclose(high - 1, quantile * np.sqrt(part.value), atol=1e-6)
        assert np.allclose(low + high, 2)
    seeds, problems, both = (joint_t_interval(0.0, x)[1] for x in (parts[:1], parts[1:], parts))
    assert np.allclose(both**2, seeds**2 + problems**2)
    nothing = mean_variances(np.ones((3, 1)), (0, 1))
    assert len(nothing) == 1
    assert joint_t_interval(2.0, []) == (-math.inf, math.inf)
    assert joint_t_interval(2.0, nothing) == (2, 2)


@pytest.mark.parametrize("kind", ["seeds", "problems"])
def test_the_count_that_decides_does_so_four_times_in_five(kind):
    """Seeds and problems that each add a luck of their own; a quarter fewer do so less often."""
    rng, draws, mean, sizes = np.random.default_rng(7), 1500, 0.1, (3, 60)
    deviations = {"seeds": (0.08, 0.2), "problems": (0.02, 0.5)}[kind]
    parts = [MeanVariance(d**2 / n, n - 1) for d, n in zip(deviations, sizes, strict=True)]
    varied, fixed = parts if kind == "seeds" else parts[::-1]
    count = deciding_count(mean, [varied], [fixed])
    shares = []
    for n in (count, count - count // 4):
        s, p = (n, sizes[1]) if kind == "seeds" else (sizes[0], n)
        values = (
            mean
            + rng.normal(0, deviations[0], (draws, s, 1))
            + rng.normal(0, deviations[1], (draws, 1, p))
        )
        found = [Difference.from_samples(x).standing for x in values]
        shares.append(found.count("above") / draws)
    reach = 4 * math.sqrt(0.8 * 0.2 / draws)
    assert shares[1] < 0.8 < shares[0] + reach, (count, shares)


def test_where_no_count_decides():
    unknown, known = MeanVariance(1.0, 2), MeanVariance(0.0, 2)
    assert deciding_count(0.1, [known], [unknown]) is None
    assert deciding_count(0.0, [known]) is None and deciding_count(1.0, []) is None
    assert deciding_count(1.0, [known]) == 2


def test_what_decides_takes_seeds_and_problems_as_they_are():
    rng = np.random.default_rng(8)
    first = (rng.random((3, 40, 4)) < 0.3) * 1.0
    second = (rng.random((3, 40, 4)) < 0.5) * 1.0
    gaps = (second - first).mean(axis=2)
    for names in ("abc", "def"):
        found = compare_results(seeded(first, "abc"), seeded(second, names), (1,))
        each = [gaps] if names == "abc" else [first.mean(axis=2), second.mean(axis=2)]
        seeds = [MeanVariance(x.mean(axis=1).var(ddof=1) / 3, 2) for x in each]
        problems = [MeanVariance(gaps.mean(axis=0).var(ddof=1) / 40, 39)]
        (size,) = found.needs
        assert size.seeds == deciding_count(gaps.mean(), seeds, problems) > 1
        assert size.problems == deciding_count(gaps.mean(), problems, seeds)
        assert size.samples is None


def test_reliability_is_the_mean_over_seeds():
    rng = np.random.default_rng(3)
    values = (rng.random((3, 8, 6)) < 0.5) * 1.0
    both = estimate_coverage(seeded(values), (0.3, 0.7))
    each = [estimate_coverage(seeded(values[i : i + 1]), (0.3, 0.7)) for i in range(3)]
    for part in ("mean", "at_least", "at_most"):
        assert getattr(both, part) == pytest.approx(np.mean([getattr(x, part) for x in each], 0))
    assert (both.low >= 0).all() and (both.high <= 1).all()


def graded(rng, seeds: int, problems: int, spread: float, own: float = 0.5) -> np.ndarray:
    """Right answers of 8, `[S, P]`: log-odds of problems, of seeds by the spread, of both by `own`."""
    odds = rng.normal(-1, 1.5, problems) + rng.normal(0, spread, (seeds, 1))
    return rng.binomial(8, expit(odds + rng.normal(0, own, (seeds, problems))))


def satterthwaite_interval(mean: float, parts: list) -> tuple[float, float]:
    """The usual way to join them: one t, of the degrees of freedom that the sum is like."""
    total = sum(part.value for part in parts)
    freedom = total**2 / sum(part.value**2 / part.freedom for part in parts)
    half = stdtrit(freedom, 0.975) * np.sqrt(total)
    return mean - half, mean + half


@pytest.mark.slow
def test_the_interval_over_seeds_holds_the_truth_as_often_as_it_says():
    """Against what was not taken: resampling both, and Satterthwaite's degrees of freedom.

    Measured once with other random numbers, at 2 to 10 seeds, 20, 100 and 500 problems, k = 1 and 8,
    seeds from alike to a standard deviation of .6 in log-odds, 2,000 draws each: 94.2 to 99.5 of 100
    here, 87.0 to 97.8 by Satterthwaite. Resampling both, 500 draws each, 2 to 20 seeds and 20 or 100
    problems: 75.8 to 98.2; resampling problems alone: 53.4 to 95.8.
    """
    rng, draws, k = np.random.default_rng(4), 1000, 1
    table = np.array([float(pass_at_k(8, c, k)) for c in range(9)])
    least = 0.95 - 4 * math.sqrt(0.95 * 0.05 / draws)
    shares = {}
    for spread in (0.0, 0.6):
        odds = rng.normal(-1, math.sqrt(1.5**2 + spread**2 + 0.5**2), 4_000_000)
        truth = expit(odds).mean()
        for seeds in (2, 3, 5):
            held = np.zeros(3)
            for _ in range(draws):
                values = table[graded(rng, seeds, 100, spread)][:, :, None]
                _, low, high = mean_with_interval(values, 0, (0, 1))
                mean, parts = values.mean(), mean_variances(values, (0, 1))
                weights = [rng.multinomial(n, np.full(n, 1 / n), 400) / n for n in (seeds, 100)]
                resampled = np.einsum("bs,sp,bp->b", weights[0], values[:, :, 0], weights[1])
                for i, (a, b) in enumerate(
                    (
                        (low, high),
                        satterthwaite_interval(mean, parts),
                        np.percentile(resampled, (2.5, 97.5)),
                    )
                ):
                    held[i] += np.all(a <= truth) and np.all(truth <= b)
            shares[spread, seeds] = held / draws
    assert all(share[0] > least for share in shares.values()), shares
    for other in (1, 2):
        assert shares[0.6, 2][other] < least, shares


@pytest.mark.slow
@pytest.mark.parametrize("names", ["abc", "def"], ids=("paired", "unpaired"))
def test_the_interval_of_a_difference_holds_the_truth(names):
    """Seeds that carry a luck into both results, and seeds that do not: no true difference."""
    rng, draws, held = np.random.default_rng(5), 600, 0
    for _ in range(draws):
        problems = rng.normal(-1, 1.5, 60)
        luck = rng.normal(0, 0.5, (2, 3, 1))
        if names == "abc":
            luck[1] = luck[0]
        odds = problems + luck + rng.normal(0, 0.3, (2, 3, 60))
        first, second = (rng.random((2, 3, 60, 4)) < expit(odds)[..., None]) * 1.0
        found = compare_results(seeded(first, "abc"), seeded(second, names), (1,))
        assert found.seeds == ("paired" if names == "abc" else "unpaired")
        held += bool(found.difference.low[0] <= 0 <= found.difference.high[0])
    assert held / draws > 0.95 - 4 * math.sqrt(0.95 * 0.05 / draws), held


# --- Two results ----------------------------------------------------------------------------------

FIRST = np.array([[[0.0, 1], [1, 2]], [[2, 3], [3, 4]]])
SECOND = FIRST + np.array([[[1.0], [2]], [[3], [4]]])


def test_seeds_of_the_same_names_are_paired_in_any_order():
    """Cells differ by 1, 2 and 3, 4: seeds by 1.5 and 3.5, problems by 2 and 3."""
    found = compare_results(seeded(FIRST, "xy"), seeded(SECOND[::-1], "yx"), (1,))
    half = T1 * math.sqrt(1 + 0.25)
    assert found.seeds == "paired"
    assert found.difference.mean[0] == 2.5
    assert {name: x[0] for name, x in found.difference.seeds.items()} == {"x": 1.5, "y": 3.5}
    assert (found.difference.low[0], found.difference.high[0]) == pytest.approx(
        (2.5 - half, 2.5 + half)
    )


def test_seeds_of_other_names_are_not_paired():
    """Means of seeds 1 and 3 against 2.5 and 6.5: variances of their means 1 and 4."""
    found = compare_results(seeded(FIRST, "xy"), seeded(SECOND, "xz"), (1,))
    half = T1 * math.sqrt(1 + 4 + 0.25)
    assert found.seeds == "unpaired" and not found.difference.seeds
    assert (found.difference.low[0], found.difference.high[0]) == pytest.approx(
        (2.5 - half, 2.5 + half)
    )


def test_a_seed_alone_adds_nothing_that_is_known():
    several, alone = seeded(FIRST), seeded(SECOND[:1])
    assert compare_results(several, alone).seeds == "single second"
    found = compare_results(alone, several, (1,))
    # cells of the second's mean less the first: 1.5, 2.5 less 1.5, 3.5
    half = T1 * math.sqrt(1 + 0.25)
    assert found.seeds == "single first" and found.difference.mean[0] == -0.5
    assert found.difference.high[0] == pytest.approx(-0.5 + half)
    assert compare_results(alone, alone).seeds == "single"


def test_problems_in_common_are_those_of_every_seed():
    more = np.concatenate([SECOND, SECOND], axis=1)
    found = compare_results(seeded(FIRST), seeded(more), (1,))
    same = compare_results(seeded(FIRST), seeded(SECOND), (1,))
    assert found.problems == same.problems == ("p0", "p1")
    assert np.array_equal(found.difference.low, same.difference.low)


# --- A file per seed ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "pattern", "seeds"),
    [
        (["run-1.csv", "run-2.csv"], "run-*.csv", ["1", "2"]),
        (["k1-s10.csv", "k1-s11.csv", "k1-s19.csv"], "k1-s*.csv", ["10", "11", "19"]),
        (["1-k.csv", "21-k.csv"], "*-k.csv", ["1", "21"]),
        (["a/x/out.jsonl", "a/y/out.jsonl"], "a/*/out.jsonl", ["x", "y"]),
        (["a.csv", "b.jsonl"], "*", ["a.csv", "b.jsonl"]),
        (["run.csv", "run-2.csv"], "run*.csv", ["run.csv", "run-2.csv"]),
    ],
)
def test_files_of_seeds_are_named_by_what_they_share(names, pattern, seeds):
    assert name_seeds(names) == (pattern, seeds)


def test_files_are_the_seeds_of_one_model():
    one, other = (Results({"a": np.array([x, 0.0]), "b": np.ones(2)}) for x in (0.0, 1.0))
    name, found = join_seeds([("s-1.csv", one), ("s-2.csv", other)])
    assert name == "s-*.csv" and list(found.by_seed) == ["1", "2"] and found.samples == 8
    assert join_seeds([("s-1.csv", one)]) == ("s-1.csv", one)
    for files_given, reason in (
        ([], "there must be a file at least"),
        ([("x", one), ("x", other)], "different names, got 'x' twice"),
        ([("x1", one), ("x2", found)], "x2 has 2 seeds itself"),
        ([("x1", one), ("x2", one.only(["a"]))], "'2' has no samples of 'b', '1' has some"),
        ([(f"x{i}", one) for i in range(101)], "at most 100 seeds can be read, got 101"),
    ):
        with pytest.raises(ValueError, match=reason):
            join_seeds(files_given)


def test_the_command_reads_seeds(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(6)
    for model, rate in (("a", 0.3), ("b", 0.6)):
        whole = "seed,problem,n,c\n"
        for seed in range(3):
            rows = "".join(f"{seed},p{i},4,{rng.binomial(4, rate)}\n" for i in range(10))
            whole += rows
            (tmp_path / f"{model}-{seed}.csv").write_text("seed,problem,n,c\n" + rows)
        (tmp_path / f"{model}.csv").write_text(whole)
    told = []
    for given in (["a.csv", "b.csv"], ["a-*.csv", "b-*.csv"]):
        assert main(["evaluate", *given, "--json"]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert told[0]["comparison"] == told[1]["comparison"]
    assert told[0]["comparison"]["seed_pairing"] == "paired"
    curve = estimate_curve(parse_results((tmp_path / "a.csv").read_bytes(), "a"))
    result = told[1]["results"][0]
    assert result["seeds"] == {seed: x.tolist() for seed, x in curve.seeds.items()}
    assert result["low"] == curve.low.tolist() and len(result["k"]) == 4
    assert main(["evaluate", "a.csv", "b.csv"]) == 0
    said = capsys.readouterr().out
    at = [x[0] for x in curve.seeds.values()]
    assert f"   {min(at):.4f} to {max(at):.4f}\n" in said and "the seeds, from to" in said
    assert "on 10 problems of both; seeds are paired by their names" in said
    assert "to decide: problems, or seeds of each" in said
    (size, *_) = told[0]["comparison"]["deciding_seeds"]
    assert f" {size}\n" in said.partition("to decide")[2].splitlines(keepends=True)[1]
    assert main(["evaluate", "a.csv", "--pool-seeds"]) == 0
    said = capsys.readouterr().out
    assert "12 or more of each)" in said and "3 seeds by the column seed, pooled" in said
    for given, reason in (
        (["a-0.csv", "a-1.csv", "a-2.csv"], "at most two results are compared, got 3 files"),
        (["c-*.csv"], "no file has a name like 'c-*.csv'"),
        (["a*.csv"], "a.csv has 3 seeds itself"),
    ):
        assert main(["evaluate", *given]) == 2
        assert reason in capsys.readouterr().err


def test_the_exported_table_has_every_seed():
    found = evaluate_results([("a", read(LAYOUTS["csv of samples"]))])
    head, first, *_ = evaluation_csv(found).splitlines()
    assert head == "k,pass@k 1,pass@k 1 low,pass@k 1 high,plug-in 1,pass@k 1 seed 0,pass@k 1 seed 1"
    assert first.endswith(",0.25,0.75")
