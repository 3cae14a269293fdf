"""Settings: what is refused, the lossless text form, comparisons, and the printed command."""

import json
import pickle
import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkpo import __main__ as program
from pkpo.comparisons.settings import COMPARABLE, command_line, compared_field, parse_comparison
from pkpo.config import OPTIMIZERS, RunConfig
from pkpo.fields import FieldError, format_value
from pkpo.lm.paths import PROBLEM_SETS
from pkpo.training.tasks.bandit import BanditConfig
from pkpo.training.tasks.gaussian_hill import HillConfig
from pkpo.training.tasks.registry import TASKS, all_fields, fields_of, parse_value, run_config
from pkpo.training.tasks.word_problems import WordProblemsConfig

BASE = HillConfig()
BANDITS = ("jackpot", "arms:0,0.5,1@6,3,1", "arms:0,1;1,0", "arms:-1.5,1e-05")


def home(field: str) -> type[RunConfig]:
    """The config of the first task that has this setting."""
    return next(spec.config for spec in TASKS.values() if field in fields_of(spec.name))


SCHEDULES = ("8", "8@0,1@150", "linear:8->1@200", "cosine:8->2@10..50,1@60", "exponential:1->16@9")
SHAPES = ("hill", "two-peaks", "points:0,0;0.25,1;0.25,0;1,0.5", "points:-1,1e-05;2,3")


# --- One setting at a time ------------------------------------------------------------------------


REFUSED = [
    ("n", 0, "n must be from 1 to 4096, got 0"),
    ("n", 4097, "n must be from 1 to 4096, got 4097"),
    ("n", 8.0, "n must be of type int, got 8.0"),
    ("n", True, "n must be of type int, got True"),
    ("n", "16", "n must be of type int, got '16'"),
    ("schedule", "", "schedule must look like .* got ''"),
    ("schedule", "0", "schedule: k must be from 1 to 1000000, got 0"),
    ("schedule", "linear:8->1", "schedule must look like .* got 'linear:8->1'"),
    ("schedule", 8, "schedule must be of type str, got 8"),
    ("estimator", "ppo", "estimator must be one of s, sloo, .* got 'ppo'"),
    ("estimator", "dial:x", "estimator 'dial:x': alpha must be a finite number"),
    ("steps", 0, "steps must be from 1 to 1000000, got 0"),
    ("steps", 1_000_001, "steps must be from 1 to 1000000, got 1000001"),
    ("learning_rate", 0.0, "learning_rate must be from 1e-09 to 1000.0, got 0.0"),
    ("learning_rate", -0.1, "learning_rate must be from 1e-09 to 1000.0, got -0.1"),
    ("learning_rate", 1001, "learning_rate must be from 1e-09 to 1000.0, got 1001"),
    ("learning_rate", float("nan"), "learning_rate must be .* got nan"),
    ("learning_rate", "0.1", "learning_rate must be of type float, got '0.1'"),
    ("optimizer", "lion", "optimizer must be one of sgd, adam, normalised, got 'lion'"),
    ("seed", -1, "seed must be from 0 to 4294967295, got -1"),
    ("seed", 2**32, "seed must be from 0 to 4294967295, got 4294967296"),
    ("theta", 100.5, "theta must be from -100.0 to 100.0, got 100.5"),
    ("theta", float("-inf"), "theta must be from -100.0 to 100.0, got -inf"),
    ("theta", float("nan"), "theta must be .* got nan"),
    ("sigma", 0.0, "sigma must be from 0.001 to 10.0, got 0.0"),
    ("sigma", 10.1, "sigma must be from 0.001 to 10.0, got 10.1"),
    ("learn_sigma", 1, "learn_sigma must be of type bool, got 1"),
    ("learn_sigma", "true", "learn_sigma must be of type bool, got 'true'"),
    ("shape", "mountain", "shape must be one of hill, .* got 'mountain'"),
    ("shape", "points:0,1", "shape: points must number from 2 to 16, got 1"),
    ("bandit", "robber", "bandit must be one of jackpot, .* got 'robber'"),
    ("bandit", "arms:1", "bandit: arms must number from 2 to 50, got 1"),
    ("bandit", 3, "bandit must be of type str, got 3"),
    ("sharing", 1.1, "sharing must be from 0.0 to 1.0, got 1.1"),
    (
        "model",
        "huge",
        "model must be one of .*tiny.*, a model's folder, .* or hub:NAME, got 'huge'",
    ),
    ("model", "hub:", "model must be hub:NAME or hub:OWNER/NAME, got 'hub:'"),
    ("model", "hub:../own", "model must be hub:NAME or hub:OWNER/NAME, got 'hub:../own'"),
    ("model", "x" * 5000, "model must be one of .*tiny"),
    ("model", "a\0b", "model must be one of .*tiny"),
    (
        "problems",
        "easy",
        "problems must be fresh, hard, hard-unseen, gsm_symbolic or .* got 'easy'",
    ),
    ("problems", "gsm8k:none", "problems must be .* or gsm8k: and a folder, .* got 'gsm8k:none'"),
    ("problems", "gsm8k:a\0b", "problems must be fresh, hard"),
    ("problems", "gsm8k:hub:a b", "problems must be hub:NAME or hub:OWNER/NAME, got 'hub:a b'"),
    ("lora", 1025, "lora must be from 0 to 1024, got 1025"),
    ("limit", 0, "limit must be from 1 to 8192, got 0"),
    ("reward", "none", "reward must be one of strict, answer, share, got 'none'"),
    ("prompts", 0, "prompts must be from 1 to 4096, got 0"),
    ("entropy_bonus", 11.0, "entropy_bonus must be from 0.0 to 10.0, got 11.0"),
    ("abstention", 1.0, "abstention must be from 0.0 to 0.9, got 1.0"),
    ("held_out", -1, "held_out must be from 0 to 100000, got -1"),
    ("held_out", 1, "held_out must be 0, or 2 or more for a standard error, got 1"),
    ("interval", 0, "interval must be from 1 to 1000000, got 0"),
]


