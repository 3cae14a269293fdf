"""Other people's graded samples: what their files hold, pass@k of it, intervals and comparisons."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest

from pkpo.__main__ import main
from pkpo.evaluation import (
    Results,
    compare_results,
    curves,
    estimate_coverage,
    estimate_curve,
    files,
    plug_in_curve,
    read_results,
)

PER_SAMPLE = "problem,correct\na,1\nb,0\na,0\nb,0\na,1\nb,1\n"
WANTED = {"a": [1, 0, 1], "b": [0, 0, 1]}
LAYOUTS = {
    "csv of samples": ("x.csv", PER_SAMPLE),
    "csv with semicolons and a mark": ("x.csv", "\ufeff" + PER_SAMPLE.replace(",", ";")),
    "csv in words": ("x.csv", PER_SAMPLE.replace("1\n", "True\n").replace("0\n", "false\n")),
    "csv with breaks in a text": (
        "x.csv",
        "problem,correct,text\n"
        + "".join(
            f'{name},{x},"one\nother\u2028end, {name}"\n' for name in WANTED for x in WANTED[name]
        ),
    ),
    "jsonl with breaks in a text": (
        "x.jsonl",
        "\n".join(
            json.dumps({"id": name, "text": "a\u2028b\u0085c", "score": x}, ensure_ascii=False)
            for name, values in WANTED.items()
            for x in values
        ),
    ),
    "csv of counts": ("x.csv", "problem,n,c\na,3,2\nb,3,1\n"),
    "jsonl of counts": (
        "x.jsonl",
        '{"id": "a", "num_samples": 3, "num_correct": 2}\n'
        '{"id": "b", "num_samples": 3, "num_correct": 1}',
    ),
    "human eval": (
        "x.jsonl",
        "\n".join(
            json.dumps({"task_id": name, "completion": "...", "passed": bool(x), "result": "..."})
            for name, values in WANTED.items()
            for x in values
        ),
    ),
    "lists": ("x.json", json.dumps([{"problem": k, "rewards": v} for k, v in WANTED.items()])),
    "harness with two filters": (
        "x.jsonl",
        "\n".join(
            json.dumps({"doc_id": name, "filter": filter, "exact_match": grade})
            for name, values in WANTED.items()
            for x in values
            for filter, grade in (("strict-match", x), ("flexible-extract", 1))
        ),
    ),
    "harness": (
        "x.jsonl",
        "\n".join(
            json.dumps({"doc_id": name, "doc": {}, "exact_match": float(x)})
            for name, values in WANTED.items()
            for x in values
        ),
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_files_say_what_they_are(name, tmp_path):
    file, text = LAYOUTS[name]
    (tmp_path / file).write_text(text, encoding="utf-8")
    found = read_results(tmp_path / file)
    assert {key: sorted(x.tolist()) for key, x in found.rewards.items()} == {
        key: sorted(map(float, x)) for key, x in WANTED.items()
    }
    assert found.binary and found.smallest_n == 3 and found.samples == 6
    kind = "CSV" if file.endswith("csv") else "JSON Lines"
    assert found.layout.startswith(f"{kind} with the columns ")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "there are no samples in it"),
        ("problem,correct\n", "there are no samples in it"),
        (
            "name,grade\na,1\n",
            "no column for the problem: one of problem, .* there are: name, grade",
        ),
        ("problem,grade\na,1\n", "no column for the score: one of correct, passed"),
        (
            "problem,correct\na,perhaps\n",
            "line 2: correct must be a number, true or false, got 'perhaps'",
        ),
        ("problem,correct\na,nan\n", "line 2: correct must be a number"),
        ("problem,correct\na,1,2\n", "line 2 has not as many cells as the first line"),
        ("problem,n,c\na,3,4\n", "line 2: c must be from 0 to n, and n at least 1, got 4 of 3"),
        ("problem,n,c\na,3,1.5\n", "line 2: c must be a whole number, got '1.5'"),
        ("problem,n,c\na,3,1\na,3,1\n", "line 3: problem 'a' stands there twice"),
        ("problem,n,c\na,999999999999,1\n", "at most 10,000,000 samples can be read"),
        ('{"problem": 1, "correct": 1}\n{"problem": 1', "line 2 is not JSON"),
        (
            '{"problem": 1, "correct": 1}\n[1, 2]',
            r"line 2 must be an object with names, got '\[1, 2\]'",
        ),
        ('{"problem": 1, "correct": 1}\n{"problem": 1}', "line 2 lacks what the first has"),
        ("[1", "it is not JSON"),
        ("[" * 100_000, "recursion"),
        (f"problem,correct\na,{'1' * 200_000}\n", "field larger than field limit"),
        ("problem,correct\na\0,1,\n", "line 2 has not as many cells"),
    ],
)
def test_what_cannot_be_read_is_named(text, reason, tmp_path):
    (tmp_path / "results").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=f"results: .*{reason}"):
        read_results(tmp_path / "results")


def test_files_that_are_none(tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "late").write_bytes("problem,correct\nä,1\n".encode() + b"\xe4")
    for name, reason in (
        ("absent", "cannot be read"),
        ("", "cannot be read"),
        ("binary", "must be text, CSV or JSON Lines: its byte 1 is not UTF-8"),
        ("late", "its byte 22 is not UTF-8"),
    ):
        with pytest.raises(ValueError, match=reason):
            read_results(tmp_path / name)


def random_results(rng, problems: int, sizes: tuple[int, ...], graded: bool = False) -> Results:
    rates = rng.beta(0.7, 1.0, problems)
    rewards = {}
    for i, rate in enumerate(rates):
        drawn = rng.random(int(rng.choice(sizes)))
        rewards[f"p{i}"] = drawn.round(2) * rate if graded else (drawn < rate).astype(float)
    return Results(rewards)


@pytest.mark.parametrize("graded", [False, True])
def test_the_mean_is_that_over_all_subsets(graded):
    found = random_results(np.random.default_rng(1), 12, (4, 6, 7), graded)
    curve = estimate_curve(found)
    assert curve.ks == tuple(range(1, found.smallest_n + 1))
    for k, mean in zip(curve.ks, curve.mean, strict=True):
        want = np.mean(
            [
                np.mean([max(subset) for subset in itertools.combinations(x, k)])
                for x in found.rewards.values()
            ]
        )
        assert mean == pytest.approx(want, abs=1e-12)
    assert (curve.low <= curve.mean).all() and (curve.mean <= curve.high).all()
    assert (np.diff(curve.mean) >= -1e-12).all()


def test_only_what_all_problems_have_samples_for():
    found = random_results(np.random.default_rng(1), 12, (4, 6))
    assert estimate_curve(found, (3, 1)).ks == (3, 1)
    with pytest.raises(
        ValueError, match="k must be from 1 to 4, the samples of problem 'p.*', got 5"
    ):
        estimate_curve(found, (5,))
    with pytest.raises(ValueError, match="at least one problem"):
        Results({})


def test_the_interval_covers_as_often_as_it_says():
    """Problems drawn anew from a population whose pass@2 is known: near 95 of 100 intervals hold it."""
    rng, trials, covered = np.random.default_rng(2), 300, 0
    truth = np.mean(1 - (1 - rng.beta(0.7, 1.0, 400_000)) ** 2)
    for trial in range(trials):
        curve = estimate_curve(random_results(rng, 60, (8,)), (2,), seed=trial)
        covered += bool(curve.low[0] <= truth <= curve.high[0])
    error = math.sqrt(0.95 * 0.05 / trials)
    assert abs(covered / trials - 0.95) < 4 * error, covered


def test_the_same_seed_gives_the_same_interval_however_it_is_cut(monkeypatch):
    found = random_results(np.random.default_rng(3), 50, (8,))
    one, again, other = (estimate_curve(found, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(one.low, again.low) and not np.array_equal(one.low, other.low)
    monkeypatch.setattr(curves, "COUNTS_HELD", 999)
    cut = estimate_curve(found)
    assert np.array_equal(one.low, cut.low) and np.array_equal(one.high, cut.high)


def test_the_plug_in_is_biased():
    found = Results({"a": np.array([1.0, 0, 0, 0]), "b": np.array([1.0, 1, 0, 0])})
    assert plug_in_curve(found, (1, 2)).tolist() == [0.375, (1 - 0.75**2 + 1 - 0.5**2) / 2]
    assert estimate_curve(found).mean[1] > plug_in_curve(found, (2,))[0]


# --- Cover@tau ------------------------------------------------------------------------------------

RATES = (0.2, 0.25, 0.5, 0.75, 1.0)


@pytest.mark.parametrize("drawn", [1, 3, 5])
def test_reliability_is_the_share_of_subsets_with_so_many_right(drawn):
    found = random_results(np.random.default_rng(4), 9, (5, 7))
    cover = estimate_coverage(found, RATES, drawn)
    for rate, mean in zip(RATES, cover.mean, strict=True):
        shares = [
            np.mean([sum(s) >= rate * drawn for s in itertools.combinations(x, drawn)])
            for x in found.rewards.values()
        ]
        assert mean == pytest.approx(np.mean(shares), abs=1e-12)
    assert (cover.low <= cover.mean).all() and (cover.mean <= cover.high).all()


def test_all_samples_are_counted_as_they_are():
    found = Results({"a": np.array([1.0, 0, 0, 0]), "b": np.array([1.0, 1, 0, 0])})
    cover = estimate_coverage(found, (0.25, 0.3, 0.5, 0.51))
    assert cover.samples == 4 and cover.mean.tolist() == [1, 0.5, 0.5, 0]
    many = Results({"a": np.arange(20_000) < 10_000, "b": np.arange(30_000) < 3_000})
    assert estimate_coverage(many, (0.3,)).mean[0] == pytest.approx(0.5, abs=1e-9)


def test_the_bracket_holds_the_share_of_pass_rates():
    """By hand at one count: 3 of 8 may come of a rate from .085 to .755 (Clopper and Pearson)."""
    found = Results({"a": np.array([1.0] * 3 + [0] * 5)})
    cover = estimate_coverage(found, (0.08, 0.09, 0.75, 0.76))
    assert cover.at_least.tolist() == [1, 0, 0, 0] and cover.at_most.tolist() == [1, 1, 1, 0]
    rng = np.random.default_rng(5)
    rates = rng.beta(0.7, 1.0, 4000)
    drawn = Results({str(i): (rng.random(12) < p).astype(float) for i, p in enumerate(rates)})
    cover = estimate_coverage(drawn, RATES[:-1])
    truth = (rates[:, None] >= np.array(RATES[:-1])).mean(axis=0)
    error = 4 * np.sqrt(truth * (1 - truth) / len(rates))
    assert (cover.at_least <= truth + error).all() and (truth <= cover.at_most + error).all()
    assert (cover.at_least < cover.at_most).all()


@pytest.mark.parametrize(
    ("rewards", "rates", "samples", "reason"),
    [
        ([1.0, 0.5], (0.5,), 0, "rewards must be 0 or 1"),
        ([1.0, 0.0], (0.0,), 0, "over 0 and up to 1, got 0"),
        ([1.0, 0.0], (1.1,), 0, "over 0 and up to 1, got 1.1"),
        ([1.0, 0.0], (0.5,), 3, "samples must be from 1 to 2, got 3"),
    ],
)
def test_what_has_no_coverage(rewards, rates, samples, reason):
    with pytest.raises(ValueError, match=reason):
        estimate_coverage(Results({"a": np.array(rewards)}), rates, samples)


# --- Two results ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_size_that_decides_decides_four_times_in_five():
    """Two models whose pass@2 differs: of so many problems, 4 of 5 draws exclude 0."""
    rng, n, pool = np.random.default_rng(6), 8, 40_000
    first = rng.beta(0.6, 1.0, pool)
    second = np.clip(first + rng.normal(0.05, 0.1, pool), 0, 1)
    drawn = [rng.random((pool, n)) < p[:, None] for p in (first, second)]
    whole = [Results({str(i): x * 1.0 for i, x in enumerate(samples)}) for samples in drawn]
    needs = compare_results(*whole, (2,)).needs[0]
    one, other = (curves.per_problem(found, (2,))[:, 0] for found in whole)
    gaps = (other - one)[rng.integers(0, pool, (2000, needs.problems))]
    sure = gaps.mean(axis=1) > 1.96 * gaps.std(axis=1, ddof=1) / math.sqrt(needs.problems)
    assert abs(sure.mean() - 0.8) < 4 * math.sqrt(0.8 * 0.2 / 2000), (needs, sure.mean())
    assert needs.samples == n  # of the pool, that is more than enough


def test_alike_problems_may_be_measured_longer_instead_of_more():
    """Where all differ by the same, twice the samples are worth as much as twice the problems."""
    rng, n, count = np.random.default_rng(9), 8, 600
    rewards = [(rng.random((count, n)) < p) * 1.0 for p in (0.3, 0.312)]
    first, second = (Results({str(i): x for i, x in enumerate(r)}) for r in rewards)
    for k, size in zip((1, 2), compare_results(first, second, (1, 2)).needs, strict=True):
        assert size.problems > count
        assert size.samples / n == pytest.approx(size.problems / count, rel=0.35), k
    assert compare_results(first, second, (5,)).needs[0].samples is None


def test_samples_alone_may_never_decide():
    """Problems that differ, each measured exactly: more samples of them change nothing."""
    rng = np.random.default_rng(7)
    sure = rng.random(200) < 0.5
    other = np.where(rng.random(200) < 0.9, sure, ~sure)
    first, second = (
        Results({str(i): np.full(8, float(x)) for i, x in enumerate(right)})
        for right in (sure, other)
    )
    for k, size in zip((1, 4, 8), compare_results(first, second, (1, 4, 8)).needs, strict=True):
        assert size.problems > 200 and size.samples is None, k
    same = compare_results(first, first, (1,)).needs[0]
    assert same.problems is None and same.samples is None


def test_two_results_are_compared_problem_by_problem():
    """The first is surer, the second broader: they cross, and each wins what only it solves."""
    wide = {f"p{i}": np.array([1.0, 0, 0, 0, 0, 0, 0, 0]) for i in range(40)}
    sure = {f"p{i}": np.full(8, float(i < 20)) for i in range(40)}
    extra = {"only here": np.ones(8)}
    found = compare_results(Results(sure | extra), Results(wide | {"p40": np.ones(8)}))
    assert len(found.problems) == 40
    difference = np.array([k / 8 for k in range(1, 9)]) - 0.5
    assert np.abs(found.difference.mean - difference).max() < 1e-12
    assert found.ahead[0] == (1, "first") and found.ahead[-1][1] == "second"
    assert [who for _, who in found.ahead] == ["first", "neither", "second"]
    assert found.won == tuple(f"p{i}" for i in range(20, 40)) and found.lost == ()
    same = compare_results(Results(sure), Results(sure))
    assert same.ahead == ((1, "neither"),) and not same.difference.mean.any()
    with pytest.raises(ValueError, match="problems in common, got none"):
        compare_results(Results(sure), Results({"x": np.ones(3)}))


def test_the_command(tmp_path, capsys):
    (tmp_path / "a.csv").write_text(PER_SAMPLE, encoding="utf-8")
    (tmp_path / "b.csv").write_text("problem,n,c\na,4,1\nb,4,4\n", encoding="utf-8")
    one, other = str(tmp_path / "a.csv"), str(tmp_path / "b.csv")
    assert main(["evaluate", one]) == 0
    said = capsys.readouterr().out
    assert (
        "a.csv: 2 problems, 6 samples (3 or more of each); CSV with the columns problem, correct"
        in said
    )
    assert f"{1:>6} {0.5:>9.4f}" in said and f"{2:>6} {5 / 6:>9.4f}" in said
    assert main(["evaluate", one, other, "--k", "1,3"]) == 0
    said = capsys.readouterr().out
    assert "the second less the first, on 2 problems of both" in said
    assert said.count("problems solved at least so often (in 3 samples)") == 2
    assert f"{1:>6} {0.125:>+9.4f}" in said
    assert main(["evaluate", one, other, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["results"][0]["mean"] == pytest.approx([0.5, 5 / 6, 1])
    assert report["results"][1]["k"] == [1, 2, 3, 4] and report["comparison"]["k"] == [1, 2, 3]
    (tmp_path / "graded.csv").write_text("problem,reward\na,.5\na,2\n", encoding="utf-8")
    assert main(["evaluate", str(tmp_path / "graded.csv")]) == 0
    said = capsys.readouterr().out
    assert "max@k" in said and "plug-in" not in said and f"{2:>6} {2:>9.4f}" in said


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--k", "9"], "k must be from 1 to 3, the samples of problem 'a', got 9"),
        (["--k", "x"], "--k must be a whole number, got 'x'"),
        (["--k", "1,,2"], "--k must be a whole number, got ''"),
        (["--seed", "-1"], "--seed must be 0 or more, got -1"),
        (["nowhere.csv"], "nowhere.csv cannot be read: No such file or directory"),
    ],
    ids=str,
)
def test_the_command_refuses_in_a_line(options, reason, tmp_path, capsys):
    (tmp_path / "a.csv").write_text(PER_SAMPLE, encoding="utf-8")
    assert main(["evaluate", str(tmp_path / "a.csv"), *options]) == 2
    assert capsys.readouterr().err.strip() == f"pkpo evaluate: {reason}"


def test_column_names_are_all_small():
    for name in (
        *files.PROBLEM_COLUMNS,
        *files.SCORE_COLUMNS,
        *itertools.chain(*files.COUNT_COLUMNS),
    ):
        assert name == name.lower()
