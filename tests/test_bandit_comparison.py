"""What the bandit's page shows: the study's numbers, and that the figures carry them."""

import csv
import io
import itertools
import json
import math

import numpy as np
import pytest

from app.presets import BANDIT_PRESETS
from pkpo import figures
from pkpo.columns import to_csv
from pkpo.comparisons import BEST_OF, compare_bandits, comparison_columns, comparison_json
from pkpo.comparisons.settings import parse_comparison
from pkpo.config import EVAL_KS
from pkpo.figures.bandit import BAR_WIDTH, LANE, ROLLING_MEAN_UPDATES, rolling_mean
from pkpo.training.policies import SoftmaxPolicy
from pkpo.training.recording import record_run
from pkpo.training.tasks.bandit import BanditConfig
from pkpo.training.tasks.registry import run_config
from tests.test_comparisons import drawn, says, styles_of
from toy_envs import bandit

OWN = "arms:0,0.5,-1;1,0,2@1,2,1"
STUDIES = {
    "trap": compare_bandits(
        parse_comparison({"task": "bandit", "steps": 30}, "schedule 1 8@0,1@15 5")
    ),
    "crowded": compare_bandits(
        parse_comparison({"task": "bandit", "bandit": "crowded", "steps": 12}, "n 8 16")
    ),
    "apart": compare_bandits(
        parse_comparison(
            {"task": "bandit", "bandit": OWN, "sharing": 0.3, "steps": 9}, "schedule 1 2"
        )
    ),
    "single": compare_bandits([BanditConfig(steps=5, n=5, schedule="3", bandit="tie")]),
    "ones": compare_bandits([BanditConfig(steps=4, schedule="1", bandit="jackpot")]),
}
every_study = pytest.mark.parametrize("study", STUDIES.values(), ids=STUDIES)


def best_by_enumeration(rewards: np.ndarray, p: np.ndarray, k: int) -> float:
    return sum(
        math.prod(p[list(arms)]) * rewards[list(arms)].max()
        for arms in itertools.product(range(len(p)), repeat=k)
    )


# --- The study ------------------------------------------------------------------------------------


