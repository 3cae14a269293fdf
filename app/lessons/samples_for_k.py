"""Lesson 5: how many samples for k?"""

from __future__ import annotations

import numpy as np

from app.classroom.questions import Question
from app.lessons.lesson import Ask, Lesson, LessonTask, Slider
from app.lessons.scene import Scene, SceneAxis, SceneLayer, named_axis, ticks_at, update_line
from pkpo.analysis.enumeration import enumerate_outcomes
from pkpo.analysis.estimation_problems import binary_problem
from pkpo.analysis.sample_budget import MIXED_PASS_RATES, split_budget
from pkpo.analysis.settings import AnalysisSettings
from pkpo.figures.style import INK, OTHER_COLOURS, estimator_colour, k_colour
from pkpo.training.recording import record_runs
from pkpo.training.tasks.gaussian_hill import HillConfig
from toy_envs import gaussian_hill

_K = 8
_LETTERS = "ABCD"
_SIZES = (16, 64, 8, 10)  # of A, B, C, D
_STEPS = 150
_ESTIMATOR = "sloo_minus_one"
_BUDGET = 64
_RATE = 0.3
_MOST = 64


def _paths() -> Scene:
    """Paths of θ under the sizes, the same random numbers."""
    base = HillConfig(schedule=f"{_K}", learning_rate=0.05, steps=_STEPS)
    runs = record_runs([base.replace(n=n) for n in _SIZES])
    steps = [np.abs(np.diff(run["theta"])) for run in runs]
    least = _SIZES.index(_K)
    return Scene(
        title=f"Four runs for k = {_K}",
        x=SceneAxis(title="update", high=_STEPS, ticks=ticks_at(range(0, _STEPS + 1, 50))),
        y=SceneAxis(title="θ", low=0.2, high=1.2, ticks=ticks_at(np.arange(2, 13, 2) / 10)),
        layers=(
            SceneLayer(
                kind="line",
                x=(0, _STEPS),
                y=(gaussian_hill.optimum(_K).theta,) * 2,
                colour=INK,
                dashed=True,
                name="best θ",
            ),
            *(
                update_line(run["theta"], colour, letter)
                for run, colour, letter in zip(runs, OTHER_COLOURS, _LETTERS, strict=True)
            ),
            SceneLayer(
                kind="rule",
                x=(float(np.argmax(steps[least])),),
                colour=OTHER_COLOURS[least],
                dashed=True,
                after=True,
                name=f"n = {_K} jumps by {steps[least].max():.2f}",
            ),
        ),
    )


