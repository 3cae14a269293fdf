"""Questions in everyday words, read as one of the templates, with its answer; or the nearest that works.

The templates that make problems (`toy_envs.word_problems`) are the only grammar: a question that one of
them could have made is taken apart into names, things and numbers, and so has a worked solution.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from toy_envs.word_problems import (
    BOXES,
    PERSON_NAMES,
    PLURALS,
    TEMPLATES,
    THINGS,
    Template,
    WordProblem,
    fill_template,
    fillings,
    vocabulary_texts,
)

PEOPLE = ("N", "M", "L")
LETTERS = "abcdef"
QUESTION_LIMIT = 1000  # characters that are read
ENDINGS = ("", " now", " left")
"""What may be added to a question, or left out, without another meaning."""
_ENDING = re.compile(r"(?: now| left| in total| in all| altogether)?\?$")
_SLOT = re.compile(r"{(\w+)}")
_WORD = re.compile(r"\d+|\w+(?:'\w+)?|[^\w\s]")
_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
).split()
NUMBER_WORDS = {word: str(value) for value, word in enumerate(_NUMBERS)} | {
    word: str(value)
    for value, word in zip(range(30, 60, 10), ("thirty", "forty", "fifty"), strict=True)
}
PRONOUNS = ("he", "she")
VERBS = ("has", "had", "is", "buys", "gets", "works", "finds", "shares", "gives", "puts", "and")
"""What follows a name at a sentence's beginning."""
SYNONYMS = {
    "purchases": "buys",
    "acquires": "buys",
    "owns": "has",
    "possesses": "has",
    "loses": "lost",
    "hands": "gives",
    "handed": "gave",
    "split": "shares",
    "splits": "shares",
    "divides": "shares",
    "evenly": "equally",
    "between": "among",
    "kids": "friends",
    "children": "friends",
    "people": "friends",
    "classmates": "friends",
    "pupils": "friends",
    "dollar": "dollars",
    "bucks": "dollars",
    "euros": "dollars",
    "remain": "left",
    "remaining": "left",
    "fewer": "less",
    "additional": "more",
    "extra": "more",
    "store": "shop",
    "Tuesday": "Monday",
    "Wednesday": "Friday",
}
"""Everyday words for known ones, both as they stand in a sentence."""


