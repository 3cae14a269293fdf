"""One of the paper's figures on its page: picture, tables, claims, files."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from app import charts, controls, page_registry
from app.glossary import link_terms
from pkpo import paper
from pkpo.figures import export
from pkpo.figures.paper_toy import DRAW

ELSEWHERE = {
    "which": (
        "variance_lab",
        "The variance lab advises canonical where several ways to be right each pull the policy their "
        "own way. What decides is how much right answers agree in what they pull: here they agree "
        "much.",
    )
}
"""By recipe, a page that says more or seems to say otherwise, and why."""


ICONS = {
    True: ":green[:material/check_circle:]",
    False: ":red[:material/cancel:]",
    None: ":gray[:material/help:] Undecided:",
}
"""By whether a claim holds."""
KIND_MARKS = {"paper": "the paper's", "check": "a check", "own": "our own", None: ""}


def verdicts_in_words(claims: Sequence[paper.Claim]) -> str:
    """How many claims hold, fail and are undecided."""
    hold, fail, undecided = paper.count_verdicts(claims).values()
    told = [f"{hold} of {len(claims)} hold"]
    told += [
        f"{count} {word}" for count, word in ((fail, "fail"), (undecided, "undecided")) if count
    ]
    return ", ".join(told)


def show_paper_figure(result: paper.FigureResult, seed: int) -> None:
    """Draw a recipe's result; the seed is the page's."""
    recipe = paper.RECIPES[result.key]
    figure = DRAW[result.key](result.table)
    st.subheader(recipe.title, anchor=result.key, divider="gray")
    st.markdown(link_terms(recipe.message))
    if result.key in ELSEWHERE:
        page, why = ELSEWHERE[result.key]
        st.markdown(link_terms(why))
        st.page_link(page_registry.get_page(page), icon=":material/arrow_forward:")
    charts.show_chart(
        figure,
        f"{result.key}-{seed}",
        f"{recipe.title}. {recipe.message} "
        + " ".join(f"{claim.text} {claim.measured}." for claim in result.claims[:3]),
    )
    told = [recipe.errors_in_words] if recipe.errors_over else []
    if {"training", "held-out"} <= set(result.table.get("problems", ())):
        told.insert(
            0,
            "With markers: held-out problems, where they were measured. Without: the problems trained "
            "on, at every update.",
        )
    if told:
        st.caption(link_terms(" ".join(told)))
    for grid in result.grids:
        st.markdown(f"**{grid.title}**")
        st.markdown(paper.grid_markdown(grid))
        if grid.errors.any():
            st.caption(f"Bold: {grid.best_in_words}.")
    all_hold = all(claim.passed for claim in result.claims)
    open_at_once = not all_hold or len(result.claims) <= 4
    with st.expander(f"Claims: {verdicts_in_words(result.claims)}", expanded=open_at_once):
        for claim in result.claims:
            said = "" if claim.kind == recipe.kind else f" ({KIND_MARKS[claim.kind]})"
            st.markdown(
                f"{ICONS[claim.passed]} **{controls.plain_text(claim.text)}**{said} "
                f"{controls.plain_text(claim.measured)} (required: "
                f"{controls.plain_text(claim.required)})"
            )
        if recipe.caveat and not all_hold:
            st.caption(f"As far as is known: {recipe.caveat}")
    st.caption(controls.plain_text(f"{result.origin}; {result.seconds:.2f} s"))
    with st.container(horizontal=True):
        st.download_button("CSV", paper.result_csv(result), f"{result.key}.csv", "text/csv")
        for grid in result.grids:
            name = f"{grid.key}.csv"
            st.download_button(name, paper.grid_csv(grid), name, "text/csv")
        st.download_button(
            "Settings", paper.config_json(recipe, seed), f"{result.key}.json", "application/json"
        )
        for kind, mime in (("svg", "image/svg+xml"), ("png", "image/png")):
            st.download_button(
                kind.upper(),
                partial(export.to_image, figure, kind),
                f"{result.key}.{kind}",
                mime,
                key=f"{result.key}-{kind}",
            )
