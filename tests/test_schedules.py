"""Schedules: values, the lossless text form, and refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkpo import get_estimator, schedules
from pkpo.schedules import Piece, Schedule, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8", {0: 8, 10**9: 8}),
        ("8@0,1@1500", {0: 8, 1499: 8, 1500: 1, 9999: 1}),
        ("linear:8->1@7", {0: 8, 1: 7, 6: 2, 7: 1, 100: 1}),
        ("linear:1->2@2", {0: 1, 1: 2, 2: 2}),  # halves up
        ("linear:2->1@2", {0: 2, 1: 2, 2: 1}),
        ("cosine:9->1@100..200", {0: 9, 100: 9, 150: 5, 200: 1, 300: 1}),
        ("exponential:16->1@4", {0: 16, 1: 8, 2: 4, 3: 2, 4: 1}),
        ("1@0,linear:1->8@50..57,4@200", {49: 1, 50: 1, 51: 2, 57: 8, 199: 8, 200: 4}),
        ("linear:8->4@4,linear:4->8@4..8", {0: 8, 3: 5, 4: 4, 5: 5, 8: 8}),
    ],
)
def test_values(text, expected):
    schedule = parse(text)
    updates = np.array(list(expected))
    assert schedule.values(updates).tolist() == list(expected.values())
    assert [schedule(int(u)) for u in updates] == list(expected.values())


@pytest.mark.parametrize(
    ("built", "text"),
    [
        (schedules.constant(8), "8"),
        (schedules.step((8, 0), (1, 1500)), "8@0,1@1500"),
        (schedules.linear(8, 1, 100), "linear:8->1@100"),
        (schedules.cosine(8, 1, 100, start=20), "cosine:8->1@20..100"),
        (schedules.exponential(1, 8, 9), "exponential:1->8@9"),
    ],
)
def test_factories_print_and_parse(built, text):
    assert str(built) == text
    assert parse(text) == built


@st.composite
def any_schedule(draw):
    pieces, at = [], 0
    for index in range(draw(st.integers(1, 5))):
        start = at + draw(st.integers(0, 50)) if index else 0
        first, last = draw(st.integers(1, 64)), draw(st.integers(1, 64))
        shape = draw(st.sampled_from([None, *schedules.RAMPS]))
        if shape is None:
            pieces.append(Piece(first, first, start, start))
            at = start + 1
        else:
            at = start + draw(st.integers(1, 50))
            pieces.append(Piece(first, last, start, at, shape))
    return Schedule(tuple(pieces))


@settings(derandomize=True, deadline=None)
@given(any_schedule())
def test_text_form_is_lossless_and_k_stays_between_its_ends(schedule):
    assert parse(str(schedule)) == schedule
    assert parse(f"  {schedule} ") == schedule
    values = schedule.values(np.arange(400))
    ends = [k for piece in schedule.pieces for k in (piece.first, piece.last)]
    assert values.dtype.kind == "i"
    assert min(ends) <= values.min() and values.max() <= max(ends)
    for piece in schedule.pieces:
        assert schedule(piece.start) == piece.first or any(
            other.start == piece.start and other is not piece for other in schedule.pieces
        )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "must look like"),
        ("eight", "must look like .* got 'eight'"),
        ("-1", "got '-1'"),
        ("8.5", "got '8.5'"),
        ("0", "k must be from 1 .* got 0"),
        ("8@0,0@5", "k must be from 1 .* got 0"),
        ("8@0,1@0", "must increase, got '1@0' after '8@0'"),
        ("8@0,1@9,2@5", "must increase, got '2@5' after '1@9'"),
        ("linear:8->1@10..100,4@10", "must increase, got '4@10'"),
        ("linear:8->1@10..100,4@5", "must increase, got '4@5'"),
        ("8@5", "start at update 0, got '8@5'"),
        ("8,1@100", "from which update"),
        ("linear:8->1@0", "end after it starts"),
        ("linear:8->1@9..9", "end after it starts"),
        ("zigzag:8->1@9", "shape must be one of linear, cosine, exponential, got 'zigzag'"),
        ("linear:8->1", "must look like"),
        ("9" * 12, "k must be from 1"),
        ("8@0,1@" + "9" * 12, "updates must be from 0"),
        ("9" * 5000, "must look like"),
        (",".join(f"1@{i}" for i in range(101)), "from 1 to 100 pieces, got 101"),
    ],
)
def test_refusals(text, reason):
    with pytest.raises(ValueError, match=reason):
        parse(text)


def test_negative_update_is_refused():
    with pytest.raises(ValueError, match="update must be >= 0, got -1"):
        parse("8")(-1)


@pytest.mark.parametrize(
    ("text", "n", "estimator", "reason"),
    [
        ("8", 4, "s", "k = 8 is more than n = 4"),
        ("2@0,8@999", 4, "s", "k = 8 is more than n = 4"),  # even if the run ends before
        ("8", 8, "canonical", r"k = 8 is not allowed with n = 8 .*from 1 to 7"),
        ("linear:8->4@4", 8, "naive", r"at update 1: k = 7 .*1, 2, 4, 8"),
        ("1@0,8@50", 8, "sloo", r"at update 50: k = 8"),
    ],
)
def test_check_names_the_update_and_what_is_allowed(text, n, estimator, reason):
    with pytest.raises(ValueError, match=reason):
        parse(text).check(n, 100, get_estimator(estimator))


def test_check_accepts_what_the_run_never_reaches():
    parse("1@0,8@500").check(8, 100, get_estimator("sloo"))
    parse("8@0,4@10,1@20").check(8, 100, get_estimator("naive"))


def test_a_piece_cuts_the_ramp_before_it_and_leaves_what_was():
    ramp, cut = parse("linear:8->1@200"), parse("linear:8->1@200,4@120,cosine:4->2@150..180,1@160")
    updates = np.arange(301)
    assert np.array_equal(cut.values(updates[:120]), ramp.values(updates[:120]))
    assert set(cut.values(updates[120:151])) == {4}
    alone = parse("cosine:4->2@150..180")
    assert np.array_equal(cut.values(updates[150:160]), alone.values(updates[150:160]))
    assert set(cut.values(updates[160:])) == {1}
    assert parse(str(cut)) == cut


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("8", "k = 8"),
        ("8@0,1@160", "k = 8, then 1 from update 160"),
        ("linear:8->1@100", "k = 8 → 1 (linear) by update 100"),
        ("linear:8->1@200,2@100", "k = 8 → 5 (linear) by update 99, then 2 from update 100"),
        (
            "2@0,cosine:8->1@50..150",
            "k = 2, then 8 → 1 (cosine) by update 150 from update 50",
        ),
    ],
)
def test_the_words_of_a_schedule_say_where_it_comes(text, words):
    assert parse(text).describe() == words
