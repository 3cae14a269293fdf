"""The one-dimensional problem's exact values, against references that share no code with them.

The reference integrates over x instead of over reward levels: sample i has the best reward of k with
density k F(g(x))^(k-1) φ(x), where F(u) = P(g <= u); plateaus add u (F(u)^k - F(u-)^k). Derivatives
come from a complex step, exact to rounding. Rounding 1 - F(g(x)) makes the reference's own error
grow as k times machine precision.
"""

import itertools
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import norm

from toy_envs import gaussian_hill
from toy_envs.gaussian_hill import (
    REWARD_SHAPES,
    RewardShape,
    exact,
    gradient,
    objective,
    optimum,
    reward_shape,
)

GOLDEN = json.loads((Path(__file__).parent / "golden" / "toy.json").read_text())
KS = (1, 2, 7, 20, 64, 5000, 10**6)
SIGMAS = (0.001, 0.03, 0.1, 0.6, 3.0)
SMALL = np.array(KS) <= 8
CLIFFS = "points:-1,0.2;0,0.2;0,0.9;0.4,0.1;0.4,1.5;0.4,0.3;0.7,0.3;1.2,0.8"
STEP = 1e-30  # imaginary
EPS = np.finfo(float).eps
POINTS = {
    "two-peaks": [(0, 0), (0.3, 0.5), (0.5, 0), (0.65, 1), (0.8, 0)],
    "plateau-spike": [(0, 0.5), (0.75, 0.5), (0.8, 1), (0.85, 0.5), (1, 0.5)],
    CLIFFS: [(-1, 0.2), (0, 0.2), (0, 0.9), (0.4, 0.1), (0.4, 0.3), (0.7, 0.3), (1.2, 0.8)],
}


def line(a, b):
    (left, y0), (right, y1) = a, b
    slope = (y1 - y0) / (right - left)
    return SimpleNamespace(
        left=left,
        right=right,
        slope=slope,
        levels=(y0, y1),
        reward=lambda x: y0 + slope * (x - left),
        crossing=lambda u: np.clip(left + (u - y0) / slope if slope else left, left, right),
    )


def square(crossing, slope):
    piece = line((0, 0), (1, 1)) if slope > 0 else line((0, 1), (1, 0))
    piece.reward = lambda x: (x if slope > 0 else 1 - x) ** 2
    piece.crossing = lambda u: np.clip(crossing(np.sqrt(np.clip(u, 0, 1))), 0, 1)
    return piece


PIECES = {
    "hill": [square(lambda root: root, 1)],
    "left-cliff": [square(lambda root: 1 - root, -1)],
    **{n: [line(a, b) for a, b in itertools.pairwise(p) if a[0] < b[0]] for n, p in POINTS.items()},
}
TOPS = {"hill": 1.0, "left-cliff": 0.0, "two-peaks": 0.65, "plateau-spike": 0.8, CLIFFS: 0.0}
NODES, WEIGHTS = np.polynomial.legendre.leggauss(12)


def below(x, theta, sigma):
    """P(sample < x); the imaginary part of θ or σ is carried along to first order."""
    z = (x - theta) / sigma
    return ndtr(z.real) + 1j * norm.pdf(z.real) * z.imag


def within(piece, theta, sigma):
    return below(piece.right, theta, sigma) - below(piece.left, theta, sigma)


def not_above(pieces, u, theta, sigma):
    """F(u) = P(g <= u), shaped as u."""
    total = np.ones(np.shape(u), complex)
    for piece in pieces:
        if not piece.slope:
            total -= (piece.levels[0] > u) * within(piece, theta, sigma)
        elif piece.slope > 0:
            total -= below(piece.right, theta, sigma) - below(piece.crossing(u), theta, sigma)
        else:
            total -= below(piece.crossing(u), theta, sigma) - below(piece.left, theta, sigma)
    return total


