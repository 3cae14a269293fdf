"""Several files of one model: each holds a seed's samples."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from pkpo.evaluation.files import Results

SEPARATORS = "-_. /\\"


def join_seeds(found: Sequence[tuple[str, Results]]) -> tuple[str, Results]:
    """Files of one model as its seeds: "run-1.csv", "run-2.csv" are "run-*.csv" of the seeds 1 and 2.

    Args:
      found: names of files and what they hold; of one file alone, that is the answer.

    Raises:
      ValueError: no file, two of the same name, one that has several seeds itself, or problems that not
        all have.
    """
    if not found:
        raise ValueError("there must be a file at least, got none")
    if len(found) == 1:
        return found[0]
    for name, results in found:
        if results.by_seed:
            raise ValueError(
                f"{name} has {len(results.by_seed)} seeds itself: of several files each must have one"
            )
    pattern, seeds = name_seeds([name for name, _ in found])
    by_seed = {seed: results for seed, (_, results) in zip(seeds, found, strict=True)}
    layout = f"{len(found)} files, a seed each, such as {found[0][1].layout}"
    return pattern, Results.from_seeds(by_seed, layout)


def name_seeds(files: Sequence[str]) -> tuple[str, list[str]]:
    """A pattern that matches the files' names, and what each has in place of its "*".

    Raises:
      ValueError: a name twice.
    """
    for name in files:
        if files.count(name) > 1:
            raise ValueError(f"files must have different names, got {name!r} twice")
    start = re.sub(r"\d+$", "", os.path.commonprefix(files))
    rests = [name[len(start) :][::-1] for name in files]
    end = re.sub(r"\d+$", "", os.path.commonprefix(rests))
    parts = [rest[len(end) :][::-1].strip(SEPARATORS) for rest in rests]
    known = all(parts) and len(set(parts)) == len(parts)
    return f"{start}*{end[::-1]}", parts if known else list(files)
