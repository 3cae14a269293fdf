"""The views of the variance lab: each reads its own controls and shows its figures."""

from __future__ import annotations

import streamlit as st

from app import cached, charts, controls, page_registry
from app.components import player
from app.controls.variance_lab import LabPage
from app.glossary import link_terms
from pkpo import analysis
from pkpo.analysis import AnalysisSettings
from pkpo.comparisons import word_problems
from pkpo.comparisons.settings import parse_comparison
from pkpo.figures import variance_lab as figures
from pkpo.figures.style import k_colour
from pkpo.lm.experiments import recorded_runs

MANY = 50  # ways to be right in the second map
RATES_BANDIT, RATES_ESTIMATORS = "crowded", ("sloo_minus_one", "rloo", "grpo", "maxrl")
RATES_EXPERIMENT, RATES_METHODS = "hard-unseen", ("k1", "k8")
"""Whose pass rates are followed along runs."""
RATES_PANELS = ("stage", "rates", "value", "entropy", "groups")


def show_winner_map(point: AnalysisSettings, page: LabPage) -> None:
    """The headline: loo-1 against canonical over k and another axis."""
    st.markdown(
        link_terms(
            "Both are unbiased for max@k. Purple: **loo-1**, the paper's choice, has less "
            "variance; green: "
            "**canonical**, the centred form. The deeper, the larger the factor."
        )
    )
    axis = controls.lab_axis(point, page, without=("k",))
    if point.problem == "binary" and axis in ("p", "n"):
        other = point.ways if point.ways > 1 else MANY
        for column, ways in zip(st.columns(2, gap="medium"), (1, other), strict=True):
            with column:
                here = cached.cached_winner_map(point.replace(ways=ways, k=1), axis)
                text = figures.describe_map(here)
                st.markdown(
                    link_terms(
                        f"**{'One way' if ways == 1 else f'{ways} ways'} to be right.** {text}"
                    )
                )
                charts.show_chart(figures.plot_winner_map(here, ways > 1), f"map-{ways > 1}", text)
    else:
        try:
            here = cached.cached_winner_map(point.replace(k=1), axis)
        except ValueError as reason:
            st.info(controls.problem_text(reason))
            return
        text = figures.describe_map(here)
        st.markdown(link_terms(text))
        charts.show_chart(figures.plot_winner_map(here), "map", text)
        if point.problem == "hill":
            st.caption(
                link_terms(
                    "Measured on 5,000 groups per column; a dot: not decided at 95% confidence."
                )
            )
    found = cached.cached_explanation()
    with st.container(border=True):
        left, right = st.columns(2, gap="medium")
        left.markdown(link_terms(figures.advice(found)))
        left.markdown(
            link_terms(
                "Ways to be right count if each pulls the policy its own way. Right answers of "
                "a language "
                "model pull much alike, however many there are, and there loo-1 has less variance:"
            )
        )
        left.page_link(
            page_registry.get_page("paper_figures"),
            label="Measured under “Which estimator suits a language model?”; “Can the baseline choose "
            "itself?” has one that does",
            icon=":material/arrow_forward:",
        )
        with right:
            st.markdown(
                link_terms("**What explains the winner?** Each factor alone, and together:")
            )
            charts.show_chart(
                figures.plot_explanation(found), "explained", "Explained shares by factor", 260
            )
        st.caption(link_terms(figures.WHY))


def show_curves(point: AnalysisSettings, page: LabPage) -> None:
    """Any measure along any axis."""
    left, right = st.columns([2, 1])
    with left:
        axis = controls.lab_axis(point, page)
    with right:
        controls.lab_measure(page)
    controls.lab_estimators(page)
    try:
        points = cached.cached_curves(point, axis, page.show)
    except ValueError as reason:
        st.info(controls.problem_text(reason))
        return
    if not points:
        st.info("None of these estimators allows this n and k.")
        return
    text = figures.describe_curves(points, axis)
    st.markdown(link_terms(text))
    charts.show_chart(figures.plot_curves(points, axis, page.measure), "curves", text)
    exact = any(p.exact for p in points)
    st.caption(
        link_terms(
            f"Points: {points[0].measured.replicates:,} groups each, the same for all, with 95% bands"
            + (
                " (bias: two standard errors). Lines: exact, by enumeration of outcome counts."
                if exact
                else "."
            )
        )
    )