def winners_mean(pieces, theta, sigma, ks):
    """Max@k for each of ks, integrated over x; θ or σ may be complex."""
    total = np.zeros(len(ks), complex)
    for level in {p.levels[0] for p in pieces if not p.slope}:
        mass = sum(within(p, theta, sigma) for p in pieces if p.levels == (level, level))
        most = not_above(pieces, np.array(level), theta, sigma)
        total += [level * (most**k - (most - mass) ** k) for k in ks]
    near = theta.real + sigma.real * np.linspace(-9, 9, 73)
    for piece in (p for p in pieces if p.slope):
        # F(g(x)) bends, for large k sharply, where the reward passes the end of any piece.
        bends = np.unique([piece.crossing(y) for other in pieces for y in other.levels])
        shrink = (piece.right - piece.left) * np.concatenate([[0], 2.0 ** -np.arange(42)])
        refined = bends[:, None] + np.concatenate([-shrink, shrink])
        breaks = np.concatenate([near, refined.ravel()])
        breaks = np.unique(np.clip(breaks, max(piece.left, near[0]), min(piece.right, near[-1])))
        half = np.diff(breaks)[:, None] / 2
        x = breaks[:-1, None] + half * (1 + NODES)
        z = (x - theta) / sigma
        reward = piece.reward(x)
        density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) / sigma
        share = half * WEIGHTS * reward * density
        most = not_above(pieces, reward, theta, sigma)
        total += [(share * k * most ** (k - 1)).sum() for k in ks]
    return total


def reference(name, theta, sigma, ks=KS):
    """Max@k and its derivatives by θ and log σ, each `[len(ks)]`."""
    by_theta = winners_mean(PIECES[name], theta + 1j * STEP, np.complex128(sigma), ks)
    by_sigma = winners_mean(PIECES[name], np.complex128(theta), sigma * (1 + 1j * STEP), ks)
    return by_theta.real, by_theta.imag / STEP, by_sigma.imag / STEP


# --- Values and derivatives -----------------------------------------------------------------------


def test_golden_values():
    for row in GOLDEN["curve"]:
        for call, name in ((objective, "value"), (gradient, "gradient")):
            got = call(row["theta"], row["k"], GOLDEN["sigma"])
            assert abs(got - row[name]) < 1e-9, f"{name} at {row}: got {got}"
    for k, want in GOLDEN["optimum"].items():
        best = optimum(int(k), GOLDEN["sigma"])
        assert abs(best.theta - want["theta"]) < 1e-8, f"k = {k}: {best}, expected {want}"
        assert abs(best.value - want["value"]) < 1e-9, f"k = {k}: {best}, expected {want}"


@pytest.mark.parametrize("sigma", [0.02, 0.1, 0.5, 3.0])
def test_one_attempt_on_the_hill_in_closed_form(sigma):
    theta = np.linspace(-0.5, 1.5, 21)
    a, b = -theta / sigma, (1 - theta) / sigma
    mass = ndtr(b) - ndtr(a)
    mean_z = norm.pdf(a) - norm.pdf(b)
    mean_z2 = mass + a * norm.pdf(a) - b * norm.pdf(b)
    value = theta**2 * mass + 2 * theta * sigma * mean_z + sigma**2 * mean_z2
    slope = 2 * theta * mass + 2 * sigma * mean_z - norm.pdf(b) / sigma  # the cliff's share last
    assert np.abs(objective(theta, 1, sigma) - value).max() < 1e-12
    assert np.abs(gradient(theta, 1, sigma) - slope).max() < 1e-12 / sigma
    for at in (0.2, 0.9):  # the closed form itself
        integral, error = quad(lambda x, at=at: x * x * norm.pdf(x, at, sigma), 0, 1, points=[at])
        assert abs(objective(at, 1, sigma) - integral) < 1e-12 + error


def assert_exact(what: str, got, want, unit: float, context: str) -> None:
    """Within what `exact` promises for a small k, and what `objective` does for any; `[len(KS)]`."""
    promised = np.where(SMALL, 1e-12, 1e-9 if what == "value" else 1e-8)
    allowed = (promised + 10 * EPS * np.array(KS)) * unit
    for k, g, w, size in zip(KS, got, want, allowed, strict=True):
        assert abs(g - w) < size, f"{what} of {context}, k = {k}: {g} against {w}"


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("name", PIECES)
def test_values_and_derivatives_against_integration_over_x(name, sigma):
    theta = [0.3, 0.62, *(TOPS[name] + sigma * np.array([-6, -3.5, -1.8, -0.7, 0, 0.9, 2.4, 5]))]
    got = exact(theta, KS, sigma, name)
    for i, at in enumerate(theta):
        value, d_theta, d_log_sigma = reference(name, at, sigma)
        context = f"{name} at θ = {at}, σ = {sigma}"
        assert_exact("value", got.value[:, i], value, 1, context)
        assert_exact("d_theta", got.d_theta[:, i], d_theta, 1 / sigma, context)
        assert_exact("d_log_sigma", got.d_log_sigma[:, i], d_log_sigma, 1, context)