@pytest.mark.parametrize(("field", "value", "reason"), REFUSED)
def test_a_refusal_names_field_value_and_range(field, value, reason):
    with pytest.raises(ValueError, match=reason):
        home(field)(**{field: value})


def test_a_task_has_its_own_settings_and_defaults():
    assert run_config() == HillConfig() and run_config("bandit") == BanditConfig()
    assert run_config(task="bandit", n=4, schedule="2").to_dict()["task"] == "bandit"
    assert (HillConfig().learning_rate, BanditConfig().learning_rate) == (0.005, 1.0)
    assert run_config("word-problems") == WordProblemsConfig(learning_rate=3e-4, steps=120)
    with pytest.raises(ValueError, match="optimizer must be one of adam, got 'sgd'"):
        WordProblemsConfig(optimizer="sgd")
    with pytest.raises(ValueError, match="theta is not a setting of task 'bandit': n, schedule"):
        run_config("bandit", theta=0.1)
    with pytest.raises(ValueError, match="gaussian-hill, bandit, word-problems, got 'chess'"):
        run_config("chess")
    with pytest.raises(ValueError, match="gaussian-hill, bandit, word-problems, got 'None'"):
        run_config(None)


def test_every_field_has_a_refusal_above():
    assert {field for field, _, _ in REFUSED} == set(all_fields())


@pytest.mark.parametrize("name", [n for n, f in all_fields().items() if "low" in f.metadata])
def test_the_ends_of_a_range_are_allowed(name):
    limits = all_fields()[name].metadata
    for value in (limits["low"], limits["high"]):
        config = home(name)(**{"n": 16, "schedule": "1", "estimator": "s", name: value})
        assert getattr(config, name) == value
        assert parse_value(name, format_value(value)) == value
    with pytest.raises(ValueError, match=f"{name} must be from .* got"):
        parse_value(name, format_value(limits["high"] * 1.5 if name == "theta" else -1))


def test_the_canonical_text_is_what_is_kept():
    config = HillConfig(schedule=" 8@0 , 1@ 9", shape="points: 0,0 ; 1.0,1e0")
    assert (config.schedule, config.shape) == ("8@0,1@9", "points:0,0;1,1")
    assert HillConfig(schedule="8@0").schedule == "8"
    assert config == config.replace() == config.replace(seed=1).replace(seed=0)
    assert config.changed() == {"schedule": "8@0,1@9", "shape": "points:0,0;1,1"}
    assert BASE.changed() == {}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"n": 4}, "schedule '8': k = 8 is more than n = 4"),
        ({"n": 8, "schedule": "1@0,9@50"}, "k = 9 is more than n = 8"),
        ({"n": 8, "estimator": "canonical"}, "k = 8 is not allowed with n = 8 .* from 1 to 7"),
        (
            {"estimator": "naive", "schedule": "linear:8->4@4"},
            "at update 1: k = 7 .* 1, 2, 4, 8, 16",
        ),
        ({"n": 1, "schedule": "1"}, "n = 1 is too small for estimator 'sloo_minus_one'"),
    ],
)
def test_schedule_n_and_estimator_must_fit(changes, reason):
    with pytest.raises(ValueError, match=reason):
        HillConfig(**changes)


