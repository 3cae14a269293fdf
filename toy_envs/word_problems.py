"""Word problems in the manner of GSM8K, with a verifier that checks every step.

Short templates of 1 to 4 steps, filled with names, objects and whole numbers from 1 to 50. A worked
solution is a chain of equations and the answer behind `####`, as in `8*6=48;48-34=14####14`.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

HIGHEST = 50
"""No number of a problem, given or computed, is larger."""
FACTOR = 12
"""What is multiplied, or divided by, is at most this."""
DIFFICULTIES = (1, 2, 3, 4)
REWARDS = {
    "strict": "1 if the answer is right and every written equation is true, else 0",
    "answer": "1 if the answer is right, else 0",
    "share": "the share of the steps that are true, the answer being one of them",
}
SPLITS = ("train", "held-out")
HELD_OUT = 4  # one of so many problems is held out
TEXT_LIMIT = 512  # characters of a question or completion in the environment
STEP_LIMIT = 80  # characters of an equation that is evaluated; longer ones count as false

NAMES = ("Ann", "Ben", "Cora", "Dan", "Eva", "Finn", "Gia", "Hal")
THINGS = ("apples", "books", "cards", "coins", "pens", "shells", "stamps", "toys")
BOXES = ("bag", "box", "jar", "tray")
PLURALS = {box: box + ("es" if box == "box" else "s") for box in BOXES}


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of problem.

    Small letters from a on are given numbers, p, q, r and s the results of the steps, in order. N, M
    and L are three people, THINGS what is counted, BOX and BOXES what holds it.
    """

    text: str
    steps: tuple[str, ...]
    """Each two letters and what joins them, as in `("a*b", "p-c")`."""

    def highest(self, letter: str) -> int:
        """The largest number that a letter stands for."""
        factor = any(re.search(rf"[*/]{letter}|{letter}\*", step) for step in self.steps)
        return FACTOR if factor else HIGHEST