@pytest.mark.parametrize("name", PIECES)
def test_together_or_one_at_a_time(name):
    theta = np.linspace(-0.4, 1.4, 540).reshape(3, 180)  # several chunks
    sigma = np.array([[0.01], [0.1], [0.7]])
    together = exact(theta, KS, sigma, name)
    assert together.value.shape == (len(KS), 3, 180)
    values = np.array([objective(theta, k, sigma, name) for k in KS])
    slopes = np.array([gradient(theta, k, sigma, name) for k in KS])
    for row, column in np.ndindex(theta.shape):
        # Other k beside it may choose other panels.
        at, context = (slice(None), row, column), f"{name} at θ = {theta[row, column]}"
        assert_exact("value", together.value[at], values[at], 1, context)
        assert_exact("d_theta", together.d_theta[at], slopes[at], 1 / sigma[row, 0], context)
    for j, row, column in itertools.product(range(len(KS)), range(3), (3, 100, 179)):
        arguments = float(theta[row, column]), KS[j], float(sigma[row, 0]), name
        value, slope = objective(*arguments), gradient(*arguments)
        assert type(value) is type(slope) is float
        assert abs(value - values[j, row, column]) < 1e-14, arguments  # rounding only
        assert abs(slope - slopes[j, row, column]) < 1e-14 / arguments[2], arguments
    assert exact(np.zeros((0, 2)), (1, 2), 0.1).d_log_sigma.shape == (2, 0, 2)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_left_cliff_is_the_mirrored_hill(sigma):
    theta = 1 + sigma * np.linspace(-5, 5, 23)
    hill, mirrored = exact(theta, KS, sigma), exact(1 - theta, KS, sigma, "left-cliff")
    # Rounding 1 - θ and 1 - √u moves a distance to the cliff, and so k q, by this share at most:
    share = 4 * np.array(KS)[:, None] * EPS * (1 + 1 / sigma)
    for g, w, unit in (
        (mirrored.value, hill.value, 1),
        (-mirrored.d_theta, hill.d_theta, sigma),
        (mirrored.d_log_sigma, hill.d_log_sigma, 1),
    ):
        assert (np.abs(g - w) * unit < 1e-12 + share * np.maximum(1, np.abs(w) * unit)).all()


@pytest.mark.parametrize(("name", "k", "sigma"), [("hill", 4, 0.1), (CLIFFS, 3, 0.5)])
def test_objective_against_monte_carlo(name, k, sigma):
    rng = np.random.default_rng(0)
    for theta in (0.2, 0.95):
        best = reward_shape(name)(rng.normal(theta, sigma, size=(100_000, k))).max(axis=1)
        error = best.mean() - objective(theta, k, sigma, name)
        assert abs(error) < 4 * best.std() / np.sqrt(best.size), f"θ = {theta}: off by {error}"


# --- The optimum ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PIECES)
@pytest.mark.parametrize("k", [1, 8, 300, 10**6])
def test_no_theta_beats_the_optimum(name, k):
    shape = reward_shape(name)
    for sigma in (0.003, 0.1, 2.0):
        best = optimum(k, sigma, name)
        ends = np.array(sorted({x for s in shape.segments for x in s.ends}))
        grid = np.concatenate(
            [np.linspace(-1.2, 1.4, 261), (ends + sigma * np.linspace(-6, 6, 97)[:, None]).ravel()]
        )
        values = objective(grid, k, sigma, name)
        found = f"{name}, k = {k}, σ = {sigma}: {best}"
        assert best.value > values.max() - 1e-8, (
            f"{found}, but {values.max()} at {grid[values.argmax()]}"
        )
        assert abs(best.value - objective(best.theta, k, sigma, name)) < 1e-14, found
        rivals = (values > best.value + 1e-8) | (
            (values > best.value) & (grid < best.theta - sigma)
        )
        assert not rivals.any(), f"{found}: {grid[rivals]} is as good and smaller"


