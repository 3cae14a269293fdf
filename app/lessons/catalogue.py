"""The lessons, in the order in which they are taught."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from app.lessons.answers_worth import lesson_answers_worth
from app.lessons.explore_settle import lesson_explore_settle
from app.lessons.gradient_noise import lesson_gradient_noise
from app.lessons.how_bold import lesson_how_bold
from app.lessons.lesson import Ask, Lesson, pack_lesson
from app.lessons.on_language import lesson_on_language
from app.lessons.one_try import lesson_one_try
from app.lessons.samples_for_k import lesson_samples_for_k
from app.lessons.wrong_goal import lesson_wrong_goal

LESSONS: dict[str, tuple[str, Callable[[], Lesson]]] = {
    "one-try": ("One try, or the best of k?", lesson_one_try),
    "how-bold": ("How bold is best?", lesson_how_bold),
    "answers-worth": ("What is each answer worth?", lesson_answers_worth),
    "gradient-noise": ("Same mean, different noise", lesson_gradient_noise),
    "samples-for-k": ("How many samples for k?", lesson_samples_for_k),
    "explore-settle": ("Explore, then settle", lesson_explore_settle),
    "on-language": ("Does it hold for a language model?", lesson_on_language),
    "wrong-goal": ("When is pass@k the wrong goal?", lesson_wrong_goal),
}
"""By key: the title, and what makes the lesson, which computes its truths."""


ANSWERS_CARD = "card"
"""In the address, the closing card: all answers beside the truths."""
TAKE_HOME = (
    "Decide how many tries will count, and train for that k.",
    "In a group, pay each answer what it adds to the best of k, with a baseline.",
    "A large k explores; anneal it to 1 if in the end a single try counts.",
)
"""Three sentences."""
MOST_STEPS = 9
WORKSHEET_PATH = "lesson-worksheet"
"""Where the worksheet is (`app.lessons.worksheet`)."""


def check_lesson(text: str) -> str:
    """The key of a lesson, or `ANSWERS_CARD`, out of an address.

    Raises:
      ValueError: there is none of that key.
    """
    if text not in (*LESSONS, ANSWERS_CARD):
        raise ValueError(f"lesson must be one of {', '.join(LESSONS)}, got {text[:40]!r}")
    return text


def check_step(text: str) -> int:
    """A step out of an address, from 1; the last one of a shorter lesson for a larger one.

    Raises:
      ValueError: no such number.
    """
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= MOST_STEPS):
        raise ValueError(f"step must be a whole number from 1 to {MOST_STEPS}, got {text[:40]!r}")
    return int(text)


@cache
def get_lesson(key: str) -> Lesson:
    """A lesson, made once.

    Args:
      key: of `LESSONS`.
    """
    return LESSONS[key][1]()


def find_ask(key: str) -> Ask | None:
    """The question of that key, with its truth, which begins with that of its lesson.

    Returns:
      None if no lesson has it.
    """
    lessons = (get_lesson(name) for name in LESSONS if key.startswith(f"{name}-"))
    return next((ask for lesson in lessons for ask in lesson.asks if ask.question.key == key), None)


def pack_page(chosen: str, step: int) -> dict[str, Any]:
    """What the page shows, for `app.components.lesson.show_lesson`.

    Args:
      chosen: a key of `LESSONS`, or `ANSWERS_CARD`.
      step: where to begin.
    """
    menu: dict[str, Any] = {
        "lessons": [{"key": key, "title": title} for key, (title, _) in LESSONS.items()],
        "worksheet": WORKSHEET_PATH,
    }
    if chosen == ANSWERS_CARD:
        packed = [pack_lesson(get_lesson(key)) for key in LESSONS]
        card = [{"title": one["title"], "asks": one["asks"]} for one in packed]
        return menu | {"card": card, "home": list(TAKE_HOME), "step": 1}
    return menu | {"lesson": pack_lesson(get_lesson(chosen)), "step": step}
