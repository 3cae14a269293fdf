r"""Equations in text of any kind, read by one grammar and judged exactly.

`equations` finds every equation of a text and says whether it is true. Nothing is evaluated as code,
numbers are fractions, and the time grows with the length of the text, whatever it holds.

    text     = piece { (line break | ";") piece }
    piece    = [list marker] clause { boundary clause }
    clause   = { words } chain { words chain }
    chain    = [label "="] sum "=" sum { "=" sum }     "==" is "=" as well; a label is words
    sum      = term { ("+" | "-") term }
    term     = factor { ("*" | "/" | "//" | "%") factor }
    factor   = { "+" | "-" } operand
    operand  = number ["%"] | "(" sum ")" | "\frac{" sum "}{" sum "}"

Signs. Minus is `-`, `−` or `–`; times is `*`, `×`, `·`, `⋅`, `\times`, `\cdot`, or `x` or "times"
between two operands; divided by is `/`, `÷` or `\div`; `//` rounds down. Full-width forms are ordinary.
`plus` and `minus` between two operands are read, too. A number directly before a parenthesis, as in
`80(.5)`, is a factor of it. Brackets and braces are parentheses. There are no powers.

Numbers. `14`, `2.5`, `.5`, `1,024` (groups of three, checked: `10,80` is not understood), mixed numbers
such as `1 1/2`, and `½`. They are compared as fractions, so that `1/3=0.33` is false: of the calculator
marks in GSM8K's solutions, not one needs rounding.

Percent. `%` between two operands is the remainder (`7 % 4 = 3`); behind a number it is hundredths
(`50*20% = 10`, `20% of 50 = 10`, where "of" multiplies behind a percentage or a fraction). A side that
is only a percentage may also be meant in percent, as GSM8K writes it: `100 - 20 = 80%`.

Units. Currency signs, bold and code marks, quotes and `\text{...}` are passed over, and so are words
beside a number: `10 pens - 2 pens = 9 pens` is `10-2=9` and false, `$5/hour x 3 hours = $15` is true.
Units are not converted. Where two numbers stand side by side a new sum begins: in `She has 3 bags of
5 + 1 = 6` it is `5+1=6`. A comma, colon or full stop ends a clause, and a parenthesis with an equation
of its own is read by itself.

What is not understood is not true. An `=` without a sum on either side (but for a label on the left), an
unknown sign in a clause, `≈` and the like, `>=`, a division by zero, and what is beyond the limits below
count as untrue equations, and so does a piece of numbers and signs without words and without `=`.
What computes nothing is passed over: an equation of lone numbers that holds (`14=14`; it is untrue if it
does not hold) or that is of different things (`2 hours = 120 minutes`), what follows a label (`x = 14`,
`Let x = the number of pens`), and an equation with an unknown, a single letter beside an operator or
behind some of the numbers of a sum (`3x + 4 = 28`). In a chain whose first side is a lone number
amid words, that side is a label: `16 students drank 2 cups = 16*2 = 32`.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

DIGITS = 20
"""Digits of a number before the point, and after it."""
DEPTH = 20
"""Parentheses within parentheses."""
OPERANDS = 100
"""Numbers of a clause that holds an equation."""
LONGEST = 4000
"""Characters of a line, or of what stands between semicolons; a longer one is not read."""
KEPT = 200  # characters of a piece whose equations are kept, since samples repeat them


class Equation(NamedTuple):
    """A chain of equal sums, or what stands in its place."""

    text: str
    """The same for all spellings."""
    true: bool


class _Token(NamedTuple):
    kind: str
    """One of `n` number, `g` group, `f` fraction bar, `w` word, `,` boundary, `=`, `?` another relation,
    `!` not understood, or an operator."""
    value: Fraction | _Group | str | None = None
    attached: bool = False
    """Without a blank before it."""


class _Group(NamedTuple):
    """What stands in parentheses, read once: whoever asks again would double the work at every depth."""

    tokens: list[_Token]
    sums: list[_Sum]


class _Sum(NamedTuple):
    value: Fraction | None
    """None if it is not understood."""
    text: str
    lone: bool = False
    """It is a number, with no operator."""
    percent: bool = False
    """It is only a percentage."""
    unit: tuple[str, ...] = ()
    """The words behind it."""


def equations(text: str) -> list[Equation]:
    """The equations of a text in their order; those that compute nothing are left out."""
    return [found for piece in pieces(text) for found in equations_of(piece)]


def pieces(text: str) -> list[str]:
    """A text's lines and what stands between semicolons; a chain over several lines is one piece."""
    joined: list[str] = []
    for line in filter(None, map(str.strip, _BREAK.split(plain_forms(text)))):
        last = joined[-1] if joined else ""
        goes_on = line.startswith("=") or (last.endswith(_OPEN) and not last.endswith("**"))
        if last and goes_on and len(last) <= KEPT:
            joined[-1] = f"{last} {line}"
        else:
            joined.append(line)
    return [piece for line in joined for piece in line.split(";") if piece.strip()]