@pytest.mark.parametrize("k", [1, 5])
def test_of_two_equal_peaks_the_left_one(k):
    best = optimum(k, 0.05, "points:0,0;0.2,1;0.4,0;0.6,0;0.8,1;1,0")
    assert abs(best.theta - 0.2) < 1e-8  # by symmetry: the other peak is 8 σ away and more
    swapped = optimum(k, 0.05, "points:0,0;0.2,0.99;0.4,0;0.6,0;0.8,1;1,0")
    assert abs(swapped.theta - 0.8) < 1e-8  # a local, lower peak comes first
    wider = optimum(k, 0.05, "points:0,0;0.2,1;0.4,0;0.5,0;0.8,1;1.1,0")
    assert abs(wider.theta - 0.8) < 1e-8


@pytest.mark.parametrize("k", [1, 2, 3])
def test_a_plateau_s_optimum_is_its_left_end(k):
    sigma = 0.01
    best = optimum(k, sigma, "points:0,1;1,1")
    # Max@k is 1 - Φ(-θ/σ)^k there; its slope falls below 1e-11/σ at this many σ:
    end = brentq(lambda z: k * ndtr(-z) ** (k - 1) * norm.pdf(z) - 1e-11, 1, 9, xtol=1e-13)
    assert abs(best.theta - sigma * end) < 1e-8
    assert abs(best.value - 1) < 1e-9


# --- Reward shapes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        *REWARD_SHAPES,
        CLIFFS,
        "points:0,1;1,1",
        "points:-100,0;100,100",
        "points: 0 , 1e-3 ; 1e-7,0.25",
    ],
)
def test_a_shape_s_name_describes_it(text):
    shape = reward_shape(text)
    again = reward_shape(shape.name)
    assert isinstance(shape, RewardShape) and again == shape
    assert reward_shape(shape) is shape


@pytest.mark.parametrize("name", PIECES)
def test_rewards_of_samples(name):
    shape, x = reward_shape(name), np.random.default_rng(0).uniform(-1.5, 1.5, (40, 50))
    want = sum(np.where((p.left < x) & (x < p.right), p.reward(x), 0) for p in PIECES[name])
    assert np.abs(shape(x) - want).max() < 1e-14
    assert shape.highest == max(max(p.levels) for p in PIECES[name])
    assert shape.support == (PIECES[name][0].left, PIECES[name][-1].right)


def test_rewards_at_the_ends():
    just_below, just_above = np.nextafter(1.0, 0.0), np.nextafter(1.0, 2.0)
    assert reward_shape("hill")([0, 0.5, 1, just_above, -0.5]).tolist() == [0, 0.25, 1, 0, 0]
    assert reward_shape("hill")(just_below) < 1
    assert reward_shape("left-cliff")([0, 0.5, 1, -1e-300]).tolist() == [1, 0.25, 0, 0]
    assert reward_shape("plateau-spike")([0, 0.75, 0.8, 1]).tolist() == [0.5, 0.5, 1, 0.5]
    assert reward_shape("points:0,0;1,2;1,1;2,1")([0.5, 1.5, 2, 2.1]).tolist() == [1, 1, 1, 0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("points:0,1", "points must number from 2 to 16, got 1"),
        ("points:" + ";".join(f"{i},1" for i in range(17)), "from 2 to 16, got 17"),
        ("points:0,1;2,1;1,1", "x must not decrease, got 1 after 2"),
        ("points:0,1;1,-0.5", "reward from 0 to 100, got '1,-0.5'"),
        ("points:0,1;1,101", "reward from 0 to 100, got '1,101'"),
        ("points:0,1;101,1", "x within ±100 .* got '101,1'"),
        ("points:0,0;1,0", "at least one point must have a reward above 0"),
        ("points:0,nan;1,1", "got '0,nan'"),
        ("points:nan,1;1,1", "got 'nan,1'"),
        ("points:0,1;inf,1", "got 'inf,1'"),
        ("points:0,inf;1,1", "got '0,inf'"),
        ("points:0,1;0,2", "must span a width, got all at x = 0"),
        ("points:", "must look like '0.5,1', got ''"),
        ("points:0,1;1", "must look like '0.5,1', got '1'"),
        ("points:0,1,2;1,1", "must look like '0.5,1', got '0,1,2'"),
        ("points:a,b;1,1", "must look like '0.5,1', got 'a,b'"),
        ("points:0,1;1,1;", "must look like '0.5,1', got ''"),
        ("mountain", "one of hill, left-cliff, two-peaks, plateau-spike or .* got 'mountain'"),
        ("hill:0,1;1,1", "shape must be one of .* got 'hill:0,1;1,1'"),
        ("", "shape must be one of .* got ''"),
        (None, "shape must be one of .* got 'None'"),
    ],
)
def test_shapes_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        reward_shape(text)
    with pytest.raises(ValueError, match="shape"):
        objective(0.5, 2, shape=text)


