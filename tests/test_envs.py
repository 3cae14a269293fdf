"""The environments: Gymnasium's own checker, the group form against the single form, refusals."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from toy_envs.gaussian_hill import SHAPES, GaussianHillEnv, GaussianHillVectorEnv, reward_shape

ID = "pkpo/GaussianHill-v0"
OWN = "points:0,0.2;1,1;1,0.3;2,0.3"

# The action is any real number, on which the checker remarks.
EXPECTED_REMARKS = (
    "Box action space minimum value is -infinity",
    "Box action space maximum value is infinity",
    "For Box action spaces, we recommend using a symmetric and normalized space",
)


def group(num_envs: int, **arguments) -> GaussianHillVectorEnv:
    return gymnasium.make_vec(
        ID, num_envs=num_envs, vectorization_mode="vector_entry_point", **arguments
    )


@pytest.mark.parametrize(
    "arguments", [{}, {"shape": "two-peaks"}, {"shape": OWN, "dimension": 3}], ids=str
)
def test_gymnasium_s_checker(arguments):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_env(gymnasium.make(ID, **arguments).unwrapped)
    remarks = [str(warning.message) for warning in caught]
    surprising = [r for r in remarks if not any(expected in r for expected in EXPECTED_REMARKS)]
    assert not surprising
    assert any("-infinity" in remark for remark in remarks)  # warnings do arrive here


@pytest.mark.parametrize("shape", [*SHAPES, OWN])
def test_two_seeded_copies_step_alike(shape):
    one, other = (gymnasium.make(ID, shape=shape, dimension=2) for _ in range(2))
    one.action_space.seed(3)
    other.action_space.seed(3)
    for seed in range(50):
        (start, info), (other_start, other_info) = one.reset(seed=seed), other.reset(seed=seed)
        assert np.array_equal(start, other_start) and info == other_info == {}
        action = one.action_space.sample()
        assert np.array_equal(action, other.action_space.sample())
        observation, reward, terminated, truncated, info = one.step(action)
        again = other.step(action)
        assert np.array_equal(observation, again[0]) and again[1:] == (reward, True, False, {})
        assert type(reward) is float and (terminated, truncated, info) == (True, False, {})
        assert one.observation_space.contains(observation)
        assert reward == reward_shape(shape)(action[0])


@pytest.mark.parametrize("dimension", [1, 3])
@pytest.mark.parametrize("shape", [*SHAPES, OWN])
def test_a_group_is_one_call_with_the_single_rewards(shape, dimension):
    env, single = group(64, shape=shape, dimension=dimension), GaussianHillEnv(shape, dimension)
    assert isinstance(env, GaussianHillVectorEnv)
    assert env.num_envs == 64
    assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert env.single_action_space == single.action_space
    assert env.single_observation_space == single.observation_space
    assert env.action_space.shape == (64, dimension)
    start, info = env.reset(seed=0)
    assert env.observation_space.contains(start) and info == {}
    rng = np.random.default_rng(0)
    for _ in range(3):  # again without a reset: every step ends and restarts every attempt
        actions = rng.uniform(-0.5, 2.5, (64, dimension))
        observation, rewards, terminated, truncated, info = env.step(actions)
        assert env.observation_space.contains(observation)
        assert terminated.tolist() == [True] * 64 and truncated.tolist() == [False] * 64
        assert rewards.shape == (64,) and rewards.dtype == np.float64
        single.reset(seed=0)
        assert rewards.tolist() == [single.step(action)[1] for action in actions]
        assert len(set(rewards.tolist())) > 1


def test_what_a_step_returns_is_the_callers_to_keep():
    env = group(2)
    first = env.step(np.full((2, 1), 0.5))
    for part in (first[0], first[1], first[2], first[3]):
        part[:] = 1 - part
    second = env.step(np.full((2, 1), 0.5))
    assert second[0].tolist() == [[0.0], [0.0]] and second[1].tolist() == [0.25, 0.25]
    assert second[2].all() and not second[3].any()


def test_only_the_first_coordinate_counts():
    env, rng = group(32, dimension=3), np.random.default_rng(0)
    actions = rng.normal(0.5, 0.3, (32, 3))
    rewards = env.step(actions)[1]
    assert np.array_equal(
        rewards, np.where(np.abs(actions[:, 0] - 0.5) <= 0.5, actions[:, 0] ** 2, 0)
    )
    actions[:, 1:] = 1e6 * rng.normal(size=(32, 2))
    assert np.array_equal(env.step(actions)[1], rewards)
    actions[:, 0] += 0.01
    assert not np.array_equal(env.step(actions)[1], rewards)


def test_the_paper_s_reward():
    env = gymnasium.make(ID)
    for x, reward in ((0.5, 0.25), (1.0, 1.0), (0.0, 0.0), (1.0 + 1e-12, 0.0), (-0.5, 0.0)):
        env.reset()
        assert env.step(np.array([x]))[1] == reward, f"x = {x}"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"dimension": 0}, "dimension must be at least 1, got 0"),
        ({"dimension": -2}, "dimension must be at least 1, got -2"),
        ({"shape": "mountain"}, "shape must be one of hill, .* got 'mountain'"),
        ({"shape": "points:0,0;1,-1"}, "reward from 0 to 100, got '1,-1'"),
    ],
)
def test_refusals(arguments, reason):
    with pytest.raises(ValueError, match=reason):
        gymnasium.make(ID, **arguments)
    with pytest.raises(ValueError, match=reason):
        group(4, **arguments)


def test_an_empty_group_is_refused():
    with pytest.raises(ValueError, match="num_envs must be at least 1, got 0"):
        group(0)
