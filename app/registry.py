"""The pages, in the order of the navigation; a page exists once it is listed here."""

from __future__ import annotations

import streamlit as st


def pages() -> list:
    """Every page for `st.navigation`."""
    return [start(), toy_problem(), estimators(), paper_figures()]


def start():
    """What pass@k training is about, and where to go."""
    return st.Page(
        "app_pages/start.py",
        title="Start",
        icon=":material/home:",
        default=True,
        help="What pass@k training is about, in one screen.",
    )


def toy_problem():
    """The paper's one-dimensional problem."""
    return st.Page(
        "app_pages/toy_problem.py",
        title="Toy problem",
        icon=":material/landscape:",
        url_path="toy-problem",
        help="The paper's one-dimensional problem: train, play back, compare.",
    )


def paper_figures():
    """The paper's toy figures with their claims."""
    return st.Page(
        "app_pages/paper_figures.py",
        title="Paper figures",
        icon=":material/fact_check:",
        url_path="paper-figures",
        help="The paper's toy figures again, each with its claims checked.",
    )


def estimators():
    """One group of rewards, every estimator."""
    return st.Page(
        "app_pages/estimators.py",
        title="Estimators",
        icon=":material/balance:",
        url_path="estimators",
        help="Type a group's rewards and see every estimator's weights, formula and matrix.",
    )
