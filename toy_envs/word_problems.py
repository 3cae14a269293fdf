"""Word problems in the manner of GSM8K, with a verifier that checks every step.

Short templates of 1 to 4 steps, filled with names, objects and whole numbers from 1 to 50. A worked
solution is a chain of equations and the answer behind `####`, as in `8*6=48;48-34=14####14`. How
equations are read says `toy_envs.arithmetic`, how answers are, `answer_of`.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from toy_envs.arithmetic import Equation, equations, number, pieces, plain_forms

HIGHEST = 50
"""No number of a problem, given or computed, is larger."""
FACTOR = 12
"""What is multiplied, or divided by, is at most this."""
DIFFICULTIES = (1, 2, 3, 4)
REWARDS = {
    "strict": "1 if the answer is right and every written equation is true, else 0",
    "answer": "1 if the answer is right, else 0",
    "share": "the share of true steps and the answer, which weighs more than all steps together",
}
ABSTENTION = "####?"
"""What a completion ends in that gives no answer, and says so."""
HIGHEST_ABSTENTION = 0.9
"""The most that abstaining can earn: a right answer earns 1, and more."""
SPLITS = ("train", "held-out")
HELD_OUT_SPLIT = 4  # one of so many problems is held out
TEXT_LIMIT = 512  # characters of a question or completion in the environment
ANSWER_LIMIT = 200  # characters of an answer that is read; a longer one is wrong

PERSON_NAMES = ("Ann", "Ben", "Cora", "Dan", "Eva", "Finn", "Gia", "Hal")
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
class WordProblem:
    """A question, its worked solution, and the answer."""

    question: str
    solution: str
    answer: int
    difficulty: int
    """How many steps the worked solution has."""


def draw_problem(
    seed: int | np.random.Generator, difficulty: int | None = None, split: str = "train"
) -> WordProblem:
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
    people = rng.permutation(len(PERSON_NAMES))[:3]
    box = BOXES[rng.integers(len(BOXES))]
    words = {letter: PERSON_NAMES[i] for letter, i in zip("NML", people, strict=True)}
    words["THINGS"] = THINGS[rng.integers(len(THINGS))]
    words |= {"BOX": box, "BOXES": PLURALS[box]}
    return _filled(template, numbers, words)


def fill_template(
    template: Template, given: Mapping[str, int], words: Mapping[str, str]
) -> WordProblem | None:
    """The problem of these numbers and words; None where the numbers fit no problem of the template.

    Args:
      template: the kind of problem.
      given: a number for each of its small letters from a on.
      words: for N, M, L, THINGS, BOX and BOXES, as far as the template has them.
    """
    fitting = fillings(template)
    fits = np.logical_and.reduce([fitting[letter] == value for letter, value in given.items()])
    if not fits.any():
        return None
    row = int(np.flatnonzero(fits)[0])
    numbers = {letter: int(column[row]) for letter, column in fitting.items()}
    return _filled(template, numbers, words)


def _filled(
    template: Template, numbers: Mapping[str, int], words: Mapping[str, str]
) -> WordProblem:
    """The problem of these numbers, given and computed, and these words."""
    question = template.text.format(**{**words, **numbers})
    results = "pqrs"[: len(template.steps)]
    equations = [
        "".join(str(numbers.get(x, x)) for x in (*step, "=", result))
        for step, result in zip(template.steps, results, strict=True)
    ]
    answer = numbers[results[-1]]
    return WordProblem(question, f"{';'.join(equations)}####{answer}", answer, len(results))


def draw_problems(
    count: int, seed: int | np.random.Generator, split: str = "train", difficulty: int | None = None
) -> list[WordProblem]:
    """So many random problems; without a difficulty, all are equally likely. See `draw_problem`."""
    rng = np.random.default_rng(seed)
    return [draw_problem(rng, difficulty, split) for _ in range(count)]


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
    return SPLITS[int.from_bytes(digest) % HELD_OUT_SPLIT == 0]


def vocabulary_texts() -> list[str]:
    """Texts that together hold every word and sign of every problem and solution but the digits."""
    blanks = {**dict.fromkeys("NMLabcde", ""), "THINGS": "", "BOX": "", "BOXES": ""}
    frames = [template.text.format(**blanks) for template in TEMPLATES]
    return [*frames, *PERSON_NAMES, *THINGS, *PLURALS, *PLURALS.values(), "+-*/=;####"]


# --- The verifier ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a completion got right."""

    answer: bool
    """The number behind `####` is the answer."""
    steps: int
    """Written steps, the same one counted once: equations, and what stands in their place."""
    true_steps: int
    """Of these, true equations."""
    needed: int
    """Steps of the worked solution."""
    abstains: bool = False
    """It ends in `ABSTENTION`, and gives no answer."""

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
        """The share that is right of m steps and the answer, which weighs as much as m + 1 steps.

        m is the number of steps written or needed, whichever is more. A right answer earns more than
        1/2, a wrong one less, whatever steps it has.
        """
        m = max(self.steps, self.needed)
        return (self.true_steps + (m + 1) * self.answer) / (2 * m + 1)

    def reward(self, mode: str, abstention: float = 0.0) -> float:
        """By a key of `REWARDS`, or for abstaining what that earns, if it is more."""
        return max(float(getattr(self, mode)), abstention * self.abstains)


