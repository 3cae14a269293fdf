"""The controls, by page. Nothing else knows widget keys."""

from app.controls.address import (
    DEFAULTS,
    OFF,
    SUGGESTIONS,
    read_address,
    settings,
    sync_from_url,
)
from app.controls.group import choice, drag_rewards, group
from app.controls.lab import (
    lab_alpha,
    lab_axis,
    lab_estimators,
    lab_measure,
    lab_point,
    lab_settings,
    lab_view,
)
from app.controls.seed import seed, seed_input
from app.controls.text import plain
from app.controls.toy import (
    COMPARISONS,
    FIRST_VALUES,
    OWN_SHAPE,
    notices,
    preset_pills,
    read,
    sidebar,
)

__all__ = [
    "COMPARISONS",
    "DEFAULTS",
    "FIRST_VALUES",
    "OFF",
    "OWN_SHAPE",
    "SUGGESTIONS",
    "choice",
    "drag_rewards",
    "group",
    "lab_alpha",
    "lab_axis",
    "lab_estimators",
    "lab_measure",
    "lab_point",
    "lab_settings",
    "lab_view",
    "notices",
    "plain",
    "preset_pills",
    "read",
    "read_address",
    "seed",
    "seed_input",
    "settings",
    "sidebar",
    "sync_from_url",
]
