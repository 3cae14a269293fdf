"""What trainers make of a group: against their own functions, known identities and plain sums."""

from __future__ import annotations

import ast
import re
from dataclasses import replace

import numpy as np
import pytest

from pkpo import ESTIMATORS, transform
from pkpo.analysis import GRADED_PROMPTS, expected_directions
from pkpo.analysis.enumeration import enumerate_outcomes
from pkpo.analysis.estimation_problems import SoftmaxProblem
from pkpo.analysis.trainer_clinic import FAULTS, TrainerSettings, adapter_settings, own_settings
from pkpo.integrations.conventions import ALIKE, TRAINERS, convention_table
from tests.browser.browser import ROOT

RNG = np.random.default_rng(0)
GROUPS = RNG.integers(0, 5, (20, 8)) / 4
PROBLEM = SoftmaxProblem((0.0, 0.3, 0.6, 1.0), (0.4, 0.3, 0.2, 0.1))


@pytest.mark.parametrize("trainer", TRAINERS)
@pytest.mark.parametrize("k", [1, 4, 8])
def test_the_adapter_keeps_the_weights(trainer, k):
    settings = adapter_settings(trainer)
    for loss, how in TRAINERS[trainer].losses.items():
        found = replace(settings, loss=loss, length=3.0)(GROUPS, k)
        same = np.allclose(found, transform(GROUPS, k), rtol=0, atol=1e-14)
        assert same == (how == ALIKE)


def test_own_advantages_are_those_of_the_registry():
    """GRPO in TRL, Dr. GRPO in prime-rl: what the estimators say of themselves."""
    for trainer, estimator in (("trl", "grpo"), ("prime_rl", "dr_grpo")):
        want = transform(GROUPS, 1, estimator)
        assert np.abs(own_settings(trainer)(GROUPS, 1) - want).max() < 1e-13
    summed = own_settings("tinker")(GROUPS, 1)
    assert np.abs(summed - 8 * transform(GROUPS, 1, "dr_grpo")).max() < 1e-13


def test_leave_one_out_by_hand():
    """NeMo RL: each sample against the others' mean and sample deviation."""
    found = own_settings("nemo_rl")(GROUPS, 1)
    for row, weights in zip(GROUPS, found, strict=True):
        for i, weight in enumerate(weights):
            others = np.delete(row, i)
            spread = others.std(ddof=1)
            want = row[i] - others.mean()
            want /= spread + 1e-6 if spread > 1e-7 else 1
            assert weight == pytest.approx(want / 8, abs=1e-12)


@pytest.mark.parametrize("k", [2, 4, 7, 8])
def test_centred_again_trains_a_mixture(k):
    """(1 - k/n) ∇max@k + (k/n) ∇max@(k-1), exactly; at k = n all of it is max@(k-1)."""
    settings = FAULTS["centred"].settings
    found = enumerate_outcomes(PROBLEM, settings, 8, k).mean
    want = (1 - k / 8) * PROBLEM.gradient(k) + k / 8 * PROBLEM.gradient(k - 1)
    assert np.abs(found - want).max() < 1e-13
    if k < 8:  # the canonical form is centred already
        canonical = replace(settings, estimator="canonical")
        assert (
            np.abs(enumerate_outcomes(PROBLEM, canonical, 8, k).mean - PROBLEM.gradient(k)).max()
            < 1e-13
        )


def test_credits_less_their_mean_are_nothing_at_n():
    fault = FAULTS["all-zero"]
    assert np.abs(fault.settings(GROUPS, 8)).max() < 1e-14
    (direction,) = expected_directions(8, 8, [fault.settings])
    assert np.abs(direction.scale).max() < 1e-14
    below = enumerate_outcomes(PROBLEM, fault.settings, 8, 4).mean
    assert np.abs(below - (1 - 4 / 8) / 8 * PROBLEM.gradient(4)).max() < 1e-14


def test_unscaled_weights_are_n_times_too_small():
    (direction,) = expected_directions(8, 4, [FAULTS["n-times"].settings])
    assert direction.scale[3] == pytest.approx(1 / 8)
    assert direction.cosine[3] == pytest.approx(1)


@pytest.mark.parametrize("case", FAULTS)
def test_the_bias_is_the_distance_from_the_gradient(case):
    fault = FAULTS[case]
    n, k = len(fault.rewards), fault.k
    (direction,) = expected_directions(n, k, [fault.settings], GRADED_PROMPTS)
    means = [enumerate_outcomes(p, fault.settings, n, k).mean for p in GRADED_PROMPTS]
    exact = np.mean([p.gradient(k) for p in GRADED_PROMPTS], axis=0)
    apart = np.linalg.norm(np.mean(means, axis=0) - exact) / np.linalg.norm(exact)
    assert direction.bias[k - 1] == pytest.approx(apart, abs=1e-12)
    along = direction.scale[k - 1]
    across = direction.bias[k - 1] ** 2 - (along - 1) ** 2
    if along:  # the cosine and the scale say the same
        assert across == pytest.approx(along**2 * (direction.cosine[k - 1] ** -2 - 1), abs=1e-9)


