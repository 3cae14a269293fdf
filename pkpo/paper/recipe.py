"""What a recipe is: data, the figure's table, and the claims that the paper draws from it."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from pkpo.extras import missing
from pkpo.intervals import CONFIDENCE, Difference, mean_and_error

Table = dict[str, list]
"""Columns by name, all of one length."""
Progress = Callable[[float], object]
"""Is told the share that is done, now and then."""


Kind = Literal["paper", "check", "own"]
KINDS: dict[Kind, str] = {
    "paper": "The paper's claims",
    "check": "Checks of what is computed here",
    "own": "Our own questions",
}
"""Who says it, in words."""
VERDICTS: dict[bool | None, str] = {True: "holds", False: "fails", None: "undecided"}


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that is said of a figure, mostly by the paper."""

    text: str
    measured: str
    required: str
    passed: bool | None
    """None: undecided, the data are too few to tell."""
    kind: Kind | None = None
    """None: that of its recipe."""

    @property
    def verdict(self) -> str:
        """A value of `VERDICTS`."""
        return VERDICTS[self.passed]


def make_table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A table of rows, at least one."""
    return dict(zip(heads, map(list, zip(*rows, strict=True)), strict=True))


def all_hold(verdicts: Iterable[bool | None]) -> bool | None:
    """The verdict on several things said at once: one that fails decides, one undecided leaves it so."""
    found = set(verdicts)
    return False if False in found else None if None in found else True


def any_holds(verdicts: Iterable[bool | None]) -> bool | None:
    """The verdict that at least one of several things holds."""
    found = set(verdicts)
    return True if True in found else None if None in found else False


def count_verdicts(claims: Iterable[Claim]) -> dict[str, int]:
    """How many claims have each verdict, in the order of `VERDICTS`."""
    found = [claim.verdict for claim in claims]
    return {verdict: found.count(verdict) for verdict in VERDICTS.values()}


BEST_IN_WORDS = (
    f"the best of a column, and what is not surely worse: the {CONFIDENCE:.0%} interval of its paired "
    "difference from the best, by Student's t, reaches 0"
)
"""What is marked in a table."""
LOWEST_RATIO_IN_WORDS = (
    f"the lowest of a column, and what is not surely higher: the {CONFIDENCE:.0%} interval of the "
    "paired difference of their logarithms, by Student's t, reaches 0"
)
"""What is marked in a table of ratios."""


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
    best: np.ndarray
    """`[R, C]`, boolean: the best of each column, and what is not surely worse."""
    best_in_words: str = BEST_IN_WORDS
    """What that is."""

    @classmethod
    def from_samples(
        cls,
        key: str,
        title: str,
        rows: Iterable[str],
        columns: Iterable[str],
        samples: Sequence[Sequence[np.ndarray | None]],
        ratios: bool = False,
    ) -> Grid:
        """A table of the means of samples.

        Args:
          key: as the table's, as are the next three.
          title: likewise.
          rows: likewise.
          columns: likewise.
          samples: `[R][C]`, each what `mean_and_error` takes, paired within a column; None where there
            is nothing.
          ratios: whether the means are positive ratios of which less is better. They are compared by
            their logarithms (linearised): the interval of a large ratio of few prompts reaches far, but
            mostly upwards.
        """
        found = np.array(
            [[(np.nan, np.nan) if x is None else mean_and_error(x) for x in row] for row in samples]
        )
        means = found[..., 0]
        best = np.zeros(means.shape, bool)
        for column, top in enumerate(np.nanargmax(-means if ratios else means, axis=0)):
            scores = {
                row: 1 - np.log(x.mean()) - x / x.mean() if ratios else x
                for row, own in enumerate(samples)
                if (x := own[column]) is not None
            }
            for row, score in scores.items():
                ahead = Difference.from_samples(scores[int(top)] - score)
                best[row, column] = ahead.standing != "above"
        words = LOWEST_RATIO_IN_WORDS if ratios else BEST_IN_WORDS
        return cls(key, title, tuple(rows), tuple(columns), means, found[..., 1], best, words)


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
    seed: int | None = None
    """What it was computed from, if that is all; else `origin` names the seeds."""


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
class ShippedStudy:
    """A source that ships as one file, compressed JSON, and is computed anew by one function."""

    path: Path
    what: str
    """It holds, in the plural."""
    compute: Callable[[int, Progress], Any]
    """As `Source.afresh`; may raise ModuleNotFoundError."""
    describe: Callable[[Any], str]
    """Of what the data are; when and how long they were computed is added."""

    def recorded(self) -> Any:
        """See `Source`."""
        try:
            return json.loads(gzip.decompress(self.path.read_bytes()))
        except (OSError, EOFError, ValueError) as reason:
            why = getattr(reason, "strerror", None) or reason
            raise ValueError(
                f"the recorded {self.what} cannot be read: {self.path.name}: {why}"
            ) from None

    def afresh(self, seed: int, progress: Progress) -> Any:
        """See `Source`."""
        try:
            return self.compute(seed, progress)
        except ModuleNotFoundError as reason:
            raise missing(f"computing the {self.what} anew", reason) from None

    def origin(self, data: Any) -> str:
        """See `Source`."""
        day = time.strftime("%Y-%m-%d", time.gmtime(data["finished"]))
        took = f"{data['seconds'] / 60:.0f} minutes of one core"
        return f"{self.describe(data)}; computed on {day} in {took}"


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
    kind: Kind = "paper"
    """Of its claims, but for those that say otherwise."""
    caveat: str = ""
    """Why claims may fail, as far as known."""
    errors_over: str = ""
    """What the drawn standard errors are over; empty: none is drawn."""

    @property
    def errors_in_words(self) -> str:
        """What is drawn around the means, and what claims rest on instead."""
        if not self.errors_over:
            return ""
        return (
            f"Bands and bars: ± one standard error over {self.errors_over}. Claims rest on "
            f"{CONFIDENCE:.0%} intervals by Student's t instead, those of paired differences where "
            "methods are compared."
        )

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
        tagged = tuple(replace(claim, kind=claim.kind or self.kind) for claim in claims)
        own_seed = seed if self.source is None and self.random else None
        return FigureResult(self.key, origin, seconds, table, tagged, grids, own_seed)
