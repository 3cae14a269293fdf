"""The estimators against their definitions: tiers 1 to 3, and the golden file.

Tier 1 enumerates every subset in exact rational arithmetic, straight from the definitions; tier 2
takes the exact expectation over every group of a small bandit; tier 3 checks identities. Errors are
absolute, within 1e-12 times the largest reward (or 1, if that is more).
"""

import itertools
import json
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import comb, sqrt
from pathlib import Path

import numpy as np
import pytest

from pkpo import ESTIMATORS, get_estimator, pass_at_k, rho, transform
from toy_envs.discrete import categorical_max_at_k

TOLERANCE = 1e-12
RANKED = {
    "lstat": lambda k: quantile_of_ranks(k, Fraction(1, 2)),
    "lstat:max": lambda k: [0] * (k - 1) + [1],
    "lstat:min": lambda k: [1] + [0] * (k - 1),
    "lstat:top-2": lambda k: [0] * (k - 2) + [Fraction(1, 2)] * 2,
    "lstat:bottom-3": lambda k: [Fraction(1, 3)] * 3 + [0] * (k - 3),
    "lstat:gini": lambda k: [Fraction(2 * (2 * j - k + 1), k * (k - 1)) for j in range(k)],
    "lstat:cvar-0.25": lambda k: mean_of_ranks(k, Fraction(0), Fraction(1, 4)),
    "lstat:best-0.25": lambda k: mean_of_ranks(k, Fraction(3, 4), Fraction(1)),
    "lstat:trimmed-0.125": lambda k: mean_of_ranks(k, Fraction(1, 8), Fraction(7, 8)),
    "lstat:quantile-0.75": lambda k: quantile_of_ranks(k, Fraction(3, 4)),
    "lstat:0.5/0/-1.5": lambda k: [Fraction(1, 2), 0, Fraction(-3, 2)],
}
"""Name -> the weights of k ranks, the worst first."""
NAMES = (*ESTIMATORS, "dial:0.3", "dial:-1.5", "mix:0.25", *list(RANKED)[1:])
GOLDEN = json.loads((Path(__file__).parent / "golden" / "estimators.json").read_text())["cases"]

Group = Sequence[Fraction]


def assert_close(got, want, rewards, context: str) -> None:
    got = np.asarray(got, dtype=np.float64)
    want = np.asarray(want, dtype=np.float64)
    assert got.shape == want.shape, f"{context}: shape {got.shape}, expected {want.shape}"
    size = max(1.0, float(np.abs(np.asarray(rewards, dtype=np.float64)).max(initial=0.0)))
    error = np.abs(got - want).max(initial=0.0)
    assert error <= TOLERANCE * size, (
        f"{context}: off by {error:.3g} (allowed {TOLERANCE * size:.3g})\n"
        f"got {got}\nexpected {want}"
    )


def cases(name: str, groups) -> list:
    """Every (group, k) that the estimator accepts."""
    accepts = ACCEPTS.get(name, lambda r: True)
    allowed = get_estimator(name).allowed_k
    return [(r, k) for r in groups if accepts(np.asarray(r)) for k in allowed(len(r))]


ACCEPTS: dict[str, Callable[[np.ndarray], bool]] = {
    "maxrl": lambda r: bool((r >= 0).all()),
    "passk_training": lambda r: bool(((r == 0) | (r == 1)).all()),
}


# --- Tier 1: definitions by enumeration -----------------------------------------------------------


def mean(x: Group) -> Fraction:
    return sum(x, Fraction(0)) / len(x)


def without(r: Group, i: int) -> Group:
    return [x for j, x in enumerate(r) if j != i]


def subsets(n: int, k: int, *members: int):
    return [chosen for chosen in itertools.combinations(range(n), k) if set(members) <= set(chosen)]


def rests(n: int, k: int, i: int):
    """The size-k subsets that contain i, without it."""
    return [set(chosen) - {i} for chosen in subsets(n, k, i)]


def best(r: Group, members) -> Fraction:
    return max(r[j] for j in members)


def v(r: Group, k: int) -> Fraction:
    """The mean best over the size-k subsets."""
    return mean([best(r, chosen) for chosen in subsets(len(r), k)])


def q(r: Group, k: int, i: int) -> Fraction:
    """The mean best over the size-k subsets that contain i."""
    return mean([best(r, chosen) for chosen in subsets(len(r), k, i)])


