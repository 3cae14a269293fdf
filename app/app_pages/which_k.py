"""Which k should I use? From tries at use, pass rates and group size to a k, its price, a schedule."""

import streamlit as st

from app import controls, which_k_view
from app.controls.which_k import rates_input, which_k_settings
from pkpo import analysis

st.header("Which k should I use?", anchor=False)
asked = which_k_settings()
rates_input(asked.rates)
try:
    found = analysis.choose_k(analysis.parse_rates(asked.rates), asked.tries, asked.n)
except ValueError as reason:
    st.error(controls.problem_text(reason), icon=":material/error:")
else:
    which_k_view.show_choice(found)
    which_k_view.show_schedules(found, asked)
which_k_view.show_recorded(asked.tries)
