"""A finite bandit with any rewards, one or several prompts, and everything exactly known about it.

A softmax policy chooses one of 2 to 50 arms. With several prompts every arm has a reward at each, and
the policy shares its parameters between them: what it learns at an easy prompt moves it at the hard
ones, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv

from toy_envs.discrete import categorical_max_at_k, value_at_k
from toy_envs.endings import final_infos

ARM_LIMIT = 50
PROMPT_LIMIT = 12
BANDIT_REWARD_LIMIT = 100.0


@dataclass(frozen=True, slots=True)
class Bandit:
    """Rewards of every arm at every prompt, and the probabilities that a policy starts from."""

    name: str
    """Its text form, which `bandit` parses."""
    label: str
    rewards: np.ndarray = field(compare=False)
    """`[prompts, arms]`"""
    start: np.ndarray = field(compare=False)
    """`[arms]` probabilities of the first policy, the same at every prompt."""

    @property
    def prompts(self) -> int:
        """How many prompts there are."""
        return self.rewards.shape[0]

    @property
    def arms(self) -> int:
        """How many arms there are."""
        return self.rewards.shape[1]

    @property
    def highest(self) -> np.ndarray:
        """`[prompts]` the best reward that each prompt has to give."""
        return self.rewards.max(axis=1)

    @property
    def binary(self) -> bool:
        """Whether every reward is 0 or 1, so that max@k is pass@k."""
        return bool(np.isin(self.rewards, (0.0, 1.0)).all())


def _bandit(name: str, label: str, rewards: Any, start: Any = None) -> Bandit:
    table = np.atleast_2d(np.asarray(rewards, float))
    arms = table.shape[1]
    chances = np.full(arms, 1 / arms) if start is None else np.asarray(start, float)
    chances = chances / chances.sum()
    table.flags.writeable = chances.flags.writeable = False
    return Bandit(name, label, table, chances)


def _jackpot() -> Bandit:
    rewards = [0.5, 0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 1.0]
    return _bandit("jackpot", "Rare jackpot", rewards, [0.55, *[0.055] * 8, 0.01])


def _mediocre() -> Bandit:
    return _bandit(
        "mediocre", "Many mediocre arms", [*np.linspace(0.3, 0.66, 19).round(2).tolist(), 1.0]
    )


def _hard() -> Bandit:
    return _bandit("hard", "Hard: right once in a hundred", [*[0] * 9, 1], [*[0.11] * 9, 0.01])


def _trap() -> Bandit:
    return _bandit(
        "trap", "Two-level trap", [0, 0, 0, 0, 0, 0, 0.6, 1], [*[0.13] * 6, 0.205, 0.015]
    )


def _tie() -> Bandit:
    return _bandit("tie", "Wide tie: half the arms are right", [*[0] * 10, *[1] * 10])


def _crowded() -> Bandit:
    right = (0, 0, 0, 1, 2, 3)  # the arm that each prompt pays: three share the first
    table = np.zeros((6, 8))
    table[np.arange(6), right] = 1
    return _bandit("crowded", "Easy prompts crowd out hard ones", table)


BANDITS: dict[str, Bandit] = {
    b.name: b for b in (_jackpot(), _mediocre(), _hard(), _trap(), _tie(), _crowded())
}
"""The built-in bandits by name; "arms:0,0.5,1@0.6,0.39,0.01" describes a user's own."""


