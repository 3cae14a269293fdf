"""Schedules: k as a function of the update.

A schedule is a list of pieces. Its text form is what the URL, the command line, the store and the
page use, and it parses and prints losslessly:

    8                          k = 8 throughout
    8@0,1@1500                 k = 8, then 1 from update 1500 on (arXiv:2505.15201, Figure 3)
    linear:8->1@1500           from 8 at update 0 down to 1 at update 1500, then 1
    cosine:8->1@100..500       8 until update 100, 1 from update 500 on, half a cosine between
    exponential:16->1@300      a constant factor per update
    1@0,linear:1->8@50..100,4@200    pieces follow one another
    linear:8->1@200,4@120      a ramp that is cut short: k = 4 from update 120 on

Updates are counted from 0. A ramp is rounded to whole k, halves up. Nothing is clamped: an
impossible schedule is refused with the reason.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

K_LIMIT = 1_000_000  # the largest group that the estimators are built for
UPDATE_LIMIT = 1_000_000_000
PIECE_LIMIT = 100
K_STOPS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256)
"""The k at which a slider stops: every small one, then ever fewer."""

RAMPS: dict[str, Callable[[float, float, np.ndarray], np.ndarray]] = {
    "linear": lambda a, b, t: a + (b - a) * t,
    "cosine": lambda a, b, t: a + (b - a) * (1 - np.cos(math.pi * t)) / 2,
    "exponential": lambda a, b, t: a * (b / a) ** t,
}
"""Ramp shapes: (first k, last k, share of the ramp done in 0..1) -> k before rounding."""

_CONSTANT_FORM = re.compile(r"(\d{1,12})(?:@(\d{1,12}))?", re.ASCII)
_RAMP_FORM = re.compile(r"([a-z]+):(\d{1,12})->(\d{1,12})@(?:(\d{1,12})\.\.)?(\d{1,12})", re.ASCII)
FORMS = "'8', '8@0,1@1500', 'linear:8->1@1500' or 'cosine:8->1@100..500'"


def register_ramp(name: str, shape: Callable[[float, float, np.ndarray], np.ndarray]) -> None:
    """Add a shape of ramps: texts such as "NAME:8->1@100" and the pages' controls then know it.

    Args:
      name: small letters.
      shape: as in `RAMPS`: (first k, last k, share of the ramp done in 0..1) -> k before rounding.

    Raises:
      ValueError: the name is taken or not in small letters.
    """
    if name in RAMPS:
        raise ValueError(f"name must be new, got {name!r}, which is registered")
    if not re.fullmatch("[a-z]+", name):
        raise ValueError(f"name must be of small letters, got {name!r}")
    RAMPS[name] = shape


@dataclass(frozen=True, slots=True)
class Piece:
    """One stretch of a schedule: from k `first` at update `start` to k `last` at update `end`.

    A constant piece has `shape` None and `first == last`, `start == end`; it holds, as a ramp's last
    value does, until the next piece starts.
    """

    first: int
    last: int
    start: int
    end: int
    shape: str | None = None

    def __str__(self) -> str:
        """The piece in the text form, with its start always given."""
        if self.shape is None:
            return f"{self.first}@{self.start}"
        span = f"{self.start}..{self.end}" if self.start else f"{self.end}"
        return f"{self.shape}:{self.first}->{self.last}@{span}"

    def values(self, updates: np.ndarray) -> np.ndarray:
        """K at each of `updates` (all >= start), as whole numbers."""
        if self.shape is None:
            return np.full(updates.shape, self.first)
        t = np.minimum((updates - self.start) / (self.end - self.start), 1.0)
        exact = RAMPS[self.shape](self.first, self.last, t)
        return np.floor(exact + 0.5 + 1e-9).astype(int)  # halves up, whatever the last bit says


class ChecksK(Protocol):
    """What knows which k it allows, as `pkpo.Estimator` does."""

    def check(self, n: int, k: int) -> None:
        """Raise a ValueError for an n and k that it does not allow."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """K as a function of the update: call it with an update, or use `values` for many.

    Raises:
      ValueError: pieces that do not start at 0 or follow one another, or hold an impossible k or update.
    """

    pieces: tuple[Piece, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.pieces) <= PIECE_LIMIT:
            raise ValueError(
                f"schedule must have from 1 to {PIECE_LIMIT} pieces, got {len(self.pieces)}"
            )
        for piece in self.pieces:
            _check_piece(piece)
        first = self.pieces[0]
        if first.shape is None and first.start != 0:
            raise ValueError(f"schedule must start at update 0, got '{first}' as its first piece")
        for before, piece in itertools.pairwise(self.pieces):
            # A piece may begin while the ramp before it is going, which then ends there.
            if piece.start <= before.start:
                raise ValueError(
                    f"schedule: update numbers must increase, got '{piece}' after '{before}'"
                )

    def __call__(self, update: int) -> int:
        """K at one update (>= 0)."""
        return int(self.values(np.asarray(update)))

    def __str__(self) -> str:
        """The text form; `parse` gives the same schedule back."""
        if len(self.pieces) == 1 and self.pieces[0].shape is None:
            return str(self.pieces[0].first)
        return ",".join(map(str, self.pieces))

    def values(self, updates: np.ndarray) -> np.ndarray:
        """K at each of `updates` (whole numbers >= 0), an integer array of the same shape."""
        updates = np.asarray(updates)
        if np.any(updates < 0):
            raise ValueError(f"update must be >= 0, got {updates.min()}")
        k = np.full(updates.shape, self.pieces[0].first)
        for piece in self.pieces:
            k = np.where(updates >= piece.start, piece.values(np.maximum(updates, piece.start)), k)
        return k

    def describe(self) -> str:
        """The schedule in words: "k = 8", "k = 8, then 1 from update 160".

        Of a ramp that the next piece cuts short, how far it came.
        """
        cuts = [*(piece.start - 1 for piece in self.pieces[1:]), math.inf]
        words = []
        for piece, cut in zip(self.pieces, cuts, strict=True):
            said = f"{piece.first}"
            if piece.shape is not None:
                last = int(min(piece.end, cut))
                said += f" → {self(last)} ({piece.shape}) by update {last}"
            words.append(said + f" from update {piece.start}" * (piece is not self.pieces[0]))
        return "k = " + ", then ".join(words)

    @property
    def largest(self) -> int:
        """The largest k that the schedule ever reaches."""
        return max(max(piece.first, piece.last) for piece in self.pieces)

    @property
    def is_constant(self) -> bool:
        """One k for all updates."""
        return len(self.pieces) == 1 and self.pieces[0].shape is None

    def check(self, n: int, updates: int, estimator: ChecksK) -> None:
        """Refuse a schedule that a group of n, or an estimator, cannot serve.

        Args:
          n: samples per group.
          updates: the run's length; every k at updates 0..updates must be allowed.
          estimator: a `pkpo.Estimator`, which knows the k it allows.

        Raises:
          ValueError: naming the update, the k and what is allowed.
        """
        if self.largest > n:
            raise ValueError(
                f"schedule '{self}': k = {self.largest} is more than n = {n}; k can be at most n"
            )
        ks, first_at = np.unique(self.values(np.arange(updates + 1)), return_index=True)
        for k, at in sorted(zip(ks, first_at, strict=True), key=lambda pair: pair[1]):
            try:
                estimator.check(n, int(k))
            except ValueError as reason:
                where = "" if self.is_constant else f" at update {at}"
                raise ValueError(f"schedule '{self}'{where}: {reason}") from None


def parse(text: str) -> Schedule:
    """The schedule that a text form describes; spaces are ignored.

    Raises:
      ValueError: the text is not a schedule, or describes an impossible one.
    """
    pieces = []
    for part in re.sub(r"\s+", "", str(text)).split(","):
        if match := _CONSTANT_FORM.fullmatch(part):
            if match[2] is None and "," in text:
                raise ValueError(
                    f"schedule: '{part}' must say from which update, as in '{part}@100'"
                )
            k, since = int(match[1]), int(match[2] or 0)
            pieces.append(Piece(k, k, since, since))
        elif match := _RAMP_FORM.fullmatch(part):
            shape, first, last, start, end = match.groups()
            pieces.append(Piece(int(first), int(last), int(start or 0), int(end), shape))
        else:
            raise ValueError(f"schedule must look like {FORMS}, got {part[:80]!r}")
    return Schedule(tuple(pieces))


def constant(k: int) -> Schedule:
    """K throughout."""
    return step((k, 0))


def step(*steps: tuple[int, int]) -> Schedule:
    """A new k from each given update on: `step((8, 0), (1, 1500))` is the paper's schedule."""
    return Schedule(tuple(Piece(k, k, start, start) for k, start in steps))


