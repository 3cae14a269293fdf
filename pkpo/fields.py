"""Fields of settings: their limits, and how a text becomes a checked value.

A settings class is a frozen dataclass whose fields are made by `setting`. Pages, addresses, the command
line and files all read and check a field here.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

WHOLE = re.compile(r"[+-]?[0-9]+", re.ASCII)
WHOLE_NUMBER_DIGITS = 15  # of a whole number in text; none that is asked for has more
NUMBER_LENGTH = 40  # characters of any other number


class FieldError(ValueError):
    """A setting that cannot be used.

    Attributes:
      field: its name; "" where a message is about several at once.
    """

    def __init__(self, field: str, message: str):
        super().__init__(message)
        self.field = field

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.field, str(self)), self.__dict__  # notes, too


@contextmanager
def named(field: str) -> Iterator[None]:
    """Let a ValueError that is raised meanwhile carry this field, unless it has one."""
    try:
        yield
    except FieldError:
        raise
    except ValueError as reason:
        raise FieldError(field, str(reason)) from None


def parse_whole(name: str, text: str, low: int, high: int) -> int:
    """A whole number from text: the one way in for addresses, forms, routes and commands.

    ASCII digits, a sign if wanted, blanks around. What is checked is the whole number, never a part.

    Args:
      name: what it is, for the message.
      text: of any length.
      low: the least that is allowed.
      high: the most.

    Raises:
      FieldError: naming what it is, the text and what is allowed.
    """
    digits = text.strip(" ")
    if not WHOLE.fullmatch(digits):
        raise FieldError(name, f"{name} must be a whole number, got {text[:40]!r}")
    if len(digits) > WHOLE_NUMBER_DIGITS or not low <= int(digits) <= high:
        raise FieldError(name, f"{name} must be from {low} to {high}, got {text[:40]}")
    return int(digits)


def parse_number(name: str, text: str) -> float:
    """A finite number from text, in ASCII signs as they are usual: -1, .5, 3e-4.

    Raises:
      ValueError: it is not one.
    """
    usual = text.isascii() and "_" not in text and len(text) <= NUMBER_LENGTH
    try:
        value = float(text) if usual else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FieldError(name, f"{name} must be a number, got {text[:40]!r}")
    return value


def setting(default: Any, help: str, **limits: Any) -> Any:
    """A field of a settings class: its default, what it is, and what is allowed (`check_field`)."""
    return dataclasses.field(default=default, metadata={"help": help, **limits})


def format_value(value: Any) -> str:
    """A field's value as text that `parse_value` reads back exactly."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def parse_field(field: dataclasses.Field[Any], text: str, at_most: int | None = None) -> Any:
    """A field's value from its text form, of the field's type and within its limits.

    Args:
      field: of any settings class.
      text: its value.
      at_most: a limit below the field's own.

    Raises:
      FieldError: naming the field, the text and what is allowed.
    """
    name = field.name
    kind: Any = type(field.default)
    value: Any = text
    if kind is int:
        limits = field.metadata
        value = parse_whole(
            name, text, limits["low"], limits["high"] if at_most is None else at_most
        )
    elif kind is float:
        value = parse_number(name, text)
    elif kind is bool:
        if text.strip().lower() not in ("true", "false"):
            raise FieldError(name, f"{name} must be true or false, got {text[:40]!r}")
        value = text.strip().lower() == "true"
    check_field(field, value, at_most)
    return value


def check_field(field: dataclasses.Field[Any], value: Any, at_most: int | None = None) -> None:
    """Raise the ValueError that a setting of this value deserves, if any."""
    name, limits = field.name, field.metadata
    kind: Any = type(field.default)
    if type(value) is not kind and not (kind is float and type(value) is int):
        raise FieldError(name, f"{name} must be of type {kind.__name__}, got {value!r}")
    if kind in (int, float):
        low, high = limits["low"], limits["high"] if at_most is None else at_most
        if not low <= value <= high:  # false for nan, too
            raise FieldError(name, f"{name} must be from {low} to {high}, got {str(value)[:40]}")
    if "choices" in limits and value not in limits["choices"]:
        raise FieldError(
            name, f"{name} must be one of {', '.join(limits['choices'])}, got {value[:40]!r}"
        )
    if "canonical" in limits:
        with named(name):
            limits["canonical"](value)
