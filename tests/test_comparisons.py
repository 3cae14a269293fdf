"""What the toy page shows: the studies' numbers, and that the figures carry them."""

import csv
import dataclasses
import io
import json
import re

import numpy as np
import pytest
from pyarrow import parquet

from pkpo import ESTIMATORS, figures, transform
from pkpo.analysis.monte_carlo import gradient_deviation
from pkpo.columns import to_csv, to_parquet
from pkpo.comparisons import (
    CURVE_POINTS,
    DEVIATION_POINTS,
    MARKED_KS,
    compare_hills,
    comparison_columns,
    comparison_json,
)
from pkpo.comparisons.settings import parse_comparison
from pkpo.config import EVAL_KS, OPTIMIZERS
from pkpo.training.recording import record_run
from pkpo.training.tasks.bandit import BanditConfig
from pkpo.training.tasks.gaussian_hill import HillConfig
from pkpo.training.tasks.registry import run_config
from toy_envs import gaussian_hill

COMPARED = parse_comparison({"steps": 40, "learn_sigma": True}, "schedule 1 8@0,2@20 5")
RAMP = (HillConfig(steps=30, schedule="linear:1->16@25", shape="two-peaks", estimator="s"),)
ONES = parse_comparison({"steps": 25, "schedule": "1", "shape": "left-cliff"}, "n 8 16")
SINGLE = (HillConfig(steps=3, n=5, schedule="3", sigma=0.25, learn_sigma=True, theta=0.8),)
STUDIES = {
    "compared": compare_hills(COMPARED),
    "ramp": compare_hills(RAMP),
    "ones": compare_hills(ONES),
    "single": compare_hills(SINGLE),
}
every_study = pytest.mark.parametrize("study", STUDIES.values(), ids=STUDIES)


def styles_of(study):
    return figures.run_styles([r.config for r in study.recordings])


# --- Scatter of the gradient ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "n", "k"), [("sloo_minus_one", 16, 8), ("sloo_minus_one", 8, 1), ("s", 6, 3)]
)
def test_gradient_spread_against_direct_monte_carlo(estimator, n, k):
    config = HillConfig(n=n, schedule=str(k), estimator=estimator)
    theta, sigma, ks = np.array([0.6, 0.95]), np.array([0.1, 0.2]), np.array([k, k])
    rough = gradient_deviation(config, theta, sigma, ks)
    fine = gradient_deviation(config, theta, sigma, ks, replicates=5000)
    rng, groups = np.random.default_rng(1), 20_000
    for i in range(2):
        x = rng.normal(theta[i], sigma[i], (groups, n))
        weights = transform(gaussian_hill.reward_shape("hill")(x), k, estimator)
        estimates = (weights * (x - theta[i]) / sigma[i] ** 2).sum(1)
        spread = estimates.std()
        # The variance of a standard deviation s from R draws is (m4 - s^4) / (4 s^2 R).
        fourth = ((estimates - estimates.mean()) ** 4).mean()
        for got, draws in ((rough[i], 256), (fine[i], 5000)):
            error = np.sqrt((fourth - spread**4) * (1 / draws + 1 / groups)) / (2 * spread)
            assert abs(got - spread) < 4 * error, f"θ = {theta[i]}, {draws}: {got}, not {spread}"


def test_gradient_spread_treats_every_policy_alike():
    config = HillConfig(n=8, schedule="4", seed=3)
    theta, sigma, k = np.array([0.5, 0.9, 0.5, 0.9]), np.full(4, 0.1), np.array([4, 1, 4, 2])
    together = gradient_deviation(config, theta, sigma, k)
    for i in range(4):
        alone = gradient_deviation(config, theta[i : i + 1], sigma[i : i + 1], k[i : i + 1])
        assert abs(alone[0] - together[i]) < 1e-13 * together[i], f"policy {i}"
    assert together[0] == together[2] and together[1] != together[3]
    assert (gradient_deviation(config.replace(seed=4), theta, sigma, k) != together).all()


# --- The study ------------------------------------------------------------------------------------


