"""gsm_symbolic: what cleaning keeps and refuses, the problems that ship, and runs on them."""

import re
import sys
from fractions import Fraction
from itertools import count
from types import SimpleNamespace

import pytest

from pkpo.__main__ import main
from pkpo.lm.model_files import load_model
from pkpo.lm.paths import GSM_SYMBOLIC
from pkpo.lm.problem_sets import load_hard, load_problem_sets
from pkpo.training.tasks.word_problems import WordProblemsConfig
from toy_envs import gsm_symbolic
from toy_envs.gsm_symbolic import ITEMS_PER_DRAW, LEFT_OUT, SUFFIX, draw_problems, reduced
from toy_envs.word_problems import SPLITS, TEXT_LIMIT, gsm8k_splits, load_gsm8k, split_of, verify

QUESTION = (
    "Mia has 8 boxes of 6 pens, 40% of 1,200 cards and 3 dozen eggs. She gives 34 pens away and sells "
    "half of the rest. What is left in a week?"
)

# --- Cleaning -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("working", "solution"),
    [
        ("8 boxes * 6 pens/box = 48 pens.\n48 pens - 34 pens = 14 pens", "8*6=48;48-34=14####14"),
        ("She has 8 boxes x 6 pens = 48 pens to sell", "8*6=48####48"),
        ("so $1,200 × 40/100 = $480.", "1200*40/100=480####480"),
        ("That is 0.4 * 1200 = 480.0 cards", "2/5*1200=480####480"),
        ("40% less is 0.6*1200=720", "3/5*1200=720####720"),
        ("half * 34 pens = 17 pens", "1/2*34=17####17"),
        ("3 dozen x 12 eggs/dozen = 36 eggs\n36 ÷ 6 = 6", "3*12=36;36/6=6####6"),
        ("34 pens / 2 = 17, in 7 days 17 * 7 = 119", "34/2=17;17*7=119####119"),
        ("8 + 6 + T = 14 + T = 34\nThus T = 34 - 14 = 20", "8+6=14;34-14=20####20"),
        ("They need 8 + 6 pens. 8 + 6 = 14\n   - Again 8 + 6 = 14 pens", "8+6=14####14"),
        ("   - 8 plants * $6 per plant = $48", "8*6=48####48"),
    ],
)
def test_a_solution_is_reduced_to_its_equations(working, solution):
    answer = solution.partition("####")[2]
    for written in (answer, answer + ".0"):
        made = reduced(QUESTION, f"{working}\n#### {answer}", written)
        assert made is not None and made.solution == solution
        assert (made.question, made.answer) == (QUESTION, int(answer))
        assert made.difficulty == verify(solution, made).steps == solution.count("=")


@pytest.mark.parametrize(
    ("working", "answer"),
    [
        ("8 * 6 = 49", "49"),  # false
        ("8 * 6 = 48\n48 - 34 = 15\n8 + 34 = 42", "42"),  # false on the way
        ("0.42*40 = 16", "16"),  # rounded
        ("8 * 6 = 48\n48 - 30 = 18", "18"),  # 30 comes from nowhere
        ("She keeps 14 = 14 pens, 14 * 6 = 84", "84"),  # so does 14
        ("She has 48 = 48 pens\n8 * 6 = 48", "48"),  # says nothing
        ("2(8+6) = 28\n34 - 6 = 28", "28"),  # no sum of numbers
        ("34 / 8 = 4.25", "4.25"),  # no whole number
        ("34 / 8 = 4.25\n4.25 * 8 = 34", "34"),
        ("8 * 6 = 48", "14"),  # not the answer
        ("Let x be the pens. 2x + 6 = 34, so x = 14", "14"),
        ("The answer is 14", "14"),
        (" ".join(f"{i} + 8 = {i + 8}." for i in range(6, 118, 8)), "118"),  # long
    ],
)
def test_what_is_wrong_with_a_solution_shows(working, answer):
    assert reduced(QUESTION, f"{working}\n#### {answer}", answer) is None


def test_a_long_question_is_refused():
    for words, kept in ((1, True), (TEXT_LIMIT, False)):
        question = " ".join(["Well,"] * words) + " how much are 8 boxes of 6 pens?"
        assert (reduced(question, "8*6=48", "48") is not None) == kept


@pytest.mark.parametrize(
    ("question", "number"),
    [
        ("He sells a quarter.", "1/4"),
        ("The twins each found 9.", "2"),
        ("What is the average age?", "2"),
        ("How many hours is it?", "60"),
        ("How much in a month?", "30"),
        ("How much in a year?", "365"),
        ("What percent is it?", "100"),
        ("It is 25% off.", "3/4"),
        ("It costs 60 cents.", "3/5"),
        ("How much?", "1"),
    ],
)
def test_a_question_gives_numbers_in_words(question, number):
    step = f"40 * {float(Fraction(number)):g} = {40 * Fraction(number)}"
    assert reduced(question + " Take 40.", step, step.split()[-1]) is not None
    if number != "1":
        assert reduced("Take 40.", step, step.split()[-1]) is None


