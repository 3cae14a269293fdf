"""Lesson 6: explore, then settle."""

from __future__ import annotations

import numpy as np

from app.classroom.questions import Question
from app.lessons.lesson import Ask, Lesson, LessonTask, Slider
from app.lessons.scene import Scene, SceneAxis, SceneLayer, ticks_at, update_line
from pkpo.figures.style import INK, OTHER_COLOURS, k_colour
from pkpo.training.recording import Recording, record_runs
from pkpo.training.tasks.bandit import BanditConfig

_BOLD = 8
_SWITCH = 150
_SETTINGS = BanditConfig()
_SWITCHES = (10, 20, 30, 50, 100, 150, 200, 250, 290)
_GOAL = 0.95
_DRAWN_AT = tuple(range(_SWITCH, _SETTINGS.steps + 1, 30))
_ANNEALED, _REVERSED = OTHER_COLOURS[0], OTHER_COLOURS[1]


def _line(run: Recording, name: str, colour: str, *, after: bool = False) -> SceneLayer:
    return update_line(run["max@1"], colour, name, after=after)


def lesson_explore_settle() -> Lesson:
    """The lesson."""
    others = ("1", f"{_BOLD}", f"1@0,{_BOLD}@{_SWITCH}")
    schedules = (*others, *(f"{_BOLD}@0,1@{update}" for update in _SWITCHES))
    one, eight, reverse, *switched = record_runs(
        [_SETTINGS.replace(schedule=schedule) for schedule in schedules]
    )
    annealed = switched[_SWITCHES.index(_SWITCH)]
    ends = np.array([run["max@1"][-1] for run in switched])
    earliest = int(np.argmax(ends > _GOAL))
    end = {
        name: run["max@1"][-1]
        for name, run in (
            ("one", one),
            ("eight", eight),
            ("annealed", annealed),
            ("reverse", reverse),
        )
    }
    x = SceneAxis(
        title="update",
        low=0,
        high=_SETTINGS.steps,
        ticks=ticks_at(range(0, _SETTINGS.steps + 1, 50)),
    )
    y = SceneAxis(title="max@1: a single try")
    rule = SceneLayer(kind="rule", x=(_SWITCH,), colour=INK, dashed=True)
    until = update_line(eight["max@1"][: _SWITCH + 1], k_colour(_BOLD), f"k = {_BOLD}, so far")
    return Lesson(
        key="explore-settle",
        title="Explore, then settle",
        idea="A large k finds what a small one would never look for; a small k then makes it sure.",
        asks=(
            Ask(
                lead="A trap: a **likely** arm pays 0.6, a **rare** one pays 1. Trained for single "
                f"tries (k = 1) the policy ends at {end['one']:.2f}. Trained for the best of {_BOLD} it "
                f"is here after {_SWITCH} updates, and still tries much.",
                question=Question(
                    key="explore-settle-curve",
                    text=f"At update {_SWITCH}, k becomes 1. Draw how the mean reward of a single try "
                    "goes on.",
                    kind="curve",
                    count=len(_DRAWN_AT),
                ),
                at=tuple(float(update) for update in _DRAWN_AT),
                scene=Scene(
                    title="Training in the trap",
                    x=x,
                    y=y,
                    layers=(
                        _line(one, "k = 1", k_colour(1)),
                        until,
                        rule,
                        _line(annealed, f"k = {_BOLD}, then 1", _ANNEALED, after=True),
                    ),
                ),
                truth=tuple(float(annealed["max@1"][update]) for update in _DRAWN_AT),
                explanation=f"It ends at {end['annealed']:.2f}. The rare arm was found under k = "
                f"{_BOLD}; k = 1 then drops everything else. Annealing k is the paper's way to a better "
                "pass@1.",
                mistaken={
                    "below": "Higher: the rare arm is in play already, and it pays more than the "
                    "likely one.",
                    "above": "Not at once: each update moves the policy a little.",
                },
            ),
            Ask(
                lead=f"The other way round: first k = 1, then from update {_SWITCH} on k = {_BOLD}.",
                question=Question(
                    key="explore-settle-reverse",
                    text="Where does a single try end?",
                    kind="choice",
                    choices=(
                        "Near 1, as before",
                        f"About where k = {_BOLD} alone ends",
                        "It stays in the trap",
                    ),
                ),
                scene=Scene(
                    title="The two orders",
                    x=x,
                    y=y,
                    layers=(
                        _line(one, "k = 1", k_colour(1)),
                        rule,
                        _line(eight, f"k = {_BOLD}", k_colour(_BOLD), after=True),
                        _line(reverse, f"k = 1, then {_BOLD}", _REVERSED, after=True),
                    ),
                ),
                truth=int(
                    np.argmin(
                        [abs(end["reverse"] - end[name]) for name in ("annealed", "eight", "one")]
                    )
                ),
                explanation=f"At {end['reverse']:.2f}, and the best of {_BOLD} at "
                f"{reverse[f'max@{_BOLD}'][-1]:.2f}: after k = 1 the rare arm is hardly ever drawn. "
                "What was forgotten cannot be found again.",
                mistaken={
                    "0": f"k = {_BOLD} can only pay for what is drawn, and the rare arm is not drawn "
                    "any more.",
                    "1": "It starts from another place: k = 1 has given the rare arm up.",
                },
            ),
        ),
        task=LessonTask(
            text="Move the switch. What is the **earliest** update at which k can become 1 so that a "
            f"single try still ends above {_GOAL}?",
            sliders=(
                Slider(
                    name="update of the switch",
                    values=tuple(map(str, _SWITCHES)),
                    start=len(_SWITCHES) - 1,
                ),
            ),
            scene=Scene(
                title="Switching earlier or later",
                x=x,
                y=y,
                layers=(
                    update_line(
                        [run["max@1"] for run in switched], _ANNEALED, f"k = {_BOLD}, then 1"
                    ),
                    SceneLayer(
                        kind="rule",
                        x=np.array(_SWITCHES, float)[:, None],
                        colour=INK,
                        dashed=True,
                        name="switch",
                    ),
                ),
            ),
            readouts={"a single try ends at": tuple(f"{value:.3f}" for value in ends)},
            achieved=tuple(place == earliest for place in range(len(_SWITCHES))),
            done=f"Update {_SWITCHES[earliest]}: earlier, the rare arm is not yet likely enough to "
            "survive; much later, there is no time left to settle.",
        ),
        page="bandit",
        settings={"compare": f"schedule 1 {_BOLD} {_BOLD}@0,1@{_SWITCH}"},
        source="Walder and Karkhanis (2025), Section 5 and Figure 3 (annealing); the trap is ours.",
        not_claimed="One seed of one bandit: a switch that is right here is not right everywhere.",
    )
