"""The bandit's exact values, against enumeration and long arithmetic; and its text form.

Probabilities are multiples of a power of 1/2: exact in binary, and summing to exactly 1. The reference
for large k is summed in 100 digits; where that can be enumerated, it is.
"""

import itertools
from decimal import Decimal, localcontext
from fractions import Fraction
from math import prod

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from toy_envs.bandit import (
    ARM_LIMIT,
    BANDITS,
    PROMPT_LIMIT,
    Bandit,
    bandit,
    exact_bandit,
    objective,
)
from toy_envs.discrete import categorical_max_at_k

EPS = np.finfo(float).eps
KS = (1, 2, 3, 7, 64, 5000, 10**6)

ROWS = {  # rewards, and the arms' probabilities in units of one over their sum, a power of 2
    "two arms": ([0, 1], [5, 3]),
    "ascending": ([0.25, 0.5, 1.5], [1, 2, 5]),
    "descending": ([1.9, 0.4, -0.7], [7, 8, 1]),
    "negative": ([-3, -0.1, -7.5, -0.2], [2, 1, 10, 3]),
    "ties": ([0.3, 1, 0.3, 1, 0.3], [1, 4, 2, 8, 1]),
    "all alike": ([0.1, 0.1, 0.1], [2, 1, 1]),
    "a large offset": ([100, 99.9, 99.7], [3, 4, 1]),
    "an arm never drawn": ([0.5, 2, 1], [3, 0, 1]),
    "the worst never drawn": ([-9, 0, 1], [0, 3, 1]),
    "one arm always": ([0.2, 0.7, 0.4], [0, 0, 1]),
}


def chances_of(parts) -> list[Fraction]:
    return [Fraction(part, sum(parts)) for part in parts]


def enumerated(rewards, chances, k: int) -> tuple[Fraction, list[Fraction]]:
    """Max@k and its derivatives by the logits, over every k-tuple of arms."""
    value, slope = Fraction(0), [Fraction(0)] * len(rewards)
    for arms in itertools.product(range(len(rewards)), repeat=k):
        share = prod(chances[a] for a in arms) * Fraction(max(rewards[a] for a in arms))
        value += share
        for b, chance in enumerate(chances):  # d log(chance of the tuple) / d logit b
            slope[b] += share * (arms.count(b) - k * chance)
    return value, slope


def in_long_numbers(rewards, chances, k: int) -> tuple[Decimal, list[Decimal]]:
    """The same by summation over arms, ascending, in the numbers that are given.

    Max@k is the largest reward less every gap times F^k, F the chance of an arm below the gap.
    """
    order = sorted(range(len(rewards)), key=lambda a: rewards[a])
    value, slope = rewards[order[-1]], [0 * chance for chance in chances]
    for place in range(1, len(order)):
        gap = rewards[order[place]] - rewards[order[place - 1]]
        lower = order[:place]
        below = sum(chances[a] for a in lower)
        if not below:
            continue
        value -= gap * below**k
        for b, chance in enumerate(chances):
            slope[b] -= gap * k * below ** (k - 1) * chance * ((b in lower) - below)
    return value, slope


def reference(rewards, parts, k: int) -> tuple[float, np.ndarray]:
    with localcontext(prec=100):
        chances = [Decimal(part) / sum(parts) for part in parts]
        value, slope = in_long_numbers([Decimal(float(r)) for r in rewards], chances, k)
        return float(value), np.array(slope, float)


def assert_exact(got, want, rewards, context: str) -> None:
    """Within a unit in the last place of the largest reward for every arm."""
    allowed = len(rewards) * EPS * np.abs(rewards).max()
    error = np.abs(np.asarray(got) - np.asarray(want, float)).max()
    assert error <= allowed, f"{context}: off by {error:.3g} (allowed {allowed:.3g}), got {got}"


