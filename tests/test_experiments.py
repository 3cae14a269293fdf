"""The named experiments: what they compare, and the records of them that ship."""

from __future__ import annotations

import pytest

from pkpo.lm.experiments import EXPERIMENTS


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_methods_differ_in_what_they_are_and_seeds_only(name):
    experiment = EXPERIMENTS[name]
    configs = experiment.configs()
    assert (
        len(set(configs.values()))
        == len(configs)
        == len(experiment.methods) * len(experiment.seeds)
    )
    for (_, seed), config in configs.items():
        own = {"schedule", "estimator", "entropy_bonus", "seed"}
        changed = {
            key for key, x in config.to_dict().items() if x != experiment.base.to_dict()[key]
        }
        assert changed <= own and config.seed == seed


def test_an_annealed_schedule_ends_at_1():
    schedule = EXPERIMENTS["hard"].configs()["annealed", 0].k_schedule
    assert [schedule(u) for u in (0, 119, 120, 200)] == [8, 8, 1, 1]
