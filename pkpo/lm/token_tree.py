"""Completions as a tree that merges where they begin alike: what is shared is there once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

TokenSequence = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TokenBranch:
    """Tokens that follow each other in all completions that come this far."""

    tokens: TokenSequence
    """At least one, but for the root, where completions may differ at once."""
    count: int
    """How many completions come this far."""
    ends: int
    """How many of them end with these tokens."""
    branches: tuple[TokenBranch, ...]
    """How the others go on, the most frequent first."""

    @property
    def text(self) -> str:
        """What the tokens add."""
        return "".join(self.tokens)


def token_tree(completions: Sequence[Sequence[str]]) -> TokenBranch:
    """The tree of these completions.

    Args:
      completions: the tokens of each, at least one completion; one without tokens ends at the root.

    Raises:
      ValueError: no completion.
    """
    if not completions:
        raise ValueError("completions must be at least one, got none")
    return _branch(Counter(map(tuple, completions)), 0)


def _branch(found: Counter[TokenSequence], at: int) -> TokenBranch:
    """The branch of completions that agree in their first `at` tokens."""
    first = next(iter(found))
    agreed = at
    while all(len(tokens) > agreed and tokens[agreed] == first[agreed] for tokens in found):
        agreed += 1
        if len(first) == agreed:
            break
    parts: dict[str, Counter[TokenSequence]] = {}
    ends = 0
    for tokens, count in found.items():
        if len(tokens) == agreed:
            ends += count
        else:
            parts.setdefault(tokens[agreed], Counter())[tokens] = count
    ordered = sorted(parts.values(), key=lambda part: -part.total())
    return TokenBranch(
        first[at:agreed], found.total(), ends, tuple(_branch(part, agreed) for part in ordered)
    )
