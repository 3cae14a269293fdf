"""Words, single digits and `####` as tokens: short sequences from a small vocabulary."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence

END_TOKEN, ANSWER_TOKEN = "<end>", "<answer>"
"""What closes a solution (and fills up rows), and what parts it from its question."""
DIGIT_TOKENS = tuple("0123456789")
_TOKEN = re.compile(r"####|<end>|<answer>|\d|[^\W\d_]+|\S")
_PUNCTUATION = frozenset(".,?!:")


class Tokenizer:
    """Text to tokens and back.

    Spaces are not kept: `decode` puts one before every word or number that follows a word, a number
    or a punctuation mark. Text that is written so comes back exactly.

    Args:
      vocabulary: the tokens, `END_TOKEN` and `ANSWER_TOKEN` first; a token's id is its place.
    """

    def __init__(self, vocabulary: Sequence[str]):
        self.vocabulary = tuple(vocabulary)
        self._ids = {token: i for i, token in enumerate(self.vocabulary)}
        self.eos_id, self.answer_id = self._ids[END_TOKEN], self._ids[ANSWER_TOKEN]

    @classmethod
    def from_texts(cls, texts: Iterable[str]) -> Tokenizer:
        """The tokenizer that knows every token of these texts, and all digits."""
        seen = {token for text in texts for token in _TOKEN.findall(text)}
        return cls(
            (
                END_TOKEN,
                ANSWER_TOKEN,
                *DIGIT_TOKENS,
                *sorted(seen - {END_TOKEN, ANSWER_TOKEN, *DIGIT_TOKENS}),
            )
        )

    def __len__(self) -> int:
        return len(self.vocabulary)

    def encode(self, text: str) -> list[int]:
        """The ids of a text's tokens.

        Raises:
          ValueError: it holds words that are not in the vocabulary; it names them.
        """
        if unknown := unknown_words(text, self._ids):
            raise ValueError(
                f"text has words that the model does not know: {', '.join(unknown)[:80]}"
            )
        return [self._ids[token] for token in _TOKEN.findall(text)]

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """What each of these ids adds to the text."""
        found, last = [], ""
        for token in (self.vocabulary[i] for i in ids):
            number = token.isdigit() and last.isdigit()
            found.append(" " * (token[0].isalnum() and _closes(last) and not number) + token)
            last = token
        return found

    def decode(self, ids: Iterable[int]) -> str:
        """The text of these ids."""
        return "".join(self.pieces(ids))


def _closes(token: str) -> bool:
    return token.isalnum() or token in _PUNCTUATION


def unknown_words(text: str, known: Container[str]) -> list[str]:
    """The tokens of a text that are not among the known ones, each once."""
    return list(dict.fromkeys(token for token in _TOKEN.findall(text) if token not in known))