TEMPLATES = (
    Template(
        "{N} has {a} {THINGS} and buys {b} more. How many {THINGS} does {N} have now?", ("a+b",)
    ),
    Template(
        "{N} had {a} {THINGS} and gave {b} to {M}. How many {THINGS} does {N} have left?", ("a-b",)
    ),
    Template(
        "There are {b} {THINGS} in each {BOX}. How many {THINGS} are in {a} {BOXES}?", ("a*b",)
    ),
    Template(
        "{N} shares {a} {THINGS} equally among {b} friends. How many {THINGS} does each friend get?",
        ("a/b",),
    ),
    Template(
        "{N} has {a} {THINGS}. {M} has {b} times as many. How many {THINGS} does {M} have?",
        ("a*b",),
    ),
    Template("{N} is {a} years old. {M} is {b} years younger. How old is {M}?", ("a-b",)),
    Template(
        "{N} has {a} {BOXES} with {b} {THINGS} in each. {N} gives {c} {THINGS} to {M}. "
        "How many {THINGS} does {N} have left?",
        ("a*b", "p-c"),
    ),
    Template(
        "{N} had {a} {THINGS}, lost {b} and then found {c}. How many {THINGS} does {N} have now?",
        ("a-b", "p+c"),
    ),
    Template(
        "{N} buys {a} {THINGS} for {b} dollars each and a {BOX} for {c} dollars. "
        "How many dollars does {N} spend?",
        ("a*b", "p+c"),
    ),
    Template(
        "{N} has {a} {THINGS}. {M} has {b} more than {N}. How many {THINGS} do they have together?",
        ("a+b", "a+p"),
    ),
    Template(
        "{N} has {a} red and {b} blue {THINGS}, and puts {c} in each {BOX}. "
        "How many {BOXES} does {N} need?",
        ("a+b", "p/c"),
    ),
    Template(
        "{N} had {a} dollars and bought {b} {THINGS} for {c} dollars each. "
        "How many dollars does {N} have left?",
        ("b*c", "a-p"),
    ),
    Template(
        "{N} has {a} {THINGS}. {M} has {b} times as many. Together they lost {c}. "
        "How many {THINGS} do they have left?",
        ("a*b", "a+p", "q-c"),
    ),
    Template(
        "{N} finds {a} {THINGS} a day for {b} days, gives {c} to {M} and puts the rest equally in {d} "
        "{BOXES}. How many {THINGS} are in each {BOX}?",
        ("a*b", "p-c", "q/d"),
    ),
    Template(
        "{N} buys {a} {THINGS} for {b} dollars each and {c} {BOXES} for {d} dollars each. "
        "How many dollars does {N} spend?",
        ("a*b", "c*d", "p+q"),
    ),
    Template(
        "{N} had {a} {THINGS}, gave {b} to each of {c} friends and then bought {d} more. "
        "How many {THINGS} does {N} have now?",
        ("b*c", "a-p", "q+d"),
    ),
    Template(
        "{N} has {a} {THINGS}. {M} has {b} less. {L} has {c} times as many as {M}. "
        "How many more {THINGS} than {N} does {L} have?",
        ("a-b", "p*c", "q-a"),
    ),
    Template(
        "{N} gets {a} dollars an hour. {N} works {b} hours on Monday and {c} hours on Friday, and "
        "spends {d} dollars. How many dollars does {N} have left?",
        ("b+c", "a*p", "q-d"),
    ),
    Template(
        "{N} has {a} {BOXES} with {b} {THINGS} in each. {M} has {c} {BOXES} with {d} {THINGS} in each. "
        "They share the {THINGS} equally among {e} friends. How many {THINGS} does each friend get?",
        ("a*b", "c*d", "p+q", "r/e"),
    ),
    Template(
        "{N} had {a} dollars, worked {b} hours for {c} dollars an hour and bought {d} {THINGS} for {e} "
        "dollars each. How many dollars does {N} have left?",
        ("b*c", "a+p", "d*e", "q-r"),
    ),
    Template(
        "{N} has {a} {THINGS}. {M} has {b} more than {N}. {L} has {c} times as many as {M}. "
        "How many {THINGS} do the three have together?",
        ("a+b", "p*c", "a+p", "r+q"),
    ),
    Template(
        "{N} has {a} {BOXES} with {b} {THINGS} in each and {c} more. {N} gives {d} to {M} and shares "
        "the rest equally among {e} friends. How many {THINGS} does each friend get?",
        ("a*b", "p+c", "q-d", "r/e"),
    ),
    Template(
        "A shop had {a} {THINGS}. It sold {b} on Monday and {c} times as many on Friday. It puts the "
        "rest in {BOXES} with {d} in each. How many {BOXES} does it need?",
        ("b*c", "b+p", "a-q", "r/d"),
    ),
    Template(
        "{N} buys {a} {THINGS} for {b} dollars each, sells each for {c} dollars and then spends {d} "
        "dollars. How many dollars more than at first does {N} have?",
        ("a*b", "a*c", "q-p", "r-d"),
    ),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """A question, its worked solution, and the answer."""

    question: str
    solution: str
    answer: int
    difficulty: int
    """How many steps the worked solution has."""


def problem(
    seed: int | np.random.Generator, difficulty: int | None = None, split: str = "train"
) -> Problem:
    """A random problem.

    No problem of one split has the template and the numbers of one in the other: which split a
    problem belongs to follows from its text without the names.

    Args:
      seed: a seed, or the generator to draw from.
      difficulty: steps, 1 to 4; None draws it, too.
      split: "train" or "held-out".

    Raises:
      ValueError: another difficulty or split.
    """
    if difficulty is not None and difficulty not in DIFFICULTIES:
        raise ValueError(f"difficulty must be from 1 to {DIFFICULTIES[-1]}, got {difficulty!r}")
    if split not in SPLITS:
        raise ValueError(f"split must be {' or '.join(SPLITS)}, got {str(split)[:40]!r}")
    rng = np.random.default_rng(seed)
    steps = int(rng.integers(1, 1 + len(DIFFICULTIES))) if difficulty is None else difficulty
    alike = [template for template in TEMPLATES if len(template.steps) == steps]
    template = alike[rng.integers(len(alike))]
    fitting = fillings(template)
    while True:
        row = rng.integers(len(fitting["p"]))
        numbers = {letter: int(column[row]) for letter, column in fitting.items()}
        if _split(template, numbers) == split:
            break
    people = rng.permutation(len(NAMES))[:3]
    box = BOXES[rng.integers(len(BOXES))]
    question = template.text.format(
        **numbers,
        **{letter: NAMES[i] for letter, i in zip("NML", people, strict=True)},
        THINGS=THINGS[rng.integers(len(THINGS))],
        BOX=box,
        BOXES=PLURALS[box],
    )
    results = "pqrs"[:steps]
    equations = [
        "".join(str(numbers.get(x, x)) for x in (*step, "=", result))
        for step, result in zip(template.steps, results, strict=True)
    ]
    answer = numbers[results[-1]]
    return Problem(question, f"{';'.join(equations)}####{answer}", answer, steps)


def problems(
    count: int, seed: int | np.random.Generator, split: str = "train", difficulty: int | None = None
) -> list[Problem]:
    """So many random problems; without a difficulty, all are equally likely. See `problem`."""
    rng = np.random.default_rng(seed)
    return [problem(rng, difficulty, split) for _ in range(count)]


@functools.cache
def fillings(template: Template) -> dict[str, np.ndarray]:
    """All numbers that fit a template: for every letter, given or result, `[fillings]` values."""
    values: dict[str, np.ndarray] = {}
    for result, step in zip("pqrs", template.steps, strict=False):
        left, operator, right = tuple(step)
        for letter in (left, right):
            if letter not in values:
                values = _crossed(values, letter, np.arange(2, template.highest(letter) + 1))
        one, other = values[left], values[right]
        values[result] = _OPERATORS[operator](one, other)
        fits = (values[result] >= 1) & (values[result] <= HIGHEST)
        if operator == "/":
            fits &= one % other == 0
        values = {letter: column[fits] for letter, column in values.items()}
    return values


def _crossed(
    values: dict[str, np.ndarray], letter: str, choices: np.ndarray
) -> dict[str, np.ndarray]:
    rows = len(next(iter(values.values()))) if values else 1
    longer = {known: np.repeat(column, len(choices)) for known, column in values.items()}
    return {**longer, letter: np.tile(choices, rows)}


_OPERATORS: dict[str, Any] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.floor_divide,
}


