"""Word problems: the generator, the verifier against text of any kind, files, the environment."""

import json
import re
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from toy_envs.word_problems import (
    DIFFICULTIES,
    HIGHEST,
    REWARDS,
    SPLITS,
    TEMPLATES,
    TEXT_LIMIT,
    WordProblem,
    draw_problem,
    draw_problems,
    fillings,
    gsm8k_splits,
    load_gsm8k,
    verify,
    vocabulary_texts,
    write_gsm8k,
)

ID = "pkpo/WordProblems-v0"
OURS = WordProblem("", "8*6=48;48-34=14####14", 14, 2)

# --- The generator --------------------------------------------------------------------------------


def test_worked_solutions_are_true_and_in_range():
    for p in draw_problems(2000, 0):
        verdict = verify(p.solution, p)
        different = set(p.solution.partition("####")[0].split(";"))
        assert verdict.strict and verdict.share == 1 and verdict.steps == len(different), p
        assert len(different) <= p.difficulty
        numbers = [int(x) for x in re.findall(r"\d+", p.question + " " + p.solution)]
        assert all(1 <= x <= HIGHEST for x in numbers), p
        assert p.question.isascii() and len(p.question) <= TEXT_LIMIT and "{" not in p.question
        # Every given number is used, and every other number in the solution is an earlier result.
        equations = [re.findall(r"\d+", e) for e in p.solution.split("####")[0].split(";")]
        known = set(re.findall(r"\d+", p.question))
        for one, other, result in equations:
            assert {one, other} <= known, p
            known.add(result)
        used = {x for one, other, _ in equations for x in (one, other)}
        assert set(re.findall(r"\d+", p.question)) <= used, p


def test_fillings_are_all_of_them():
    values = fillings(next(t for t in TEMPLATES if t.steps == ("a+b", "p/c")))
    found = set(zip(*(values[x].tolist() for x in "abcpq"), strict=True))
    want = {
        (a, b, c, a + b, (a + b) // c)
        for a in range(2, 51)
        for b in range(2, 51)
        for c in range(2, 13)
        if a + b <= 50 and (a + b) % c == 0
    }
    assert found == want and len(found) == len(values["a"])


def test_the_same_seed_gives_the_same_problems():
    assert draw_problems(50, 3) == draw_problems(50, 3) != draw_problems(50, 4)
    assert draw_problem(3) == draw_problems(1, 3)[0]
    rng = np.random.default_rng(3)
    assert [draw_problem(rng) for _ in range(50)] == draw_problems(50, 3)


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_train_and_held_out_never_share_a_problem(difficulty):
    bare = []
    for split in SPLITS:
        drawn = draw_problems(3000, 0, split, difficulty)
        assert {p.difficulty for p in drawn} == {difficulty}
        bare.append({(re.sub(r"[A-Za-z]+", "", p.question), p.solution) for p in drawn})
        # All templates of this difficulty occur: they are told apart by their length without names.
        assert len({p.question.count(" ") for p in drawn}) > 2
    train, held_out = bare
    # The smallest template has 74 fillings: with 3,000 draws of each the same would have met.
    assert not train & held_out and len(train) > len(held_out) > 100


def test_difficulties_are_equally_likely():
    counts = np.bincount([p.difficulty for p in draw_problems(4000, 0)], minlength=5)[1:]
    assert np.abs(counts - 1000).max() < 4 * np.sqrt(4000 * 0.25 * 0.75), counts


def test_words_are_all_words():
    known = set(re.findall(r"[A-Za-z]+|\S", " ".join(vocabulary_texts())))
    for p in draw_problems(2000, 1):
        assert set(re.findall(r"[A-Za-z]+|[^\s\w]", p.question + p.solution)) <= known


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"difficulty": 0}, "difficulty must be from 1 to 4, got 0"),
        ({"difficulty": 5}, "difficulty must be from 1 to 4, got 5"),
        ({"split": "test"}, "split must be train or held-out, got 'test'"),
    ],
)
def test_refusals(arguments, reason):
    with pytest.raises(ValueError, match=reason):
        draw_problem(0, **arguments)


