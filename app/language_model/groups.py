"""One group of completions at an update, with its weights by each estimator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from app import controls
from app.controls.language_page import LanguagePage
from app.glossary import link_terms
from app.language_model import completions
from app.language_model.completions import CompletionRow
from app.language_model.sources import methods
from pkpo.comparisons import word_problems as study
from pkpo.estimators import get_estimator, transform
from pkpo.figures import language_model as figures
from pkpo.runs.records import RunRecord
from pkpo.training.tasks.word_problems import WordProblemsConfig
from toy_envs.word_problems import WordProblem, verify


def show_groups(values: dict[str, Any], page: LanguagePage) -> None:
    """The view."""
    st.header("One problem, n answers: what is each of them worth?", anchor=False)
    controls.language_view(page)
    controls.language_experiment(page)
    kept = [(m, r) for m in methods(page) for r in m.records if study.updates_with(r, "groups")]
    found = list({method.label: (method, record) for method, record in kept[::-1]}.values())[::-1]
    if not found:
        st.info("No groups are kept of these runs yet.")
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        labels = [method.label for method, _ in found]
        _, record = found[controls.language_choice(page, "method", "Trained for", labels)]
        update = controls.language_update(page, study.updates_with(record, "groups"))
        groups = record.details[update]["groups"]
        counts = [sum(sample["reward"] == 1 for sample in one["samples"]) for one in groups]
        group = groups[controls.language_prompt(page, counts, record.config.n)]
    problem, config = WordProblem(**group["problem"]), record.config
    rewards = [sample["reward"] for sample in group["samples"]]
    k = _in_force(record, update)
    with right, st.container(border=True):
        st.markdown(f"**{controls.plain_text(problem.question)}**")
        st.caption(f"Worked solution: {controls.code_text(problem.solution)}")
        st.caption(
            link_terms(f"Trained here with {get_estimator(config.estimator).label}, k = {k}.")
        )
        by, at = controls.language_weights(page, config.estimator, k, len(rewards))
    compared = [(config.estimator, k), (by, at), *((config.estimator, known) for known in (1, 8))]
    st.markdown(link_terms(figures.describe_group(rewards, compared)))
    try:
        weights = transform(np.array(rewards, float), at, by)
    except ValueError as reason:
        st.warning(controls.problem_text(reason), icon=":material/error:")
        return
    rows = _rows(group["samples"], weights, problem, config)
    completions.show_completions(rows, figures.largest_weight(rewards, compared))
    completions.completions_legend(rows)


def _in_force(record: RunRecord, update: int) -> int:
    return int(record["k"][list(record["update"]).index(update)])


def _rows(
    samples: Sequence[Mapping[str, Any]],
    weights: np.ndarray,
    problem: WordProblem,
    config: WordProblemsConfig,
) -> list[CompletionRow]:
    """The completions, the heaviest first."""
    right = sum(sample["reward"] == 1 for sample in samples)
    return [
        CompletionRow(
            tokens=samples[i]["tokens"],
            probabilities=samples[i]["probabilities"],
            mark=_mark(samples[i], problem, right == 1),
            note=f"reward {samples[i]['reward']:.2g}",
            weight=float(weights[i]),
        )
        for i in np.argsort(-weights, kind="stable")
    ]


def _mark(sample: Mapping[str, Any], problem: WordProblem, alone: bool) -> str:
    verdict = verify("".join(sample["tokens"]), problem)
    if sample["reward"] == 1 and verdict.strict:
        return "only" if alone else "right"
    if verdict.answer:
        return "lucky"
    if verdict.abstains:
        return "abstains"
    return "partly" if sample["reward"] else "wrong"
