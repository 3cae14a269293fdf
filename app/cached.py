"""Bounded caches around the library, shared by everybody who has the app open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from app.components import player
from app.recordings import RunCache
from pkpo import analysis, comparisons, figures, paper
from pkpo.analysis.trainer_clinic import TrainerSettings
from pkpo.config import RunConfig
from pkpo.figures.style import Styles
from pkpo.lm.problem_sets import load_problem_sets
from pkpo.runs import checkpoint
from pkpo.training.recording import RecordRuns
from pkpo.training.tasks.bandit import BanditConfig
from pkpo.training.tasks.gaussian_hill import HillConfig
from pkpo.training.tasks.word_problems import WordProblemsConfig

RECORDINGS = RunCache(128)
"""The runs of all studies."""
COMPARE_BY_TASK: dict[str, Callable[[Sequence[RunConfig], RecordRuns], Any]] = {
    HillConfig.task: comparisons.compare_hills,
    BanditConfig.task: comparisons.compare_bandits,
}
"""The study of each task."""


@lru_cache(maxsize=64)
def cached_comparison(configs: tuple[RunConfig, ...]) -> tuple[Any, Styles]:
    """The study of these runs, with each run's label and colour; read-only."""
    return COMPARE_BY_TASK[configs[0].task](configs, RECORDINGS.record), figures.run_styles(configs)


@lru_cache(maxsize=64)
def cached_playback(configs: tuple[RunConfig, ...], panels: tuple[str, ...] = ()) -> dict[str, Any]:
    """What `player.play` sends to the browser of these runs; read-only."""
    return player.player_payload(*cached_comparison(configs), panels)


@lru_cache(maxsize=64)
def cached_paper_figure(key: str, seed: int) -> paper.FigureResult:
    """A recipe of `pkpo.paper`, carried out; read-only."""
    return paper.RECIPES[key].run(seed)


@lru_cache(maxsize=64)
def cached_winner_map(settings: analysis.AnalysisSettings, axis: str) -> analysis.WinnerMap:
    """`pkpo.analysis.compute_winner_map`; read-only."""
    return analysis.compute_winner_map(settings, axis)


@lru_cache(maxsize=32)
def cached_curves(
    settings: analysis.AnalysisSettings, axis: str, names: tuple[str, ...]
) -> list[analysis.CurvePoint]:
    """`pkpo.analysis.moments_along`; read-only."""
    return analysis.moments_along(settings, axis, names)


@lru_cache(maxsize=64)
def cached_dial_variance(
    settings: analysis.AnalysisSettings, axis: str
) -> tuple[Any, list[analysis.DialVariance]]:
    """`pkpo.analysis.dial_variance_along`; read-only."""
    return analysis.dial_variance_along(settings, axis)


@lru_cache(maxsize=64)
def cached_rate_weights(n: int, k: int) -> list[analysis.RateWeight]:
    """`pkpo.analysis.rate_weights`; read-only."""
    return analysis.rate_weights(n, k)


@lru_cache(maxsize=64)
def cached_direction(settings: TrainerSettings, n: int, k: int) -> list[analysis.ExpectedDirection]:
    """`pkpo.analysis.expected_directions` of a trainer on graded prompts; read-only."""
    return analysis.expected_directions(n, k, [settings], analysis.GRADED_PROMPTS)


@lru_cache(maxsize=1)
def cached_explanation() -> analysis.WinnerExplanation:
    """`pkpo.analysis.explain_winner`; read-only."""
    return analysis.explain_winner()


@lru_cache(maxsize=16)
def cached_problem_sets(config: WordProblemsConfig) -> Any:
    """`pkpo.lm.problem_sets.load_problem_sets`; read-only."""
    return load_problem_sets(config)


def cached_newest_file(folder: Path) -> Path | None:
    """`pkpo.runs.checkpoint.newest_file`, which reads files whole: once for the same ones."""
    return _newest_file(folder, tuple(checkpoint.saved(folder)))


@lru_cache(maxsize=64)
def _newest_file(folder: Path, files: tuple[Path, ...]) -> Path | None:
    return checkpoint.newest_file(folder)