def show_dial(point: AnalysisSettings, page: LabPage) -> None:
    """Between and beyond loo-1 and canonical."""
    st.markdown(
        link_terms(
            "One formula holds both: w = (k/n)(q − b), with b between two baselines. At α = 0 it is "
            "**loo-1**, at α = 1 **canonical**; every fixed α is unbiased, and the variance is "
            "a parabola."
        )
    )
    try:
        found = analysis.dial_variance(point)
    except ValueError as reason:
        st.info(controls.problem_text(reason))
        return
    controls.lab_alpha(page)
    text = figures.describe_dial(found, page.alpha)
    st.markdown(link_terms(text))
    left, right = st.columns(2, gap="medium")
    with left:
        charts.show_chart(figures.plot_dial(found, page.alpha), "dial", text, 420)
    with right:
        axis = controls.lab_axis(point, page)
        x, dials = cached.cached_dial_variance(point, axis)
        if len(x):
            charts.show_chart(
                figures.plot_best_dials(x, dials, axis), "best-dial", f"Best α along {axis}", 380
            )
        else:
            st.info(link_terms("The mixture needs k below n."))


def show_cloud(point: AnalysisSettings, page: LabPage) -> None:
    """Single estimates against the truth."""
    controls.lab_estimators(page)
    try:
        found = analysis.sample_estimates(point, page.show)
    except ValueError as reason:
        st.info(controls.problem_text(reason))
        return
    if not found:
        st.info("None of these estimators allows this n and k.")
        return
    st.markdown(
        link_terms(
            f"**{figures.describe_cloud(found)}** A centre off the dashed line is bias; width is "
            "variance."
        )
    )
    charts.show_chart(
        figures.plot_cloud(found), "cloud", figures.describe_cloud(found), 120 + 75 * len(found)
    )


def show_budget(point: AnalysisSettings, page: LabPage) -> None:
    """Prompts times n."""
    controls.lab_total(page)
    names = [name for name in page.show if name in analysis.UNBIASED] or [
        "sloo_minus_one",
        "canonical",
    ]
    found = analysis.split_budget(point, names, page.total)
    text = figures.describe_budget(found, point.k)
    st.markdown(link_terms(f"**{text}**"))
    charts.show_chart(figures.plot_budget(found), "budget", text)
    rates = ", ".join(f"{p:g}" for p in analysis.MIXED_PASS_RATES)
    st.caption(
        link_terms(
            f"Exact. Solid: every prompt has pass rate p. Dashed: pass rates drawn from {rates}; few "
            "prompts then add variance of their own. All prompts move with one shared parameter."
        )
    )


def show_objectives(point: AnalysisSettings, page: LabPage) -> None:
    """The expected direction of what people train with."""
    found = analysis.expected_directions(point.n, point.k)
    rates = ", ".join(f"{p:.0%}" for p in analysis.PROMPT_RATES)
    st.markdown(
        link_terms(
            f"Three prompts share one policy, which is right on them with {rates}. Exact expected "
            f"directions against the gradient of max@k for every k, at n = {point.n} and, where "
            "it is used, "
            f"k = {point.k}: **where a curve touches 1 is what the estimator really follows.**"
        )
    )
    left, right = st.columns(2, gap="medium")
    names = ", ".join(
        f"{figures.estimator_label(t.estimator)}: nearest max@{t.nearest}" for t in found
    )
    with left:
        charts.show_chart(figures.plot_cosines(found), "cosine", f"Cosines. {names}.")
    with right:
        charts.show_chart(figures.plot_scales(found), "scale", f"Scales. {names}.")
    st.dataframe(
        [
            {
                "estimator": figures.estimator_label(t.estimator),
                "nearest": f"max@{t.nearest}",
                "cosine there": t.cosine[t.nearest - 1],
                "scale there": t.scale[t.nearest - 1],
                "is the gradient of": figures.objective_of(t.estimator),
            }
            for t in found
        ],
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="%.3f")
            for name in ("cosine there", "scale there")
        },
    )