def linear(first: int, last: int, end: int, start: int = 0) -> Schedule:
    """From k `first` at update `start` to k `last` at update `end`, in a straight line."""
    return Schedule((Piece(first, last, start, end, "linear"),))


def cosine(first: int, last: int, end: int, start: int = 0) -> Schedule:
    """As `linear`, along half a cosine: slow, fast, slow."""
    return Schedule((Piece(first, last, start, end, "cosine"),))


def exponential(first: int, last: int, end: int, start: int = 0) -> Schedule:
    """As `linear`, by a constant factor per update."""
    return Schedule((Piece(first, last, start, end, "exponential"),))


def _check_piece(piece: Piece) -> None:
    for k in (piece.first, piece.last):
        if not 1 <= k <= K_LIMIT:
            raise ValueError(f"schedule: k must be from 1 to {K_LIMIT}, got {k} in '{piece}'")
    if not 0 <= piece.start <= UPDATE_LIMIT or not 0 <= piece.end <= UPDATE_LIMIT:
        raise ValueError(f"schedule: updates must be from 0 to {UPDATE_LIMIT}, got '{piece}'")
    if piece.shape is None:
        return
    if piece.shape not in RAMPS:
        raise ValueError(
            f"schedule: the shape must be one of {', '.join(RAMPS)}, got {piece.shape!r}"
        )
    if piece.end <= piece.start:
        raise ValueError(f"schedule: a ramp must end after it starts, got '{piece}'")
