"""Questions in everyday words: what a template could have made is answered, all else has a way on."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toy_envs.question_reader import (
    LETTERS,
    SYNONYMS,
    TemplateSlots,
    example_of,
    parse_question,
    read_question,
    slots_of,
)
from toy_envs.word_problems import (
    DIFFICULTIES,
    PERSON_NAMES,
    TEMPLATES,
    draw_problems,
    fill_template,
    verify,
)


@pytest.mark.parametrize("split", ["train", "held-out"])
def test_every_problem_of_every_template_is_read_as_itself(split):
    found = set()
    for problem in draw_problems(1500, 3, split):
        parsed = parse_question(problem.question)
        assert parsed and parsed.problem() == problem
        reading = read_question(problem.question)
        assert (reading.text, reading.changes, reading.unknown) == (problem.question, (), ())
        assert reading.problem == problem
        found.add(parsed.template)
    assert found == set(TEMPLATES)


@given(st.text(max_size=200))
def test_whatever_is_typed_has_a_reading_and_a_nearest_problem_that_works(text):
    reading = read_question(text)
    assert parse_question(reading.nearest.question).problem() == reading.nearest
    assert verify(reading.nearest.solution, reading.nearest).strict
    if reading.problem:
        assert reading.unknown == () and read_question(reading.text).problem == reading.problem


WORDS = [*PERSON_NAMES, "Tom", "Mia", "has", "had", "buys", "more", "3", "four", "plums", "baskets"]
WORDS += [
    *SYNONYMS,
    "she",
    "How",
    "many",
    "does",
    "have",
    "?",
    ".",
    ",",
    "with",
    "in",
    "each",
    "$5",
]


@given(st.lists(st.sampled_from(WORDS), max_size=30))
def test_known_words_in_any_order_break_nothing(words):
    reading = read_question(" ".join(words))
    assert parse_question(reading.nearest.question)
    names = [new for old, new in reading.changes if old in ("Tom", "Mia")]
    assert len(set(names)) == len(names)  # different people stay different


@pytest.mark.parametrize(
    ("text", "read", "answer"),
    [
        (
            "Anna has three apples and buys 4 more. How many does she have?",
            "Ann has 3 apples and buys 4 more. How many apples does Ann have now?",
            7,
        ),
        (
            "Tom had 30 marbles and gave 12 to Lisa. How many marbles does he have left?",
            "Ann had 30 apples and gave 12 to Ben. How many apples does Ann have left?",
            18,
        ),
        (
            "There are 7 cookies in each basket. How many cookies are in 6 baskets?",
            "There are 7 apples in each bag. How many apples are in 6 bags?",
            42,
        ),
        (
            "Mia purchases 4 books for $3 each and a bag for $5. How many dollars does she spend?",
            "Ann buys 4 books for 3 dollars each and a bag for 5 dollars. "
            "How many dollars does Ann spend?",
            17,
        ),
        (
            "  Ben has 10 pens.   Cora has 2 times as many. How many pens does Cora have?  ",
            "Ben has 10 pens. Cora has 2 times as many. How many pens does Cora have?",
            20,
        ),
    ],
)
def test_everyday_words_are_read(text, read, answer):
    reading = read_question(text)
    assert reading.text == read and reading.problem.answer == answer
    assert verify(reading.problem.solution, reading.problem).strict


def test_changes_say_what_was_taken_for_what():
    changes = read_question(
        "Anna has three plums and buys 4 more. How many plums does she have?"
    ).changes
    assert changes == (("Anna", "Ann"), ("three", "3"), ("plums", "apples"), ("she", "Ann"))


@pytest.mark.parametrize(
    ("text", "unknown", "nearest"),
    [
        ("Sara is 12 years old. Her brother is 4 years younger. How old is he?", ("Her", "brother"),
         "Ann is 12 years old. Ben is 4 years younger. How old is Ben?"),
        ("Hal shares 40 stamps equally among 3 friends. How many stamps does each friend get?", (),
         "Hal shares 40 stamps equally among 5 friends. How many stamps does each friend get?"),
        ("Hal shares 41 stamps. How many?", (), None),
        ("Ann has 3 pens and buys 90 more. How many pens does Ann have now?", (), None),
    ],
)  # fmt: skip
def test_what_has_no_answer_is_refused_with_the_nearest(text, unknown, nearest):
    reading = read_question(text)
    assert reading.problem is None and reading.unknown == unknown
    if nearest:
        assert re.sub(r"\d+ friends", "", reading.nearest.question) == re.sub(
            r"\d+ friends", "", nearest
        )


def test_people_are_different_and_boxes_agree():
    assert (
        parse_question("Ann had 5 pens and gave 2 to Ann. How many pens does Ann have left?")
        is None
    )
    assert parse_question("There are 7 pens in each bag. How many pens are in 6 boxes?") is None
    assert parse_question("There are 7 pens in each box. How many pens are in 6 boxes?")


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_choice_of_every_slot_works(template):
    parsed = example_of(template)
    for slot in slots_of(template):
        choices = parsed.choices(slot)
        assert parsed.values[slot] in choices
        for value in {choices[0], choices[-1]}:
            changed = parsed.replace(slot, value)
            problem = changed.problem()
            assert verify(problem.solution, problem).strict
            assert parse_question(problem.question) == changed
        if slot in LETTERS:
            others = {str(n) for n in range(1, 60)} - set(choices)
            assert all(TemplateSlots.replace(parsed, slot, n).problem() is None for n in others)


def test_an_example_keeps_the_numbers_that_fit():
    assert example_of(TEMPLATES[0], (30, 12)).values["a"] == "30"
    assert example_of(TEMPLATES[0], (30, 12)).values["b"] == "12"
    kept = example_of(TEMPLATES[3], (40, 3)).values  # 40 is not shared by 3
    assert kept["a"] == "40" and kept["b"] != "3"


def test_numbers_that_fit_no_problem_give_none():
    words = dict(zip("NML", PERSON_NAMES, strict=False)) | {"THINGS": "pens"}
    assert fill_template(TEMPLATES[3], {"a": 40, "b": 3}, words) is None
    assert fill_template(TEMPLATES[3], {"a": 40, "b": 4}, words).answer == 10
    assert {len(template.steps) for template in TEMPLATES} == set(DIFFICULTIES)
