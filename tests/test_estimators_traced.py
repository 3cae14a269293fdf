"""Estimators inside torch's program transforms: torch.compile, vmap, autograd, devices without data.

With `check=False` no value is read: what runs on the device meta, where there are none, waits for no
other device either.
"""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from pkpo import get_estimator, rho, transform
from tests.test_estimators import NAMES, allowed_cases, assert_close, refuses, sample

TRACED = [name for name in NAMES if not get_estimator(name).on_host]
HOST = ("entropic", "entropic:0.3", "formula:(r-mean(r))/n")
N, K = 8, 4


def rewards(name: str, *shape: int) -> torch.Tensor:
    return torch.tensor(sample(name, shape))


# --- torch.compile --------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def fresh():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def assert_compiles(function, name: str, backend: str, size: float) -> None:
    """In one graph, and again for other groups and another n."""
    compiled = torch.compile(function, fullgraph=True, backend=backend)
    for shape in ((3, N), (5, N), (5, 2 * N)):
        r = rewards(name, *shape)
        assert_close(compiled(r), function(r), size, f"{name}, {shape}, {backend}")


@pytest.mark.parametrize("name", ["sloo_minus_one", "dial:0.3"])
def test_torch_compile_makes_one_graph(name):
    assert_compiles(lambda r: transform(r, K, name, check=False), name, "eager", 0.0)


def test_torch_compile_makes_one_graph_of_rho_and_its_gradient():
    compiled = torch.compile(lambda r: rho(r, K, check=False), fullgraph=True, backend="aot_eager")
    found = []
    for function in (compiled, lambda r: rho(r, K)):
        r = rewards("s", 3, N).requires_grad_()
        value = function(r)
        value.sum().backward()
        found.append((value.detach(), r.grad))
    for got, want in zip(*found, strict=True):
        assert torch.equal(got, want)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["eager", "inductor"])
@pytest.mark.parametrize("name", TRACED)
def test_every_estimator_compiles_to_one_graph(name, backend):
    # A compiled kernel may sum in another order.
    size = 0.0 if backend == "eager" else 1e-14
    assert_compiles(lambda r: transform(r, K, name, check=False), name, backend, size)


@pytest.mark.slow
def test_inductor_compiles_rho_to_one_graph():
    assert_compiles(lambda r: rho(r, K, check=False), "s", "inductor", 1e-14)


def test_with_checks_torch_compile_still_gives_the_same():
    compiled = torch.compile(lambda r: transform(r, K), backend="eager")
    r = rewards("s", 3, N)
    assert torch.equal(compiled(r), transform(r, K))
    with refuses("rewards must be finite, got nan"):
        compiled(r * torch.nan)


def test_a_refusal_of_k_passes_through_torch_compile():
    compiled = torch.compile(lambda r: transform(r, N + 1, check=False), backend="eager")
    with refuses(f"k must be from 1 to n = {N}, got {N + 1}"):
        compiled(rewards("s", 3, N))


# --- vmap, and devices that hold no values --------------------------------------------------------


@pytest.mark.parametrize("name", TRACED)
def test_vmap_equals_the_batch(name):
    for n, k in allowed_cases(name, (2, 6)):
        r = rewards(name, 3, 5, n)
        want = transform(r, k, name)
        weigh = lambda x, k=k: transform(x, k, name, check=False)  # noqa: E731
        assert torch.equal(torch.vmap(weigh)(r), want), f"n = {n}, k = {k}"
        twice = torch.vmap(torch.vmap(weigh), in_dims=1, out_dims=1)(r)
        assert torch.equal(twice, want), f"n = {n}, k = {k}: twice"


@pytest.mark.parametrize("name", TRACED)
@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16, torch.int64])
def test_without_checks_no_value_is_read(name, kind):
    for n, k in allowed_cases(name, (1, 6)):
        nowhere = torch.empty(2, 3, n, dtype=kind, device="meta")
        weights = transform(nowhere, k, name, check=False)
        like = transform(torch.zeros(2, 3, n, dtype=kind), k, name)
        assert (weights.shape, weights.dtype) == (like.shape, like.dtype), f"n = {n}, k = {k}"
        assert weights.device == nowhere.device
        assert rho(nowhere, k, check=False).shape == (2, 3)
        with refuses("rewards must be real numbers, got a tensor without data"):
            transform(nowhere, k, name)