def test_a_model_is_kept_by_its_name_or_by_its_whole_path(tmp_path, monkeypatch):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert WordProblemsConfig(model="own").model == str(tmp_path / "own")
    assert WordProblemsConfig(model="./tiny") == WordProblemsConfig()
    (tmp_path / "small.gguf").write_text("")
    assert WordProblemsConfig(model="small.gguf").model == str(tmp_path / "small.gguf")
    assert WordProblemsConfig(model="hub:a/b.c-1").model == "hub:a/b.c-1"


def test_problems_are_kept_by_their_whole_path(tmp_path, monkeypatch):
    (tmp_path / "own.jsonl").write_text("")
    monkeypatch.chdir(tmp_path)
    for where in ("own.jsonl", "."):
        config = WordProblemsConfig(problems=f"gsm8k:{where}")
        assert config.problems == f"gsm8k:{(tmp_path / where).resolve()}"
        assert config.replace(seed=1).problems == config.problems
    assert WordProblemsConfig(problems="gsm8k:hub:a/b").problems == "gsm8k:hub:a/b"


def test_what_a_run_never_reaches_is_allowed():
    HillConfig(n=16, estimator="naive", schedule="8@0,4@10,2@20")
    HillConfig(n=8, estimator="canonical", schedule="1@0,8@11", steps=10)
    with pytest.raises(ValueError, match="at update 11: k = 8"):
        HillConfig(n=8, estimator="canonical", schedule="1@0,8@11", steps=11)


# --- Text -----------------------------------------------------------------------------------------


def values_of(name: str) -> st.SearchStrategy:
    field = all_fields()[name]
    limits = field.metadata
    if isinstance(field.default, bool):
        return st.booleans()
    if isinstance(field.default, int):
        return st.integers(limits["low"], limits["high"])
    if isinstance(field.default, float):
        return st.floats(limits["low"], limits["high"])
    texts = {
        "schedule": SCHEDULES,
        "shape": SHAPES,
        "bandit": BANDITS,
        "model": ("tiny", "hub:a/b"),
        "problems": (*PROBLEM_SETS, "gsm8k:hub:a/b"),
        "estimator": ("sloo_minus_one", "s", "dial:-0.25"),
    }
    return st.sampled_from(limits.get("choices") or texts[name])


@pytest.mark.parametrize("name", all_fields())
def test_text_reads_back_exactly(name):
    @settings(derandomize=True, deadline=None, database=None)
    @given(values_of(name))
    def check(value):
        text = format_value(value)
        again = parse_value(name, text)
        assert again == value and type(again) is type(value), f"{name}: {text}"

    check()


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("n", "eight", "n must be a whole number, got 'eight'"),
        ("n", "8.0", "n must be a whole number, got '8.0'"),
        ("n", "5000", "n must be from 1 to 4096, got 5000"),
        ("theta", "left", "theta must be a number, got 'left'"),
        ("theta", "nan", "theta must be a number, got 'nan'"),
        ("learn_sigma", "yes", "learn_sigma must be true or false, got 'yes'"),
        ("optimizer", "SGD", "optimizer must be one of .* got 'SGD'"),
        ("schedule", "k8", "schedule must look like .* got 'k8'"),
        ("estimator", "", "estimator must be one of .* got ''"),
        ("shape", "points:", "shape: a point must look like"),
    ],
)
def test_text_refused(name, text, reason):
    with pytest.raises(ValueError, match=reason):
        parse_value(name, text)


def test_a_limit_below_the_field_s_own():
    assert parse_value("steps", "2000", at_most=2000) == 2000
    with pytest.raises(ValueError, match="steps must be from 1 to 2000, got 2001"):
        parse_value("steps", "2001", at_most=2000)


# --- Comparisons ----------------------------------------------------------------------------------


def test_compared():
    assert parse_comparison({"seed": 3}, "  ") == (HillConfig(seed=3),)
    assert [run.n for run in parse_comparison({"seed": 3}, "n 8 16 32")] == [8, 16, 32]
    runs = parse_comparison(
        {"n": 4, "seed": 7, "schedule": "8"}, "schedule 1 2@0,1@9"
    )  # 8 > 4 alone
    assert [run.schedule for run in runs] == ["1", "2@0,1@9"]
    assert {(run.n, run.seed) for run in runs} == {(4, 7)}
    assert compared_field(runs) == "schedule"
    assert parse_comparison({}, "learning_rate 0.1") == (HillConfig(learning_rate=0.1),)
    assert compared_field(parse_comparison({}, "")) == compared_field(runs[:1]) == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("theta 0 1", "field must be one of schedule, estimator, .* got 'theta'"),
        ("k 1 2", "field must be one of .* got 'k'"),
        ("schedule", "from 1 to 4 values of schedule, got 0"),
        ("schedule 1 2 3 4 5", "from 1 to 4 values of schedule, got 5"),
        ("schedule 8 8@0", "values of schedule must differ, got 8 8@0"),
        ("n 16 16", "values of n must differ"),
        ("n 16 x", "n must be a whole number, got 'x'"),
        ("n 16 4", "schedule '8': k = 8 is more than n = 4"),
        ("schedule 1 17", "k = 17 is more than n = 16"),
    ],
)
def test_comparisons_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        parse_comparison({}, text)