@pytest.mark.parametrize("case", [key for key in FAULTS if key not in ("all-zero", "n-times")])
def test_a_fault_points_elsewhere_and_its_cure_does_not(case):
    fault = FAULTS[case]
    cure = adapter_settings(fault.settings.trainer)
    wrong, right = expected_directions(
        len(fault.rewards), fault.k, [fault.settings, cure], GRADED_PROMPTS
    )
    assert wrong.cosine[fault.k - 1] < 1 - 1e-4
    assert right.cosine[fault.k - 1] > 1 - 1e-12
    assert right.scale[fault.k - 1] == pytest.approx(1, abs=1e-12)


def test_length_and_prompt_by_hand():
    rewards = np.array([1.0, 0, 0, 1, 0.5, 0, 0, 0])
    lengths = np.array([3.0, 1, 1, 3, 2, 1, 1, 1])
    weights = transform(rewards, 3)
    own = TrainerSettings(trainer="skyrl", loss="sequence_mean", length=3.0)
    assert np.allclose(own(rewards, 3), weights / lengths)
    prompt = replace(own, loss="prompt_mean")
    assert np.allclose(prompt(rewards, 3), weights / lengths.mean())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"trainer": "openai"}, "trainer must be one of trl, verl"),
        ({"through": "luck"}, "through must be one of adapter, rewards"),
        ({"centre": "median"}, "centre must be one of no, mean, others"),
        ({"divide": "mean"}, "divide must be one of no, group"),
        ({"loss": "token-mean"}, "loss must be one of dapo, dr_grpo"),
        ({"estimator": "best"}, "estimator must be one of"),
        ({"length": 11.0}, "length must be from 0.1 to 10, got 11"),
    ],
)
def test_bad_settings(change, reason):
    with pytest.raises(ValueError, match=reason):
        TrainerSettings(**change)


@pytest.mark.parametrize("trainer", TRAINERS)
def test_the_adapter_s_lines_are_python(trainer):
    for k in (4, "8@0,1@1500"):
        text = TRAINERS[trainer].adapter(k, "canonical")
        tree = ast.parse(text)
        named = {
            keyword.arg: keyword.value.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            for keyword in node.keywords
            if isinstance(keyword.value, ast.Constant)
        }
        assert named["k"] == k and named["estimator"] in ESTIMATORS


def test_the_page_of_conventions_has_this_table():
    page = (ROOT / "docs" / "conventions.md").read_text(encoding="utf-8")
    assert convention_table() in page
    files = re.findall(r"\]\(\.\./(examples/[a-z0-9_]+\.py)\)", page)
    assert files and all((ROOT / name).is_file() for name in files)


# Against the trainers' own functions, where they are installed.

torch = pytest.importorskip("torch")


def by_token(function, **more) -> np.ndarray:
    rewards = torch.zeros(20, 8, 3)
    rewards[:, :, -1] = torch.tensor(GROUPS)
    index = np.repeat(np.arange(20), 8)
    found, _ = function(rewards.view(160, 3), torch.ones(160, 3), index, **more)
    return found[:, 0].view(20, 8).double().numpy() / 8


@pytest.mark.trainers
@pytest.mark.filterwarnings("ignore")
def test_verl_s_own():
    pytest.importorskip("verl")
    from verl.trainer.ppo import core_algos

    for divided, divide in ((True, "group"), (False, "no")):
        found = by_token(core_algos.compute_grpo_outcome_advantage, norm_adv_by_std_in_grpo=divided)
        want = replace(own_settings("verl"), divide=divide)(GROUPS, 1)
        assert np.abs(found - want).max() < 1e-5
    passk = by_token(
        core_algos.compute_grpo_passk_outcome_advantage, config={"norm_adv_by_std_in_grpo": True}
    )
    want = FAULTS["grpo_passk"].settings(GROUPS, 8)
    assert np.abs(passk - want).max() < 1e-5


@pytest.mark.trainers
@pytest.mark.filterwarnings("ignore")
def test_skyrl_s_own(monkeypatch):
    import typing

    import typing_extensions

    pytest.importorskip("skyrl")
    monkeypatch.setattr(typing, "TypedDict", typing_extensions.TypedDict)  # it is for Python 3.12
    from skyrl.backends.skyrl_train.utils import ppo_utils

    found = by_token(ppo_utils.compute_grpo_outcome_advantage)
    assert np.abs(found - own_settings("skyrl")(GROUPS, 1)).max() < 1e-5
    mask = (torch.arange(6) < torch.tensor([1, 2, 3, 4, 5, 6, 1, 6])[:, None]).float()
    ones = torch.ones(8, 6)
    for loss, how in TRAINERS["skyrl"].losses.items():
        got = ppo_utils.apply_loss_reduction_to_advantages_minibatch(
            ones, mask, loss, micro_batch_size=2, max_seq_len=6, prompt_boundaries=[(0, 3), (3, 8)]
        )[mask.bool()]
        assert (got.std() < 1e-7).item() == (how == ALIKE), loss