def verify(text: str, problem: WordProblem) -> Verdict:
    """Check a completion, whatever it holds.

    Steps are the equations before its answer, in sentences or not, read by the grammar of
    `toy_envs.arithmetic`; what is meant as one and is not understood counts as an untrue step.

    Where the text has GSM8K's calculator marks `<<48/2=24>>`, steps are what is within them, and on
    lines without words; the sentences around repeat them in short or set up unknowns. A mark that
    holds no equation is an untrue step, and so is one with another number behind it than its result,
    as in `<<8*6=48>>49`. Marks that compute nothing, as `<<14=14>>`, are not marks: the sentences count.

    Of a text without a step that computes something, the chain is not valid. Equations behind the
    answer do not count, neither for nor against it.
    """
    place, given = _given(text)
    steps = _steps(text, place)
    right = given is not None and given == problem.answer
    abstains = given is None and "".join(text.split()).endswith(ABSTENTION)
    return Verdict(right, len(steps), sum(steps.values()), _needed(problem), abstains)


@functools.lru_cache(maxsize=16_384)
def _needed(problem: WordProblem) -> int:
    """Different steps of a worked solution."""
    return len(_steps(problem.solution, _given(problem.solution)[0])) or problem.difficulty


def answer_of(text: str) -> str:
    r"""What a completion gives as its answer; "" if it gives none.

    That is the rest of the line behind the first `####` behind which a number stands, up to the next
    `####`, or the next line if it is empty. A heading, `#### Step 1`, whose words come before its
    number, is none. The answer is read as follows (each row a test):

    | written | read as |
    |---|---|
    | `14`, `14.`, `+14`, `14.0000000`, `014`, full-width digits | 14 |
    | `**14**`, `$14$`, `\boxed{14}`, `\(14\)`, `14</s>`, `Answer: 14`, `The answer is 14` | 14 |
    | `$14`, `€14`, `14 €`, `14%`, `14 pens`, `14 (pens)`, `14, as asked` | 14 |
    | `1,024`, `$1,024.00` | 1024 |
    | `-14`, `−14`, `–14`, `-$14`, `$-14` | -14 |
    | `1,4`, `1,,4`, `10,80`, `1 4`, `- 14` | nothing |
    | `14 or 15`, `14-15`, `14 + 1`, `28/2`, `8+6=14`, `14:30`, `14x`, `14k`, `1.4e1` | nothing |
    | `14 thousand`, `14 dozen`, `14 and a half`, digits of other scripts | nothing |
    | `14 #### 9`, `14` and a line `#### 9` | 14: the first counts |
    """
    return _parts(text)[1]


def _parts(text: str) -> tuple[int, str]:
    """Where the working ends, in characters, and the answer behind it."""
    place = text.find("####")
    while place >= 0:
        after = text.find("####", place + 4)
        behind = text[place + 4 : after if after >= 0 else len(text)].lstrip("#").strip()
        line = behind.partition("\n")[0].strip()
        if _HOLDS_NUMBER.match(_plain(line)):
            return place, line
        place = after
    return len(text), ""


