"""The playground's output: fans, chances and deals are those of the tries; and the page's first card."""

from __future__ import annotations

import json
import re
from functools import partial
from html import unescape

import numpy as np
import pytest

from app import cached
from app.controls.language_page import LANGUAGE_READERS
from app.language_model import introduction, playground
from app.language_model.tries import TRY_KS, check_tries
from pkpo.analysis.deals import DEAL_LIMIT, deal_samples, deals_won
from pkpo.estimators import pass_at_k
from pkpo.figures.tries import plot_tries
from pkpo.lm.answers import Completion, answer_question
from pkpo.lm.experiments import FRESH_RUN, recorded_runs
from pkpo.lm.model_files import load_model
from pkpo.runs import LocalExecutor
from tests.pages import open_page as open_any
from tests.pages import words_of
from toy_envs.word_problems import WordProblem, verify

MODELS = {
    "Before training": "tiny",
    "k1": playground.SHIPPED / "k1",
    "k8": playground.SHIPPED / "k8",
}
open_page = partial(open_any, "language_model")


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("PKPO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(LocalExecutor, "reconcile", lambda self: None)


def tries(model, place: int, draw: int = 0):
    problem = cached.cached_problem_sets(FRESH_RUN)[1][place]
    found = answer_question(load_model(model), problem.question, 16, draw)
    return found, [verify(one.text, problem).strict for one in found]


def models(page) -> list[str]:
    return [box.value for box in page.selectbox if box.label in ("Compare", "with")]


def html(page, part: str) -> list[str]:
    return [e.proto.body for e in page.get("html") if f"class='{part}'" in e.proto.body]


def test_k_1_and_k_8_stand_beside_each_other_with_their_own_tries():
    page = open_page(view="playground")
    place = int(LANGUAGE_READERS["problem"][0])
    fans = html(page, "pk-fan")
    assert len(fans) == 2
    counts = {}
    for fan, heading, name in zip(fans, page.subheader, ("k1", "k8"), strict=True):
        found, right = tries(MODELS[name], place)
        different = {one.text for one in found}
        word = "answer" if len(different) == 1 else "answers"
        assert heading.value == f"{sum(right)} of 16 fully right, {len(different)} different {word}"
        ends = [int(n) for n in re.findall(r"</span> (\d+)×</span>", fan)]
        assert sum(ends) == 16 and len(ends) == len(different)
        shown_right = sum(int(n) for n in re.findall(r"✓</span> (\d+)×", fan))
        assert shown_right == sum(right)
        # What is shared is there once: a fan has fewer characters than its answers.
        pieces = re.findall(r"pk-tokens'>(.*?)(?:<b>|</span>)", fan)
        assert len("".join(map(unescape, pieces))) < sum(map(len, different))
        counts[name] = sum(right)
    # What the default problem was chosen for.
    assert counts["k1"] == 0 < counts["k8"]


def test_bars_are_the_unbiased_estimates_of_these_tries():
    place = int(LANGUAGE_READERS["problem"][0])
    page = open_page(view="playground")
    (chart,) = [e for e in page.get("plotly_chart")]
    drawn = json.loads(chart.proto.spec)["data"]
    assert [trace["name"] for trace in drawn][0] == "Before training"
    for trace, model in zip(drawn, MODELS.values(), strict=True):
        right = sum(tries(model, place)[1])
        assert trace["x"] == ["pass@1", "pass@4", "pass@16"]
        assert trace["y"] == pytest.approx([pass_at_k(16, right, k) for k in (1, 4, 16)])


def test_deals_are_counted_and_stand_beside_rho():
    page = open_page(view="playground", deals="101", deal_k="5", draw="3")
    place = int(LANGUAGE_READERS["problem"][0])
    (table,) = html(page, "pk-deal")
    rows = table.split("<div class='pk-deal'>")[1:]
    dealt = deal_samples(16, 5, 101, 3)
    for row, model in zip(rows, MODELS.values(), strict=True):
        right = np.array(tries(model, place, 3)[1])
        won = int(right[dealt].any(axis=1).sum())
        assert f"{won} of 101 deals: {won / 101:.1%}." in row
        assert f"ρ: {pass_at_k(16, int(right.sum()), 5):.1%}" in row
        marked = [
            i for i, sign in enumerate(row.split("<span class='pk-try ")[1:]) if "pk-dealt" in sign
        ]
        assert marked == dealt[-1].tolist()
        assert f"best is {'right' if right[dealt[-1]].any() else 'wrong'}" in row


def test_without_an_answer_nothing_is_counted():
    page = open_page(view="playground", question="Ann has 3 pens. How many pens does Ann have?")
    assert len(html(page, "pk-fan")) == 2 and not html(page, "pk-deal")
    assert not page.get("plotly_chart") and "✓" not in "".join(html(page, "pk-fan"))
    assert "With its answer, chances and deals could be counted." in words_of(page.caption)


def asked(page) -> str:
    found = page.query_params["question"]
    return found if isinstance(found, str) else found[0]


def chips(page) -> dict[str, object]:
    return {
        box.key.removeprefix("_language_slot_"): box
        for box in page.selectbox
        if "_slot_" in box.key
    }


def test_a_chip_changes_the_problem_its_answer_and_the_address():
    page = open_page(
        view="playground",
        question="Ann has 3 pens and buys 4 more. How many pens does Ann have now?",
    )
    found = chips(page)
    assert {slot: box.value for slot, box in found.items()} == {
        "N": "Ann",
        "a": "3",
        "THINGS": "pens",
        "b": "4",
    }
    assert "3+4=7####7" in words_of(page.caption)
    page = found["b"].select("21").run()
    assert asked(page) == "Ann has 3 pens and buys 21 more. How many pens does Ann have now?"
    assert "3+21=24####24" in words_of(page.caption) and len(html(page, "pk-deal")) == 1
    page = chips(page)["N"].select("Hal").run()
    assert asked(page) == "Hal has 3 pens and buys 21 more. How many pens does Hal have now?"
    page = next(box for box in page.selectbox if box.label == "Kind of problem").select(5).run()
    assert asked(page).endswith("years younger. How old is Ben?")
    assert not page.exception and len(html(page, "pk-fan")) == 2


def test_everyday_words_are_mapped_in_sight_and_answered():
    page = open_page(
        view="playground", question="Anna has three apples and buys 4 more. How many does she have?"
    )
    assert "Anna → Ann, three → 3, she → Ann" in words_of(page.caption)
    assert "3+4=7####7" in words_of(page.caption) and html(page, "pk-deal") and not page.warning


def test_nonsense_is_refused_with_a_problem_that_works():
    page = open_page(view="playground", question="blah 7 blah")
    (warning,) = page.warning
    assert "The model does not know: blah." in warning.value and not page.exception
    assert not html(page, "pk-fan") and not page.error
    page = next(b for b in page.button if b.label == "Take the nearest").click().run()
    assert asked(page) in warning.value.replace("\\", "") and not page.warning
    assert html(page, "pk-deal") and len(html(page, "pk-fan")) == 2


def test_an_answer_is_given_where_no_template_has_one():
    own = "Ann has 3 pens. How many pens does Ann have?"
    page = open_page(view="playground", question=own, answer="3")
    assert [box.value for box in page.text_input if box.label == "Its answer"] == ["3"]
    assert html(page, "pk-deal") and "fully right" in page.subheader[0].value
    page = open_page(view="playground", question=own, answer="lots")
    assert [e.value for e in page.error] == ["answer must be a whole number, got 'lots'"]
    assert not html(page, "pk-deal") and len(html(page, "pk-fan")) == 2


def test_any_of_the_recorded_models_is_asked_and_nonsense_is_not():
    page = open_page(view="playground", model_after="annealed", model_beside="k8")
    assert models(page) == ["k8", "annealed"]
    page = open_page(view="playground", model_after="annealed", model_beside="annealed")
    assert models(page) == ["k1", "annealed"]
    page = open_page(view="playground", model_after="../..", model_beside="/etc/passwd")
    assert models(page) == ["k1", "k8"] and not page.exception
    page = open_page(view="playground", model_beside="start")
    assert len(html(page, "pk-deal")[0].split("<div class='pk-deal'>")) == 3


@pytest.mark.parametrize(("n", "k", "deals"), [(16, 1, 50), (16, 16, 3), (4, 3, 200)])
def test_dealt_samples_are_different_and_the_first_deals_stay(n, k, deals):
    dealt = deal_samples(n, k, deals, 7)
    assert dealt.shape == (deals, k) and (np.diff(dealt, axis=1) > 0).all()
    assert dealt.min() >= 0 and dealt.max() < n
    assert (deal_samples(n, k, deals + 5, 7)[:deals] == dealt).all()


def test_a_deal_is_won_by_one_right_sample():
    won = deals_won(np.array([True, False, False]), np.array([[0, 1], [1, 2]]))
    assert won.tolist() == [True, False]


def test_every_sample_is_dealt_equally_often():
    deals = 4000
    counts = np.bincount(deal_samples(16, 4, deals, 0).ravel(), minlength=16)
    error = (deals * (4 / 16) * (12 / 16)) ** 0.5
    assert (abs(counts - deals / 4) < 4 * error).all()


def test_what_cannot_be_dealt_is_refused():
    with pytest.raises(ValueError, match="k must be from 1 to n = 4, got 5"):
        deal_samples(4, 5, 1, 0)
    with pytest.raises(ValueError, match="deals must be from 0 to 10,000, got 10001"):
        deal_samples(4, 2, DEAL_LIMIT + 1, 0)


def test_bars_leave_out_what_so_few_tries_do_not_allow():
    tries = [Completion((text,), (1.0,)) for text in ("1+1=2####2", "1+1=3####3", "####3", "")]
    problem = WordProblem("", "1+1=2####2", 2, 1)
    asked = check_tries("a model", "#000000", tries, problem)
    assert asked.right == [True, False, False, False]
    values = {k: asked.pass_at(k) for k in TRY_KS if k <= 4}
    (bars,) = plot_tries([(asked.label, asked.colour, "1 of 4 right", values)]).data
    assert list(bars.x) == ["pass@1", "pass@4"] and list(bars.y) == pytest.approx([0.25, 1.0])


def test_the_page_begins_with_a_problem_and_the_model_in_words():
    page = open_page()
    said = words_of(page.markdown) + words_of(page.caption)
    size = sum(p.numel() for p in load_model("tiny").parameters.values())
    assert (
        f"{size:,} parameters" in said
        and f"GPT-2 has {introduction.GPT_2 / size:,.0f} times as many" in said
    )
    group = next(
        group
        for group in recorded_runs("hard-unseen", "k1")[0].details[0]["groups"]
        if 0 < sum(sample["reward"] for sample in group["samples"]) < 16
    )
    assert group["problem"]["question"] in said.replace("\\", "")
    right = sum(sample["reward"] == 1 for sample in group["samples"])
    assert f"{right} were right, equations and answer" in said
    shown = {
        sign: re.search(rf":{colour}\[\*\*{sign}\*\*\] `(.+?)`", said).group(1)
        for sign, colour in (("✓", "green"), ("✕", "red"))
    }
    problem = WordProblem(**group["problem"])
    texts = {"".join(sample["tokens"]) for sample in group["samples"]}
    assert set(shown.values()) <= texts
    assert [verify(shown[sign], problem).strict for sign in "✓✕"] == [True, False]


def test_inside_a_group_comes_second():
    assert list(open_page().button_group[0].options)[:2] == [
        "What training changed",
        "Inside a group",
    ]
