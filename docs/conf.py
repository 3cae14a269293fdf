"""Settings of the documentation site: `make docs` builds it, without a network, into build/docs."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

from pkpo import __version__  # noqa: E402

project = "PKPO Lab"
release = version = __version__
copyright = "the authors of PKPO Lab, MIT licence"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "extension"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
highlight_language = "text"

# A name in backquotes is a link where the reference has it, else plain code.
default_role = "py:obj"
nitpicky = True
nitpick_ignore_regex = [
    ("py:obj", ".*"),
    # Types of other projects, and names of our own that stand for several of them.
    ("py:class", r"(numpy|np|npt|torch|gymnasium|collections|typing|pathlib)\..*"),
    ("py:class", "Array|ArrayLike|ast.expr|TypeAliasForwardRef"),
]
autodoc_member_order = "bysource"
autodoc_type_aliases = {name: name for name in ("Array", "ArrayLike")}
autodoc_mock_imports = ["trl"]
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = "PKPO Lab"
html_favicon = "../app/static/icon.svg"
html_show_sphinx = False
html_copy_source = False
html_math_renderer = "mathml"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b6b8f", "color-brand-content": "#0b6b8f"},
    "dark_css_variables": {"color-brand-primary": "#6cc3e6", "color-brand-content": "#6cc3e6"},
}
