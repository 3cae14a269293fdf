"""Terms of the glossary inside texts: a link each, which shows the entry on hover, focus and tap."""

from __future__ import annotations

import re
from functools import lru_cache

from app.glossary.entries import GLOSSARY

ADDRESS = "glossary#"
"""What a link to an entry begins with; `glossary_card.js` and page.css know it, too."""

# What is no prose: code, formulas, links and images, HTML, names of icons, addresses, coloured text.
_KEPT = (
    r"(?P<kept>`[^`]*`|\$\$?[^$]*\$\$?|!?\[[^\]]*\]\([^)]*\)|<[^>]*>|:material/\w+:|https?://\S+"
    r"|:[a-z]+(?:-[a-z]+)?\[[^\]]*\])"
)
_SPELLED = sorted(
    (entry for entry in GLOSSARY.values() if entry.spelled), key=lambda entry: -len(entry.spelled)
)
_WORDS = re.compile(
    "|".join([_KEPT, *(f"(?P<t{i}>{entry.spelled})" for i, entry in enumerate(_SPELLED))])
)


def term_link(slug: str, words: str = "") -> str:
    """A term as Markdown.

    Args:
      slug: of the entry.
      words: what is written; by default the entry's name.

    Raises:
      ValueError: there is no such entry.
    """
    if slug not in GLOSSARY:
        raise ValueError(f"slug must be one of {', '.join(GLOSSARY)}, got {slug!r}")
    return f"[{words or GLOSSARY[slug].name}]({ADDRESS}{slug})"


@lru_cache(maxsize=1024)
def link_terms(text: str) -> str:
    """Markdown in which every term links to its entry, where the text has it first."""
    met: set[str] = set()

    def replace(found: re.Match[str]) -> str:
        if found["kept"] is not None:
            return found[0]
        place = next(i for i in range(len(_SPELLED)) if found[f"t{i}"] is not None)
        slug = _SPELLED[place].slug
        if slug in met:
            return found[0]
        met.add(slug)
        return term_link(slug, found[0])

    return _WORDS.sub(replace, text)
