"""What may be handed to the estimators: kinds of arrays, devices without float64, extremes of size."""

import math
import re
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
import torch

from pkpo import ESTIMATORS, get_estimator, pass_at_k, rho, transform
from pkpo.estimators import arrays
from pkpo.estimators.arrays import REWARD_LIMIT
from tests.test_estimators import NAMES, TOLERANCE, accepted, refuses

# --- Devices without float64, such as mps ---------------------------------------------------------


@pytest.fixture
def no_float64(monkeypatch):
    """The CPU plays a device that knows no float64; what is put there is looked at."""
    monkeypatch.setattr(arrays, "has_float64", lambda device_type: False)


@pytest.mark.parametrize("kind", ["bool", "uint8", "int64", "float16", "bfloat16", "float32"])
def test_a_device_without_float64_gets_float32_or_its_own_type(no_float64, kind):
    dtype = getattr(torch, kind)
    r = torch.tensor([[0, 1, 1, 0], [1, 0, 0, 0]]).to(dtype)
    wanted = dtype if dtype.is_floating_point else torch.float32
    for name in NAMES:
        k = get_estimator(name).allowed_k(4)[-1]
        weights = transform(r, k, name)
        assert weights.dtype == wanted, name
        # Worked out in float64 on the CPU, and rounded once at the end.
        exact = torch.tensor(transform(r.double().numpy(), k, name))
        assert torch.equal(weights, exact.to(wanted)), name
    assert rho(r, 2).dtype == wanted
    assert torch.equal(rho(r, 2), torch.tensor(rho(r.double().numpy(), 2)).to(wanted))


def test_pass_at_k_on_a_device_without_float64(no_float64):
    found = pass_at_k(torch.tensor([16, 16]), torch.tensor([3, 0]), 8)
    assert found.dtype == torch.float32
    assert torch.equal(found, torch.tensor([pass_at_k(16, 3, 8), 0.0]).float())


def test_what_a_device_knows_is_asked_of_it(monkeypatch):
    assert arrays.has_float64("cpu")
    arrays.has_float64.cache_clear()

    def empty(*_, dtype, device):
        raise TypeError(f"Cannot convert a {device} Tensor to {dtype}")  # as mps says it

    monkeypatch.setattr(torch, "empty", empty)
    try:
        assert not arrays.has_float64("cpu")
        assert transform(torch.tensor([0, 1, 1]), 2).dtype == torch.float32
    finally:
        arrays.has_float64.cache_clear()


# --- What is not a plain array of numbers ---------------------------------------------------------

ROWS = [torch.tensor([0.0, 1.0]), torch.tensor([1.0, 0.0])]
ODD = {
    "masked": (
        lambda: np.ma.array([0.0, 1.0], mask=[False, True]),
        "a masked array: leave masked samples",
    ),
    "masked, nothing hidden": (lambda: np.ma.array([0.0, 1.0]), "a masked array"),
    "masked rows": (lambda: [np.ma.array([0.0, 1.0], mask=[True, False])] * 2, "a masked array"),
    "a masked entry": (lambda: [0.0, np.ma.masked], "a masked array"),
    "a list of tensors": (lambda: list(ROWS), "a list of tensors: torch.stack"),
    "a tuple of tensors": (lambda: tuple(ROWS), "a list of tensors"),
    "a list of scalar tensors": (
        lambda: [torch.tensor(0.0), torch.tensor(1.0)],
        "a list of tensors",
    ),
    "tensors deep inside": (
        lambda: [[[0.0, 1.0]], [[torch.tensor(1.0), 0.0]]],
        "a list of tensors",
    ),
    "tensors with a graph": (lambda: [torch.ones(2, requires_grad=True)] * 2, "a list of tensors"),
    "sparse": (lambda: torch.eye(2).to_sparse(), "a sparse tensor: x.to_dense"),
    "sparse rows": (lambda: torch.eye(2).to_sparse_csr(), "a sparse tensor"),
    "nested": (lambda: torch.nested.nested_tensor(ROWS, layout=torch.jagged), "a nested tensor"),
    "nested, old": (
        lambda: torch.nested.nested_tensor(ROWS, layout=torch.strided),
        "a nested tensor",
    ),
    "masked tensor": (
        lambda: torch.masked.masked_tensor(ROWS[0], torch.tensor([True, False])),
        "a masked tensor",
    ),
    "no data": (lambda: torch.ones(2, device="meta"), "a tensor without data"),
    "ragged": (lambda: [[0, 1], [1]], "rows of unequal length"),
    "ragged arrays": (lambda: [np.zeros(2), np.zeros(3)], "rows of unequal length"),
    "objects": (lambda: np.array([0.0, 1.0], object), "an array of object"),
    "text": (lambda: "01", "an array of <U2"),
    "a set": (lambda: {0.0, 1.0}, "an array of object"),
    "times": (lambda: np.array([1, 2], "m8[s]"), "an array of timedelta64"),
    "records": (lambda: np.zeros(2, [("a", float)]), "an array of "),
}


