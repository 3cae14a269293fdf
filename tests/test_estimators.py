"""The contract of pkpo.estimators: libraries, types, sizes, properties, refusals, the registry.

The values themselves are checked in test_estimators_exact.py.
"""

import itertools
import math
import re
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import pkpo
from pkpo import ESTIMATORS, Estimator, get_estimator, pass_at_k, rho, transform
from pkpo.estimators.arrays import running_sum

RANKED = ("lstat:top-2", "lstat:min", "lstat:quantile-0.25")
NAMES = (*ESTIMATORS, "dial:0.3", "dial:-1.5", *RANKED)
SYMMETRIC = [name for name in NAMES if get_estimator(name).symmetric]
ALL_SUBSETS = ("s", "sloo", "sloo_minus_one", "canonical", "dial", "dial:0.3")
TOLERANCE = 1e-12


def accepted(name: str, r: np.ndarray) -> np.ndarray:
    """The nearest rewards that the estimator accepts."""
    if name == "passk_training":
        return (r > 0).astype(r.dtype)
    return np.abs(r) if name == "maxrl" else r


def sample(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Multiples of 1/8 in [-2, 2]: many ties, negatives, exact in every floating type."""
    return accepted(name, np.random.default_rng(0).integers(-16, 17, size=shape) / 8)


def allowed_cases(name: str, sizes) -> list[tuple[int, int]]:
    return [(n, k) for n in sizes for k in get_estimator(name).allowed_k(n)]


def assert_close(got, want, size: float, context: str) -> None:
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape, f"{context}: shape {got.shape}, expected {want.shape}"
    error = np.abs(got - want).max(initial=0.0)
    assert error <= size, f"{context}: off by {error:.3g}, allowed {size:.3g}"


# --- Tier 4: libraries, batches, types ------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_torch_equals_numpy_and_keeps_ties(name):
    for n, k in allowed_cases(name, (1, 2, 6, 16)):
        r = sample(name, (5, 7, n))
        want, got = transform(r, k, name), transform(torch.tensor(r), k, name)
        context = f"{name}, n = {n}, k = {k}: torch against NumPy"
        assert isinstance(got, torch.Tensor), context
        if name == "sloo_minus_one" and k > 1:  # a sum in order and nothing else
            assert np.array_equal(got.numpy(), want), context
        # A sum over the whole group may be taken in another order.
        assert_close(
            got.numpy(), want, 1e-15 * max(1.0, np.abs(want).max(), np.abs(r).max()), context
        )
        if get_estimator(name).symmetric:
            for group, weights in zip(r.reshape(-1, n), got.numpy().reshape(-1, n), strict=True):
                assert len(np.unique(weights)) <= len(np.unique(group)), f"{context}: a tie parted"


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_equals_its_rows(name):
    for n, k in allowed_cases(name, (2, 6)):
        batch = sample(name, (2, 3, n))
        want = np.stack([transform(row, k, name) for row in batch.reshape(-1, n)])
        layouts = {
            "batch": batch,
            "flat batch": batch.reshape(-1, n),
            "list": batch.tolist(),
            "samples first in memory": np.asfortranarray(batch),
            "every other": np.repeat(batch, 2, axis=-1)[..., ::2],
            "backwards": batch[..., ::-1].copy()[..., ::-1],
            "torch, samples first in memory": torch.tensor(batch.T.copy()).permute(2, 1, 0),
        }
        for layout, r in layouts.items():
            got = np.asarray(transform(r, k, name))
            assert got.shape == np.shape(r), f"{name}, n = {n}, k = {k}: {layout}"
            context = f"{name}, n = {n}, k = {k}: {layout}"
            assert_close(got.reshape(-1, n), want, 1e-15 * max(2.0, np.abs(want).max()), context)
        for empty in (np.zeros((0, n)), torch.zeros(2, 0, n)):
            assert transform(empty, k, name).shape == empty.shape


def test_rho_in_torch_and_in_batches():
    for n in (1, 2, 6, 16):
        r = sample("s", (5, 7, n))
        for k in range(1, n + 1):
            want, context = rho(r, k), f"rho, n = {n}, k = {k}"
            got = rho(torch.tensor(r, requires_grad=True), k)
            assert isinstance(got, torch.Tensor), context
            assert_close(got.detach().numpy(), want, 4e-15, f"{context}: torch")
            rows = [rho(row, k) for row in r.reshape(-1, n)]
            assert_close(want.reshape(-1), rows, 4e-15, f"{context}: rows")
            assert rho(r[:0], k).shape == rho(torch.tensor(r[:0]), k).shape == (0, 7), context


def test_rho_keeps_floating_types_and_promotes_the_others():
    r = sample("s", (3, 4))
    for kind in ("float16", "float32", "float64"):
        assert np.array_equal(rho(r.astype(kind), 2), rho(r, 2).astype(kind)), kind
        assert rho(r.astype(kind), 2).dtype == kind
    for kind in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        got = rho(torch.tensor(r).to(kind), 2)
        assert got.dtype == kind and torch.equal(got, rho(torch.tensor(r), 2).to(kind)), kind
    for kind in ("bool", "uint8", "int8", "int64"):
        whole = np.abs(8 * r).astype(kind)
        for got in (rho(whole, 2), rho(whole.tolist(), 2), rho(torch.tensor(whole), 2)):
            assert got.dtype in (np.float64, torch.float64), kind
            assert_close(got, rho(whole.astype(np.float64), 2), TOLERANCE * 255, kind)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_numpy_keeps_floating_types(name, kind):
    for n, k in allowed_cases(name, (1, 4)):
        r = sample(name, (3, n))
        got = transform(r.astype(kind), k, name)
        assert got.dtype == kind, f"{name}, n = {n}, k = {k}"
        # Computed in float64 and rounded once at the end.
        assert np.array_equal(got, transform(r, k, name).astype(kind)), f"{name}, n = {n}, k = {k}"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float32", "float64"])
def test_torch_keeps_floating_types_and_device(name, kind):
    dtype = getattr(torch, kind)
    for n, k in allowed_cases(name, (1, 4)):
        r = torch.tensor(sample(name, (3, n)))
        got = transform(r.to(dtype), k, name)
        assert got.dtype == dtype and got.device == r.device, f"{name}, n = {n}, k = {k}"
        assert torch.equal(got, transform(r, k, name).to(dtype)), f"{name}, n = {n}, k = {k}"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["bool", "uint8", "int8", "int32", "int64"])
def test_integers_and_booleans_are_promoted(name, kind):
    for n, k in allowed_cases(name, (1, 4)):
        high = 2 if kind == "bool" or name == "passk_training" else 8
        r = np.random.default_rng(0).integers(0, high, size=(3, n)).astype(kind)
        want = transform(r.astype(np.float64), k, name)
        context = f"{name}, n = {n}, k = {k}, {kind}"
        for got in (transform(r, k, name), transform(r.tolist(), k, name)):
            assert isinstance(got, np.ndarray) and got.dtype == np.float64, context
            assert np.array_equal(got, want), context
        tensor = torch.tensor(r)
        got = transform(tensor, k, name)
        assert got.dtype == torch.float64, context
        assert torch.equal(got, transform(tensor.double(), k, name)), context


@pytest.mark.parametrize("name", NAMES)
def test_no_graph_no_mutation_no_alias(name):
    for n, k in allowed_cases(name, (1, 4)):
        r = sample(name, (3, n))
        for given_rewards in (r.copy(), torch.tensor(r), torch.tensor(r, requires_grad=True)):
            got = transform(given_rewards, k, name)
            context = f"{name}, n = {n}, k = {k}, {type(given_rewards).__name__}"
            if isinstance(got, torch.Tensor):
                assert not got.requires_grad and got.grad_fn is None, context
            got *= 0  # would show through if the result shared the rewards' memory
            assert np.array_equal(torch.as_tensor(given_rewards).detach().numpy(), r), context


def test_weights_found_in_inference_mode_serve_training_afterwards():
    """Coefficients are cached: those made in inference mode must not spoil a later backward."""
    r = torch.tensor([0.5, 2.0, 0.25, 1.0, 3.0, 0.125, 0.0])
    with torch.inference_mode():
        transform(r, 5, "dial:0.7")
    scores = torch.ones(7, requires_grad=True)
    weights = transform(r, 5, "dial:0.7")
    (weights * scores).sum().backward()
    assert torch.equal(scores.grad, weights)


def test_running_sum_keeps_ties_on_an_accelerator_that_sums_in_blocks():
    class Accelerator(torch.Tensor):
        device = SimpleNamespace(type="accelerator")

        def cumsum(self, dim):  # every place is rounded differently, zero gaps included
            total = self.as_subclass(torch.Tensor).cumsum(dim)
            return total + 1e-14 * torch.arange(1, total.shape[-1] + 1)

    gaps = torch.tensor([[0, 0, 1, 0, 0, 2, 3, 0], [1, 0, 0, 0, 4, 0, 0, 0], [0] * 8]).double()
    got = running_sum((gaps / 4).as_subclass(Accelerator), gaps)
    assert_close(got, (gaps / 4).cumsum(-1), TOLERANCE, "running sum")
    assert (got[:, 0][gaps[:, 0] == 0] == 0).all(), "leading ties must keep weight 0 exactly"
    tied = gaps[:, 1:] == 0
    assert torch.equal(got[:, 1:][tied], got[:, :-1][tied])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that torch can use")
def test_cuda_equals_numpy():
    for name in NAMES:
        for n, k in [*allowed_cases(name, (1, 2, 6)), *[(4096, k) for k in (1, 2, 64)]]:
            r = sample(name, (3, n))
            on_gpu = torch.tensor(r, device="cuda")
            got, want = transform(on_gpu, k, name), transform(r, k, name)
            context = f"{name}, n = {n}, k = {k}: CUDA"
            assert got.device == on_gpu.device, context
            assert_close(got.cpu(), want, TOLERANCE * max(2.0, np.abs(want).max()), context)
            if get_estimator(name).symmetric:
                for group, weights in zip(r, got.cpu().numpy(), strict=True):
                    assert len(np.unique(weights)) <= len(np.unique(group)), f"{context}: a tie"


def test_the_shortcuts_are_the_registered_estimators():
    r = sample("s", (5,))
    for name in ("s", "sloo", "sloo_minus_one", "canonical"):
        assert np.array_equal(getattr(pkpo, name)(r, 3), transform(r, 3, name)), name
    assert np.array_equal(transform(r, 3), transform(r, 3, "sloo_minus_one"))
    assert np.array_equal(transform(r, np.int64(3)), transform(r, 3))


# --- pass@k ---------------------------------------------------------------------------------------


def exact_pass_at_k(n: int, c: int, k: int) -> Fraction:
    return 1 - Fraction(math.comb(n - c, k), math.comb(n, k))


def test_pass_at_k_by_enumeration():
    for n in range(1, 8):
        for c, k in itertools.product(range(n + 1), range(1, n + 1)):
            drawn = list(itertools.combinations([i < c for i in range(n)], k))
            share = Fraction(sum(map(any, drawn)), len(drawn))
            got = pass_at_k(n, c, k)
            assert type(got) is float
            assert abs(got - share) <= TOLERANCE * share, f"n = {n}, c = {c}, k = {k}: {got}"
            r = [float(i < c) for i in range(n)]
            assert abs(rho(r, k) - got) <= TOLERANCE, f"rho, n = {n}, c = {c}, k = {k}"


@pytest.mark.parametrize("c", [0, 1, 2, 5, 40])
@pytest.mark.parametrize("k", [1, 2, 1000, 500_000, 999_990, 999_999, 1_000_000])
def test_pass_at_k_of_a_million(c, k):
    n = 1_000_000
    ratio = Fraction(1)  # C(n-c, k) / C(n, k), with c factors instead of k
    for i in range(c):
        ratio *= Fraction(max(n - k - i, 0), n - i)
    exact = 1 - ratio
    got = pass_at_k(n, c, k)
    assert abs(Fraction(got) - exact) <= Fraction(TOLERANCE) * exact, f"c = {c}, k = {k}: {got}"


def test_pass_at_k_broadcasts():
    n, c, k = np.array([[5], [16]]), np.array([0, 1, 4]), 2
    want = [[float(exact_pass_at_k(int(a), int(b), k)) for b in c] for a in n[:, 0]]
    got = pass_at_k(n, c, k)
    assert got.dtype == np.float64
    assert_close(got, want, TOLERANCE, "NumPy")
    assert_close(pass_at_k(n.tolist(), c.tolist(), k), want, TOLERANCE, "lists")
    assert_close(pass_at_k(n.astype("uint8"), c.astype("int8"), k), want, TOLERANCE, "small ints")
    tensor = pass_at_k(torch.tensor(n), torch.tensor(c), k)
    assert isinstance(tensor, torch.Tensor) and tensor.dtype == torch.float64
    assert_close(tensor.numpy(), want, TOLERANCE, "torch")
    ks = pass_at_k(16, 3, np.arange(1, 17))
    assert_close(ks, [float(exact_pass_at_k(16, 3, j)) for j in range(1, 17)], TOLERANCE, "ks")
    assert isinstance(pass_at_k(16, torch.tensor(3), 2), torch.Tensor)
    assert pass_at_k(16, np.zeros((2, 0), int), 2).shape == (2, 0)


@pytest.mark.parametrize(
    ("n", "c", "k", "message"),
    [
        (0, 0, 1, "n must be at least 1, got 0"),
        (4, 5, 1, "c must be from 0 to n = 4, got 5"),
        (4, -1, 1, "c must be from 0 to n = 4, got -1"),
        (4, 2, 0, "k must be from 1 to n = 4, got 0"),
        (4, 2, 5, "k must be from 1 to n = 4, got 5"),
        (4, [1, 2], [1, 7], "k must be from 1 to n = 4, got 7"),
        (torch.tensor([4, 3]), torch.tensor([1, 5]), 2, "c must be from 0 to n = 3, got 5"),
        (4.0, 2, 1, "n must be whole numbers, got 4.0"),
        (4, 2.5, 1, "c must be whole numbers, got 2.5"),
        (4, True, 1, "c must be whole numbers, got True"),
        (4, 2, "1", "k must be whole numbers, got '1'"),
        (4, 2, None, "k must be whole numbers, got None"),
        (4, [1, 2], [1, 2, 3], r"broadcast together, got shapes \(\), \(2,\), \(3,\)"),
    ],
)
def test_pass_at_k_refuses(n, c, k, message):
    with pytest.raises(ValueError, match=message):
        pass_at_k(n, c, k)


# --- A million samples in one group ---------------------------------------------------------------

MILLION = 1_000_000
LARGE = np.random.default_rng(0).normal(size=MILLION)


@pytest.mark.parametrize("name", NAMES)
def test_a_million_samples(name):
    r = accepted(name, LARGE)
    k = 1000  # divides a million
    weights = transform(r, k, name)
    assert np.isfinite(weights).all(), name
    if get_estimator(name).symmetric and name != "dial:-1.5":  # a negative alpha need not be
        steps = np.diff(weights[np.argsort(r, kind="stable")])
        assert steps.min() >= 0, f"{name}: the weights fall by {-steps.min():.3g}"
    if get_estimator(name).centred:
        # A million terms, each rounded: 1e-12 of the sum of their sizes.
        assert abs(weights.sum()) <= TOLERANCE * max(1.0, np.abs(weights).sum()), name


SLOW_KS = (1, 2, 1000)


@pytest.mark.parametrize(
    "k", [*(pytest.param(k, marks=pytest.mark.slow) for k in SLOW_KS), 999_999, 1_000_000]
)
def test_a_million_samples_for_any_k(k):
    value, weights = rho(LARGE, k), transform(LARGE, k)
    assert LARGE.mean() - 1e-9 <= value <= LARGE.max() + TOLERANCE
    assert np.isfinite(weights).all()
    assert np.diff(weights[np.argsort(LARGE)]).min() >= 0
    ordered = np.sort(LARGE)
    if k == MILLION:  # only the best counts, by its lead over the second
        assert value == pytest.approx(ordered[-1], abs=TOLERANCE)
        assert weights.max() == pytest.approx(ordered[-1] - ordered[-2], abs=TOLERANCE)
        assert np.count_nonzero(weights) == 1


@pytest.mark.parametrize(("c", "k"), [(1, 2), (3, 1000), (1000, 1000), (40, 100_000), (1, MILLION)])
def test_a_million_binary_samples_against_the_closed_form(c, k):
    r = np.zeros(MILLION)
    r[:c] = 1
    value, right = Fraction(1), Fraction(k, MILLION)
    for i in range(c):  # C(n-c, k) / C(n, k)
        value *= Fraction(max(MILLION - k - i, 0), MILLION - i)
    for i in range(1, c):  # C(n-c, k-1) / C(n, k) = (k/n) C(n-c, k-1) / C(n-1, k-1)
        right *= Fraction(max(MILLION - k + 1 - i, 0), MILLION - i)
    weights = transform(r, k)
    assert (weights[c:] == 0).all()
    assert (weights[:c] == weights[0]).all()
    context = f"n = {MILLION}, c = {c}, k = {k}"
    assert_close(weights[0], float(right), TOLERANCE * float(right), f"loo-1 weight, {context}")
    assert_close(rho(r, k), float(1 - value), TOLERANCE, f"rho, {context}")


# --- Properties -----------------------------------------------------------------------------------

steady = settings(derandomize=True, deadline=None, database=None, max_examples=60)
# Eighths give ties and exact sums; 16-bit floats give gaps of every size.
one_reward = st.integers(-64, 64).map(lambda i: i / 8) | st.floats(-8, 8, width=16)


@st.composite
def group_and_k(draw, name: str, least_n: int = 2, least_k: int = 1):
    def allowed_k(n: int) -> list[int]:
        return [k for k in get_estimator(name).allowed_k(n) if k >= least_k]

    n = draw(st.sampled_from([n for n in range(least_n, 13) if allowed_k(n)]))
    r = draw(st.lists(one_reward, min_size=n, max_size=n))
    return accepted(name, np.array(r)), draw(st.sampled_from(allowed_k(n)))


@pytest.mark.parametrize("name", SYMMETRIC)
@steady
@given(data=st.data())
def test_permutation_equivariance_and_exact_ties(name, data):
    r, k = data.draw(group_and_k(name))
    weights = transform(r, k, name)
    order = np.array(data.draw(st.permutations(range(len(r)))))
    context = f"{name}, n = {len(r)}, k = {k}"
    size = TOLERANCE * max(1.0, np.abs(r).max())
    assert_close(transform(r[order], k, name), weights[order], size, context)
    assert len(np.unique(weights)) <= len(np.unique(r)), f"{context}: a tie parted"


@pytest.mark.parametrize("name", ALL_SUBSETS)
@steady
@given(data=st.data())
def test_scale_and_shift_laws(name, data):
    r, k = data.draw(group_and_k(name))
    n = len(r)
    weights = transform(r, k, name)
    context = f"{name}, n = {n}, k = {k}"
    power = 2.0 ** data.draw(st.integers(-6, 6))  # a power of two scales without rounding
    assert np.array_equal(transform(power * r, k, name), power * weights), f"{context}: scale"
    shift = data.draw(st.integers(-100, 100))
    constant = {"s": k / n, "sloo": k / n - k / (n - 1)}.get(name, 0.0)
    moved = r + shift  # may round; the law must hold within that
    size = TOLERANCE * max(1.0, np.abs(moved).max(), abs(shift))
    assert_close(transform(moved, k, name), weights + constant * shift, size, f"{context}: shift")
    assert abs(rho(moved, k) - rho(r, k) - shift) <= size, f"{context}: shift of rho"


@steady
@given(group_and_k("sloo_minus_one", least_k=2))
def test_loo_minus_one_weights_are_marginal_contributions(case):
    r, k = case
    weights = transform(r, k)
    assert weights.min() >= 0, f"n = {len(r)}, k = {k}: {weights}"
    assert (weights[r == r.min()] == 0).all(), f"n = {len(r)}, k = {k}: {weights}"
    top = k / len(r) * (r.max() - r.min())  # a sample is in a share k/n of the subsets
    assert weights.max() <= top + TOLERANCE, f"n = {len(r)}, k = {k}: {weights}"


@pytest.mark.parametrize("name", ALL_SUBSETS)
@steady
@given(data=st.data())
def test_a_better_reward_never_gets_a_smaller_weight(name, data):
    r, k = data.draw(group_and_k(name))
    weights = transform(r, k, name)
    context = f"{name}, n = {len(r)}, k = {k}"
    assert (np.diff(weights[np.argsort(r)]) >= 0).all(), f"{context}: across samples, {weights}"
    i = data.draw(st.integers(0, len(r) - 1))
    raised = r + data.draw(st.floats(0, 8, width=16)) * (np.arange(len(r)) == i)
    gain = transform(raised, k, name)[i] - weights[i]
    assert gain >= -TOLERANCE * max(1.0, np.abs(raised).max()), f"{context}: raising r[{i}], {gain}"


@steady
@given(data=st.data())
def test_rho_grows_with_k_from_the_mean_to_the_best(data):
    r, _ = data.draw(group_and_k("s", least_n=1))
    values = np.array([rho(r, k) for k in range(1, len(r) + 1)])
    size = TOLERANCE * max(1.0, np.abs(r).max())
    assert_close(values[0], r.mean(), size, "k = 1")
    assert_close(values[-1], r.max(), size, f"k = n = {len(r)}")
    assert (np.diff(values) >= -size).all(), f"rho of {r} over k: {values}"


# --- Refusals -------------------------------------------------------------------------------------


def refuses(message: str):
    return pytest.raises(ValueError, match=message)


@pytest.mark.parametrize("name", NAMES)
def test_k_outside_the_group_or_not_whole(name):
    r = sample(name, (4,))
    for k in (0, -1, 5):
        for call in (lambda k=k: transform(r, k, name), lambda k=k: rho(r, k)):
            with refuses(f"k must be from 1 to n = 4, got {k}"):
                call()
    for k in (2.0, True, "2", None, [2], np.float64(2), np.True_, math.nan):
        for call in (lambda k=k: transform(r, k, name), lambda k=k: rho(r, k)):
            with refuses(f"k must be a whole number from 1 to n = 4, got {re.escape(repr(k))}"):
                call()


@pytest.mark.parametrize(
    ("name", "n", "k", "message"),
    [
        ("sloo", 4, 4, "k = 4 is not allowed with n = 4 for estimator 'sloo', .* from 1 to 3"),
        ("canonical", 4, 4, "k = 4 is not allowed with n = 4 .* 'canonical', .* from 1 to 3"),
        ("canonical", 3, 3, "k = 3 is not allowed with n = 3 .* 'canonical', .* 1 or 2"),
        ("dial", 4, 4, "k = 4 is not allowed with n = 4 for estimator 'dial', .* from 1 to 3"),
        ("dial:0.3", 4, 4, "k = 4 is not allowed with n = 4 .* 'dial:0.3', .* from 1 to 3"),
        ("naive", 6, 4, "k = 4 is not allowed with n = 6 .* 'naive', .* k must be 1, 2, 3, 6"),
        ("naive", 60, 7, "k must be 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60"),
        ("naive_baselined", 8, 8, "k = 8 .* 'naive_baselined', .* n >= 2k: k must be 1, 2, 4"),
        ("sloo_minus_one_partitioned", 6, 5, "k = 5 .* n = 6 .* a k that divides n"),
        *[
            (name, 1, 1, f"n = 1 is too small for estimator '{name}': it needs ")
            for name in NAMES
            if name not in ("s", "naive", "reinforce", "passk_training")
        ],
    ],
)
def test_k_that_the_estimator_does_not_allow(name, n, k, message):
    r = sample(name, (n,))
    for rewards in (r, torch.tensor(r)):
        with refuses(message):
            transform(rewards, k, name)
    with refuses(message):
        get_estimator(name).check(n, k)


@pytest.mark.parametrize(
    ("rewards", "message"),
    [
        ([], r"rewards must hold at least one sample .* got shape \(0,\)"),
        (np.zeros((3, 0)), r"rewards must hold .* got shape \(3, 0\)"),
        (torch.zeros(2, 0), r"rewards must hold .* got shape \(2, 0\)"),
        (3.0, r"rewards must hold .* got shape \(\)"),
        (torch.tensor(3.0), r"rewards must hold .* got shape \(\)"),
        ([0, math.nan], "rewards must be finite, got nan"),
        ([[0, 1], [math.inf, 0]], "rewards must be finite, got inf"),
        (np.float32([0, -np.inf]), "rewards must be finite, got -inf"),
        (torch.tensor([0, math.nan]), "rewards must be finite, got nan"),
        (torch.tensor([0, math.inf]).half(), "rewards must be finite, got inf"),
        ([0, 1j], "rewards must be real numbers, got an array of complex128"),
        (torch.tensor([0, 1j]), "rewards must be real numbers, got a tensor of torch.complex64"),
        (["1", "2"], "rewards must be real numbers, got an array of <U1"),
        ([None, 1], "rewards must be real numbers, got an array of object"),
        (None, "rewards must be real numbers, got an array of object"),
        ([[1, 2], [3]], "rewards must be a rectangular array"),
    ],
)
def test_rewards_that_are_not_groups_of_finite_numbers(rewards, message):
    for name in NAMES:
        with refuses(message):
            transform(rewards, 1, name)
    with refuses(message):
        rho(rewards, 1)


@pytest.mark.parametrize(
    "name", ["", "nope", "S", "sloo-minus-one", "grpo:1", "s:2", None, 3, ["s"]]
)
def test_unknown_estimators(name):
    message = f"estimator must be one of s, sloo, .*passk_training, .*got {re.escape(repr(name))}$"
    with refuses(message):
        transform([0, 1, 2], 2, name)
    with refuses(message):
        get_estimator(name)


@pytest.mark.parametrize(
    "name", ["dial:", "dial:x", "dial:nan", "dial:inf", "dial:1e999", "dial:1:2"]
)
def test_dials_that_are_not_numbers(name):
    with refuses(f"estimator '{name}': alpha must be a finite number"):
        transform([0, 1, 2], 2, name)


def test_rewards_outside_what_the_estimator_accepts():
    for library in (np.array, torch.tensor):
        with refuses("rewards must be >= 0 for estimator 'maxrl', got -0.5"):
            transform(library([[0.0, 1.0], [2.0, -0.5]]), 1, "maxrl")
        with refuses("rewards must be 0 or 1 for estimator 'passk_training', got 0.25"):
            transform(library([[0.0, 1.0], [1.0, 0.25]]), 1, "passk_training")


# --- The registry ---------------------------------------------------------------------------------


def test_the_registry_is_complete():
    assert list(ESTIMATORS) == [
        *("s", "sloo", "sloo_minus_one", "canonical", "dial", "mix"),
        *("naive", "naive_baselined", "sloo_minus_one_partitioned"),
        *("rloo", "reinforce", "grpo", "dr_grpo", "maxrl", "tailrl", "passk_training"),
        *("lstat", "rs_grpo", "entropic"),
    ]
    for key, estimator in ESTIMATORS.items():
        assert isinstance(estimator, Estimator) and estimator.key == key
        for field in ("label", "formula", "reference", "optimises", "needs"):
            text = getattr(estimator, field)
            assert isinstance(text, str) and text.strip() == text != "", f"{key}.{field}: {text!r}"
        assert estimator.formula.count("{") == estimator.formula.count("}"), key
    assert len({estimator.label for estimator in ESTIMATORS.values()}) == len(ESTIMATORS)


def test_the_dial_carries_its_parameter():
    assert get_estimator("dial").parameter == 0.5
    assert get_estimator("dial:-1.5").parameter == -1.5
    assert get_estimator("dial:0.3") is get_estimator("dial:0.3")
    assert get_estimator("dial:0.3").key == "dial:0.3"
    assert [get_estimator(f"dial:{a}").centred for a in (0, 0.5, 1)] == [False, False, True]
    carrying = {key for key, e in ESTIMATORS.items() if e.parameter is not None}
    assert carrying == {"dial", "mix", "rs_grpo", "entropic"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lstat:", "rank weights must be one of max, min, median, .* got ''"),
        ("lstat:best", "got 'best'"),
        ("lstat:top-0", "got 'top-0'"),
        ("lstat:cvar-0", "got 'cvar-0'"),
        ("lstat:trimmed-0.5", "got 'trimmed-0.5'"),
        ("lstat:quantile-1.5", "got 'quantile-1.5'"),
        ("lstat:1/x", "got '1/x'"),
        ("lstat:1//2", "got '1//2'"),
        ("lstat:1e7/0", "got '1e7/0'"),
        ("mix:-0.1", "alpha must be a finite number within ±1 and not below 0, as in 'mix:0.3'"),
        ("mix:1.5", "alpha must be a finite number within ±1 and not below 0"),
        ("rs_grpo:0", "beta must be a finite number within ±1000 and not 0, as in 'rs_grpo:2'"),
        ("rs_grpo:nan", "beta must be a finite number"),
        ("entropic:-1", "budget must be a finite number within .* and above 0"),
    ],
)
def test_parameters_that_mean_nothing(name, message):
    with refuses(f"estimator '{name}': .*{message}"):
        get_estimator(name)


def test_ranks_say_which_k_they_take():
    assert list(get_estimator("lstat:0/0/1").allowed_k(5)) == [3]
    assert list(get_estimator("lstat:top-2").allowed_k(5)) == [2, 3, 4]
    assert get_estimator("lstat:min") is get_estimator("lstat:min")
    with refuses("k = 2 is not allowed with n = 5 .* needs k = 3 < n: k must be 3"):
        transform([0, 1, 2, 3, 4], 2, "lstat:0/0/1")
    with refuses("n = 2 is too small for estimator 'entropic': it needs n > exp"):
        transform([0, 1], 1, "entropic")


@pytest.mark.parametrize("name", NAMES)
def test_allowed_k_is_what_transform_accepts(name):
    estimator = get_estimator(name)
    for n in range(1, 9):
        allowed = estimator.allowed_k(n)
        assert list(allowed) == sorted(set(allowed)), f"{name}, n = {n}: {allowed}"
        for k in range(n + 2):
            context = f"{name}, n = {n}, k = {k}"
            try:
                weights = transform([i % 2 for i in range(n)], k, name)
            except ValueError as error:
                assert k not in allowed, f"{context}: allowed, yet refused: {error}"
                with pytest.raises(ValueError, match=re.escape(str(error))):
                    estimator.check(n, k)
            else:
                assert k in allowed, f"{context}: not allowed, yet accepted"
                assert weights.shape == (n,) and np.isfinite(weights).all(), context
                estimator.check(n, k)


@pytest.mark.parametrize("name", NAMES)
def test_k_has_an_effect_exactly_where_it_is_used(name):
    r = sample(name, (12,))
    estimator = get_estimator(name)
    first, *others = [transform(r, k, name) for k in estimator.allowed_k(12)]
    same = [np.array_equal(first, other) for other in others]
    assert not any(same) if estimator.uses_k else all(same), name


@pytest.mark.parametrize("name", [*(key for key in ESTIMATORS if key != "dial"), "dial:0.3"])
def test_the_rule_at_one_is_the_one_in_force(name):
    estimator = get_estimator(name)
    rewards = np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0])
    if not estimator.formula_at_one:
        assert estimator.formula_at(1) == estimator.formula
        return
    assert estimator.formula_at(1) == ESTIMATORS["rloo"].formula != estimator.formula_at(2)
    assert estimator.formula_at(2) == estimator.formula
    n = len(rewards)
    want = (rewards - (rewards.sum() - rewards) / (n - 1)) / n
    assert np.abs(transform(rewards, 1, name) - want).max() < 1e-15
    assert np.abs(transform(rewards, 2, name) - want).max() > 0.01