def _given(text: str) -> tuple[int, Fraction | None]:
    """Where the working ends, and the number that the answer is read as."""
    place, line = _parts(text)
    found = _ANSWER.fullmatch(_plain(line)) if len(line) <= ANSWER_LIMIT else None
    value = number(found["digits"]) if found and not _MANIFOLD.search(found["rest"]) else None
    if found is None or value is None:
        return place, None
    return place, value if found["sign"] in ("", "+") else -value


def _plain(line: str) -> str:
    return _DECORATION.sub("", plain_forms(line[: ANSWER_LIMIT + 1]))


_DECORATION = re.compile(
    r"</?[a-zA-Z|][^<>]*>|\\(?:boxed|text\w*|math\w*|[()\[\],!$%])|[*`\"“”{}$€£¥₹]"
)
_ANSWER_IS = r"\s*(?:(?:the\s+)?(?:final\s+)?answer(?:\s+is)?\s*:?\s*)?"
_HOLDS_NUMBER = re.compile(rf"{_ANSWER_IS}(?:(?![^\W\d_])\D)*\d", re.IGNORECASE)
_ANSWER = re.compile(
    rf"{_ANSWER_IS}(?P<sign>[-+−–]?)(?P<digits>[0-9](?:[0-9,]*[0-9])?(?:\.[0-9]+)?)\s*%?"
    r"(?P<rest>(?:[.,;:!?)]?(?:\s[^\d+*/×÷=^<>]*)?)?)",
    re.IGNORECASE,
)
_MANIFOLD = re.compile(
    r"\b(?:hundred|thousand|million|billion|dozen|half|halves|thirds?|quarters?|or)s?\b",
    re.IGNORECASE,
)
_MARK = re.compile(r"<<([^<>]*)>>")
_RESULT = re.compile(r"\s*[$€£]?\s*(\.?[0-9](?:[0-9,.]*[0-9])?)")


def _steps(text: str, place: int) -> dict[str, bool]:
    """What a completion holds up to a place, each step once and whether it is true."""
    working = text[:place]
    found = _marked(working) if "<<" in working else []
    steps: dict[str, bool] = {}
    for step in found or equations(_MARK.sub(" ", working)):
        steps[step.text] = step.true and steps.get(step.text, True)
    return steps


def _marked(working: str) -> list[Equation]:
    """The steps in calculator marks and on lines without words; none if there are no marks."""
    found = [step for mark in _MARK.finditer(working) for step in _in_mark(mark, working)]
    if found:
        bare = (p for p in pieces(_MARK.sub("a", working)) if not any(map(str.isalpha, p)))
        found += [step for piece in bare for step in equations(piece)]
    return found


def _in_mark(mark: re.Match[str], working: str) -> list[Equation]:
    found = equations(mark[1])
    behind = _RESULT.match(working, mark.end())
    result = mark[1].rpartition("=")[2].strip()
    other = behind and number(behind[1]) != number(result) and number(result) is not None
    if other or (not found and "=" not in mark[1]):
        return [Equation(mark[0], False)]
    return found


# --- Problems from a file -------------------------------------------------------------------------


def load_gsm8k(path: str | Path) -> list[WordProblem]:
    """Problems of a JSONL file in GSM8K's format.

    Every line is an object with the texts "question" and "answer"; the latter ends in `####` and a
    whole number, and is kept as the worked solution. The difficulty is its number of steps, as `verify`
    finds them, at least 1. Empty lines are skipped, and a byte order mark is; `~` is one's home.

    Raises:
      ValueError: the file cannot be read, holds no problem, or a line is not as described; it names
        the line.
    """
    try:
        # Not splitlines: U+2028 and others, which JSON allows within a text, end no line here.
        lines = Path(path).expanduser().read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError, RuntimeError) as reason:
        raise ValueError(f"{path}: cannot be read ({reason})") from None
    result = [
        _gsm8k_problem(line, f"{path}, line {number}")
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]
    if not result:
        raise ValueError(f"{path}: holds no problem")
    return result