# --- Values and derivatives -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ROWS)
def test_every_tuple_of_arms(name):
    rewards, parts = ROWS[name]
    chances = chances_of(parts)
    for k in range(1, 6):
        value, slope = enumerated(rewards, chances, k)
        assert in_long_numbers([Fraction(r) for r in rewards], chances, k) == (value, slope)
        found = categorical_max_at_k(rewards, np.array(chances, float), (k,))
        assert_exact(found.value[0], value, rewards, f"value of {name}, k = {k}")
        assert_exact(found.d_logits[0], slope, rewards, f"d_logits of {name}, k = {k}")


@pytest.mark.parametrize("name", ROWS)
def test_any_k(name):
    rewards, parts = ROWS[name]
    found = categorical_max_at_k(rewards, np.array(chances_of(parts), float), KS)
    for i, k in enumerate(KS):
        value, slope = reference(rewards, parts, k)
        assert_exact(found.value[i], value, rewards, f"value of {name}, k = {k}")
        assert_exact(found.d_logits[i], slope, rewards, f"d_logits of {name}, k = {k}")


@pytest.mark.parametrize("bits", [20, 40, 50])
def test_chances_next_to_0_and_next_to_1(bits):
    rest = 2**bits - 2
    for parts in ([rest, 1, 1], [1, rest, 1], [1, 1, rest]):
        for rewards in ([0, 1, 3], [-1, 0.5, 0.5]):
            found = categorical_max_at_k(rewards, np.array(chances_of(parts), float), KS)
            for i, k in enumerate(KS):
                value, slope = reference(rewards, parts, k)
                context = f"{rewards} with {parts}, k = {k}"
                assert_exact(found.value[i], value, rewards, f"value of {context}")
                assert_exact(found.d_logits[i], slope, rewards, f"d_logits of {context}")


@pytest.mark.parametrize("bits", [7, 40, 50, 70])  # 1 - 2^-70 rounds to 1
def test_a_rare_success_keeps_its_digits(bits):
    parts = [2**bits - 1, 1]
    found = categorical_max_at_k([0, 1], np.array(chances_of(parts), float), KS)
    for i, k in enumerate(KS):
        value, slope = reference([0, 1], parts, k)
        # A relative error: of the derivative also where almost no attempt is left to miss.
        missing = 4 * EPS * (1 + k / 2**bits)
        assert abs(found.value[i] - value) <= 4 * EPS * value, f"k = {k}: {found.value[i]}, {value}"
        assert (np.abs(found.d_logits[i] - slope) <= missing * np.abs(slope)).all(), f"k = {k}"


@pytest.mark.parametrize("bits", [7, 40, 50, 70])
def test_a_rare_failure_keeps_its_digits(bits):
    parts = [1, 2**bits - 1]
    found = categorical_max_at_k([0, 1], np.array(chances_of(parts), float), (1, 2, 3))
    for i, k in enumerate((1, 2, 3)):
        want = reference([0, 1], parts, k)[1][0]
        got = found.d_logits[i, 0]
        allowed = (4 + (k - 1) * bits) * EPS  # a logarithm of that size, rounded, is raised again
        assert abs(got - want) <= allowed * abs(want), f"k = {k}: {got} against {want}"


def test_one_attempt_is_the_mean():
    rng = np.random.default_rng(0)
    rewards, p = rng.normal(size=(20, 9)), rng.dirichlet(np.ones(9), 20)
    found, mean = categorical_max_at_k(rewards, p, (1,)), (p * rewards).sum(-1)
    assert np.abs(found.value[0] - mean).max() < 20 * EPS * np.abs(rewards).max()
    slope = p * (rewards - mean[:, None])
    assert np.abs(found.d_logits[0] - slope).max() < 20 * EPS * np.abs(rewards).max()


def test_success_or_not_is_pass_at_k():
    rng = np.random.default_rng(1)
    rewards, p = np.array([1.0, 0.0, 0.0, 1.0, 0.0]), rng.dirichlet(np.ones(5), 50)
    passing = p[:, [0, 3]].sum(-1)
    for k, value in zip(KS, categorical_max_at_k(rewards, p, KS).value, strict=True):
        assert np.abs(value - (1 - (1 - passing) ** k)).max() < 10 * EPS * k, f"k = {k}"


