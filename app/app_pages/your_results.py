"""Your results: pass@k of anybody's graded samples, with intervals; two files compared."""

import streamlit as st

from app import your_results_view as view
from app.controls.your_results import results_input

st.header("What do your samples say? Pass@k of results you have", anchor=False)
source, found = results_input()
if source == "example":
    first = found[0][1]
    view.show_example_note(len(first.rewards), first.smallest_n)
if found:
    view.show_evaluations(found)
view.show_formats()
