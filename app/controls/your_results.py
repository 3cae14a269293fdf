"""The controls of "Your results": an example, files, or pasted text; nothing of them in the address."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from hashlib import sha256
from typing import NamedTuple

import streamlit as st

from app import page_memory
from app.controls.address_reader import read_link, show_complaints
from app.controls.markdown import problem_text
from pkpo.comparisons import word_problems as study
from pkpo.evaluation import Results, join_seeds, parse_results
from pkpo.lm.experiments import METHODS, recorded_runs

SOURCES = {"example": "An example", "files": "Your files", "text": "Pasted text"}
RESULTS_SAMPLES = 1_000_000
"""Samples of one model that are read here."""
RESULTS_PROBLEMS = 20_000
PASTED_CHARACTERS = 200_000
FILE_TYPES = ("csv", "tsv", "txt", "json", "jsonl")
FILE_LABELS = ("Results", "To compare with (optional)")
EXAMPLE_EXPERIMENT, EXAMPLE_METHODS = "hard-unseen", ("k1", "k8")
FILE_EXAMPLES = {
    "A row per sample": "problem,correct\nsum-1,1\nsum-1,0\nsum-2,0\nsum-2,0",
    "A row per problem: n samples, c right": "problem,n,c\nsum-1,16,9\nsum-2,16,0",
    "JSON Lines, any rewards": '{"problem": "sum-1", "rewards": [0.5, 1, 0]}\n'
    '{"problem": "sum-2", "rewards": [0, 0, 0.25]}',
    "HumanEval's results": '{"task_id": "HumanEval/0", "passed": true}\n'
    '{"task_id": "HumanEval/0", "passed": false}',
    "Several seeds of a model": "seed,problem,n,c\n0,sum-1,16,9\n0,sum-2,16,0\n"
    "1,sum-1,16,12\n1,sum-2,16,1",
}
"""Contents of small files, by what they are."""

NamedResults = list[tuple[str, Results]]
Files = Sequence[tuple[str, bytes]]
"""Names and contents."""


class ResultsInput(NamedTuple):
    """What the controls say."""

    source: str
    found: NamedResults
    """What could be read."""
    apart: bool
    """Whether seeds are kept apart."""
    key: tuple
    """Another one for other results."""


def results_input() -> ResultsInput:
    """Where results come from, and what could be read; what could not is said beside its control."""
    show_complaints(read_link({})[1])
    source = str(
        st.segmented_control(
            "Results of",
            list(SOURCES),
            format_func=SOURCES.__getitem__,
            default="example",
            required=True,
            key="results_source",
            label_visibility="collapsed",
        )
    )
    found: NamedResults = []
    keys = []
    columns = [st.container()] * 2 if source == "example" else st.columns(2)
    for place, (label, column) in enumerate(zip(FILE_LABELS, columns, strict=True)):
        with column:
            given = _given(source, label, place)
            if not given:
                page_memory.forget(_place(place))
                continue
            try:
                key = tuple((name, sha256(data).digest()) for name, data in given)
                found.append(page_memory.remember(_place(place), key, partial(_read, given)))
                keys.append(key)
            except ValueError as reason:
                st.error(problem_text(reason), icon=":material/error:")
    apart = True
    if any(results.by_seed for _, results in found):
        apart = st.toggle(
            "Keep seeds apart",
            value=True,
            key="results_seeds",
            help="Off: the samples of all seeds as if one model had given them. That allows a larger k, "
            "and leaves the luck of training out of the intervals.",
        )
    if not apart:
        found = [(name, results.pooled()) for name, results in found]
    return ResultsInput(source, found, apart, (*keys, apart))


def _place(place: int) -> str:
    return f"results-{place}"


def _given(source: str, label: str, place: int) -> Files:
    if source == "example":
        return [list(example_files().items())[place]]
    return _uploaded(label, place) if source == "files" else _pasted(label, place)


def _uploaded(label: str, place: int) -> Files:
    files = st.file_uploader(
        label,
        type=FILE_TYPES,
        accept_multiple_files=True,
        key=f"results_file_{place}",
        help="CSV or JSON Lines; what it holds is told by its columns. Several files are the seeds of "
        "one model.",
    )
    return [(file.name, file.getvalue()) for file in files]


def _pasted(label: str, place: int) -> Files:
    text = st.text_area(
        label,
        key=f"results_text_{place}",
        height=160,
        max_chars=PASTED_CHARACTERS,
        placeholder=next(iter(FILE_EXAMPLES.values())),
    )
    return [(f"text-{place + 1}.txt", text.encode())] if text.strip() else []


def _read(given: Files) -> tuple[str, Results]:
    """The files of one model.

    Raises:
      ValueError: one that cannot be read, files that do not go together, or too much.
    """
    read: NamedResults = []
    for name, data in given:
        read.append((name, parse_results(data, name, RESULTS_SAMPLES)))
        if sum(results.samples for _, results in read) > RESULTS_SAMPLES:
            raise ValueError(f"at most {RESULTS_SAMPLES:,} samples of a model are read here")
    name, found = join_seeds(read)
    if len(found.rewards) > RESULTS_PROBLEMS:
        raise ValueError(
            f"{name}: this page reads at most {RESULTS_PROBLEMS:,} problems, got "
            f"{len(found.rewards):,}; the command reads more"
        )
    return name, found


@lru_cache(maxsize=1)
def example_files() -> dict[str, bytes]:
    """Two files by their names: recorded runs of the language model, measured on the same problems."""
    files = {}
    for key in EXAMPLE_METHODS:
        rows = [
            f"{record.config.seed},{i},{study.HELD_OUT_COMPLETIONS},{int(c)}\n"
            for record in recorded_runs(EXAMPLE_EXPERIMENT, key)
            for i, c in enumerate(
                study.solved_counts(record, study.updates_with(record, "held_out")[-1]), 1
            )
        ]
        name = f"trained-for-{METHODS[key].label.replace(' = ', '-').replace(' ', '-')}.csv"
        files[name] = ("seed,problem,n,c\n" + "".join(rows)).encode()
    return files
