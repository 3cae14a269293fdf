"""Bounded caches around the library, shared by everybody who has the app open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from app import player
from pkpo import figures, analysis, paper, studies
from pkpo.config import BanditConfig, HillConfig, RunConfig, WordProblemsConfig
from pkpo.lm import measured
from pkpo.runs import checkpoint

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


@lru_cache(maxsize=64)
def winner_map(settings: analysis.LabSettings, axis: str) -> analysis.WinnerMap:
    """`pkpo.analysis.winner_map`; read-only."""
    return analysis.winner_map(settings, axis)


@lru_cache(maxsize=32)
def lab_curves(settings: analysis.LabSettings, axis: str, names: tuple[str, ...]) -> list[analysis.Point]:
    """`pkpo.analysis.curves`; read-only."""
    return analysis.curves(settings, axis, names)


@lru_cache(maxsize=64)
def best_dials(settings: analysis.LabSettings, axis: str) -> tuple[Any, list[analysis.Dial]]:
    """`pkpo.analysis.best_dials`; read-only."""
    return analysis.best_dials(settings, axis)


@lru_cache(maxsize=1)
def explanation() -> analysis.Explanation:
    """`pkpo.analysis.explain`; read-only."""
    return analysis.explain()


@lru_cache(maxsize=16)
def problem_sets(config: WordProblemsConfig) -> Any:
    """`pkpo.lm.measured.problem_sets`; read-only."""
    return measured.problem_sets(config)


def newest_file(folder: Path) -> Path | None:
    """`pkpo.runs.checkpoint.newest_file`, which reads files whole: once for the same ones."""
    return _newest_file(folder, tuple(checkpoint.saved(folder)))


@lru_cache(maxsize=64)
def _newest_file(folder: Path, files: tuple[Path, ...]) -> Path | None:
    return checkpoint.newest_file(folder)
