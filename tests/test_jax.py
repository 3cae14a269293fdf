"""JAX arrays in and out: the values, jit, vmap and grad, with and without 64-bit numbers.

Skipped where jax is not installed. On the CPU; nothing here asks for another device.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from pkpo import get_estimator, pass_at_k, rho, transform
from pkpo.integrations import group_advantages
from tests.test_estimators import NAMES, allowed_cases, assert_close, refuses, sample
from tests.test_estimators_traced import GROUPS, HOST, TRACED, subgradients

jax = pytest.importorskip("jax")
pytestmark = pytest.mark.trainers

import jax.numpy as jnp  # noqa: E402

N, K = 8, 4
PRECISION = {"float64": 2.3e-16, "float32": 1.2e-7}  # of one rounding


@pytest.fixture(params=["float64", "float32"])
def widest(request):
    """JAX's widest floating type: float64 with jax_enable_x64, float32, its default, without."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", request.param == "float64")
    yield request.param
    jax.config.update("jax_enable_x64", before)


def rounding(widest: str, n: int, want: np.ndarray, r: np.ndarray) -> float:
    """Of n sums of terms as large as the largest number around, rounded one by one."""
    return 4 * n * PRECISION[widest] * max(1.0, np.abs(want).max(), np.abs(r).max())


@pytest.mark.parametrize("name", NAMES)
def test_jax_equals_numpy_and_keeps_ties(name, widest):
    for n, k in allowed_cases(name, (1, 6)):
        r = sample(name, (3, 5, n))
        want, got = transform(r, k, name), transform(jnp.asarray(r), k, name)
        context = f"{name}, n = {n}, k = {k}"
        assert isinstance(got, jax.Array) and got.dtype == widest, context
        assert_close(got, want, rounding(widest, n, want, r), context)
        if get_estimator(name).symmetric:
            for group, weights in zip(
                r.reshape(-1, n), np.asarray(got).reshape(-1, n), strict=True
            ):
                assert len(np.unique(weights)) <= len(np.unique(group)), f"{context}: a tie parted"


@pytest.mark.parametrize("name", TRACED)
def test_jit_and_vmap_equal_the_batch(name, widest):
    for n, k in allowed_cases(name, (6,))[-1:]:
        r = jnp.asarray(sample(name, (3, 5, n)))
        want = np.asarray(transform(r, k, name))
        size = rounding(widest, n, want, np.asarray(r))
        weigh = lambda x, k=k: transform(x, k, name, check=False)  # noqa: E731
        for how, function in {
            "jit": jax.jit(weigh),
            "vmap": jax.vmap(weigh, in_axes=1, out_axes=1),
            "jit of vmap": jax.jit(jax.vmap(jax.vmap(weigh))),
        }.items():
            assert_close(function(r), want, size, f"{name}, n = {n}, k = {k}, {how}")


def test_the_functions_themselves_are_jitted(widest):
    r = jnp.asarray(sample("s", (3, N)))
    weigh = jax.jit(transform, static_argnames=("k", "estimator", "check"))
    for name in ("sloo_minus_one", "dial:0.3"):
        want = np.asarray(transform(r, K, name))
        got = weigh(r, k=K, estimator=name, check=False)
        assert_close(got, want, rounding(widest, N, want, np.asarray(r)), name)
    value = jax.jit(rho, static_argnames=("k", "check"))(r, k=K, check=False)
    want = rho(np.asarray(r), K)
    assert_close(value, want, rounding(widest, N, want, np.asarray(r)), "rho")


def test_inside_jit_checks_are_refused_with_the_way_out():
    r = jnp.asarray(sample("s", (3, N)))
    message = "check must be False where rewards have no values yet, as inside jax.jit and jax.vmap"
    for function in (lambda x: transform(x, K), lambda x: rho(x, K)):
        for how in (jax.jit, jax.vmap):
            with refuses(message):
                how(function)(r)
    for name in HOST:
        with refuses("check must be True for estimator .*, which NumPy works out"):
            transform(r, K, name, check=False)


