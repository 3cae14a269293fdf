"""The command line: the numbers it prints are the library's, and errors are one line."""

import json
import math
import os
import re
import subprocess
import sys
import tomllib

import pytest

from pkpo import ESTIMATORS
from pkpo.__main__ import main
from pkpo.cli.output import to_json
from pkpo.config import RunConfig
from pkpo.extras import EXTRAS, missing
from pkpo.fields import format_value
from pkpo.training.recording import record_run
from pkpo.training.tasks.bandit import BanditConfig
from pkpo.training.tasks.gaussian_hill import HillConfig
from pkpo.training.tasks.registry import all_fields, fields_of
from tests.browser.browser import ROOT


def run(capsys, text: str) -> tuple[int, str, str]:
    status = main(text.split())
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def check_report(report: dict, config: RunConfig) -> None:
    run = record_run(config)
    numbers = {"status", "step", "config", "metrics", "seconds", "history"}
    assert set(report) == numbers | {"files", "logged_to"}
    assert report["status"] == "finished" and report["step"] == config.steps
    assert report["config"] == config.to_dict()
    assert report["history"] == {name: curve.tolist() for name, curve in run.columns.items()}
    assert report["metrics"].pop("seconds") == report["seconds"]
    assert report["metrics"] == run.final()
    assert report["metrics"] == {name: curve[-1] for name, curve in report["history"].items()}
    assert report["seconds"] >= 0


HILL = HillConfig(
    n=12,
    schedule="linear:6->2@7",
    estimator="dial:0.3",
    steps=9,
    learning_rate=0.02,
    optimizer="adam",
    seed=3,
    theta=-0.25,
    sigma=0.3,
    learn_sigma=True,
    shape="points:0,0;0.5,1;0.5,0.2;1,0.2",
)
BANDIT = BanditConfig(
    n=12,
    schedule="6@0,2@4",
    estimator="dial:0.3",
    steps=9,
    learning_rate=0.5,
    optimizer="adam",
    seed=3,
    bandit="arms:0,-0.5,1;1,0,0.25@3,2,1",
    sharing=0.3,
)


@pytest.mark.parametrize("config", [HILL, BANDIT], ids=lambda config: config.task)
def test_every_setting_reaches_the_run_and_json_is_the_recording(capsys, config):
    assert set(config.changed()) == set(fields_of(config.task))
    words = ["train", "--json", "--task", config.task]
    for name, value in config.changed().items():
        option = "--" + name.replace("_", "-")
        words += [option] if value is True else [option, format_value(value)]
    assert main(words) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    check_report(json.loads(captured.out), config)


def test_defaults_are_the_library_s(capsys):
    status, out, _ = run(capsys, "train --json")
    assert status == 0
    check_report(json.loads(out), HillConfig())
    status, out, _ = run(capsys, "train --task bandit --steps 20 --json")
    assert status == 0
    check_report(json.loads(out), BanditConfig(steps=20))


def test_compare_gives_a_report_per_value(capsys):
    status, out, err = run(capsys, "train --steps 4 --n 4 --json --compare schedule 1 2 4@0,1@2")
    reports = json.loads(out)
    assert (status, err, len(reports)) == (0, "", 3)
    for report, schedule in zip(reports, ("1", "2", "4@0,1@2"), strict=True):
        check_report(report, HillConfig(steps=4, n=4, schedule=schedule))
    status, out, _ = run(capsys, "train --steps 4 --json --compare seed 5")
    (report,) = json.loads(out)  # a list even for one value
    check_report(report, HillConfig(steps=4, seed=5))
    words = "train --task bandit --bandit crowded --steps 4 --json --compare learning_rate 0.5 2"
    for report, rate in zip(json.loads(run(capsys, words)[1]), (0.5, 2.0), strict=True):
        check_report(report, BanditConfig(bandit="crowded", steps=4, learning_rate=rate))


@pytest.mark.parametrize(
    ("flag", "learned"), [("--learn-sigma", True), ("--no-learn-sigma", False), ("", False)]
)
def test_learn_sigma_flags(capsys, flag, learned):
    status, out, _ = run(capsys, f"train --steps 8 --json {flag}")
    report = json.loads(out)
    assert status == 0 and report["config"]["learn_sigma"] is learned
    assert (len(set(report["history"]["sigma"])) > 1) == learned
    both = run(capsys, f"train --steps 8 --json {flag} --no-learn-sigma")[1]
    assert json.loads(both)["config"]["learn_sigma"] is False


