"""A playground: one problem, answered by the model before training and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from app import cached, controls
from app.language import completions
from app.language.completions import Row
from app.language.sources import language_runs
from app.runs import words
from app.runs.engine import Engine, engine
from pkpo.config import PROBLEM_SETS, WordProblemsConfig
from pkpo.lm.experiments import FRESH, METHODS, RECORDED
from pkpo.lm.folders import HUB, find
from pkpo.runs import Run, checkpoint
from toy_envs.word_problems import Problem, Verdict, verify

N = 16
SHIPPED = RECORDED / "models"
"""Models that recorded runs ended with, a folder per method."""
LATEST = 12  # runs whose newest checkpoints are offered


def show(values: dict[str, Any], own: dict[str, Any]) -> None:
    """The view."""
    st.header(f"Ask the model: {N} tries before training, {N} after", anchor=False)
    controls.language_view(own)
    above = st.container(border=True)
    found = engine()
    chosen = controls.language_after(own, _options(found, own))
    with above:
        problem, checked = _problem(own, cached.problem_sets(_asked(found, chosen))[1])
        beside = st.empty()
    start, file = _place(found, chosen)
    left, right = st.columns(2, gap="large")
    left.markdown(f"**Before training:** {controls.plain(start)}")
    if chosen:
        right.markdown("**After training**")
    else:
        right.info("No trained model is here yet. Train one: it can be asked while it learns.")
    try:
        with st.spinner("Asking"):
            asked = [_ask(start, at, problem.question, own["draw"]) for at in ("", file)]
        with left:
            rows = _answers(asked[0], problem, checked)
        if chosen:
            with right:
                rows += _answers(asked[1], problem, checked)
        completions.legend(rows)
    except (ValueError, checkpoint.CheckpointError) as reason:
        beside.error(controls.plain(str(reason)), icon=":material/error:")


def _problem(own: dict[str, Any], problems: Sequence[Problem]) -> tuple[Problem, bool]:
    """A held-out problem or the visitor's own, and whether its answer is known."""
    place = own["problem"] % len(problems)
    given = problems[place]
    typed = own["question"].strip() or given.question
    controls.language_question({**own, "question": typed})
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Another problem",
            icon=":material/shuffle:",
            on_click=controls.set_language,
            kwargs={"problem": (place + 1) % len(problems), "question": None, "answer": None},
        )
        st.button(
            f"Another {N} tries",
            icon=":material/casino:",
            on_click=controls.set_language,
            kwargs={"draw": own["draw"] + 1},
        )
        if typed == given.question:
            st.caption(f"Unseen problem {place + 1} of {len(problems):,}: `{given.solution}`")
            return given, True
    answer = own["answer"].strip()
    if not answer.removeprefix("-").isdecimal():
        st.caption("Without its answer, a whole number, only the equations are checked.")
        return Problem(typed, "", 0, 1), False
    return Problem(typed, "", int(answer), 1), True


def _options(found: Engine, own: dict[str, Any]) -> dict[str, str]:
    """What has been trained: a visitor's runs, what ships, and the newest runs of others."""
    newest = found.store.runs(task=WordProblemsConfig.task, limit=LATEST)
    kept = {
        run.id: name
        for run in [*language_runs(found, own["runs"]), *newest]
        if checkpoint.saved(found.store.files(run.id)) and (name := _name(run))
    }
    shipped = {
        path.name: f"Recorded: {METHODS[path.name].label}"
        for path in sorted(SHIPPED.glob("*"))
        if path.name in METHODS
    }
    mine = {id: kept[id] for id in own["runs"] if id in kept}
    return mine | shipped | kept


def _name(run: Run) -> str:
    """A run's model in a few words; "" if it cannot be asked here: it is gone, or too large."""
    try:
        config: Any = run.config
        if config.model.startswith(HUB) or not (find(config.model) / "vocabulary.json").exists():
            return ""
    except ValueError:
        return ""
    words_of = [config.k_schedule.describe(), f"{config.problems} problems", f"seed {config.seed}"]
    return ", ".join([*([run.name] if run.name else []), *words_of, f"update {run.step}"])


def _asked(found: Engine, chosen: str) -> WordProblemsConfig:
    """Settings whose held-out problems are in words that a trained model knows."""
    run: Any = FRESH if chosen in ("", *METHODS) else found.store.run(chosen).config
    known = run.problems in PROBLEM_SETS
    return replace(FRESH, model=run.model, problems=run.problems, prompts=1) if known else FRESH


def _place(found: Engine, chosen: str) -> tuple[str, str]:
    """The model that a trained one started from, and the folder or checkpoint that holds it."""
    if not chosen:
        return FRESH.model, ""
    if chosen in METHODS:
        return FRESH.model, str(SHIPPED / chosen)
    kept = checkpoint.newest_file(found.store.files(chosen))
    if kept is None:
        raise ValueError(f"run {chosen} has no whole checkpoint")
    return found.store.run(chosen).config.model, str(kept)  # type: ignore[attr-defined]


@lru_cache(maxsize=256)
def _ask(start: str, file: str, question: str, draw: int) -> list[Any]:
    """`pkpo.lm.attempts.attempts` of a model before training, or of what a file holds of it."""
    import torch  # late: no other page pays for it

    from pkpo.lm.attempts import attempts

    torch.set_num_threads(1)
    return attempts(_model(start, file), question, N, draw)


@lru_cache(maxsize=8)
def _model(start: str, file: str) -> Any:
    from pkpo.lm.attempts import trained
    from pkpo.lm.model import load

    if not file:
        return load(start)
    return load(file) if Path(file).is_dir() else trained(start, Path(file))


def _answers(found: Sequence[Any], problem: Problem, checked: bool) -> list[Row]:
    """The different answers, the most frequent first."""
    from pkpo.lm.attempts import distinct

    verdicts = {one.text: verify(one.text, problem) for one in found}
    different = distinct(found)
    various = words.count(len(different), "different answer")
    if checked:
        right = sum(verdicts[one.text].strict for one in found)
        st.subheader(f"{right} of {N} right, {various}", anchor=False)
    else:
        st.subheader(f"{various} in {N} tries", anchor=False)
    rows = [
        Row(
            tokens=one.tokens,
            probabilities=one.probabilities,
            mark=_mark(verdicts[one.text], checked),
            note=f"{count} ×",
        )
        for one, count in different
    ]
    completions.show(rows)
    return rows


def _mark(verdict: Verdict, checked: bool) -> str:
    if not checked:
        return "unknown" if verdict.chain else "wrong"
    if verdict.answer:
        return "right" if verdict.chain else "lucky"
    return "wrong"
