"""Lesson 3: what is each answer worth?"""

from __future__ import annotations

import numpy as np

from app.classroom.questions import Question
from app.lessons.lesson import Ask, Lesson, LessonTask, Slider
from app.lessons.scene import Scene, SceneAxis, SceneLayer, named_axis, ticks_at
from pkpo.analysis.group_weights import list_subsets
from pkpo.estimators import ESTIMATORS, transform
from pkpo.figures.style import AWAY, INK, TOWARDS, estimator_colour

_THREE = (0.2, 0.5, 0.9)
_GROUP, _RIGHT = 8, 2
_KS = (1, 2, 4, 8)
_DEFAULT, _CENTRED = "sloo_minus_one", "canonical"


def _group(right: int) -> np.ndarray:
    return np.where(np.arange(_GROUP) < right, 1.0, 0.0)


def lesson_answers_worth() -> Lesson:
    """The lesson."""
    worth = transform(np.array(_THREE), 2)
    pairs = list_subsets(_THREE, 2)
    proof = "; ".join(
        " and ".join(f"{_THREE[member]:g}" for member in pair.members) + f": best {pair.best:g}"
        for pair in pairs
    )
    right = np.array([transform(_group(_RIGHT), k)[0] for k in _KS])
    without = transform(np.array([0.0, 0.0, 1.0, 0.0]), 2, "s")
    counts, ks = range(_GROUP + 1), ESTIMATORS[_CENTRED].allowed_k(_GROUP)
    weights = np.array([[transform(_group(c), k, _CENTRED) for k in ks] for c in counts])
    flat = weights.reshape(-1, _GROUP)
    lowest = weights.min(axis=2).ravel()
    places = [(c, k) for c in counts for k in ks]
    samples = np.arange(1, _GROUP + 1)
    return Lesson(
        key="answers-worth",
        title="What is each answer worth?",
        idea="In a group, an answer is paid what it adds to the best of k, not what it earned.",
        asks=(
            Ask(
                lead="Three answers earned 0.2, 0.5 and 0.9. The best of **two** of them counts. An "
                "answer's **weight** is what it adds to the best, averaged over all pairs: with it, "
                "less without it.",
                question=Question(
                    key="answers-worth-three",
                    text="Set the bars: what does each answer add?",
                    kind="bars",
                    choices=tuple(f"earned {reward:g}" for reward in _THREE),
                    count=3,
                    high=0.6,
                ),
                scene=Scene(
                    title="Weights of three answers, best of 2",
                    x=named_axis(tuple(f"earned {reward:g}" for reward in _THREE), "answers"),
                    y=SceneAxis(
                        title="what it adds on average",
                        high=0.6,
                        ticks=ticks_at((0, 0.2, 0.4, 0.6)),
                    ),
                    layers=(
                        SceneLayer(
                            kind="bars",
                            x=(0, 1, 2),
                            y=worth,
                            colour=estimator_colour(_DEFAULT),
                            width=0.4,
                            after=True,
                            printed=3,
                            name=ESTIMATORS[_DEFAULT].label,
                        ),
                    ),
                ),
                at=(0.0, 1.0, 2.0),
                truth=tuple(float(value) for value in worth),
                decimals=3,
                explanation=f"The pairs: {proof}. The answer worth 0.2 is never the best of a pair, so "
                f"it adds nothing; 0.9 adds {worth[2]:.3f}.",
                mistaken={
                    "above": "Less: only what is better than the rest of its pair counts.",
                    "below": "More: think of how far the best of each pair falls without it.",
                },
            ),
            Ask(
                lead=f"Now right or wrong: {_GROUP} answers, {_RIGHT} of them right. The weight of a "
                "right one depends on k.",
                question=Question(
                    key="answers-worth-k",
                    text="Set the bars: what is one of the two right answers worth as k grows?",
                    kind="bars",
                    choices=tuple(f"k = {k}" for k in _KS),
                    count=len(_KS),
                    high=0.4,
                ),
                scene=Scene(
                    title="Weight of a right answer, two right of eight",
                    x=named_axis(tuple(f"k = {k}" for k in _KS)),
                    y=SceneAxis(title="weight of a right answer", low=0.0, high=0.4),
                    layers=(
                        SceneLayer(
                            kind="bars",
                            x=range(len(_KS)),
                            y=right,
                            colour=estimator_colour(_DEFAULT),
                            width=0.4,
                            after=True,
                            printed=3,
                            name=ESTIMATORS[_DEFAULT].label,
                        ),
                    ),
                ),
                at=tuple(float(place) for place in range(len(_KS))),
                truth=tuple(float(value) for value in right),
                decimals=3,
                explanation=f"At k = 4 it is worth {right[2]:.3f}; at k = 8 nothing, since the best of "
                "all eight is right without it, thanks to the other. A rare success is what a larger k "
                "pays for.",
                mistaken={
                    "above": "At large k each of two can be spared: the other one is there, too.",
                    "below": "A middle k pays a rare right answer more than k = 1 does.",
                },
            ),
            Ask(
                lead="Without taking off what the others earn (no **baseline**, estimator s), four "
                "answers, one right, k = 2.",
                question=Question(
                    key="answers-worth-baseline",
                    text="What weight does a wrong answer get?",
                    kind="choice",
                    choices=("Negative", "Zero", "Positive"),
                ),
                scene=Scene(
                    title="Weights without a baseline, one right answer of four",
                    x=SceneAxis(
                        title="answers",
                        low=0.4,
                        high=4.6,
                        ticks=(1.0, 2.0, 3.0, 4.0),
                        names=("wrong", "wrong", "right", "wrong"),
                    ),
                    y=SceneAxis(title="weight", low=0.0, high=0.6),
                    layers=(
                        SceneLayer(
                            kind="bars",
                            x=(1, 2, 3, 4),
                            y=without,
                            colour=estimator_colour("s"),
                            after=True,
                            printed=3,
                            width=0.5,
                            name=ESTIMATORS["s"].label,
                        ),
                    ),
                ),
                truth=2 if without[0] > 0 else 0 if without[0] < 0 else 1,
                explanation=f"{without[0]:.3f}: it is paid for the company it keeps in a pair with the "
                "right one. On average that cancels out, but in every single group it is noise: a "
                "baseline takes it away.",
                mistaken={
                    "0": "Nothing is taken off here, so no weight can be negative.",
                    "1": "In a pair with the right one, the pair's best is shared among both.",
                },
            ),
        ),
        task=LessonTask(
            text=f"With the estimator **{ESTIMATORS[_CENTRED].label}**, find a group and a k in which "
            "a wrong answer gets a **negative** weight.",
            sliders=(
                Slider(name=f"right answers, of {_GROUP}", values=tuple(map(str, counts))),
                Slider(name="k", values=tuple(map(str, ks))),
            ),
            scene=Scene(
                title="Weights in the group",
                x=SceneAxis(
                    title="answers, the right ones first",
                    low=0.4,
                    high=8.6,
                    ticks=tuple(map(float, samples)),
                ),
                y=SceneAxis(
                    title="weight", low=-0.5, high=0.9, ticks=(-0.4, -0.2, 0.0, 0.2, 0.4, 0.6, 0.8)
                ),
                layers=(
                    SceneLayer(
                        kind="bars",
                        x=samples,
                        y=np.maximum(flat, 0),
                        colour=TOWARDS,
                        width=0.6,
                        name="its probability is raised",
                    ),
                    SceneLayer(
                        kind="bars",
                        x=samples,
                        y=np.minimum(flat, 0),
                        colour=AWAY,
                        width=0.6,
                        name="lowered",
                    ),
                    SceneLayer(kind="line", x=(0.4, 8.6), y=(0, 0), colour=INK),
                ),
            ),
            readouts={
                "least weight": tuple(f"{value + 0:.3f}" for value in lowest),
                "sum of the weights": tuple(f"{abs(row.sum()):.3f}" for row in flat),
            },
            achieved=tuple(
                bool(low < -1e-9) and 0 < c < _GROUP
                for low, (c, _) in zip(lowest, places, strict=True)
            ),
            done="The sum is zero in every group: what the right ones gain, the wrong ones lose. That "
            "is what centred means.",
        ),
        page="estimators",
        settings={"rewards": ",".join(["1"] * _RIGHT + ["0"] * (_GROUP - _RIGHT)), "k": "4"},
        source="Walder and Karkhanis (2025), Eq. 18, 28 and 30.",
        not_claimed="That a weight tells how good an answer is: it tells what the group gains from it.",
    )
