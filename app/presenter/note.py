"""One of the speaker's notes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpeakerNote:
    """What the speaker's window shows of one step, a sentence each."""

    ask: str
    wrong: str
    """What a class often answers, and why it is wrong."""
