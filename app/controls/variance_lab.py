"""The variance lab's controls. The address is their state: it holds what differs from the default."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from app.controls.address_reader import read_link, show_complaints
from app.controls.address_widgets import bind, one_of
from app.controls.numbers import number_input
from app.controls.problem_spec import estimators_of_any_reward
from pkpo import analysis
from pkpo.analysis import AnalysisSettings
from pkpo.analysis.settings import DIMENSIONS, WAYS
from pkpo.estimators import get_estimator
from pkpo.fields import FieldError, parse_field, parse_number
from pkpo.figures.variance_lab import MEASURES

LAB_VIEWS = {
    "map": "Winner map",
    "curves": "Curves",
    "dial": "Mix of loo-1 and canonical",
    "cloud": "Single estimates",
    "budget": "Fixed budget",
    "targets": "What is optimised?",
    "rates": "Which prompts count?",
    "value": "Value estimate",
}
LAB_FIELDS = {field.name: field for field in dataclasses.fields(AnalysisSettings)}


def _names(text: str) -> tuple[str, ...]:
    return analysis.check_estimators(text.split())


def _alpha(text: str) -> float:
    alpha = parse_number("alpha", text)
    low, high = ALPHAS
    if not low <= alpha <= high:
        raise FieldError("alpha", f"alpha must be from {low:g} to {high:g}, got {text[:40]}")
    return alpha


ALPHAS = (-2.0, 2.0)
TOTALS = (16, 32, 64, 128, 256)


def _total(text: str) -> int:
    if text not in map(str, TOTALS):
        raise ValueError(f"total must be one of {', '.join(map(str, TOTALS))}, got {text[:40]!r}")
    return int(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabPage:
    """What the page shows of a point: its own settings."""

    view: str
    """A key of `LAB_VIEWS`."""
    axis: str
    """A key of `analysis.AXES`; "" for the figure's first."""
    measure: str
    """A key of `MEASURES`."""
    show: tuple[str, ...]
    """Estimators."""
    alpha: float
    """Of the dial."""
    total: int
    """Samples per update."""


LAB_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "view": ("map", one_of("view", tuple(LAB_VIEWS))),
    "axis": ("", one_of("axis", tuple(analysis.AXES))),
    "measure": ("variance", one_of("measure", tuple(MEASURES))),
    "show": ("s sloo sloo_minus_one canonical", _names),
    "alpha": ("0.5", _alpha),
    "total": ("64", _total),
}
"""The page's own settings beside `AnalysisSettings`: default text, and how a text is read."""
_bind = partial(bind, "lab")


def lab_settings() -> tuple[AnalysisSettings, LabPage]:
    """The point that the address asks for, and the page's own settings.

    What cannot be used is said at the page's top and left at its default; an impossible pair of n and k
    leaves the picture at the last possible one.
    """
    shown: dict[str, Any] = {
        name: read(default) if default else "" for name, (default, read) in LAB_READERS.items()
    }
    readers = {name: partial(parse_field, field) for name, field in LAB_FIELDS.items()}
    given, problems = read_link(readers | {name: read for name, (_, read) in LAB_READERS.items()})
    shown |= {name: value for name, value in given.items() if name in LAB_READERS}
    try:
        point = AnalysisSettings(**{name: x for name, x in given.items() if name in LAB_FIELDS})
    except ValueError as reason:
        problems.append(str(reason))
        point = st.session_state.get("lab_possible", AnalysisSettings())
    st.session_state["lab_possible"] = point
    show_complaints(problems)
    return point, LabPage(**shown)


def lab_view(page: LabPage) -> None:
    """The row of buttons that chooses the figure."""
    st.segmented_control(
        "Figure",
        list(LAB_VIEWS),
        format_func=LAB_VIEWS.__getitem__,
        label_visibility="collapsed",
        required=True,
        **_bind("view", page.view, "map"),
    )


