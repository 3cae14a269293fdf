"""Bounded caches around the library, shared by everybody who has the app open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from app import player
from pkpo import figures, paper, studies
from pkpo.config import BanditConfig, HillConfig, RunConfig

Styles = list[tuple[str, str]]


STUDIES: dict[str, Callable[[Sequence[RunConfig]], Any]] = {
    HillConfig.task: studies.toy_study,
    BanditConfig.task: studies.bandit_study,
}
"""The study of each task."""


@lru_cache(maxsize=64)
def study(configs: tuple[RunConfig, ...]) -> tuple[Any, Styles]:
    """The study of these runs, with each run's label and colour; read-only."""
    return STUDIES[configs[0].task](configs), figures.run_styles(configs)


@lru_cache(maxsize=64)
def recorded(configs: tuple[RunConfig, ...], panels: tuple[str, ...] = ()) -> dict[str, Any]:
    """What `player.play` sends to the browser of these runs; read-only."""
    return player.payload(*study(configs), panels)


@lru_cache(maxsize=64)
def paper_figure(key: str, seed: int) -> paper.Result:
    """A recipe of `pkpo.paper`, carried out; read-only."""
    return paper.RECIPES[key].run(seed)
