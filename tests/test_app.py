"""The app without a browser: addresses, settings, pages."""

from __future__ import annotations

import base64
import json
import subprocess
import sys

import pytest
from streamlit.testing.v1 import AppTest

from app import cached, controls, paper_figure_view
from app.components import player
from app.presets import BANDIT_PRESETS, HILL_PRESETS
from pkpo.comparisons.settings import command_line, parse_comparison
from pkpo.estimators import ESTIMATORS
from pkpo.fields import format_value
from tests.browser.browser import ROOT

MAIN = str(ROOT / "app" / "script.py")


def open_toy_page(**address: str) -> AppTest:
    return open_page("toy_problem", address)


def open_page(name: str, address: dict[str, str]) -> AppTest:
    page = AppTest.from_file(MAIN, default_timeout=30)
    page.run()
    page.switch_page(f"app_pages/{name}.py")
    for name, text in address.items():
        page.query_params[name] = text
    page.run()
    assert not page.exception
    return page


def test_the_default_address_is_empty():
    values, problems = controls.read_address(controls.HILL_PAGE, {})
    assert values == controls.HILL_PAGE.defaults
    assert problems == []
    assert controls.settings_of_runs(controls.HILL_PAGE, values) == parse_comparison(
        {}, "schedule 1 2 4 8"
    )


def test_styles_stand_before_all_that_they_style():
    # Behind the page they come late: figures are drawn for a width that they then do not have.
    first = open_page("start", {}).main.children[0].children[0]
    assert first.type == "html" and "st-key-panels-" in first.proto.body


def test_what_comes_and_goes_moves_nothing_below_it():
    """What moves, the browser draws anew: a popover that was just opened closed."""

    def place(**address: str) -> int:
        (found,) = (
            place
            for place, block in open_toy_page(**address).main.children.items()
            if any(
                getattr(part, "label", "") == "Run this for longer"
                for part in getattr(block, "children", {}).values()
            )
        )
        return found

    assert place() == place(n="20") == place(n="abc") == place(n="4", schedule="8")


@pytest.mark.parametrize("preset", HILL_PRESETS, ids=lambda p: p.name)
def test_a_preset_round_trips_through_its_address(preset):
    address = {name: format_value(value) for name, value in preset.changes.items()}
    values, problems = controls.read_address(
        controls.HILL_PAGE, address | {"compare": preset.compare}
    )
    assert problems == []
    assert controls.settings_of_runs(controls.HILL_PAGE, values) == parse_comparison(
        preset.changes, preset.compare
    )


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ({"n": "1e3"}, "n must be a whole number, got '1e3'"),
        ({"n": "257"}, "n must be from 1 to 256, got 257"),
        ({"steps": "5001"}, "steps must be from 1 to 5000, got 5001"),
        ({"sigma": "nan"}, "sigma must be a number, got 'nan'"),
        ({"learn_sigma": "maybe"}, "learn_sigma must be true or false, got 'maybe'"),
        ({"optimizer": "lion"}, "optimizer must be one of sgd"),
        ({"estimator": "magic"}, "estimator must be one of s, sloo"),
        ({"shape": "points:1"}, "a point must look like"),
        ({"schedule": "9", "compare": "off", "n": "8"}, "k = 9 is more than n = 8"),
        ({"compare": "schedule"}, "from 1 to 4 values, got 0"),
        ({"compare": "schedule 1 2 3 4 5"}, "from 1 to 4 values, got 5"),
        ({"compare": "schedule 1 1"}, "must differ"),
        ({"compare": "shape hill"}, "cannot compare by 'shape'"),
        ({"compare": "n 8 512"}, "n must be from 1 to 256, got 512"),
        ({"task": "bandit"}, "'task' is not a setting of this page"),
        ({"n": "256", "steps": "5000"}, "too many for this page"),
    ],
)
def test_a_bad_address_is_explained_and_still_opens(address, problem):
    values, problems = controls.read_address(controls.HILL_PAGE, address)
    assert any(problem in found for found in problems), problems
    controls.settings_of_runs(controls.HILL_PAGE, values)  # what is left of it can run


def test_what_is_compared_need_not_be_possible_for_the_others():
    values, problems = controls.read_address(
        controls.HILL_PAGE, {"n": "4", "compare": "schedule 1 2"}
    )
    assert problems == []
    assert [c.schedule for c in controls.settings_of_runs(controls.HILL_PAGE, values)] == ["1", "2"]


