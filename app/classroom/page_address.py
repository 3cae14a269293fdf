"""Addresses of pages of this app, as the host sends them to the class."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

from app import page_registry
from pkpo.fields import FieldError

CLASS_PAGE = "class"
"""The path of the class itself."""
LONGEST_ADDRESS = 4_000  # characters


def check_page(text: object) -> str:
    """A page with its settings, relative to the app's address.

    Args:
      text: an address as a browser shows it, of this app under whatever name, or a part of one.

    Returns:
      such as "toy-problem?n=8"; what is kept is the page's own path and the settings, nothing else.

    Raises:
      FieldError: it is no page of this app.
    """
    if not isinstance(text, str) or len(text) > LONGEST_ADDRESS:
        raise FieldError("page", f"page must be an address of at most {LONGEST_ADDRESS} characters")
    try:
        parts = urlsplit(text)
        settings = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        raise FieldError("page", f"page: cannot be read, got {text[:40]!r}") from None
    name = parts.path.rstrip("/").rpartition("/")[2]
    known = [path for path in page_registry.paths() if path != CLASS_PAGE]
    if name not in known:
        shown = ", ".join(known[1:])
        raise FieldError(
            "page", f"page must be one of {shown}, or the start page, got {name[:40]!r}"
        )
    return f"{name}?{urlencode(settings)}" if settings else name