@pytest.mark.parametrize("steps", [1, 5, 10, 123])
@pytest.mark.parametrize(
    ("kind", "own"),
    [
        (HillConfig, {"theta", "sigma", "gradient", "exact_gradient"}),
        (BanditConfig, {"entropy", "alignment", "cumulative_solve_rate", "max@8"}),
    ],
    ids=lambda x: getattr(x, "task", ""),
)
def test_the_table(capsys, steps, kind, own):
    words = f"train --task {kind.task} --steps {steps} --n 9 --schedule 9@0,3@4 --seed 2"
    status, out, err = run(capsys, words)
    assert (status, err) == (0, "")
    title, header, *rows, last = out.splitlines()
    assert last.strip() == ""
    assert f"--task {kind.task}" in title and f"--steps {steps}" in title
    assert "--schedule 9@0,3@4" in title and "--seed 2" in title
    want = record_run(kind(steps=steps, n=9, schedule="9@0,3@4", seed=2)).columns
    names = ["value" if name == "max@k" else name for name in header.split()]
    assert set(names) == {"update", "k", "max@1", "value"} | own
    shown = [int(row.split()[0]) for row in rows]
    assert shown[0] == 0 and shown[-1] == steps and len(shown) == min(steps + 1, 11)
    assert shown == sorted(set(shown))
    for update, row in zip(shown, rows, strict=True):
        assert len(row) == len(header)
        for name, cell in zip(names, row.split(), strict=True):
            assert abs(float(cell) - want[name][update]) <= 0.5000001e-6, f"{name} at {update}"


def test_a_table_per_compared_run(capsys):
    _, out, _ = run(capsys, "train --steps 3 --compare estimator s sloo_minus_one")
    tables = out.strip().split("\n\n")
    assert len(tables) == 2
    assert "--estimator s " in tables[0]
    assert [len(table.splitlines()) for table in tables] == [6, 6]


