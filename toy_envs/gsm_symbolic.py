"""reasoning-gym's `gsm_symbolic`, cleaned: every worked solution is a chain of true equations.

Templates after GSM-Symbolic (arXiv:2410.05229), which asks problems of GSM8K with other names and
numbers. Their solutions are running text with faults: units within fractions, `48=48`, numbers that come
from nowhere, answers such as `108.0`. What is kept of a solution is its equations, as in
`8*6=48;48-34=14####14`; a problem of which that is not the whole solution is left out (`reduced`). Of
the 85 templates that reasoning-gym 0.1.25 offers 66 remain, and 71% of what they make. Of 12,000 items,
949 held a step that is no plain equation, 855 were too long, 538 held a false equation or ended in a
fraction, 413 took a number from nowhere, and 698 were of `LEFT_OUT`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from toy_envs.word_problems import TEXT_LIMIT, WordProblem, split_of, verify

SOLUTION_LIMIT = 66
"""Characters of a reduced solution: 64 tokens, `####` and the one that closes it being one each."""
SUFFIX = " Give the result as your final answer. Do not include units."
LEFT_OUT = (11, 49, 73, 92, 99)
"""Templates, by their number, of which next to nothing remains: their words could not be learned."""
ITEMS_PER_DRAW = 64  # items that are made from one seed
EXAMPLES = 20_000  # problems whose words are all words
MEANT = {
    "half": (2, Fraction(1, 2)),
    "quarter": (4, Fraction(1, 4)),
    "twice": (2,),
    "twins": (2,),
    "two": (2,),
    "average": (2,),
    "three": (3,),
    "dozen": (12,),
    "hour": (60,),
    "week": (7,),
    "month": (30,),
    "year": (12, 365),
    "percent": (100,),
    "%": (100,),
}
"""Numbers that a question gives without digits, by what it says; 1 needs no word."""


def draw_problems(
    count: int, seed: int | np.random.Generator, split: str = "train"
) -> list[WordProblem]:
    """So many random problems.

    No problem of one split has the worked solution of one in the other, so that none has its template
    and numbers.

    Args:
      count: how many.
      seed: a seed, or the generator to draw from.
      split: "train" or "held-out".

    Raises:
      ValueError: reasoning-gym is not installed.
    """
    rng = np.random.default_rng(seed)
    made: list[WordProblem] = []
    while len(made) < count:
        found = (reduced(*item) for item in _items(int(rng.integers(2**32)), ITEMS_PER_DRAW))
        made += [p for p in found if p is not None and split_of(p.solution) == split]
    return made[:count]


def vocabulary_texts() -> list[str]:
    """Texts that together hold the words and signs of the problems: many of them."""
    return [text for p in draw_problems(EXAMPLES, 0) for text in (p.question, p.solution)]


def _items(seed: int, count: int) -> Iterator[tuple[str, str, str]]:
    """Questions, worked solutions and answers as reasoning-gym has them."""
    try:
        import reasoning_gym  # late: an extra
    except ModuleNotFoundError:
        raise ValueError(
            "new problems of gsm_symbolic need the extra gsm-symbolic: "
            "pip install 'pkpo-lab[gsm-symbolic]'"
        ) from None
    made = reasoning_gym.create_dataset("gsm_symbolic", seed=seed, size=count)
    for template, item in zip(made.task_indices, made, strict=True):
        if template not in LEFT_OUT:
            question = item["question"].removesuffix(SUFFIX)
            yield question, item["metadata"]["answer_cot"], item["answer"]


def reduced(question: str, working: str, answer: str) -> WordProblem | None:
    """A problem with its solution reduced to equations.

    Args:
      question: as it is asked.
      working: the worked solution as running text.
      answer: the answer.

    Returns:
      None if something is wrong with it: a result is no whole number, the answer is not the last
      one, an equation is false or takes a number that neither the question nor an equation before it
      gives, what is said to equal something is no sum of numbers, or a text is too long.
    """
    text = _bare(working)
    equations = _written(text)
    if len(equations) < len(_EQUALS.findall(text)):
        return None
    known, result = _given(question), None
    steps: dict[str, None] = {}  # in order, each once
    for equation in equations:
        left, right = equation.split("=")
        if not known.issuperset(map(Fraction, _NUMBER.findall(left))):
            return None
        result = Fraction(right)
        if result.denominator > 1:
            return None
        known.add(result)
        step = _NUMBER.sub(lambda digits: str(Fraction(digits[0])), equation)
        steps[step.replace(" ", "")] = None
    if result is None or result != Fraction(answer):
        return None
    made = WordProblem(question, f"{';'.join(steps)}####{result}", int(result), len(steps))
    short = len(question) <= TEXT_LIMIT and len(made.solution) <= SOLUTION_LIMIT
    sound = short and verify(made.solution, made).strict
    return made if sound else None


def _written(text: str) -> list[str]:
    """The plain equations in running text: numbers joined by `+ - * /`, and one number."""
    return _EQUATION.findall(re.sub(r"(?<=\d)[ ]*[x×][ ]*(?=\d)", "*", text))


_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_SIGNED = r"-?(?:\d{1,12}(?:\.\d{1,6})?|\.\d{1,6})"
# Not the end of a longer sum, and not where the right side is a sum again.
_EQUATION = re.compile(
    rf"(?:^(?:[-*][ ])?|[^\s\d.+*/)-]|\.(?=[ ]))[ ]*"
    rf"({_SIGNED}(?:[ ]*[-+*/][ ]*{_SIGNED})+[ ]*=[ ]*{_SIGNED})(?![\d.]*[ ]*[-+*/\d])",
    re.ASCII | re.MULTILINE,
)
_EQUALS = re.compile(r"[\d)] *=", re.ASCII)  # of what looks like an equation
_WORD = r"[^\W\d_]+"
_BARE = (
    (re.compile(r"[$€£•]|(?<=\d),(?=\d{3})"), ""),
    (re.compile(r"(?m)^ *- "), ""),  # a list
    (re.compile(r"half \*"), "1/2 *"),
    (re.compile(r" [x×] (?=\d)"), " * "),
    (re.compile("÷"), "/"),
    (re.compile(r" \+ ([A-Z]) = (\d+) \+ \1 = \d+"), r" = \2"),  # an unknown on both sides
    (re.compile(rf"/ ?{_WORD}"), ""),  # per unit
    (re.compile(rf"(?<=\d)%?(?: {_WORD})*(?= *[-+*/=])"), ""),  # units
    (re.compile(r"(?<=\d)%"), ""),
)
"""What turns the sums of a worked solution into equations, in this order."""


def _bare(working: str) -> str:
    """A worked solution without units."""
    for pattern, replacement in _BARE:
        working = pattern.sub(replacement, working)
    return working


def _given(question: str) -> set[Fraction]:
    """The numbers that a solution may take from a question."""
    text = re.sub(r"(?<=\d),(?=\d{3})", "", question)
    numbers = {Fraction(digits) for digits in _NUMBER.findall(text)} | {Fraction(1)}
    for digits in re.findall(rf"({_NUMBER.pattern})%", text):
        share = Fraction(digits) / 100
        numbers |= {share, 1 - share, 1 + share}
    numbers |= {Fraction(d) / 100 for d in re.findall(rf"({_NUMBER.pattern}) cents", text)}
    return numbers.union(*(map(Fraction, MEANT[word]) for word in MEANT if word in text))
