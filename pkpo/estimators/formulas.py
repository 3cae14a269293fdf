r"""Weights from a formula of one's own, in a small language that is read, never executed.

The text is parsed by `ast`, every node of it is checked against a list, and what is left is evaluated
on arrays, node by node: no `eval`, no names but those here, no attribute, index, text or keyword. Length
and depth are bounded: a formula costs at most `FORMULA_LIMIT` array operations on a group.

Names: `r`, the rewards; `rank`, from 1, the worst, to n; `n` and `k`. Operators: + - * / ** and the
comparisons, which give 0 and 1. Functions of each sample: exp, log, sqrt, abs, min and max of two or
more, `where(c, a, b)` and `choose(a, b)`, the binomial coefficient. Functions over the group: sum, mean,
least, most, std (with n - 1), and `above(x)` and `below(x)`, the sums of x over the samples of higher
and of lower rank. 0/0 is 0; all else that is no finite number is refused.

Which of several equal rewards ranks higher is chance; they share the mean of their weights, so that the
estimator is symmetric. All-subsets weights s, for example (arXiv:2505.15201, Eq. 19), are
`(r*choose(rank-1,k-1)+above(r*choose(rank-2,k-2)))/choose(n,k)`.
"""

from __future__ import annotations

import ast
import functools
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pkpo.estimators import arrays
from pkpo.estimators.arrays import Array, abbreviate

FORMULA_LIMIT = 300
"""Characters of a formula."""
DEPTH_LIMIT = 40
"""Operations within operations."""
CONSTANT_LIMIT = 1e6
WEIGHT_LIMIT = 1e200
"""Of a weight, up or down."""
FORMULA_NAMES = ("r", "rank", "n", "k")
_CHARACTERS = re.compile(r"[A-Za-z0-9_.,+\-*/()<>=! ]*")

Values = np.ndarray
"""`[..., n]`, or what broadcasts to it."""


def _above(x: Values) -> Values:
    """The sum of those that come later on the last axis: of higher rank."""
    found: Values = np.flip(np.cumsum(np.flip(x, -1), -1), -1) - x
    return found


def _mean(x: Values) -> Values:
    """The mean; of equal values exactly that value, so that a group without differences has none."""
    first = x[..., :1]
    mean: Values = first + (x - first).mean(-1, keepdims=True)
    return mean


def _std(x: Values) -> Values:
    squares: Values = ((x - _mean(x)) ** 2).sum(-1, keepdims=True)
    found: Values = np.sqrt(squares / max(x.shape[-1] - 1, 1))
    return found


def _where(c: Values, a: Values, b: Values) -> Values:
    return np.where(c != 0, a, b)


def _lgamma(x: float) -> float:
    return math.lgamma(x) if x < 1e300 else math.inf  # beyond, it is no finite number soon


def _log_factorial(x: Values) -> Values:
    """Of whole numbers from 0, each computed once."""
    different, places = np.unique(x, return_inverse=True)
    found: Values = np.array([_lgamma(value + 1) for value in different])[places]
    return found.reshape(x.shape)


def _choose(a: Values, b: Values) -> Values:
    """a choose b for whole numbers; 0 where b is below 0 or above a, or a is below 0."""
    if not ((a == np.floor(a)) & (b == np.floor(b))).all():
        raise ValueError("formula: choose takes whole numbers")
    possible = (b >= 0) & (b <= a)
    top, low = np.where(possible, a, 0.0), np.where(possible, b, 0.0)
    logs = _log_factorial(top) - _log_factorial(low) - _log_factorial(top - low)
    found = np.exp(logs)
    # Below 2^53 the whole number itself: the logarithms have lost some of the last digits.
    return np.where(possible, np.where(found < 1e12, np.rint(found), found), 0.0)


def _divide(a: Values, b: Values) -> Values:
    return np.where((a == 0) & (b == 0), 0.0, a / np.where((a == 0) & (b == 0), 1.0, b))


FORMULA_OPERATORS: dict[type[ast.AST], Callable[..., Values]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: _divide,
    ast.Pow: np.float_power,
    ast.UAdd: np.positive,
    ast.USub: np.negative,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
FORMULA_FUNCTIONS: dict[str, tuple[int, Callable[..., Values]]] = {
    "exp": (1, np.exp),
    "log": (1, np.log),
    "sqrt": (1, np.sqrt),
    "abs": (1, np.abs),
    "min": (2, np.minimum),
    "max": (2, np.maximum),
    "where": (3, _where),
    "choose": (2, _choose),
    "sum": (1, lambda x: x.sum(-1, keepdims=True)),
    "mean": (1, _mean),
    "least": (1, lambda x: x.min(-1, keepdims=True)),
    "most": (1, lambda x: x.max(-1, keepdims=True)),
    "std": (1, _std),
    "above": (1, _above),
    "below": (1, lambda x: np.cumsum(x, -1) - x),
}
"""By name, how many arguments it takes, and what it does."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that was read; equal texts are equal formulas."""

    text: str
    """Without blanks."""

    @property
    def tree(self) -> ast.expr:
        """Checked nodes."""
        return _parse(self.text)

    @property
    def names(self) -> frozenset[str]:
        """Those of `FORMULA_NAMES` that are in it."""
        found = {node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name)}
        return frozenset(found & set(FORMULA_NAMES))

    def weigh(self, r: Array, k: int) -> Array:
        """Weights `[..., n]` of rewards `[..., n]`, in the sum convention.

        Raises:
          ValueError: a weight that is no finite number within ±`WEIGHT_LIMIT`, naming the group.
        """
        if not isinstance(r, np.ndarray):
            return arrays.like(self.weigh(arrays.to_numpy(r).astype(float), k), r)
        ascending, order = arrays.sort(r)
        n = r.shape[-1]
        known = {
            "r": ascending,
            "rank": np.broadcast_to(np.arange(1.0, n + 1), r.shape),
            "n": np.full(r.shape, float(n)),
            "k": np.full(r.shape, float(k)),
        }
        with np.errstate(all="ignore"):
            found = np.broadcast_to(_evaluate(self.tree, known), r.shape).astype(float)
        good = np.abs(found) <= WEIGHT_LIMIT  # not of nan, either
        if not good.all():
            group = ascending.reshape(-1, n)[np.argmin(good.reshape(-1, n).all(-1))]
            value = found[~good].flat[0]
            shown = " ".join(f"{x:g}" for x in group[:8]) + (" ..." if n > 8 else "")
            raise ValueError(
                f"formula must give finite weights within ±{WEIGHT_LIMIT:g}, got {value:g} for rewards "
                f"{shown}, k = {k}"
            )
        return arrays.unsort(_share_among_equals(ascending, found), order)


