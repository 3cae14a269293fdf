"""A question of our own: can the baseline choose itself, and does that learn faster?"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import fields
from typing import Any, cast

import numpy as np

from pkpo.analysis.adaptive_dial import AdaptiveDial, ScoreMoments, estimate_moments
from pkpo.analysis.estimation_problems import binary_problem
from pkpo.analysis.winner_map import RULE_THRESHOLD, WINNER_GRID
from pkpo.config import RunConfig
from pkpo.intervals import CONFIDENCE, Difference, mean_and_error
from pkpo.paper.recipe import Claim, FigureRecipe, Table, make_table
from pkpo.paper.trained_runs import MARGIN, interval_in_words
from pkpo.training.loop import Loop
from pkpo.training.policies import SoftmaxPolicy
from pkpo.training.recording import record_runs
from pkpo.training.tasks.bandit import BanditConfig

ADAPTIVE: dict[str, Any] = {
    "groups": (16, 32, 64, 256),
    "repeats": 10,
    "enough": 64,
    "mean at most": 1.03,
    "worst at most": 1.3,
    "learning": {
        "one right way": (0.1, 1, 5),
        "ten right ways": (0.1, 10, 5),
    },
    "k": 4,
    "n": 16,
    "steps": 60,
    "seeds": 12,
    "memory": 16,
}
"""Of `groups` earlier ones the ratio is shown; from `enough` of them it is judged."""
MOMENTS = [each.name for each in fields(ScoreMoments)]
VARIANCE = "variance over the better one's"
SELF_CHOSEN = "chosen from earlier groups"
ENDS = {"loo-1": "sloo_minus_one", "canonical": "canonical"}
SHOWN: dict[str, Callable[[np.ndarray], Any]] = {
    "mean": np.mean,
    "1 in 100 is above": lambda x: np.quantile(x, 0.99),
    "worst": np.max,
}


# --- Its variance, on the problems of the winner map ----------------------------------------------


def variance_ratios(seed: int) -> dict[str, np.ndarray]:
    """The variance over that of the better of loo-1 and canonical, `[problems]`, by rule.

    Rules are "rule" (of `explain_winner`), "best α", known exactly, and the numbers of earlier groups of
    the same size from which α was chosen: the mean over histories. Variances are exact, histories drawn.
    """
    names = ("rule", "best α", *map(str, ADAPTIVE["groups"]))
    found: list[list[float]] = []
    rng = np.random.default_rng(seed)
    for p, ways, wrong in itertools.product(*(WINNER_GRID[x] for x in ("p", "ways", "wrong"))):
        truth = _exact_moments(p, ways, wrong)
        for n in WINNER_GRID["n"]:
            seen = [_histories(p, ways, wrong, g * n, rng) for g in ADAPTIVE["groups"]]
            together = ScoreMoments(
                *(np.array([getattr(m, name) for m in seen]) for name in MOMENTS)
            )
            for k in (k for k in WINNER_GRID["k"] if k < n):
                exact = truth.dial(n, k)
                fixed = [float(ways > 1 or k * p < RULE_THRESHOLD), truth.best_alpha(n, k)]
                chosen = exact.variance(together.best_alpha(n, k)).mean(axis=1)
                variances = [*(exact.variance(alpha) for alpha in fixed), *chosen]
                least = min(exact.at_zero, exact.at_one)
                found.append([float(variance / least) for variance in variances])
    return dict(zip(names, np.array(found).T, strict=True))


def _arms(p: float, ways: int, wrong: int) -> tuple[np.ndarray, np.ndarray]:
    """Rewards and probabilities of `binary_problem`'s arms."""
    problem = binary_problem(p, ways, wrong)
    return np.array(problem.rewards), np.array(problem.probabilities)


def _exact_moments(p: float, ways: int, wrong: int) -> ScoreMoments:
    rewards, chances = _arms(p, ways, wrong)
    norms = 1 - 2 * chances + chances @ chances  # of e_arm − π
    mean = rewards * chances / p - chances  # of the scores of right samples
    return ScoreMoments(
        p,
        rewards * chances @ norms / p,
        (1 - rewards) * chances @ norms / (1 - p),
        mean @ mean,
    )


def _histories(
    p: float, ways: int, wrong: int, samples: int, rng: np.random.Generator
) -> ScoreMoments:
    """What `AdaptiveDial` makes of that many samples, for `repeats` histories at once: from counts."""
    rewards, chances = _arms(p, ways, wrong)
    norms = 1 - 2 * chances + chances @ chances
    counts = rng.multinomial(samples, chances, size=ADAPTIVE["repeats"])
    right = counts @ rewards
    centred = rewards - right[:, None] / samples
    slope = counts * centred  # its scores are e_arm − π, and the centred rewards sum to 0
    return estimate_moments(
        samples=samples,
        right=right,
        right_norms=counts @ (rewards * norms),
        wrong_norms=counts @ ((1 - rewards) * norms),
        slope=(slope**2).sum(axis=1),
        alone=(counts * centred**2) @ norms,
        pairs=samples * (samples - 1),
    )


# --- Whether it learns faster ---------------------------------------------------------------------


