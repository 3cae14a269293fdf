"""Graded samples from files: CSV or JSON Lines, whose columns say what they are.

A row is a sample or a problem. What is read, by the names of its columns (any case):

    problem, and correct / passed / score / reward     a row per sample; HumanEval-style results, too
    problem, n, and c                                  a row per problem: c of n samples are right
    problem, and rewards                               a row per problem: a list (JSON Lines only)
    doc_id, and exact_match / acc / ...                lm-evaluation-harness's log of samples, which
                                                       may grade an answer by several filters: the
                                                       first one's grades are read
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
SAMPLE_LIMIT = 10_000_000
TRUE, FALSE = ("true", "yes", "passed", "correct"), ("false", "no", "failed", "incorrect", "")


@dataclass(frozen=True, slots=True)
class Results:
    """Graded samples of problems.

    Attributes:
      rewards: problem -> its samples' rewards, `[n]`; problems may have different n.
      layout: what kind of file they were read from, in words.
    """

    rewards: Mapping[str, np.ndarray]
    layout: str = ""

    def __post_init__(self) -> None:
        if not self.rewards:
            raise ValueError("results must have at least one problem, got none")

    @property
    def smallest_n(self) -> int:
        """The fewest samples that a problem has."""
        return min(len(x) for x in self.rewards.values())

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
        raise ValueError(f"{name} cannot be read: {reason}") from None
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
    found: dict[str, list[float]] = {}
    layout, count, graded_by = "", 0, None
    problem = score = ""
    counts: tuple[str, str] | None = None
    for line, row in rows:
        if not layout:
            problem = _column(row, PROBLEM_COLUMNS, "problem")
            counts = next((pair for pair in COUNT_COLUMNS if set(pair) <= row.keys()), None)
            score = "" if counts else _column(row, SCORE_COLUMNS, "score")
            columns = f"{problem}, {', '.join(counts)}" if counts else f"{problem}, {score}"
            layout = f"{kind} with the columns {columns}"
            graded_by = row.get("filter")
            if graded_by is not None:
                layout += f", filter {str(graded_by)[:40]}"
        elif graded_by is not None and row.get("filter") != graded_by:
            continue
        if problem not in row or not ({*counts} if counts else {score}) <= row.keys():
            raise ValueError(f"line {line} lacks what the first has: {layout}")
        name = str(row[problem])
        if counts:
            n, c = (_whole(line, column, row[column]) for column in counts)
            if not 0 <= c <= n or n < 1:
                raise ValueError(
                    f"line {line}: c must be from 0 to n, and n at least 1, got {c} of {n}"
                )
            if name in found:
                raise ValueError(f"line {line}: problem {name[:40]!r} stands there twice")
            count += n
            values = [1.0] * c + [0.0] * (n - c) if count <= limit else []
        else:
            given = row[score] if isinstance(row[score], list) else [row[score]]
            values = [_number(line, score, x) for x in given]
            count += len(values)
        if count > limit:
            raise ValueError(f"at most {limit:,} samples can be read")
        found.setdefault(name, []).extend(values)
    if not found or not all(found.values()):
        raise ValueError("there are no samples in it")
    return Results({name: np.array(values) for name, values in found.items()}, layout)


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
