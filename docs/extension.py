"""What Sphinx does not know: formulas as MathML, docstrings in Markdown, and the lessons' texts."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import latex2mathml.converter
from docutils import nodes
from lesson_texts import PLACE, write_lessons
from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx, once."""
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
    app.connect("autodoc-process-docstring", _read_markdown, priority=1)  # before napoleon
    app.connect("autodoc-process-signature", _name_aliases)
    app.connect("source-read", _put_lessons)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _visit_inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(_mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def _visit_block(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math">{_mathml(node.astext(), "block")}</div>\n')
    raise nodes.SkipNode


def _mathml(latex: str, display: str) -> str:
    # The converter takes a power of a binomial for one of its lower line.
    braced = re.sub(r"(\\binom{[^{}]*}{[^{}]*})(?=\^)", r"{\1}", latex)
    return latex2mathml.converter.convert(braced, display=display)


# What both languages read alike, and signs that are plain in Markdown and not in reStructuredText.
_MARKUP = re.compile(
    r"(`[^`]*`|\$\$[^$]+\$\$|\$[^$]+\$|\*\*[^*\n]+\*\*|(?<![\w*])\*\w[^*\n]*\*(?!\w))|[*|]|(?<=\w)_(?!\w)"
)


def _read_markdown(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Formulas, headings and code of a docstring as reStructuredText, in place."""
    text = _MARKUP.sub(lambda found: found[1] or f"\\{found[0]}", "\n".join(lines))
    if what in ("attribute", "data"):
        text = f"..\n\n{text}"  # a comment: else napoleon takes what is before a colon for a type
    text = re.sub(r"\$\$(.+?)\$\$", _block, text, flags=re.DOTALL)
    text = re.sub(r"\$([^$]+)\$", lambda found: f":math:`{' '.join(found[1].split())}`", text)
    text = re.sub(r"^## (.+)$", r".. rubric:: \1\n", text, flags=re.MULTILINE)
    text = re.sub(r"^```(\w+)\n(.+?)^```$", _code, text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r":\n\n(?=    \S)", "::\n\n", text)  # an indented block is code
    text = re.sub(r"(`[^`]+`)(?=\w)", r"\1\\ ", text)  # `row`s
    lines[:] = text.split("\n")


def _name_aliases(
    app: Sphinx,
    what: str,
    name: str,
    thing: object,
    options: object,
    signature: str | None,
    returned: str | None,
) -> tuple[str | None, str | None]:
    """A signature with aliases of types by their names, also where they stand inside others."""
    named = re.compile(r"TypeAliasForwardRef\('(\w+)'\)")
    return tuple(text and named.sub(r"\1", text) for text in (signature, returned))


def _put_lessons(app: Sphinx, page: str, source: list[str]) -> None:
    if page == "lessons":
        source[0] = source[0].replace(PLACE, write_lessons())


def _block(found: re.Match[str]) -> str:
    return f"\n.. math::\n\n   {' '.join(found[1].split())}\n"


def _code(found: re.Match[str]) -> str:
    return f".. code-block:: {found[1]}\n\n{textwrap.indent(found[2], '   ')}\n"