@pytest.mark.parametrize("output", ["", "--json"])
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("--n 4 --schedule 8", "schedule '8': k = 8 is more than n = 4"),
        ("--estimator ppo", "estimator must be one of"),
        ("--shape points:0,1", "shape: points must number from 2 to 16, got 1"),
        ("--shape mountain", "shape must be one of hill"),
        ("--steps 0", "steps must be from 1 to 1000000, got 0"),
        ("--sigma nan", "sigma must be from 0.001 to 10.0, got nan"),
        ("--task chess", "task must be one of gaussian-hill, bandit, word-problems, got 'chess'"),
        ("--task bandit --theta 1", "theta is not a setting of task 'bandit'"),
        ("--task bandit --shape hill", "shape is not a setting of task 'bandit'"),
        ("--task bandit --no-learn-sigma", "learn_sigma is not a setting of task 'bandit'"),
        ("--bandit trap", "bandit is not a setting of task 'gaussian-hill'"),
        ("--sharing 0.5", "sharing is not a setting of task 'gaussian-hill'"),
        ("--task bandit --bandit robber", "bandit must be one of jackpot, mediocre"),
        ("--task bandit --bandit arms:0,101", "bandit: a reward must be within ±100, got 101"),
        ("--task bandit --sharing 1.5", "sharing must be from 0.0 to 1.0, got 1.5"),
        ("--task bandit --n 4", "schedule '8': k = 8 is more than n = 4"),
        ("--task bandit --compare sharing 0 1", "compare: the field must be one of"),
        ("--optimizer lion", "optimizer must be one of"),
        ("--compare theta 0 1", "compare: the field must be one of"),
        ("--compare schedule", "compare: give from 1 to 4 values of schedule, got 0"),
        ("--compare n 16 x", "n must be a whole number, got 'x'"),
        ("--learn-sigma --learning-rate 80 --seed 13", "learning_rate 80 is too large"),
    ],
)
def test_an_impossible_request_is_one_line_and_status_2(capsys, arguments, reason, output):
    status, out, err = run(capsys, f"train {arguments} {output}")
    assert (status, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("pkpo train: ") and reason in line


@pytest.mark.parametrize(
    "arguments", ["", "trian", "train --n eight", "train --nonsense 1", "train --learn-sigma=maybe"]
)
def test_a_misspelt_command_shows_the_usage(capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments.split())
    captured = capsys.readouterr()
    assert stopped.value.code == 2 and captured.out == ""
    assert captured.err.startswith("usage: pkpo") and "error:" in captured.err


def test_help_gives_every_default(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["train", "--help"])
    assert stopped.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for name, field in all_fields().items():
        assert "--" + name.replace("_", "-") in text
        assert f"default {field.default}" in text, name


def test_estimators_lists_every_key(capsys):
    status, out, _ = run(capsys, "estimators")
    listed = [line.partition(":")[0] for line in out.splitlines() if not line.startswith(" ")]
    assert status == 0 and listed == list(ESTIMATORS)
    for entry in ESTIMATORS.values():
        assert entry.label in out and entry.reference in out and entry.needs in out


def test_estimators_as_json(capsys):
    status, out, _ = run(capsys, "estimators --json")
    rows = json.loads(out)
    assert status == 0 and [row["key"] for row in rows] == list(ESTIMATORS)
    for row in rows:
        assert row == {name: getattr(ESTIMATORS[row["key"]], name) for name in row}
        assert {"label", "formula", "reference", "optimises", "unbiased", "needs"} < set(row)


@pytest.mark.parametrize(
    "encoding",
    [
        "ascii",
        *(pytest.param(x, marks=pytest.mark.slow) for x in ("cp1252", "cp1252:strict", "utf-8")),
    ],
)
def test_output_that_cannot_hold_every_character_is_no_error(tmp_path, encoding):
    command = [sys.executable, "-m", "pkpo", "figures", "--out", str(tmp_path), "--only", "fig2"]
    environment = os.environ | {
        "PYTHONIOENCODING": encoding,
        "BROWSER_PATH": str(tmp_path / "none"),
    }
    done = subprocess.run(command, capture_output=True, env=environment)
    assert done.returncode == 0, done.stderr
    said = done.stdout.decode(encoding.partition(":")[0])
    assert f"the estimator {'ρ' if encoding == 'utf-8' else '?'} (Eq. 12)" in said
    claims = json.loads((tmp_path / "claims.json").read_bytes())  # JSON is UTF-8
    assert "ρ" in claims[-1]["claim"]


def test_files_are_utf_8_whatever_the_machine_s_encoding(tmp_path):
    """Python warns where a file is opened in the machine's own encoding; ours never are."""
    (tmp_path / "ours.py").write_text(
        "import sys, warnings\n"
        "from pkpo.__main__ import main\n"
        "warnings.simplefilter('error', EncodingWarning)\n"
        "warnings.filterwarnings('ignore', category=EncodingWarning, module='(?!pkpo|toy_envs)')\n"
        "sys.exit(main(sys.argv[1:]))\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-X", "warn_default_encoding", str(tmp_path / "ours.py")]
    environment = os.environ | {"PKPO_DATA_DIR": str(tmp_path), "BROWSER_PATH": "none"}
    for words in (
        ["figures", "--out", str(tmp_path), "--only", "fig2,fig7", "--recorded"],
        ["train", "--task", "bandit", "--steps", "2"],
    ):
        done = subprocess.run([*command, *words], capture_output=True, text=True, env=environment)
        assert "Warning" not in done.stderr and "Traceback" not in done.stderr, done.stderr
        assert done.stdout.count("\n") > 3


WITHOUT = """
import sys
sys.modules[sys.argv[1]] = None
from pkpo.__main__ import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    ("package", "words", "reason"),
    [
        (
            "plotly",
            ["figures", "--out", "OUT", "--only", "fig2"],
            "pkpo figures: drawing needs plotly, which is not installed: "
            "pip install 'pkpo-lab[app]'",
        ),
        (
            "plotly",
            ["report", "--out", "report.html"],
            "pkpo report: drawing needs plotly, which is not installed: "
            "pip install 'pkpo-lab[app]'",
        ),
        (
            "torch",
            ["train", "--task", "word-problems"],
            "pkpo train: task word-problems needs torch, which is not installed: "
            "pip install 'pkpo-lab[lm]'",
        ),
        ("torch", ["estimators"], ""),
        ("plotly", ["estimators", "--json"], ""),
        ("torch", ["train", "--steps", "3"], ""),
    ],
)
def test_without_an_extra_the_message_names_it(tmp_path, package, words, reason):
    words = [str(tmp_path) if word == "OUT" else word for word in words]
    command = [sys.executable, "-c", WITHOUT, package, *words]
    done = subprocess.run(command, capture_output=True, text=True)
    # 1 would say that a claim failed.
    assert (done.stderr.strip(), done.returncode) == (reason, 2 if reason else 0)
    assert bool(done.stdout) != bool(reason) and not list(tmp_path.iterdir())


def test_every_extra_that_a_message_names_is_in_the_project_s_file():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = project["optional-dependencies"]
    for package, extra in EXTRAS.items():
        names = {re.split(r"[>=<\[]", line)[0].replace("-", "_") for line in declared[extra]}
        assert package in names, f"{package} is not in the extra {extra}"
    said = str(missing("this", ModuleNotFoundError(name="peft.tuners")))
    assert said == "this needs peft, which is not installed: pip install 'pkpo-lab[hf]'"
    said = str(missing("this", ModuleNotFoundError(name="else")))
    assert said == "this needs else, which is not installed"


LONG = "x" * 5000


@pytest.mark.parametrize(
    "words",
    [
        ["train", "--n", LONG],
        ["train", "--schedule", LONG],
        ["train", "--schedule", "9" * 5000],
        ["train", "--estimator", LONG],
        ["train", "--estimator", "dial:" + LONG],
        ["train", "--shape", "points:" + LONG],
        ["train", "--optimizer", LONG],
        ["train", "--task", LONG],
        ["train", "--compare", LONG, "1"],
        ["train", "--compare", "seed", LONG],
        ["train", "--compare", "schedule", *["8"] * 3000],
        ["train", "--task", "bandit", "--bandit", LONG],
        ["train", "--task", "word-problems", "--model", LONG],
        ["train", "--task", "word-problems", "--problems", "gsm8k:" + LONG],
        ["train", "--" + LONG, "1"],
        ["train", *[LONG] * 20],
        ["figures", "--out", "OUT", "--only", LONG],
        ["figures", "--out", "OUT", "--only", ",".join([LONG] * 20)],
        ["figures", "--out", LONG, "--only", "fig2"],
        ["figures", "--out", "OUT", "--only", "fig2", "--seed", "-" + "9" * 4000],
        ["runs", "show", LONG],
        ["runs", "export", LONG, "--out", LONG],
        ["runs", "list", "--status", LONG],
        ["worker", LONG],
        ["estimators", LONG],
        [LONG],
    ],
    ids=lambda words: " ".join(words)[:40],
)
def test_a_long_value_is_not_repeated_whole(tmp_path, capsys, monkeypatch, words):
    monkeypatch.setenv("PKPO_DATA_DIR", str(tmp_path / "data"))
    try:
        status = main([str(tmp_path / "out") if word == "OUT" else word for word in words])
    except SystemExit as stopped:  # argparse's
        status = stopped.code
    captured = capsys.readouterr()
    assert (status, captured.out) == (2, "")
    *usage, line = captured.err.splitlines()
    assert len(line) < 700 and len(usage) <= 1 and LONG[:200] not in captured.err
    assert line.startswith("pkpo")


@pytest.mark.parametrize("only", [",,", "", " ", "fig2,", "fig2,,fig1", ","])
def test_only_must_name_figures(tmp_path, capsys, only):
    assert main(["figures", "--out", str(tmp_path), "--only", only]) == 2
    assert capsys.readouterr().err == (
        f"pkpo figures: --only must name figures, such as fig1,fig4, got {only!r}\n"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [["figures", "--only", "fig2"], ["runs", "export", "0" * 12]])
@pytest.mark.parametrize("out", ["", " "])
def test_out_must_name_a_folder(tmp_path, capsys, monkeypatch, words, out):
    monkeypatch.setenv("PKPO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    assert main([*words, "--out", out]) == 2
    assert f"--out must name a folder, got {out!r}\n" in capsys.readouterr().err
    assert {file.name for file in tmp_path.iterdir()} <= {"data"}


def test_json_has_no_numbers_that_json_does_not_know():
    given = {"a": [1.5, math.nan, (math.inf, {"b": -math.inf})], "c": None, "d": "nan", "e": True}
    assert json.loads(to_json(given), parse_constant=pytest.fail) == {
        "a": [1.5, None, [None, {"b": None}]], "c": None, "d": "nan", "e": True,
    }  # fmt: skip


def test_in_a_process_of_its_own():
    command = [sys.executable, "-m", "pkpo", "train", "--steps", "5", "--seed", "4"]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    check_report(json.loads(done.stdout), HillConfig(steps=5, seed=4))
    done = subprocess.run([*command, "--n", "2"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("pkpo train: schedule '8': k = 8 is more than n = 2")
