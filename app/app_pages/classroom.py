"""The class: what it is asked, for visitors on their phones and for the host."""

import streamlit as st

from app import access, page_registry
from app.classroom import joining
from app.classroom.questions import PLAIN
from app.components import classroom
from app.controls.address_reader import read_link, show_complaints
from app.lessons.catalogue import LESSONS

show_complaints(read_link({})[1])
visitor = access.visitor()
if not access.classroom():
    st.header("Class", anchor=False)
    st.markdown(
        "There is no class here: this app answers its own machine only. To let a room in, start it "
        "with `make classroom`. It prints the address with a QR code, and a link for you, the host."
    )
elif visitor.host:
    st.header("Class", anchor=False)
    screen, door = st.columns([3, 1], gap="large")
    with screen:
        st.markdown(
            "Lead with a lesson: the class answers the questions that you have on the screen."
        )
        with st.container(horizontal=True, gap="small"):
            for place, (key, (title, _)) in enumerate(LESSONS.items(), start=1):
                st.page_link(
                    page_registry.get_page("learn"),
                    label=f"{place} {title}",
                    query_params={"lesson": key},
                    width="content",
                )
        classroom.show_host(visitor, PLAIN)
    with door:
        joining.show_door()
else:
    classroom.show_phone(visitor)