def test_together_or_one_at_a_time():
    rng = np.random.default_rng(2)
    rewards = rng.integers(-4, 5, (3, 1, 6)) / 4  # with ties
    p = rng.dirichlet(np.ones(6), (5, 1, 4))
    together = categorical_max_at_k(rewards, p, KS)
    assert together.value.shape == (len(KS), 5, 3, 4)
    assert together.d_logits.shape == (len(KS), 5, 3, 4, 6)
    for i, prompt, j in np.ndindex(5, 3, 4):
        for place, k in enumerate(KS):
            alone = categorical_max_at_k(rewards[prompt, 0], p[i, 0, j], (k,))
            assert together.value[place, i, prompt, j] == alone.value[0]
            assert np.array_equal(together.d_logits[place, i, prompt, j], alone.d_logits[0])
    assert categorical_max_at_k(np.zeros((0, 2)), np.zeros((0, 2)), KS).d_logits.shape == (
        len(KS),
        0,
        2,
    )


def test_the_order_of_the_arms_does_not_matter():
    rng = np.random.default_rng(3)
    for _ in range(20):
        rewards, p = rng.integers(-3, 4, 8) / 2, rng.dirichlet(np.ones(8))
        order = rng.permutation(8)
        found, moved = (
            categorical_max_at_k(rewards, p, KS),
            categorical_max_at_k(rewards[order], p[order], KS),
        )
        for i, k in enumerate(KS):
            assert_exact(moved.value[i], found.value[i], rewards, f"{rewards}, k = {k}")
            got, want = moved.d_logits[i], found.d_logits[i][order]
            assert_exact(got, want, rewards, f"d_logits of {rewards}, k = {k}")


@pytest.mark.parametrize("k", [(), (0,), (2, -1), (2.5,), (2.0,), (np.nan,), (True,), ("2",)])
def test_k_refused(k):
    with pytest.raises(ValueError, match="k must hold whole numbers >= 1, got \\["):
        categorical_max_at_k([0, 1], [0.5, 0.5], k)
    with pytest.raises(ValueError, match="k must hold whole numbers >= 1, got \\["):
        exact_bandit([0.5, 0.5], k, "arms:0,1")


# --- A bandit -------------------------------------------------------------------------------------


def test_every_prompt_by_enumeration():
    chosen = bandit("arms:0,0.5,1;2,-1,2;0.3,0.3,0.3")
    parts = [[5, 2, 1], [1, 6, 1], [2, 2, 4]]
    p = np.array([[float(c) for c in chances_of(row)] for row in parts])
    found = exact_bandit(p, (1, 2, 4), chosen)
    assert found.value.shape == (3, 3) and found.d_logits.shape == (3, 3, 3)
    for (i, k), prompt in itertools.product(enumerate((1, 2, 4)), range(3)):
        rewards = chosen.rewards[prompt].tolist()
        value, slope = enumerated(rewards, chances_of(parts[prompt]), k)
        assert_exact(found.value[i, prompt], value, rewards, f"prompt {prompt}, k = {k}")
        assert_exact(found.d_logits[i, prompt], slope, rewards, f"prompt {prompt}, k = {k}")
    for i, k in enumerate((1, 2, 4)):
        assert objective(p, k, chosen) == found.value[i].mean()


@pytest.mark.parametrize("name", BANDITS)
def test_presets_against_long_numbers(name):
    chosen = bandit(name)
    rng = np.random.default_rng(0)
    parts = rng.multinomial(2**20, rng.dirichlet(np.ones(chosen.arms)), size=chosen.prompts)
    found = exact_bandit(parts / 2**20, KS, name)
    for i, prompt in itertools.product(range(len(KS)), range(chosen.prompts)):
        rewards = chosen.rewards[prompt]
        value, slope = reference(rewards.tolist(), parts[prompt].tolist(), KS[i])
        context = f"{name}, prompt {prompt}, k = {KS[i]}"
        assert_exact(found.value[i, prompt], value, rewards, context)
        assert_exact(found.d_logits[i, prompt], slope, rewards, context)


