"""Runs: long work that goes on without a browser; started, watched, steered and compared here."""

import streamlit as st

from app import access
from app.controls.link import repeated, tell, unknown
from app.runs import comparison, detail, form, going, listing
from app.runs.engine import engine, explained

# What the address may hold with each of these, of which the first counts; the form reads its own.
SETTINGS = {"new": (), "compare": ("compare", "baseline"), "sweep": ("sweep", "baseline")}
SETTINGS |= {"run": ("run",), "": ()}

visitor = access.visitor()
going.arrive()
address = st.query_params.to_dict()
mode = next((name for name in SETTINGS if name in address), "")
others = [name for name in address if name not in SETTINGS[mode]] if mode != "new" else []
tell(repeated() + list(map(unknown, others)))
with explained():
    found = engine()
    if mode == "new":
        form.show(found, visitor)
    elif mode == "compare":
        comparison.show(found, visitor, address["compare"])
    elif mode == "sweep":
        comparison.show_sweep(found, visitor, address["sweep"])
    elif mode == "run":
        detail.show(found, visitor, address["run"])
    else:
        st.header("Runs: long training that nothing interrupts", anchor=False)
        listing.show(found, visitor)
access.recognise()
if access.classroom():
    st.caption("You are the host." if visitor.host else access.NOTE)
    if st.session_state.pop(access.REFUSED, False):
        st.warning("This host link is not, or no longer, valid.", icon=":material/link_off:")
