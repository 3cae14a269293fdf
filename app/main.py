"""The app: `python -m streamlit run app/main.py` from the project's root."""

import streamlit as st

from app import registry

st.set_page_config(page_title="PKPO Lab", page_icon="app/static/icon.svg", layout="wide")
st.navigation(registry.pages(), position="top").run()
