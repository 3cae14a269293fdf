"""The app: `python -m app`, or `python -m streamlit run app/main.py`, from the project's root."""

import streamlit as st

from app import links, live_routes, page_registry, study_routes
from app.classroom import routes
from app.glossary.cards import glossary_routes
from app.lessons.worksheet import worksheet_routes
from app.presenter.notes_window import notes_routes

app = st.App(
    "script.py",
    routes=[
        *live_routes.live_routes(),
        *routes.class_routes(),
        *glossary_routes(),
        *study_routes.study_routes(),
        *links.link_routes(),
        *notes_routes(),
        *worksheet_routes(),
        *page_registry.slash_routes(),
    ],
)
