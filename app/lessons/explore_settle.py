"""Lesson 6: explore, then settle."""

from __future__ import annotations

import numpy as np

from app.classroom.questions import Question
from app.lessons.lesson import Ask, Lesson, Slider, Task
from app.lessons.scene import Layer, Scene, SceneAxis, ticks_at
from pkpo.figures.style import INK, OTHER_COLOURS, k_colour
from pkpo.training.recording import Recording, record_run
from pkpo.training.tasks.bandit import BanditConfig

BOLD = 8
SWITCH = 150
SETTINGS = BanditConfig()
SWITCHES = (10, 20, 30, 50, 100, 150, 200, 250, 290)
GOAL = 0.95
DRAWN_AT = tuple(range(SWITCH, SETTINGS.steps + 1, 30))
ANNEALED, REVERSED = OTHER_COLOURS[0], OTHER_COLOURS[1]


def _run(schedule: str) -> Recording:
    return record_run(SETTINGS.replace(schedule=schedule))


def _line(run: Recording, name: str, colour: str, *, after: bool = False) -> Layer:
    curve = run["max@1"]
    return Layer(
        kind="line", x=np.arange(len(curve)), y=curve, colour=colour, name=name, after=after
    )


def lesson_explore_settle() -> Lesson:
    """The lesson."""
    one, eight = _run("1"), _run(f"{BOLD}")
    annealed = _run(f"{BOLD}@0,1@{SWITCH}")
    reverse = _run(f"1@0,{BOLD}@{SWITCH}")
    switched = [_run(f"{BOLD}@0,1@{update}") for update in SWITCHES]
    ends = np.array([run["max@1"][-1] for run in switched])
    earliest = int(np.argmax(ends > GOAL))
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
        title="update", low=0, high=SETTINGS.steps, ticks=ticks_at(range(0, SETTINGS.steps + 1, 50))
    )
    y = SceneAxis(title="mean reward of a single try: max@1")
    rule = Layer(kind="rule", x=(SWITCH,), colour=INK, dashed=True)
    begun = np.arange(SWITCH + 1)
    until = Layer(
        kind="line",
        x=begun,
        y=eight["max@1"][: SWITCH + 1],
        colour=k_colour(BOLD),
        name=f"k = {BOLD}, so far",
    )
    return Lesson(
        key="explore-settle",
        title="Explore, then settle",
        idea="A large k finds what a small one would never look for; a small k then makes it sure.",
        asks=(
            Ask(
                lead="A trap: a **likely** arm pays 0.6, a **rare** one pays 1. Trained for single "
                "tries "
                f"(k = 1) the policy ends at {end['one']:.2f}. Trained for the best of {BOLD} it is "
                f"here "
                f"after {SWITCH} updates, and still tries much.",
                question=Question(
                    key="explore-settle-curve",
                    text=f"At update {SWITCH}, k becomes 1. Draw how the mean reward of a single "
                    f"try goes on.",
                    kind="curve",
                    count=len(DRAWN_AT),
                ),
                at=tuple(float(update) for update in DRAWN_AT),
                scene=Scene(
                    title="Training in the trap",
                    x=x,
                    y=y,
                    layers=(
                        _line(one, "k = 1", k_colour(1)),
                        until,
                        rule,
                        _line(annealed, f"k = {BOLD}, then 1", ANNEALED, after=True),
                    ),
                ),
                truth=tuple(float(annealed["max@1"][update]) for update in DRAWN_AT),
                explanation=f"It ends at {end['annealed']:.2f}. The rare arm was found under k = "
                f"{BOLD}; "
                "k = 1 then drops everything else. Annealing k is the paper's way to a better pass@1.",
                mistaken={
                    "below": "Higher: the rare arm is in play already, and it pays more than the "
                    "likely one.",
                    "above": "Not at once: each update moves the policy a little.",
                },
            ),
            Ask(
                lead=f"The other way round: first k = 1, then from update {SWITCH} on k = {BOLD}.",
                question=Question(
                    key="explore-settle-reverse",
                    text="Where does a single try end?",
                    kind="choice",
                    choices=(
                        "Near 1, as before",
                        f"About where k = {BOLD} alone ends",
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
                        _line(eight, f"k = {BOLD}", k_colour(BOLD), after=True),
                        _line(reverse, f"k = 1, then {BOLD}", REVERSED, after=True),
                    ),
                ),
                truth=int(
                    np.argmin(
                        [abs(end["reverse"] - end[name]) for name in ("annealed", "eight", "one")]
                    )
                ),
                explanation=f"At {end['reverse']:.2f}, and the best of {BOLD} at "
                f"{reverse[f'max@{BOLD}'][-1]:.2f}: after k = 1 the rare arm is hardly ever drawn. "
                f"What was "
                "forgotten cannot be found again.",
                mistaken={
                    "0": f"k = {BOLD} can only pay for what is drawn, and the rare arm is not drawn "
                    f"any more.",
                    "1": "It starts from another place: k = 1 has given the rare arm up.",
                },
            ),
        ),
        task=Task(
            text=f"Move the switch. What is the **earliest** update at which k can become 1 so that "
            f"a single "
            f"try still ends above {GOAL}?",
            sliders=(
                Slider(
                    name="update of the switch",
                    values=tuple(map(str, SWITCHES)),
                    start=len(SWITCHES) - 1,
                ),
            ),
            scene=Scene(
                title="Switching earlier or later",
                x=x,
                y=y,
                layers=(
                    Layer(
                        kind="line",
                        x=np.arange(SETTINGS.steps + 1),
                        y=np.array([run["max@1"] for run in switched]),
                        colour=ANNEALED,
                        name=f"k = {BOLD}, then 1",
                    ),
                    Layer(
                        kind="rule",
                        x=np.array(SWITCHES, float)[:, None],
                        colour=INK,
                        dashed=True,
                        name="switch",
                    ),
                ),
            ),
            readouts={"a single try ends at": tuple(f"{value:.3f}" for value in ends)},
            achieved=tuple(place == earliest for place in range(len(SWITCHES))),
            done=f"Update {SWITCHES[earliest]}: earlier, the rare arm is not yet likely enough to "
            f"survive; "
            "much later, there is no time left to settle.",
        ),
        page="bandit",
        settings={"compare": f"schedule 1 {BOLD} {BOLD}@0,1@{SWITCH}"},
        source="Walder and Karkhanis (2025), Section 5 and Figure 3 (annealing); the trap is ours.",
        not_claimed="One seed of one bandit: a switch that is right here is not right everywhere.",
    )
