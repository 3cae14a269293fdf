"""Formulas of one's own: the language is never executed, known estimators, exact verdicts."""

import ast
import math
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pkpo import get_estimator, transform
from pkpo.__main__ import main
from pkpo.analysis import VERDICT_GROUP, describe_verdict, enumerate_verdict
from pkpo.analysis.monte_carlo import run_monte_carlo
from pkpo.analysis.objectives import GRADED_PROMPTS
from pkpo.estimators.formulas import (
    DEPTH_LIMIT,
    FORMULA_FUNCTIONS,
    FORMULA_LIMIT,
    FORMULA_NAMES,
    FORMULA_OPERATORS,
    parse_formula,
)
from tests.pages import open_page

S = "(r*choose(rank-1,k-1)+above(r*choose(rank-2,k-2)))/choose(n,k)"
KNOWN = {
    "s": S,
    "canonical": f"({S}-mean({S}))/(1-k/n)",
    "rloo": "(r-(sum(r)-r)/(n-1))/n",
    "reinforce": "r/n",
    "dr_grpo": "(r-mean(r))/n",
    "grpo": "(r-mean(r))/(std(r)+0.0001)/n",
    "maxrl": "(r-mean(r))/mean(r)/n",
    "rs_grpo": "(exp(2*r)/mean(exp(2*r))-1)/(2*n)",
}
RNG = np.random.default_rng(0)
GROUPS = [
    *[RNG.integers(0, 9, n) / 8 for n in (2, 3, 6, 12, 16)],
    *[(RNG.random(n) < 0.3).astype(float) for n in (2, 5, 8, 16)],
    np.zeros(4),
    np.full(3, 0.1),
]


@pytest.mark.parametrize("name", KNOWN)
def test_known_estimators_as_formulas(name):
    checked = 0
    for r in GROUPS:
        for k in get_estimator(name).allowed_k(len(r)):
            got, want = transform(r, k, f"formula:{KNOWN[name]}"), transform(r, k, name)
            assert np.abs(got - want).max() <= 1e-12, f"{name}, r = {r}, k = {k}: {got}, not {want}"
            checked += 1
    assert checked > 20


@pytest.mark.parametrize("text", ["rank/n", "where(r==most(r),1,-k/n)", S, "below(r)**2-rank"])
def test_formulas_are_symmetric_alike_for_tensors_and_in_batches(text):
    r = np.array([[0.5, 0.0, 0.5, 1.0, 0.5], [3, 3, -1, 0, 0], [0.0] * 5])
    weights = transform(r, 2, f"formula:{text}")
    for row, found in zip(r, weights, strict=True):
        order = RNG.permutation(5)
        assert np.abs(transform(row[order], 2, f"formula:{text}") - found[order]).max() <= 1e-12
        for value in row:
            assert len(set(found[row == value].tolist())) == 1
    assert (transform(torch.tensor(r), 2, f"formula:{text}").numpy() == weights).all()
    single = transform(torch.tensor(r, dtype=torch.float32), 2, f"formula:{text}")
    assert single.dtype == torch.float32


def test_blanks_are_no_part_of_a_formula():
    assert get_estimator("formula: ( r - mean( r ) ) / n ").key == "formula:(r-mean(r))/n"
    assert not get_estimator("formula:r/n").uses_k and get_estimator("formula:k*r").uses_k


# --- Nothing is executed ----------------------------------------------------------------------------

_events: list[str] | None = None


def _watch(event: str, _arguments: object) -> None:
    if _events is not None:
        _events.append(event)


sys.addaudithook(_watch)  # stays, and does nothing but in `watched`
HARMLESS = {"compile", "object.__getattr__", "sys._getframe"}
"""`ast.parse` is a "compile" that makes no code."""


def use(text: str) -> tuple[set[str], bool]:
    """The audit events of reading a formula and weighing a group, and whether it was refused."""
    global _events
    refused = False
    _events = []
    try:
        parse_formula(text).weigh(np.array([0.0, 1.0, 0.5]), 2)
    except ValueError as reason:
        refused = True
        assert "\n" not in str(reason) and len(str(reason)) < 600
    finally:
        found, _events = set(_events), None
    return found, refused