def test_fake_tensors_leave_nothing_behind():
    r = rewards("s", 3, 7)  # an n and k that no other test has brought into a cache
    with FakeTensorMode() as mode:
        for name in ("sloo_minus_one", "canonical"):
            assert transform(mode.from_tensor(r), 5, name, check=False).shape == r.shape
        assert rho(mode.from_tensor(r), 5, check=False).shape == (3,)
    for name in ("sloo_minus_one", "canonical"):
        got = transform(r, 5, name)
        assert type(got) is torch.Tensor
        assert_close(got, transform(r.numpy(), 5, name), 1e-15, name)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that torch can use")
def test_without_checks_nothing_waits_for_the_gpu():
    for name in TRACED:
        r = rewards(name, 3, N).cuda()
        transform(r, K, name)  # the coefficients are copied to the device once
        rho(r, K)
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode("error")
        try:
            transform(r, K, name, check=False)
            rho(r, K, check=False)
        finally:
            torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("name", HOST)
def test_what_numpy_works_out_needs_checks(name):
    r = sample("s", (3, N))
    with refuses("check must be True for estimator .*, which NumPy works out"):
        transform(torch.tensor(r), K, name, check=False)
    assert np.array_equal(transform(r, K, name, check=False), transform(r, K, name))


@pytest.mark.parametrize("library", [np.array, torch.tensor])
def test_without_checks_what_is_not_a_number_stays_so(library):
    r = library([[0.0, 1.0, float("nan"), 0.5], [0.0, 1.0, 0.25, 0.5]])
    weights = np.asarray(transform(r, 2, check=False))
    assert np.isnan(weights[0]).any()
    assert np.array_equal(weights[1], np.asarray(transform(r[1], 2)))
    assert np.isnan(np.asarray(rho(r, 2, check=False))).tolist() == [True, False]
    negative = library([-1.0, 0.5, 2.0])
    assert len(transform(negative, 1, "maxrl", check=False)) == 3
    with refuses("rewards must be >= 0 for estimator 'maxrl'"):
        transform(negative, 1, "maxrl")
    with refuses("k must be from 1 to n = 3, got 4"):
        transform(negative, 4, check=False)


# --- The gradient of rho --------------------------------------------------------------------------


def subgradients(group: list[float], k: int) -> set[tuple[Fraction, ...]]:
    """Of the mean best of k, by enumeration: one for each order that equal rewards may stand in."""
    n = len(group)
    found = set()
    for order in itertools.permutations(range(n)):
        if any(group[a] > group[b] for a, b in itertools.pairwise(order)):
            continue
        place = {sample: rank for rank, sample in enumerate(order)}
        best = [max(s, key=place.__getitem__) for s in itertools.combinations(range(n), k)]
        found.add(tuple(Fraction(best.count(i), len(best)) for i in range(n)))
    return found


GROUPS = (
    [0.5, -1.0, 2.0, 0.25, 1.5],
    [1.0, 0.0, 1.0, 0.0, 0.0],
    [0.5, 0.5, 0.5, 0.5],
    [0.0, 1.0, 1.0, -2.0, 1.0, 0.5],
    [3.0],
)


@pytest.mark.parametrize("group", GROUPS)
def test_the_gradient_of_rho_is_a_subgradient(group):
    for k in range(1, len(group) + 1):
        r = torch.tensor(group, dtype=torch.float64, requires_grad=True)
        rho(r, k).backward()
        allowed = subgradients(group, k)
        error = min(
            max(abs(got - float(want)) for got, want in zip(r.grad.tolist(), one, strict=True))
            for one in allowed
        )
        assert error <= 1e-15, f"k = {k}: {r.grad.tolist()} is {error} from {len(allowed)}"
        plain = torch.func.grad(lambda x, k=k: rho(x, k, check=False))(r.detach())
        assert torch.equal(plain, r.grad), f"k = {k}: torch.func.grad"


def test_the_gradient_of_rho_in_batches_and_other_types():
    r = rewards("s", 3, 5, 6)
    gradient = torch.func.grad(lambda x: rho(x, 3, check=False).sum())
    want = gradient(r)
    assert torch.equal(torch.vmap(torch.vmap(gradient))(r), want)
    narrow = r.float().requires_grad_()
    rho(narrow, 3).sum().backward()
    assert narrow.grad.dtype == torch.float32 and torch.equal(narrow.grad, want.float())
    apart = torch.linspace(-1, 1, 12, dtype=torch.float64).reshape(2, 6).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: rho(x, 3), apart)


def test_values_found_in_inference_mode_serve_training_afterwards():
    r = torch.tensor([0.5, 2.0, 0.25, 1.0, 3.0, 0.125, 0.0])
    with torch.inference_mode():
        rho(r, 6)
    r.requires_grad_()
    rho(r, 6).backward()
    assert float(r.grad.sum()) == pytest.approx(1.0, abs=1e-6)
