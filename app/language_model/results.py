"""What training changed: solved within k tries before and after, over updates, in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app import charts, controls
from app.components import live_charts
from app.components.live_charts import Series
from app.controls.language_page import LanguagePage
from app.glossary import link_terms
from app.language_model.introduction import show_introduction
from app.language_model.sources import MethodSource, methods
from app.runs.tables import marked_change, table
from pkpo.comparisons import word_problems as study
from pkpo.comparisons.settings import command_line
from pkpo.config import EVAL_KS
from pkpo.figures import language_model as figures
from pkpo.intervals import CONFIDENCE
from pkpo.runs.sweep import SeedMean

Curves = Sequence[Mapping[int, SeedMean]]
TRAINING, UNSEEN = "The problems trained on", "Unseen problems"


@dataclass(frozen=True, slots=True)
class SolvedWithinK:
    """What is solved within k tries, before training and after."""

    title: str
    before: Mapping[int, SeedMean] | None
    """By k; None where it was not measured on the same problems."""
    after: Sequence[tuple[str, str, Mapping[int, SeedMean]]]
    """Label and colour of each method, and values by k."""
    earned: bool = False
    """Whether the values are rewards, which what is wrong may earn, too."""


def show_results(values: dict[str, Any], page: LanguagePage) -> None:
    """The view."""
    title = st.container()
    controls.language_view(page)
    first = st.container()
    controls.language_experiment(page)
    found = methods(page)
    shown = [method for method in found if study.updates_with(method.records[0], "held_out")]
    if not shown:
        title.header("What does training for the best of k change?", anchor=False)
        st.info("Nothing is measured of these runs yet. Choose others, or train some.")
        return
    with first:
        show_introduction(shown)
    fixed = study.has_fixed_problems(shown[0].config)
    unseen = pairs(shown, study.HELD_OUT_PASS)
    training = pairs(shown, study.ROLLING_PASS)
    labels = [method.label for method in shown]
    told = (
        figures.headline_of_fixed(labels, training, unseen)
        if fixed
        else figures.headline(labels, unseen)
    )
    title.header(told, anchor=False)
    left, right = st.columns([5, 3] if fixed else [3, 2], gap="large")
    with left:
        sets = [(TRAINING, training)] * fixed + [(UNSEEN, unseen)]
        show_before_and_after([_solved(title, shown, rows) for title, rows in sets], "recorded")
    with right:
        _in_words(shown)
    st.subheader("During training", anchor=False)
    show_over_updates(shown)
    with st.expander("All numbers"):
        _numbers(shown, unseen)
    with st.popover("Copy as command", icon=":material/terminal:"):
        st.caption("Trains each of these with its first seed, without a browser:")
        lines = "\n".join(command_line([method.config]) for method in shown)
        st.code(lines, language="bash", wrap_lines=True)


def pairs(found: Sequence[MethodSource], column: str) -> list[tuple[Mapping, Mapping]]:
    """Per method, pass@k before and after."""
    return [
        (study.pass_at_k_at(m.records, column, 0), study.pass_at_k_at(m.records, column, -1))
        for m in found
    ]


def _solved(
    title: str, found: Sequence[MethodSource], rows: Sequence[tuple[Mapping, Mapping]]
) -> SolvedWithinK:
    after = [(m.label, m.colour, now) for m, (_, now) in zip(found, rows, strict=True)]
    earned = title == TRAINING and study.has_partial_rewards(found[0].config)
    return SolvedWithinK(title, rows[0][0], after, earned)


def show_before_and_after(panels: Sequence[SolvedWithinK], key: str) -> None:
    """Figures side by side, on the same axis.

    Args:
      panels: what they show.
      key: names them on the page.
    """
    curves = [values for one in panels for _, _, values in one.after]
    y = figures.value_range(curves + [one.before for one in panels if one.before])
    for column, one in zip(st.columns(len(panels)), panels, strict=True):
        ends = [f"{label} {100 * list(now.values())[-1].mean:.1f}%" for label, _, now in one.after]
        with column:
            values = "best reward of" if one.earned else "solved within"
            st.markdown(f"**{one.title}**, {values} so many tries")
            charts.show_chart(
                figures.plot_pass_at_k(one.before, one.after, y),
                f"{key}-{one.title}",
                f"{one.title}: {'; '.join(ends)}",
                400,
            )


def _in_words(found: Sequence[MethodSource]) -> None:
    """The changes, and what is sure of them."""
    counted = [method for method in found if study.has_binary_reward(method.config)]
    gains = [
        [study.pass_at_k_gain(m.records, k) for k in (1, study.HELD_OUT_COMPLETIONS)]
        for m in counted
    ]
    heads = ["In points", "a single try", f"best of {study.HELD_OUT_COMPLETIONS}"]
    rows = [
        [f"**{controls.plain_text(method.label)}**", *map(marked_change, changes)]
        for method, changes in zip(counted, gains, strict=True)
    ]
    if rows:
        st.markdown(link_terms("**Unseen problems, since the start**"))
        st.markdown(table(heads, rows))
    if len(counted) > 1:
        first, second = counted[:2]
        single, many = (
            study.pass_at_k_gain(second.records, k, first.records)
            for k in (1, study.HELD_OUT_COMPLETIONS)
        )
        st.markdown(link_terms(figures.contrast(second.label, first.label, single, many)))
    config, seeds = found[0].config, [record.config.seed for record in found[0].records]
    few, bands = "", ""
    if len(seeds) > 1:
        few = " (Student's t, as seeds are few)"
        bands = f" Bands: ± one standard error, over seeds {', '.join(map(str, seeds))}."
    st.caption(
        link_terms(
            f"In brackets: {CONFIDENCE:.0%} interval over {'seeds and ' * (len(seeds) > 1)}problems"
            f"{few}, paired: all answer the same {config.held_out:,} held-out problems, "
            f"{study.HELD_OUT_COMPLETIONS} times each. ▲ ▼: 0 is not in it.{bands} One model, one kind "
            "of problem, one step size: others may differ."
        )
    )


def show_over_updates(found: Sequence[MethodSource]) -> None:
    """Charts that share their cursor and their stretch of updates."""
    panels = figures.language_panels(found[0].config)
    names = [panel.column for panel in panels]
    series = []
    for method in found:
        curves, errors = study.average_over_seeds([r.columns for r in method.records], names)
        name = "+".join(method.ids) or f"{method.config.to_dict()}"
        series.append(Series(name, method.label, method.colour, curves, errors))
    marks = switches([(method.label, method.config) for method in found])
    live_charts.show_live_charts(series, panels, marks, key="language-charts")


def switches(found: Sequence[tuple[str, Any]]) -> list[tuple[int, str]]:
    """Where a schedule takes another k, to stand under the axis; of labels and settings."""
    marks = {
        piece.start: f"{label}: k = {piece.first}"
        for label, config in found
        for piece in config.k_schedule.pieces[1:]
    }
    return list(marks.items())


def _numbers(found: Sequence[MethodSource], unseen: Sequence[tuple[Mapping, Mapping]]) -> None:
    heads = ["Unseen problems", *(f"pass@{k}" for k in EVAL_KS)]
    heads += ["training: entropy", "training: solved at all"]
    rows = [["Before training", *(_spread(unseen[0][0][k]) for k in EVAL_KS), "", ""]]
    for method, (_, after) in zip(found, unseen, strict=True):
        more = [
            _spread(SeedMean.from_values([record.final(name) for record in method.records]))
            for name in ("entropy", "cumulative_solve_rate")
        ]
        rows.append(
            [
                f"**{controls.plain_text(method.label)}**",
                *(_spread(after[k]) for k in EVAL_KS),
                *more,
            ]
        )
    st.markdown(table(heads, rows))


def _spread(spread: SeedMean) -> str:
    spreads = spread.error > 1e-12  # not one seed's nan, not what all seeds share
    return f"{spread.mean:.3f} ± {spread.error:.3f}" if spreads else f"{spread.mean:.3f}"
