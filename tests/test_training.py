"""The loop: what each event holds, the optimizers, common random numbers, and where it ends up."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
import torch

from pkpo import transform
from pkpo.config import EVAL_KS, OPTIMIZERS
from pkpo.training.loop import BLOCK, train
from pkpo.training.optimizers import Optimizer
from pkpo.training.policies import GaussianPolicy
from pkpo.training.recording import record_run
from pkpo.training.tasks.bandit import BanditConfig
from pkpo.training.tasks.gaussian_hill import HillConfig
from toy_envs import bandit, gaussian_hill

EPS = np.finfo(float).eps
ARRAYS = ("parameters", "samples", "rewards", "weights")


def same(one, other) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ARRAYS) and all(
        np.array_equal(one[name], other[name]) for name in one.columns
    )


def noise(run) -> np.ndarray:
    """The standard normal numbers behind a run's samples, `[T, n]`."""
    return (run.samples - run["theta"][:, None]) / run["sigma"][:, None]


# --- Events ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "adam", "learn_sigma": True, "schedule": "16@0,3@7"},
        {"estimator": "naive", "n": 12, "schedule": "4", "shape": "two-peaks"},
    ],
    ids=str,
)
def test_the_same_config_and_seed_give_the_same_bits(changes):
    config = HillConfig(steps=20, **changes)
    first = record_run(config)
    for event, interleaved in zip(train(config), train(config), strict=True):
        assert event.metrics["theta"] == interleaved.metrics["theta"]
    assert same(first, record_run(config))
    other = record_run(config.replace(seed=1))
    assert (other.samples != first.samples).all()
    assert (
        other["theta"][0] == first["theta"][0] and (other["theta"][1:] != first["theta"][1:]).all()
    )


def test_a_longer_run_starts_with_the_shorter_one():
    short, long = record_run(HillConfig(steps=12)), record_run(HillConfig(steps=BLOCK + 20))
    for name in ARRAYS:
        assert np.array_equal(getattr(short, name), getattr(long, name)[:13]), name
    for name in ("gradient", "theta", "pass_rate"):
        assert np.array_equal(short[name], long[name][:13]), name


@pytest.mark.parametrize("steps", [1, 5, BLOCK - 1, BLOCK, BLOCK + 1])
def test_one_event_per_update_and_one_at_the_end(steps):
    events = list(train(HillConfig(steps=steps, n=4, schedule="2")))
    assert [event.update for event in events] == list(range(steps + 1))
    assert events[0].metrics["theta"] == 0.2 and events[0].metrics["sigma"] == 0.1


@pytest.mark.parametrize(
    ("estimator", "n", "schedule"),
    [
        ("sloo_minus_one", 16, "8@0,3@10,1@20"),
        ("canonical", 9, "linear:1->8@20"),
        ("naive_baselined", 12, "6@0,2@5"),
        ("grpo", 5, "5"),
        ("s", 1, "1"),
        ("dial:0.3", 6, "4"),
    ],
)
def test_what_an_event_holds(estimator, n, schedule):
    config = HillConfig(estimator=estimator, n=n, schedule=schedule, steps=30, theta=0.9, seed=5)
    shape = gaussian_hill.reward_shape("hill")
    for update, event in enumerate(train(config)):
        assert event.k == config.k_schedule(update)
        assert event.samples.shape == (n,)
        assert np.array_equal(event.rewards, shape(event.samples))
        assert np.array_equal(event.weights, transform(event.rewards, event.k, estimator))
        assert event.metrics["pass_rate"] == sum(event.rewards > 0) / n
        terms = (
            event.weights * (event.samples - event.metrics["theta"]) / event.metrics["sigma"] ** 2
        )
        allowed = 4 * n * EPS * np.abs(terms).sum()
        assert abs(event.metrics["gradient"] - terms.sum()) <= allowed, f"update {update}"


def test_a_recording_is_its_events():
    config = HillConfig(steps=9, schedule="8@0,2@5")
    run, events = record_run(config), list(train(config))
    assert run.config is config
    for name in ARRAYS:
        assert np.array_equal(getattr(run, name), [getattr(e, name) for e in events]), name
    columns = run.columns
    assert list(columns) == ["update", "k", *events[0].metrics]
    for name in events[0].metrics:
        assert run[name].tolist() == [e.metrics[name] for e in events], name
    assert {len(curve) for curve in columns.values()} == {10}
    assert columns["update"].tolist() == list(range(10))
    assert columns["k"].tolist() == [8] * 5 + [2] * 5
    assert run.final() == {name: curve[-1] for name, curve in columns.items()}


