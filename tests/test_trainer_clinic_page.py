"""The trainer clinic without a browser."""

from __future__ import annotations

from functools import partial

import pytest

from app.controls.trainer_clinic import fault_address
from pkpo.analysis.trainer_clinic import FAULTS
from pkpo.integrations.conventions import TRAINERS
from tests.pages import open_page, words_of

VERDICTS = {"all-zero": "It trains nothing", "n-times": "max@4, the step 8 times too small"}
"""Of the cases that are not biased in direction."""
open_clinic = partial(open_page, "estimators", view="clinic")


def said(page) -> str:
    return words_of([*page.markdown, *page.info])


@pytest.mark.parametrize("case", FAULTS)
def test_a_case_has_an_address_that_opens_it(case):
    address = fault_address(FAULTS[case])
    assert address.pop("view") == "clinic"
    page = open_clinic(**address)
    assert page.button_group(key="_clinic_fault").value == case
    assert not page.warning and not page.error and not page.exception
    assert page.info[0].value.startswith(("PKPO", "The", "All"))
    assert VERDICTS.get(case, "Biased: its cosine with") in said(page).replace("**", "")


@pytest.mark.parametrize("trainer", TRAINERS)
def test_the_adapter_of_every_trainer_is_unbiased(trainer):
    page = open_clinic(trainer=trainer, through="adapter")
    assert "Unbiased: the expected gradient is that of max@3" in said(page).replace("**", "")
    assert page.code[0].value == TRAINERS[trainer].adapter(3, "sloo_minus_one")
    assert not page.warning and not page.error


def test_another_trainer_starts_from_its_own_defaults():
    page = open_clinic(trainer="skyrl", loss="sequence_mean", divide="no")
    assert page.selectbox(key="_clinic_divide").value == "no"
    page.selectbox(key="_clinic_trainer").set_value("tinker").run()
    assert page.selectbox(key="_clinic_loss").value == "importance_sampling"
    assert dict(page.query_params) == {"view": "clinic", "trainer": "tinker"}
    assert not page.warning


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ({"trainer": "openai"}, "trainer must be one of trl, verl"),
        ({"loss": "token-mean"}, "TRL, GRPOTrainer has no loss 'token-mean'"),
        ({"length": "99"}, "length must be from 0.1 to 10, got 99"),
        ({"rewards": "x"}, "numbers within a million, got 'x'"),
        ({"k": "9"}, "k must be from 1 to n = 6, got 9"),
        ({"show": "s"}, "'show' is not a setting of this page"),
    ],
)
def test_an_address_that_cannot_be_is_explained(address, reason):
    page = open_clinic(**address)
    (warning,) = page.warning
    assert reason in warning.value.replace("\\", "")


def test_what_the_estimator_does_not_allow_is_said():
    page = open_clinic(rewards="0 1 0", estimator="canonical", k="3")
    assert "k = 3 is not allowed" in page.error[0].value.replace("\\", "") or "k must be" in (
        page.error[0].value
    )
    assert page.code  # and the lines stay


def test_the_group_goes_from_one_view_to_the_other():
    page = open_clinic(rewards="0 1 0 1", k="2", trainer="verl")
    page.button_group(key="_estimators_view").set_value("group").run()
    assert dict(page.query_params) == {"rewards": "0 1 0 1", "k": "2"}
    assert not page.warning