@every_study
def test_a_study_is_consistent(study):
    configs = [r.config for r in study.recordings]
    sigma, shape = configs[0].sigma, configs[0].shape
    for recording in study.recordings:
        fresh = record_run(recording.config)
        assert np.array_equal(fresh["theta"], recording["theta"])
        assert np.array_equal(fresh.weights, recording.weights)
    ks = {int(k) for r in study.recordings for k in r["k"]}
    assert set(study.landmarks) <= ks | {1} and set(study.curves) == ks | set(study.landmarks)
    assert study.landmarks[0] == 1 and study.landmarks[-1] == max(ks)
    assert (
        list(study.landmarks) == sorted(set(study.landmarks)) and len(study.landmarks) <= MARKED_KS
    )
    assert study.theta.shape == (CURVE_POINTS,) and (np.diff(study.theta) > 0).all()
    left, right = study.shape.support
    starts = [config.theta for config in configs]
    assert study.theta[0] < min(left, *starts) and study.theta[-1] > max(right, *starts)
    for k, curve in study.curves.items():
        want = gaussian_hill.objective(study.theta, k, sigma, shape)
        assert np.abs(curve - want).max() < 2e-12, f"k = {k}"  # each side is good for 1e-12
    for k in study.landmarks:
        assert study.optima[k] == gaussian_hill.optimum(k, sigma, shape)
    assert set(study.optima) == set(study.landmarks)
    assert study.compared_k == (min(k for k in EVAL_KS if k >= max(ks)) if max(ks) > 1 else 8)
    for r, reached, at, spread in zip(
        study.recordings, study.reached, study.spread_updates, study.spread, strict=True
    ):
        want = gaussian_hill.objective(r["theta"], study.compared_k, r["sigma"], shape)
        assert np.abs(reached - want).max() < 2e-12
        assert at[0] == 0 and at[-1] == len(r) - 1 and (np.diff(at) > 0).all()
        assert len(at) == min(DEVIATION_POINTS, len(r))
        assert np.array_equal(
            spread, gradient_deviation(r.config, r["theta"][at], r["sigma"][at], r["k"][at])
        )


def test_these_studies_cover_the_cases():
    assert STUDIES["compared"].landmarks == (1, 2, 5, 8)
    assert len(STUDIES["ramp"].curves) == 16 and len(STUDIES["ramp"].landmarks) == MARKED_KS
    assert STUDIES["ones"].compared_k == 8
    assert STUDIES["single"].compared_k == 4


def test_the_window_follows_the_policies_but_not_for_ever():
    near = compare_hills([HillConfig(steps=2, theta=-0.8)])
    assert near.theta[0] < -0.8 and 1 < near.theta[-1] < 1.5
    far = compare_hills([HillConfig(steps=2, theta=90.0)])
    assert 1 < far.theta[-1] < 90


@every_study
def test_csv_reads_back_exactly(study):
    labels = [f'run {i}, "quoted"' for i in range(len(study.recordings))]
    rows = list(csv.DictReader(io.StringIO(to_csv(comparison_columns(study, labels)).decode())))
    assert len(rows) == sum(len(r) for r in study.recordings)
    for label, recording in zip(labels, study.recordings, strict=True):
        mine = [row for row in rows if row["run"] == label]
        for name, curve in recording.columns.items():
            assert [float(row[name]) for row in mine] == curve.tolist(), f"{label}: {name}"
        assert set(rows[0]) == {"run", *recording.columns}


@every_study
def test_parquet_reads_back_exactly(study):
    labels = [f'run {i}, "quoted"' for i in range(len(study.recordings))]
    found = parquet.read_table(io.BytesIO(to_parquet(comparison_columns(study, labels))))
    assert found.column_names == ["run", *study.recordings[0].columns]
    runs = np.array(found["run"].to_pylist())
    assert len(runs) == sum(len(r) for r in study.recordings)
    for label, recording in zip(labels, study.recordings, strict=True):
        for name, curve in recording.columns.items():
            column = found[name].to_numpy()
            assert column.dtype == curve.dtype
            assert np.array_equal(column[runs == label], curve), f"{label}: {name}"


@every_study
def test_json_holds_the_settings(study):
    configs = [run_config(**fields) for fields in json.loads(comparison_json(study))]
    assert configs == [r.config for r in study.recordings]
    assert set(json.loads(comparison_json(study))[0]) == {
        "task",
        *(f.name for f in dataclasses.fields(HillConfig)),
    }


# --- Figures --------------------------------------------------------------------------------------


def drawn(figure, x, y) -> list:
    """The traces that carry exactly these numbers."""
    return [t for t in figure.data if np.array_equal(t.x, x) and np.array_equal(t.y, y)]