def bandit(text: str | Bandit) -> Bandit:
    """The bandit of that name, or the one that the text describes.

    Args:
      text: a key of `BANDITS`, or "arms:" and the rewards of 2 to 50 arms separated by commas; for
        several prompts, at most 12, a row for each, separated by semicolons. Optionally "@" and each
        arm's probability (or any number in proportion to it) for the first policy; without, all arms
        start alike.

    Raises:
      ValueError: an unknown name, or a text that does not describe a bandit.
    """
    if isinstance(text, Bandit):
        return text
    if text in BANDITS:
        return BANDITS[text]
    kind, _, body = str(text).partition(":")
    if kind != "arms":
        raise ValueError(
            f"bandit must be one of {', '.join(BANDITS)} or 'arms:reward,reward,...', "
            f"got {str(text)[:80]!r}"
        )
    rows, at, chances = body.partition("@")
    table = [[_number(cell, "a reward") for cell in row.split(",")] for row in rows.split(";")]
    arms = len(table[0])
    if not 2 <= arms <= ARM_LIMIT:
        raise ValueError(f"bandit: arms must number from 2 to {ARM_LIMIT}, got {arms}")
    if len(table) > PROMPT_LIMIT:
        raise ValueError(f"bandit: prompts must number at most {PROMPT_LIMIT}, got {len(table)}")
    for place, row in enumerate(table, 1):
        if len(row) != arms:
            raise ValueError(
                f"bandit: every prompt must have the same arms, got {arms} rewards for the first "
                f"and {len(row)} for number {place}"
            )
        for reward in row:
            if abs(reward) > BANDIT_REWARD_LIMIT:
                raise ValueError(
                    f"bandit: a reward must be within ±{BANDIT_REWARD_LIMIT:g}, got {reward}"
                )
    start = [_number(cell, "a probability") for cell in chances.split(",")] if at else None
    if start is not None:
        if len(start) != arms:
            raise ValueError(f"bandit: give one probability per arm, got {len(start)} for {arms}")
        if min(start) <= 0 or min(start) / sum(start) < 1e-9:
            raise ValueError(
                f"bandit: every arm must start with a probability of at least 1e-9, got {min(start):g} "
                f"of {sum(start):g}"
            )
    name = "arms:" + ";".join(",".join(_exactly(x) for x in row) for row in table)
    if start is not None:
        name += "@" + ",".join(_exactly(x) for x in start)
    return _bandit(name, "Your own arms", table, start)