def define_s(r: Group, k: int) -> list:
    n = len(r)
    return [sum(best(r, chosen) for chosen in subsets(n, k, i)) / comb(n, k) for i in range(n)]


def define_sloo(r: Group, k: int) -> list:
    """Eq. 29: s_i minus the mean over j != i of the s_j of the group without i."""
    return [x - mean(define_s(without(r, i), k)) for i, x in enumerate(define_s(r, k))]


def define_sloo_minus_one(r: Group, k: int) -> list:
    """Eq. 33; at k = 1 leave-one-out centring over n."""
    n = len(r)
    if k == 1:
        return define_rloo(r, 1)
    return [
        sum(best(r, {i, *rest}) - best(r, rest) for rest in rests(n, k, i)) / comb(n, k)
        for i in range(n)
    ]


def define_canonical(r: Group, k: int) -> list:
    n = len(r)
    return [Fraction(k, n) * (q(r, k, i) - v(without(r, i), k)) for i in range(n)]


def define_dial(alpha: Fraction) -> Callable[[Group, int], list]:
    def weights(r: Group, k: int) -> list:
        if k == 1:
            return define_rloo(r, 1)
        result = []
        for i in range(len(r)):
            low, high = v(without(r, i), k - 1), v(without(r, i), k)
            baseline = low + alpha * (high - low)
            result.append(Fraction(k, len(r)) * (q(r, k, i) - baseline))
        return result

    return weights


def define_mix(alpha: Fraction) -> Callable[[Group, int], list]:
    def weights(r: Group, k: int) -> list:
        pairs = zip(define_rloo(r, 1), define_sloo_minus_one(r, k), strict=True)
        return [(1 - alpha) * one + alpha * best for one, best in pairs]

    return weights


def disjoint_sets(r: Group, k: int) -> list[Group]:
    return [r[start : start + k] for start in range(0, len(r), k)]


def define_naive(r: Group, k: int) -> list:
    return [Fraction(k, len(r)) * max(one) for one in disjoint_sets(r, k) for _ in one]


def define_naive_baselined(r: Group, k: int) -> list:
    bests = [max(one) for one in disjoint_sets(r, k)]
    return [
        Fraction(k, len(r)) * (top - mean(without(bests, place)))
        for place, top in enumerate(bests)
        for _ in range(k)
    ]


def define_sloo_minus_one_partitioned(r: Group, k: int) -> list:
    if k == 1:
        return define_rloo(r, 1)
    inside = [define_sloo_minus_one(one, k) for one in disjoint_sets(r, k)]
    return [Fraction(k, len(r)) * x for x in itertools.chain(*inside)]


def define_rloo(r: Group, k: int) -> list:
    return [(x - mean(without(r, i))) / len(r) for i, x in enumerate(r)]


def define_reinforce(r: Group, k: int) -> list:
    return [x / len(r) for x in r]


def define_grpo(r: Group, k: int) -> list:
    variance = sum((x - mean(r)) ** 2 for x in r) / (len(r) - 1)
    return [float(x - mean(r)) / (sqrt(variance) + 1e-4) / len(r) for x in r]


def define_dr_grpo(r: Group, k: int) -> list:
    return [(x - mean(r)) / len(r) for x in r]


def define_maxrl(r: Group, k: int) -> list:
    return [(x - mean(r)) / mean(r) / len(r) if mean(r) else Fraction(0) for x in r]


def define_tailrl(r: Group, k: int) -> list:
    n, ascending = len(r), sorted(r)
    steps = [x - y for x, y in zip(ascending, [Fraction(0), *ascending], strict=False)]
    value = {}
    for place, x in enumerate(ascending):  # a tie's later steps are zero: the last one wins
        value[x] = n * sum(steps[j] / (n - j) for j in range(place + 1))
    return [(value[x] - mean([value[y] for y in r])) / n for x in r]


def define_passk_training(r: Group, k: int) -> list:
    value = v(r, k)
    if value in (0, 1):
        return [0.0] * len(r)
    spread = sqrt(value * (1 - value))
    return [float(q(r, k, i) - value) / spread / len(r) for i in range(len(r))]


def quantile_of_ranks(k: int, share: Fraction) -> list:
    """As NumPy's default: by straight lines between the ranks at share (k - 1)."""
    place = share * (k - 1)
    return [max(Fraction(0), 1 - abs(place - j)) for j in range(k)]


