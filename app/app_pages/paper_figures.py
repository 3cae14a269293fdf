"""The paper's toy figures again, each with its claims checked."""

from functools import partial

import streamlit as st

from app import cached, controls
from pkpo import paper
from pkpo.figures import export
from pkpo.figures.paper import DRAW

st.header("Does the paper hold? Its toy figures, recomputed and checked", anchor=False)
seed = controls.seed("seed")
results = [cached.paper_figure(key, seed) for key in paper.RECIPES]
claims = [claim for result in results for claim in result.claims]
failed = [claim for claim in claims if not claim.passed]
seconds = sum(result.seconds for result in results)
verdict = f"**{len(claims) - len(failed)} of {len(claims)} claims hold** with seed {seed}"
st.markdown(f"{verdict}, computed in {seconds:.1f} s. Every measured number is computed here.")
with st.container(horizontal=True, vertical_alignment="bottom"):
    controls.seed_input("seed")
    st.download_button(
        "All files (ZIP)",
        lambda: paper.to_zip(results, export.write_figure),
        f"pkpo-figures-seed-{seed}.zip",
        "application/zip",
        icon=":material/folder_zip:",
        help="Per figure a CSV, an interactive page and an image, and claims.json.",
    )
    with st.popover("Copy as command", icon=":material/terminal:"):
        st.code(f"python -m pkpo figures --out figures --seed {seed}", language="bash")

for result in results:
    recipe = paper.RECIPES[result.key]
    figure = DRAW[result.key](result.table)
    st.subheader(recipe.title, anchor=result.key, divider="gray")
    st.markdown(recipe.message)
    st.plotly_chart(
        figure,
        key=f"{result.key}-{seed}",
        theme=None,
        height=430,
        config={
            "displaylogo": False,
            "modeBarButtons": [["toImage", "resetScale2d"]],
            "showTips": False,
        },
        alt=f"{recipe.title}. {recipe.message} "
        + " ".join(f"{claim.text} {claim.measured}." for claim in result.claims[:3]),
    )
    held = sum(claim.passed for claim in result.claims)
    open_at_once = held < len(result.claims) or len(result.claims) <= 4
    with st.expander(f"{held} of {len(result.claims)} claims hold", expanded=open_at_once):
        for claim in result.claims:
            icon = ":green[:material/check_circle:]" if claim.passed else ":red[:material/cancel:]"
            st.markdown(
                f"{icon} **{controls.plain(claim.text)}** {controls.plain(claim.measured)}"
                f" (required: {controls.plain(claim.required)})"
            )
    with st.container(horizontal=True, vertical_alignment="center"):
        source = f"seed {seed}" if recipe.random else "exact: no seed"
        st.caption(f"{source}; {result.seconds:.2f} s", width="content")
        st.download_button("CSV", paper.to_csv(result), f"{result.key}.csv", "text/csv")
        st.download_button(
            "Settings", paper.config_json(recipe, seed), f"{result.key}.json", "application/json"
        )
        for kind, mime in (("svg", "image/svg+xml"), ("png", "image/png")):
            st.download_button(
                kind.upper(),
                partial(export.image, figure, kind),
                f"{result.key}.{kind}",
                mime,
                key=f"{result.key}-{kind}",
            )