@pytest.mark.parametrize("shape", ["hill", "plateau-spike"])
def test_exact_values_for_k_inside_and_outside_eval_ks(shape):
    config = HillConfig(
        steps=BLOCK + 44, schedule="8@0,3@90,1@180,12@290", learn_sigma=True, shape=shape, theta=0.7
    )
    run = record_run(config)
    assert {3, 12}.isdisjoint(EVAL_KS) and {1, 8} < set(EVAL_KS)
    assert np.ptp(run["sigma"]) > 0.01
    # Both sides are good for 1e-12, times the largest reward, 1; derivatives divided by σ.
    for k in (1, 3, 8, 12):
        rows = run["k"] == k
        theta, sigma = run["theta"][rows], run["sigma"][rows]
        value = gaussian_hill.objective(theta, k, sigma, shape)
        slope = gaussian_hill.gradient(theta, k, sigma, shape)
        assert rows.any() and np.abs(run["value"][rows] - value).max() < 2e-12, f"k = {k}"
        assert (np.abs(run["exact_gradient"][rows] - slope) * sigma).max() < 2e-12, f"k = {k}"
    for k in EVAL_KS:
        value = gaussian_hill.objective(run["theta"], k, run["sigma"], shape)
        assert np.abs(run[f"max@{k}"] - value).max() < 2e-12, f"max@{k}"


# --- Common random numbers ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule": "1"},
        {"estimator": "s"},
        {"learning_rate": 0.02},
        {"optimizer": "adam"},
        {"theta": 0.7, "sigma": 0.3, "learn_sigma": True},
        {"shape": "left-cliff"},
        {"n": 8},
        {"n": 40},
    ],
    ids=str,
)
def test_compared_runs_draw_the_same_numbers(changes):
    base, other = (record_run(HillConfig(steps=40, **c)) for c in ({}, changes))
    n = min(base.config.n, other.config.n)  # a smaller group is the start of a larger one
    # Rounding of x = θ + σz, seen through (x - θ)/σ:
    allowed = max((4 * EPS * np.abs(r.samples).max() / r["sigma"].min()) for r in (base, other))
    assert np.abs(noise(base)[:, :n] - noise(other)[:, :n]).max() <= allowed
    assert not np.array_equal(base["theta"][1:], other["theta"][1:])


def test_the_noise_is_standard_normal_and_new_at_every_update():
    z = noise(record_run(HillConfig(n=1000, schedule="1", steps=19)))
    other = noise(record_run(HillConfig(n=1000, schedule="1", steps=19, seed=1)))
    # All different, also from the next seed's; one shared row would take a thousand away.
    assert z.size == 20_000 and len(np.unique([z.round(9), other.round(9)])) > 39_900
    assert abs(z.mean()) < 4 / np.sqrt(z.size)
    assert abs((z**2).mean() - 1) < 4 * np.sqrt(2 / z.size)
    for one, other in itertools.combinations(z[:6], 2):
        assert abs(one @ other) / len(one) < 4 / np.sqrt(len(one))


# --- Steps ----------------------------------------------------------------------------------------


def both_gradients(run) -> np.ndarray:
    """The estimates by θ and by log σ, from a run's samples and weights, `[T, 2]`."""
    z = noise(run)
    return np.stack(
        [(run.weights * z).sum(1) / run["sigma"], (run.weights * (z * z - 1)).sum(1)], axis=1
    )


@pytest.mark.parametrize("learn_sigma", [False, True])
def test_sgd_and_normalised_steps(learn_sigma):
    for optimizer in ("sgd", "normalised"):
        config = HillConfig(steps=60, optimizer=optimizer, learn_sigma=learn_sigma)
        run = record_run(config)
        # The policy keeps log σ: rounding it, and taking it back, costs a few units in the last place.
        step = np.diff(np.stack([run["theta"], np.log(run["sigma"])], axis=1), axis=0)
        gradient = both_gradients(run)[:-1] * [1, learn_sigma]
        length = np.linalg.norm(gradient, axis=1, keepdims=True)
        want = 0.005 * gradient / (1 if optimizer == "sgd" else length)
        assert np.abs(step - want).max() < 1e-13, optimizer
        if optimizer == "normalised":
            assert np.abs(np.linalg.norm(step, axis=1) - 0.005).max() < 1e-13
        assert (np.ptp(run["sigma"]) > 0) == learn_sigma
    assert np.array_equal(
        record_run(config.replace(theta=-5.0))["theta"], np.full(61, -5.0)
    )  # no reward


