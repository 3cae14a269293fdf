"""The bandit's metrics, each computed again from what a recording holds.

Nothing here calls the policy or the exact values under test: a prompt's logits are mixed from the
parameters by hand, and max@k is summed over the arms one at a time.
"""

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import entropy

from pkpo.config import EVAL_KS
from pkpo.training.recording import record_run
from pkpo.training.tasks.bandit import BanditConfig
from toy_envs import bandit

OWN = "arms:0,-0.5,1;1,0,0.25;0,0,2@3,2,1"
CONFIGS = (
    BanditConfig(steps=40),
    BanditConfig(steps=25, bandit="crowded", n=5, schedule="3@0,1@9,5@20", sharing=0.3),
    BanditConfig(steps=25, bandit=OWN, n=4, schedule="2@0,3@8", sharing=0.0),
    BanditConfig(steps=12, bandit="hard", n=3, schedule="3", estimator="s", optimizer="adam"),
    BanditConfig(steps=12, bandit="crowded", n=2, schedule="2", learning_rate=3.0),
)
TOLERANCE = 1e-12  # of numbers of size 1


@pytest.fixture(scope="module", params=CONFIGS, ids=lambda c: f"{c.bandit}-{c.sharing}")
def run(request):
    return record_run(request.param)


def logits(run) -> np.ndarray:
    """`[T, prompts, arms]`"""
    rewards = bandit.bandit(run.config.bandit).rewards
    (prompts, arms), sharing = rewards.shape, run.config.sharing
    parts = run.parameters.reshape(len(run), -1, arms)
    if prompts == 1 or sharing == 1:
        return np.repeat(parts, prompts, axis=1)
    if sharing == 0:
        return parts
    return np.sqrt(sharing) * parts[:, :1] + np.sqrt(1 - sharing) * parts[:, 1:]


def by_parameters(run, d_logits: np.ndarray) -> np.ndarray:
    """The mean over prompts of gradients by their logits `[prompts, arms]`, by the parameters."""
    prompts, sharing = len(d_logits), run.config.sharing
    if prompts == 1 or sharing == 1:
        return d_logits.mean(axis=0)
    own = np.sqrt(1 - sharing) * d_logits.ravel() / prompts
    common = np.sqrt(sharing) * d_logits.mean(axis=0)
    return own if sharing == 0 else np.concatenate([common, own])


def max_at_k(rewards: np.ndarray, chances: np.ndarray, k: int) -> tuple[float, np.ndarray]:
    """One prompt's max@k and its derivative by the logits."""
    value, slope, below = 0.0, np.zeros(len(rewards)), 0.0
    d_below = np.zeros(len(rewards))
    for arm in np.argsort(rewards, kind="stable"):
        upto = below + chances[arm]
        d_upto = d_below + chances[arm] * (np.eye(len(rewards))[arm] - chances)
        value += rewards[arm] * (upto**k - below**k)
        slope += rewards[arm] * k * (upto ** (k - 1) * d_upto - below ** (k - 1) * d_below)
        below, d_below = upto, d_upto
    return value, slope


def exact(run, update: int, k: int) -> tuple[float, np.ndarray]:
    """The mean over prompts of max@k before an update, and its gradient by the parameters."""
    rewards = bandit.bandit(run.config.bandit).rewards
    found = [
        max_at_k(row, chances, k)
        for row, chances in zip(rewards, softmax(logits(run)[update], -1), strict=True)
    ]
    return np.mean([f[0] for f in found]), by_parameters(run, np.array([f[1] for f in found]))


def estimates(run) -> np.ndarray:
    """`[T, d]`: the gradient that each group gave."""
    chances = softmax(logits(run), -1)
    result = []
    for p, samples, weights in zip(chances, run.samples, run.weights, strict=True):
        scores = np.eye(p.shape[1])[samples] - p[:, None]  # [prompts, n, arms]
        result.append(by_parameters(run, (weights[..., None] * scores).sum(axis=1)))
    return np.array(result)


def assert_curve(run, name: str, want) -> None:
    error = np.abs(run[name] - np.array(want))
    assert error.max() < TOLERANCE, f"{name} at update {error.argmax()}: off by {error.max():.3g}"


