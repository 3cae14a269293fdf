"""Asking a model: one of ours at once, another one in one's turn; what was answered is kept."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from pkpo.lm.devices import one_thread
from pkpo.lm.paths import first_line, ours

ANSWERS_DRAWN = 16
FEW_DRAWN = 4
"""Tries of a model that is not ours: of 135 million parameters, each takes about 6 s on a core."""


@dataclass(frozen=True, slots=True)
class AskedModel:
    """A model before training, or what a file holds of it."""

    start: str
    """The model before training."""
    lora: int
    limit: int
    file: str
    """A folder or a checkpoint; "" before training."""

    @property
    def answers_drawn(self) -> int:
        """How often it answers."""
        return ANSWERS_DRAWN if ours(self.start) else FEW_DRAWN


_turn = threading.Lock()  # of whoever asks a model that is not ours
_held: dict[tuple[str, int], Any] = {}  # the only one of these that is loaded


@lru_cache(maxsize=256)
def ask(asked: AskedModel, question: str, draw: int) -> list[Any]:
    """What a model answers, as `Completion`s; kept, so that a page drawn anew waits for nobody."""
    if ours(asked.start):
        return _attempts(_own_model(asked.start, asked.file), asked, question, draw)
    waiting = st.empty()
    while not _turn.acquire(timeout=1.0):
        # Streamlit ends the script of a visitor who has left here.
        waiting.caption("Another visitor is asking. Your turn comes by itself.")
    try:
        waiting.empty()
        return _ask_large(asked, question, draw)
    finally:
        _turn.release()


@lru_cache(maxsize=256)
def _ask_large(asked: AskedModel, question: str, draw: int) -> list[Any]:
    """The same in one's turn: somebody before may have asked it."""
    from pkpo.lm.answers import SwitchableModel

    key = asked.start, asked.lora
    if key not in _held:
        _held.clear()  # before the next is loaded: there may be no room for two
        _held[key] = SwitchableModel(*key)
    model = _held[key].at(Path(asked.file) if asked.file else None)
    try:
        return _attempts(model, asked, question, draw)
    except (
        IndexError,
        RuntimeError,
    ) as reason:  # more tokens than it can read, no memory left, ...
        raise ValueError(f"the model cannot answer this ({first_line(reason)})") from reason


def _attempts(model: Any, asked: AskedModel, question: str, draw: int) -> list[Any]:
    from pkpo.lm.answers import answer_question

    with one_thread():
        return answer_question(model, question, asked.answers_drawn, draw, asked.limit)


@lru_cache(maxsize=8)
def _own_model(start: str, file: str) -> Any:
    from pkpo.lm.answers import load_checkpoint_model
    from pkpo.lm.model_files import load_model

    if not file:
        return load_model(start)
    return load_model(file) if Path(file).is_dir() else load_checkpoint_model(start, Path(file))