prototypes = pytest.mark.filterwarnings("ignore::UserWarning")  # nested, masked and sparse tensors


@prototypes
@pytest.mark.parametrize("case", ODD)
def test_what_is_not_a_plain_array_of_numbers_is_refused(case):
    make, message = ODD[case]
    rewards = make()
    for name in NAMES:
        with refuses(f"rewards must be .*{re.escape(message)}"):
            transform(rewards, 1, name)
    with refuses(re.escape(message)):
        rho(rewards, 1)


@prototypes
@pytest.mark.parametrize("case", ["masked", "a list of tensors", "sparse", "nested", "no data"])
def test_pass_at_k_refuses_them_too(case):
    make, message = ODD[case]
    for name in ("n", "c", "k"):
        arguments = {"n": 4, "c": 2, "k": 1} | {name: make()}
        with refuses(f"{name} must be .*{re.escape(message)}"):
            pass_at_k(**arguments)


@pytest.mark.parametrize(
    "k",
    [torch.tensor(True), torch.tensor([2]), torch.tensor([[2]]), torch.tensor(2.0), np.bool_(1)],
)
def test_a_k_that_is_not_one_whole_number(k):
    for call in (transform, rho):
        with refuses(rf"k must be a whole number from 1 to n = 3, got {re.escape(repr(k))}$"):
            call([0.0, 1.0, 2.0], k)
    if not hasattr(k, "ndim") or k.ndim == 0:
        with refuses("k must be whole numbers, got "):
            pass_at_k(3, 1, k)


@pytest.mark.parametrize("k", [torch.tensor(2), np.array(2), np.int8(2), torch.tensor(2).byte()])
def test_a_k_that_is_one(k):
    assert np.array_equal(transform([0.0, 1.0, 2.0], k), transform([0.0, 1.0, 2.0], 2))


def test_no_message_repeats_a_long_value_whole():
    for call in (
        lambda: transform([0, 1], "k" * 5000),
        lambda: transform([0, 1], 10**4000),
        lambda: transform([0, 1], 1, "e" * 5000),
        lambda: transform([0, 1], 1, "dial:" + "x" * 5000),
        lambda: pass_at_k(list(range(5000)), "c" * 5000, 1),
    ):
        with pytest.raises(ValueError) as refused:
            call()
        assert len(str(refused.value)) < 500 and "\n" not in str(refused.value)


# --- Large rewards --------------------------------------------------------------------------------


BOUNDED = ("grpo", "maxrl", "rs_grpo", "entropic")  # whose weights do not grow with the rewards


@pytest.mark.parametrize("name", (*NAMES, "dial:1e6", "dial:-1e6"))
@pytest.mark.parametrize("library", [np.array, lambda x: torch.tensor(x, dtype=torch.float64)])
def test_finite_rewards_never_give_what_is_not(name, library):
    """Up to the limit the weights are the small ones, scaled; beyond it they are refused."""
    estimator = get_estimator(name)
    small = accepted(name, np.array([0.25, -1.0, 1.0, 0.25, 0.0, 0.5]))
    for k in estimator.allowed_k(6):
        if not estimator.binary:
            weights = np.asarray(transform(library(small * REWARD_LIMIT), k, name))
            assert np.isfinite(weights).all(), f"k = {k}"
            if name not in BOUNDED:
                want = transform(small, k, name)
                scale = np.abs(want).max()
                error = np.abs(weights / REWARD_LIMIT - want).max()
                assert error <= 1e-14 * scale, f"k = {k}: off by {error / scale}"
        for large in (1.01e150, 1e300, 1.7e308):
            with refuses(rf"rewards must be within ±1e\+150, got {re.escape(str(large))}"):
                transform(library([large, 0.0, 1.0, 0.0, 1.0, -large]), k, name)