@pytest.mark.parametrize("learn_sigma", [False, True])
def test_adam_is_torch_s_adam(learn_sigma):
    config = HillConfig(
        steps=80, optimizer="adam", learning_rate=0.02, learn_sigma=learn_sigma, schedule="8@0,1@40"
    )
    run = record_run(config)
    gradients = both_gradients(run)[:, : 1 + learn_sigma]
    start = [run["theta"][0], np.log(run["sigma"][0])][: 1 + learn_sigma]
    parameters = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
    adam = torch.optim.Adam([parameters], lr=0.02, maximize=True)
    for update, gradient in enumerate(gradients):
        here = [run["theta"][update], np.log(run["sigma"][update])][: 1 + learn_sigma]
        error = np.abs(parameters.detach().numpy() - here).max()
        assert error < 1e-12, f"update {update}: off by {error:.3g}"
        parameters.grad = torch.tensor(gradient)
        adam.step()
    assert np.abs(np.diff(run["theta"])).min() > 0


def test_divergence_is_refused_with_its_reason():
    config = HillConfig(learn_sigma=True, learning_rate=80.0, seed=13, steps=5)
    with pytest.raises(ValueError, match="learning_rate 80 is too large: at update 2 "):
        record_run(config)
    assert record_run(config.replace(learn_sigma=False))["theta"].max() > 1  # σ ran away, not θ


def test_unknown_optimizer():
    assert set(OPTIMIZERS) == {"sgd", "adam", "normalised"}
    with pytest.raises(ValueError, match="sgd, normalised or adam, got 'lion'"):
        Optimizer("lion", 0.1)


# --- Unbiased, and where it ends up ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "n", "k", "shape"),
    [
        ("sloo_minus_one", 8, 4, "hill"),
        ("sloo_minus_one", 4, 1, "hill"),
        ("sloo_minus_one", 5, 5, "two-peaks"),
        ("canonical", 6, 3, "plateau-spike"),
        ("naive_baselined", 8, 2, "left-cliff"),
        ("s", 6, 2, "hill"),
    ],
)
def test_the_policy_s_gradient_is_unbiased(estimator, n, k, shape):
    rng, groups = np.random.default_rng(0), 6000
    for theta, sigma in ((0.9, 0.1), (0.5, 0.4)):
        policy = GaussianPolicy(theta, sigma, learn_sigma=True)
        fixed = GaussianPolicy(theta, sigma)
        samples = np.array([policy.sample(rng, n) for _ in range(groups)])
        weights = transform(gaussian_hill.reward_shape(shape)(samples), k, estimator)
        pairs = list(zip(samples, weights, strict=True))
        estimates = np.array([policy.gradient(x, w) for x, w in pairs])
        exact = gaussian_hill.exact(theta, (k,), sigma, shape)
        error = estimates.mean(0) - [exact.d_theta[0], exact.d_log_sigma[0]]
        allowed = 4 * estimates.std(0) / np.sqrt(groups)
        assert (np.abs(error) < allowed).all(), f"θ = {theta}: off by {error}, 4 s.e. {allowed}"
        alone = np.array([fixed.gradient(x, w) for x, w in pairs[:50]])
        assert alone.shape == (50, 1)
        # The learning policy's σ is exp(log σ): rounded, unlike the fixed one.
        assert np.allclose(alone[:, 0], estimates[:50, 0], rtol=1e-12, atol=1e-12)


def test_each_k_is_trained_to_its_own_optimum():
    best = {k: gaussian_hill.optimum(k).theta for k in (1, 2, 4, 8)}
    for k, target in best.items():
        late = [
            record_run(HillConfig(n=16, learning_rate=0.005, schedule=str(k), seed=seed))["theta"][
                -100:
            ]
            for seed in range(4)
        ]
        # The step size keeps θ moving about its optimum. Its spread over the last 100 updates is the
        # scale of that motion.
        for seed, theta in enumerate(late):
            away, spread = theta[-1] - target, theta.std()
            assert abs(away) < 4 * spread, f"k = {k}, seed {seed}: {away:.4f}, spread {spread:.4f}"
        found = np.mean(late)
        assert min(best, key=lambda other: abs(best[other] - found)) == k, f"k = {k}: θ = {found}"


# --- The bandit -----------------------------------------------------------------------------------

CROWDED = BanditConfig(bandit="crowded", n=6, schedule="4@0,1@7", sharing=0.3, steps=20)