# --- The verifier ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "answer", "steps", "true_steps"),
    [
        ("8*6=48;48-34=14####14", True, 2, 2),
        ("8*6=48;48-34=14####15", False, 2, 2),
        ("8*6=47;47-34=14####14", True, 2, 0),
        ("8*6=48;40-34=14####14", True, 2, 1),
        ("####14", True, 0, 0),
        ("14", False, 1, 0),
        ("", False, 0, 0),
        ("8*6=48;48-34=14", False, 2, 2),
        ("8*6=48;48-34=14####", False, 2, 2),
        ("8*6=48;48-34=14####14####14", True, 2, 2),
        ("8*6=48;48-34=14####15####14", False, 2, 2),
        ("8*6=48;;48-34=14;####14", True, 2, 2),
        ("14=14;1=1####14", True, 0, 0),  # no step: it computes nothing
        ("8*6-34=14 #### $14.0", True, 1, 1),
        ("2+3*4=14;7/2=3.5;-1--3=2;1/3*3=1####14", True, 4, 4),
        ("(2+3)*4=20;5/0=0;1/3=0.333;2**3=8;1+1=02=2####14", True, 5, 2),
        ("It is <<8*6=48>>48, less 34: <<48-34=14>>14\n#### 14", True, 2, 2),
        ("48/6 = 8 is no mark\nbut <<8*6=47>> is\n#### 14", True, 1, 0),
        ("She had 8 x 6 = $48.\n- 48 - 34 = 14, so:\n#### 14", True, 2, 2),
        ("1. 1,000 + $24 = $1,024\n2. -8/4 = 2; 9/2 = 4.5.\n#### 14", True, 3, 2),
        ("8*6 = 40 + 8 = 48\n#### 14", True, 1, 1),
        ("8*6 = 48 - 34 = 15\n#### 14", True, 1, 0),
        ("3 pens * 2 + 1 = 7, (1+2)*3 + 1 = 10, 2x + 3 + 4 = 9\n#### 14", True, 2, 2),
        ("48 pens less 34 are 14.\n#### 14", True, 0, 0),
        ("####\n14 \nQuestion: 1+1=2####2", True, 0, 0),
        ("8*6=48;48-34=14####14 pens\n#### 15", True, 2, 2),
        # A learner must not earn by these.
        ("1=1####14", True, 0, 0),
        ("<<14=14>>\n#### 14", True, 0, 0),
        ("<<1=1>>8*6=49\n#### 14", True, 1, 0),  # the mark computes nothing: the sentences count
        ("<<>>1+1=2\n#### 14", True, 1, 0),
        ("<<14>>1+1=2\n#### 14", True, 1, 0),
        ("<<x = 14>>\n#### 14", True, 0, 0),
        ("8*6 = <<1+1=2>>49\n#### 14", True, 1, 0),  # another number than the mark's
        ("8*6=49\nIt is <<1+1=2>>2\n#### 14", True, 2, 1),  # beside the marks, without words
        ("<<8*6=49\n1+1=2\n#### 14", True, 2, 1),  # a mark that is not closed
        ("#### 14\n1+1=2", True, 0, 0),  # behind the answer
        ("1+1=2;8*6####14", True, 2, 1),  # a sum that is left open
        ("1+1=2;8*6≈49####14", True, 2, 1),
        ("1+1=2;8*6=forty####14", True, 2, 1),
        ("1+1=2;1 + 1 = 2;1+1=2####14", True, 1, 1),  # said again
        ("#### Step 1: 8*6=48\n#### Step 2: 48-34=15\n#### 14", True, 2, 1),
        ("8*6=48;48-34=14####٣", False, 2, 2),
        ("٢+٢=٤####14", True, 1, 0),
        ("1,080####1,4", False, 1, 0),
    ],
)
def test_verdicts(text, answer, steps, true_steps):
    verdict = verify(text, OURS)
    assert (verdict.answer, verdict.steps, verdict.true_steps) == (answer, steps, true_steps)
    assert verdict.chain == (steps > 0 and steps == true_steps)
    assert verdict.strict == (answer and verdict.chain)
    most = max(steps, 2)
    assert verdict.share == (true_steps + (most + 1) * answer) / (2 * most + 1)
    for mode in REWARDS:
        assert type(verdict.reward(mode)) is float and verdict.reward(mode) == getattr(
            verdict, mode
        )