def mean_of_ranks(k: int, low: Fraction, high: Fraction) -> list:
    """Of k equally long pieces of 0..1, how much each is of the interval."""
    pieces = [(Fraction(j, k), Fraction(j + 1, k)) for j in range(k)]
    return [max(Fraction(0), min(b, high) - max(a, low)) / (high - low) for a, b in pieces]


def define_lstat(ranks: Callable[[int], list]) -> Callable[[Group, int], list]:
    """k/n times the statistic of k with the sample, less that of k without it, over all subsets."""

    def weights(r: Group, k: int) -> list:
        alpha, n = ranks(k), len(r)

        def statistic(chosen) -> Fraction:
            ascending = sorted(r[j] for j in chosen)
            return sum((a * x for a, x in zip(alpha, ascending, strict=True)), Fraction(0))

        values = {chosen: statistic(chosen) for chosen in subsets(n, k)}
        result = []
        for i in range(n):
            inside = [value for chosen, value in values.items() if i in chosen]
            outside = [value for chosen, value in values.items() if i not in chosen]
            result.append(Fraction(k, n) * (mean(inside) - mean(outside)))
        return result

    return weights


def define_rs_grpo(r: Group, k: int) -> list:
    """With β = 2."""
    raised = [math.exp(2 * float(x - max(r))) for x in r]
    return [(x / math.fsum(raised) * len(r) - 1) / 2 / len(r) for x in raised]


def define_entropic(r: Group, k: int) -> list:
    """β by a search of its own for KL(softmax(β r), uniform) = ln 2; at most 2^20 over the range."""
    n, span = len(r), max(r) - min(r)
    if not span:
        return [0.0] * n
    below = [float((x - max(r)) / span) for x in r]

    def spent(beta: float) -> float:
        raised = [math.exp(beta * x) for x in below]
        shares = [x / math.fsum(raised) for x in raised]
        return math.fsum(p * math.log(p * n) for p in shares if p > 0)

    low, high = 0.0, 2.0**20
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if spent(middle) < math.log(2) else (low, middle)
    result = []
    for i in range(n):
        others = [math.exp(high * (below[j] - below[i])) for j in range(n) if j != i]
        result.append(((n - 1) / math.fsum(others) - 1) / n)
    return result


DEFINITIONS: dict[str, Callable[[Group, int], list]] = {
    "s": define_s,
    "sloo": define_sloo,
    "sloo_minus_one": define_sloo_minus_one,
    "canonical": define_canonical,
    "dial": define_dial(Fraction(0.5)),
    "dial:0.3": define_dial(Fraction(0.3)),
    "dial:-1.5": define_dial(Fraction(-1.5)),
    "mix": define_mix(Fraction(0.5)),
    "mix:0.25": define_mix(Fraction(0.25)),
    "naive": define_naive,
    "naive_baselined": define_naive_baselined,
    "sloo_minus_one_partitioned": define_sloo_minus_one_partitioned,
    "rloo": define_rloo,
    "reinforce": define_reinforce,
    "grpo": define_grpo,
    "dr_grpo": define_dr_grpo,
    "maxrl": define_maxrl,
    "tailrl": define_tailrl,
    "passk_training": define_passk_training,
    **{name: define_lstat(ranks) for name, ranks in RANKED.items()},
    "rs_grpo": define_rs_grpo,
    "entropic": define_entropic,
}

GROUPS = (
    [1.5],
    [-2, 3],
    [0.1, 0.1, 0.1],  # constant, and not exact in binary
    [-1e3 - 0.1] * 5,
    [False] * 4,
    [True] * 4,
    [True, False, False],
    np.array([False, True, True, False, False, True]),
    [0, 1, 0, 0, 0, 0],
    [5, 4, 3, 2, 1, 0],
    np.array([2, -7, 2, 2, -7, 11], dtype=np.int8),
    [-0.3, -0.1, -0.1, -0.7, -0.2],
    [0.25, -1.5, 3.1, 0.25, 0.1, -0.7, 3.1],
    [1e6 + 0.1, 1e6 + 0.2, 1e6 + 0.1, 1e6],  # a large common offset
    [0.3, 0.9, 0.0, 0.3, 7.7, 0.3, 0.0, 0.9],
)