# --- The generator --------------------------------------------------------------------------------


@pytest.fixture
def made(monkeypatch):
    """In place of reasoning-gym: every other item is of a template that is left out."""
    numbers = count(2)

    def create_dataset(name, seed, size):
        assert name == "gsm_symbolic"
        return Items(next(numbers) for _ in range(size))

    class Items(list):
        @property
        def task_indices(self):
            return [(0, LEFT_OUT[0])[i % 2] for i in range(len(self))]

        def __iter__(self):
            for x in list.__iter__(self):
                cot = {"answer_cot": f"{x} pens * 3 = {3 * x} pens"}
                question = f"Three boxes of {x} pens, how many pens?{SUFFIX}"
                yield {"question": question.replace("Three", "3"), "metadata": cot, "answer": 3 * x}

    monkeypatch.setitem(
        sys.modules, "reasoning_gym", SimpleNamespace(create_dataset=create_dataset)
    )


def test_problems_are_of_one_split(made):
    for split in SPLITS:
        found = draw_problems(100, 0, split)
        assert len(found) == 100 and all(split_of(p.solution) == split for p in found)
        first = [int(p.solution.partition("*")[0]) for p in found]
        assert all(
            p.question == f"3 boxes of {x} pens, how many pens?"
            for x, p in zip(first, found, strict=True)
        )
        assert all(x % 2 == first[0] % 2 for x in first)  # the others' template is left out
    assert ITEMS_PER_DRAW % 2 == 0


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)
    with pytest.raises(ValueError, match=re.escape("pip install 'pkpo-lab[gsm-symbolic]'")):
        draw_problems(1, 0)


def test_the_real_one_makes_what_ships():
    pytest.importorskip("reasoning_gym")
    assert draw_problems(64, 0, "held-out") == load_gsm8k(GSM_SYMBOLIC / "test.jsonl")[:64]
    assert not {p.question for p in draw_problems(256, 1)} & {
        p.question for p in draw_problems(256, 1, "held-out")
    }


# --- What ships -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_shipped_problems_are_true_and_apart():
    train, held_out = gsm8k_splits(GSM_SYMBOLIC)
    assert len(train) > 4000 and len(held_out) > 1024
    assert len(set(train)) == len(train) and len(set(held_out)) == len(held_out)
    for split, chosen in zip(SPLITS, (train, held_out), strict=True):
        for p in chosen:
            verdict = verify(p.solution, p)
            assert verdict.strict and verdict.steps == p.difficulty, p
            assert split_of(p.solution) == split, p
            numbers = set(re.findall(r"\d+", p.solution.partition("####")[0]))
            assert "." not in p.solution and numbers, p


def test_small_knows_their_words_and_has_room_for_their_solutions():
    small = load_model("small")
    for p in (*(p for part in gsm8k_splits(GSM_SYMBOLIC) for p in part), *load_hard("small")):
        assert small.decode(small.tokenizer.encode(p.solution)) == p.solution
        assert len(small.tokenizer.encode(p.solution)) < small.max_new_tokens
        assert small.encode_prompt(p.question)
    assert small.max_new_tokens == gsm_symbolic.SOLUTION_LIMIT - 2


def test_its_hard_problems_are_to_be_trained_on():
    hard = load_hard("small")
    assert len(set(hard)) == 128
    assert all(split_of(p.solution) == "train" and verify(p.solution, p).strict for p in hard)


# --- Runs -----------------------------------------------------------------------------------------


def test_runs_find_the_shipped_problems():
    train, held_out = gsm8k_splits(GSM_SYMBOLIC)
    config = WordProblemsConfig(model="small", problems="gsm_symbolic", held_out=1024)
    fixed, unseen = load_problem_sets(config)
    assert fixed == train and len(set(unseen)) == 1024 and set(unseen) <= set(held_out)
    fixed, same = load_problem_sets(config.replace(problems="hard"))
    assert fixed == load_hard("small") and same == unseen
    with pytest.raises(ValueError, match=f"held_out must be at most {len(held_out)} with gsm_symb"):
        load_problem_sets(config.replace(held_out=5000))


@pytest.mark.parametrize("background", [(), ("--background",)], ids=["here", "in the background"])
@pytest.mark.parametrize(
    ("model", "source", "others"), [("tiny", "gsm_symbolic", "Academy"), ("small", "fresh", "Ann")]
)
def test_unknown_words_are_refused_at_once(
    model, source, others, background, capsys, tmp_path, monkeypatch
):
    monkeypatch.setenv("PKPO_DATA_DIR", str(tmp_path))
    asked = ["train", "--task", "word-problems", "--model", model, "--problems", source]
    assert main([*asked, *background]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"problems must be in words that model {model} knows, got {source}, " in line
    assert others in line


def test_a_run_trains_on_them(capsys):
    asked = "train --task word-problems --model small --problems gsm_symbolic --n 8 --prompts 2"
    assert main([*asked.split(), "--steps", "1", "--held-out", "4", "--json"]) == 0
    assert '"status": "finished"' in capsys.readouterr().out
