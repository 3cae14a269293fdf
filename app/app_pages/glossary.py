"""The glossary: every symbol and term in plain words, with formula, source and picture."""

import streamlit as st

from app.controls.address_reader import read_link, show_complaints
from app.controls.markdown import plain_text
from app.glossary import GLOSSARY, SECTIONS, term_link
from app.glossary.cards import picture_html

st.header("The words of the lab", anchor=False)
show_complaints(read_link({})[1])
st.markdown(
    "Everywhere in the lab a term with a dotted line below it shows its entry: under the pointer, with "
    "the Tab key, or on a tap."
)
by_section = {name: [e for e in GLOSSARY.values() if e.section == name] for name in SECTIONS}
for section, entries in by_section.items():
    links = " · ".join(term_link(entry.slug).replace("glossary#", "#") for entry in entries)
    st.markdown(f"**{section}:** {links}")
for section, entries in by_section.items():
    st.header(section, anchor=False, divider="gray")
    for entry in entries:
        with st.container(horizontal=True, gap="large", vertical_alignment="center"):
            with st.container(width=620):
                st.subheader(plain_text(entry.name), anchor=entry.slug)
                st.markdown(entry.meaning)
                if entry.formula:
                    st.latex(entry.formula)
                st.caption(plain_text(entry.source))
            with st.container(width=300):
                st.html(f"<div class='pk-term'>{picture_html(entry)}</div>")
