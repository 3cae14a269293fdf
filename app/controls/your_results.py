"""The controls of "Your results": an example, files, or pasted text; nothing of them in the address."""

from __future__ import annotations

from functools import lru_cache

import streamlit as st

from app.controls.address_reader import read_link, show_complaints
from app.controls.markdown import problem_text
from pkpo.comparisons import word_problems as study
from pkpo.evaluation import Results, parse_results
from pkpo.lm.experiments import METHODS, recorded_runs

SOURCES = {"example": "An example", "files": "Your files", "text": "Pasted text"}
RESULTS_SAMPLES = 1_000_000
"""Samples of one file that are read here."""
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
}
"""Contents of small files, by what they are."""

NamedResults = list[tuple[str, Results]]


def results_input() -> tuple[str, NamedResults]:
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
    if source == "example":
        return source, [(name, _read(text, name)) for name, text in example_files().items()]
    found: NamedResults = []
    for place, (label, column) in enumerate(zip(FILE_LABELS, st.columns(2), strict=True)):
        with column:
            given = _uploaded(label, place) if source == "files" else _pasted(label, place)
            if given is None:
                continue
            try:
                name, data = given
                found.append((name, _read(data, name)))
            except ValueError as reason:
                st.error(problem_text(reason), icon=":material/error:")
    return source, found


def _uploaded(label: str, place: int) -> tuple[str, bytes] | None:
    file = st.file_uploader(
        label,
        type=FILE_TYPES,
        key=f"results_file_{place}",
        help="CSV or JSON Lines; what it holds is told by its columns.",
    )
    return (file.name, file.getvalue()) if file else None


def _pasted(label: str, place: int) -> tuple[str, bytes] | None:
    text = st.text_area(
        label,
        key=f"results_text_{place}",
        height=160,
        max_chars=PASTED_CHARACTERS,
        placeholder=next(iter(FILE_EXAMPLES.values())),
    )
    return (f"text-{place + 1}.txt", text.encode()) if text.strip() else None


def _read(data: bytes, name: str) -> Results:
    found = parse_results(data, name, RESULTS_SAMPLES)
    if len(found.rewards) > RESULTS_PROBLEMS:
        raise ValueError(
            f"{name}: this page reads at most {RESULTS_PROBLEMS:,} problems, got "
            f"{len(found.rewards):,}; the command reads more"
        )
    return found


@lru_cache(maxsize=1)
def example_files() -> dict[str, bytes]:
    """Two files by their names: recorded runs of the language model, measured on the same problems."""
    files = {}
    for key in EXAMPLE_METHODS:
        record = recorded_runs(EXAMPLE_EXPERIMENT, key)[0]
        solved = study.solved_counts(record, study.updates_with(record, "held_out")[-1])
        rows = (f"{i},{study.HELD_OUT_COMPLETIONS},{int(c)}\n" for i, c in enumerate(solved, 1))
        name = f"trained-for-{METHODS[key].label.replace(' = ', '-').replace(' ', '-')}.csv"
        files[name] = ("problem,n,c\n" + "".join(rows)).encode()
    return files