def lesson_samples_for_k() -> Lesson:
    """The lesson."""
    mixed = split_budget(AnalysisSettings(k=_K, n=_BUDGET), (_ESTIMATOR,), _BUDGET)
    usable = mixed.n >= _K
    splits = [(int(n), _BUDGET // int(n)) for n in mixed.n[usable]]
    variances = mixed.mixed[_ESTIMATOR][usable]
    best = int(np.argmin(variances))
    sizes = range(_K, _MOST + 1)
    moments = [enumerate_outcomes(binary_problem(_RATE), _ESTIMATOR, n, _K) for n in sizes]
    signal = np.array([float((m.mean**2).sum() / m.variance) for m in moments])
    enough = int(np.argmax(signal >= signal[-1] / 2))
    order = ", ".join(
        f"{letter} had {n}" for letter, n in zip(_LETTERS, _SIZES, strict=True) if n != _K
    )
    calmer = "This one settles: with more than one subset, no single attempt decides alone."
    return Lesson(
        key="samples-for-k",
        title="How many samples for k?",
        idea="k needs a group larger than k: with n = k there is one subset, and chance decides.",
        asks=(
            Ask(
                lead=f"Four runs on the hill, all for k = {_K}. They differ in **n**, the attempts in "
                f"a group: {', '.join(map(str, sorted(_SIZES)))}, in no order. The dashed line is the "
                "best θ.",
                question=Question(
                    key="samples-for-k-paths",
                    text=f"Which run had groups of only {_K}?",
                    kind="choice",
                    choices=tuple(_LETTERS),
                ),
                scene=_paths(),
                truth=_SIZES.index(_K),
                explanation=f"With n = k ({_LETTERS[_SIZES.index(_K)]}) there is a single subset, "
                "and all of the step hangs on its one best attempt. A larger group averages over many "
                f"subsets ({order}).",
                mistaken={str(place): calmer for place, n in enumerate(_SIZES) if n != _K},
            ),
            Ask(
                lead=f"An update may use {_BUDGET} samples. They are split into prompts times n. The "
                f"prompts differ: their pass rates go from {min(MIXED_PASS_RATES):g} to "
                f"{max(MIXED_PASS_RATES):g}, and which ones an update gets is chance, too.",
                question=Question(
                    key="samples-for-k-budget",
                    text=f"Which split gives the least variance for k = {_K}?",
                    kind="choice",
                    choices=tuple(
                        f"{prompts} prompt{'s' * (prompts > 1)}, n = {n}" for n, prompts in splits
                    ),
                ),
                scene=Scene(
                    title=f"Variance of an update of {_BUDGET} samples",
                    x=named_axis(tuple(f"n = {n}" for n, _ in splits), "samples in a group"),
                    y=SceneAxis(title="variance", high=0.025, ticks=ticks_at(np.arange(6) / 200)),
                    layers=(
                        SceneLayer(
                            kind="bars",
                            x=range(len(splits)),
                            y=variances,
                            colour=estimator_colour(_ESTIMATOR),
                            width=0.5,
                            after=True,
                            printed=4,
                        ),
                    ),
                ),
                truth=best,
                explanation=f"n = {splits[best][0]}, about {splits[best][0] // _K} times k: variance "
                f"{variances[best]:.4f}. At n = {splits[0][0]} every group is noise in itself; at n = "
                f"{splits[-1][0]} the one prompt of an update is chance.",
                mistaken={
                    str(place): (
                        "Many prompts, but each group has too few subsets."
                        if place < best
                        else "Calm groups, but too few prompts stand for all of them."
                    )
                    for place in range(len(splits))
                    if place != best
                },
            ),
        ),
        task=LessonTask(
            text=f"**Signal-to-noise**: the squared gradient over the variance of its estimate. For "
            f"k = {_K} and pass rate {_RATE}, find the **smallest n** with at least half of what n = "
            f"{_MOST} has.",
            sliders=(Slider(name="n, answers in a group", values=tuple(map(str, sizes))),),
            scene=Scene(
                title="Signal-to-noise of one group",
                x=SceneAxis(title="n", low=0, high=66, ticks=ticks_at((8, 16, 24, 32, 48, 64))),
                y=SceneAxis(title="signal-to-noise", high=8, ticks=ticks_at(range(0, 9, 2))),
                layers=(
                    SceneLayer(
                        kind="line", x=sizes, y=signal, colour=k_colour(_K), name=f"k = {_K}"
                    ),
                    SceneLayer(
                        kind="line",
                        x=(0, 66),
                        y=(signal[-1] / 2,) * 2,
                        colour=INK,
                        dashed=True,
                        name=f"half of n = {_MOST}",
                    ),
                    SceneLayer(
                        kind="star",
                        x=np.array(sizes, float)[:, None],
                        y=signal[:, None],
                        colour=k_colour(_K),
                        printed=2,
                        name="here",
                    ),
                ),
            ),
            readouts={
                f"of that of n = {_MOST}": tuple(f"{value:.0%}" for value in signal / signal[-1])
            },
            achieved=tuple(place == enough for place in range(len(sizes))),
            done=f"n = {sizes[enough]}, half of {_MOST}'s with about half the samples: there each "
            f"sample brings its share. At n = k it is {signal[0] / signal[-1]:.0%} with "
            f"{_K / _MOST:.1%} of them.",
        ),
        on_paper=1,
        page="which-k",
        settings={"tries": str(_K), "n": str(splits[best][0])},
        link="Which k should I use?",
        source="Walder and Karkhanis (2025), Section 5.1, Figures 4 and 7; the split of samples is "
        "ours.",
        not_claimed="That n = 2k is best everywhere: it depends on the prompts and on the estimator.",
    )
