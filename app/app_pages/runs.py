"""Runs: long work that goes on without a browser; started, watched, steered and compared here."""

import streamlit as st

from app import access
from app.controls import plain
from app.runs import comparison, detail, form, going, listing
from app.runs.engine import engine, explained

visitor = access.visitor()
going.arrive()
address = st.query_params.to_dict()
with explained():
    found = engine()
    if "new" in address:
        form.show(found, visitor)
    elif "compare" in address:
        comparison.show(found, visitor, address["compare"])
    elif "sweep" in address:
        comparison.show_sweep(found, visitor, address["sweep"])
    elif "run" in address:
        detail.show(found, visitor, address["run"])
    else:
        st.header("Runs: long training that nothing interrupts", anchor=False)
        for name in address:
            st.warning(
                f"{plain(repr(name[:40]))} is not a setting of this page.",
                icon=":material/link_off:",
            )
        listing.show(found, visitor)
access.recognise()
if access.classroom():
    st.caption("You are the host." if visitor.host else access.NOTE)
    if st.session_state.pop(access.REFUSED, False):
        st.warning("This host link is not, or no longer, valid.", icon=":material/link_off:")