@pytest.mark.parametrize(
    ("text", "abstains"),
    [
        ("####?", True),
        (" #### ?\n", True),
        ("8*6=48;48-34=14####?", True),
        ("", False),
        ("?", False),
        ("####", False),
        ("####??", False),
        ("####14?", False),
        ("####14####?", False),  # the first answer counts
        ("####?####14", False),
    ],
)
def test_who_gives_no_answer_may_earn_for_saying_so(text, abstains):
    verdict = verify(text, OURS)
    assert verdict.abstains == abstains and not (abstains and verdict.answer)
    for mode in REWARDS:
        own = verdict.reward(mode)
        assert verdict.reward(mode, 0.3) == (max(own, 0.3) if abstains else own)


def test_the_environment_pays_for_abstaining():
    env = gymnasium.make(ID, abstention=0.25)
    solution = env.reset(seed=0) and env.step("####?")[4]["solution"]
    assert env.reset(seed=0) and env.step("####?")[1] == 0.25
    assert env.reset(seed=0) and env.step(solution)[1] == 1
    for wrong in (-0.1, 0.91, float("nan")):
        with pytest.raises(ValueError, match="abstention must be from 0 to 0.9, got"):
            gymnasium.make(ID, abstention=wrong)


pieces = st.sampled_from(
    [*"0123456789+-*/=;#.,<>()$ \n_e", "####", "<<", ">>", "9" * 500, "**", "=="]
)
junk = st.one_of(st.text(max_size=300), st.lists(pieces, max_size=80).map("".join))


@pytest.mark.slow
@given(junk)
@settings(max_examples=400, deadline=None)
def test_any_text_gets_a_verdict(text):
    verdict = verify(text, OURS)
    assert 0 <= verdict.true_steps <= verdict.steps <= len(text)
    assert 0 <= verdict.share <= 1 and (verdict.share > 0.5) == verdict.answer
    assert verdict.answer <= ("####" in text)
    if verdict.share == 1:
        assert verdict.strict


numbers = st.integers(0, 10**6)


@given(
    numbers, st.lists(st.tuples(st.sampled_from("+-*"), numbers), min_size=1, max_size=4), numbers
)
@settings(max_examples=300, deadline=None)
def test_equations_are_true_as_python_says(first, rest, guess):
    left = str(first) + "".join(f"{operator}{x}" for operator, x in rest)
    value = eval(left)
    fits = len(str(abs(value))) <= 20
    assert verify(f"{left}={value}####0", OURS).true_steps == fits
    assert verify(f"{left}={guess}####0", OURS).true_steps == (value == guess)


@pytest.mark.parametrize(
    "text",
    ["9" * 10**6, "1+" * 10**6, "9*9=81;" * 10**5, "<<" * 10**6, "1=" * 10**6, "####" * 10**6]
    + ["9**9**9**9=1####1", " " * 10**6 + "=1", "1/" * 30 + "1=1"],
    ids=lambda text: f"{text[:12]!r} {len(text)}",
)
@pytest.mark.parametrize("before", ["", "A\n"], ids=["equations", "running text"])
@pytest.mark.timeout(120)  # what takes a second would take hours if its time grew with the square
def test_long_and_nasty_texts_come_to_an_end(text, before):
    assert not verify(before + text, OURS).answer


ANSWERS = {
    14: ["14", "14.", " 14 ", "+14", "14.0000000", "014", "１４", "**14**", "$14$", r"\boxed{14}"]
    + [r"\(14\)", "14</s>", "14<|im_end|>", "Answer: 14", "The final answer is 14", "# 14"]
    + [
        "$14",
        "€14",
        "14 €",
        "14%",
        "14 pens",
        "14 (pens)",
        "14, as asked",
        "14 #### 9",
        "14\n#### 9",
    ]
    + ["Step 1\nShe counts.\n#### 14", "\n14\n", "pens ####14"],
    1024: ["1,024", "$1,024.00"],
    -14: ["-14", "−14", "–14", "-$14", "$-14"],
    None: ["1,4", "1,,4", "10,80", "1 4", "- 14", "14 or 15", "14-15", "14 + 1", "28/2", "8+6=14"]
    + ["14:30", "14x", "14k", "1.4e1", "14 thousand", "14 dozen", "14 and a half", "١٤", ""]
    + ["14 or 15\n#### 14", "fourteen", "9" * 400, "14 " + "very " * 100 + "nice pens", "14^1"],
}


