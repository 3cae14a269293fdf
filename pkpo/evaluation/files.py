"""Graded samples from files: CSV or JSON Lines, whose columns say what they are.

A row is a sample or a problem. What is read, by the names of its columns (any case):

    problem, and correct / passed / score / reward     a row per sample; HumanEval-style results, too
    problem, n, and c                                  a row per problem: c of n samples are right
    problem, and rewards                               a row per problem: a list (JSON Lines only)
    doc_id, and exact_match / acc / ...                lm-evaluation-harness's log of samples, which
                                                       may grade an answer by several filters: the
                                                       first one's grades are read

A further column (seed / run / run_id / ...) tells the seeds of a model apart, if every problem has
samples of every seed and a seed has several of some problem. Else the samples are taken as one model's,
and `Results.layout` says why.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

PROBLEM_COLUMNS = (
    *("problem", "problem_id", "task_id", "doc_id", "prompt_id", "question_id", "id"),
    *("question", "prompt", "task"),
)
"""Names of the column that tells problems apart, the surest first."""
SCORE_COLUMNS = (
    *("correct", "passed", "is_correct", "solved", "success", "score", "reward"),
    *("exact_match", "acc", "accuracy", "pass@1", "rewards", "scores"),
)
COUNT_COLUMNS = (
    ("n", "c"),
    ("n", "correct_count"),
    ("num_samples", "num_correct"),
    ("n", "correct"),
)
SEED_COLUMNS = ("seed", "training_seed", "train_seed", "run", "run_id", "run_name", "replicate")
"""Names of the column that tells a model's training runs apart, the surest first."""
SEED_LIMIT = 100
"""Seeds of a model; what has more values does not name seeds."""
SAMPLE_LIMIT = 10_000_000
TRUE, FALSE = ("true", "yes", "passed", "correct"), ("false", "no", "failed", "incorrect", "")


@dataclass(frozen=True, slots=True)
class Results:
    """Graded samples of problems.

    Attributes:
      rewards: problem -> its samples' rewards, `[n]`, of all seeds; problems may have different n.
      layout: what kind of file they were read from, in words.
      by_seed: the same samples by seed, each with the same problems; empty if there is one seed alone.
    """

    rewards: Mapping[str, np.ndarray]
    layout: str = ""
    by_seed: Mapping[str, Results] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.rewards:
            raise ValueError("results must have at least one problem, got none")

    @classmethod
    def from_seeds(cls, seeds: Mapping[str, Results], layout: str) -> Results:
        """The results of one model's seeds.

        Raises:
          ValueError: seeds that have not the same problems; more than `SEED_LIMIT`.
        """
        if len(seeds) > SEED_LIMIT:
            raise ValueError(f"at most {SEED_LIMIT} seeds can be read, got {len(seeds)}")
        first, names = next(iter(seeds)), next(iter(seeds.values())).rewards
        for seed, found in seeds.items():
            for problem in names.keys() ^ found.rewards.keys():
                lacks, has = (seed, first) if problem in names else (first, seed)
                raise ValueError(
                    f"seeds must have the same problems: {lacks[:40]!r} has no samples of "
                    f"{problem[:40]!r}, {has[:40]!r} has some"
                )
        ordered = {seed: found.only(names) for seed, found in seeds.items()}
        rewards = {
            name: np.concatenate([found.rewards[name] for found in ordered.values()])
            for name in names
        }
        return cls(rewards, layout, ordered if len(ordered) > 1 else {})

    def only(self, problems: Iterable[str]) -> Results:
        """These problems alone, in this order."""
        names = list(problems)
        by_seed = {seed: found.only(names) for seed, found in self.by_seed.items()}
        return Results({name: self.rewards[name] for name in names}, self.layout, by_seed)

    def pooled(self) -> Results:
        """The samples of all seeds as if one model had given them."""
        return Results(self.rewards, f"{self.layout}, pooled" if self.by_seed else self.layout)

    @property
    def seeds(self) -> tuple[Results, ...]:
        """Those of each seed; of one seed alone, these."""
        return tuple(self.by_seed.values()) or (self,)

    @property
    def smallest_n(self) -> int:
        """The fewest samples that a problem has in a seed."""
        return min(len(x) for one in self.seeds for x in one.rewards.values())

    @property
    def samples(self) -> int:
        """How many there are."""
        return sum(len(x) for x in self.rewards.values())

    @property
    def binary(self) -> bool:
        """Whether every sample is right or wrong."""
        return all(((x == 0) | (x == 1)).all() for x in self.rewards.values())


def read_results(path: str | Path) -> Results:
    """Read a file; its first bytes and its columns say what it is.

    Raises:
      ValueError: naming the file, the line and what is wrong with it.
    """
    path = Path(path).expanduser()
    try:
        data = path.read_bytes()
    except OSError as reason:
        raise ValueError(f"{path.name} cannot be read: {reason.strerror or reason}") from None
    return parse_results(data, path.name)