@pytest.mark.parametrize(
    "config", [BanditConfig(steps=20), CROWDED, CROWDED.replace(optimizer="adam")], ids=str
)
def test_a_bandit_s_run_is_the_same_again(config):
    first = record_run(config)
    for event, interleaved in zip(train(config), train(config), strict=True):
        assert event.metrics == interleaved.metrics
    assert same(first, record_run(config))
    other = record_run(config.replace(seed=1))
    assert np.array_equal(other.parameters[0], first.parameters[0])
    assert all((one != two).any() for one, two in zip(other.samples, first.samples, strict=True))
    assert not np.array_equal(other.parameters[1:], first.parameters[1:])


@pytest.mark.parametrize("config", [BanditConfig(steps=12), CROWDED.replace(steps=12)], ids=str)
def test_a_longer_bandit_run_starts_with_the_shorter_one(config):
    short, long = record_run(config), record_run(config.replace(steps=BLOCK + 20))
    for name in ARRAYS:
        assert np.array_equal(getattr(short, name), getattr(long, name)[:13]), name
    for name, curve in short.columns.items():
        assert np.abs(curve - long[name][:13]).max() < 1e-12, name  # other blocks, other rounding


def test_what_a_bandit_s_event_holds():
    table = bandit.bandit("crowded").rewards
    assert CROWDED.k_schedule(6) == 4 and CROWDED.k_schedule(7) == 1
    for update, event in enumerate(train(CROWDED)):
        assert (event.update, event.k) == (update, CROWDED.k_schedule(update))
        assert event.samples.shape == event.rewards.shape == event.weights.shape == (6, 6)
        assert np.array_equal(event.rewards, table[np.arange(6)[:, None], event.samples])
        assert np.array_equal(event.weights, transform(event.rewards, event.k, "sloo_minus_one"))
        assert event.gradient.shape == event.parameters.shape == (7 * 8,)
    assert update == CROWDED.steps


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule": "1"},
        {"estimator": "s"},
        {"optimizer": "normalised"},
        {"sharing": 0.9},
        {"n": 4},
        {"n": 11},
    ],
    ids=str,
)
def test_compared_bandit_runs_draw_the_same_numbers(changes):
    """Seen in arms that are the same where the policy hardly moves, and in the first update's."""
    base, other = CROWDED, CROWDED.replace(**changes)
    n = min(base.n, other.n)
    start = [record_run(config).samples[0, :, :n] for config in (base, other)]
    assert np.array_equal(*start)
    still = [record_run(c.replace(learning_rate=1e-9)).samples[..., :n] for c in (base, other)]
    assert np.array_equal(*still)
    assert len(np.unique(still[0], axis=0)) == len(still[0])  # yet new at every update
    trained = [record_run(config).parameters[-1] for config in (base, other)]
    assert not np.array_equal(*trained)


@pytest.mark.parametrize("seed", range(4))
def test_a_larger_k_first_leaves_the_trap(seed):
    """The arm that pays 0.6 traps k = 1; k = 8 looks beyond it, and k = 1 then keeps what it found."""
    trapped = record_run(BanditConfig(schedule="1", seed=seed)).final()
    annealed = record_run(BanditConfig(schedule="8@0,1@150", seed=seed)).final()
    assert BanditConfig().bandit == "trap" and BanditConfig().steps == 300
    assert trapped["max@1"] < 0.65, trapped
    assert annealed["max@1"] > 0.9 and annealed["max@8"] > 0.9, annealed


def test_a_bandit_s_divergence_is_refused_with_its_reason():
    config = BanditConfig(
        learning_rate=1000.0, bandit="arms:0,100", estimator="s", n=4096, schedule="4096", steps=1
    )
    with pytest.raises(ValueError, match="learning_rate 1000 is too large: at update 1 "):
        record_run(config)


# --- Light imports --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        (
            "from pkpo import estimators, schedules",
            "torch streamlit plotly scipy gymnasium app toy_envs",
        ),
        ("import toy_envs.gaussian_hill", "torch streamlit plotly pkpo app"),
        ("import toy_envs.bandit", "torch streamlit plotly pkpo app"),
        (
            "from pkpo.training.tasks.gaussian_hill import HillConfig\n"
            "from pkpo.training.recording import record_run\n"
            "record_run(HillConfig(steps=3))",
            "torch streamlit plotly app",
        ),
    ],
)
def test_what_is_imported(code, absent):
    script = f"{code}\nimport sys; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "numpy" in loaded
    assert not loaded & set(absent.split())


def test_no_step_follows_the_last_event():
    diverging = HillConfig(learn_sigma=True, learning_rate=80.0, seed=13, steps=1)
    assert len(record_run(diverging)["theta"]) == 2  # its second step would leave every range
    with pytest.raises(ValueError, match="learning_rate 80 is too large: at update 2"):
        record_run(diverging.replace(steps=2))