CONSTANT_WEIGHT = {  # the weights of a group of ones; 0 for those not listed
    "s": lambda n, k: k / n,
    "sloo": lambda n, k: k / n - k / (n - 1),
    "naive": lambda n, k: k / n,
    "reinforce": lambda n, k: 1 / n,
}


@pytest.mark.parametrize("name", NAMES)
def test_weights_follow_the_definition(name):
    checked = 0
    for r, k in cases(name, GROUPS):
        exact = DEFINITIONS[name]([Fraction(x) for x in np.asarray(r, np.float64).tolist()], k)
        assert_close(transform(r, k, name), exact, r, f"{name}, n = {len(r)}, k = {k}, r = {r}")
        checked += 1
    least = 10 if "/" in name else 15  # a vector has a single k
    assert checked >= least, f"{name}: only {checked} cases"


@pytest.mark.parametrize("name", [name for name in NAMES if get_estimator(name).symmetric])
def test_equal_rewards_get_exactly_equal_weights(name):
    for r, k in cases(name, GROUPS):
        weights = transform(r, k, name)
        for i, j in itertools.combinations(range(len(r)), 2):
            assert r[i] != r[j] or weights[i] == weights[j], (
                f"{name}, n = {len(r)}, k = {k}: r[{i}] = r[{j}] = {r[i]}, but weights "
                f"{weights[i]!r} and {weights[j]!r}"
            )


@pytest.mark.parametrize("name", [name for name in NAMES if name not in CONSTANT_WEIGHT])
def test_a_constant_group_gives_exactly_no_signal(name):
    """Also where the mean of equal numbers rounds away from them, as for three times 0.1."""
    for r, k in cases(name, [[x] * n for x in (0.1, 1, 0, -2.3, 1e6 + 0.1) for n in range(1, 13)]):
        weights = transform(r, k, name)
        assert (weights == 0).all(), f"{name}, n = {len(r)}, k = {k}, r = {r}: {weights}"


def test_rho_is_the_mean_best_over_all_subsets():
    for r in GROUPS:
        exact = [Fraction(x) for x in np.asarray(r, np.float64).tolist()]
        for k in range(1, len(r) + 1):
            assert_close(rho(r, k), v(exact, k), r, f"rho, n = {len(r)}, k = {k}, r = {r}")


def test_golden_file():
    for case in GOLDEN:
        r, k = case["rewards"], case["k"]
        context = f"n = {len(r)}, k = {k}, r = {r}"
        assert_close(rho(r, k), Fraction(case["rho"]), r, f"rho, {context}")
        for name in {"s", "sloo", "sloo_minus_one"} & case.keys():
            want = [Fraction(x) for x in case[name]]
            assert_close(transform(r, k, name), want, r, f"{name}, {context}")
    assert sum("sloo" in case for case in GOLDEN) >= 20


# --- Tier 2: exact expectation on a softmax bandit ------------------------------------------------

ARMS = 3
N = 4
POLICY = np.exp([0.3, -0.5, 0.9]) / np.exp([0.3, -0.5, 0.9]).sum()
SCORES = np.eye(ARMS) - POLICY  # SCORES[a] = d log pi(a) / d logits
TUPLES = np.array(list(itertools.product(range(ARMS), repeat=N)))  # [81, N]
CHANCE = POLICY[TUPLES].prod(-1)
REAL = np.array([0.4, -0.7, 1.9])  # the reward of each arm
BINARY = (np.array([0.0, 1.0, 0.0]), np.array([1.0, 0.0, 1.0]))


def expected_direction(weights: np.ndarray) -> np.ndarray:
    """E sum_i w_i grad log pi(x_i), given the weights [81, N] of every tuple."""
    return np.einsum("t,ti,tip->p", CHANCE, weights, SCORES[TUPLES])


def max_at_k_gradient(arms: np.ndarray, k: int) -> np.ndarray:
    """d/dlogits of E max of k = sum over arms, ascending, of r_a (F_a^k - F_{a-1}^k)."""
    order = np.argsort(arms)
    below = np.append(0.0, np.cumsum(POLICY[order]))  # F
    slope = np.zeros((ARMS + 1, ARMS))
    slope[1:] = np.cumsum(POLICY[order, None] * SCORES[order], axis=0)  # dF
    powers = k * below[:, None] ** (k - 1) * slope
    return arms[order] @ (powers[1:] - powers[:-1])


