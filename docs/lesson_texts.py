"""The texts of the app's lessons as Markdown, made from the lessons themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.lessons.catalogue import LESSONS, TAKE_HOME, get_lesson
from app.lessons.lesson import Ask, Lesson, LessonTask

PLACE = "<!-- lessons -->"
"""Where they stand on the page."""
SIDES = {"below": "less", "above": "more"}


def write_lessons() -> str:
    """All lessons in their order, and what to take home."""
    parts = [
        part for place, key in enumerate(LESSONS, 1) for part in _lesson(place, get_lesson(key))
    ]
    parts += ["## To take home", *(f"- {sentence}" for sentence in TAKE_HOME)]
    return "\n\n".join(parts)


def _lesson(place: int, lesson: Lesson) -> Iterator[str]:
    yield f"## {place}. {lesson.title}"
    yield f"*{lesson.idea}*"
    for ask in lesson.asks:
        yield ask.lead
        yield f"**{ask.question.text}**"
        if ask.question.kind == "choice":
            yield "\n".join(f"- {choice}" for choice in ask.question.choices)
        hints = [f"Who says “{wrong}”: {hint}" for wrong, hint in _mistaken(ask).items()]
        yield _folded("Answer", f"**{_truth(ask)}.** {ask.explanation}", *hints)
    yield f"**Task.** {lesson.task.text}"
    yield _folded("What it shows", *_solution(lesson.task), lesson.task.done)
    yield f"{lesson.source} Not claimed: {lesson.not_claimed}"


def _folded(title: str, *paragraphs: str) -> str:
    return "\n\n".join([f"<details><summary>{title}</summary>", *paragraphs, "</details>"])


def _truth(ask: Ask) -> str:
    """The right answer in words."""
    question, truth = ask.question, ask.truth
    if question.kind == "choice":
        return question.choices[int(truth)]  # type: ignore[arg-type]
    if isinstance(truth, tuple):
        names = question.choices or tuple(f"at {x:g}" for x in ask.at)
        pairs = zip(names, truth, strict=True)
        return ", ".join(f"{name}: {value:.{ask.decimals}f}" for name, value in pairs)
    return f"{truth:.{ask.decimals}f}"


def _mistaken(ask: Ask) -> Mapping[str, str]:
    """What is said to wrong answers, by these."""
    names = {str(place): choice for place, choice in enumerate(ask.question.choices)} | SIDES
    return {names[wrong]: hint for wrong, hint in ask.mistaken.items()}


def _solution(task: LessonTask) -> Iterator[str]:
    """Where the slider achieves it; nothing where there are several, or several such places."""
    if len(task.sliders) == 1 and sum(task.achieved) == 1:
        (slider,) = task.sliders
        yield f"{slider.name}: {slider.values[task.achieved.index(True)]}."