def _number(text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise ValueError(f"bandit: {what} must be a number, got {text.strip()[:40]!r}") from None
    return value


def _exactly(x: float) -> str:
    short = f"{x:.12g}"
    return short if float(short) == x else repr(x)


# --- What is exactly known ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BanditValues:
    """Max@k of policies on a bandit."""

    value: np.ndarray
    """`(len(k), ..., prompts)`; for binary rewards pass@k. The objective is the mean over prompts."""
    d_logits: np.ndarray
    """`(len(k), ..., prompts, arms)`: of a prompt's value by that prompt's logits."""


def exact_bandit(
    probabilities: Any, k: Sequence[int], bandit_or_name: str | Bandit
) -> BanditValues:
    """Exact max@k at every prompt, and its derivative by the prompt's logits.

    Args:
      probabilities: `[..., prompts, arms]`; `[arms]` is read as the same policy at every prompt.
      k: attempts, whole numbers from 1.
      bandit_or_name: the bandit.

    Raises:
      ValueError: probabilities of another shape or that do not sum to 1, or a bad k or bandit.
    """
    chosen = bandit(bandit_or_name)
    found = categorical_max_at_k(chosen.rewards, _checked(probabilities, chosen), k)
    return BanditValues(found.value, found.d_logits)


def best_of(probabilities: Any, k: Sequence[int], bandit_or_name: str | Bandit) -> np.ndarray:
    """The mean over prompts of exact max@k, `(len(k), ...)`; arguments as those of `exact_bandit`."""
    chosen = bandit(bandit_or_name)
    return value_at_k(chosen.rewards, _checked(probabilities, chosen), k).mean(axis=-1)


def objective(probabilities: Any, k: int, bandit_or_name: str | Bandit) -> Any:
    """The mean over prompts of exact max@k (arXiv:2505.15201, Eq. 11); see `exact_bandit`."""
    value = best_of(probabilities, (k,), bandit_or_name)[0]
    return float(value) if value.ndim == 0 else value


def _checked(probabilities: Any, chosen: Bandit) -> np.ndarray:
    p = np.asarray(probabilities, float)
    if p.shape == (chosen.arms,):
        p = np.broadcast_to(p, chosen.rewards.shape)
    if p.shape[-2:] != chosen.rewards.shape:
        raise ValueError(
            f"probabilities must end in the axes (prompts, arms) = {chosen.rewards.shape}, "
            f"got the shape {p.shape}"
        )
    good = (p >= 0).all(-1) & (np.abs(p.sum(-1) - 1.0) < 1e-9)
    if not good.all():
        raise ValueError(
            f"probabilities must be >= 0 and sum to 1 over the arms, got {p[~good][0].tolist()}"
        )
    return p


# --- The environments -----------------------------------------------------------------------------


class BanditVectorEnv(VectorEnv):
    """Many attempts at a bandit, scored in one call.

    ## Description
    The vector form of `BanditEnv`: `num_envs` attempts. One step scores them all; every attempt is an
    episode of its own, reset within the step. Attempts are shared out evenly: with P prompts, the
    first num_envs / P attempts face the first prompt, and so on, so that rewards reshape to groups,
    `[prompts, n]`.

    ## Action Space
    `MultiDiscrete([arms] * num_envs)`: one arm per attempt.

    ## Observation Space
    `MultiDiscrete([prompts] * num_envs)`: the prompt that each attempt faces.

    ## Starting State
    See Description; nothing here is random.

    ## Reward
    `rewards[prompt, arm]`.

    ## Episode End
    Every step terminates every attempt; its info holds the last observations, `final_infos`.

    ## Arguments
    - `num_envs`: attempts, a multiple of the number of prompts.
    - `bandit`: the bandit or its name, see `bandit`; default the rare jackpot.

    ## Version History
    - v0: initial version.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(self, num_envs: int = 1, bandit: str | Bandit = "jackpot"):
        self.bandit = _named(bandit)
        prompts, arms = self.bandit.rewards.shape
        if num_envs < 1 or num_envs % prompts:
            raise ValueError(
                f"num_envs must be a positive multiple of the {prompts} prompts, got {num_envs}"
            )
        self.num_envs = num_envs
        self.single_action_space = spaces.Discrete(arms)
        self.single_observation_space = spaces.Discrete(prompts)
        self.action_space = spaces.MultiDiscrete([arms] * num_envs)
        self.observation_space = spaces.MultiDiscrete([prompts] * num_envs)
        self._prompts = np.repeat(np.arange(prompts), num_envs // prompts)
        self._over = np.ones(num_envs, bool)

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Start every attempt."""
        super().reset(seed=seed)
        return self._prompts.copy(), {}

    def step(self, actions: np.ndarray):
        """Score one arm per attempt."""
        actions = np.asarray(actions)
        if actions.shape != (self.num_envs,):
            raise ValueError(f"actions must have the shape {(self.num_envs,)}, got {actions.shape}")
        _check_arms(actions, self.bandit)
        rewards = self.bandit.rewards[self._prompts, actions]
        infos = final_infos(self._prompts)
        return self._prompts.copy(), rewards, self._over.copy(), ~self._over, infos


class BanditEnv(gymnasium.Env):
    """A bandit: see a prompt, choose an arm, receive its reward there.

    ## Description
    One attempt. The rewards are fixed numbers; what is random is the policy, and, with several
    prompts, which of them is seen. `exact_bandit` gives max@k of any policy, and its gradient.

    ## Action Space
    `Discrete(arms)`: the arm.

    ## Observation Space
    `Discrete(prompts)`: the prompt.

    ## Starting State
    A prompt drawn uniformly.

    ## Reward
    `rewards[prompt, arm]`.

    ## Episode End
    Every step terminates.

    ## Arguments
    - `bandit`: the bandit or its name, see `bandit`; default the rare jackpot.

    ## Version History
    - v0: initial version.
    """

    metadata = {"render_modes": []}

    def __init__(self, bandit: str | Bandit = "jackpot"):
        self.bandit = _named(bandit)
        self.action_space = spaces.Discrete(self.bandit.arms)
        self.observation_space = spaces.Discrete(self.bandit.prompts)
        self._prompt = 0

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Draw a prompt."""
        super().reset(seed=seed)
        self._prompt = int(self.np_random.integers(self.bandit.prompts))
        return self._prompt, {}

    def step(self, action: int):
        """Score one arm."""
        _check_arms(np.asarray(action), self.bandit)
        reward = float(self.bandit.rewards[self._prompt, int(action)])
        return self._prompt, reward, True, False, {}


_named = bandit  # the environments have an argument of that name


def _check_arms(actions: np.ndarray, chosen: Bandit) -> None:
    whole = actions.dtype.kind in "iu"
    wrong = (actions < 0) | (actions >= chosen.arms) if whole else np.ones(actions.shape, bool)
    if wrong.any():
        raise ValueError(
            f"actions must be whole numbers from 0 to {chosen.arms - 1}, "
            f"got {str(actions[wrong][0])[:80]!r}"
        )
