"""What a recipe is: data, the figure's table, and the claims that the paper draws from it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

Table = dict[str, list]
Progress = Callable[[float], object]
"""Is told the share that is done, now and then."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that is said of a figure, mostly by the paper."""

    text: str
    measured: str
    required: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Grid:
    """A table in the paper's layout: means and standard errors, a row per method."""

    key: str
    """Its files' name."""
    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    means: np.ndarray
    """`[R, C]`; nan where there is nothing."""
    errors: np.ndarray
    """`[R, C]`"""
    lowest: bool = False
    """Whether less is better."""

    @property
    def best(self) -> np.ndarray:
        """`[R, C]`: the best of each column, and what lies within its standard error."""
        scores = -self.means if self.lowest else self.means
        top = np.nanargmax(scores, axis=0)
        columns = np.arange(len(self.columns))
        return scores >= scores[top, columns] - self.errors[top, columns]


@dataclass(frozen=True, slots=True)
class FigureResult:
    """A recipe carried out."""

    key: str
    origin: str
    """What it was made from, in words."""
    seconds: float
    table: Table
    """Columns by name, all of one length: the figure's CSV."""
    claims: tuple[Claim, ...]
    grids: tuple[Grid, ...] = ()

    @property
    def held(self) -> int:
        """How many of its claims hold."""
        return sum(claim.passed for claim in self.claims)


class Source(Protocol):
    """Data that take long to compute: what was found once ships, and can be found again."""

    def recorded(self) -> Any:
        """What ships.

        Raises:
          ValueError: it is not there, or is damaged.
        """

    def afresh(self, seed: int, progress: Progress) -> Any:
        """Compute it all anew, on other random numbers with another seed.

        Raises:
          ValueError: it cannot be done; the message says why.
        """

    def origin(self, data: Any) -> str:
        """When, on what and with which seeds it was computed."""


@dataclass(frozen=True, slots=True)
class FigureRecipe:
    """A figure of the paper: what it shows, with which parameters."""

    key: str
    title: str
    message: str
    parameters: dict[str, Any]
    make: Callable[[Any], tuple[Table, list[Claim]]]
    """Of the source's data; without a source, of a seed."""
    random: bool = True
    """Whether the seed changes anything."""
    source: Source | None = None
    tabulate: Callable[[Any], tuple[Grid, ...]] | None = None
    """The tables beside the figure, if any, from the same."""

    def run(
        self, seed: int = 0, afresh: bool = False, progress: Progress = lambda _: None
    ) -> FigureResult:
        """Compute the table and check the claims.

        Args:
          seed: of the random numbers; what ships has its own.
          afresh: compute the source's data anew instead of reading what ships.
          progress: see `Progress`; of the source.

        Raises:
          ValueError: a negative seed, or the source refuses.
        """
        if seed < 0:
            raise ValueError(f"seed must be >= 0, got {seed}")
        start = time.perf_counter()
        if self.source is None:
            data: Any = seed
            origin = f"seed {seed}" if self.random else "exact: no seed"
        else:
            data = self.source.afresh(seed, progress) if afresh else self.source.recorded()
            origin = self.source.origin(data)
        table, claims = self.make(data)
        grids = self.tabulate(data) if self.tabulate else ()
        seconds = time.perf_counter() - start
        return FigureResult(self.key, origin, seconds, table, tuple(claims), grids)