def equations_of(piece: str) -> tuple[Equation, ...]:
    """The equations of one piece; see `equations`."""
    if len(piece) > LONGEST:
        unread = any(sign in piece for sign in _UNREAD)
        return (Equation(piece[:KEPT], False),) if unread else ()
    return _kept(piece) if len(piece) <= KEPT else _equations(piece)


def number(text: str) -> Fraction | None:
    """The value of digits, thousands groups and a point, `1,024.50`; None if it is no such number."""
    return Fraction(text.replace(",", "")) if _NUMBER.fullmatch(text) else None


def plain_forms(text: str) -> str:
    """The text with full-width letters, digits and signs as ordinary ones."""
    return text if text.isascii() else text.translate(_FORMS)


_FORMS = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_BREAK = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_OPEN = ("=", "+", "*", "/", "×", "÷")
_UNREAD = "=+*/×÷≈<>"
_MARKER = re.compile(r"(?:[-*•–—]\s+)+")
_NUMBER = re.compile(
    rf"(?:\d{{1,{DIGITS}}}|[1-9]\d{{0,2}}(?:,\d{{3}}){{1,6}})(?:\.\d{{1,{DIGITS}}})?|\.\d{{1,{DIGITS}}}",
    re.ASCII,
)
_LETTER = r"[^\W\d_\u00b2\u00b3\u00b9\u2070-\u209f]"  # no digit set high or low
_TOKENS = re.compile(
    rf"""
      (?P<blank>[\s\u200b-\u200f\u2060\ufeff]+)
    | (?P<mixed>[0-9]{{1,6}}\ [0-9]{{1,3}}/[0-9]{{1,3}}(?![0-9.,/]))
    | (?P<spaced>[1-9][0-9]{{0,2}}(?:[ \u00a0\u202f][0-9]{{3}}){{1,4}}(?![0-9,]))
    | (?P<number>\.?[0-9](?:[0-9,.]*[0-9])?)
    | (?P<vulgar>[¼-¾⅐-⅞])
    | (?P<word>(?:{_LETTER}|(?<=\w)-(?={_LETTER})|°)(?:{_LETTER}|['’-](?={_LETTER})|[²³])*)
    | (?P<relation>[<>!:~]=+|=+>|={{3,}}|[≈≠≡≅≃≐]|\\(?:approx|neq?|equiv|sim|geq?|leq?)\b)
    | (?P<equal>==?)
    | (?P<power>(?<=[0-9)])\*\*(?=[0-9(.])|(?<=\s)\*\*(?=\s)|(?<=[0-9)])!(?=\s{{0,3}}[-+*/×÷=)]))
    | (?P<skipped>\*\*|["“”„‘’'`&~$€£¥¢₹]|(?<={_LETTER})\.(?=\ {{0,3}}[-+*/×÷=])
        |\\(?:[()\[\],;!$&\ ]|(?:left|right|quad|displaystyle|text|textbf|mathrm|mathbf|boxed)(?![a-z])))
    | (?P<floor>//)
    | (?P<plus>\+)
    | (?P<minus>[-−–])
    | (?P<times>[*×·⋅]|\\(?:times|cdot)(?![a-z]))
    | (?P<over>[/÷]|\\div(?![a-z]))
    | (?P<percent>\\?%)
    | (?P<frac>\\[dt]?frac(?![a-z]))
    | (?P<opened>[(\[{{])
    | (?P<closed>[)\]}}])
    | (?P<boundary></?[a-zA-Z|][^<>]{{0,30}}>|[.,:!?…—|<>•\#]|\\\\)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_SIGNS = {"plus": "+", "minus": "-", "times": "*", "over": "/", "floor": "//", "percent": "%"}
_KINDS = {**_SIGNS, "equal": "=", "relation": "?", "frac": "f", "boundary": ",", "word": "w"}
_OPERATORS = frozenset("+ - * / //".split())
_SPOKEN = {"x": "*", "times": "*", "plus": "+", "minus": "-"}
_PAIRS = {")": "(", "]": "[", "}": "{"}
_DETERMINERS = frozenset("a all an each her his its my our remaining the their these those".split())


def _equations(piece: str) -> tuple[Equation, ...]:
    tokens = _tokens(_MARKER.sub("", piece, count=1) if _MARKER.match(piece) else piece)
    kinds = {token.kind for token in tokens}
    loose = "," in kinds and not kinds & _OPERATORS
    if "n" in kinds and not kinds & {"=", "?", "w"} and not loose:
        return (Equation(_text(tokens), False),)  # a sum that is left open
    if not kinds & {"=", "?"}:
        return ()
    return tuple(
        found
        for segment in _segments(tokens)
        for clause in _split(segment, ",")
        for found in _chains(clause)
    )


_kept = functools.lru_cache(maxsize=16_384)(_equations)


# --- From signs to groups -------------------------------------------------------------------------


def _tokens(piece: str) -> list[_Token]:
    """The signs of a piece, parentheses among them."""
    tokens: list[_Token] = []
    attached = False
    for match in _TOKENS.finditer(piece):
        kind, text = str(match.lastgroup), match[0]
        if kind in ("blank", "skipped"):
            attached = attached and kind == "skipped"
            continue
        tokens.append(_token(kind, text, attached))
        attached = True
    return _merged(tokens)


def _token(kind: str, text: str, attached: bool) -> _Token:
    value: Fraction | None = None
    if kind == "number":
        value = number(text)
    elif kind == "spaced":
        value = Fraction(re.sub(r"\s", "", text))
    elif kind == "mixed":
        whole, over, under = map(int, re.split("[ /]", text))
        value = whole + Fraction(over, under) if over < under else None
    elif kind == "vulgar":
        value = Fraction(unicodedata.numeric(text)).limit_denominator(10)
    elif kind in ("opened", "closed"):
        return _Token("(" if kind == "opened" else ")", text, attached)
    elif kind in _KINDS:
        return _Token(_KINDS[kind], text.lower() if kind == "word" else text, attached)
    return _Token("!" if value is None else "n", value if value is not None else text, attached)


def _merged(tokens: list[_Token]) -> list[_Token]:
    """Digits within a word belong to it, as in `A1`; `2½` is a number, `1e5` is not."""
    merged: list[_Token] = []
    for token in tokens:
        last = merged[-1] if merged else _Token(",")
        if token.kind == "n" and token.attached and last.kind in ("n", "w"):
            before = merged[-2].kind if len(merged) > 1 else ","
            if last.kind == "n":
                both = _vulgar(last, token)
                merged[-1] = _Token("!" if both is None else "n", both, last.attached)
                continue
            if last.value != "x" or before not in ("n", ")", "%", "w"):
                merged[-1] = _Token(
                    "!" if last.attached and before == "n" else "w", "", last.attached
                )
                continue
        merged.append(token)
    return merged


def _vulgar(whole: _Token, part: _Token) -> Fraction | None:
    one, other = whole.value, part.value
    assert isinstance(one, Fraction) and isinstance(other, Fraction)
    return one + other if one.denominator == 1 and other < 1 and other.denominator <= 10 else None


def _segments(tokens: Iterable[_Token]) -> list[list[_Token]]:
    """What is to be read by itself: the whole with its groups, and groups that hold an equation.

    A parenthesis without its partner is a boundary, and what is nested too deep is not understood.
    """
    segments: list[list[_Token]] = []
    stack: list[tuple[_Token, list[_Token]]] = [(_Token(""), [])]
    beyond = 0
    for token in tokens:
        inner = stack[-1][1]
        if token.kind == "(":
            if len(stack) > DEPTH:
                beyond += 1
                inner.append(_Token("!"))
            else:
                stack.append((token, []))
        elif token.kind != ")":
            inner.append(token)
        elif beyond:
            beyond -= 1
        elif len(stack) > 1 and stack[-1][0].value == _PAIRS[str(token.value)]:
            opened, inner = stack.pop()
            stack[-1][1].append(_group(inner, opened.attached, segments))
        else:
            inner.append(_Token(","))
    while len(stack) > 1:
        _, inner = stack.pop()
        stack[-1][1].extend([_Token(","), *inner])
    return [*segments, stack[0][1]]


def _group(inner: list[_Token], attached: bool, segments: list[list[_Token]]) -> _Token:
    kinds = {token.kind for token in inner}
    if kinds & {"=", "?"}:
        segments.append(inner)
        return _Token("w", "")
    if not kinds & set("ngf!"):
        return _Token("w", "")
    return _Token("g", _Group(inner, _sums(inner)), attached)


def _split(tokens: Sequence[_Token], kind: str) -> list[list[_Token]]:
    parts: list[list[_Token]] = [[]]
    for token in tokens:
        if token.kind == kind:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


# --- From groups to equations ---------------------------------------------------------------------


def _chains(clause: list[_Token]) -> list[Equation]:
    """The equations of a clause: between two signs of equality stands one sum, or an end and a start."""
    kinds = [token.kind for token in clause]
    if not {"=", "?"}.intersection(kinds):
        return []
    if "?" in kinds or sum(kind in ("n", "g") for kind in kinds) > OPERANDS:
        return [Equation(_text(clause[: 2 * OPERANDS]), False)]
    if _has_unknown(clause):
        return []
    parts = _split(clause, "=")
    chain = _sums(parts[0])[-1:]
    words = [token.kind == "w" for token in parts[0]]
    if not chain and not (words and all(words)):
        chain = [_Sum(None, "")]
    elif not chain and len(parts) == 2 and _is_letter(parts[0][-1]):
        if all(token.kind == "w" for token in parts[1]):
            return []  # a letter is given a meaning
    elif len(parts) > 2 and chain and chain[0].lone and words[-1] and any(words[:-1]):
        chain = []  # a label with a number in it
    found: list[Equation | None] = []
    for i, part in enumerate(parts[1:], 2):
        sums = _sums(part) or [_Sum(None, "")]
        chain.append(sums[0])
        if len(sums) > 1 or i == len(parts):
            found.append(_judged(chain))
            chain = [sums[-1]]
    return [equation for equation in found if equation is not None]


def _is_letter(token: _Token) -> bool:
    return token.kind == "w" and len(str(token.value)) == 1 and token.value != "a"


def _has_unknown(tokens: Sequence[_Token]) -> bool:
    """Whether a letter stands in the place of an operand: beside an operator, or as in `3x + 4`.

    A letter behind every number of a sum is a unit instead, as in `3m + 4m = 7m`.
    """
    factors: list[str] = []
    for i, token in enumerate(tokens):
        if isinstance(token.value, _Group) and _has_unknown(token.value.tokens):
            return True
        if not _is_letter(token):
            continue
        before, after = (
            tokens[i - 1].kind if i else ",",
            tokens[i + 1].kind if tokens[i + 1 :] else ",",
        )
        if before in _OPERATORS or (after in _OPERATORS and before not in ("n", "g", "%")):
            return True
        if token.attached and before in ("n", "g") and after not in ("n", "g"):
            factors.append(str(token.value))
    kinds = [token.kind for token in tokens]
    same = len(set(factors)) == 1 and len(factors) == sum(kind in ("n", "g") for kind in kinds)
    return bool(factors) and not same and ("+" in kinds or "-" in kinds)


def _judged(chain: Sequence[_Sum]) -> Equation | None:
    """The verdict on sums that are said to be equal; None if nothing is computed, and nothing wrong."""
    first = next((s.value for s in chain if not s.percent), chain[0].value)
    true = first is not None and all(
        s.value == first or (s.percent and s.value is not None and 100 * s.value == first)
        for s in chain
    )
    if true and (len(chain) == 1 or all(s.lone for s in chain)):
        return None
    if len(chain) == 2 and all(s.lone for s in chain) and _of_different_things(*chain):
        return None
    return Equation("=".join(s.text for s in chain), true)


def _of_different_things(one: _Sum, other: _Sum) -> bool:
    """Whether numbers are said to be worth the same, as in `2 hours = 120 minutes` or `3x = 12`."""
    letters = [len(s.unit) == 1 and len(s.unit[0]) == 1 for s in (one, other)]
    return one.unit != other.unit and (bool(one.unit and other.unit) or any(letters))


def _sums(part: Sequence[_Token]) -> list[_Sum]:
    """The sums of what stands on one side, in their order: a new one where two operands meet."""
    sums: list[list[_Token]] = [[]]
    units: list[list[str]] = [[]]
    known = True
    for i, token in enumerate(part):
        current, after = sums[-1], part[i + 1] if i + 1 < len(part) else _Token(",")
        ready = bool(current) and current[-1].kind in ("n", "g", "h")
        kind = token.kind
        if kind == "!":
            known = False
        elif kind == "f" or (kind in ("n", "g") and "f" in [t.kind for t in current[-2:]]):
            current.append(token)
        elif kind in ("n", "g"):
            if ready and not (
                token.attached and "g" in (kind, part[i - 1].kind) and part[i - 1].kind in "ng"
            ):
                sums.append([token])
                units.append([])
            else:
                current.extend([_Token("*"), token] if ready else [token])
        elif kind == "%" and ready:
            current.append(_Token("%" if after.kind in ("n", "g") else "h"))
        elif kind == "w":
            operator = _spoken(token, part[i + 1 : i + 4], current) if ready else None
            if operator:
                current.append(_Token(operator))
            elif ready:
                units[-1].append(str(token.value))
        elif kind != "/" or after.kind != "w":  # else per unit
            current.append(token)
    found = [
        _sum(tokens, tuple(words)) for tokens, words in zip(sums, units, strict=True) if tokens
    ]
    return found if known else [_Sum(None, s.text) for s in found] or [_Sum(None, "?")]


def _spoken(word: _Token, after: Sequence[_Token], current: Sequence[_Token]) -> str | None:
    """The operator that a word behind an operand stands for."""
    if word.value == "of" and (
        current[-1].kind == "h" or [t.kind for t in current[-2:-1]] == ["/"]
    ):
        after = [t for t in after if t.kind != "w" or t.value not in _DETERMINERS]
        return "*" if after and after[0].kind in ("n", "g") else None
    return _SPOKEN.get(str(word.value)) if after and after[0].kind in ("n", "g", "f") else None


def _sum(tokens: Sequence[_Token], unit: tuple[str, ...]) -> _Sum:
    kinds = [token.kind for token in tokens]
    signs, operands = kinds[:-1], tokens[-1:]
    if kinds[-1] == "h":
        signs, operands = kinds[:-2], tokens[-2:-1]
    lone = {"+", "-"}.issuperset(signs) and all(_lone(token) for token in operands)
    return _Sum(_value(tokens), _text(tokens), lone, kinds == ["n", "h"], unit)


def _lone(token: _Token) -> bool:
    if isinstance(token.value, _Group):
        return all(s.lone for s in token.value.sums)
    return token.kind == "n"


def _value(tokens: Sequence[_Token]) -> Fraction | None:
    """The value of operands and operators; None if they are no sum."""
    total, term, operator = Fraction(0), Fraction(1), "*"
    rest = iter(tokens)
    sign, wanted = 1, True
    for token in rest:
        kind = token.kind
        if wanted:
            if kind in ("+", "-"):
                sign = -sign if kind == "-" else sign
                continue
            operand = _fraction(rest) if kind == "f" else _operand(token)
            if operand is None or (not operand and operator in ("/", "//", "%")):
                return None
            term, sign, wanted = _applied(operator, term, sign * operand), 1, False
        elif kind == "h":
            if operator in ("//", "%"):
                return None
            term = term * 100 if operator == "/" else term / 100
        elif kind in ("+", "-"):
            total, term, operator, wanted = total + term, Fraction(1), "*", True
            sign = -1 if kind == "-" else 1
        elif kind in ("*", "/", "//", "%"):
            operator, wanted = kind, True
        else:
            return None
    return None if wanted else total + term


def _operand(token: _Token) -> Fraction | None:
    if isinstance(token.value, Fraction):
        return token.value
    if not isinstance(token.value, _Group):
        return None
    sums = token.value.sums
    return sums[0].value if len(sums) == 1 else None


def _fraction(rest: Iterable[_Token]) -> Fraction | None:
    over, under = (_operand(next(iter(rest), _Token(","))) for _ in range(2))
    return over / under if over is not None and under else None


def _applied(operator: str, one: Fraction, other: Fraction) -> Fraction:
    if operator == "*":
        return one * other
    if operator == "/":
        return one / other
    return Fraction(one // other) if operator == "//" else one % other


def _text(tokens: Iterable[_Token]) -> str:
    """One spelling for all."""
    parts = []
    for token in tokens:
        if isinstance(token.value, _Group):
            parts.append(f"({_text(token.value.tokens)})")
        elif token.kind == "n":
            parts.append(str(token.value))
        elif token.kind not in ("w", ","):
            parts.append(token.kind)
    return " ".join(parts)