def test_the_page_shows_each_control_s_value_and_the_command():
    page = open_toy_page(n="12", compare="off", schedule="6@0,1@40", steps="90")
    assert page.number_input(key="steps").value == 90
    run = parse_comparison({"n": 12, "schedule": "6@0,1@40", "steps": 90}, "")
    assert page.code[0].value == command_line(run)


def test_a_typed_comparison_is_checked():
    page = open_toy_page()
    page.multiselect(key="_compare_schedule").set_value(["1", "lots"]).run()
    assert "lots" in page.error[0].value
    page.multiselect(key="_compare_schedule").set_value([]).run()
    assert "from 1 to 4 values" in page.error[0].value
    page.multiselect(key="_compare_schedule").set_value(["3", "linear:8->1@50"]).run()
    assert not page.error
    assert page.query_params["compare"] == "schedule 3 linear:8->1@50"


def test_own_points():
    page = open_toy_page()
    page.selectbox(key="_shape").set_value("own").run()
    assert page.query_params["shape"] == controls.OWN_SHAPE
    page.text_input(key="_points").set_value("0,0; 1,2").run()
    assert page.query_params["shape"] == "points:0,0;1,2"
    page.text_input(key="_points").set_value("0,0; 1,-2").run()
    assert "reward from 0 to" in page.error[0].value
    assert not page.exception


def test_reset_takes_everything_back():
    page = open_toy_page(n="24", seed="5")
    page.button[0].click().run()
    assert "--n" not in page.code[0].value
    assert dict(page.query_params) == {}


def test_the_payload_is_compact_and_names_its_content():
    study, styles = controls_study = _study("schedule 1 2 4 8")
    data = player.player_payload(*controls_study)
    assert [run["label"] for run in data["runs"]] == [label for label, _ in styles]
    assert set(data["figures"]) == {"stage", "theta", "value", "gradient"}
    size = sum(len(str(part)) for part in data.values())
    assert size < 1_000_000  # four runs of 300 updates in one message
    again = player.player_payload(*_study("schedule 1 2 4 8"))
    other = player.player_payload(*_study("schedule 1 2 4"))
    assert data["id"] == again["id"] != other["id"]


def _study(compare: str):
    return cached.cached_comparison(parse_comparison({}, compare))


def test_the_toy_page_needs_no_torch():
    code = (
        "import sys; from tests.test_app import open_toy_page; open_toy_page(); "
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)


@pytest.mark.slow
@pytest.mark.parametrize("first", [f for f in controls.COMPARISONS if f])
@pytest.mark.parametrize("second", list(controls.COMPARISONS))
def test_every_change_of_comparison_takes_at_once_and_keeps_what_it_hides(first, second):
    page = open_toy_page(n="24", learning_rate="0.01", estimator="s", seed="4")
    for field in (first, second, "", "schedule"):
        page.selectbox(key="_compare_field").set_value(field).run()
        assert not page.exception
        assert not page.error, (field, page.error[0].value)
        want = f"{field} {controls.HILL_PAGE.first_values[field]}" if field else controls.OFF
        default = want == controls.HILL_PAGE.defaults["compare"]
        address = dict(page.query_params)
        assert address.get("compare") == (None if default else want)
        kept = {name: address[name] for name in ("n", "learning_rate", "estimator", "seed")}
        assert kept == {"n": "24", "learning_rate": "0.01", "estimator": "s", "seed": "4"}


def test_a_second_click_on_a_preset_takes_nothing_back():
    page = open_toy_page()
    page.button_group(key="preset").set_value("Variance hurts").run()
    page.button_group(key="preset").set_value(None).run()
    assert page.query_params["compare"] == "n 8 10 16 64"
    assert page.button_group(key="preset").value == "Variance hurts"


def test_a_parameter_given_twice_is_said():
    page = AppTest.from_file(MAIN, default_timeout=30)
    page.run()
    page.switch_page("app_pages/toy_problem.py")
    page.query_params["n"] = ["8", "24"]
    page.run()
    assert "n is given more than once" in page.warning[0].value.replace("\\", "")
    assert "--n 24" in page.code[0].value


@pytest.mark.parametrize(
    "address",
    [
        {"rewards": "1", "k": "1"},
        {"rewards": "5 5 5", "k": "3"},
        {"rewards": "0 1", "k": "2", "show": "passk_training"},
        {"rewards": "nan", "k": "-1", "show": ""},
        {"rewards": " ".join(["1"] * 33), "k": "٣"},
        {"rewards": "-1 2 " * 16, "k": "16", "show": " ".join(ESTIMATORS)},
    ],
)
def test_the_estimators_page_takes_any_group(address):
    page = AppTest.from_file(MAIN, default_timeout=30)
    page.run()
    page.switch_page("app_pages/estimators.py")
    for name, text in address.items():
        page.query_params[name] = text
    page.run()
    assert not page.exception