@every_study
def test_a_study_is_consistent(study):
    prompts, arms = study.bandit.rewards.shape
    ks = {int(k) for r in study.recordings for k in r["k"]}
    assert study.compared_k == (min(k for k in EVAL_KS if k >= max(ks)) if max(ks) > 1 else 8)
    for r, p, best_of, reached in zip(
        study.recordings, study.probabilities, study.best_of, study.reached, strict=True
    ):
        assert np.array_equal(record_run(r.config).parameters, r.parameters)
        policy = SoftmaxPolicy(study.bandit.start, prompts, r.config.sharing)
        assert p.shape == (len(r), prompts, arms)
        for update in (0, len(r) // 2, len(r) - 1):
            policy.parameters = r.parameters[update]
            assert np.array_equal(p[update], policy.probabilities())
        assert best_of.shape == (len(r), len(BEST_OF))
        for k in (1, 2, 4, 8, 16):
            assert np.array_equal(best_of[:, k - 1], r[f"max@{k}"])
        wanted = bandit.exact_bandit(p, (study.compared_k, 64), study.bandit).value.mean(-1)
        assert np.array_equal(reached, wanted[0])
        assert np.array_equal(best_of[:, 63], wanted[1])


def test_best_of_k_by_enumeration():
    study = STUDIES["apart"]
    for k in (1, 2, 3, 6):
        for update in (0, 9):
            by_prompt = [
                best_by_enumeration(rewards, p, k)
                for rewards, p in zip(
                    study.bandit.rewards, study.probabilities[1][update], strict=True
                )
            ]
            got = study.best_of[1][update, k - 1]
            assert abs(got - np.mean(by_prompt)) < 1e-12, f"k = {k}, update {update}"


def test_prompts_are_alike_where_all_is_shared():
    assert STUDIES["trap"].prompts_alike and STUDIES["crowded"].prompts_alike
    assert not STUDIES["apart"].prompts_alike
    p = STUDIES["crowded"].probabilities[0]
    assert np.array_equal(p, np.broadcast_to(p[:, :1], p.shape))
    last = STUDIES["apart"].probabilities[0][-1]
    assert np.abs(last[0] - last[1]).max() > 0.01


@every_study
def test_csv_and_json_read_back(study):
    labels = [f"run {i}" for i in range(len(study.recordings))]
    rows = list(csv.DictReader(io.StringIO(to_csv(comparison_columns(study, labels)).decode())))
    for label, recording in zip(labels, study.recordings, strict=True):
        mine = [row for row in rows if row["run"] == label]
        for name, curve in recording.columns.items():
            assert [float(row[name]) for row in mine] == curve.tolist(), f"{label}: {name}"
    configs = [run_config(**fields) for fields in json.loads(comparison_json(study))]
    assert configs == [r.config for r in study.recordings]


# --- Figures --------------------------------------------------------------------------------------


@every_study
def test_the_stage_carries_where_the_arms_start_and_what_they_pay(study):
    figure, layout = figures.bandit.plot_bandit_stage(study), figures.bandit.lanes(study)
    places, start = np.arange(study.bandit.arms) + 1, study.bandit.start
    alone = len(layout.prompts) == 1
    assert sum(layout.prompts, ()) == tuple(range(study.bandit.prompts))
    assert layout.scale == (1 if alone else LANE)
    for group, base in zip(layout.prompts, layout.bases, strict=True):
        traces = [t for t in figure.data if np.array_equal(t.x, places)]
        (mine,) = (t for t in traces if np.allclose(t.y, base + layout.scale * start, atol=1e-12))
        assert np.allclose(mine.customdata[:, 0], start, atol=1e-12)
        means = study.bandit.rewards[list(group)].mean(axis=0)
        assert np.array_equal(mine.customdata[:, 1], means)
        outline = next(
            t for t in figure.data if len(t.x) == 3 * len(places) and t.y[0] == mine.y[0]
        )
        assert np.allclose(outline.x[::3], places + BAR_WIDTH[0]), base
        assert np.allclose(outline.x[1::3], places + BAR_WIDTH[1]), base
    coloured = [t for t in figure.data if t.marker.colorscale]
    assert bool(coloured) == (not alone)


def test_what_stands_under_an_arm():
    def labels(name):
        return list(figures.bandit.plot_bandit_stage(STUDIES[name]).layout.xaxis.ticktext)

    assert labels("trap") == ["0", "0", "0", "0", "0", "0", "0.6", "1"]
    assert labels("crowded") == ["1-3", "4", "5", "6", "none", "none", "none", "none"]
    assert labels("apart") == ["1", "2", "3"]
    many = compare_bandits([BanditConfig(bandit="arms:" + ",".join(["0", "1"] * 13), steps=1)])
    texts = figures.bandit.plot_bandit_stage(many).layout.xaxis.ticktext
    assert [text for text in texts if text] == ["5", "10", "15", "20", "25"]
    assert [i + 1 for i, text in enumerate(texts) if text] == [5, 10, 15, 20, 25]
    assert any(t.marker.colorscale for t in figures.bandit.plot_bandit_stage(many).data)
    own = BanditConfig(bandit="arms:1,0,2;0,0,2;3,0,0;0,0,5", steps=1, schedule="1")
    shared = figures.bandit.plot_bandit_stage(compare_bandits([own]))
    assert list(shared.layout.xaxis.ticktext) == ["3", "none", "1-2, 4"]


def test_arms_are_coloured_by_their_reward():
    scale = figures.style.REWARD_COLOURS
    (colours,) = figures.bandit.lanes(STUDIES["trap"]).colours
    assert colours[0] == scale[0] and colours[-1] == scale[-1]
    assert colours[6] == figures.reward_colour(0.6) not in (scale[0], scale[-1])
    (shared,) = figures.bandit.lanes(STUDIES["crowded"]).colours
    assert shared[0] == figures.reward_colour(3 / 6) and shared[1] == figures.reward_colour(1 / 6)
    apart = figures.bandit.reward_colours(STUDIES["apart"])
    assert apart == [list(row) for row in figures.bandit.lanes(STUDIES["apart"]).colours]
    assert apart[0][2] == scale[0] and apart[1][2] == scale[-1]  # -1 and 2
    assert apart[0][0] == apart[1][1] == figures.reward_colour(1 / 3)


@every_study
def test_the_curves_over_updates_carry_every_run(study):
    styles = styles_of(study)
    value = figures.plot_value(study, styles)
    entropy = figures.bandit.plot_entropy(study, styles)
    groups = figures.bandit.plot_solved_and_dead(study, styles)
    best = figures.bandit.plot_best_of_k(study, styles)
    assert drawn(best, BEST_OF, study.best_of[0][0])
    assert max(entropy.data[0].y) == math.log(study.bandit.arms)
    for r, reached, best_of, (_, colour) in zip(
        study.recordings, study.reached, study.best_of, styles, strict=True
    ):
        updates = np.arange(len(r))
        for figure, x, y in (
            (value, updates, reached),
            (value, updates, r["max@1"]),
            (entropy, updates, r["entropy"]),
            (groups, updates, r["cumulative_solve_rate"]),
            (groups, updates, rolling_mean(r["all_wrong"])),
            (groups, updates, rolling_mean(r["all_right"])),
            (best, BEST_OF, best_of[-1]),
        ):
            assert colour in [t.line.color for t in drawn(figure, x, y)]
    assert len(entropy.data) == len(best.data) == 1 + len(study.recordings)
    assert len(value.data) == 2 * len(study.recordings)
    assert len(groups.data) == 3 * len(study.recordings)


def test_the_rolling_mean_is_of_the_last_updates():
    values = np.random.default_rng(0).random(3 * ROLLING_MEAN_UPDATES)
    for at, mean in enumerate(rolling_mean(values)):
        assert abs(mean - values[max(0, at + 1 - ROLLING_MEAN_UPDATES) : at + 1].mean()) < 1e-12, at


# --- In words -------------------------------------------------------------------------------------


@every_study
def test_words_carry_the_numbers(study):
    styles = styles_of(study)
    texts, message = (
        figures.bandit.describe_bandit(study, styles),
        figures.bandit.bandit_takeaway(study, styles),
    )
    assert set(texts) == {"stage", "best", "value", "entropy", "groups", "rates"}
    assert f"max@{study.compared_k}" in message
    assert study.bandit.label in texts["stage"] and f"{study.bandit.arms} arms" in texts["stage"]
    for r, p, best_of, reached, (label, _) in zip(
        study.recordings, study.probabilities, study.best_of, study.reached, styles, strict=True
    ):
        assert all(label in text for text in texts.values())
        assert label.replace(" = ", "\u00a0=\u00a0") in message
        mean = p[-1].mean(axis=0)
        assert f"arm {mean.argmax() + 1} with" in texts["stage"]
        assert says(texts["stage"], mean.max())
        assert says(texts["best"], best_of[-1, 0]) and says(texts["best"], best_of[-1, 63])
        assert says(texts["value"], reached[-1]) and says(texts["value"], r["max@1"][-1])
        assert says(texts["entropy"], r["entropy"][0]) and says(texts["entropy"], r["entropy"][-1])
        for name in ("all_wrong", "all_right"):
            assert f"{r[name].mean():.1%}" in texts["groups"]
        assert says(message, reached[-1]) and says(message, r["max@1"][-1])


def test_the_key_says_when_max_is_pass():
    assert "pass@k" in figures.bandit.bandit_legend(STUDIES["crowded"])
    assert "mean over prompts" in figures.bandit.bandit_legend(STUDIES["crowded"])
    assert "pass@k" not in figures.bandit.bandit_legend(STUDIES["trap"])
    assert "prompts" not in figures.bandit.bandit_legend(STUDIES["trap"])


def test_words_for_runs_that_end_alike():
    same = compare_bandits(
        parse_comparison({"task": "bandit", "estimator": "grpo", "steps": 8}, "schedule 1 8")
    )
    assert "all runs are the same" in figures.bandit.bandit_takeaway(same, styles_of(same))
    tie = compare_bandits(
        parse_comparison({"task": "bandit", "bandit": "tie", "steps": 200}, "schedule 1 8")
    )
    said = figures.bandit.bandit_takeaway(tie, styles_of(tie))
    assert "all runs reach max@8\u00a0=\u00a01.00" in said
    assert all(says(said, r["entropy"][-1]) for r in tie.recordings)


# --- The presets say what is so -------------------------------------------------------------------


def preset(name: str):
    return compare_bandits(next(p for p in BANDIT_PRESETS if p.name == name).runs("bandit"))


def test_annealing_wins_both():
    one, eight, annealed = preset("Annealing wins both").recordings
    assert one["max@1"][-1] < 0.61 and one["max@8"][-1] < 0.61  # settles for 0.6
    assert eight["max@8"][-1] > 0.99 and eight["max@1"][-1] < 0.75  # finds the 1, goes on trying
    for k in (1, 8):
        assert annealed[f"max@{k}"][-1] > max(r[f"max@{k}"][-1] for r in (one, eight))


def test_rare_jackpot():
    one, two, eight = preset("Rare jackpot").recordings
    assert abs(one["max@1"][-1] - 0.5) < 0.01 and one["max@8"][-1] < 0.51
    assert two["max@1"][-1] > 0.9 and two["max@8"][-1] > 0.99
    assert eight["max@1"][-1] > one["max@1"][-1] + 0.1


def test_easy_prompts_crowd_out_hard_ones():
    study = preset("Easy prompts crowd out hard ones")
    one, eight = (p[-1, 0] for p in study.probabilities)
    assert one[0] > 0.98  # one answer for all
    assert eight[:4].min() > 0.15 and eight[4:].max() < 0.05  # every right answer in play


def test_wide_tie():
    study = preset("Wide tie: k keeps variety")
    assert study.probabilities[0][-1, 0, 10:].max() > 0.95  # a single right arm
    entropies = [r["entropy"][-1] for r in study.recordings]
    assert entropies == sorted(entropies) and np.diff(entropies).min() > 0.2


def test_hard():
    runs = preset("Hard: one in a hundred").recordings
    assert runs[0]["dead_group_share"][:50].mean() > 0.5  # most groups teach nothing at first
    off = [int(np.argmax(r["max@8"] > 0.9)) for r in runs]
    assert off == sorted(off, reverse=True) and len(set(off)) == 4 and off[-1] > 0
    ends = [r["max@1"][-1] for r in runs]
    assert ends == sorted(ends, reverse=True)
