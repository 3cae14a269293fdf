"""Lesson 4: same mean, different noise."""

from __future__ import annotations

import math

import numpy as np

from app.classroom.questions import Question
from app.lessons.lesson import Ask, Lesson, LessonTask, Slider
from app.lessons.scene import Scene, SceneAxis, SceneLayer, named_axis, ticks_at
from pkpo.analysis.enumeration import enumerate_outcomes
from pkpo.analysis.estimation_problems import GaussianProblem, binary_problem
from pkpo.analysis.monte_carlo import run_monte_carlo
from pkpo.estimators import ESTIMATORS, transform
from pkpo.figures.style import INK, estimator_colour

_THETA, _N, _K = 1.0, 16, 4
_CLOUDS = ("canonical", "sloo_minus_one", "s", "sloo")  # as A, B, C, D
_LETTERS = "ABCD"
_COMPARED = ("sloo", "canonical", "sloo_minus_one")
_SHORT = {"s": "s", "sloo": "loo", "canonical": "canonical", "sloo_minus_one": "loo-1"}
_DOTS = 150
_RATE, _PAIR = 0.3, 2
_RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_KS = (2, 4, 8, 12)
_TIMES = 4


def _dots() -> dict[str, np.ndarray]:
    """Gradient estimates of the same groups by every estimator, `[dots]` each."""
    groups, estimates_of = GaussianProblem(_THETA).draw(np.random.default_rng(0), _DOTS, _N)
    return {name: estimates_of(transform(groups, _K, name))[:, 0] for name in _CLOUDS}


def _clouds(variances: dict[str, float], gradient: float) -> Scene:
    across = np.linspace(-0.3, 0.3, _DOTS)[np.random.default_rng(1).permutation(_DOTS)]
    dots = _dots()
    return Scene(
        title="Four clouds of gradient estimates",
        x=named_axis([*_LETTERS], "estimator"),
        y=SceneAxis(
            title="gradient estimate", low=-30, high=20, ticks=ticks_at((-30, -20, -10, 0, 10, 20))
        ),
        layers=(
            *(
                SceneLayer(
                    kind="points",
                    x=place + across,
                    y=dots[name],
                    colour=INK,
                    name=letter,
                )
                for place, (letter, name) in enumerate(zip(_LETTERS, _CLOUDS, strict=True))
            ),
            SceneLayer(
                kind="line",
                x=(-0.5, 3.5),
                y=(gradient,) * 2,
                colour=INK,
                dashed=True,
                name="exact gradient",
            ),
            *(
                SceneLayer(
                    kind="line",
                    x=(place, place),
                    y=(gradient - deviation, gradient + deviation),
                    colour=estimator_colour(name),
                    name=f"{letter} is {_SHORT[name]}, ± {deviation:.1f}",
                    after=True,
                )
                for place, (letter, name) in enumerate(zip(_LETTERS, _CLOUDS, strict=True))
                for deviation in (math.sqrt(variances[name]),)
            ),
        ),
    )


