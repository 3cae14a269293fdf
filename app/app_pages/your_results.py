"""Your results: pass@k of anybody's graded samples, with intervals; two files compared."""

import streamlit as st

from app import your_results_view as view
from app.controls.your_results import results_input

st.header("What do your samples say? Pass@k of results you have", anchor=False)
given = results_input()
if given.source == "example":
    view.show_example_note(given.found[0][1])
view.show_evaluations(given)
view.show_formats()
