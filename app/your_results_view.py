"""What "Your results" says of graded samples: curves, reliability, a table, files to take away."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import cycle

import streamlit as st

from app import charts, controls, page_memory
from app.controls.your_results import FILE_EXAMPLES, NamedResults, ResultsInput, example_files
from app.glossary import link_terms, term_link
from app.runs.tables import table
from pkpo.evaluation import (
    Evaluation,
    PairedComparison,
    Results,
    compare_results,
    evaluate_results,
    evaluation_csv,
    rows_shown,
)
from pkpo.evaluation.curves import K_SHOWN
from pkpo.evaluation.report import DECIDING, SEEDS_COMPARED
from pkpo.figures import evaluation as figures

EVERY_K = 64
"""All k up to here, and every power of two and the last beyond: what the page computes."""
COVER_RATES = tuple(i / 100 for i in range(1, 101))
NAMES_SHOWN = 200
EVALUATED = "results-evaluated"


def show_example_note(first: Results) -> None:
    """What the example is, of which that is the first file, and its files."""
    st.markdown(
        link_terms(
            "**An example, from recorded runs:** a small language model, trained for one try and for "
            f"the best of 8, with {len(first.seeds)} seeds each. A file has {first.smallest_n} graded "
            f"answers of every seed to the same {len(first.rewards):,} hard problems, which none of "
            "them has seen. Which one would you take?"
        )
    )
    with st.container(horizontal=True):
        for name, data in example_files().items():
            st.download_button(name, data, name, "text/csv", icon=":material/download:")


def show_formats() -> None:
    """What a file may look like, and what becomes of it."""
    with st.expander("What a file looks like"):
        for (words, text), place in zip(FILE_EXAMPLES.items(), cycle(st.columns(2)), strict=False):
            place.markdown(f"**{words}**")
            place.code(text, language=None)
        st.markdown(
            "Logs of samples by lm-evaluation-harness are read, too. Seeds may also come as a file "
            "each, uploaded together. Other columns do no harm."
        )
    st.caption(
        "Read in this server's memory while the page is open: nothing is written to disk, and nothing "
        "of it is in the address."
    )


def page_ks(most: int) -> list[int]:
    """The k that the page computes, of those up to so many."""
    most = min(most, K_SHOWN)
    return [k for k in range(1, most + 1) if k <= EVERY_K or k & (k - 1) == 0 or k == most]


def show_evaluations(given: ResultsInput) -> None:
    """Everything that one or two results say."""
    if not given.found:
        page_memory.forget(EVALUATED)
        return
    evaluations, compared, reason = page_memory.remember(
        EVALUATED, given.key, lambda: _evaluate(given.found)
    )
    if reason:
        st.error(controls.problem_text(reason), icon=":material/error:")
    binary = all(one.results.binary for one in evaluations)
    for place, one in enumerate(evaluations):
        head = ("The first", "The second")[place] if len(evaluations) == 2 else "This"
        st.markdown(
            f"{head}, {controls.code_text(one.name)}: "
            + link_terms(figures.describe_evaluation(one))
            + f" {len(one.results.rewards):,} problems, {one.results.samples:,} samples. "
            + link_terms(figures.describe_seeds(one))
        )
    if compared:
        st.markdown(link_terms(figures.describe_comparison(compared, binary)))
    layouts = dict.fromkeys(one.results.layout for one in evaluations)
    heads = ("Read as",) if len(layouts) == 1 else ("The first is read as", "The second as")
    told = ". ".join(f"{head} {layout}" for head, layout in zip(heads, layouts, strict=False))
    st.caption(controls.plain_text(f"{told}."))
    _show_curves(evaluations, compared, binary)
    _show_table(evaluations, compared, binary)
    if binary:
        _show_coverage(evaluations)
    if compared:
        _show_won_and_lost(compared)
    _show_exports(evaluations, compared, "" if given.apart else " --pool-seeds")


def _evaluate(
    found: NamedResults,
) -> tuple[list[Evaluation], PairedComparison | None, str]:
    """What is said of each, of both, and why they cannot be compared."""
    ks = page_ks(min(results.smallest_n for _, results in found))
    evaluations = evaluate_results(found, ks, COVER_RATES)
    if len(found) < 2:
        return evaluations, None, ""
    try:
        return evaluations, compare_results(found[0][1], found[1][1], ks), ""
    except ValueError as reason:
        return evaluations, None, str(reason)


def _show_curves(
    found: Sequence[Evaluation], compared: PairedComparison | None, binary: bool
) -> None:
    left, right = st.columns(2, gap="large") if compared else (st.container(), None)
    words = " ".join(figures.describe_evaluation(one) for one in found)
    with_seeds = [bool(one.curve.seeds) for one in found]
    over = "problems"
    if any(with_seeds):
        over += " and seeds" if all(with_seeds) else ", and seeds where there are several"
    with left:
        st.markdown(
            link_terms(
                f"**{'pass@k' if binary else 'max@k'} by k**, with 95% intervals over {over}"
            )
        )
        charts.show_chart(figures.plot_evaluations(found), "results-curves", words, 400)
        told = []
        if any(with_seeds):
            told.append("Thin: each seed. Intervals with seeds are Student's t, as seeds are few.")
        if binary:
            told.append(
                "Solid: unbiased, by ρ. Dotted: the plug-in 1 − (1 − c/n)^k, which is too low for "
                "k > 1 as it takes few right answers for a low pass rate."
            )
        if told:
            st.caption(link_terms(" ".join(told)))
    if compared and right:
        with right:
            st.markdown("**The second less the first**, problem by problem")
            charts.show_chart(
                figures.plot_comparison(compared, binary),
                "results-difference",
                figures.describe_comparison(compared, binary),
                400,
            )
            seeds = SEEDS_COMPARED[compared.seeds]
            st.caption(
                f"On the {len(compared.problems):,} problems of both{f'; {seeds}' if seeds else ''}. A "
                "dot has a result's colour where its lead is sure, and is grey where 0 is within the "
                "interval."
            )


def _show_table(
    found: Sequence[Evaluation], compared: PairedComparison | None, binary: bool
) -> None:
    scale, form = (100, ".1f") if binary else (1, ".4g")
    heads = ["k"]
    for place, one in enumerate(found):
        label = ("the first", "the second")[place] if len(found) == 2 else one.quantity
        heads += [f"{label}, %" if scale == 100 else label]
        if binary and one.plug_in is not None and len(found) == 1:
            heads.append("plug-in, %")
        if one.curve.seeds:
            heads.append("its seeds")
    if compared:
        heads += ["change", "problems to decide", f"or {DECIDING[compared.seeds]}"]
    rows = []
    for i in rows_shown(found[0].curve.ks):
        cells = [str(found[0].curve.ks[i])]
        for one in found:
            curve = one.curve
            low, high = scale * curve.low[i], scale * curve.high[i]
            cells.append(f"{scale * curve.mean[i]:{form}} ({low:{form}} to {high:{form}})")
            if binary and one.plug_in is not None and len(found) == 1:
                cells.append(f"{scale * one.plug_in[i]:{form}}")
            if curve.seeds:
                at = [scale * values[i] for values in curve.seeds.values()]
                cells.append(f"{min(at):{form}} to {max(at):{form}}")
        if compared:
            curve = compared.difference
            low, high = scale * curve.low[i], scale * curve.high[i]
            told = f"{scale * curve.mean[i]:+{form}} ({low:+{form}} to {high:+{form}})"
            told = told.replace("-", "−")
            cells.append(f"**{told}**" if low > 0 or high < 0 else told)
            size = compared.needs[i]
            cells += [f"{x:,}" if x else "–" for x in (size.problems, size.samples or size.seeds)]
        rows.append([cell.replace(" ", "\N{NO-BREAK SPACE}") for cell in cells])
    st.markdown(table(heads, rows))
    notes = []
    if any(one.curve.seeds for one in found):
        notes.append("Its seeds: the lowest and the highest.")
    if compared:
        several = compared.seeds != "single"
        notes.append("Bold: 0 is outside the interval.")
        notes.append(
            f"To decide: so many problems in all, with as many {'seeds and ' * several}samples each, or "
            f"so many {'seeds in all on' if several else 'samples in all of each of'} these problems, "
            "would exclude 0 in 4 of 5 repeats, were the difference "
            f"{'and its variances what they look' if several else 'what it looks'} like. –: "
            + (
                "no number is enough, since the others, which stay as they are, leave too much open."
                if several
                else "no number of samples would do, or k is over half the samples, where that is not "
                "known."
            )
        )
    if notes:
        st.caption(link_terms(" ".join(notes)))


def _show_coverage(found: Sequence[Evaluation]) -> None:
    told = figures.describe_coverage(found)
    st.subheader("How reliably? Pass@k favours lucky hits", anchor=False)
    charts.show_chart(figures.plot_coverage(found), "results-coverage", told, 380)
    drawn = found[0].coverage.samples if found[0].coverage else 0
    st.markdown(controls.plain_text(told))
    st.caption(
        f"{term_link('cover-at-tau')}: the share of problems whose pass rate is at least τ. No estimate "
        f"of it from n samples is unbiased. The line is the share that gets at least τ of {drawn} fresh "
        "samples right, estimated without bias; the band is what Cover@τ itself may be, as far as each "
        "problem's own 95% interval decides."
    )


def _show_won_and_lost(compared: PairedComparison) -> None:
    won, lost = len(compared.won), len(compared.lost)
    words = f"Solved by one alone: {won:,} by the second, {lost:,} by the first"
    with st.expander(words):
        for label, names in (("The second alone", compared.won), ("The first", compared.lost)):
            shown = ", ".join(controls.code_text(name[:60]) for name in names[:NAMES_SHOWN])
            rest = f" and {len(names) - NAMES_SHOWN:,} more" if len(names) > NAMES_SHOWN else ""
            st.markdown(f"**{label}:** {shown or 'none'}{rest}")
        st.caption(
            "By the best of all samples of a problem. Few samples make luck of it: see the curves."
        )


def _show_exports(
    found: Sequence[Evaluation], compared: PairedComparison | None, options: str
) -> None:
    files = shlex.join(one.name for one in found) + options
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.download_button(
            "CSV, every k",
            evaluation_csv(found, compared),
            "results-by-k.csv",
            "text/csv",
            icon=":material/download:",
        )
        with st.popover("Copy as command", icon=":material/terminal:"):
            st.code(f"python -m pkpo evaluate {files}", language="bash", wrap_lines=True)
            st.code(f"python -m pkpo evaluate {files} --json", language="bash", wrap_lines=True)
            st.markdown("The same numbers, from the files on your machine.")
            if any("*" in one.name for one in found):
                st.markdown(
                    "A name with \\* stands for the files of all seeds, and must match no others."
                )