def _split(template: Template, numbers: dict[str, int]) -> str:
    text = re.sub(r"{([a-f])}", lambda match: str(numbers[match[1]]), template.text)
    return split_of(text)


def split_of(text: str) -> str:
    """The split that a text belongs to."""
    digest = hashlib.blake2b(text.encode(), digest_size=4).digest()
    return SPLITS[int.from_bytes(digest) % HELD_OUT == 0]


def words() -> list[str]:
    """Texts that together hold every word and sign of every problem and solution but the digits."""
    blanks = {**dict.fromkeys("NMLabcde", ""), "THINGS": "", "BOX": "", "BOXES": ""}
    frames = [template.text.format(**blanks) for template in TEMPLATES]
    return [*frames, *NAMES, *THINGS, *PLURALS, *PLURALS.values(), "+-*/=;####"]


# --- The verifier ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a completion got right."""

    answer: bool
    """The number behind `####` is the answer."""
    steps: int
    """Written steps: equations, and what stands in their place."""
    true_steps: int
    """Of these, true equations."""
    needed: int
    """Steps of the worked solution."""

    @property
    def chain(self) -> bool:
        """At least one step was written, and every one is a true equation."""
        return 0 < self.steps == self.true_steps

    @property
    def strict(self) -> bool:
        """The answer is right and the chain valid."""
        return self.answer and self.chain

    @property
    def share(self) -> float:
        """True steps and right answer, of the steps written or needed, whichever are more, plus 1."""
        return (self.true_steps + self.answer) / (max(self.steps, self.needed) + 1)

    def reward(self, mode: str) -> float:
        """By a key of `REWARDS`."""
        return float(getattr(self, mode))