def objective(weight_of_k: dict[int, float], arms: np.ndarray) -> np.ndarray:
    return sum(weight * max_at_k_gradient(arms, k) for k, weight in weight_of_k.items())


HARMONIC = {j: 1 / j for j in range(1, N)}


@pytest.mark.parametrize("name", [name for name in NAMES if get_estimator(name).unbiased])
def test_unbiased_for_max_at_k(name):
    for arms in (REAL, *BINARY):
        for k in get_estimator(name).allowed_k(N):
            got = expected_direction(transform(arms[TUPLES], k, name))
            assert_close(got, max_at_k_gradient(arms, k), arms, f"{name}, n = {N}, k = {k}")


LARGER = [(3, n) for n in range(2, 12)] + [(4, n) for n in range(4, 9)] + [(5, n) for n in (4, 6)]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if get_estimator(name).unbiased])
@pytest.mark.parametrize(("arms", "n"), LARGER)
def test_unbiased_for_max_at_k_in_larger_groups(arms, n, name):
    """Every allowed k, several bandits and policies; the expectation by how often an arm is drawn.

    The score of a sample depends on its arm only, so that the direction needs the expected total
    weight of every arm, and the policy's own chances.
    """
    rng = np.random.default_rng((arms, n))
    tuples = np.array(list(itertools.product(range(arms), repeat=n)))  # [arms^n, n]
    policies = rng.dirichlet(np.ones(arms), 3)
    chance = policies[:, tuples].prod(-1)  # [3, arms^n]
    ties = rng.integers(-2, 3, arms) / 2
    binary = np.arange(arms) % 2
    for rewards in (rng.normal(size=arms), ties, binary):
        for k in get_estimator(name).allowed_k(n):
            weights = transform(rewards[tuples], k, name)
            of_arm = np.stack([(weights * (tuples == arm)).sum(-1) for arm in range(arms)], axis=1)
            total = np.array(  # [3, arms], summed without rounding: there are up to 177,147 terms
                [[math.fsum(terms) for terms in (chances * of_arm.T)] for chances in chance]
            )
            got = total - policies * total.sum(-1, keepdims=True)
            want = categorical_max_at_k(rewards, policies, (k,)).d_logits[0]
            assert_close(got, want, rewards, f"{name}, {arms} arms, n = {n}, k = {k}")


@pytest.mark.parametrize(
    ("name", "weight_of_k", "groups"),
    [
        ("reinforce", {1: 1.0}, (REAL, *BINARY)),
        ("rloo", {1: 1.0}, (REAL, *BINARY)),
        ("dr_grpo", {1: 1 - 1 / N}, (REAL, *BINARY)),
        ("maxrl", HARMONIC, BINARY),
        ("tailrl", HARMONIC, (REAL, *BINARY)),
    ],
)
def test_the_others_optimise_what_they_say(name, weight_of_k, groups):
    assert not get_estimator(name).unbiased
    for arms in groups:
        for k in get_estimator(name).allowed_k(N):
            got = expected_direction(transform(arms[TUPLES], k, name))
            assert_close(got, objective(weight_of_k, arms), arms, f"{name}, n = {N}, k = {k}")


@pytest.mark.parametrize("name", ["grpo", "passk_training"])
def test_rescaled_estimators_point_uphill_but_are_biased(name):
    """On 0/1 rewards any symmetric estimator is a multiple of grad p; the scale is what is off."""
    for arms in BINARY:
        uphill = max_at_k_gradient(arms, 1)
        for k in get_estimator(name).allowed_k(N):
            got = expected_direction(transform(arms[TUPLES], k, name))
            scale = got @ uphill / (uphill @ uphill)
            context = f"{name}, n = {N}, k = {k}"
            assert_close(got, scale * uphill, arms, context)
            true_scale = max_at_k_gradient(arms, k) @ uphill / (uphill @ uphill)
            if name == "passk_training" and k == N:  # then v_k is 0 or 1: no signal
                assert scale == 0, context
            else:
                assert scale > 0, context
                assert abs(scale - true_scale) > 0.01, context


