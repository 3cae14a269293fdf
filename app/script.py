"""What Streamlit runs for every visitor: page config, navigation, the page."""

import streamlit as st

from app import frame, registry

st.set_page_config(page_title="PKPO Lab", page_icon="app/static/icon.svg", layout="wide")
page = st.navigation(registry.pages(), position="top")
st.session_state["entered"] = st.session_state.get("page") != page.url_path
st.session_state["page"] = page.url_path
frame.show()
page.run()