_NUMBER = r"-?(?:\d{1,12}(?:\.\d{1,6})?|\.\d{1,6})"
_EQUATION = re.compile(rf"\s*({_NUMBER}(?:\s*[-+*/]\s*{_NUMBER})+)\s*=\s*({_NUMBER})\s*", re.ASCII)
_TERM = re.compile(rf"(^|[-+*/])\s*({_NUMBER})\s*", re.ASCII)
_MARK = re.compile(r"<<([^<>]*)>>")
# In running text: not the end of a longer sum, and not where the right side is a sum again.
_WRITTEN = re.compile(
    rf"(?:^(?:[-*][ ])?|[^\s\d.+*/)-]|\.(?=[ ]))[ ]*"
    rf"({_NUMBER}(?:[ ]*[-+*/][ ]*{_NUMBER})+[ ]*=[ ]*{_NUMBER})(?![\d.]*[ ]*[-+*/\d])",
    re.ASCII | re.MULTILINE,
)
_ANSWER = re.compile(r"\s*\$?\s*(-?\d[\d,]{0,20})(?:\.0{1,6})?\.?\s*", re.ASCII)


def verify(text: str, problem: Problem) -> Verdict:
    """Check a completion, whatever it holds.

    The answer must be all that stands behind the first `####`, up to the end of its line. Steps are
    what stands between semicolons before it. Where the text has GSM8K's calculator marks
    `<<48/2=24>>`, they are what is within them; in other text of several lines, the equations that it
    holds, `$1,024 x 2 = 2,048` among them. A step is true if it is an equation, numbers joined by
    `+ - * /` on its left and one number on its right, that holds exactly.
    """
    answer = answer_of(text)
    given = _ANSWER.fullmatch(answer) if len(answer) <= STEP_LIMIT else None
    right = given is not None and int(given[1].replace(",", "")) == problem.answer
    steps = _steps(text)
    true = sum(map(_holds, steps))
    return Verdict(right, len(steps), true, problem.difficulty)


def _steps(text: str) -> list[str]:
    """What a completion holds before its answer, step by step."""
    working = text.partition("####")[0]
    apart = written(working) if "\n" in text else working.split(";")
    return _MARK.findall(working) or [step for step in apart if step.strip()]


def answer_of(text: str) -> str:
    """What a completion gives as its answer; "" if it gives none."""
    return text.partition("####")[2].strip().partition("\n")[0]


def written(text: str) -> list[str]:
    """The equations in running text, in the signs of an equation."""
    text = re.sub(r"(?<=\d),(?=\d{3})|\$", "", text)
    text = re.sub(r"(?<=\d)[ ]*[x×][ ]*(?=\d)", "*", text)
    return _WRITTEN.findall(text)


def _holds(step: str) -> bool:
    found = _EQUATION.fullmatch(step) if len(step) <= STEP_LIMIT else None
    if found is None:
        return False
    terms: list[Fraction] = []
    for operator, digits in _TERM.findall(found[1]):
        number = Fraction(digits)
        if operator == "*":
            terms[-1] *= number
        elif operator == "/":
            if not number:
                return False
            terms[-1] /= number
        else:
            terms.append(-number if operator == "-" else number)
    return sum(terms) == Fraction(found[2])


# --- Problems from a file -------------------------------------------------------------------------


