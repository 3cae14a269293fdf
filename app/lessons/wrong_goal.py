"""Lesson 8: when is pass@k the wrong goal?"""

from __future__ import annotations

import numpy as np

from app.classroom.questions import Question
from app.lessons.lesson import Ask, Lesson, LessonTask, Slider
from app.lessons.scene import Scene, SceneAxis, SceneLayer, named_axis, ticks_at, update_line
from pkpo.analysis.interference import interference
from pkpo.figures.language_model import change_in_points
from pkpo.figures.style import INK, k_colour
from pkpo.intervals import CONFIDENCE, Difference
from pkpo.lm.experiments import EXPERIMENT_SEEDS, recorded_runs
from pkpo.paper.language import LAST
from pkpo.paper.trained_runs import final_means
from pkpo.training.recording import record_runs
from pkpo.training.tasks.bandit import BanditConfig

_BOLD = 8
_SWITCH = 150
_SETTINGS = BanditConfig(bandit="crowded", schedule=f"1@0,{_BOLD}@{_SWITCH}")
_SHARES = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.0)


def _best(k: int) -> str:
    return f"max@{k}"


def lesson_wrong_goal() -> Lesson:
    """The lesson."""
    runs = record_runs([_SETTINGS.replace(sharing=share) for share in _SHARES])
    run = runs[-1]  # one policy for all prompts
    at_switch = [float(one[_best(1)][_SWITCH]) for one in runs]
    ends = [float(one[_best(1)][-1]) for one in runs]
    many = [float(one[_best(_BOLD)][-1]) for one in runs]
    costless = [end >= before for end, before in zip(ends, at_switch, strict=True)]
    largest = max(place for place, free in enumerate(costless) if free)
    change = ends[-1] - at_switch[-1]
    cosine = interference(run.parameters, _BOLD, _SETTINGS.bandit).cosine
    turned = float(cosine[_SWITCH])
    first = int(np.argmax(cosine < 0))
    luck = {
        k: final_means(recorded_runs("answer", f"k{k}"), "lucky_share", LAST) for k in (1, _BOLD)
    }
    more = Difference.from_samples(luck[_BOLD] - luck[1])
    x = SceneAxis(
        title="update",
        high=_SETTINGS.steps,
        ticks=ticks_at(range(0, _SETTINGS.steps + 1, 50)),
    )
    y = SceneAxis(title="mean over prompts")
    rule = SceneLayer(kind="rule", x=(_SWITCH,), colour=INK, dashed=True, name=f"k becomes {_BOLD}")
    return Lesson(
        key="wrong-goal",
        title="When is pass@k the wrong goal?",
        idea="Prompts that share one policy compete: the best of k can be paid for with single tries.",
        asks=(
            Ask(
                lead="**Six prompts share one policy.** Three want the same arm, the other three an "
                f"arm of their own each. After {_SWITCH} updates for single tries (k = 1) a single try "
                f"earns {at_switch[-1]:.2f}, the best of {_BOLD} hardly more.",
                question=Question(
                    key="wrong-goal-single",
                    text=f"Training goes on with k = {_BOLD}. What happens to single tries?",
                    kind="choice",
                    choices=("They get better", "They stay as they are", "They get worse"),
                ),
                scene=Scene(
                    title="Training on six prompts",
                    x=x,
                    y=y,
                    layers=(
                        update_line(run[_best(1)][: _SWITCH + 1], k_colour(1), "a single try"),
                        update_line(
                            run[_best(_BOLD)][: _SWITCH + 1], k_colour(_BOLD), f"best of {_BOLD}"
                        ),
                        rule,
                        update_line(run[_best(1)], k_colour(1), after=True),
                        update_line(run[_best(_BOLD)], k_colour(_BOLD), after=True),
                    ),
                ),
                truth=0 if change > 0.05 else 2 if change < -0.05 else 1,
                explanation=f"Single tries go from {at_switch[-1]:.2f} to {ends[-1]:.2f}, while the "
                f"best of {_BOLD} goes to {many[-1]:.2f}. One policy answers all six: what the "
                "hard prompts gain is taken from the easy ones.",
                mistaken={
                    "0": f"That is so where prompts do not compete; here k = {_BOLD} must take from "
                    "the easy ones.",
                    "1": "Not for long: the probability for other arms has to come from somewhere.",
                },
            ),
            Ask(
                lead="Each goal has its gradient: the direction that raises it fastest. The "
                "**cosine** between the two is 1 if they point the same way, 0 at a right angle, −1 if "
                "they point against each other.",
                question=Question(
                    key="wrong-goal-cosine",
                    text=f"What is the cosine between max@1 and max@{_BOLD} at update {_SWITCH}?",
                    kind="number",
                    low=-1.0,
                    high=1.0,
                    step=0.05,
                ),
                scene=Scene(
                    title=f"Cosine between the exact gradients of max@1 and max@{_BOLD}",
                    x=x,
                    y=SceneAxis(
                        title="cosine", low=-1, high=1, ticks=ticks_at((-1, -0.5, 0, 0.5, 1))
                    ),
                    layers=(
                        SceneLayer(kind="line", x=(0, _SETTINGS.steps), y=(0, 0), colour=INK),
                        rule,
                        update_line(cosine, k_colour(_BOLD), "cosine", after=True),
                    ),
                ),
                truth=turned,
                near=0.2,
                explanation=f"The cosine is {turned:.2f}, and below 0 since update {first}: a step "
                f"for the best of {_BOLD} is then a step away from single tries. Where they agree, "
                f"as at the start ({cosine[0]:.2f}), nothing has to be given up.",
                mistaken={
                    "above": "Lower: you saw that one falls while the other rises.",
                    "below": "Not fully against each other: some of the way they share.",
                },
            ),
            Ask(
                lead="Word problems, with a reward that looks at the **answer only**: right is right, "
                "even behind a false equation. Such an answer is luck. Two models were trained on it, "
                f"for k = 1 and for k = {_BOLD}.",
                question=Question(
                    key="wrong-goal-luck",
                    text="In which one are more of the right answers luck?",
                    kind="choice",
                    choices=("Trained with k = 1", f"Trained with k = {_BOLD}", "As many in both"),
                ),
                scene=Scene(
                    title="Right answers behind a false equation",
                    x=named_axis(("k = 1", f"k = {_BOLD}"), "trained for"),
                    y=SceneAxis(
                        title="share of luck", high=0.08, ticks=ticks_at(np.arange(5) / 50)
                    ),
                    layers=tuple(
                        SceneLayer(
                            kind="bars",
                            x=(place,),
                            y=(found.mean(),),
                            colour=k_colour(k),
                            width=0.4,
                            after=True,
                            printed=3,
                        )
                        for place, (k, found) in enumerate(luck.items())
                    ),
                ),
                truth={"below": 0, "above": 1, "undecided": 2}[more.standing],
                explanation=f"{luck[_BOLD].mean():.1%} with k = {_BOLD}, {luck[1].mean():.1%} with "
                f"k = 1: {change_in_points(more)} points, with the {CONFIDENCE:.0%} interval over "
                f"{len(EXPERIMENT_SEEDS)} seeds. More tries are more chances to be lucky: reward the "
                "working, not the answer alone.",
                mistaken={
                    "0": "A single try must be right by itself; luck pays where many are made.",
                    "2": "Who may try often is paid for luck more often.",
                },
            ),
        ),
        task=LessonTask(
            text="How much do the prompts have in common? Find the **largest** share of parameters at "
            f"which going on with k = {_BOLD} costs single tries **nothing**.",
            sliders=(
                Slider(
                    name="parameters in common",
                    values=tuple(f"{share:.0%}" for share in _SHARES),
                    start=len(_SHARES) - 1,
                ),
            ),
            scene=Scene(
                title="Training on six prompts",
                x=x,
                y=y,
                layers=(
                    update_line([one[_best(1)] for one in runs], k_colour(1), "a single try"),
                    update_line(
                        [one[_best(_BOLD)] for one in runs], k_colour(_BOLD), f"best of {_BOLD}"
                    ),
                    rule,
                    SceneLayer(
                        kind="line",
                        x=(_SWITCH, _SETTINGS.steps),
                        y=[(value,) * 2 for value in at_switch],
                        colour=INK,
                        dashed=True,
                        name="as before",
                    ),
                ),
            ),
            readouts={
                f"a single try at update {_SWITCH}": tuple(f"{value:.3f}" for value in at_switch),
                "at the end": tuple(f"{value:.3f}" for value in ends),
                f"best of {_BOLD} at the end": tuple(f"{value:.3f}" for value in many),
            },
            achieved=tuple(place == largest for place in range(len(_SHARES))),
            done=f"At {_SHARES[largest]:.0%}: a model that can tell prompts apart has room for both "
            "goals. Only where it cannot, one is paid for with the other.",
        ),
        page="bandit",
        settings={
            "bandit": _SETTINGS.bandit,
            "compare": f"schedule 1 {_BOLD} 1@0,{_BOLD}@{_SWITCH}",
        },
        source="On interference: arXiv:2602.21189; the bandit and the model are ours.",
        not_claimed="How much large models have in common: that has to be measured on them.",
    )
