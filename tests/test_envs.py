"""The environments: Gymnasium's own checker, the group form against the single form, refusals."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from toy_envs.bandit import BANDITS, BanditEnv, BanditVectorEnv, bandit
from toy_envs.gaussian_hill import (
    REWARD_SHAPES,
    GaussianHillEnv,
    GaussianHillVectorEnv,
    reward_shape,
)

ID, BANDIT = "pkpo/GaussianHill-v0", "pkpo/Bandit-v0"
OWN = "points:0,0.2;1,1;1,0.3;2,0.3"
OWN_ARMS = "arms:0,-0.5,1;1,0,0.25;0,0,2@3,2,1"

# The hill's action is any real number, on which the checker remarks.
EXPECTED_REMARKS = {
    ID: (
        "Box action space minimum value is -infinity",
        "Box action space maximum value is infinity",
        "For Box action spaces, we recommend using a symmetric and normalized space",
    ),
    BANDIT: (),
}


def group(num_envs: int, name: str = ID, **arguments) -> GaussianHillVectorEnv | BanditVectorEnv:
    return gymnasium.make_vec(
        name, num_envs=num_envs, vectorization_mode="vector_entry_point", **arguments
    )


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        (ID, {}),
        (ID, {"shape": "two-peaks"}),
        (ID, {"shape": OWN, "dimension": 3}),
        (BANDIT, {}),
        (BANDIT, {"bandit": "crowded"}),
        (BANDIT, {"bandit": OWN_ARMS}),
    ],
    ids=str,
)
def test_gymnasium_s_checker(name, arguments):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_env(gymnasium.make(name, **arguments).unwrapped)
    remarks = [str(warning.message) for warning in caught]
    expected = EXPECTED_REMARKS[name]
    assert not [r for r in remarks if not any(start in r for start in expected)]
    # Warnings do arrive here:
    assert name != ID or any("-infinity" in remark for remark in remarks)


def earned(name: str, described: str, observation, action) -> float:
    """The reward that the description promises."""
    if name == ID:
        return reward_shape(described)(action[0])
    return bandit(described).rewards[observation, action]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        *((ID, {"shape": shape, "dimension": 2}) for shape in [*REWARD_SHAPES, OWN]),
        *((BANDIT, {"bandit": text}) for text in [*BANDITS, OWN_ARMS]),
    ],
    ids=str,
)
def test_two_seeded_copies_step_alike(name, arguments):
    one, other = (gymnasium.make(name, **arguments) for _ in range(2))
    described = next(iter(arguments.values()))
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
        assert reward == earned(name, described, start, action)


@pytest.mark.parametrize("dimension", [1, 3])
@pytest.mark.parametrize("shape", [*REWARD_SHAPES, OWN])
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
        assert info["final_obs"].shape == (64,) and info["_final_obs"].all()
        assert terminated.tolist() == [True] * 64 and truncated.tolist() == [False] * 64
        assert rewards.shape == (64,) and rewards.dtype == np.float64
        single.reset(seed=0)
        assert rewards.tolist() == [single.step(action)[1] for action in actions]
        assert len(set(rewards.tolist())) > 1


@pytest.mark.parametrize("text", [*BANDITS, OWN_ARMS])
def test_a_bandit_s_group_is_one_call_with_the_single_rewards(text):
    single, prompts = BanditEnv(text), bandit(text).prompts
    env = group(5 * prompts, BANDIT, bandit=text)
    assert isinstance(env, BanditVectorEnv)
    assert env.num_envs == 5 * prompts
    assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert env.single_action_space == single.action_space
    assert env.single_observation_space == single.observation_space
    assert env.action_space.shape == (5 * prompts,)
    start, info = env.reset(seed=0)
    assert env.observation_space.contains(start) and info == {}
    assert start.reshape(prompts, 5).tolist() == [[p] * 5 for p in range(prompts)]  # [prompts, n]
    seen = {}  # a single attempt at every prompt, found by its seed
    for seed in range(200):
        seen.setdefault(single.reset(seed=seed)[0], seed)
    assert set(seen) == set(range(prompts))
    env.action_space.seed(0)
    for _ in range(3):  # again without a reset: every step ends and restarts every attempt
        actions = env.action_space.sample()
        observation, rewards, terminated, truncated, info = env.step(actions)
        assert np.array_equal(observation, start) and info["final_obs"].tolist() == start.tolist()
        assert terminated.tolist() == [True] * env.num_envs and not truncated.any()
        assert rewards.shape == (env.num_envs,) and rewards.dtype == np.float64
        for prompt, action, reward in zip(start.tolist(), actions, rewards, strict=True):
            single.reset(seed=seen[prompt])
            assert single.step(action)[:2] == (prompt, reward), f"prompt {prompt}, arm {action}"


def test_prompts_are_drawn_uniformly():
    env, draws = BanditEnv("crowded"), 3000
    env.reset(seed=0)
    counts = np.bincount([env.reset()[0] for _ in range(draws)], minlength=6)
    assert (np.abs(counts - draws / 6) < 4 * np.sqrt(draws * 5 / 36)).all(), counts


def test_what_a_bandit_s_step_returns_is_the_callers_to_keep():
    env = group(2, BANDIT, bandit="arms:0.25,1;2,3")
    for part in (env.reset()[0], *env.step(np.array([0, 1]))[:4]):
        part[:] = 1 - part
    assert env.reset()[0].tolist() == [0, 1]
    again = env.step(np.array([0, 1]))
    assert again[0].tolist() == [0, 1] and again[1].tolist() == [0.25, 3.0]
    assert again[2].all() and not again[3].any()


def test_what_a_step_returns_is_the_callers_to_keep():
    env = group(2)
    first = env.step(np.full((2, 1), 0.5))
    for part in (first[0], first[1], first[2], first[3]):
        part[:] = 1 - part
    second = env.step(np.full((2, 1), 0.5))
    assert second[0].tolist() == [[0.0], [0.0]] and second[1].tolist() == [0.25, 0.25]
    assert second[2].all() and not second[3].any()


@pytest.mark.parametrize(
    ("name", "arguments", "make"),
    [
        (ID, {"dimension": 2}, lambda: GaussianHillEnv(dimension=2)),
        (BANDIT, {"bandit": "trap"}, lambda: BanditEnv("trap")),
    ],
    ids=(ID, BANDIT),
)
def test_the_last_observations_are_told_as_gymnasium_s_own_environments_tell_them(
    name, arguments, make
):
    ours = group(3, name, **arguments)
    theirs = SyncVectorEnv([make] * 3, autoreset_mode=AutoresetMode.SAME_STEP)
    ours.reset(seed=0)
    theirs.reset(seed=0)
    theirs.action_space.seed(0)
    for _ in range(2):
        actions = theirs.action_space.sample()
        infos, wanted = ours.step(actions)[-1], theirs.step(actions)[-1]
        assert set(infos) == set(wanted)
        for key in ("final_obs", "_final_obs", "_final_info"):
            assert infos[key].dtype == wanted[key].dtype and infos[key].shape == wanted[key].shape
            assert all(map(np.array_equal, infos[key], wanted[key])), key
        assert infos["final_info"] == wanted["final_info"] == {}
        for observation in infos["final_obs"]:
            assert ours.single_observation_space.contains(observation)
        infos["final_obs"][0] = None  # theirs who called: the next step's are others


@pytest.mark.parametrize("shape", [*REWARD_SHAPES, OWN])
def test_infinity_is_beyond_every_hill(shape):
    env, single = group(4, shape=shape, dimension=2), GaussianHillEnv(shape, 2)
    far = np.array([[np.inf, 0], [-np.inf, 0], [1e308, 0], [-1.7e308, np.inf]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert env.step(far)[1].tolist() == [0.0] * 4
        assert [single.step(action)[1] for action in far] == [0.0] * 4


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ([np.nan, 0], "must be real numbers, got nan"),
        ([0, np.nan], "must be real numbers, got nan"),
        (["a", "b"], "must be real numbers, got "),
        ([1j, 0], "must be real numbers, got "),
        ([None, {}], "must be real numbers, got "),
        ([0.5], r"must have the shape "),
        ([0.5, 0.5, 0.5], r"must have the shape "),
        (0.5, r"must have the shape "),
    ],
    ids=str,
)
def test_an_action_that_is_no_sample_is_refused(action, reason):
    env, single = group(2, dimension=2), GaussianHillEnv(dimension=2)
    with pytest.raises(ValueError, match=f"^action {reason}"):
        single.step(action)
    with pytest.raises(ValueError, match=f"^actions {reason}"):
        env.step([action, action])


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


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("robber", "bandit must be one of jackpot, .* got 'robber'"),
        ("arms:0,101", "bandit: a reward must be within ±100, got 101"),
    ],
)
def test_a_bandit_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        gymnasium.make(BANDIT, bandit=text)
    with pytest.raises(ValueError, match=reason):
        group(4, BANDIT, bandit=text)


@pytest.mark.parametrize(("num_envs", "prompts"), [(0, 1), (-2, 1), (0, 6), (8, 6), (3, 6)])
def test_attempts_must_be_shared_out_evenly(num_envs, prompts):
    text = {1: "trap", 6: "crowded"}[prompts]
    reason = f"num_envs must be a positive multiple of the {prompts} prompts, got {num_envs}"
    with pytest.raises(ValueError, match=reason):
        BanditVectorEnv(num_envs, text)


@pytest.mark.parametrize("action", [-1, 3, 0.0, 1.5, True, None, "0"])
def test_an_arm_that_is_not_there_is_refused(action):
    reason = "actions must be whole numbers from 0 to 2, got"
    single, env = BanditEnv("arms:0,1,2"), group(2, BANDIT, bandit="arms:0,1,2")
    single.reset(seed=0)
    env.reset(seed=0)
    with pytest.raises(ValueError, match=reason):
        single.step(action)
    with pytest.raises(ValueError, match=reason):
        env.step(np.array([action, action]))
    assert env.step(np.array([2, 1], np.uint8))[1].tolist() == [2, 1]


@pytest.mark.parametrize("actions", [[0], [0, 1, 2], [[0, 1]], 0])
def test_one_arm_per_attempt(actions):
    env = group(2, BANDIT, bandit="arms:0,1,2")
    with pytest.raises(ValueError, match=r"actions must have the shape \(2,\), got \("):
        env.step(actions)