def parse_results(data: bytes, name: str, samples: int = SAMPLE_LIMIT) -> Results:
    """Read what a file holds; its first bytes and its columns say what it is.

    Args:
      data: text in UTF-8.
      name: what messages call it.
      samples: the most that are read.

    Raises:
      ValueError: naming the file, the line and what is wrong with it.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        place = f"byte {reason.start + 1:,} is not UTF-8"
        raise ValueError(f"{name} must be text, CSV or JSON Lines: its {place}") from None
    json_lines = text.lstrip()[:1] in ("{", "[")
    try:
        rows = _json_rows(text) if json_lines else _csv_rows(text)
        return _results(rows, "JSON Lines" if json_lines else "CSV", samples)
    except (ValueError, csv.Error, RecursionError) as reason:
        raise ValueError(f"{name}: {reason}") from None


def _json_rows(text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    if text.lstrip().startswith("["):
        try:
            rows = json.loads(text)
        except ValueError as reason:
            raise ValueError(f"it is not JSON: {reason}") from None
        yield from ((place, _object(place, row)) for place, row in enumerate(rows, 1))
        return
    for line, part in enumerate(text.split("\n"), 1):  # other line breaks may stand in a text
        if part.strip():
            try:
                yield line, _object(line, json.loads(part))
            except ValueError as reason:
                raise ValueError(f"line {line} is not JSON: {reason}") from None


def _object(line: int, row: Any) -> Mapping[str, Any]:
    if not isinstance(row, dict):
        raise ValueError(f"line {line} must be an object with names, got {str(row)[:40]!r}")
    return {name.lower(): value for name, value in row.items()}


def _csv_rows(text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        dialect: Any = csv.Sniffer().sniff(text[:10_000], ",;\t")
    except csv.Error:
        dialect = csv.excel
    reader = csv.DictReader(io.StringIO(text, newline=""), dialect=dialect)
    for row in reader:
        if None in row or None in row.values():
            raise ValueError(f"line {reader.line_num} has not as many cells as the first line")
        yield reader.line_num, {str(name).strip().lower(): cell for name, cell in row.items()}


def _results(rows: Iterator[tuple[int, Mapping[str, Any]]], kind: str, limit: int) -> Results:
    found: dict[str, dict[str, list[float]]] = {}  # by seed and problem
    layout, count, graded_by = "", 0, None
    problem = score = seed = aside = ""
    counts: tuple[str, str] | None = None
    for line, row in rows:
        if not layout:
            problem = _column(row, PROBLEM_COLUMNS, "problem")
            counts = next((pair for pair in COUNT_COLUMNS if set(pair) <= row.keys()), None)
            score = "" if counts else _column(row, SCORE_COLUMNS, "score")
            columns = f"{problem}, {', '.join(counts)}" if counts else f"{problem}, {score}"
            layout = f"{kind} with the columns {columns}"
            seed = next((name for name in SEED_COLUMNS if name in row), "")
            graded_by = row.get("filter")
            if graded_by is not None:
                layout += f", filter {str(graded_by)[:40]}"
        elif graded_by is not None and row.get("filter") != graded_by:
            continue
        if problem not in row or not ({*counts} if counts else {score}) <= row.keys():
            raise ValueError(f"line {line} lacks what the first has: {layout}")
        name = str(row[problem])
        of_seed = found.setdefault(str(row.get(seed, "")) if seed else "", {})
        if counts:
            n, c = (_whole(line, column, row[column]) for column in counts)
            if not 0 <= c <= n or n < 1:
                raise ValueError(
                    f"line {line}: c must be from 0 to n, and n at least 1, got {c} of {n}"
                )
            if name in of_seed and not aside:
                raise ValueError(f"line {line}: problem {name[:40]!r} stands there twice")
            count += n
            values = [1.0] * c + [0.0] * (n - c) if count <= limit else []
        else:
            given = row[score] if isinstance(row[score], list) else [row[score]]
            values = [_number(line, score, x) for x in given]
            count += len(values)
        if count > limit:
            raise ValueError(f"at most {limit:,} samples can be read")
        of_seed.setdefault(name, []).extend(values)
        if len(found) > SEED_LIMIT:
            aside = f"; the column {seed} is not taken for seeds: it has over {SEED_LIMIT} values"
            found, seed = {"": _pool(found)}, ""
    if not found or not all(values for cells in found.values() for values in cells.values()):
        raise ValueError("there are no samples in it")
    return _with_seeds(found, layout + aside, seed)


def _with_seeds(
    found: Mapping[str, Mapping[str, list[float]]], layout: str, column: str
) -> Results:
    """Samples by the values of a column, which names seeds or does not, and by problem."""
    pooled = _pool(found)
    if len(found) > 1:
        if all(len(values) == 1 for cells in found.values() for values in cells.values()):
            why = "it numbers the samples of each problem"
        elif any(len(cells) < len(pooled) for cells in found.values()):
            why = "not every problem has samples of each"
        else:
            seeds = {seed: Results(_arrays(cells)) for seed, cells in found.items()}
            return Results.from_seeds(seeds, f"{layout}; {len(seeds)} seeds by the column {column}")
        layout += f"; the column {column} is not taken for seeds: {why}"
    return Results(_arrays(pooled), layout)


def _pool(found: Mapping[str, Mapping[str, list[float]]]) -> dict[str, list[float]]:
    """The samples of every problem, whatever the seed."""
    pooled: dict[str, list[float]] = {}
    for cells in found.values():
        for problem, values in cells.items():
            pooled.setdefault(problem, []).extend(values)
    return pooled


def _arrays(cells: Mapping[str, list[float]]) -> dict[str, np.ndarray]:
    return {problem: np.array(values) for problem, values in cells.items()}


def _column(row: Mapping[str, Any], names: tuple[str, ...], what: str) -> str:
    for name in names:
        if name in row:
            return name
    there = ", ".join(map(str, row))[:120]
    raise ValueError(f"no column for the {what}: one of {', '.join(names)}; there are: {there}")


def _whole(line: int, name: str, value: Any) -> int:
    number = _number(line, name, value)
    if number != int(number):
        raise ValueError(f"line {line}: {name} must be a whole number, got {str(value)[:40]!r}")
    return int(number)


def _number(line: int, name: str, value: Any) -> float:
    if isinstance(value, str) and value.strip().lower() in (*TRUE, *FALSE[:-1]):
        return float(value.strip().lower() in TRUE)
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(
            f"line {line}: {name} must be a number, true or false, got {str(value)[:40]!r}"
        )
    return number