@every_study
def test_the_stage_carries_reward_curves_and_optima(study):
    figure = figures.gaussian_hill.plot_hill_stage(study)
    curves = [t for t in figure.data if t.meta]
    assert [t.meta["k"] for t in curves] == list(study.landmarks)
    for k, trace in zip(study.landmarks, curves, strict=True):
        assert drawn(figure, study.theta, study.curves[k]) == [trace]
        assert trace.line.color == figures.k_colour(k)
        best = study.optima[k]
        (star,) = drawn(figure, [best.theta], [best.value])
        assert star.marker.color == figures.k_colour(k)
    rewards = [t for t in figure.data if np.array_equal(t.y, study.shape(np.array(t.x)))]
    assert len(rewards) == 1 and set(study.theta) <= set(rewards[0].x)
    for segment in study.shape.segments:  # a cliff is drawn upright
        for end in segment.ends:
            assert ((np.abs(rewards[0].x - end) <= 2e-9).sum()) >= 3, f"end at {end}"


@every_study
def test_theta_and_value_figures_carry_every_run(study):
    styles = styles_of(study)
    theta, value = (
        f(study, styles) for f in (figures.gaussian_hill.plot_theta, figures.plot_value)
    )
    last = max(len(r) for r in study.recordings) - 1
    for r, reached, (_, colour) in zip(study.recordings, study.reached, styles, strict=True):
        updates = np.arange(len(r))
        for figure, curve in ((theta, r["theta"]), (value, reached), (value, r["max@1"])):
            assert [t.line.color for t in drawn(figure, updates, curve)] == [colour]
    for k in study.landmarks:
        (line,) = drawn(theta, [0, last], [study.optima[k].theta] * 2)
        assert line.line.color == figures.k_colour(k)
    assert len(theta.data) == len(study.landmarks) + len(study.recordings)
    assert len(value.data) == 2 * len(study.recordings)


@every_study
def test_the_gradient_figure_carries_every_run_and_shows_one(study):
    figure = figures.gaussian_hill.plot_gradient(study, styles_of(study))
    shown = {t.meta["setting"] for t in figure.data if t.visible}
    assert shown == {len(study.recordings) - 1}
    for i, (r, at, spread) in enumerate(
        zip(study.recordings, study.spread_updates, study.spread, strict=True)
    ):
        updates, exact = np.arange(len(r)), r["exact_gradient"][at]
        band = np.concatenate([exact + spread, (exact - spread)[::-1]])
        for x, y in (
            (updates, r["gradient"]),
            (updates, r["exact_gradient"]),
            (np.concatenate([at, at[::-1]]), band),
        ):
            assert i in {t.meta["setting"] for t in drawn(figure, x, y)}
        assert sum(t.meta["setting"] == i for t in figure.data) == 3


# --- Colours and words ----------------------------------------------------------------------------

HEX = re.compile(r"#[0-9a-f]{6}")


def test_colours_of_k():
    assert len({figures.k_colour(k) for k in (1, 2, 4, 8, 16, 32)}) == 6
    assert all(HEX.fullmatch(figures.k_colour(k)) for k in [*range(1, 201), 4096])
    assert len({figures.k_colour(k) for k in range(1, 65)}) == 64


def test_every_estimator_has_its_own_colour():
    colours = [figures.estimator_colour(key) for key in ESTIMATORS]
    assert all(map(HEX.fullmatch, colours)) and len(set(colours)) == len(colours)
    assert figures.estimator_colour("dial:-0.3") == figures.estimator_colour("dial")