def lesson_gradient_noise() -> Lesson:
    """The lesson."""
    problem = GaussianProblem(_THETA)
    found = run_monte_carlo(problem, _CLOUDS, _N, _K)
    variances = {name: one.variance.value for name, one in found.items()}
    widest, narrowest = (pick(variances, key=lambda name: variances[name]) for pick in (max, min))
    letter = dict(zip(_CLOUDS, _LETTERS, strict=True))
    compared = tuple(variances[name] for name in _COMPARED)
    binary = binary_problem(_RATE)
    rare = tuple(enumerate_outcomes(binary, name, _N, _PAIR).variance for name in _COMPARED)
    winner = int(np.argmin(rare))
    table = {
        name: np.array(
            [
                [enumerate_outcomes(binary_problem(p), name, _N, k).variance for p in _RATES]
                for k in _KS
            ]
        )
        for name in ("sloo_minus_one", "canonical")
    }
    ratio = table["sloo_minus_one"] / table["canonical"]  # [k, p]
    at = [(place, k) for k in range(len(_KS)) for place in range(len(_RATES))]
    cost = [max(ratio[k, p], 1 / ratio[k, p]) for p, k in at]
    better = ["canonical" if ratio[k, p] > 1 else "loo-1" for p, k in at]
    names = tuple(_SHORT[name] for name in _COMPARED)
    narrower = "Narrower: this one takes off what the rest of a group earns alike."
    return Lesson(
        key="gradient-noise",
        title="Same mean, different noise",
        idea="Estimators that are right on average differ in how far a single estimate is off.",
        asks=(
            Ask(
                lead=f"{_N} attempts on the hill (θ = {_THETA:g}, k = {_K}) give one **estimate** of "
                "the gradient, by which θ moves. Four estimators see the same groups; every dot is a "
                "group. All four are **unbiased**: right on average.",
                question=Question(
                    key="gradient-noise-clouds",
                    text="One of them takes no baseline off the rewards (estimator s). Which?",
                    kind="choice",
                    choices=tuple(_LETTERS),
                ),
                scene=_clouds(variances, float(problem.gradient(_K)[0])),
                truth=_CLOUDS.index(widest),
                explanation=f"Without a baseline ({letter[widest]}) the variance is "
                f"{variances[widest] / variances[narrowest]:.0f} times that of {_SHORT[narrowest]} "
                f"({letter[narrowest]}). "
                "Whoever uses it needs as many times the samples for the same certainty.",
                mistaken={
                    str(place): narrower for place, name in enumerate(_CLOUDS) if name != widest
                },
            ),
            Ask(
                lead=f"Without a baseline the **variance** is {variances['s']:.0f}. The others take "
                "something off: **loo** the mean weight of the other attempts, **canonical** the best "
                "of k others, **loo-1** the best of each subset without the attempt.",
                question=Question(
                    key="gradient-noise-variances",
                    text="Set the bars: what variance is left?",
                    kind="bars",
                    choices=names,
                    count=len(names),
                    high=6.0,
                    step=0.1,
                ),
                scene=Scene(
                    title="Variance of gradient estimates",
                    x=named_axis(names),
                    y=SceneAxis(title="variance", high=6.0, ticks=ticks_at(range(7))),
                    layers=tuple(
                        SceneLayer(
                            kind="bars",
                            x=(place,),
                            y=(variances[name],),
                            colour=estimator_colour(name),
                            width=0.4,
                            after=True,
                            printed=2,
                            name=ESTIMATORS[name].label,
                        )
                        for place, name in enumerate(_COMPARED)
                    ),
                ),
                at=tuple(float(place) for place in range(len(names))),
                truth=compared,
                near=0.5,
                explanation="The variance left: "
                + ", ".join(
                    f"{name} {value:.2f}" for name, value in zip(names, compared, strict=True)
                )
                + ". What is taken off fits best where it comes from the very subset that the attempt "
                "is in: loo-1 compares it with nothing else.",
                mistaken={
                    "above": "Less: most of that noise is what all attempts of a group share.",
                    "below": "Not quite so little: which attempts fall is chance, and stays.",
                },
            ),
            Ask(
                lead=f"Now rewards are right or wrong: pass rate {_RATE}, the best of {_PAIR}, still "
                f"{_N} answers in a group.",
                question=Question(
                    key="gradient-noise-binary",
                    text="Which has the least variance here?",
                    kind="choice",
                    choices=names,
                ),
                scene=Scene(
                    title="Variance where answers are right or wrong",
                    x=named_axis(names),
                    y=SceneAxis(title="variance", high=0.012, ticks=ticks_at(np.arange(7) / 500)),
                    layers=tuple(
                        SceneLayer(
                            kind="bars",
                            x=(place,),
                            y=(rare[place],),
                            colour=estimator_colour(name),
                            width=0.4,
                            after=True,
                            printed=4,
                            name=ESTIMATORS[name].label,
                        )
                        for place, name in enumerate(_COMPARED)
                    ),
                ),
                truth=winner,
                explanation=f"Where answers are right or wrong, {names[winner]} has the least here: "
                f"loo-1 has {rare[2] / rare[winner]:.1f} times as much. It gives a wrong answer "
                "nothing, while canonical lowers it, too. No estimator is best everywhere.",
                mistaken={
                    str(place): hint
                    for place, hint in enumerate(
                        (
                            "Close: it takes off a little more than canonical does.",
                            "It subtracts too much where most of a group is right.",
                            "It won on the hill; where answers are right or wrong it need not.",
                        )
                    )
                    if place != winner
                },
            ),
        ),
        task=LessonTask(
            text="Find a pass rate and a k where choosing the **wrong** one of loo-1 and canonical "
            f"costs **more than {_TIMES} times** the variance.",
            sliders=(
                Slider(name="k", values=tuple(map(str, _KS))),
                Slider(name="pass rate", values=tuple(map(str, _RATES))),
            ),
            scene=Scene(
                title="Variance of loo-1 over that of canonical",
                x=SceneAxis(title="pass rate", ticks=ticks_at((0, 0.2, 0.4, 0.6, 0.8, 1))),
                y=SceneAxis(
                    title="loo-1 over canonical",
                    low=-5,
                    high=3,
                    ticks=ticks_at((-4, -2, 0, 2)),
                    names=("1/16", "1/4", "1", "4"),
                ),
                layers=(
                    SceneLayer(kind="line", x=(0, 1), y=(0, 0), colour=INK, name="no difference"),
                    *(
                        SceneLayer(
                            kind="line",
                            x=(0, 1),
                            y=(edge,) * 2,
                            colour=INK,
                            dashed=True,
                            name=name,
                        )
                        for edge, name in (
                            (math.log2(_TIMES), f"{_TIMES} times"),
                            (-math.log2(_TIMES), ""),
                        )
                    ),
                    SceneLayer(
                        kind="line",
                        x=_RATES,
                        y=np.log2([ratio[k] for _, k in at]),
                        colour=estimator_colour("sloo_minus_one"),
                        name="loo-1 over canonical",
                    ),
                    SceneLayer(
                        kind="star",
                        x=np.array([[_RATES[p]] for p, _ in at]),
                        y=np.log2([[ratio[k, p]] for p, k in at]),
                        colour=estimator_colour("sloo_minus_one"),
                        name="here",
                    ),
                ),
            ),
            readouts={
                "better here": tuple(better),
                "the other one has": tuple(f"{value:.1f} times the variance" for value in cost),
            },
            achieved=tuple(bool(value > _TIMES) for value in cost),
            done="The more right answers a group has, the more loo-1 gains; where they are rare, the "
            "two differ less, or canonical is ahead. The winner map shows all of it.",
        ),
        page="variance-lab",
        settings={"view": "map", "problem": "binary", "n": str(_N), "k": str(_PAIR)},
        source="Walder and Karkhanis (2025), Figure 4, Eq. 19, 29 and 33; the right-or-wrong case is "
        "ours.",
        not_claimed="That variance is all: with enough samples every one of them gets there.",
    )