def test_derivatives_are_those_of_the_softmax():
    """By central differences of h: off by about h² times the third derivative, and rounding over h."""
    rng, h = np.random.default_rng(4), 1e-5
    for name in ("trap", "crowded", "arms:-1,2,0.5,2"):
        chosen = bandit(name)
        logits = rng.normal(size=chosen.rewards.shape)

        def value(at, k, chosen=chosen):
            p = np.exp(at)
            return exact_bandit(p / p.sum(-1, keepdims=True), (k,), chosen).value[0].sum()

        for k in (1, 2, 5):
            p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
            got, want = exact_bandit(p, (k,), chosen).d_logits[0], np.empty(logits.shape)
            for at in np.ndindex(logits.shape):
                step = np.zeros(logits.shape)
                step[at] = h
                want[at] = (value(logits + step, k) - value(logits - step, k)) / (2 * h)
            size = np.abs(chosen.rewards).max()
            allowed = size * (k**3 * h**2 + chosen.rewards.size * EPS / h)
            assert np.abs(got - want).max() < allowed, f"{name}, k = {k}"


def test_objective_against_monte_carlo():
    chosen, rng = bandit("trap"), np.random.default_rng(0)
    for k in (1, 4, 30):
        arms = rng.choice(chosen.arms, size=(50_000, k), p=chosen.start)
        best = chosen.rewards[0, arms].max(axis=1)
        error = best.mean() - objective(chosen.start, k, chosen)
        assert abs(error) < 4 * best.std() / np.sqrt(best.size), f"k = {k}: off by {error}"


def test_shapes():
    one, six = bandit("tie"), bandit("crowded")
    assert type(objective(one.start, 3, one)) is float
    assert type(objective(six.start, 3, six)) is float  # the same policy at every prompt
    everywhere = np.tile(six.start, (6, 1))
    assert objective(six.start, 3, six) == objective(everywhere, 3, six)
    many = np.broadcast_to(everywhere, (4, 2, 6, 8))
    assert objective(many, 3, "crowded").shape == (4, 2)
    found = exact_bandit(many, (1, 3), "crowded")
    assert found.value.shape == (2, 4, 2, 6) and found.d_logits.shape == (2, 4, 2, 6, 8)


@pytest.mark.parametrize(
    ("probabilities", "reason"),
    [
        ([0.5, 0.25, 0.25], r"\(prompts, arms\) = \(2, 2\), got the shape \(3,\)"),
        ([[0.5, 0.5]] * 3, r"\(prompts, arms\) = \(2, 2\), got the shape \(3, 2\)"),
        (0.5, r"\(prompts, arms\) = \(2, 2\), got the shape \(\)"),
        ([[0.5, 0.5], [0.5, 0.4]], r">= 0 and sum to 1 over the arms, got \[0.5, 0.4\]"),
        ([[1.5, -0.5], [0.5, 0.5]], r"sum to 1 over the arms, got \[1.5, -0.5\]"),
        ([[0.5, 0.5], [np.nan, 0.5]], r"sum to 1 over the arms, got \[nan, 0.5\]"),
        ([np.inf, 0.5], r"sum to 1 over the arms, got \[inf, 0.5\]"),
    ],
)
def test_probabilities_refused(probabilities, reason):
    with pytest.raises(ValueError, match="probabilities must .*" + reason):
        exact_bandit(probabilities, (1,), "arms:0,1;1,0")
    with pytest.raises(ValueError, match="probabilities must .*" + reason):
        objective(probabilities, 1, "arms:0,1;1,0")