def test_grpo_of_the_largest_rewards():
    r = np.array([0.0, 1.0, 1.0, -0.5])
    std = r.std(ddof=1)
    want = (r - r.mean()) / std / 4  # its 1e-4 is nothing beside them
    assert np.abs(transform(r * REWARD_LIMIT, 1, "grpo") - want).max() <= 1e-14


@pytest.mark.parametrize("kind", ["float16", "float32"])
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_a_type_too_narrow_for_the_result_is_refused(kind, library):
    largest = float(np.finfo(kind).max)
    r = np.array([-largest, largest, largest], kind)
    r = torch.tensor(r) if library == "torch" else r
    with refuses(f"rewards of .*{kind} make results that .*{kind} cannot hold"):
        transform(r, 2, "dial:3")
    assert bool((abs(transform(r / 4, 2, "dial:3")) < math.inf).all())
    assert rho(r, 2) == pytest.approx(
        largest, rel=1e-3
    )  # 2 of 3 pairs hold both signs: still the best


def test_wider_floats_are_refused_only_where_float64_ends():
    assert transform(np.array([0.0, 1.0, 2.0], np.longdouble), 2).dtype == np.longdouble
    if np.finfo(np.longdouble).max > np.finfo(np.float64).max:
        with refuses("rewards must be finite, got inf"):
            transform(np.array([0.0, np.longdouble(10) ** 400]), 1)


@pytest.mark.parametrize("name", ["dial:1e300", "dial:-1000001", "dial:nan", "dial:1e999"])
def test_a_dial_beyond_its_limit(name):
    with refuses(rf"estimator '{name}': alpha must be a finite number within ±1e\+06"):
        get_estimator(name)


# --- pass@k of very many samples ------------------------------------------------------------------


def exactly(n: int, c: int, k: int) -> float:
    """1 - C(n-c, k) / C(n, k) in whole numbers."""
    few, many = sorted((c, k))
    if few + many > n:
        return 1.0
    left = math.prod(n - many - i for i in range(few))
    return float(1 - Fraction(left, math.prod(n - i for i in range(few))))


@pytest.mark.parametrize("n", [1, 2, 16, 1000, 10**6, 10**7, 10**9, 10**12, 2**63 - 1])
def test_pass_at_k_against_whole_numbers(n):
    rng = np.random.default_rng(0)
    cases = [(0, 1), (1, 1), (n, 1), (1, n), (n, n)]
    for _ in range(60):
        few = int(rng.integers(0, min(n, 2000), endpoint=True))
        many = min(n, max(few, int(n ** rng.random())))
        cases += [(few, max(many, 1)), (many, max(few, 1))]
    for c, k in cases:
        got, want = pass_at_k(n, c, k), exactly(n, c, k)
        assert abs(got - want) <= TOLERANCE * want, f"rho({n}, {c}, {k}): {got}, exactly {want}"


def test_many_counts_at_once_are_what_one_at_a_time_gives():
    n = 10**6
    c = np.r_[0:50, 60_000:70_000:100, 500_000, 999_999, n]
    for k in (1, 8, 1000, n):
        together = pass_at_k(n, c, k)
        for count, got in zip(c.tolist(), together, strict=True):
            assert got == pytest.approx(pass_at_k(n, count, k), rel=TOLERANCE), f"c = {count}"
    every = pass_at_k(n, np.arange(n + 1), 8)
    assert (np.diff(every) >= 0).all() and every[0] == 0 and every[-1] == 1
    for count in (1, 1000, 123_456, 700_000):
        assert every[count] == pytest.approx(exactly(n, count, 8), rel=TOLERANCE)


@pytest.mark.parametrize(
    ("c", "k"), [(5 * 10**8, 8), (8, 5 * 10**8), (10**4, 10**4), (10**8, 10**8), (10**9, 1)]
)
def test_a_billion_samples_need_little_memory(c, k):
    tracemalloc.start()
    try:
        pass_at_k(10**9, c, k)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16e6, f"{peak / 1e6:.0f} MB"


def test_every_registered_estimator_was_tried():
    assert set(ESTIMATORS) <= set(NAMES)