def test_variants_of_an_estimator_that_are_drawn_together_have_colours_of_their_own():
    names = [
        "lstat:min",
        "lstat:max",
        "dial:0.1",
        "entropic",
        "dial:0.2",
        *(f"lstat:top-{m}" for m in range(2, 7)),
    ]
    configs = [BanditConfig(estimator=name) for name in names]
    colours = [colour for _, colour in figures.run_styles(configs)]
    assert len(set(colours)) == len(names)
    for first in (0, 2, 3):
        assert colours[first] == figures.estimator_colour(names[first])
    switches = [BanditConfig(schedule=f"8@0,1@{update}") for update in range(2, 14)]
    assert len({colour for _, colour in figures.run_styles(switches)}) == 12


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ["8"]),
        ("schedule 1 2 4 8", ["1", "2", "4", "8"]),
        ("schedule 8 8@0,1@9 linear:8->1@9 cosine:8->1@9", ["8", "1 from update 9", "", ""]),
        ("schedule 8@0,1@2 8@0,1@3 8@0,1@4 8@0,1@5", ["2", "3", "4", "5"]),
        ("estimator sloo_minus_one s naive grpo", ["", "", "", ""]),
        ("n 8 16 32 64", ["8", "16", "32", "64"]),
        ("learning_rate 0.001 0.01 0.1 1", ["0.001", "0.01", "0.1", "1.0"]),
        (f"optimizer {' '.join(OPTIMIZERS)}", list(OPTIMIZERS)),
        ("seed 0 1 2 3", ["0", "1", "2", "3"]),
    ],
)
def test_styles_tell_compared_runs_apart(text, shown):
    runs = parse_comparison({}, text)
    styles = figures.run_styles(runs)
    labels, colours = zip(*styles, strict=True)
    assert len(styles) == len(set(labels)) == len(set(colours)) == len(runs)
    for label, part in zip(labels, shown, strict=True):
        assert part in label
    for run, colour in zip(runs, colours, strict=True):
        assert HEX.fullmatch(colour)
        if text.startswith("schedule") and run.k_schedule.is_constant:
            assert colour == figures.k_colour(run.k_schedule(0))
        elif text.startswith("estimator"):
            assert colour == figures.estimator_colour(run.estimator)


def says(text: str, value: float) -> bool:
    """Whether the text gives the value, rounded to two decimals or more."""
    numbers = re.findall(r"[-−]?\d+\.(\d{2,})", text), re.findall(r"[-−]?\d+\.\d{2,}", text)
    return any(
        abs(float(number.replace("−", "-")) - value) <= 0.5001 * 10.0 ** -len(decimals)
        for decimals, number in zip(*numbers, strict=True)
    )


@every_study
def test_words_carry_the_numbers(study):
    styles = styles_of(study)
    texts, message = (
        figures.gaussian_hill.describe_hill(study, styles),
        figures.gaussian_hill.hill_takeaway(study, styles),
    )
    assert set(texts) == {"stage", "theta", "value", "gradient"}
    assert "\n" not in message and f"max@{study.compared_k}" in message
    for best in study.optima.values():
        assert says(texts["stage"], best.theta) and says(texts["theta"], best.theta)
    for r, reached, spread, (label, _) in zip(
        study.recordings, study.reached, study.spread, styles, strict=True
    ):
        assert all(label in texts[name] for name in ("theta", "value", "gradient"))
        assert says(texts["theta"], r["theta"][0]) and says(texts["theta"], r["theta"][-1])
        assert says(texts["value"], reached[-1]) and says(texts["value"], r["max@1"][-1])
        assert says(texts["gradient"], spread[0]) and says(texts["gradient"], spread[-1])
    ends = [(r, reached[-1]) for r, reached in zip(study.recordings, study.reached, strict=True)]
    best, worst = (pick(ends, key=lambda end: end[1]) for pick in (max, min))
    assert says(message, best[1])
    if len(ends) > 1 and any(not r.config.k_schedule.is_constant for r in study.recordings):
        for r, value in ends:  # annealing is about max@1: every run's is given
            assert says(message, value) and says(message, r["max@1"][-1])
    elif best[1] - worst[1] > 0.01 or len(ends) == 1:
        for r, value in (best, worst):
            assert all(says(message, number) for number in (r["theta"][-1], value, r["max@1"][-1]))


def test_words_for_runs_that_cannot_differ_or_find_nothing():
    same = compare_hills(parse_comparison({"estimator": "grpo", "steps": 20}, "schedule 1 8"))
    assert "all runs are the same" in figures.gaussian_hill.hill_takeaway(same, styles_of(same))
    lost = compare_hills(parse_comparison({"theta": 50.0, "steps": 1}, "schedule 2 8"))
    said = figures.gaussian_hill.hill_takeaway(lost, styles_of(lost))
    assert said.startswith("After 1 update ") and "all runs are the same" in said
    apart = compare_hills(parse_comparison({"theta": -0.15, "steps": 5}, "schedule 1 8"))
    assert apart.recordings[0]["theta"][-1] != apart.recordings[1]["theta"][-1]
    assert max(reached[-1] for reached in apart.reached) < 0.005
    assert "no run finds a reward" in figures.gaussian_hill.hill_takeaway(apart, styles_of(apart))