@dataclass(frozen=True, slots=True)
class TemplateSlots:
    """What fills a template's slots."""

    template: Template
    values: Mapping[str, str]
    """By slot: N, M, L, THINGS, BOX, BOXES and small letters from a on, those that the template has."""

    @property
    def numbers(self) -> dict[str, int]:
        """The given numbers, by letter."""
        return {
            slot: int(value)
            for slot, value in self.values.items()
            if len(slot) == 1 and slot.islower()
        }

    def problem(self) -> WordProblem | None:
        """The problem with its worked solution; None where no template's problem has these numbers."""
        return fill_template(self.template, self.numbers, self.values)

    def choices(self, slot: str) -> list[str]:
        """What can stand in a slot while all others stay: at least what stands there, if that fits."""
        if slot in PEOPLE:
            taken = {self.values[x] for x in PEOPLE if x in self.values and x != slot}
            return [name for name in PERSON_NAMES if name not in taken]
        if slot == "THINGS":
            return list(THINGS)
        if slot in ("BOX", "BOXES"):
            return list(BOXES if slot == "BOX" else PLURALS.values())
        fitting, fits = fillings(self.template), True
        for other, value in self.numbers.items():
            if other != slot:
                fits = fits & (fitting[other] == value)
        return [str(value) for value in np.unique(fitting[slot][fits])]

    def replace(self, slot: str, value: str) -> TemplateSlots:
        """The same with another value in a slot; a box's singular and plural go together."""
        changed = {slot: value}
        if slot == "BOX":
            changed["BOXES"] = PLURALS[value]
        if slot == "BOXES":
            changed["BOX"] = next(box for box, plural in PLURALS.items() if plural == value)
        return TemplateSlots(
            self.template, {x: changed.get(x, old) for x, old in self.values.items()}
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """How a question was read."""

    text: str
    """In known words as far as possible."""
    changes: tuple[tuple[str, str], ...]
    """What was taken for what, each once, in the order of the text."""
    unknown: tuple[str, ...]
    """Words that are left and that no problem has."""
    problem: WordProblem | None
    """With its answer, where a template could have made the text."""
    nearest: WordProblem
    """The most alike that one could have made, with as many of its numbers as fit."""


def slots_of(template: Template) -> list[str]:
    """A template's slots in the order of its text, each once."""
    return list(dict.fromkeys(_SLOT.findall(template.text)))


def parse_question(text: str) -> TemplateSlots | None:
    """The template that could have made a question, and what fills its slots; None where none could."""
    words = " ".join(text.split())
    for template, pattern in _patterns():
        found = pattern.fullmatch(words)
        if not found:
            continue
        values = {slot: found[slot] for slot in slots_of(template)}
        people = [values[x] for x in PEOPLE if x in values]
        box, boxes = values.get("BOX"), values.get("BOXES")
        if len(set(people)) == len(people) and (not box or not boxes or PLURALS[box] == boxes):
            return TemplateSlots(template, values)
    return None


def example_of(template: Template, numbers: tuple[int, ...] = ()) -> TemplateSlots:
    """A problem of a template, with these numbers in its order as far as such a problem exists."""
    fitting = fillings(template)
    letters = [slot for slot in slots_of(template) if slot in LETTERS]
    rows = np.ones(len(fitting["p"]), bool)
    for letter, value in zip(letters, numbers, strict=False):
        closer = rows & (fitting[letter] == value)
        rows = closer if closer.any() else rows
    middle = np.flatnonzero(rows)[rows.sum() // 2]
    chosen = {letter: str(fitting[letter][middle]) for letter in letters}
    words = dict(zip(PEOPLE, PERSON_NAMES, strict=False))
    words |= {"THINGS": THINGS[0], "BOX": BOXES[0], "BOXES": PLURALS[BOXES[0]]}
    return TemplateSlots(template, {slot: (words | chosen)[slot] for slot in slots_of(template)})


def read_question(text: str) -> Reading:
    """Read a question: map its words to known ones, then take it for what a template could have made.

    Unknown names become known ones, different ones different ones; he and she the person named last at
    the beginning of a sentence; number words digits; unknown things after a number known things; a few
    everyday words what problems say. Whatever text there is, there is a reading.
    """
    mapped, changes = _map_words(text[:QUESTION_LIMIT])
    for ending in ENDINGS:
        parsed = parse_question(_ENDING.sub(f"{ending}?", mapped))
        if parsed:
            mapped = _ENDING.sub(f"{ending}?", mapped)
            break
    problem = parsed.problem() if parsed else None
    known = _known_words()
    unknown = tuple(
        dict.fromkeys(w for w in _WORD.findall(mapped) if not w.isdigit() and w not in known)
    )
    return Reading(mapped, changes, unknown, problem, _nearest(mapped))


@functools.cache
def _patterns() -> list[tuple[Template, re.Pattern[str]]]:
    words = {
        **dict.fromkeys(PEOPLE, "|".join(PERSON_NAMES)),
        "THINGS": "|".join(THINGS),
        "BOX": "|".join(BOXES),
        "BOXES": "|".join(PLURALS.values()),
    }
    found = []
    for template in TEMPLATES:
        pattern, seen = "", set[str]()
        for i, part in enumerate(_SLOT.split(template.text)):
            if i % 2 == 0:
                pattern += re.escape(part)
            else:
                pattern += (
                    f"(?P={part})"
                    if part in seen
                    else f"(?P<{part}>{words.get(part, '[0-9]{1,6}')})"
                )
                seen.add(part)
        found.append((template, re.compile(pattern)))
    return found


@functools.cache
def _known_words() -> frozenset[str]:
    return frozenset(word for text in vocabulary_texts() for word in _WORD.findall(text))


def _map_words(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The text in known words, and what was taken for what."""
    words = _WORD.findall(re.sub(r"[$€£]\s?(\d+)", r"\1 dollars", text.replace("’", "'")))
    known = _known_words()
    free = {
        "name": [name for name in PERSON_NAMES if name not in words],
        "thing": [thing for thing in THINGS if thing not in words],
        "box": [box for box in BOXES if not {box, PLURALS[box]} & set(words)],
    }
    taken: dict[str, str] = {}
    changes: dict[tuple[str, str], None] = {}
    mapped: list[str] = []
    person, thing = "", ""
    for place, word in enumerate(words):
        before = mapped[-1] if mapped else "."
        if word.lower() in NUMBER_WORDS and before != "the":
            new = NUMBER_WORDS[word.lower()]
        elif word.lower() in PRONOUNS and person:
            new = person
        elif word in known or word in taken or not word[0].isalpha():
            new = taken.get(word, word)
        else:
            new = _taken_for(words, place, mapped, free)
            if new != word:
                taken[word] = new
                if new in THINGS:
                    taken[f"{word}s"] = new
                if new in PLURALS:
                    taken[f"{word}s"] = PLURALS[new]
                if new in PLURALS.values():
                    singular = next(box for box, plural in PLURALS.items() if plural == new)
                    taken[word.removesuffix("s")] = singular
        if new in PERSON_NAMES and (before in ".?!" or not person):
            person = new
        if new in THINGS:
            thing = new
        if mapped[-2:] == ["How", "many"] and new in ("do", "does", "are") and thing:
            mapped.append(thing)
        if new != word:
            changes[word, new] = None
        mapped.append(new)
    return re.sub(r"\s+([.,?!;:])", r"\1", " ".join(mapped)), tuple(changes)


def _taken_for(words: list[str], place: int, mapped: list[str], free: dict[str, list[str]]) -> str:
    """A known word for an unknown one, by its form and by what stands around it; else itself."""
    word, low, known = words[place], words[place].lower(), _known_words()
    before, after = (
        mapped[-1] if mapped else ".",
        words[place + 1] if place + 1 < len(words) else "",
    )
    starts = before in ".?!"
    spelt = [low, word.capitalize()] if starts else [low]
    spelt += [SYNONYMS.get(word, ""), SYNONYMS.get(low, ""), f"{low}s", f"{low}es"]
    for form in spelt:
        if form in known:
            return form
    if word[0].isupper() and (not starts or after in VERBS or after in SYNONYMS):
        kind = "name"
    elif mapped[-2:] == ["in", "each"] or (before.isdigit() and after == "with"):
        kind = "box"
    elif before.isdigit() or before in ("red", "blue", "many", "more"):
        kind = "thing"
    else:
        return word
    if not free[kind]:
        return word
    found = free[kind].pop(0)
    return PLURALS[found] if kind == "box" and before.isdigit() else found


def _nearest(text: str) -> WordProblem:
    """The most alike problem that a template makes, with as many of the text's numbers as fit."""
    words = _frame(text)
    template = max(
        TEMPLATES, key=lambda t: difflib.SequenceMatcher(None, words, _frame_of(t), False).ratio()
    )
    numbers = tuple(int(found) for found in re.findall(r"\d{1,6}", text))
    parsed = example_of(template, numbers)
    people = [w for w in dict.fromkeys(_WORD.findall(text)) if w in PERSON_NAMES]
    things = [w for w in _WORD.findall(text) if w in THINGS]
    slots = [slot for slot in PEOPLE if slot in parsed.values]
    names = [*people, *(name for name in PERSON_NAMES if name not in people)]
    values = dict(parsed.values) | dict(zip(slots, names, strict=False))
    if things and "THINGS" in values:
        values["THINGS"] = things[0]
    problem = TemplateSlots(template, values).problem()
    assert problem is not None  # its numbers are a filling
    return problem


def _frame(text: str) -> list[str]:
    """A text's words with names, things and numbers left out, so that frames can be compared."""
    kinds = {**dict.fromkeys(PERSON_NAMES, "N"), **dict.fromkeys(THINGS, "THINGS")}
    return ["0" if word.isdigit() else kinds.get(word, word) for word in _WORD.findall(text)]


@functools.cache
def _frame_of(template: Template) -> list[str]:
    problem = example_of(template).problem()
    return _frame(problem.question if problem else "")