@pytest.mark.parametrize("k", range(1, N + 1))
def test_centring_again_changes_the_objective_by_the_mean_weight(k):
    """Without its group mean an estimator follows J - E[mean w] instead of J = max@k."""

    def recentred(name: str) -> np.ndarray:
        weights = transform(REAL[TUPLES], k, name)
        return expected_direction(weights - weights.mean(-1, keepdims=True))

    target = max_at_k_gradient(REAL, k)
    assert_close(recentred("s"), (1 - k / N) * target, REAL, f"s, k = {k}: scaled")
    if k < N:
        assert_close(recentred("canonical"), target, REAL, f"canonical, k = {k}: harmless")
    if k > 1:
        one_fewer = max_at_k_gradient(REAL, k - 1)
        biased = target - k / N * (target - one_fewer)
        assert_close(recentred("sloo_minus_one"), biased, REAL, f"sloo_minus_one, k = {k}")
        off = np.linalg.norm(biased - target) / np.linalg.norm(target)
        assert off > 0.01, f"sloo_minus_one, k = {k}: centring again moved it by {off:.3g} only"


# --- Tier 3: identities ---------------------------------------------------------------------------

RNG = np.random.default_rng(0)
SIZES = (2, 3, 6, 12, 16)
# Multiples of 1/8 in [-8, 8]: with ties, and 3 r - 5 and sums of two are exact.
EIGHTHS = [RNG.integers(-64, 65, size=n) / 8 for n in SIZES]
BITS = [(RNG.random(n) < p).astype(float) for n in SIZES for p in (0.2, 0.7)]
ANY = [*EIGHTHS, *[np.abs(r) for r in EIGHTHS], *BITS]


NOT_AFFINE = ("grpo", "maxrl", "passk_training", "rs_grpo", "entropic")


@pytest.mark.parametrize("name", [x for x in NAMES if x not in NOT_AFFINE])
def test_affine_maps(name):
    constant = CONSTANT_WEIGHT.get(name, lambda n, k: 0.0)
    for r, k in cases(name, ANY):
        want = 3 * transform(r, k, name) - 5 * constant(len(r), k)
        got = transform(3 * r - 5, k, name)
        assert_close(got, want, 3 * r - 5, f"{name}, n = {len(r)}, k = {k}: 3 r - 5")


def test_shift_and_scale_of_the_nonlinear():
    for r, k in cases("grpo", ANY):
        got = transform(r - 5, k, "grpo")
        assert_close(got, transform(r, k, "grpo"), r, f"grpo, n = {len(r)}: r - 5")
    for r, k in cases("rs_grpo", ANY):
        got = transform(r - 5, k, "rs_grpo")
        assert_close(got, transform(r, k, "rs_grpo"), r, f"rs_grpo, n = {len(r)}: r - 5")
    for r, k in cases("entropic", ANY):
        got = transform(3 * r - 5, k, "entropic")
        assert_close(got, transform(r, k, "entropic"), 3 * r, f"entropic, n = {len(r)}: 3 r - 5")
    for r, k in cases("maxrl", ANY):
        got = transform(3 * r, k, "maxrl")
        assert_close(got, transform(r, k, "maxrl"), r, f"maxrl, n = {len(r)}: 3 r")


@pytest.mark.parametrize("name", NAMES)
def test_linear_means_superposition_on_a_common_order(name):
    """Passk_training is left out: a symmetric function of 0/1 groups always extends linearly."""
    estimator = get_estimator(name)
    if name == "passk_training":
        assert not estimator.linear
        return
    worst = 0.0
    for r in ANY:
        a, b = np.sort(np.abs(r)), np.arange(len(r)) ** 2 / 8
        order = RNG.permutation(len(r))  # the order of the samples differs from the sorted one
        for k in estimator.allowed_k(len(r)):
            apart = transform(a[order], k, name) + transform(b[order], k, name)
            together = transform((a + b)[order], k, name)
            if estimator.linear:
                context = f"{name}, n = {len(r)}, k = {k}: superposition"
                assert_close(together, apart, a + b, context)
            worst = max(worst, np.abs(together - apart).max())
    if not estimator.linear and estimator.symmetric:
        assert worst > 0.01, f"{name} is flagged non-linear, yet superposes within {worst:.3g}"


@pytest.mark.parametrize("name", NAMES)
def test_symmetric_means_equivariant_under_permutation(name):
    estimator = get_estimator(name)
    worst = 0.0
    for r, k in cases(name, ANY):
        order = RNG.permutation(len(r))
        moved, weights = transform(r[order], k, name), transform(r, k, name)[order]
        if estimator.symmetric:
            assert_close(moved, weights, r, f"{name}, n = {len(r)}, k = {k}: permuted")
        worst = max(worst, np.abs(moved - weights).max())
    if not estimator.symmetric:
        assert worst > 0.01, f"{name} is flagged as depending on the order, yet does not"