TOKENS = [
    *(
        "r",
        "rank",
        "n",
        "k",
        *FORMULA_FUNCTIONS,
        "0",
        "1",
        "2.5",
        "1e3",
        "9999999999",
        "1j",
        "True",
    ),
    *(
        *"+-*/()<>=,.:;[]{}'\"\\@%&|~^!?#$`",
        "**",
        "==",
        "//",
        "<<",
        ":=",
        "->",
        "\n",
        " ",
        "_",
        "ｒ",
    ),
    *("lambda", "if", "else", "for", "in", "and", "not", "is", "await", "yield", "import", "None"),
    *("__import__", "eval", "exec", "open", "getattr", "os", "system", "__class__", "print", "f'"),
]
EXPRESSIONS = st.recursive(
    st.sampled_from(["r", "rank", "n", "k", "0", "1", "2", "0.5"]),
    lambda inner: st.one_of(
        st.builds(
            "({}{}{})".format, inner, st.sampled_from(["+", "-", "*", "/", "**", "<"]), inner
        ),
        st.builds("{}({})".format, st.sampled_from(["mean", "exp", "log", "above", "std"]), inner),
        st.builds("where({},{},{})".format, inner, inner, inner),
    ),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(TOKENS), max_size=12).map("".join))
def test_random_text_executes_nothing(text):
    events, refused = use(text)
    assert events <= HARMLESS, (text, events)
    if not refused:
        for node in ast.walk(parse_formula(text).tree):
            allowed = (
                ast.Constant,
                ast.Name,
                ast.Load,
                ast.BinOp,
                ast.UnaryOp,
                ast.Compare,
                ast.Call,
            )
            assert isinstance(node, (*allowed, *FORMULA_OPERATORS)), (text, node)
            if isinstance(node, ast.Name):
                assert node.id in (*FORMULA_NAMES, *FORMULA_FUNCTIONS)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(EXPRESSIONS)
def test_random_expressions_weigh_or_say_why_not(text):
    events, _ = use(text)
    assert events <= HARMLESS
    if len(text) > FORMULA_LIMIT:
        return
    try:
        weights = parse_formula(text).weigh(np.array([[0.0, 1.0, 0.5], [1.0, 1.0, 1.0]]), 2)
    except ValueError as reason:
        assert "formula must" in str(reason) or "formula: choose" in str(reason)
    else:
        assert weights.shape == (2, 3) and np.isfinite(weights).all()


def test_the_watch_sees_what_is_executed():
    global _events
    _events = []
    eval("1")
    found, _events = set(_events), None
    assert "exec" in found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must not be empty"),
        ("r.real", "'r.real' is not in the language"),
        ("__import__('os')", "letters, digits and"),
        ("eval(r)", "'eval' is no function"),
        ("x", "'x' is not known; names are r, rank, n, k"),
        ("mean", "'mean' needs brackets"),
        ("mean(r, n)", "mean takes 1 values, got 2"),
        ("max(r)", "max takes at least 2 values, got 1"),
        ("choose(r, 2)+0*k", "choose takes whole numbers"),
        ("where(r)", "where takes 3 values, got 1"),
        ("mean(x=r)", "is not in the language"),
        ("r < n < k", "is not in the language"),
        ("r if n else k", "is not in the language"),
        ("r % 2", "letters, digits and"),
        ("r // 2", "is not in the language"),
        ("1j", "is not in the language"),
        ("True", "is not in the language"),
        ("1e7", "numbers must be at most 1e\\+06"),
        ("9**9**9**9", "finite weights within .* got inf for rewards 0 0.5 1, k = 2"),
        ("1/r", "got inf"),
        ("log(r-1)", "got nan"),
        ("r r", "one expression"),
        ("r +", "one expression"),
        ("-" * (DEPTH_LIMIT + 1) + "r", f"at most {DEPTH_LIMIT} operations deep"),
        ("(" * 140 + "r" + ")" * 140 + ")", "one expression"),
        ("r+" * FORMULA_LIMIT + "r", f"at most {FORMULA_LIMIT} characters"),
    ],
)
def test_what_is_no_formula(text, message):
    with pytest.raises(ValueError, match=message):
        parse_formula(text).weigh(np.array([0.0, 1.0, 0.5]), 2)