@pytest.mark.parametrize("call", [objective, gradient])
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((0.5, 0), "k must be a whole number from 1 to 1000000, got 0"),
        ((0.5, -3), "k must .* got -3"),
        ((0.5, 1_000_001), "k must .* got 1000001"),
        ((0.5, 2.5), "k must .* got 2.5"),
        ((0.5, True), "k must .* got True"),
        ((0.5, 2, 0.0), "sigma must be a finite number > 0, got 0.0"),
        ((0.5, 2, -0.1), "sigma must .* got -0.1"),
        ((0.5, 2, np.nan), "sigma must .* got nan"),
        ((0.5, 2, np.inf), "sigma must .* got inf"),
        (([0.5, np.nan], 2), "theta must be finite, got nan"),
        ((-np.inf, 2), "theta must be finite, got -inf"),
    ],
)
def test_arguments_refused(call, arguments, reason):
    with pytest.raises(ValueError, match=reason):
        call(*arguments)


@pytest.mark.parametrize(("k", "sigma", "reason"), [(0, 0.1, "k must"), (2, -1.0, "sigma must")])
def test_optimum_refuses_too(k, sigma, reason):
    with pytest.raises(ValueError, match=reason):
        optimum(k, sigma)


@pytest.mark.parametrize("text", ["points:0,1;99.9999999,1;100,0", "points:99.999999,0;100,100"])
def test_steep_lines_do_not_cancel(text):
    shape = gaussian_hill.reward_shape(text)
    ends = np.array([x for s in shape.segments for x in s.ends])
    want = [y for s in shape.segments for y in (s.y0, s.y1)]
    assert np.abs(shape(ends) - want).max() < 1e-13 * max(want)
    assert shape(np.linspace(-1, 101, 10_001)).min() >= 0


@pytest.mark.parametrize("sigma", [0.0, -1.0, np.nan, np.inf])
def test_optimum_refuses_a_bad_sigma(sigma):
    with pytest.raises(ValueError, match="sigma must be a finite number > 0"):
        gaussian_hill.optimum(1, sigma=sigma)


@pytest.mark.parametrize("k", [np.inf, np.nan, None, "x", np.True_, 1.5, 0])
def test_objective_refuses_a_bad_k(k):
    with pytest.raises(ValueError, match="k must be a whole number"):
        gaussian_hill.objective(0.1, k)


@pytest.mark.parametrize("name", [*REWARD_SHAPES, CLIFFS])
def test_corners_joined_by_lines_make_the_shape(name):
    shape = reward_shape(name)
    again = reward_shape("points:" + ";".join(f"{x},{y}" for x, y in shape.corners))
    x = np.linspace(shape.support[0] - 0.1, shape.support[1] + 0.1, 1001)
    curved = any(segment.power == 2 for segment in shape.segments)
    # A chord of x² over a fifth lies at most a hundredth above it.
    assert np.abs(again(x) - shape(x)).max() <= (0.01 + 1e-12 if curved else 1e-11)