def show_rate_weights(point: AnalysisSettings, page: LabPage) -> None:
    """What each method makes of a prompt by its pass rate, and the pass rates of prompts along runs."""
    found = cached.cached_rate_weights(point.n, point.k)
    text = figures.describe_rate_weights(found)
    st.markdown(
        link_terms(
            "With rewards of 0 and 1, what an estimator expects to do at a prompt is a weight times the "
            f"gradient of its pass rate p. At n = {point.n} and, where it is used, k = {point.k}: "
            f"**{text}**"
        )
    )
    charts.show_chart(figures.plot_rate_weights(found, point.n, point.k), "rates", text, 430)
    st.dataframe(
        figures.tabulate_rate_weights(found),
        hide_index=True,
        column_config={
            "w(p)": st.column_config.TextColumn(width="medium"),
            **{
                f"w({p:g})": st.column_config.NumberColumn(format="%.3f")
                for p in (figures.HARD, figures.EVEN, 1 - figures.HARD)
            },
        },
    )
    st.caption(
        link_terms(
            "Lines: exact at this n, from the estimators' own weights over every number of right "
            "samples. Dotted: what they tend to for large groups. The table has all that are "
            "registered."
        )
    )
    st.subheader("The same along a run: six prompts share one policy", anchor=False)
    st.markdown(
        link_terms(
            f"Four estimators on the same random numbers (n = {point.n}, k = {point.k} where it is "
            "used). Choose one, and play: bars are the prompts' own pass rates, each dot is what "
            "the estimator makes of one of them."
        )
    )
    runs = parse_comparison(
        {"task": "bandit", "bandit": RATES_BANDIT, "n": point.n, "schedule": str(point.k)},
        f"estimator {' '.join(RATES_ESTIMATORS)}",
    )
    player.show_player(cached.cached_playback(runs, RATES_PANELS), key="lab-player")
    st.subheader("And of a language model: word problems never seen", anchor=False)
    _show_rate_history()


def _show_rate_history() -> None:
    """Pass rates of held-out problems along the recorded runs, before, on the way and after."""
    below = 0.5
    for method, column in zip(RATES_METHODS, st.columns(len(RATES_METHODS)), strict=True):
        record = recorded_runs(RATES_EXPERIMENT, method)[0]
        config, tries = record.config, word_problems.HELD_OUT_COMPLETIONS
        k = config.k_schedule(0)
        history = [
            (update, word_problems.solved_counts(record, update))
            for update in word_problems.updates_with(record, "held_out")
        ]
        first, last = (
            analysis.weight_below(below, counts / tries, config.estimator, config.n, k)
            for _, counts in (history[0], history[-1])
        )
        text = (
            f"Trained with k = {k}: of the weight w(p), {first:.0%} lies on problems solved less than "
            f"every other time before training, {last:.0%} after."
        )
        with column:
            st.markdown(link_terms(text))
            charts.show_chart(
                figures.plot_rate_history(history, tries, k_colour(k), config.n, k),
                f"history-{method}",
                text,
                360,
            )
    st.caption(
        link_terms(
            f"{len(history[0][1]):,} held-out problems, {tries} answers each, one seed: a pass rate "
            f"is known to a standard error of at most {0.5 / tries**0.5:.1%}."
        )
    )


def show_value_variance(point: AnalysisSettings, page: LabPage) -> None:
    """The variance of ρ."""
    ks = [k for k in (1, 2, 4, 8, 16, 32) if k <= point.n]
    st.markdown(
        link_terms(
            "The estimate of pass@k itself: the variance of **ρ(n, c, k)** over c ~ Binomial(n, "
            "p), exact, "
            "and the paper's Corollary 3, k² p (1 − p)^(2k−1) / n, to which it tends for large n."
        )
    )
    charts.show_chart(
        figures.plot_value_variance(point.n, ks),
        "value",
        f"Variance of ρ for n = {point.n}, k = {ks}",
    )