@pytest.mark.parametrize("group", GROUPS)
def test_the_gradient_of_rho_is_a_subgradient(group, widest):
    for k in range(1, len(group) + 1):
        r = jnp.asarray(group)
        got = jax.grad(lambda x, k=k: rho(x, k))(r)
        assert got.dtype == widest
        error = min(
            np.abs(np.asarray(got, float) - np.array(one, float)).max()
            for one in subgradients(group, k)
        )
        assert error <= 2 * PRECISION[widest], f"k = {k}: {got} is off by {error}"
        jitted = jax.jit(jax.grad(lambda x, k=k: rho(x, k, check=False)))(r)
        assert np.abs(jitted - got).max() <= 2 * PRECISION[widest]


def test_the_weights_are_constants_for_grad():
    r = jnp.asarray(sample("s", (N,)))
    gradient = jax.grad(lambda x: (transform(x, K, check=False) * x).sum())(r)
    assert_close(gradient, np.asarray(transform(r, K)), 1e-6, "as of a constant")


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float32", "bool", "uint8", "int32"])
def test_types_are_kept_or_promoted(kind, widest):
    r = jnp.asarray(np.abs(8 * sample("s", (3, N))) % 2).astype(kind)
    floating = "float" in kind
    wanted = kind if floating else widest
    for name in ("sloo_minus_one", "grpo", "entropic"):
        got = transform(r, K, name)
        assert got.dtype == wanted and isinstance(got, jax.Array), name
        exact = transform(np.asarray(r).astype(float), K, name)
        eps = float(jnp.finfo(wanted).eps)
        assert_close(np.asarray(got, float), exact, max(eps, N * 4 * PRECISION[widest]), name)
    assert rho(r, K).dtype == wanted and rho(r, K).shape == (3,)


@pytest.mark.parametrize(
    ("rewards", "message"),
    [
        ([0.0, float("nan")], "rewards must be finite, got nan"),
        ([[0.0, 1.0], [float("inf"), 0.0]], "rewards must be finite, got inf"),
        ([], r"rewards must hold at least one sample .* got shape \(0,\)"),
        (3.0, r"rewards must hold at least one sample .* got shape \(\)"),
        ([0, 1j], "rewards must be real numbers, got an array of complex"),
    ],
)
def test_what_is_refused(rewards, message):
    with refuses(message):
        transform(jnp.asarray(rewards), 1)
    with refuses(message):
        rho(jnp.asarray(rewards), 1)


def test_what_an_estimator_does_not_take():
    with refuses("rewards must be >= 0 for estimator 'maxrl', got -0.5"):
        transform(jnp.asarray([1.0, -0.5]), 1, "maxrl")
    with refuses("rewards must be 0 or 1 for estimator 'passk_training', got 0.25"):
        transform(jnp.asarray([1.0, 0.25]), 1, "passk_training")
    with refuses("rewards of float16 make results that float16 cannot hold"):
        transform(jnp.asarray([-65504, 65504, 65504], jnp.float16), 2, "dial:3")
    with refuses("rewards must be real numbers, got an array of key"):
        transform(jax.random.split(jax.random.key(0), 4), 2)
    with refuses("k must be from 1 to n = 2, got 3"):
        jax.jit(lambda x: transform(x, 3, check=False))(jnp.asarray([1.0, 0.25]))


def test_counts_and_flat_batches(widest):
    found = pass_at_k(16, jnp.asarray([3, 0]), 8)
    assert isinstance(found, jax.Array) and found.dtype == widest
    assert_close(found, np.array([pass_at_k(16, 3, 8), 0.0]), PRECISION[widest], "pass@8")
    scores = np.array([1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0])
    groups, valid = np.array([0, 1, 0, 1, 0, 1, 1]), np.array([1, 1, 1, 1, 1, 1, 0])
    want = group_advantages(scores, groups, 2, valid=valid)
    got = group_advantages(jnp.asarray(scores), jnp.asarray(groups), 2, valid=jnp.asarray(valid))
    assert isinstance(got, jax.Array) and got.dtype == widest
    assert_close(got, want, 4 * PRECISION[widest], "advantages")
    rows = group_advantages([jnp.asarray(scores[:3]), jnp.asarray(scores[3:])], None, 2)
    want = group_advantages([scores[:3], scores[3:]], None, 2)
    for one, other in zip(rows, want, strict=True):
        assert isinstance(one, jax.Array)
        assert_close(one, other, 4 * PRECISION[widest], "advantages of rows")


def test_the_library_itself_loads_neither_jax_nor_torch():
    code = "import sys, pkpo; pkpo.transform([0, 1], 1); print({'jax', 'torch'} & {*sys.modules})"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"
