"""The bandit: runs on one bandit, and the exact probabilities and best-of-k curves behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pkpo.comparisons.comparison import compared_k
from pkpo.config import RunConfig
from pkpo.training.policies import SoftmaxPolicy
from pkpo.training.recording import Recording, RecordRuns, record_runs
from toy_envs import bandit
from toy_envs.bandit import Bandit

BEST_OF = tuple(range(1, 65))
"""The k of a best-of-k curve."""


@dataclass(frozen=True, slots=True)
class BanditComparison:
    """One to four runs on the same bandit, and the exact values behind them."""

    recordings: tuple[Recording, ...]
    bandit: Bandit
    probabilities: tuple[np.ndarray, ...]
    """Per run, `[T, prompts, arms]`."""
    best_of: tuple[np.ndarray, ...]
    """Per run, the exact max@k for every k of `BEST_OF`, mean over prompts, `[T, 64]`."""
    compared_k: int
    """The k at which all runs are compared besides k = 1."""
    reached: tuple[np.ndarray, ...]
    """Per run, the exact max@compared_k over updates, `[T]`."""

    @property
    def prompts_alike(self) -> bool:
        """Whether the policy is the same at every prompt."""
        return self.bandit.prompts == 1 or self.recordings[0].config.sharing == 1

    @property
    def pass_rates(self) -> tuple[np.ndarray, ...]:
        """Per run, the exact expected reward of one draw at each prompt, `[T, prompts]`."""
        return tuple((p * self.bandit.rewards).sum(axis=-1) for p in self.probabilities)


def compare_bandits(
    configs: Sequence[RunConfig], record: RecordRuns = record_runs
) -> BanditComparison:
    """Train every config (all on the same bandit) and gather what is exactly known.

    Args:
      configs: the runs'.
      record: gives their recordings.
    """
    recordings = record(configs)
    chosen = bandit.bandit(recordings[0].config.bandit)
    probabilities = tuple(_probabilities(r, chosen) for r in recordings)
    common = compared_k([r.config for r in recordings])
    return BanditComparison(
        recordings=recordings,
        bandit=chosen,
        probabilities=probabilities,
        best_of=tuple(bandit.best_of(p, BEST_OF, chosen).T for p in probabilities),
        compared_k=common,
        reached=tuple(bandit.best_of(p, (common,), chosen)[0] for p in probabilities),
    )


def _probabilities(recording: Recording, chosen: Bandit) -> np.ndarray:
    policy = SoftmaxPolicy(chosen.start, chosen.prompts, recording.config.sharing)
    return policy.probabilities(recording.parameters)
