"""The glossary: every symbol and term, explained where it stands and on a page of its own."""

from app.glossary.entries import GLOSSARY, SECTIONS, GlossaryEntry, estimator_slug
from app.glossary.links import link_terms, term_link

__all__ = [
    "GLOSSARY",
    "GlossaryEntry",
    "SECTIONS",
    "estimator_slug",
    "link_terms",
    "term_link",
]
