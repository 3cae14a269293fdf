"""Which k: exact gains against enumeration of every group, texts, and the page."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from app.controls.which_k import RATE_EXAMPLES
from pkpo import schedules
from pkpo.analysis import advised_schedules, choose_k, parse_rates
from pkpo.analysis.k_choice import DIFFERENT_RATES_LIMIT, TRIES_LIMIT
from pkpo.comparisons import word_problems as study
from pkpo.estimators import transform
from pkpo.fields import FieldError
from pkpo.figures import k_choice as figures
from pkpo.lm.experiments import METHODS, recorded_runs
from tests.pages import open_page, words_of

RATES, N = (0.3, 0.3, 0.05, 0.9, 0.0, 1.0), 4


def by_hand(tries: int, rates=RATES, n: int = N) -> tuple[np.ndarray, np.ndarray]:
    """Gains at K tries and shares of silent groups, from every group of right and wrong answers."""
    gains, silences = [], []
    for k in range(1, n + 1):
        along, squared, silent = 0.0, 0.0, 0.0
        for p in rates:
            target = tries * (1 - p) ** (tries - 1) * p * (1 - p) * np.array([-1.0, 1.0])
            for group in itertools.product((0, 1), repeat=n):
                chance = np.prod([p if right else 1 - p for right in group])
                weights = transform(np.array(group, float), k, "sloo_minus_one")
                # log-probabilities by the logits (wrong, right)
                scores = np.array([[p - 1, 1 - p] if right else [p, -p] for right in group])
                estimate = weights @ scores
                along += chance * estimate @ target
                squared += chance * estimate @ estimate
                silent += chance * (weights == 0).all()
        gains.append(along / np.sqrt(squared))
        silences.append(silent / len(rates))
    return np.array(gains) / max(gains), np.array(silences)


@pytest.mark.parametrize("tries", [1, 3, 8])
def test_gains_are_those_of_every_group_enumerated(tries):
    found = choose_k(RATES, tries, N)
    gains, silent = by_hand(tries)
    assert found.gain == pytest.approx(gains, abs=1e-12)
    assert found.silent == pytest.approx(silent, abs=1e-12)
    assert found.best == gains.argmax() + 1


def test_what_is_solved_today_is_the_exact_chance():
    found = choose_k(RATES, 8, N)
    for k, solved in zip(found.tried, found.solved, strict=True):
        assert solved == pytest.approx(np.mean([1 - (1 - p) ** int(k) for p in RATES]), abs=1e-12)
    assert {1, 8} <= set(found.tried.tolist())


def test_equally_hard_problems_differ_in_noise_only():
    found = choose_k([0.3] * 20, 16, 16)
    assert found.gain == pytest.approx(found.single_gain, abs=1e-9)
    assert "only noise decides" in figures.describe_choice(found)


def test_more_tries_ask_for_a_larger_k_but_not_for_all_of_it():
    mixed = parse_rates(RATE_EXAMPLES["Of every kind"])
    best = [choose_k(mixed, tries, 16).best for tries in (1, 4, 8, 16, 64)]
    assert best == sorted(best)
    assert best[0] == 1
    assert 1 < best[2] < 16


@pytest.mark.parametrize(
    ("rates", "tries", "n", "field", "message"),
    [
        ([0.5], 0, 16, "tries", f"tries must be from 1 to {TRIES_LIMIT}, got 0"),
        ([0.5], 8, 1, "n", "n must be from 2 to 64, got 1"),
        ([], 8, 16, "rates", "got 0"),
        ([1.5], 8, 16, "rates", "from 0 to 1, got 1.5"),
        ([float("nan")], 8, 16, "rates", "from 0 to 1, got nan"),
        ([0.0, 1.0], 8, 16, "rates", "must hold one between 0 and 1"),
        (np.linspace(0.01, 0.9, DIFFERENT_RATES_LIMIT + 1), 8, 16, "rates", "round them"),
    ],
)
def test_what_cannot_be_used_is_named(rates, tries, n, field, message):
    with pytest.raises(FieldError, match=message) as refused:
        choose_k(rates, tries, n)
    assert refused.value.field == field


def test_rates_are_read_from_text():
    assert parse_rates("0.9x2, 0.1\n0×3 .5") == (0.9, 0.9, 0.1, 0.0, 0.0, 0.0, 0.5)
    for text, message in (("", "at least one"), ("a", "number, got 'a'"), ("0.1x0", "from 1 to")):
        with pytest.raises(FieldError, match=message):
            parse_rates(text)
    with pytest.raises(FieldError, match="at most 10,000"):
        parse_rates("0.1x9999 0.2x9999")


def test_advised_schedules_parse_and_switch():
    constant, annealed = advised_schedules(5, 300, 0.6)
    assert schedules.parse(str(constant)) == constant
    assert schedules.parse(str(annealed)) == annealed
    assert [annealed(update) for update in (0, 179, 180)] == [5, 5, 1]
    assert advised_schedules(1, 300, 0.6) == (schedules.parse("1"),)


# --- The page -------------------------------------------------------------------------------------


def test_the_page_says_what_the_engine_finds():
    page = open_page("which_k", tries="16", n="8", rates="0.02x20 0.1x3", updates="100")
    found = choose_k(parse_rates("0.02x20 0.1x3"), 16, 8)
    said = words_of([*page.markdown, *page.caption])
    assert figures.describe_choice(found) in said
    assert figures.describe_silence(found) in said
    assert [block.value for block in page.code] == [f"{found.best}", f"{found.best}@0,1@60"]


def test_the_page_has_the_recorded_runs_with_their_errors():
    page = open_page("which_k", tries="8")
    rows = next(m.value for m in page.markdown if "Trained for" in m.value).splitlines()
    for name in ("k1", "k8", "tzsm25"):
        row = next(
            row for row in rows if METHODS[name].label in row.replace("\\", "").split("|")[1]
        )
        for k, cell in ((1, row.split("|")[2]), (8, row.split("|")[4])):
            value = study.pass_at_k_at(recorded_runs("fresh", name), study.HELD_OUT_PASS, -1)[k]
            assert cell.strip(" *") == f"{100 * value.mean:.1f} ± {100 * value.error:.1f}"


def test_rates_that_cannot_be_used_are_said_and_the_rest_stays():
    page = open_page("which_k", rates="0 1 2")
    assert "from 0 to 1, got 2" in page.error[0].value.replace("\\", "")
    assert not page.code
    assert any("Trained for" in m.value for m in page.markdown)
    page.pills[0].select("All alike").run()
    assert not page.error
    assert page.query_params["rates"] == RATE_EXAMPLES["All alike"]