def parse_formula(text: str) -> Formula:
    """Read a formula; see this module for the language.

    Args:
      text: such as "(r - mean(r)) / n", at most `FORMULA_LIMIT` characters.

    Raises:
      ValueError: anything that is not in the language, naming it and what is allowed.
    """
    if len(text) > FORMULA_LIMIT:
        raise ValueError(f"formula must have at most {FORMULA_LIMIT} characters, got {len(text)}")
    if not text.strip():
        raise ValueError("formula must not be empty; try (r - mean(r)) / n")
    if not _CHARACTERS.fullmatch(text):
        bad = next(c for c in text if not _CHARACTERS.fullmatch(c))
        raise ValueError(f"formula must be of letters, digits and + - * / ( ) < > = , got {bad!r}")
    _parse(text.strip())
    return Formula(text.replace(" ", ""))


def _parse(text: str) -> ast.expr:
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(f"formula must be one expression, got {abbreviate(text)}") from None
    _check(tree, 1)
    return tree


def _check(node: ast.AST, depth: int) -> None:
    """Refuse every node that is not in the language."""
    if depth > DEPTH_LIMIT:
        raise ValueError(f"formula must be at most {DEPTH_LIMIT} operations deep")
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            if not value <= CONSTANT_LIMIT:
                raise ValueError(
                    f"formula: numbers must be at most {CONSTANT_LIMIT:g}, got {abbreviate(value)}"
                )
            inside: list[Any] = []
        case ast.Name(id=name):
            if name not in FORMULA_NAMES:
                what = "needs brackets" if name in FORMULA_FUNCTIONS else "is not known"
                raise ValueError(f"formula: {name[:40]!r} {what}; {_VOCABULARY}")
            inside = []
        case ast.BinOp(left=left, op=op, right=right) if type(op) in FORMULA_OPERATORS:
            inside = [left, right]
        case ast.UnaryOp(op=op, operand=operand) if type(op) in FORMULA_OPERATORS:
            inside = [operand]
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in FORMULA_OPERATORS:
            inside = [left, right]
        case ast.Call(func=ast.Name(id=name), args=inside, keywords=[]) if (
            name in FORMULA_FUNCTIONS
        ):
            count, several = FORMULA_FUNCTIONS[name][0], name in ("min", "max")
            if len(inside) != count and not (several and len(inside) > count):
                least = "at least " if several else ""
                raise ValueError(f"formula: {name} takes {least}{count} values, got {len(inside)}")
        case ast.Call(func=ast.Name(id=name)) if name not in FORMULA_FUNCTIONS:
            raise ValueError(f"formula: {name[:40]!r} is no function; {_VOCABULARY}")
        case _:
            raise ValueError(f"formula: {_shown(node)} is not in the language; {_VOCABULARY}")
    for child in inside:
        _check(child, depth + 1)


_VOCABULARY = f"names are {', '.join(FORMULA_NAMES)}, functions {', '.join(FORMULA_FUNCTIONS)}"


def _shown(node: ast.AST) -> str:
    try:
        return repr(ast.unparse(node)[:40])
    except (RecursionError, ValueError):
        return type(node).__name__


def _evaluate(node: ast.AST, known: dict[str, Values]) -> Values:
    match node:
        case ast.Constant(value=value):
            return np.full_like(known["n"], value)
        case ast.Name(id=name):
            return known[name]
        case ast.Call(func=ast.Name(id=name), args=inside):
            values = [_evaluate(child, known) for child in inside]
            apply = FORMULA_FUNCTIONS[name][1]
            if name in ("min", "max"):
                return functools.reduce(apply, values)
        case ast.UnaryOp(op=op, operand=operand):
            values, apply = [_evaluate(operand, known)], FORMULA_OPERATORS[type(op)]
        case (
            ast.BinOp(left=left, op=op, right=right)
            | ast.Compare(left=left, ops=[op], comparators=[right])
        ):
            values = [_evaluate(left, known), _evaluate(right, known)]
            apply = FORMULA_OPERATORS[type(op)]
        case _:
            raise AssertionError(type(node))
    found: Values = np.broadcast_to(np.asarray(apply(*values), float), known["n"].shape)
    return found


def _share_among_equals(ascending: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The mean weight within each run of equal rewards."""
    if not (ascending[..., 1:] == ascending[..., :-1]).any():
        return weights
    starts = np.ones(ascending.shape, bool)
    starts[..., 1:] = ascending[..., 1:] != ascending[..., :-1]
    run = np.cumsum(starts.ravel()) - 1
    flat = weights.ravel()
    first = flat[starts.ravel()][run]  # equal weights stay as they are, to the last digit
    mean = np.bincount(run, flat - first) / np.bincount(run)
    shared: np.ndarray = (first + mean[run]).reshape(weights.shape)
    return shared