def test_the_metrics_are_those_listed(run):
    listed = {"mean_reward", "gradient_norm", "cumulative_solve_rate"}
    listed |= {"dead_group_share", "all_wrong", "all_right"}
    exactly = {"exact_gradient_norm", "alignment", "entropy", "value"}
    assert set(run.columns) == {"update", "k", "learning_rate"} | listed | exactly | {
        f"max@{k}" for k in EVAL_KS
    }
    assert np.array_equal(run["k"], [run.config.k_schedule(t) for t in run["update"]])


def test_rewards_are_those_of_the_arms_drawn(run):
    table = bandit.bandit(run.config.bandit).rewards
    assert run.samples.shape == (run.config.steps + 1, len(table), run.config.n)
    for prompt, rewards in enumerate(table):
        assert np.array_equal(run.rewards[:, prompt], rewards[run.samples[:, prompt]])
    assert run["mean_reward"].tolist() == [rewards.mean() for rewards in run.rewards]


def test_cumulative_solve_rate(run):
    table, solved, want = bandit.bandit(run.config.bandit).rewards, set(), []
    for rewards in run.rewards:
        solved |= {p for p, top in enumerate(table.max(axis=1)) if top in rewards[p]}
        want.append(len(solved) / len(table))
    assert_curve(run, "cumulative_solve_rate", want)
    assert (np.diff(run["cumulative_solve_rate"]) >= 0).all()


def test_dead_group_share(run):
    dead = [[all(w == 0 for w in group) for group in weights] for weights in run.weights]
    assert_curve(run, "dead_group_share", np.mean(dead, axis=1))


def test_groups_that_teach_nothing_are_all_wrong_or_all_right(run):
    highest = bandit.bandit(run.config.bandit).rewards.max(axis=1)[:, None]
    right = run.rewards == highest
    silent = ~run.weights.any(axis=-1)
    assert_curve(run, "all_wrong", (silent & (right.sum(axis=-1) == 0)).mean(axis=1))
    assert_curve(run, "all_right", (silent & (right.sum(axis=-1) == run.config.n)).mean(axis=1))
    assert (run["all_wrong"] + run["all_right"] <= run["dead_group_share"] + TOLERANCE).all()


def test_entropy(run):
    assert_curve(run, "entropy", entropy(softmax(logits(run), -1), axis=-1).mean(axis=-1))


def test_value_and_max_at_k(run):
    updates = range(len(run))
    assert_curve(run, "value", [exact(run, t, run["k"][t])[0] for t in updates])
    for k in EVAL_KS:
        assert_curve(run, f"max@{k}", [exact(run, t, k)[0] for t in updates])


def test_gradient_norms_and_alignment(run):
    estimate = estimates(run)
    slope = np.array([exact(run, t, run["k"][t])[1] for t in range(len(run))])
    lengths = np.linalg.norm(estimate, axis=1), np.linalg.norm(slope, axis=1)
    assert_curve(run, "gradient_norm", lengths[0])
    assert_curve(run, "exact_gradient_norm", lengths[1])
    both = lengths[0] * lengths[1]
    inner = (estimate * slope).sum(axis=1)
    cosine = np.where(both > 0, inner / np.where(both > 0, both, 1), 0)
    # Rounding of the gradients, seen through their lengths:
    allowed = TOLERANCE / np.where(both > 0, np.minimum(*lengths), 1)
    assert (np.abs(run["alignment"] - cosine) < allowed).all()


def test_steps_follow_the_gradient(run):
    if run.config.optimizer == "sgd":
        step = np.diff(run.parameters, axis=0)
        want = run.config.learning_rate * estimates(run)[:-1]
        assert np.abs(step - want).max() < TOLERANCE


def test_what_these_runs_cover():
    runs = [record_run(config) for config in CONFIGS]
    dead = np.concatenate([run["dead_group_share"] for run in runs])
    solved = np.concatenate([run["cumulative_solve_rate"] for run in runs])
    alignment = np.concatenate([run["alignment"] for run in runs])
    assert {0.0, 1.0} <= set(dead.tolist()) and ((0 < dead) & (dead < 1)).any()
    assert {0.0, 1.0} <= set(solved.tolist()) and ((0 < solved) & (solved < 1)).any()
    assert (alignment == 0).any() and (alignment < 0).any() and (alignment > 0.9).any()
    assert {k for run in runs for k in run["k"].tolist()} - set(EVAL_KS) == {3, 5}
