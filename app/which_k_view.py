"""What "Which k?" answers: the k, its price, a schedule, and what recorded runs did."""

from __future__ import annotations

import streamlit as st

from app import charts, controls, page_registry
from app.controls.which_k import WhichKSettings
from app.glossary import link_terms
from app.runs.tables import marked_change, table
from pkpo import analysis
from pkpo.analysis import KChoice
from pkpo.comparisons import word_problems as study
from pkpo.figures import k_choice as figures
from pkpo.intervals import CONFIDENCE
from pkpo.lm.experiments import EXPERIMENTS, METHODS, recorded_runs

RECORDED_EXPERIMENT = "fresh"
RECORDED_METHODS = ("k1", "k2", "k4", "k8", "annealed", "tzsm25")
ANNEALED_SHARE = METHODS["annealed"].share or 0.0
"""Of the updates, after which the recorded annealed run takes k = 1."""


def show_choice(found: KChoice) -> None:
    """The answer, with its curves."""
    text = figures.describe_choice(found)
    st.markdown(link_terms(text))
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown("**What a step for each k brings**")
        charts.show_chart(figures.plot_gain(found), "which-k-gain", text, 380, buttons=False)
    with right:
        st.markdown("**What your model solves today**")
        ends = f"{found.solved[0]:.1%} in one try"
        charts.show_chart(figures.plot_today(found), "which-k-today", ends, 380, buttons=False)
    st.caption(
        link_terms(
            f"{figures.describe_silence(found)} Exact: every problem is taken to have parameters of "
            "its own, one group of n answers an update, weights by loo-1, and steps of the same "
            "expected length. Not claimed: what long training does. Problems that share parameters can "
            "pull against each other, and then a large k can cost single tries more than is shown."
        )
    )


def show_schedules(found: KChoice, asked: WhichKSettings) -> None:
    """Schedules to copy."""
    st.subheader("A schedule to copy", anchor=False)
    told = (
        "If only the best counts, all the way:",
        f"If single tries count, too: first explore, and from {ANNEALED_SHARE:.0%} of the updates on "
        "train for a single try.",
    )
    advised = analysis.advised_schedules(found.best, asked.updates, ANNEALED_SHARE)
    for words, schedule, place in zip(told, advised, st.columns(2), strict=False):
        place.markdown(link_terms(words))
        place.code(str(schedule), language=None)


def show_recorded(tries: int) -> None:
    """What recorded runs of the language model did, with their errors."""
    k = min(tries, study.HELD_OUT_COMPLETIONS)
    runs = {name: recorded_runs(RECORDED_EXPERIMENT, name) for name in RECORDED_METHODS}
    st.subheader("What happened on a language model", anchor=False)
    if k < tries:
        st.markdown(f"Recorded runs were measured with up to {k} tries.")
    wanted = sorted({1, k})
    before = study.pass_at_k_at(runs["k1"], study.HELD_OUT_PASS, 0)
    ends = {n: study.pass_at_k_at(r, study.HELD_OUT_PASS, -1) for n, r in runs.items()}
    best = {j: max(ends, key=lambda name: ends[name][j].mean) for j in wanted}
    heads = ["Trained for"]
    for j in wanted:
        heads += [f"pass@{j}, %", "against k = 1, points"]
    first = [cell for j in wanted for cell in (f"{100 * before[j].mean:.1f}", "")]
    rows = [["Before training", *first]]
    for name, records in runs.items():
        cells = []
        for j in wanted:
            value = f"{100 * ends[name][j].mean:.1f} ± {100 * ends[name][j].error:.1f}"
            cells.append(f"**{value}**" if best[j] == name else value)
            cells.append(
                "" if name == "k1" else marked_change(study.pass_at_k_gain(records, j, runs["k1"]))
            )
        rows.append([controls.plain_text(METHODS[name].label), *cells])
    st.markdown(table(heads, rows))
    seeds = len(EXPERIMENTS[RECORDED_EXPERIMENT].seeds)
    st.caption(
        link_terms(
            f"Held-out problems, mean of {seeds} seeds ± one standard error. Differences are paired, "
            f"with their {CONFIDENCE:.0%} interval over seeds and problems (Student's t, as seeds are "
            "few); ▲ ▼: 0 is not in it. Bold: the best mean, surely or not. One small model, one kind "
            "of problem, one step size."
        )
    )
    st.page_link(
        page_registry.get_page("language_model"),
        label="These runs in full",
        icon=":material/arrow_forward:",
    )