@pytest.mark.parametrize(
    ("number", "text"),
    [(number, text) for number, texts in ANSWERS.items() for text in texts],
    ids=lambda value: str(value)[:30],
)
def test_answers(number, text):
    """The table in the docstring of `answer_of`."""
    for other in (14, 1024, -14, 4, 15, 1080, 0):
        right = verify(f"8*6=48####{text}", WordProblem("", "", other, 1)).answer
        assert right == (other == number), other


def test_a_share_is_never_worth_more_than_the_answer():
    many = ";".join(f"1+{i}={i + 1}" for i in range(30))
    wrong = [many, ";".join(["1+1=2"] * 30), "1+1=2"]
    right = ["", "1+1=3", ";".join(f"1+{i}={i}" for i in range(30))]
    earned = [verify(f"{text}####15", OURS).share for text in wrong]
    assert max(earned) < min(verify(f"{text}####14", OURS).share for text in right)
    assert earned[1] == earned[2] == 1 / 5


@given(
    st.integers(0, 400),
    st.sampled_from(
        ["8*6=48;48-34=14####14", "Ann has 8 x 6 = 48 pens.\n48 – 34 = 14 left\n#### 14"]
    ),
    st.integers(1, 9),
)
@settings(max_examples=200, deadline=None)
def test_one_wrong_digit_is_noticed(place, text, more):
    places = [i for i, letter in enumerate(text) if letter.isdigit()]
    at = places[place % len(places)]
    wrong = text[:at] + str((int(text[at]) + more) % 10) + text[at + 1 :]
    assert verify(text, OURS).strict and not verify(wrong, OURS).strict, wrong


# --- Files ----------------------------------------------------------------------------------------

ITEM = {"question": "How many?", "answer": "She has 48/2 = <<48/2=24>>24.\nSo 1,024.\n#### 1,024"}


def file(tmp_path, *lines) -> str:
    path = tmp_path / "some.jsonl"
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines))
    return str(path)


def test_a_file_in_gsm8k_s_format(tmp_path):
    other = {"question": "What?", "answer": "#### -7"}
    first, second = load_gsm8k(file(tmp_path, ITEM, "", other))
    assert (first.question, first.answer, first.difficulty) == ("How many?", 1024, 1)
    assert verify(first.solution, first).strict
    assert (second.answer, second.difficulty) == (-7, 1)
    assert verify("#### -7", second).answer and not verify("#### 7", second).answer


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "line 2: must be a JSON object, got '{'"),
        ("[1]", "line 2: must be a JSON object"),
        ("[" * 100_000, "line 2: must be a JSON object"),
        ({"question": "?"}, "line 2: 'answer' must be a text, got 'None'"),
        ({"question": 3, "answer": "#### 3"}, "line 2: 'question' must be a text, got '3'"),
        ({"question": "?", "answer": "3"}, "must end in #### and a whole number, got '3'"),
        ({"question": "?", "answer": "#### 3.5"}, "must end in #### and a whole number"),
        ({"question": "?", "answer": "#### 1,5"}, "a whole number, got '#### 1,5'"),
        ({"question": "?", "answer": "#### three"}, "must end in #### and a whole number"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bad_lines_are_named(tmp_path, line, reason):
    with pytest.raises(ValueError, match=re.escape(reason)):
        load_gsm8k(file(tmp_path, ITEM, line))


def test_files_that_are_none(tmp_path):
    with pytest.raises(ValueError, match="holds no problem"):
        load_gsm8k(file(tmp_path, "", " "))
    with pytest.raises(ValueError, match="missing.jsonl: cannot be read"):
        load_gsm8k(tmp_path / "missing.jsonl")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="bytes: cannot be read"):
        load_gsm8k(tmp_path / "bytes")