# --- Text -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BANDITS)
def test_presets(name):
    chosen = bandit(name)
    assert chosen is BANDITS[name] and bandit(chosen) is chosen and bandit(chosen.name) is chosen
    assert chosen.label != name
    assert abs(chosen.start.sum() - 1) < 4 * EPS and (chosen.start >= 1e-9).all()
    assert chosen.rewards.shape == (chosen.prompts, chosen.arms)
    assert chosen.start.shape == (chosen.arms,)
    assert chosen.highest.tolist() == [1.0] * chosen.prompts
    assert chosen.binary == (set(chosen.rewards.ravel().tolist()) == {0.0, 1.0})
    for array in (chosen.rewards, chosen.start):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_what_the_presets_promise():
    hard, tie, crowded = bandit("hard"), bandit("tie"), bandit("crowded")
    assert abs(objective(hard.start, 1, hard) - 0.01) < EPS  # right once in a hundred
    assert abs(objective(tie.start, 1, tie) - 0.5) < 4 * EPS  # half the arms are right
    assert crowded.rewards.sum(axis=0).tolist() == [3, 1, 1, 1, 0, 0, 0, 0]
    trap = bandit("trap")  # the rare 1 is worth less to one attempt than the common 0.6
    assert trap.start @ (trap.rewards[0] == 1) < 0.02 < 0.2 < trap.start @ (trap.rewards[0] == 0.6)
    jackpot = bandit("jackpot")
    assert jackpot.start @ (jackpot.rewards[0] == 1) == jackpot.start.min()


@pytest.mark.parametrize(
    ("text", "name", "rewards", "start"),
    [
        ("arms:0,1", "arms:0,1", [[0, 1]], [0.5, 0.5]),
        ("arms: 0 , 5e-1,1.0 ", "arms:0,0.5,1", [[0, 0.5, 1]], [1 / 3] * 3),
        ("arms:0,1;1,0", "arms:0,1;1,0", [[0, 1], [1, 0]], [0.5, 0.5]),
        ("arms:-100,100@1,3", "arms:-100,100@1,3", [[-100, 100]], [0.25, 0.75]),
        ("arms:0,1@0.50,0.5", "arms:0,1@0.5,0.5", [[0, 1]], [0.5, 0.5]),
        ("arms:1e-05,0.1@ 6,2", "arms:1e-05,0.1@6,2", [[1e-5, 0.1]], [0.75, 0.25]),
        (f"arms:0,{0.1 + 0.2}", "arms:0,0.30000000000000004", [[0, 0.1 + 0.2]], [0.5, 0.5]),
    ],
)
def test_canonical_form(text, name, rewards, start):
    chosen = bandit(text)
    assert isinstance(chosen, Bandit) and chosen.name == name
    assert chosen.rewards.tolist() == rewards
    assert np.abs(chosen.start - start).max() < EPS
    again = bandit(chosen.name)
    assert again == chosen and again.name == name
    assert np.array_equal(again.rewards, chosen.rewards)
    assert np.array_equal(again.start, chosen.start)