@pytest.mark.parametrize("name", NAMES)
def test_centred_means_that_the_weights_sum_to_zero(name):
    worst = 0.0
    for r, k in cases(name, ANY):
        total = transform(r, k, name).sum()
        if get_estimator(name).centred:
            assert_close(total, 0.0, r, f"{name}, n = {len(r)}, k = {k}: sum")
        worst = max(worst, abs(total))
    if not get_estimator(name).centred:
        assert worst > 0.01, f"{name} is flagged as not centred, yet sums to {worst:.3g} at most"


SUMS = {
    "s": lambda r, k: k * rho(r, k),
    "sloo": lambda r, k: -k * rho(r, k) / (len(r) - 1),
    "sloo_minus_one": lambda r, k: k * (rho(r, k) - rho(r, k - 1)) if k > 1 else 0.0,
    "dial:0.3": lambda r, k: 0.7 * SUMS["sloo_minus_one"](r, k),
    "naive": lambda r, k: k * r.reshape(-1, k).max(-1).mean(),
    "reinforce": lambda r, k: r.mean(),
}


@pytest.mark.parametrize("name", SUMS)
def test_sum_formulas(name):
    for r, k in cases(name, ANY):
        got = transform(r, k, name).sum()
        assert_close(got, SUMS[name](r, k), len(r) * r, f"{name}, n = {len(r)}, k = {k}: sum")


def assert_same(left: str, right: str, groups, ks: Callable[[int], Sequence[int]]) -> None:
    for r in groups:
        for k in ks(len(r)):
            got, want = transform(r, k, left), transform(r, k, right)
            assert_close(got, want, r, f"{left} against {right}, n = {len(r)}, k = {k}")


@pytest.mark.parametrize(
    ("left", "right", "groups", "ks"),
    [
        ("dial:0", "sloo_minus_one", ANY, lambda n: range(1, n)),
        ("dial:1", "canonical", ANY, lambda n: range(1, n)),
        ("dial:0.5", "dial", ANY, lambda n: range(1, n)),
        ("canonical", "rloo", ANY, lambda n: (1,)),
        ("lstat:max", "canonical", ANY, lambda n: range(1, n)),
        ("lstat:top-1", "canonical", ANY, lambda n: range(1, n)),
        ("lstat:best-1", "rloo", ANY, lambda n: range(1, n)),
        ("lstat", "rloo", ANY, lambda n: range(1, min(n, 3))),
        ("sloo_minus_one", "rloo", ANY, lambda n: (1,)),
        ("sloo_minus_one_partitioned", "rloo", ANY, lambda n: (1,)),
        ("naive", "reinforce", ANY, lambda n: (1,)),
        ("s", "reinforce", ANY, lambda n: (1,)),
        ("naive_baselined", "rloo", ANY, lambda n: (1,)),
        ("sloo_minus_one_partitioned", "sloo_minus_one", ANY, lambda n: (n,)),
        ("naive", "s", ANY, lambda n: (n,)),
        ("tailrl", "maxrl", BITS, lambda n: (1,)),
    ],
)
def test_reductions(left, right, groups, ks):
    assert_same(left, right, groups, ks)


