"""The app: `python -m app`, or `python -m streamlit run app/main.py`, from the project's root."""

import streamlit as st

from app import live, registry

app = st.App("script.py", routes=[*live.routes(), *registry.routes()])
