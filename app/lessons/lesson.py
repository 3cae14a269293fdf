"""A lesson as data: questions with their truths, a task, and where to go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import product
from typing import Any
from urllib.parse import urlencode

from app.classroom.questions import Answer, Question
from app.glossary import link_terms
from app.lessons.scene import Scene, pack_scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question, and what is shown of its truth once it is answered."""

    lead: str
    """What one must know to answer; **bold** is the only markup in texts of lessons, and terms of the
    glossary are linked where they are packed."""
    question: Question
    scene: Scene
    truth: Answer
    """An answer to the question, as `pkpo` computes it."""
    explanation: str
    """At most three sentences, with numbers from the truth."""
    mistaken: Mapping[str, str] = field(default_factory=dict)
    """What is said to a wrong answer: by a choice's place ("0", ...), or "below" and "above" the "
    "truth."""
    at: tuple[float, ...] = ()
    """The x of a curve's points or of bars, `[count]`."""
    decimals: int = 2
    near: float = 0.05
    """How far an answer may be from the truth to be called near."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slider:
    """A control of a task."""

    name: str
    values: tuple[str, ...]
    """What it stands at, place by place."""
    start: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonTask:
    """Something to achieve with sliders; everything is known for each of their places beforehand."""

    text: str
    sliders: tuple[Slider, ...]
    scene: Scene
    """Its layers may have a leading axis of places: the last slider changes fastest."""
    readouts: Mapping[str, tuple[str, ...]]
    """By name, what is read at each place."""
    achieved: tuple[bool, ...]
    """At each place; not at that where the task begins."""
    done: str
    """What it shows, said when it is achieved."""

    @property
    def places(self) -> int:
        """How many places the sliders have together."""
        return len(list(product(*(slider.values for slider in self.sliders))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One idea, in four to six minutes."""

    key: str
    title: str
    idea: str
    asks: tuple[Ask, ...]
    task: LessonTask
    page: str
    """Where to explore it at full size: a page's path,"""
    settings: Mapping[str, str]
    """and its settings there."""
    source: str
    not_claimed: str
    on_paper: int = 0
    """Which of its questions stands on the worksheet."""
    link: str = "Explore it at full size"
    """What leads there."""


def pack_ask(ask: Ask) -> dict[str, Any]:
    """A question and its truth as plain data, for the browser."""
    return {
        "lead": link_terms(ask.lead),
        "question": asdict(ask.question),
        "scene": pack_scene(ask.scene),
        "truth": ask.truth,
        "explanation": link_terms(ask.explanation),
        "mistaken": {wrong: link_terms(hint) for wrong, hint in ask.mistaken.items()},
        "at": list(ask.at),
        "decimals": ask.decimals,
        "near": ask.near,
    }


def pack_lesson(lesson: Lesson) -> dict[str, Any]:
    """A lesson as plain data, for the browser."""
    task = lesson.task
    return {
        "key": lesson.key,
        "title": lesson.title,
        "idea": link_terms(lesson.idea),
        "asks": [pack_ask(ask) for ask in lesson.asks],
        "task": {
            "text": link_terms(task.text),
            "sliders": [asdict(slider) for slider in task.sliders],
            "scene": pack_scene(task.scene),
            "readouts": {name: list(texts) for name, texts in task.readouts.items()},
            "achieved": list(task.achieved),
            "done": link_terms(task.done),
        },
        "explore": f"{lesson.page}?{urlencode(lesson.settings)}",
        "link": lesson.link,
        "source": lesson.source,
        "not_claimed": lesson.not_claimed,
    }
