"""The controls, by page. Nothing else knows widget keys."""

from app.controls.assignment import choose_kept_controls, describe_assignment
from app.controls.bandit import BANDIT_PAGE, OWN_BANDIT
from app.controls.estimators import (
    choose_one,
    drag_rewards,
    estimators_view,
    group_controls,
    read_group,
)
from app.controls.gaussian_hill import HILL_PAGE, OWN_SHAPE
from app.controls.language_form import language_form, language_presets
from app.controls.language_page import (
    OWN_RUNS,
    language_address,
    language_runs_address,
    language_settings,
    set_language,
)
from app.controls.language_widgets import (
    language_after,
    language_beside,
    language_choice,
    language_deal,
    language_experiment,
    language_filters,
    language_prompt,
    language_question,
    language_update,
    language_view,
    language_weights,
)
from app.controls.markdown import code_text, plain_text, problem_text
from app.controls.player_settings import player_controls, shown_controls, take_settings
from app.controls.problem_address import (
    OFF,
    as_long_run,
    is_url_behind,
    player_view,
    read_address,
    settings_of_runs,
    sync_from_url,
    url_arrived,
)
from app.controls.problem_spec import COMPARISONS, ProblemPage
from app.controls.seed import read_seed, seed_input
from app.controls.sidebar import compute_results, preset_pills, show_notices, show_sidebar
from app.controls.variance_lab import (
    lab_alpha,
    lab_axis,
    lab_estimators,
    lab_measure,
    lab_point,
    lab_settings,
    lab_total,
    lab_view,
)

__all__ = [
    "BANDIT_PAGE",
    "COMPARISONS",
    "HILL_PAGE",
    "OFF",
    "OWN_BANDIT",
    "OWN_RUNS",
    "OWN_SHAPE",
    "ProblemPage",
    "as_long_run",
    "choose_kept_controls",
    "describe_assignment",
    "choose_one",
    "code_text",
    "drag_rewards",
    "estimators_view",
    "group_controls",
    "is_url_behind",
    "lab_alpha",
    "lab_axis",
    "lab_estimators",
    "lab_measure",
    "lab_point",
    "lab_settings",
    "lab_total",
    "lab_view",
    "language_address",
    "language_after",
    "language_beside",
    "language_choice",
    "language_deal",
    "language_experiment",
    "language_filters",
    "language_form",
    "language_presets",
    "language_prompt",
    "language_question",
    "language_runs_address",
    "language_settings",
    "language_update",
    "language_view",
    "language_weights",
    "plain_text",
    "player_controls",
    "player_view",
    "preset_pills",
    "problem_text",
    "read_address",
    "compute_results",
    "read_group",
    "read_seed",
    "seed_input",
    "set_language",
    "settings_of_runs",
    "show_notices",
    "show_sidebar",
    "shown_controls",
    "sync_from_url",
    "take_settings",
    "url_arrived",
]
