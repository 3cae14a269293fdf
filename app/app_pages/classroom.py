"""The class: what it is asked, for visitors on their phones and for the host."""

import streamlit as st

from app import access
from app.classroom import joining
from app.classroom.questions import PLAIN
from app.components import classroom
from app.controls.address_reader import read_link, show_complaints

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
        classroom.show_host(visitor, [("Asked by you", question) for question in PLAIN])
    with door:
        joining.show_door()
else:
    classroom.show_phone(visitor, PLAIN)