def lab_axis(point: AnalysisSettings, page: LabPage, without: Sequence[str] = ()) -> str:
    """Which axis to run over: the chosen one where this problem has it, else its first."""
    options = [name for name in point.axes if name not in without]
    first = next(name for name in ("p", "theta", "ways", "n") if name in options)
    chosen = page.axis if page.axis in options else first
    st.segmented_control(
        "Over",
        options,
        format_func=analysis.AXES.__getitem__,
        required=True,
        wrap=True,
        **_bind("axis", chosen, ""),
    )
    if page.axis not in ("", chosen):
        st.caption(f"This figure does not run over {analysis.AXES[page.axis]} for this problem.")
    return chosen


def lab_measure(page: LabPage) -> None:
    """What the curves show."""
    st.selectbox(
        "Measure",
        list(MEASURES),
        format_func=MEASURES.__getitem__,
        **_bind("measure", page.measure, "variance"),
    )


def lab_estimators(page: LabPage) -> None:
    """Which estimators the figure shows."""
    st.multiselect(
        "Estimators",
        list(dict.fromkeys([*estimators_of_any_reward(), *page.show])),
        format_func=lambda name: get_estimator(name).label,
        **_bind("show", list(page.show), LAB_READERS["show"][0]),
    )


def lab_total(page: LabPage) -> None:
    """How many samples an update has."""
    st.segmented_control(
        "Samples per update", TOTALS, required=True, **_bind("total", page.total, 64)
    )


def lab_alpha(page: LabPage) -> None:
    """α, the share of canonical in the mixture."""
    st.slider("α", *ALPHAS, step=0.05, **_bind("alpha", page.alpha, 0.5))


def lab_point(point: AnalysisSettings, without: Sequence[str]) -> None:
    """The sidebar: the problem, and where in it to look.

    Args:
      point: the settings in force.
      without: settings that the figure runs over or does not use.
    """
    drawn = {
        "binary": ("n", "k", "p", "ways", "wrong"),
        "graded": ("n", "k", "ways"),
        "hill": ("n", "k", "theta", "dimension"),
    }[point.problem]
    with st.sidebar:
        if "problem" not in without:
            st.selectbox(
                "Problem",
                list(analysis.PROBLEM_KINDS),
                format_func=analysis.PROBLEM_KINDS.__getitem__,
                **_bind("problem", point.problem, "binary"),
            )
        for name in drawn:
            if name not in without:
                _control(point, name)
        if "seed" not in without:
            _number(point, "seed", "Random seed")


def _control(point: AnalysisSettings, name: str) -> None:
    value, default = getattr(point, name), LAB_FIELDS[name].default
    if name == "n":
        top = LAB_FIELDS["n"].metadata["high"]
        low = point.k if 2 < point.k < top else 2  # no n below k
        st.slider("Samples per group, n", low, top, **_bind(name, value, default))
    elif name == "k":
        st.slider("Attempts that count, k", 1, point.n, **_bind(name, value, default))
    elif name == "p":
        low, high = LAB_FIELDS["p"].metadata["low"], LAB_FIELDS["p"].metadata["high"]
        st.slider("Pass rate p", low, high, step=0.005, **_bind(name, value, default))
    elif name == "theta":
        low, high = LAB_FIELDS["theta"].metadata["low"], LAB_FIELDS["theta"].metadata["high"]
        st.slider("θ of the policy", low, high, step=0.05, **_bind(name, value, default))
    else:
        options = DIMENSIONS if name == "dimension" else WAYS
        label, help = {
            "ways": (
                "Ways to be right" if point.problem == "binary" else "Ways to each level",
                "How many equally likely answers are right. One: all right samples pull the policy the "
                "same way. Many: each pulls its own way.",
            ),
            "wrong": ("Ways to be wrong", "How many equally likely answers are wrong."),
            "dimension": (
                "Dimension",
                "Coordinates of the policy; all but the first have no effect on the reward.",
            ),
        }[name]
        st.select_slider(label, sorted({*options, value}), help=help, **_bind(name, value, default))


def _number(point: AnalysisSettings, name: str, label: str) -> None:
    limits = LAB_FIELDS[name].metadata
    number_input(
        label,
        limits["low"],
        limits["high"],
        **_bind(name, getattr(point, name), LAB_FIELDS[name].default),
    )