@pytest.mark.parametrize("n", [7, 500, 1_000_000])
def test_the_worst_of_k_is_the_best_of_minus_k(n):
    r = np.random.default_rng(n).normal(size=n)
    for k in {1, 2, 5, n // 3, n - 1} & set(range(1, n)):
        want = -transform(-r, k, "canonical")
        got = transform(r, k, "lstat:min")
        assert_close(got, want, r, f"lstat:min, n = {n}, k = {k}")


def test_ranks_of_a_million_samples():
    """A step between two neighbours tells the slope there, which whole numbers give exactly."""
    n, k = 1_000_000, 6
    for j, name in enumerate(("lstat:1/0/0/0/0/0", "lstat:0/1/0/0/0/0", "lstat:0/0/0/1/0/0")):
        rank = (0, 1, 3)[j]
        for i in (1, 2, 5, 1000, n // 6, n // 2, n - 1000, n - 3, n - 1):
            weights = transform(np.arange(n) >= i, k, name)
            ways = comb(i - 1, rank) * comb(n - 1 - i, k - 1 - rank)
            slope = Fraction(k * ways, (n - 1) * comb(n - 2, k - 1))
            context = f"{name}, gap {i} of {n}"
            assert_close(weights[-1] - weights[0], slope, [1], context)
            assert abs(weights[-1] - weights[0] - float(slope)) <= 1e-11 * float(slope), context


@pytest.mark.parametrize("name", RANKED)
def test_l_statistics_are_unbiased_for_themselves(name):
    """The gradient of E[L] of k draws, by differentiating its sum over all k-tuples of arms."""
    for k in get_estimator(name).allowed_k(N):
        tuples = np.array(list(itertools.product(range(ARMS), repeat=k)))
        alpha = np.array([float(a) for a in RANKED[name](k)])
        value = np.sort(REAL[tuples], axis=1) @ alpha
        want = np.einsum("t,t,tip->p", POLICY[tuples].prod(-1), value, SCORES[tuples])
        got = expected_direction(transform(REAL[TUPLES], k, name))
        assert_close(got, want, REAL, f"{name}, n = {N}, k = {k}")


def test_the_entropic_budget_is_spent():
    r = np.random.default_rng(3).normal(size=32)
    shares = {}
    for budget in (0.1, 0.7, 2.0):
        # w n + 1 = e_i (n-1) / (S - e_i): gives back e_i / S.
        ratio = (transform(r, 1, f"entropic:{budget}") * 32 + 1) / 31
        shares[budget] = ratio / (1 + ratio)
        assert shares[budget].sum() == pytest.approx(1, abs=1e-9)
        spent = (shares[budget] * np.log(shares[budget] * 32)).sum()
        assert spent == pytest.approx(budget, abs=1e-9)


def test_canonical_is_centred_s():
    for r, k in cases("canonical", ANY):
        s = transform(r, k, "s")
        want = (s - s.mean()) / (1 - k / len(r))
        assert_close(transform(r, k, "canonical"), want, r, f"canonical, n = {len(r)}, k = {k}")


def test_tzsm25_gives_the_best_its_lead_and_the_rest_nothing():
    for r in EIGHTHS:
        n, second = len(r), np.sort(r)[-2]
        want = np.where(r > second, r.max() - second, 0.0)
        got = transform(r, n, "sloo_minus_one_partitioned")
        assert_close(got, want, r, f"sloo_minus_one_partitioned, n = k = {n}")


def test_passk_training_is_parallel_to_canonical():
    for r, k in cases("canonical", BITS):
        n, c = len(r), int(r.sum())
        value = pass_at_k(n, c, k)
        want = transform(r, k, "canonical") * (n - k) / k  # q - v
        got = transform(r, k, "passk_training") * n * sqrt(value * (1 - value))
        dead = value in (0.0, 1.0)
        assert_close(got, 0 * want if dead else want, r, f"passk_training, n = {n}, k = {k}")


BINARY_FORMS = {  # (right, wrong) for c right out of n
    "s": lambda n, c, k: (Fraction(k, n), Fraction(k, n) * exact_pass_at_k(n - 1, c, k - 1)),
    "sloo_minus_one": lambda n, c, k: (Fraction(comb(n - c, k - 1), comb(n, k)), Fraction(0)),
    "canonical": lambda n, c, k: (
        Fraction(k, n - k) * (1 - exact_pass_at_k(n, c, k)),
        Fraction(k, n - k) * (exact_pass_at_k(n - 1, c, k - 1) - exact_pass_at_k(n, c, k)),
    ),
}


def exact_pass_at_k(n: int, c: int, k: int) -> Fraction:
    return 1 - Fraction(comb(max(n - c, 0), k), comb(n, k))  # c = n + 1: a case with no wrong one


@pytest.mark.parametrize("name", BINARY_FORMS)
def test_binary_closed_forms(name):
    for n in (2, 5, 16):
        for c in range(n + 1):
            r = np.arange(n) < c
            for k in get_estimator(name).allowed_k(n):
                if k == 1 and name == "sloo_minus_one":
                    continue  # not Eq. 33 there, but leave-one-out centring
                right, wrong = BINARY_FORMS[name](n, c, k)
                want = [right if x else wrong for x in r]
                context = f"{name}, n = {n}, c = {c}, k = {k}"
                assert_close(transform(r, k, name), want, r, context)