RUNS = [
    (BASE,),
    (HillConfig(theta=-0.5, sigma=0.3, learn_sigma=True, seed=11, optimizer="adam"),),
    (HillConfig(schedule="linear:8->1@6", shape="points:0,0;0.25,1;0.25,0;1,0.5", n=9),),
    (HillConfig(estimator="dial:-0.25", learning_rate=1e-05, steps=7),),
    parse_comparison(
        {"seed": 2, "shape": "points:-1,1e-05;2,3"}, "schedule 1 8@0,1@3 cosine:2->5@4"
    ),
    parse_comparison({"n": 4}, "schedule 1 2"),
    parse_comparison({}, "estimator sloo_minus_one s dial:-0.25"),
    parse_comparison({"schedule": "4"}, "n 4 8 16 32"),
    parse_comparison({"optimizer": "normalised"}, "learning_rate 0.005 1e-06"),
    parse_comparison({}, f"optimizer {' '.join(OPTIMIZERS)}"),
    parse_comparison({"learn_sigma": True}, "seed 0 1 4294967295"),
    (BanditConfig(),),
    (BanditConfig(bandit="arms:-0.5,1;1,1e-05@1e+20,3e+20", sharing=0.25, learning_rate=1e-05),),
    parse_comparison({"task": "bandit", "bandit": "crowded", "n": 9}, "schedule 1 8@0,1@3"),
]


@pytest.mark.parametrize("runs", RUNS, ids=lambda runs: command_line(runs).partition("--task ")[2])
def test_the_printed_command_runs_these_settings(runs, capsys):
    runs = tuple(run if run.steps == 7 else run.replace(steps=6) for run in runs)
    words = shlex.split(command_line(runs))
    shell = shlex.shlex(command_line(runs), posix=True, punctuation_chars=True)  # minds ; and >
    shell.whitespace_split = True
    assert list(shell) == words
    assert words[:4] == ["python", "-m", "pkpo", "train"]
    assert program.main([*words[3:], "--json"]) == 0
    reports = json.loads(capsys.readouterr().out)
    reports = reports if isinstance(reports, list) else [reports]
    assert tuple(run_config(**report["config"]) for report in reports) == runs


def test_every_comparable_field_has_a_command_above():
    assert {compared_field(runs) for runs in RUNS} == {"", *COMPARABLE}


def test_numbers_of_any_size_are_refused_in_words():
    for name, text in (("n", "1" + "0" * 400), ("n", "9" * 5000), ("theta", "1e999")):
        with pytest.raises(ValueError, match=name):
            parse_value(name, text)
    with pytest.raises(ValueError, match="theta must be from"):
        HillConfig(theta=10**400)
    with pytest.raises(ValueError, match="seed must be from"):
        HillConfig(seed=-(10**400))


def test_a_negative_value_survives_the_command_line(capsys):
    config = HillConfig(theta=-1e-05, steps=1)
    assert program.main([*shlex.split(command_line([config]))[3:], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["config"]["theta"] == -1e-05


def test_a_shape_s_name_keeps_every_digit():
    config = HillConfig(shape="points:1,1;1.00000000000001,1")
    assert config.replace(n=8).shape == config.shape


def test_a_field_error_travels_with_its_field_and_notes():
    reason = FieldError("k", "k must be smaller")
    reason.add_note("seen at update 3")
    again = pickle.loads(pickle.dumps(reason))
    assert (type(again), again.field, str(again)) == (FieldError, "k", "k must be smaller")
    assert again.__notes__ == ["seen at update 3"]
    for make, field in (
        (lambda: run_config(n=0), "n"),
        (lambda: run_config(schedule="8", n=4), "schedule"),
        (lambda: run_config(schedule="x"), "schedule"),
        (lambda: run_config(estimator="x"), "estimator"),
        (lambda: run_config("bandit", bandit="nowhere"), "bandit"),
        (lambda: run_config(shape="points:1"), "shape"),
        (lambda: parse_value("steps", "1e9"), "steps"),
    ):
        with pytest.raises(FieldError) as found:
            make()
        assert found.value.field == field