# --- The bandit's page ----------------------------------------------------------------------------


def open_bandit_page(**address: str) -> AppTest:
    return open_page("bandit", address)


def test_the_bandit_opens_on_annealing():
    page = open_bandit_page()
    assert page.button_group(key="preset").value == BANDIT_PRESETS[0].name == "Annealing wins both"
    runs = parse_comparison({"task": "bandit"}, "schedule 1 8 8@0,1@150")
    assert controls.settings_of_runs(controls.BANDIT_PAGE, controls.BANDIT_PAGE.defaults) == runs
    assert page.code[0].value == command_line(runs)
    assert dict(page.query_params) == {}
    assert page.selectbox(key="_bandit").value == "trap"
    assert not page.error and not page.warning


@pytest.mark.parametrize("preset", BANDIT_PRESETS, ids=lambda p: p.name)
def test_a_bandit_preset_round_trips_through_its_address(preset):
    page = open_bandit_page()
    if preset is not BANDIT_PRESETS[0]:
        page.button_group(key="preset").set_value(preset.name).run()
    address = dict(page.query_params)
    values, problems = controls.read_address(controls.BANDIT_PAGE, address)
    assert problems == []
    assert controls.settings_of_runs(controls.BANDIT_PAGE, values) == preset.runs("bandit")
    assert page.code[0].value == command_line(preset.runs("bandit"))


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ({"bandit": "casino"}, "bandit must be one of jackpot"),
        ({"bandit": "arms:1"}, "arms must number from 2 to 50, got 1"),
        ({"bandit": "arms:0,1;1"}, "every prompt must have the same arms"),
        ({"bandit": "arms:0,1@1,0"}, "every arm must start with a probability"),
        ({"sharing": "2"}, "sharing must be from 0.0 to 1.0, got 2"),
        ({"theta": "0.5"}, "'theta' is not a setting of this page"),
        ({"shape": "hill"}, "'shape' is not a setting of this page"),
        ({"n": "257"}, "n must be from 1 to 256, got 257"),
        ({"estimator": "passk_training", "bandit": "jackpot"}, "rewards"),
        ({"compare": "bandit trap"}, "cannot compare by 'bandit'"),
        ({"n": "256", "steps": "5000"}, "too many for this page"),
        ({"steps": "2000", "bandit": "crowded"}, "samples and probabilities in all are too many"),
        ({"learning_rate": "1e9"}, "learning_rate must be from"),
    ],
)
def test_a_bad_address_of_the_bandit_is_explained_and_still_opens(address, problem):
    page = open_bandit_page(**address)
    said = [notice.value.replace("\\", "") for notice in (*page.warning, *page.error)]
    assert any(problem in text for text in said), said
    assert page.code[0].value.startswith("python -m pkpo train --task bandit")


def test_own_arms():
    page = open_bandit_page(compare="off")
    page.selectbox(key="_bandit").set_value("own").run()
    assert page.query_params["bandit"] == controls.OWN_BANDIT
    page.text_area(key="_arms").set_value(" 0, 0.5  1 \n\n1 0 0 ;").run()
    page.text_input(key="_start").set_value("").run()
    assert page.query_params["bandit"] == "arms:0,0.5,1;1,0,0"
    assert page.text_area(key="_arms").value == "0 0.5 1\n1 0 0"
    page.number_input(key="sharing").set_value(0.25).run()
    assert page.query_params["sharing"] == "0.25"
    page.text_input(key="_start").set_value("2 1,1").run()
    assert page.query_params["bandit"] == "arms:0,0.5,1;1,0,0@2,1,1"
    assert not page.error and not page.exception


@pytest.mark.parametrize(
    ("arms", "start", "problem"),
    [
        ("", "", "a reward must be a number, got ''"),
        ("1", "", "arms must number from 2 to 50, got 1"),
        ("0 x 1", "", "a reward must be a number, got 'x'"),
        ("0 1\n1", "", "every prompt must have the same arms"),
        ("0 1", "1", "give one probability per arm, got 1 for 2"),
        ("0 1", "1 -1", "at least 1e-9, got -1"),
    ],
)
def test_bad_arms_are_explained_beside_their_control(arms, start, problem):
    page = open_bandit_page(bandit=controls.OWN_BANDIT)
    page.text_area(key="_arms").set_value(arms).run()
    page.text_input(key="_start").set_value(start).run()
    assert not page.exception
    assert problem in page.error[0].value.replace("\\", "")
    assert "cannot run" in page.info[0].value
    page.text_area(key="_arms").set_value("0 1").run()
    page.text_input(key="_start").set_value("3 1").run()
    assert not page.error
    assert page.query_params["bandit"] == "arms:0,1@3,1"


