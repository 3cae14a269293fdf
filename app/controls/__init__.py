"""The controls, by page. Nothing else knows widget keys."""

from app.controls.address import (
    OFF,
    arrived,
    as_long_run,
    read_address,
    settings,
    sync_from_url,
    waiting,
)
from app.controls.bandit import BANDIT, OWN_BANDIT
from app.controls.group import choice, drag_rewards, group
from app.controls.lab import (
    lab_alpha,
    lab_axis,
    lab_estimators,
    lab_measure,
    lab_point,
    lab_settings,
    lab_total,
    lab_view,
)
from app.controls.language import (
    OWN,
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
from app.controls.page import COMPARISONS, Page
from app.controls.seed import seed, seed_input
from app.controls.sidebar import notices, preset_pills, read, sidebar
from app.controls.text import code, plain, problem_text
from app.controls.toy import OWN_SHAPE, TOY

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
