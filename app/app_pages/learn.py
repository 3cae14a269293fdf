"""The lessons: asked first, then told."""

import streamlit as st

from app import access
from app.components import classroom, lesson
from app.controls.address_reader import read_link, show_complaints
from app.lessons import catalogue

found, complaints = read_link({"lesson": catalogue.check_lesson, "step": catalogue.check_step})
show_complaints(complaints)
chosen = found.get("lesson", next(iter(catalogue.LESSONS)))


def choose(key: str) -> None:
    """Go to another lesson, from its beginning."""
    st.query_params.from_dict({"lesson": catalogue.check_lesson(key)})


if access.classroom() and (visitor := access.visitor()).host:
    classroom.show_lead(visitor)
lesson.show_lesson(
    catalogue.pack_page(chosen, found.get("step", 1)), on_chosen=choose, key="lesson"
)
