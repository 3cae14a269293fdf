"""What Streamlit runs for every visitor: page config, navigation, the page."""

from pathlib import Path

import streamlit as st

from app import access, page_memory, page_registry
from app.classroom.page_address import CLASS_PAGE
from app.components import classroom, page_frame
from app.controls import problem_text
from pkpo.plugins import load_plugins

st.set_page_config(
    page_title="PKPO Lab",
    page_icon=str(Path(__file__).parent / "static" / "icon.svg"),
    layout="wide",
)
page = st.navigation(page_registry.list_pages(), position="top")
st.session_state["entered"] = st.session_state.get("page") != page.url_path
st.session_state["page"] = page.url_path
if st.session_state["entered"]:
    page_memory.forget()
page_frame.show_frame(plays=page.url_path in page_registry.PLAYING)
if access.classroom():
    access.recognise()
    classroom.show_strip(access.visitor(), away=page.url_path != CLASS_PAGE)
    if st.session_state.pop(access.REFUSED, False):
        st.warning("This host link is not, or no longer, valid.", icon=":material/link_off:")
try:
    load_plugins()
except ValueError as reason:
    st.error(problem_text(reason), icon=":material/extension_off:")
page.run()
