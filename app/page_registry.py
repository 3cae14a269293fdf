"""The pages, in the order of the navigation; a page exists once it is listed here."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route

from app import access

PAGES: dict[str, dict[str, Any]] = {
    "start": {
        "title": "Start",
        "icon": ":material/home:",
        "default": True,
        "help": "What pass@k training is about, in one screen.",
    },
    "learn": {
        "title": "Learn",
        "icon": ":material/school:",
        "url_path": "learn",
        "help": "Lessons that ask before they tell: pass@k, weights, annealing, a language model.",
    },
    "toy_problem": {
        "title": "Toy problem",
        "icon": ":material/landscape:",
        "url_path": "toy-problem",
        "help": "The paper's one-dimensional problem: train, play back, compare.",
    },
    "bandit": {
        "title": "Bandit",
        "icon": ":material/casino:",
        "url_path": "bandit",
        "help": "A policy over arms whose rewards you choose: what k keeps and what it drops.",
    },
    "language_model": {
        "title": "Language model",
        "icon": ":material/forum:",
        "url_path": "language-model",
        "help": "The paper's claim on a small language model: recorded runs, live training, playground.",
    },
    "runs": {
        "title": "Runs",
        "icon": ":material/timeline:",
        "url_path": "runs",
        "help": "Long training: start it, leave, come back, steer it, compare.",
    },
    "estimators": {
        "title": "Estimators",
        "icon": ":material/balance:",
        "url_path": "estimators",
        "help": "Type a group's rewards and see every estimator's weights, formula and matrix.",
    },
    "variance_lab": {
        "title": "Variance lab",
        "icon": ":material/query_stats:",
        "url_path": "variance-lab",
        "help": "Which estimator has the least variance, where, and why.",
    },
    "paper_figures": {
        "title": "Paper figures",
        "icon": ":material/fact_check:",
        "url_path": "paper-figures",
        "help": "The paper's figures again, each with its claims checked.",
    },
    "which_k": {
        "title": "Which k?",
        "icon": ":material/tune:",
        "url_path": "which-k",
        "help": "Your tries, your pass rates, your group size: which k to train for, and what it costs.",
    },
    "your_results": {
        "title": "Your results",
        "icon": ":material/upload_file:",
        "url_path": "your-results",
        "help": "Graded samples of your own: pass@k with intervals, two files compared, how reliably.",
    },
    "glossary": {
        "title": "Glossary",
        "icon": ":material/menu_book:",
        "url_path": "glossary",
        "help": "Every symbol and term in plain words, with its formula and a picture.",
    },
    "classroom": {
        "title": "Class",
        "icon": ":material/groups:",
        "url_path": "class",
        "help": "What the class is asked, and what it answers.",
    },
}
"""File name under app_pages/ -> what `st.Page` is told of it."""


PLAYING = {"", "toy-problem", "bandit"}
"""The addresses of the pages that have a player."""


def get_page(name: str, visibility: Literal["visible", "hidden"] = "visible") -> Any:
    """One page, for links."""
    return st.Page(f"app_pages/{name}.py", **PAGES[name], visibility=visibility)


def list_pages() -> list[Any]:
    """Every page, for `st.navigation`; that of the class stands there while there is one."""
    return [
        get_page(name, "hidden" if name == "classroom" and not access.classroom() else "visible")
        for name in PAGES
    ]


def paths() -> list[str]:
    """Every page's path, "" for the first."""
    return [about.get("url_path", "") for about in PAGES.values()]


def slash_routes() -> list[Route]:
    """Every page's address with a slash behind it leads to that without, the prefix to that with one.

    Streamlit names the whole path or address when it does so, which is another one where a proxy has
    changed it; relative to what the browser asked for, it is right behind any.
    """
    base = st.get_option("server.baseUrlPath").strip("/")
    names = [path for path in paths() if path]
    start = f"/{base}" if base else ""
    found = [Route(f"{start}/{name}/", _redirect, methods=["GET"]) for name in names]
    return [Route(start, _redirect, methods=["GET"]), *found] if base else found


async def _redirect(request: Request) -> RedirectResponse:
    path = request.url.path
    name = path.rstrip("/").rpartition("/")[2]
    query = f"?{request.url.query}" if request.url.query else ""
    to = f"../{name}" if path.endswith("/") else f"{name}/"
    return RedirectResponse(f"{to}{query}", 301, {"Cache-Control": "no-cache"})
