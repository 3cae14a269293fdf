"""Lesson 7: does it hold for a language model?"""

from __future__ import annotations

import numpy as np

from app.classroom.questions import Question
from app.lessons.lesson import Ask, Lesson, LessonTask, Slider
from app.lessons.scene import Scene, SceneAxis, SceneLayer, ticks_at
from pkpo.comparisons.word_problems import HELD_OUT_PASS, pass_at_k_at, pass_at_k_gain
from pkpo.estimators import transform
from pkpo.figures.style import INK, k_colour
from pkpo.lm.experiments import EXPERIMENT_SEEDS, recorded_runs
from pkpo.lm.problem_sets import PASS_KS, load_hard

_SHOWN = (1, 2, 4, 8, 16)
_BOLD = 8


def _curve(experiment: str, method: str, place: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard error over seeds of held-out pass@k, over `PASS_KS`."""
    found = pass_at_k_at(recorded_runs(experiment, method), HELD_OUT_PASS, place)
    return (
        np.array([float(found[k].mean) for k in PASS_KS]),
        np.array([float(found[k].error) for k in PASS_KS]),
    )


def _layers(
    curve: tuple[np.ndarray, np.ndarray], colour: str, name: str, *, after: bool = True
) -> tuple[SceneLayer, ...]:
    mean, error = curve
    return (
        SceneLayer(
            kind="band", x=PASS_KS, y=mean - error, top=mean + error, colour=colour, after=after
        ),
        SceneLayer(kind="line", x=PASS_KS, y=mean, colour=colour, name=name, after=after),
    )


def _only_right() -> tuple[str, np.ndarray]:
    """A recorded group with a single right answer: the question, and who was right, `[n]`."""
    for groups in (
        d["groups"] for d in recorded_runs("fresh", "k8")[0].details.values() if "groups" in d
    ):
        for group in groups:
            rewards = np.array([sample["reward"] for sample in group["samples"]])
            if rewards.sum() == 1 and rewards[0] == 0:
                return group["problem"]["question"], rewards
    raise ValueError("no recorded group has a single right answer")


def lesson_on_language() -> Lesson:
    """The lesson."""
    start = _curve("fresh", "k1", 0)
    one, eight = _curve("fresh", "k1", -1), _curve("fresh", f"k{_BOLD}", -1)
    hard_start, hard = _curve("hard", "k1", 0), _curve("hard", "k1", -1)
    unseen = pass_at_k_gain(recorded_runs("hard", "k1"), 1)
    at = [PASS_KS.index(k) for k in _SHOWN]
    x = SceneAxis(title="k, tries at an unseen problem", low=0.5, high=16.5, ticks=ticks_at(_SHOWN))
    y = SceneAxis(
        title="share solved: pass@k",
        low=0.4,
        high=1.0,
        ticks=ticks_at((0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)),
    )
    before = _layers(start, INK, "before training", after=False)
    question, rewards = _only_right()
    weights = {k: transform(rewards, k) for k in (1, _BOLD)}
    n = len(rewards)
    samples = np.arange(1, n + 1)
    lit = np.eye(n)
    seeds = len(EXPERIMENT_SEEDS)
    updates = recorded_runs("fresh", "k1")[0].config.steps
    trained = len(load_hard(recorded_runs("hard", "k1")[0].config.model))
    return Lesson(
        key="on-language",
        title="Does it hold for a language model?",
        idea="A small language model, trained on word problems: k = 1 wins single tries, a larger k "
        "wins many.",
        asks=(
            Ask(
                lead=f"A model of 450,000 parameters solves {start[0][0]:.0%} of unseen word problems "
                f"at one try and {start[0][-1]:.0%} within 16. Then it is trained for **single** tries "
                "(k = 1), on problems that are always new.",
                question=Question(
                    key="on-language-one",
                    text="Draw its pass@k on unseen problems after training with k = 1.",
                    kind="curve",
                    count=len(_SHOWN),
                    low=0.4,
                ),
                at=tuple(float(k) for k in _SHOWN),
                scene=Scene(
                    title="Pass@k on problems never seen",
                    x=x,
                    y=y,
                    layers=(*before, *_layers(one, k_colour(1), "trained with k = 1")),
                ),
                truth=tuple(float(one[0][place]) for place in at),
                decimals=3,
                near=0.04,
                explanation=f"{one[0][0]:.3f} at one try, {one[0][-1]:.3f} within 16: it gains most "
                f"where it is paid. The band is the standard error over {seeds} seeds.",
                mistaken={
                    "below": "It gained more than that, at one try above all.",
                    "above": f"Not so much: training ran for {updates} updates only.",
                },
            ),
            Ask(
                lead=f"The same model, trained for the best of {_BOLD} instead (k = {_BOLD}).",
                question=Question(
                    key="on-language-eight",
                    text=f"Draw its pass@k after training with k = {_BOLD}.",
                    kind="curve",
                    count=len(_SHOWN),
                    low=0.4,
                ),
                at=tuple(float(k) for k in _SHOWN),
                scene=Scene(
                    title="Pass@k on problems never seen",
                    x=x,
                    y=y,
                    layers=(
                        *before,
                        *_layers(one, k_colour(1), "trained with k = 1", after=False),
                        *_layers(eight, k_colour(_BOLD), f"trained with k = {_BOLD}"),
                    ),
                ),
                truth=tuple(float(eight[0][place]) for place in at),
                decimals=3,
                near=0.04,
                explanation=f"{eight[0][0]:.3f} at one try, behind k = 1; {eight[0][-1]:.3f} within "
                "16, ahead of it. The curves cross: you get what you pay for.",
                mistaken={
                    "below": "It gains, too: at many tries more than k = 1 does.",
                    "above": "At one try it stays behind: single tries are not what it is paid for.",
                },
            ),
            Ask(
                lead=f"Another run with k = 1: the **same {trained} hard problems** again and again, "
                "until most of them are solved.",
                question=Question(
                    key="on-language-hard",
                    text="What happens to pass@1 on problems that it never saw?",
                    kind="choice",
                    choices=("It rises", "It stays", "It falls"),
                ),
                scene=Scene(
                    title="Pass@k on problems never seen",
                    x=x,
                    y=SceneAxis(
                        title="share solved: pass@k",
                        low=0.2,
                        high=1.0,
                        ticks=ticks_at((0.2, 0.4, 0.6, 0.8, 1.0)),
                    ),
                    layers=(
                        *_layers(hard_start, INK, "before training", after=False),
                        *_layers(hard, k_colour(1), f"trained on the {trained}"),
                    ),
                ),
                truth={"above": 0, "undecided": 1, "below": 2}[unseen.standing],
                explanation=f"From {hard_start[0][0]:.2f} to {hard[0][0]:.2f}: the {trained} were "
                "learned by heart. Always measure on problems that were not trained on.",
                mistaken={
                    "0": "So few problems can be memorised, and the rest is forgotten.",
                    "1": "Learning by heart is paid for elsewhere.",
                },
            ),
        ),
        task=LessonTask(
            text=f"A recorded group of {n} answers to: “{question}” Find the **only right** answer and "
            f"read its weight for k = 1 and for k = {_BOLD}.",
            sliders=(Slider(name="answer", values=tuple(map(str, samples.tolist()))),),
            scene=Scene(
                title="Weights in a recorded group",
                x=SceneAxis(
                    title="answer", low=0.4, high=n + 0.6, ticks=ticks_at((1, 4, 8, 12, 16))
                ),
                y=SceneAxis(title="weight", low=-0.1, high=0.6, ticks=(0.0, 0.2, 0.4, 0.6)),
                layers=(
                    *(
                        SceneLayer(
                            kind="bars",
                            x=samples,
                            y=weights[k] * lit,
                            colour=k_colour(k),
                            width=0.38,
                            shift=shift,
                            name=f"k = {k}",
                        )
                        for k, shift in ((1, -0.2), (_BOLD, 0.2))
                    ),
                    SceneLayer(kind="line", x=(0.4, n + 0.6), y=(0, 0), colour=INK),
                    SceneLayer(
                        kind="rule", x=samples[:, None].astype(float), colour=INK, dashed=True
                    ),
                ),
            ),
            readouts={
                "the answer is": tuple("right" if reward else "wrong" for reward in rewards),
                "weight, k = 1": tuple(f"{weight:.4f}" for weight in weights[1]),
                f"weight, k = {_BOLD}": tuple(f"{weight:.4f}" for weight in weights[_BOLD]),
            },
            achieved=tuple(bool(reward) for reward in rewards),
            done=f"For k = 1 it is worth {weights[1].max():.4f}, for k = {_BOLD} "
            f"{weights[_BOLD].max():.4f}: a larger k pays rare success more, and wrong answers cost "
            "nothing.",
        ),
        page="language-model",
        settings={},
        source="Walder and Karkhanis (2025), Section 5.3, Figures 3 and 6 to 8; our own model and "
        "runs.",
        not_claimed="The paper trained models of billions of parameters; this one has 450,000.",
    )
