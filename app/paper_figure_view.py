"""One of the paper's figures on its page: picture, tables, claims, files."""

from __future__ import annotations

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
        "own way. What decides is how much right answers agree in what they pull: here they agree much.",
    )
}
"""By recipe, a page that says more or seems to say otherwise, and why."""


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
    if {"training", "held-out"} <= set(result.table.get("problems", ())):
        st.caption(
            link_terms(
                "Solid: the problems trained on, at every update. Dotted, with markers: "
                "held-out problems, "
                "where they were measured."
            )
        )
    for grid in result.grids:
        st.markdown(f"**{grid.title}**")
        st.markdown(paper.grid_markdown(grid))
        st.caption("Bold: the best of its column, and what lies within its standard error.")
    held = result.held
    open_at_once = held < len(result.claims) or len(result.claims) <= 4
    with st.expander(f"{held} of {len(result.claims)} claims hold", expanded=open_at_once):
        for claim in result.claims:
            icon = ":green[:material/check_circle:]" if claim.passed else ":red[:material/cancel:]"
            st.markdown(
                f"{icon} **{controls.plain_text(claim.text)}** {controls.plain_text(claim.measured)}"
                f" (required: {controls.plain_text(claim.required)})"
            )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(controls.plain_text(f"{result.origin}; {result.seconds:.2f} s"), width="content")
        st.download_button("CSV", paper.result_csv(result), f"{result.key}.csv", "text/csv")
        for grid in result.grids:
            name = f"{grid.key}.csv"
            st.download_button(grid.key, paper.grid_csv(grid), name, "text/csv")
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
