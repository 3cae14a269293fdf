"""Bounded caches around the library, shared by everybody who has the app open."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from app import player
from pkpo import figures, paper, studies
from pkpo.config import BanditConfig, HillConfig, RunConfig

Styles = list[tuple[str, str]]


@lru_cache(maxsize=64)
def toy_study(configs: tuple[RunConfig, ...]) -> tuple[studies.ToyStudy, Styles]:
    """`pkpo.studies.toy_study`, with each run's label and colour; read-only."""
    return studies.toy_study(configs), figures.run_styles(configs)


@lru_cache(maxsize=64)
def bandit_study(configs: tuple[RunConfig, ...]) -> tuple[studies.BanditStudy, Styles]:
    """`pkpo.studies.bandit_study`, with each run's label and colour; read-only."""
    return studies.bandit_study(configs), figures.run_styles(configs)


STUDIES: dict[str, Callable[[tuple[RunConfig, ...]], tuple[Any, Styles]]] = {
    HillConfig.task: toy_study,
    BanditConfig.task: bandit_study,
}
"""The study of each task."""


@lru_cache(maxsize=64)
def recorded(configs: tuple[RunConfig, ...], panels: tuple[str, ...] = ()) -> dict[str, Any]:
    """What `player.play` sends to the browser of these runs; read-only."""
    return player.payload(*STUDIES[configs[0].task](configs), panels)


@lru_cache(maxsize=64)
def paper_figure(key: str, seed: int) -> paper.Result:
    """A recipe of `pkpo.paper`, carried out; read-only."""
    return paper.RECIPES[key].run(seed)
