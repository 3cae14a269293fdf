"""Lesson 1: one try, or the best of k?"""

from __future__ import annotations

import numpy as np

import pkpo
from app.classroom.questions import Question
from app.lessons.lesson import Ask, Lesson, LessonTask, Slider
from app.lessons.scene import Scene, SceneAxis, SceneLayer, named_axis, ticks_at
from pkpo.analysis.solve_rates import pass_at_k_of_rates
from pkpo.figures.style import INK, OTHER_COLOURS, k_colour

_PROBLEMS = 20
_TRIES = tuple(range(1, 17))
_STEADY, _SPECIALIST = OTHER_COLOURS[1], OTHER_COLOURS[0]
_STEADY_RATE, _SPECIALIST_RATE = 0.3, 0.9
_DRAWN, _RIGHT, _WANTED = 16, 3, 8  # samples, right ones, k


def _specialist(known: int) -> np.ndarray:
    return np.where(np.arange(_PROBLEMS) < known, _SPECIALIST_RATE, 0.0)


def lesson_one_try() -> Lesson:
    """The lesson."""
    steady, half = np.full(_PROBLEMS, _STEADY_RATE), _specialist(_PROBLEMS // 2)
    by_k = {
        "steady": pass_at_k_of_rates(steady, _TRIES),
        "half": pass_at_k_of_rates(half, _TRIES),
    }
    one, eight = ((by_k["steady"][k - 1], by_k["half"][k - 1]) for k in (1, 8))
    overtaken = _TRIES[int(np.argmax(by_k["steady"] > by_k["half"]))]
    problems = Scene(
        title="Chance to solve each of 20 problems with one try",
        x=SceneAxis(title="problem", low=0.3, high=20.7, ticks=ticks_at((1, 5, 10, 15, 20))),
        y=SceneAxis(title="chance with one try"),
        layers=tuple(
            SceneLayer(
                kind="bars",
                x=np.arange(1, _PROBLEMS + 1),
                y=rates,
                colour=colour,
                name=name,
                width=0.38,
                shift=shift,
            )
            for rates, colour, name, shift in (
                (steady, _STEADY, "steady", -0.2),
                (half, _SPECIALIST, "specialist", 0.2),
            )
        ),
    )
    curves = tuple(
        SceneLayer(kind="line", x=_TRIES, y=by_k[key], colour=colour, name=name, after=True)
        for key, colour, name in (
            ("steady", _STEADY, "steady"),
            ("half", _SPECIALIST, "specialist"),
        )
    )
    k_axis = SceneAxis(title="k, tries", low=0.7, high=16.3, ticks=ticks_at((1, 2, 4, 8, 16)))
    solved = SceneAxis(title="solved: pass@k")
    models = ("The steady one", "The specialist", "Both the same")
    plugged, unbiased = (
        1 - (1 - _RIGHT / _DRAWN) ** _WANTED,
        float(pkpo.pass_at_k(_DRAWN, _RIGHT, _WANTED)),
    )
    known = tuple(range(_PROBLEMS // 2, _PROBLEMS + 1))
    grown = np.array([pass_at_k_of_rates(_specialist(count), _TRIES) for count in known])
    at_16 = grown[:, -1]
    return Lesson(
        key="one-try",
        title="One try, or the best of k?",
        idea="A model that is best with one try need not be best when its best of k tries is kept.",
        asks=(
            Ask(
                lead="Two models, 20 problems. The **steady** one solves each with chance 0.30. The "
                "**specialist** solves half of them with chance 0.90, the others never.",
                question=Question(
                    key="one-try-1",
                    text="Each model gets one try per problem. Which solves more?",
                    kind="choice",
                    choices=models,
                ),
                scene=problems,
                truth=int(np.argmax(one)),
                explanation=f"With one try, what counts is the mean chance: {one[0]:.2f} against "
                f"{one[1]:.2f}. That is **pass@1**.",
                mistaken={
                    "0": "The steady one knows more problems, but seldom succeeds at once.",
                    "2": "The means differ: half of 0.90 is more than 0.30.",
                },
            ),
            Ask(
                lead="Now both get **eight** tries at every problem, and a problem counts as solved "
                "if any of them is right. That share is called **pass@8**.",
                question=Question(
                    key="one-try-8",
                    text="Which solves more with eight tries?",
                    kind="choice",
                    choices=models,
                ),
                scene=Scene(title="Pass@k of both models", x=k_axis, y=solved, layers=curves),
                truth=int(np.argmax(eight)),
                explanation=f"{eight[0]:.3f} against {eight[1]:.2f}. Tries help where there is some "
                f"chance; where there is none, they never do. From k = {overtaken} on the steady one is "
                "ahead.",
                mistaken={
                    "1": "More tries cannot help at problems that it never solves.",
                    "2": "They gain differently from more tries: look at the curves.",
                },
            ),
            Ask(
                lead="You cannot see chances, only samples. You drew **16** answers to a problem and "
                "**3** were right.",
                question=Question(
                    key="one-try-estimate",
                    text="What would you say pass@8 is: the chance that the best of 8 is right?",
                    kind="number",
                ),
                scene=Scene(
                    title="Two estimates of pass@8 from 3 right answers of 16",
                    x=named_axis(("plug in 3/16", "unbiased (Eq. 3)")),
                    y=SceneAxis(title="estimate of pass@8"),
                    layers=(
                        SceneLayer(
                            kind="bars",
                            x=(0, 1),
                            y=(plugged, unbiased),
                            colour=k_colour(_WANTED),
                            after=True,
                            printed=3,
                            width=0.5,
                        ),
                    ),
                ),
                truth=unbiased,
                decimals=3,
                near=0.03,
                explanation=f"Of all groups of 8 among your 16, {unbiased:.3f} hold a right one: "
                f"unbiased. Plugging 3/16 into the formula gives {plugged:.3f}, too low on average.",
                mistaken={
                    "below": "Eight tries find a right one more often than that.",
                    "above": "Some groups of 8 hold none of the three.",
                },
            ),
        ),
        task=LessonTask(
            text="The specialist learns more problems. How many must it know to be ahead at 16 tries, "
            "too?",
            sliders=(
                Slider(name="problems that the specialist knows", values=tuple(map(str, known))),
            ),
            scene=Scene(
                title="Pass@k of both models",
                x=k_axis,
                y=solved,
                layers=(
                    SceneLayer(
                        kind="line", x=_TRIES, y=by_k["steady"], colour=_STEADY, name="steady"
                    ),
                    SceneLayer(
                        kind="line", x=_TRIES, y=grown, colour=_SPECIALIST, name="specialist"
                    ),
                    SceneLayer(kind="rule", x=(16,), colour=INK, dashed=True),
                ),
            ),
            readouts={
                "specialist, pass@16": tuple(f"{value:.3f}" for value in at_16),
                "steady, pass@16": (f"{by_k['steady'][-1]:.3f}",) * len(known),
            },
            achieved=tuple(bool(value > by_k["steady"][-1]) for value in at_16),
            done="At many tries breadth decides: only knowing every problem beats a small chance at "
            "every problem.",
        ),
        on_paper=2,
        page="estimators",
        settings={
            "rewards": ",".join(["1"] * _RIGHT + ["0"] * (_DRAWN - _RIGHT)),
            "k": str(_WANTED),
        },
        source="Walder and Karkhanis (2025), Eq. 1 to 3; Chen et al. (2021).",
        not_claimed="That several tries are worth their price: each costs as much as the first.",
    )