# --- The verdict ------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 7, 16])
def test_verdicts_that_are_known(n):
    def mixture(name: str, k: int = 1) -> np.ndarray:
        return enumerate_verdict(name, n, k).mixture

    each = np.eye(n)
    for k in range(1, n):
        for name in ("s", "sloo_minus_one", "canonical", f"formula:{KNOWN['canonical']}"):
            found = enumerate_verdict(name, n, k)
            assert np.abs(found.mixture - each[k - 1]).max() < 1e-9, (name, k)
            assert found.unbiased and found.graded, (name, k)
            assert found.centred == (name[0] in "cf" or (k == 1 and name != "s")), (name, k)
        half = mixture("mix:0.25", k)
        assert np.abs(half - 0.75 * each[0] - 0.25 * each[k - 1]).max() < 1e-8
    assert np.abs(mixture("dr_grpo") - (1 - 1 / n) * each[0]).max() < 1e-9
    for name in ("maxrl", "tailrl", f"formula:{KNOWN['maxrl']}"):
        want = np.append(1 / np.arange(1, n), 0)  # pass@j / j, j < n (arXiv:2602.02710)
        assert np.abs(mixture(name) - want).max() < 1e-6, name
    assert enumerate_verdict("tailrl", n, 1).graded
    assert not enumerate_verdict("maxrl", n, 1).graded or n == 2


def test_verdicts_in_words():
    def words(name: str) -> str:
        return describe_verdict(enumerate_verdict(name, 8, 3))[0]

    assert words("s").startswith("Unbiased for max@3, with rewards 0 and 1 and on three prompts")
    assert words("formula:n/n").startswith("It trains nothing")
    assert words("formula:-r/n").startswith("-1 times the gradient of max@1, downhill")
    assert words("formula:r*r/n") == (
        "Unbiased for max@1 with rewards 0 and 1; with half-right answers it follows something else."
    )
    assert words("passk_training").startswith("Unbiased for a mixture, not all with a plus")
    assert "rounding hides" in describe_verdict(enumerate_verdict("maxrl", VERDICT_GROUP, 3))[0]
    for name, n, problem in (
        ("naive", 9, "order of the samples"),
        ("s", VERDICT_GROUP + 1, "n must be from 2 to"),
        ("s", 1, "n must be from 2 to"),
        ("formula:1/r", 8, "finite weights"),
    ):
        with pytest.raises(ValueError, match=problem):
            enumerate_verdict(name, n, 3 if n > 3 else 1)


@pytest.mark.parametrize("text", ["(r>mean(r))*r/n", "rank**2/n**2", "exp(k*r)/sum(exp(k*r))"])
def test_verdicts_agree_with_monte_carlo(text):
    """Scale along the gradient and variance, within 4.5 standard errors."""
    name, n, k, groups = f"formula:{text}", 8, 3, 20_000
    found = enumerate_verdict(name, n, k)
    exact = np.mean([prompt.gradient(k) for prompt in GRADED_PROMPTS], axis=0)
    along, noise, variances, widths = 0.0, 0.0, [], []
    for seed, prompt in enumerate(GRADED_PROMPTS):
        rewards, estimates_of = prompt.draw(np.random.default_rng((7, seed)), groups, n)
        scale = estimates_of(transform(rewards, k, name)) @ exact / (exact @ exact)
        along += scale.mean() / 3
        noise += scale.var() / groups / 9
        measured = run_monte_carlo(prompt, [name], n, k, groups, seed)[name].variance
        variances.append(measured.value)
        widths.append((measured.high - measured.low) / 2 / 1.96)
    assert abs(along - found.direction.scale[k - 1]) < 4.5 * math.sqrt(noise)
    assert abs(np.mean(variances) - found.variance) < 4.5 * np.linalg.norm(widths) / 3


# --- Where it is asked for --------------------------------------------------------------------------


def test_the_page_takes_a_formula_and_says_what_is_wrong():
    page = open_page("estimators", formula=KNOWN["maxrl"])
    assert not page.error and not page.warning
    assert page.text_input(key="_formula").value == KNOWN["maxrl"]
    assert any("for a mixture: 1" in box.value for box in page.markdown)
    page.text_input(key="_formula").set_value("r.real").run()
    assert "not in the language" in page.error[0].value.replace("\\", "")
    assert page.query_params["formula"] == "r.real"
    page.text_input(key="_formula").set_value("").run()
    assert not page.error and "formula" not in page.query_params
    page = open_page("estimators", formula="1/r")
    assert not page.error and any(
        "finite weights" in box.value.replace("\\", "") for box in page.info
    )
    page = open_page("estimators", show="formula:choose(n,k)*r,s")
    assert not page.error and page.multiselect[0].value == ["formula:choose(n,k)*r", "s"]


def test_the_command_line_gives_the_verdict(capsys):
    assert main(["estimators", f"formula:{KNOWN['dr_grpo']}", "--n", "4", "--k", "2"]) == 0
    assert "0.75 times the gradient of max@1" in capsys.readouterr().out
    assert main(["estimators", "formula:r.x"]) != 0
    assert "not in the language" in capsys.readouterr().err
