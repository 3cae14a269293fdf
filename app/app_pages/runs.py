"""Runs: long work that goes on without a browser; started, watched, steered and compared here."""

import streamlit as st

from app import access
from app.controls.address_reader import repeated_settings, show_complaints, unknown_setting
from app.runs import comparison, detail, form, listing, navigation
from app.runs.engine import engine, explain_errors

# What the address may hold with each of these, of which the first counts; the form reads its own.
SETTINGS = {"new": (), "compare": ("compare", "baseline"), "sweep": ("sweep", "baseline")}
SETTINGS |= {"run": ("run",), "": ()}

visitor = access.visitor()
navigation.finish_move()
address = st.query_params.to_dict()
mode = next((name for name in SETTINGS if name in address), "")
others = [name for name in address if name not in SETTINGS[mode]] if mode != "new" else []
show_complaints(repeated_settings() + list(map(unknown_setting, others)))
complete = False
with explain_errors():
    found = engine()
    if mode == "new":
        form.show_form(found, visitor)
    elif mode == "compare":
        comparison.show_comparison(found, visitor, address["compare"])
    elif mode == "sweep":
        comparison.show_sweep_comparison(found, visitor, address["sweep"])
    elif mode == "run":
        detail.show_run(found, visitor, address["run"])
    else:
        st.header("Runs: long training that nothing interrupts", anchor=False)
        listing.show_list(found, visitor)
    complete = True
if mode and not complete:
    navigation.list_button("all runs, below an error")
if access.classroom():
    st.caption("You are the host." if visitor.host else access.NOTE)