def _base(problem: tuple[float, int, int], seed: int) -> BanditConfig:
    """The first run on a problem; the policy learns, so that its pass rate runs towards 1."""
    rewards, chances = ([format(x, "g") for x in xs] for xs in _arms(*problem))
    return BanditConfig(
        bandit=f"arms:{','.join(rewards)}@{','.join(chances)}",
        n=ADAPTIVE["n"],
        schedule=str(ADAPTIVE["k"]),
        steps=ADAPTIVE["steps"],
        seed=seed,
    )


def train_adaptively(config: RunConfig, memory: float) -> np.ndarray:
    """Exact max@k at the k in force by update, `[steps + 1]`, of a run whose dial chooses its α.

    Before every update α follows from the groups of earlier ones; one prompt, rewards 0 or 1.
    """
    loop, dial, events = Loop(config), AdaptiveDial(memory), []
    policy = cast(SoftmaxPolicy, loop.task.policy)
    for event in loop:
        events.append(event)
        chances = policy.probabilities(event.parameters)[0]
        arms = event.samples[0]
        dial.observe(event.rewards[0], np.eye(chances.size)[arms] - chances)
        alpha = dial.alpha(config.n, config.k_schedule(loop.update))
        loop.estimator = f"dial:{alpha!r}" if alpha else "sloo_minus_one"
    return np.array([event.metrics["value"] for event in loop.complete(events)])


def _learning(seed: int) -> dict[str, dict[str, np.ndarray]]:
    """Exact max@k by problem and method, `[seeds, steps + 1]`."""
    seeds = range(seed, seed + ADAPTIVE["seeds"])
    found: dict[str, dict[str, np.ndarray]] = {}
    for name, problem in ADAPTIVE["learning"].items():
        base = _base(problem, seed)
        fixed = record_runs(
            [base.replace(estimator=key, seed=at) for key in ENDS.values() for at in seeds]
        )
        found[name] = {
            end: np.array([run["value"] for run in fixed[i * len(seeds) : (i + 1) * len(seeds)]])
            for i, end in enumerate(ENDS)
        }
        found[name][SELF_CHOSEN] = np.array(
            [train_adaptively(base.replace(seed=at), ADAPTIVE["memory"]) for at in seeds]
        )
    return found


# --- The recipe -----------------------------------------------------------------------------------


def _adaptive(seed: int) -> tuple[Table, list[Claim]]:
    ratios, learned = variance_ratios(seed), _learning(seed)
    rows = [
        (VARIANCE, curve, int(groups), float(measure(ratios[groups])), 0.0)
        for curve, measure in SHOWN.items()
        for groups in map(str, ADAPTIVE["groups"])
    ]
    first, last = ADAPTIVE["groups"][0], ADAPTIVE["groups"][-1]
    rows += [
        (VARIANCE, curve, x, float(ratios[name].mean()), 0.0)
        for curve, name in (("mean of the rule", "rule"), ("mean of the best α", "best α"))
        for x in (first, last)
    ]
    rows += [
        (f"max@{ADAPTIVE['k']}, {problem}", name, update, *mean_and_error(values[:, [update]]))
        for problem, by_method in learned.items()
        for name, values in by_method.items()
        for update in range(ADAPTIVE["steps"] + 1)
    ]
    table = make_table(("panel", "curve", "x", "mean", "error"), rows)
    enough = str(ADAPTIVE["enough"])
    over = f"{ratios[enough].size:,} problems (each the mean over {ADAPTIVE['repeats']} histories)"
    mean, worst = float(ratios[enough].mean()), float(ratios[enough].max())
    return table, [
        Claim(
            f"From {enough} earlier groups, α costs little variance over the better of loo-1 and "
            "canonical on average.",
            f"{mean:.3f} times the better one's, the mean of {over}",
            f"at most {ADAPTIVE['mean at most']:g} times",
            mean <= ADAPTIVE["mean at most"],
        ),
        Claim(
            f"From {enough} earlier groups it costs little at any problem.",
            f"{worst:.3f} times the better one's, the worst of {over}",
            f"at most {ADAPTIVE['worst at most']:g} times",
            worst <= ADAPTIVE["worst at most"],
        ),
        *(
            _visibly_above(
                f"It learns visibly faster than {end} with {problem}: exact max@{ADAPTIVE['k']}, the "
                "mean over updates.",
                (by_method[SELF_CHOSEN] - by_method[end]).mean(axis=1),
            )
            for problem, by_method in learned.items()
            for end in ENDS
        ),
    ]


def _visibly_above(text: str, differences: np.ndarray) -> Claim:
    """The claim that differences of seeds are surely above `MARGIN`."""
    found = Difference.from_samples(differences)
    return Claim(
        text,
        f"difference {interval_in_words(differences)}",
        f"the {CONFIDENCE:.0%} interval over {differences.size} seeds above {MARGIN:g}",
        True if found.low > MARGIN else False if found.high < MARGIN else None,
    )


ADAPTIVE_RECIPE = FigureRecipe(
    "adaptive",
    "Can the baseline choose itself?",
    "Left, the variance over the better of loo-1 and canonical, where the dial's α follows from earlier "
    "groups of right-or-wrong rewards (exact, over the winner map's problems). Right, what that does "
    "for learning on two bandits.",
    ADAPTIVE,
    _adaptive,
    kind="own",
    caveat="Less variance need not be faster learning: where the step is small, the noise of many "
    "updates averages out.",
    errors_over="seeds (right)",
)
