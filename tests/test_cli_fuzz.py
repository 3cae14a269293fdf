"""Hostile command lines: whatever is typed, no traceback, one short line, and JSON that is JSON."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from pkpo.__main__ import main
from pkpo.comparisons.settings import COMPARABLE
from pkpo.fields import format_value
from pkpo.training.tasks.registry import all_fields

pytestmark = pytest.mark.slow

NUMBERS = (
    *("0", "-1", "1", "2", "3", "16", "+4", "007", "1_000", "1e3", "1e999", "-1e999", "nan", "inf"),
    *(
        "0x10",
        "1/2",
        "½",
        "１２",
        "٣",
        "9" * 30,
        "9" * 5000,
        "-" + "9" * 400,
        "1e-400",
        "0.1",
        "4096",
    ),
    *("2147483648", "4294967295", "4294967296", "18446744073709551616", "1" + "0" * 400, "3.0"),
)
TEXTS = (
    *("", " ", "\t", "\n", "-", "--", "---", "=", ",", ",,", ";", ":", "@", "->", "..", "'", '"'),
    *(
        "\x00",
        "\udcff",
        "\u202e",
        "\ufeff",
        "é",
        "ρ",
        "🎲",
        "%s",
        "%(prog)s",
        "{}",
        "{0.__class__}",
    ),
    *(
        "$(id)",
        "`id`",
        "../../etc/passwd",
        "/etc/shadow",
        "/dev/null",
        "~",
        "nul",
        "<b>",
        "a" * 5000,
    ),
    *("[" * 3000, "(" * 3000, "8@0,1@1,", "8@0," * 400, "linear:8->1@2", "linear:1->9@0..0", "8@1"),
    *("cosine:8->1@9..3", "dial:", "dial:1e6", "dial:-1e6", "dial:1e300", "dial:" + "1" * 400),
    *("points:0,0;1,1", "points:" + "0,1;" * 40, "points:0,1e999;1,1", "points:0,0;0,1"),
    *(
        "arms:0,1",
        "arms:" + "1," * 60,
        "arms:1;2",
        "arms:0,1@0,1",
        "arms:nan,1",
        "arms:0,1@1e-300,1",
    ),
    *(
        "arms:0,-100,100",
        "trap",
        "crowded",
        "hill",
        "two-peaks",
        "s",
        "canonical",
        "naive",
        "maxrl",
    ),
    *(
        "grpo",
        "passk_training",
        "adam",
        "normalised",
        "true",
        "fig2",
        "fig2,fig2",
        "all",
        "__init__",
    ),
)
WORDS = (*NUMBERS, *TEXTS)
OPTIONS = [name for name in all_fields() if name not in ("steps", "n")]
SHORT = ["--steps", "2", "--n", "16"]  # what is valid shall not take long


def lines(seed: int, count: int) -> list[list[str]]:
    """Command lines, the half of them with one thing wrong at most, from a grammar of odd words."""
    rng = random.Random(seed)

    def option() -> list[str]:
        field = rng.choice(OPTIONS)
        name, default = "--" + field.replace("_", "-"), all_fields()[field].default
        odd = rng.choice(NUMBERS if isinstance(default, (int, float)) else WORDS)
        word = format_value(default) if rng.random() < 0.4 else odd
        return rng.choice([[name, word], [f"{name}={word}"], [f"{name}={word}"]])

    def train() -> list[str]:
        task = rng.choice([[], [], ["--task", "bandit"], ["--task", rng.choice(WORDS)]])
        given = [part for _ in range(rng.randint(0, 1)) for part in option()]
        odd = rng.choice([[]] * 6 + [["--steps", rng.choice(TEXTS)], ["--n", rng.choice(WORDS)]])
        compare = [rng.choice([*COMPARABLE, *TEXTS]), *rng.choices(NUMBERS, k=rng.randint(1, 3))]
        return [
            *("train", *task, *SHORT, *given, *odd),
            *rng.choice([[], [], [], ["--compare", *compare]]),
            *rng.choice([[]] * 8 + [["--log", rng.choice(WORDS)], ["--out", rng.choice(TEXTS)]]),
            *rng.choice([[], ["--json"]]),
        ]

    def figures() -> list[str]:
        return [
            *("figures", "--only", rng.choice(["fig2", "fig2,fig5", *TEXTS])),
            *("--out", rng.choice(["OUT", "OUT", *TEXTS])),
            *rng.choice([[], ["--seed", rng.choice(WORDS)], ["--recorded"]]),
        ]

    def runs() -> list[str]:
        action = rng.choice(["list", "show", "stop", "resume", "delete", "export", *TEXTS])
        out = ["--out", rng.choice(["OUT", *TEXTS])] if action == "export" else []
        name = [] if action == "list" else [rng.choice(["0" * 12, *WORDS])]
        return ["runs", action, *name, *out, *rng.choice([[], ["--json"]])]

    def other() -> list[str]:
        first = rng.choice(["estimators", "worker", "", *WORDS])
        return [first, *rng.choices([*WORDS, "--json", "--help"], k=rng.randint(0, 3))]

    makers = (train, train, train, figures, runs, other)
    return [rng.choice(makers)() for _ in range(count)]


@pytest.mark.parametrize("seed", range(4))
def test_a_hundred_hostile_command_lines(seed, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PKPO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "none"))  # images are another test's
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")  # where names such as "é" are made
    ended = {0: 0, 1: 0, 2: 0}
    for words in lines(seed, 100):
        words = [str(tmp_path / "out") if word == "OUT" else word for word in words]
        said = " ".join(words)[:300]
        try:
            status = main(words)
        except SystemExit as stopped:
            status = stopped.code
        captured = capsys.readouterr()
        assert status in ended, said
        ended[status] += 1
        assert "Traceback" not in captured.err, said
        errors = [line for line in captured.err.splitlines() if "no image" not in line]
        assert len(errors) <= 2 and all(len(line) < 700 for line in errors), f"{said}\n{errors}"
        assert (status == 2) == bool(errors), f"{said}\n{errors}"
        if status == 0 and "--json" in words and "--help" not in words:
            json.loads(captured.out, parse_constant=pytest.fail)
    assert min(ended[0], ended[2]) > 5, ended  # neither all refused nor all taken
    for file in tmp_path.rglob("*.json"):
        json.loads(Path(file).read_bytes(), parse_constant=pytest.fail)
