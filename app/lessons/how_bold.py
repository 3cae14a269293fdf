"""Lesson 2: how bold is best?"""

from __future__ import annotations

import numpy as np

from app.classroom.questions import Question
from app.lessons.lesson import Ask, Lesson, LessonTask, Slider
from app.lessons.scene import Scene, SceneAxis, SceneLayer, named_axis, ticks_at
from pkpo.figures.style import INK, k_colour
from toy_envs import gaussian_hill

_KS = tuple(range(1, 17))
_BOLD = 8
_THIRD = 1 / 3
_GRID = np.linspace(0.0, 1.3, 131)


def lesson_how_bold() -> Lesson:
    """The lesson."""
    curves = gaussian_hill.exact(_GRID, _KS, 0.1, "hill").value
    best = [gaussian_hill.optimum(k) for k in _KS]
    theta = np.array([one.theta for one in best])
    falls = np.asarray(gaussian_hill.chance_of_nothing(theta))
    first = int(np.argmax(falls > _THIRD))
    careful, bold = best[0], best[_BOLD - 1]
    single = gaussian_hill.objective(bold.theta, 1)
    x = SceneAxis(
        title="θ, the mean of the attempts",
        low=0.0,
        high=1.3,
        ticks=ticks_at((0, 0.25, 0.5, 0.75, 1, 1.25)),
    )
    y = SceneAxis(title="expected reward")
    reward = SceneLayer(
        kind="line",
        x=_GRID,
        y=gaussian_hill.reward_shape("hill")(_GRID),
        colour=INK,
        dashed=True,
        name="the reward of an attempt at x",
    )
    one_try = (
        SceneLayer(
            kind="line", x=_GRID, y=curves[0], colour=k_colour(1), name="mean of one attempt"
        ),
        SceneLayer(
            kind="star",
            x=(careful.theta,),
            y=(careful.value,),
            colour=k_colour(1),
            printed=3,
            name="best θ for one attempt",
        ),
    )
    eight = (
        SceneLayer(
            kind="line",
            x=_GRID,
            y=curves[_BOLD - 1],
            colour=k_colour(_BOLD),
            after=True,
            name="mean of the best of 8",
        ),
        SceneLayer(
            kind="star",
            x=(bold.theta,),
            y=(bold.value,),
            colour=k_colour(_BOLD),
            after=True,
            printed=3,
            name="best θ for 8",
        ),
    )
    paid = Scene(
        title="What the two policies earn with a single attempt",
        x=named_axis(("careful (best for 1)", f"bold (best for {_BOLD})")),
        y=SceneAxis(title="mean of one attempt"),
        layers=(
            SceneLayer(
                kind="bars", x=(0,), y=(careful.value,), colour=k_colour(1), printed=3, width=0.5
            ),
            SceneLayer(
                kind="bars",
                x=(1,),
                y=(single,),
                colour=k_colour(_BOLD),
                printed=3,
                width=0.5,
                after=True,
            ),
        ),
    )
    return Lesson(
        key="how-bold",
        title="How bold is best?",
        idea="Who may keep the best of k attempts should stand nearer to the cliff.",
        asks=(
            Ask(
                lead="An attempt x is drawn around **θ** (with σ = 0.1). The further right it lands, "
                "the more it earns, up to the cliff at x = 1; beyond, it earns nothing. With one "
                f"attempt the best θ is {careful.theta:.3f}.",
                question=Question(
                    key="how-bold-marker",
                    text="You draw 8 attempts and keep the best. Where is the best θ now?",
                    kind="marker",
                    low=0.0,
                    high=1.3,
                    step=0.005,
                ),
                scene=Scene(
                    title="The hill with the cliff", x=x, y=y, layers=(reward, *one_try, *eight)
                ),
                truth=bold.theta,
                decimals=3,
                near=0.03,
                at=(),
                explanation=f"At {bold.theta:.3f}: the best of eight hardly ever falls, though many of "
                f"the eight do. It earns {bold.value:.3f} on average.",
                mistaken={
                    "below": "Bolder: one good attempt of eight is enough, the others may fall.",
                    "above": "Too bold: now even the best of eight falls too often.",
                },
            ),
            Ask(
                lead=f"The bold policy stands at θ = {bold.theta:.3f}, the careful one at "
                f"{careful.theta:.3f}, where a single attempt earns {careful.value:.3f} on average.",
                question=Question(
                    key="how-bold-single",
                    text="What does a single attempt of the bold policy earn on average?",
                    kind="number",
                ),
                scene=paid,
                truth=float(single),
                decimals=3,
                explanation=f"{single:.3f}, against {careful.value:.3f}: it falls in "
                f"{falls[_BOLD - 1]:.0%} of its attempts. Best for eight is not best for one.",
                mistaken={
                    "below": "Not so bad: more than half of its attempts stay on top.",
                    "above": "Less: every attempt that falls earns nothing.",
                },
            ),
        ),
        task=LessonTask(
            text="Turn k. From which k on does the best policy fall in **more than a third** of its "
            "attempts?",
            sliders=(
                Slider(name="k, attempts of which the best is kept", values=tuple(map(str, _KS))),
            ),
            scene=Scene(
                title="The hill, and the mean best of k attempts",
                x=x,
                y=y,
                layers=(
                    reward,
                    SceneLayer(
                        kind="line",
                        x=_GRID,
                        y=curves,
                        colour=k_colour(_BOLD),
                        name="mean of the best of k",
                    ),
                    SceneLayer(
                        kind="star",
                        x=theta[:, None],
                        y=np.array([[one.value] for one in best]),
                        colour=k_colour(_BOLD),
                        printed=3,
                        name="best θ",
                    ),
                ),
            ),
            readouts={
                "best θ": tuple(f"{value:.3f}" for value in theta),
                "falls": tuple(f"{value:.1%}" for value in falls),
            },
            achieved=tuple(place == first for place in range(len(_KS))),
            done=f"At k = {_KS[first]}: falling {falls[first]:.1%} of the time is the best policy "
            "there is, if the best of k counts.",
        ),
        page="toy-problem",
        settings={"compare": "schedule 1 2 4 8"},
        source="Walder and Karkhanis (2025), Section 5.1, Eq. 11 and 35, Figure 1.",
        not_claimed="That being bold is good: for a single attempt it is not.",
    )
