"""The paper's figures again, each with its claims checked."""

import streamlit as st

from app import cached, controls, paper_figure_view
from app.glossary import link_terms
from pkpo import paper
from pkpo.figures import export, report

st.header("Does the paper hold? Its figures, made again and checked", anchor=False)
seed = controls.read_seed("seed")
results, missing = [], {}
for key in paper.RECIPES:
    try:
        results.append(cached.cached_paper_figure(key, seed))
    except ValueError as reason:
        missing[key] = str(reason)
claims = [claim for result in results for claim in result.claims]
seconds = sum(result.seconds for result in results)
counts = " ".join(
    f"**{words}:** {paper_figure_view.verdicts_in_words(own)}."
    for kind, words in paper.KINDS.items()
    if (own := [claim for claim in claims if claim.kind == kind])
)
st.markdown(
    link_terms(
        f"{counts} Checked with seed {seed} in {seconds:.1f} s. Figures 1, 2, 4 and 5 are computed "
        "here; the language model was trained before, as said at each figure."
    )
)
if links := [
    f"[{paper.RECIPES[result.key].title}](#{result.key}) ({open_ones})"
    for result in results
    if (open_ones := sum(not claim.passed for claim in result.claims))
]:
    st.markdown(f"Those that fail or are undecided: {'; '.join(links)}.")
with st.container(horizontal=True, vertical_alignment="bottom"):
    controls.seed_input("seed")
    st.download_button(
        "All files (ZIP)",
        lambda: export.figures_zip(results),
        f"pkpo-figures-seed-{seed}.zip",
        "application/zip",
        icon=":material/folder_zip:",
        help="Per figure a CSV, an interactive page and an image, tables, and claims.json. Unpack it "
        "first: the pages share one script.",
    )
    st.download_button(
        "Report (HTML)",
        lambda: report.report_html(results, seed),
        f"pkpo-report-seed-{seed}.html",
        "text/html",
        icon=":material/article:",
        help="One file for an appendix: verdict, figures with their claims, tables, settings, versions.",
    )
    with st.popover("Copy as command", icon=":material/terminal:"):
        st.code(f"python -m pkpo figures --out figures --seed {seed}", language="bash")
        st.code(f"python -m pkpo report --out report.html --seed {seed}", language="bash")
        st.caption("With `--out report.pdf` Chrome or Chromium prints it.")
        st.markdown("To train the language model's runs anew, about an hour on two cores:")
        trained = ",".join(key for key, recipe in paper.RECIPES.items() if recipe.source)
        st.code(f"python -m pkpo figures --out figures --only {trained}", language="bash")

for result in results:
    paper_figure_view.show_paper_figure(result, seed)
for key, message in missing.items():
    st.subheader(paper.RECIPES[key].title, anchor=key, divider="gray")
    st.warning(controls.problem_text(message))
