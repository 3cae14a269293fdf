"""The controls, by page. Nothing else knows widget keys."""

from app.controls.problem_address import (
    OFF,
    url_arrived,
    as_long_run,
    read_address,
    settings_of_runs,
    sync_from_url,
    is_url_behind,
)
from app.controls.bandit import BANDIT_PAGE, OWN_BANDIT
from app.controls.estimators import choose_one, drag_rewards, group_controls
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
from app.controls.language_model import (
    OWN_RUNS,
    language_address,
    language_after,
    language_choice,
    language_experiment,
    language_filters,
    language_prompt,
    language_question,
    language_runs_address,
    language_settings,
    language_update,
    language_view,
    language_weights,
    set_language,
)
from app.controls.language_form import language_form, language_presets
from app.controls.problem_spec import COMPARISONS, ProblemPage
from app.controls.seed import read_seed, seed_input
from app.controls.sidebar import show_notices, preset_pills, read_results, show_sidebar
from app.controls.markdown import code_text, plain_text, problem_text
from app.controls.gaussian_hill import OWN_SHAPE, HILL_PAGE

__all__ = [
    "BANDIT",
    "COMPARISONS",
    "OFF",
    "OWN",
    "OWN_BANDIT",
    "OWN_SHAPE",
    "TOY",
    "Page",
    "arrived",
    "as_long_run",
    "choice",
    "code",
    "drag_rewards",
    "group",
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
    "language_choice",
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
    "notices",
    "plain",
    "problem_text",
    "preset_pills",
    "read",
    "read_address",
    "seed",
    "seed_input",
    "set_language",
    "settings",
    "sidebar",
    "sync_from_url",
    "waiting",
]
