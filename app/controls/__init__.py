"""The controls, by page. Nothing else knows widget keys."""

from app.controls.address import OFF, read_address, settings, sync_from_url
from app.controls.bandit import BANDIT, OWN_BANDIT
from app.controls.group import choice, group
from app.controls.page import COMPARISONS, Page
from app.controls.seed import seed, seed_input
from app.controls.sidebar import notices, preset_pills, read, sidebar
from app.controls.text import plain
from app.controls.toy import OWN_SHAPE, TOY

__all__ = [
    "BANDIT",
    "COMPARISONS",
    "OFF",
    "OWN_BANDIT",
    "OWN_SHAPE",
    "TOY",
    "Page",
    "choice",
    "group",
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
