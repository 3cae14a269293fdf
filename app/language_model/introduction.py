"""What the language model is, by one of its problems: the first thing that the page shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import streamlit as st

from app import controls
from app.glossary import link_terms
from app.language_model.sources import MethodSource
from pkpo.lm.paths import MODEL_NAMES, parameter_count
from pkpo.lm.problem_sets import known_words
from toy_envs.word_problems import ABSTENTION, WordProblem, verify

GPT_2 = 124_439_808  # parameters of the smallest model of that name


def show_introduction(found: Sequence[MethodSource]) -> None:
    """A problem, a right try and a wrong one from before training, and a shipped model in words.

    Nothing of runs of which no such group was kept.
    """
    record = found[0].records[0]
    config: Any = record.config
    example = _example(record.details.get(0, {}).get("groups", ()))
    if example is None:
        return
    problem, right, wrong, count, n = example
    with st.container(border=True):
        left, middle = st.columns([3, 2], gap="large")
        with left:
            st.markdown(f"**{controls.plain_text(problem.question)}**")
            st.markdown(f":green[**✓**] {controls.code_text(right)}")
            st.markdown(f":red[**✕**] {controls.code_text(wrong)}")
            st.caption(
                link_terms(
                    f"One of its problems, and two of its first {n} tries, before training: {count} "
                    f"were right, equations and answer.{_abstaining(config)}"
                )
            )
        # Of other models it is not known how they were made.
        if config.model in MODEL_NAMES:
            middle.markdown(_model_in_words(config.model))


def _example(
    groups: Sequence[Mapping[str, Any]],
) -> tuple[WordProblem, str, str, int, int] | None:
    """The first problem with right and wrong tries: one of each, how many are right, of how many."""
    for group in groups:
        problem = WordProblem(**group["problem"])
        texts = Counter("".join(sample["tokens"]) for sample in group["samples"])
        right = [text for text, _ in texts.most_common() if verify(text, problem).strict]
        wrong = [
            text
            for text, _ in texts.most_common()
            if text not in right and not verify(text, problem).abstains
        ]
        if right and wrong:
            count = sum(texts[text] for text in right)
            return problem, right[0], wrong[0], count, texts.total()
    return None


def _abstaining(config: Any) -> str:
    """What an answer earns that gives no number, if anything."""
    earned = config.abstention
    return f" Where it does not know, it may answer `{ABSTENTION}`: that earns {earned:g}." * (
        earned > 0
    )


@lru_cache(maxsize=8)
def _model_in_words(model: str) -> str:
    """How large it is, beside a model that people know."""
    size = parameter_count(model)
    words = sum(word[:1].isalpha() for word in known_words(model))
    return (
        f"**The model** has {size:,} parameters (the smallest GPT-2 has {GPT_2 / size:,.0f} times as "
        f"many) and knows {words:,} words. It reads a problem and writes equations, then the answer "
        "behind `####`. It had been shown solved problems first; here it learns from rewards alone."
    )