def test_estimators_for_binary_rewards_are_offered_where_they_are():
    options = open_bandit_page(compare="off").selectbox(key="estimator").options
    assert ESTIMATORS["passk_training"].label not in options
    options = open_bandit_page(compare="off", bandit="hard").selectbox(key="estimator").options
    assert ESTIMATORS["passk_training"].label in options and len(options) == len(ESTIMATORS)


@pytest.mark.parametrize("field", [f for f in controls.COMPARISONS if f])
def test_every_comparison_of_the_bandit_runs(field):
    page = open_bandit_page(seed="2")
    page.selectbox(key="_compare_field").set_value(field).run()
    assert not page.error and not page.exception
    if field != "schedule":
        want = f"{field} {controls.BANDIT_PAGE.first_values[field]}"
        assert page.query_params["compare"] == want
    assert page.query_params["seed"] == "2"


def go_to(page: AppTest, name: str) -> None:
    """As a link of the navigation does, which drops the address."""
    page.switch_page(f"app_pages/{name}.py")
    page.query_params.clear()
    page.run()
    assert not page.exception


def test_each_page_keeps_its_own_settings():
    page = open_toy_page(n="24", steps="90", compare="off", schedule="3@0,2@9")
    go_to(page, "bandit")
    assert page.number_input(key="steps").value == 300
    page.number_input(key="steps").set_value(120).run()
    bandits = page.code[0].value
    assert "--task bandit --steps 120" in bandits
    go_to(page, "toy_problem")
    assert page.number_input(key="steps").value == 90
    assert page.selectbox(key="_compare_field").value == ""
    assert "--n 24 --schedule 3@0,2@9" in page.code[0].value
    assert dict(page.query_params) == {}  # until the browser says that it shows this page's path
    go_to(page, "bandit")
    assert page.code[0].value == bandits
    assert page.number_input(key="steps").value == 120
    page.number_input(key="steps").set_value(130).run()
    assert "--steps 130" in page.code[0].value


def test_the_bandit_s_payload_is_compact():
    small = player.player_payload(*cached.cached_comparison(BANDIT_PRESETS[0].runs("bandit")))
    assert set(small["figures"]) == {"stage", "best", "value", "entropy", "groups"}
    size = len(json.dumps(small))
    assert size < 1_000_000, size
    longest = parse_comparison(
        {"task": "bandit", "bandit": "hard", "steps": 4900, "n": 2}, "schedule 1 2"
    )
    data = player.player_payload(*cached.cached_comparison(longest))
    assert len(json.dumps(data)) < 6_000_000
    curve = len(base64.b64decode(data["runs"][0]["columns"]["curve"])) / 4
    assert curve == 64 * 400


@pytest.mark.parametrize("seed", ["4294967295", "-3", "x", "1e9"])
def test_the_figures_page_refuses_a_bad_seed(seed, monkeypatch):
    monkeypatch.setattr(
        paper_figure_view, "show_paper_figure", lambda *_: None
    )  # what it computes is none of ours
    page = AppTest.from_file(MAIN, default_timeout=30)
    page.run()
    page.switch_page("app_pages/paper_figures.py")
    page.query_params["seed"] = seed
    page.run()
    assert not page.exception
    assert "seed must be" in page.warning[0].value
    assert page.number_input[0].value == 0


def test_the_estimators_page_takes_names_with_a_parameter():
    names = "lstat:min lstat:0/0/1 rs_grpo:4 dial:0.3"
    page = open_page("estimators", {"show": names})
    assert not page.error and not page.warning
    assert page.multiselect[0].value == names.split()
    for bad, problem in (("lstat:bogus", "rank weights must be one of"), ("lstat", "")):
        page = open_page("estimators", {"show": bad})
        assert len(page.error) == bool(problem)
        assert all(problem in box.value.replace("\\", "") for box in page.error)
    page = open_page("estimators", {"show": " ".join(f"dial:{i}" for i in range(25))})
    assert "choose at most 24 estimators, got 25" in page.error[0].value