def test_a_folder_has_its_splits_and_a_file_is_split(tmp_path):
    items = [{"question": f"How much is {i}?", "answer": f"#### {i}"} for i in range(200)]
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, items[:60])))
    (tmp_path / "test.jsonl").write_text("\n".join(map(json.dumps, items[50:80])))
    train, held_out = gsm8k_splits(tmp_path)
    assert [p.answer for p in train] == list(range(50))  # none of those held out
    assert [p.answer for p in held_out] == list(range(50, 80))
    train, held_out = gsm8k_splits(file(tmp_path, *items))
    assert sorted(p.answer for p in train + held_out) == list(range(200))
    spread = (200 * 0.25 * 0.75) ** 0.5
    assert abs(len(held_out) - 50) < 4 * spread
    assert set(gsm8k_splits(file(tmp_path, *items[:100]))[1]) <= set(held_out)
    with pytest.raises(ValueError, match="must hold problems to train on and others"):
        gsm8k_splits(file(tmp_path, items[0]))
    (tmp_path / "test.jsonl").unlink()
    with pytest.raises(ValueError, match="test.jsonl: cannot be read"):
        gsm8k_splits(tmp_path)


def test_questions_that_stand_several_times_count_once(tmp_path):
    items = [{"question": f"How much  is {i}?", "answer": f"#### {i}"} for i in range(40)]
    again = [{**item, "question": f" {item['question'].replace('  ', ' ')}\n"} for item in items]
    train, held_out = gsm8k_splits(file(tmp_path, *items, *again, *items))
    assert sorted(p.answer for p in train + held_out) == list(range(40))
    for name, part in (("train", items + again), ("test", again[30:] + items[30:])):
        lines = "".join(json.dumps(item) + "\n" for item in part)
        (tmp_path / f"{name}.jsonl").write_text(lines)
    train, held_out = gsm8k_splits(tmp_path)
    assert [p.answer for p in train] == list(range(30))
    assert [p.answer for p in held_out] == list(range(30, 40))


def test_signs_that_end_lines_elsewhere_come_back(tmp_path):
    found = [
        WordProblem(f"How{sign}many?", f"a{sign}\n#### 14", 14, 1)
        for sign in "\u2028\u2029\x85\x0b\x1c\r"
    ]
    write_gsm8k(found, tmp_path / "some.jsonl")
    assert load_gsm8k(tmp_path / "some.jsonl") == found
    marked = tmp_path / "marked.jsonl"
    marked.write_bytes(
        b"\xef\xbb\xbf" + (tmp_path / "some.jsonl").read_bytes().replace(b"\n", b"\r\n")
    )
    assert load_gsm8k(marked) == found


def test_a_tilde_is_one_s_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    found = [WordProblem(f"How much is {i}?", f"#### {i}", i, 1) for i in range(20)]
    write_gsm8k(found, "~/some.jsonl")
    assert load_gsm8k("~/some.jsonl") == load_gsm8k(tmp_path / "some.jsonl") == found
    assert gsm8k_splits("~/some.jsonl") == gsm8k_splits(tmp_path / "some.jsonl")
    with pytest.raises(ValueError, match="cannot be read"):
        load_gsm8k("~nobody-of-this-name/some.jsonl")


# --- The environment ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", [{}, {"reward": "share", "difficulty": 4}, {"split": "held-out"}], ids=str
)
def test_gymnasium_s_checker(arguments):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_env(gymnasium.make(ID, **arguments).unwrapped)
    assert not [str(warning.message) for warning in caught]


@pytest.mark.parametrize("reward", REWARDS)
def test_two_seeded_copies_step_alike(reward):
    one, other = (gymnasium.make(ID, reward=reward) for _ in range(2))
    rewards = set()
    for seed in range(40):
        (question, info), again = one.reset(seed=seed), other.reset(seed=seed)
        assert (question, info) == again and one.observation_space.contains(question)
        solution = one.step("")[4]["solution"]
        one.reset(seed=seed)
        text = solution if seed % 2 else solution[:-1] + "?"
        assert one.action_space.contains(text)
        step = one.step(text)
        assert step == other.step(text)
        assert step[0] == question and step[2:4] == (True, False)
        assert (step[1] == 1) == (seed % 2 == 1)
        rewards.add(step[1])
    assert (len(rewards) > 2) == (reward == "share")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"reward": "loose"}, "reward must be one of strict, answer, share, got 'loose'"),
        ({"difficulty": 9}, "difficulty must be from 1 to 4, got 9"),
        ({"split": "x"}, "split must be train or held-out, got 'x'"),
    ],
)
def test_the_environment_s_refusals(arguments, reason):
    with pytest.raises(ValueError, match=reason):
        gymnasium.make(ID, **arguments)