def write_gsm8k(problems: Iterable[WordProblem], path: str | Path) -> None:
    """Write problems as `load_gsm8k` reads them, each once."""
    items = ({"question": p.question, "answer": p.solution} for p in dict.fromkeys(problems))
    text = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)
    Path(path).expanduser().write_text(text, encoding="utf-8")


def gsm8k_splits(path: str | Path) -> tuple[list[WordProblem], list[WordProblem]]:
    """Problems to train on, and problems to be held out, in GSM8K's format.

    Each question occurs once, blanks aside: of several the first, and one held out is not trained on.

    Args:
      path: a folder that holds train.jsonl and test.jsonl, as GSM8K's, or a single file: of that, about
        one question in `HELD_OUT_SPLIT` is held out; which ones follows from their texts.

    Raises:
      ValueError: see `load_gsm8k`; or a part is empty.
    """
    path = Path(os.path.expanduser(path))  # as it stands where there is no such home
    if path.is_dir():
        others = _each_once(load_gsm8k(path / "test.jsonl"))
        own = _each_once(load_gsm8k(path / "train.jsonl"))
        held_out = list(others.values())
        train = [p for question, p in own.items() if question not in others]
    else:
        parts: dict[str, list[WordProblem]] = {split: [] for split in SPLITS}
        for question, p in _each_once(load_gsm8k(path)).items():
            parts[split_of(question)].append(p)
        train, held_out = parts.values()
    if not train or not held_out:
        raise ValueError(f"{path}: must hold problems to train on and others to be held out")
    return train, held_out


def _each_once(found: Iterable[WordProblem]) -> dict[str, WordProblem]:
    """The first problem of every question, by the question without needless blanks."""
    by_question: dict[str, WordProblem] = {}
    for p in found:
        by_question.setdefault(" ".join(p.question.split()), p)
    return by_question


def _gsm8k_problem(line: str, where: str) -> WordProblem:
    try:
        item = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError(f"{where}: must be a JSON object, got {line[:40]!r}") from None
    if not isinstance(item, dict):
        raise ValueError(f"{where}: must be a JSON object, got {line[:40]!r}")
    for name in ("question", "answer"):
        if not isinstance(item.get(name), str) or not item[name].strip():
            raise ValueError(f"{where}: {name!r} must be a text, got {str(item.get(name))[:40]!r}")
    place, given = _given(item["answer"])
    if given is None or given.denominator > 1:
        raise ValueError(
            f"{where}: 'answer' must end in #### and a whole number, got {item['answer'][-40:]!r}"
        )
    steps = max(1, len(_steps(item["answer"], place)))
    return WordProblem(item["question"], item["answer"], int(given), steps)


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
    "answer" (1 if the answer is right) or "share" (the share of true steps and the answer, which weighs
    more than all steps together: above 1/2 if it is right, below if not). `verify` says what steps and
    answers are. A completion that ends in `####?` abstains and earns `abstention`, if that is more.

    ## Episode End
    Every step terminates; its info holds the problem's "solution".

    ## Arguments
    - `reward`: see Reward; default "strict".
    - `abstention`: see Reward, from 0 to 0.9; default 0.
    - `difficulty`: steps of the problems, 1 to 4; default 0, which mixes them.
    - `split`: "train" (default) or "held-out", which never hold the same problem.

    ## Version History
    - v0: initial version.
    """

    metadata = {"render_modes": []}

    def __init__(
        self,
        reward: str = "strict",
        difficulty: int = 0,
        split: str = "train",
        abstention: float = 0.0,
    ):
        if reward not in REWARDS:
            raise ValueError(f"reward must be one of {', '.join(REWARDS)}, got {reward[:40]!r}")
        if not 0 <= abstention <= HIGHEST_ABSTENTION:
            raise ValueError(
                f"abstention must be from 0 to {HIGHEST_ABSTENTION:g}, got {abstention!r}"
            )
        self._draw = functools.partial(draw_problem, difficulty=difficulty or None, split=split)
        self._reward = reward
        self._abstention = abstention
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
        reward = verdict.reward(self._reward, self._abstention)
        return self._problem.question, reward, True, False, info