def load_gsm8k(path: str | Path) -> list[Problem]:
    """Problems of a JSONL file in GSM8K's format.

    Every line is an object with the texts "question" and "answer"; the latter ends in `####` and a
    whole number, and is kept as the worked solution. The difficulty is its number of steps, as `verify`
    finds them, at least 1. Empty lines are skipped.

    Raises:
      ValueError: the file cannot be read, holds no problem, or a line is not as described; it names
        the line.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as reason:
        raise ValueError(f"{path}: cannot be read ({reason})") from None
    result = [
        _gsm8k_problem(line, f"{path}, line {number}")
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]
    if not result:
        raise ValueError(f"{path}: holds no problem")
    return result


def write_gsm8k(problems: Iterable[Problem], path: str | Path) -> None:
    """Write problems as `load_gsm8k` reads them, each once."""
    items = ({"question": p.question, "answer": p.solution} for p in dict.fromkeys(problems))
    text = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)
    Path(path).write_text(text, encoding="utf-8")


def gsm8k_splits(path: str | Path) -> tuple[list[Problem], list[Problem]]:
    """Problems to train on, and problems to be held out, in GSM8K's format.

    Args:
      path: a folder that holds train.jsonl and test.jsonl, as GSM8K's, or a single file: of that, about
        one question in `HELD_OUT` is held out; which ones follows from their texts.

    Raises:
      ValueError: see `load_gsm8k`; or a part is empty.
    """
    path = Path(path)
    if path.is_dir():
        held_out = load_gsm8k(path / "test.jsonl")
        asked = {p.question for p in held_out}
        train = [p for p in load_gsm8k(path / "train.jsonl") if p.question not in asked]
    else:
        parts: dict[str, list[Problem]] = {split: [] for split in SPLITS}
        for p in load_gsm8k(path):
            parts[split_of(p.question)].append(p)
        train, held_out = parts.values()
    if not train or not held_out:
        raise ValueError(f"{path}: must hold problems to train on and others to be held out")
    return train, held_out


def _gsm8k_problem(line: str, where: str) -> Problem:
    try:
        item = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError(f"{where}: must be a JSON object, got {line[:40]!r}") from None
    if not isinstance(item, dict):
        raise ValueError(f"{where}: must be a JSON object, got {line[:40]!r}")
    for name in ("question", "answer"):
        if not isinstance(item.get(name), str) or not item[name].strip():
            raise ValueError(f"{where}: {name!r} must be a text, got {str(item.get(name))[:40]!r}")
    _, mark, answer = item["answer"].rpartition("####")
    given = _ANSWER.fullmatch(answer) if mark else None
    if given is None:
        raise ValueError(
            f"{where}: 'answer' must end in #### and a whole number, got {item['answer'][-40:]!r}"
        )
    steps = max(1, len(_steps(item["answer"])))
    return Problem(item["question"], item["answer"], int(given[1].replace(",", "")), steps)


# --- The environment ------------------------------------------------------------------------------


class WordProblemsEnv(gymnasium.Env):
    """A word problem: read the question, write the whole solution, receive its reward.

    ## Description
    One attempt at a random problem. The worked solution of a problem with two steps reads
    `8*6=48;48-34=14####14`: equations, and the answer behind `####`.

    ## Action Space
    `Text(512)` of printable ASCII: the whole completion.

    ## Observation Space
    `Text(512)` of printable ASCII: the question.

    ## Starting State
    A problem drawn at random.

    ## Reward
    By `reward`, from 0 to 1: "strict" (1 if the answer is right and every written equation true),
    "answer" (1 if the answer is right) or "share" (the share of the steps that are true, the answer
    being one of them).

    ## Episode End
    Every step terminates; its info holds the problem's "solution".

    ## Arguments
    - `reward`: see Reward; default "strict".
    - `difficulty`: steps of the problems, 1 to 4; default 0, which mixes them.
    - `split`: "train" (default) or "held-out", which never hold the same problem.

    ## Version History
    - v0: initial version.
    """

    metadata = {"render_modes": []}

    def __init__(self, reward: str = "strict", difficulty: int = 0, split: str = "train"):
        if reward not in REWARDS:
            raise ValueError(f"reward must be one of {', '.join(REWARDS)}, got {reward[:40]!r}")
        self._draw = functools.partial(problem, difficulty=difficulty or None, split=split)
        self._reward = reward
        self._problem = self._draw(0)
        printable = frozenset(map(chr, range(32, 127)))
        self.action_space = spaces.Text(TEXT_LIMIT, min_length=0, charset=printable)
        self.observation_space = spaces.Text(TEXT_LIMIT, charset=printable)

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Draw a problem."""
        super().reset(seed=seed)
        self._problem = self._draw(self.np_random)
        return self._problem.question, {}

    def step(self, action: str):
        """Verify one completion."""
        verdict = verify(str(action), self._problem)
        info = {"solution": self._problem.solution}
        return self._problem.question, verdict.reward(self._reward), True, False, info