def test_the_limits_are_allowed():
    row = ",".join(map(str, range(ARM_LIMIT)))
    chosen = bandit("arms:" + ";".join([row] * PROMPT_LIMIT))
    assert chosen.rewards.shape == (PROMPT_LIMIT, ARM_LIMIT) == (12, 50)
    assert bandit("arms:0,1@1.1e-9,1").start[0] > 1e-9
    assert bandit("arms:0,1@1,1") != bandit("arms:0,1")  # another text, though the same policy


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("robber", "bandit must be one of jackpot, mediocre, .* got 'robber'"),
        ("Trap", "bandit must be one of .* got 'Trap'"),
        ("", "bandit must be one of .* got ''"),
        (None, "bandit must be one of .* got 'None'"),
        (3, "bandit must be one of .* got '3'"),
        ("points:0,1;1,1", "bandit must be one of .* got 'points:0,1;1,1'"),
        ("x" * 200, f"bandit must be one of .* got '{'x' * 80}'$"),
        ("arms:", "bandit: a reward must be a number, got ''"),
        ("arms:0,1;", "bandit: a reward must be a number, got ''"),
        ("arms:0,,1", "bandit: a reward must be a number, got ''"),
        ("arms:0,a", "bandit: a reward must be a number, got 'a'"),
        ("arms:0,nan", "bandit: a reward must be a number, got 'nan'"),
        ("arms:0,inf", "bandit: a reward must be a number, got 'inf'"),
        ("arms:0,1e999", "bandit: a reward must be a number, got '1e999'"),
        ("arms:0," + "b" * 99, f"a reward must be a number, got '{'b' * 40}'$"),
        ("arms:1", "bandit: arms must number from 2 to 50, got 1"),
        ("arms:" + ",".join("1" * 51), "bandit: arms must number from 2 to 50, got 51"),
        ("arms:" + ";".join(["0,1"] * 13), "bandit: prompts must number at most 12, got 13"),
        ("arms:0,1;1,0,1", "got 2 rewards for the first and 3 for number 2"),
        ("arms:0,1;1,0;1", "got 2 rewards for the first and 1 for number 3"),
        ("arms:0,100.5", "bandit: a reward must be within ±100, got 100.5"),
        ("arms:0,1;-101,1", "bandit: a reward must be within ±100, got -101.0"),
        ("arms:0,1@", "bandit: a probability must be a number, got ''"),
        ("arms:0,1@1,x", "bandit: a probability must be a number, got 'x'"),
        ("arms:0,1@1,1@1,1", "bandit: a probability must be a number, got '1@1'"),
        ("arms:0,1@1", "bandit: give one probability per arm, got 1 for 2"),
        ("arms:0,1;1,0@1,1;1,1", "bandit: a probability must be a number, got '1;1'"),
        ("arms:0,1@0,1", "a probability of at least 1e-9, got 0 of 1$"),
        ("arms:0,1@-1,2", "a probability of at least 1e-9, got -1 of 1$"),
        ("arms:0,1@1,1e10", r"a probability of at least 1e-9, got 1 of 1e\+10$"),
        ("arms:0,1@1e308,1e308", r"a probability of at least 1e-9, got 1e\+308 of inf$"),
    ],
)
def test_texts_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        bandit(text)
    with pytest.raises(ValueError, match="bandit"):
        objective([0.5, 0.5], 2, text)


def numbers(low: float, high: float) -> st.SearchStrategy[str]:
    return st.floats(low, high).map(repr)


NEARLY = st.text(st.sampled_from("0123456789.,;@-+e_ ainf"), max_size=40).map("arms:{}".format)
DESCRIBED = st.integers(2, 5).flatmap(
    lambda arms: st.tuples(
        st.lists(
            st.lists(numbers(-100, 100), min_size=arms, max_size=arms).map(",".join),
            min_size=1,
            max_size=3,
        ).map(";".join),
        st.just("") | st.lists(numbers(1e-3, 1e3), min_size=arms, max_size=arms).map(",".join),
    ).map(lambda parts: "arms:" + parts[0] + ("@" + parts[1] if parts[1] else ""))
)


@settings(derandomize=True, deadline=None, database=None, max_examples=500)
@given(st.text() | NEARLY | DESCRIBED | DESCRIBED.map(lambda text: text[:-1]))
@example("arms:0,1@1,1")
def test_any_text_is_a_bandit_or_refused(text):
    try:
        chosen = bandit(text)
    except ValueError as reason:
        assert str(reason).startswith("bandit"), text
        return
    again = bandit(chosen.name)
    assert again == chosen and again.name == chosen.name
    assert np.array_equal(again.rewards, chosen.rewards)
    assert np.array_equal(again.start, chosen.start)


@settings(derandomize=True, deadline=None, database=None)
@given(DESCRIBED)
def test_a_described_bandit_is_what_was_described(text):
    rows, _, start = text.removeprefix("arms:").partition("@")
    chosen = bandit(text)
    assert chosen.rewards.tolist() == [
        [float(x) for x in row.split(",")] for row in rows.split(";")
    ]
    parts = np.array([float(x) for x in start.split(",")]) if start else np.ones(chosen.arms)
    assert np.abs(chosen.start - parts / parts.sum()).max() < 8 * EPS
