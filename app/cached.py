"""Bounded caches around the library, shared by everybody who has the app open."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from app import player
from pkpo import figures, paper, studies
from pkpo.config import RunConfig

Styles = list[tuple[str, str]]


@lru_cache(maxsize=64)
def toy_study(configs: tuple[RunConfig, ...]) -> tuple[studies.ToyStudy, Styles]:
    """`pkpo.studies.toy_study`, with each run's label and colour; read-only."""
    return studies.toy_study(configs), figures.run_styles(configs)


@lru_cache(maxsize=64)
def toy_player(
    configs: tuple[RunConfig, ...], panels: tuple[str, ...] = player.PANELS
) -> dict[str, Any]:
    """What `player.play` sends to the browser; read-only."""
    return player.payload(*toy_study(configs), panels)


@lru_cache(maxsize=64)
def paper_figure(key: str, seed: int) -> paper.Result:
    """A recipe of `pkpo.paper`, carried out; read-only."""
    return paper.RECIPES[key].run(seed)
