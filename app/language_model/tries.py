"""The tries of a model at one problem: as a fan, as chances, dealt, and token by token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from app import charts, controls
from app.controls.language_page import LanguagePage
from app.glossary import link_terms
from app.language_model import completions
from app.language_model.completions import CompletionRow
from app.language_model.fan import show_fan
from app.runs import run_text
from pkpo.analysis.deals import DEAL_LIMIT, deal_samples, deals_won
from pkpo.estimators import pass_at_k
from pkpo.figures.tries import plot_tries
from pkpo.lm.token_tree import token_tree
from toy_envs.word_problems import Verdict, WordProblem, verify

TRY_KS = (1, 4, 16)
"""The k of the bars, as far as there are so many tries."""


@dataclass(frozen=True, slots=True)
class Tries:
    """A model that is asked, and its tries."""

    label: str
    colour: str
    tries: Sequence[Any]
    """`pkpo.lm.answers.Completion`s."""
    verdicts: dict[str, Verdict]
    """By the text of a try."""

    @property
    def right(self) -> list[bool]:
        """Which of the tries are fully right."""
        return [self.verdicts[one.text].strict for one in self.tries]

    def pass_at(self, k: int) -> float:
        """The unbiased estimate of pass@k from these tries."""
        return float(pass_at_k(len(self.tries), sum(self.right), k))


def check_tries(label: str, colour: str, tries: Sequence[Any], problem: WordProblem) -> Tries:
    """Tries with their verdicts."""
    return Tries(label, colour, tries, {one.text: verify(one.text, problem) for one in tries})


def show_tries(found: Tries, checked: bool) -> None:
    """How many are right, and the fan.

    Args:
      found: the tries.
      checked: whether the problem's answer is known.
    """
    various = run_text.count(len(found.verdicts), "different answer")
    if checked:
        st.subheader(
            f"{sum(found.right)} of {len(found.tries)} fully right, {various}", anchor=False
        )
    else:
        st.subheader(f"{various} in {len(found.tries)} tries", anchor=False)
    tree = token_tree([one.tokens for one in found.tries])
    show_fan(tree, lambda text: _mark(found.verdicts[text], checked))


def show_chances(page: LanguagePage, asked: Sequence[Tries]) -> None:
    """What these tries say of pass@k, and k of them dealt."""
    left, right = st.columns(2, gap="large")
    counted = [
        (
            one.label,
            one.colour,
            f"{sum(one.right)} of {len(one.tries)} right",
            {k: one.pass_at(k) for k in TRY_KS if k <= len(one.tries)},
        )
        for one in asked
    ]
    with left:
        st.markdown(link_terms("**How likely is one of k tries right?** ρ, from these tries"))
        said = "; ".join(f"{label}: {right_of}" for label, _, right_of, _ in counted)
        charts.show_chart(plot_tries(counted), "tries", said, 300)
    with right:
        _show_deals(page, asked)


def _show_deals(page: LanguagePage, asked: Sequence[Tries]) -> None:
    """Any k of the tries, dealt: is the best of them right?"""
    n = len(asked[0].tries)  # all have as many
    k = min(page.deal_k, n)
    st.markdown(link_terms(f"**Deal any k of these {n}:** is the best of them right?"))
    controls.language_deal(page, n, k)
    with st.container(horizontal=True, vertical_alignment="center"):
        for more, label in ((1, "Deal"), (100, "Deal 100 times")):
            st.button(
                label,
                icon=":material/playing_cards:" if more == 1 else None,
                on_click=controls.set_language,
                kwargs={"deals": min(page.deals + more, DEAL_LIMIT)},
                disabled=page.deals >= DEAL_LIMIT,
            )
        if page.deals:
            st.button("Clear", on_click=controls.set_language, kwargs={"deals": None})
    dealt = deal_samples(n, k, page.deals, page.draw)
    st.html("".join(_deal_row(one, k, dealt) for one in asked))


def _deal_row(one: Tries, k: int, dealt: np.ndarray) -> str:
    """A model's tries, those of the last deal marked, and how many deals held a right one."""
    last = dealt[-1].tolist() if len(dealt) else []
    signs = "".join(
        f"<span class='pk-try pk-{'right' if ok else 'wrong'}{' pk-dealt' * (i in last)}'>"
        f"{'✓' if ok else '✕'}</span>"
        for i, ok in enumerate(one.right)
    )
    said = f"ρ: {one.pass_at(k):.1%}"
    if last:
        won = deals_won(np.array(one.right), dealt)
        best = "right" if won[-1] else "wrong"
        share = f"{won.sum():,} of {len(won):,} deals: {won.mean():.1%}"
        said = f"This deal's best is {best}. {share}. {said}"
    return (
        f"<div class='pk-deal'><b>{escape(one.label)}</b><span class='pk-tries'>{signs}</span>"
        f"<span class='pk-deal-said'>{said}</span></div>"
    )


def show_tokens(asked: Sequence[Tries], checked: bool) -> None:
    """The different answers, the most frequent first, token by token."""
    from pkpo.lm.answers import count_distinct  # late: no other page pays for torch

    with st.expander("Every answer, token by token, with its probabilities"):
        rows: list[CompletionRow] = []
        for one, column in zip(asked, st.columns(len(asked), gap="large"), strict=True):
            own = [
                CompletionRow(
                    tokens=answer.tokens,
                    probabilities=answer.probabilities,
                    mark=_mark(one.verdicts[answer.text], checked),
                    note=f"{count} ×",
                )
                for answer, count in count_distinct(one.tries)
            ]
            with column:
                st.markdown(f"**{controls.plain_text(one.label)}**")
                completions.show_completions(own)
            rows += own
        completions.completions_legend(rows)


def _mark(verdict: Verdict, checked: bool) -> str:
    if not checked:
        return "unknown" if verdict.chain else "false"
    if verdict.answer:
        return "right" if verdict.chain else "lucky"
    return "wrong"
