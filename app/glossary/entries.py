"""The glossary's entries: every symbol and term of the lab, as data."""

from __future__ import annotations

from dataclasses import dataclass

from app.glossary import pictures
from app.glossary.pictures import Draw
from pkpo.estimators import ESTIMATORS


@dataclass(frozen=True, slots=True, kw_only=True)
class GlossaryEntry:
    """One term."""

    slug: str
    """Its address on the page: glossary#SLUG."""
    name: str
    section: str
    """A heading of the page."""
    meaning: str
    """In plain words: Markdown without links, formulas or code but `such`."""
    source: str
    """Where it is defined."""
    picture: Draw
    formula: str = ""
    """LaTeX; "" for none."""
    spelled: str = ""
    """A regular expression of how texts write it; "" where none is linked by itself."""


_GOAL, _GROUPS, _TRAINING = "The goal", "A group and its weights", "Training"
_ESTIMATORS, _LANGUAGE = "Estimators", "The language model"
_PAPER = "arXiv:2505.15201"

_TERMS = (
    # --- The goal
    GlossaryEntry(
        slug="pass-at-k",
        name="pass@k",
        section=_GOAL,
        meaning="The chance that at least one of k tries is right. It is the word where an answer is "
        "right or wrong; for other rewards it is max@k.",
        formula=r"\mathrm{pass@}k = 1 - (1 - p)^k",
        source=f"{_PAPER}, Eq. 1 and 2",
        picture=pictures.pass_at_k_picture,
        spelled=r"\b[Pp]ass@(?:k\b|\d+)",
    ),
    GlossaryEntry(
        slug="max-at-k",
        name="max@k",
        section=_GOAL,
        meaning="The mean reward of the best of k tries. Where rewards are 0 or 1 it is pass@k; max@1 "
        "is the mean reward.",
        formula=r"\mathrm{max}_g@k = \mathbb{E}\big[\max(g(x_1), \dots, g(x_k))\big]",
        source=f"{_PAPER}, Eq. 11",
        picture=pictures.hill_picture,
        spelled=r"\b[Mm]ax@(?:k\b|\d+)",
    ),
    GlossaryEntry(
        slug="cover-at-tau",
        name="Cover@τ",
        section=_GOAL,
        meaning="The share of problems whose pass rate is at least τ. Pass@k is a mean of it that leans "
        "to small τ: a problem solved once in a hundred tries counts almost fully at k = 1000.",
        formula=r"\mathrm{Cover@}\tau = \Pr(p \ge \tau), \quad "
        r"\mathrm{pass@}k = \int_0^1 k (1-\tau)^{k-1}\, \mathrm{Cover@}\tau \, d\tau",
        source="arXiv:2510.08325",
        picture=pictures.cover_picture,
        spelled=r"\b[Cc]over@τ",
    ),
    GlossaryEntry(
        slug="k",
        name="k, the tries that count",
        section=_GOAL,
        meaning="How many tries the best is taken of. Training for a larger k allows more risk: a try "
        "that fails costs little if another one succeeds.",
        source=f"{_PAPER}, Section 2",
        picture=lambda: pictures.hill_picture((1, 2, 16)),
        spelled=r"\bk(?= (?:=|≥|≤|>|<) )",
    ),
    GlossaryEntry(
        slug="k-opt-and-k-eval",
        name="k_opt and k_eval",
        section=_GOAL,
        meaning="The k that a model is trained for, and the k with which it is measured or used. They "
        "need not be the same.",
        source=f"{_PAPER}, Section 5.2",
        picture=pictures.hill_picture,
        spelled=r"k_opt\b|k_eval\b",
    ),
    GlossaryEntry(
        slug="policy",
        name="policy",
        section=_GOAL,
        meaning="What draws the answers: a probability for each possible one. Training moves its "
        "parameters. A language model is a policy, and so is a bell curve.",
        formula=r"x \sim p(x \mid \theta)",
        source=f"{_PAPER}, Section 2",
        picture=pictures.entropy_picture,
        spelled=r"\b[Pp]olic(?:y|ies)\b",
    ),
    GlossaryEntry(
        slug="theta",
        name="θ (theta)",
        section=_GOAL,
        meaning="The parameters that training moves. On the toy problem it is one number, the mean of "
        "the bell that draws x.",
        source=f"{_PAPER}, Section 5.1",
        picture=pictures.hill_picture,
        spelled=r"θ",
    ),
    # --- Groups and weights
    GlossaryEntry(
        slug="group",
        name="group",
        section=_GROUPS,
        meaning="The n answers to one problem that are drawn for one update. Weights are made within a "
        "group, never across problems.",
        source=f"{_PAPER}, Section 2",
        picture=pictures.group_picture,
        spelled=r"\b[Gg]roups?\b",
    ),
    GlossaryEntry(
        slug="n",
        name="n, the samples per group",
        section=_GROUPS,
        meaning="How many answers to one problem are drawn for one update. k can be at most n; the "
        "larger n is beside k, the less noise.",
        source=f"{_PAPER}, Section 2",
        picture=pictures.group_picture,
        spelled=r"\bn(?= (?:=|≥|≤|>|<) )",
    ),
    GlossaryEntry(
        slug="reward",
        name="reward",
        section=_GROUPS,
        meaning="What one answer earns. 0 or 1 for wrong or right, or any number.",
        formula=r"r_i = g(x_i)",
        source=f"{_PAPER}, Section 2",
        picture=pictures.rewards_picture,
    ),
    GlossaryEntry(
        slug="rho",
        name="ρ (rho)",
        section=_GROUPS,
        meaning="An unbiased estimate of pass@k or max@k from n answers: the mean best of every k of "
        "them. Putting the share of right answers into the formula of pass@k is too low on average.",
        formula=r"\rho(n, c, k) = 1 - \binom{n-c}{k} \Big/ \binom{n}{k}",
        source=f"{_PAPER}, Eq. 3 and 12",
        picture=pictures.rho_picture,
        spelled=r"ρ",
    ),
    GlossaryEntry(
        slug="unbiased",
        name="unbiased",
        section=_GROUPS,
        meaning="Right on average: the mean over all groups that could have been drawn is the true "
        "value. A single estimate may still be far off; that is its variance.",
        formula=r"\mathbb{E}\Big[\sum_i w_i \nabla_\theta \log p(x_i \mid \theta)\Big]"
        r" = \nabla_\theta\, \mathrm{max}@k",
        source=f"{_PAPER}, Eq. 18",
        picture=pictures.noise_picture,
        spelled=r"\b[Uu]nbiased\b",
    ),
    GlossaryEntry(
        slug="variance",
        name="variance",
        section=_GROUPS,
        meaning="How far estimates scatter from group to group. Less variance means smaller groups, or "
        "larger steps, for the same progress.",
        source=f"{_PAPER}, Figure 4",
        picture=pictures.noise_picture,
        spelled=r"\b[Vv]ariance\b",
    ),
    GlossaryEntry(
        slug="weight",
        name="weight, and its sum convention",
        section=_GROUPS,
        meaning="How strongly the gradient pushes one answer: above 0 towards it, below 0 away. Weights "
        "are summed over the group, and 1/n is inside them; code that takes the mean over the group "
        "must multiply them by n.",
        formula=r"\widehat{\nabla} = \sum_{i=1}^{n} w_i \nabla_\theta \log p(x_i \mid \theta)",
        source=f"{_PAPER}, Eq. 18",
        picture=pictures.weights_picture("sloo_minus_one"),
        spelled=r"\b[Ww]eights?\b",
    ),
    GlossaryEntry(
        slug="baseline",
        name="baseline",
        section=_GROUPS,
        meaning="What is taken off a weight without changing the mean gradient, so that estimates "
        "scatter less. Here it comes from the other answers of the group.",
        formula=r"\frac{k}{n} (q_i - b_i)",
        source=f"{_PAPER}, Eq. 26, 29 and 33",
        picture=pictures.noise_picture,
        spelled=r"\b[Bb]aselines?\b",
    ),
    GlossaryEntry(
        slug="centred",
        name="centred",
        section=_GROUPS,
        meaning="Weights of a group that sum to 0: what pushes some answers up pushes the others down "
        "by as much. Canonical is centred, loo-1 is not.",
        formula=r"\sum_i w_i = 0",
        source="arXiv:2606.06096",
        picture=pictures.sums_picture,
        spelled=r"\b[Cc]entred\b",
    ),
    GlossaryEntry(
        slug="dead-groups",
        name="dead groups",
        section=_GROUPS,
        meaning="Groups whose weights are all 0: every answer wrong, or so many right that none is "
        "missed. Nothing is learned from them.",
        source="this lab",
        picture=pictures.dead_groups_picture,
        spelled=r"\b[Dd]ead(?: groups?)?\b",
    ),
    GlossaryEntry(
        slug="ways-to-be-right",
        name="ways to be right",
        section=_GROUPS,
        meaning="Right answers that are different answers, each of which the policy can make more "
        "likely by itself. How many there are decides which estimator has less variance.",
        source="this lab, the variance lab",
        picture=pictures.ways_picture,
        spelled=r"\b[Ww]ays to be right\b",
    ),
    # --- Training
    GlossaryEntry(
        slug="schedule",
        name="schedule",
        section=_TRAINING,
        meaning="k as a function of the update. `8` is k = 8 throughout; `8@0,1@150` is 8, then 1 from "
        "update 150; `linear:8->1@150` goes down step by step.",
        source="this lab",
        picture=pictures.schedule_picture("8@0,1@120", "cosine:8->1@20..180"),
        spelled=r"\b[Ss]chedules?\b",
    ),
    GlossaryEntry(
        slug="annealing",
        name="annealing",
        section=_TRAINING,
        meaning="To begin with a large k, which explores, and to end with k = 1, which settles on what "
        "was found.",
        source=f"{_PAPER}, Figure 3",
        picture=pictures.schedule_picture("8@0,1@150"),
        spelled=r"\b[Aa]nneal(?:ing|ed)\b",
    ),
    GlossaryEntry(
        slug="entropy",
        name="entropy, in nats",
        section=_TRAINING,
        meaning="How spread the policy's choices are. 0 nats: always the same one; ln 4 = 1.39 nats: "
        "four equally likely ones. A nat is the unit that goes with the natural logarithm.",
        formula=r"H = -\sum_x p(x) \ln p(x)",
        source=f"{_PAPER}, Figure 6",
        picture=pictures.entropy_picture,
        spelled=r"\b[Ee]ntropy\b|\bnats\b",
    ),
    # --- The language model
    GlossaryEntry(
        slug="held-out",
        name="held out",
        section=_LANGUAGE,
        meaning="Problems that training never sees. What is measured on them tells what was learned "
        "and not only remembered.",
        source=f"{_PAPER}, Section 5.2",
        picture=pictures.held_out_picture,
        spelled=r"\b[Hh]eld[- ]out\b|\b[Uu]nseen problems\b",
    ),
    GlossaryEntry(
        slug="strict",
        name="strict",
        section=_LANGUAGE,
        meaning="The reward that wants the answer right and every written equation true. With an "
        "answer-only reward a lucky answer earns as much.",
        source="this lab",
        picture=pictures.group_picture,
        spelled=r"\b[Ss]trict(?:ly)?\b",
    ),
    GlossaryEntry(
        slug="answer-mark",
        name="####",
        section=_LANGUAGE,
        meaning="The sign before the final answer, as in GSM8K: `3 + 4 = 7 #### 7`. The checker reads "
        "the number behind it.",
        source="GSM8K, arXiv:2110.14168",
        picture=pictures.group_picture,
        spelled=r"(?<!#)####(?!#)",
    ),
)

_ESTIMATOR_MEANINGS = {
    "s": "The mean best of the subsets of k answers that an answer is in. It has no baseline: every "
    "answer is paid for the company it keeps, and estimates scatter most.",
    "sloo": "As s, less what the other answers reach without it. The baseline makes estimates scatter "
    "less; the weights do not sum to 0.",
    "sloo_minus_one": "The paper's own choice. An answer is paid what it adds to the best of k: the "
    "best of a subset with it, less the best of the same subset without it, on average. With rewards 0 "
    "or 1 a wrong answer gets 0.",
    "canonical": "The best of k with an answer, less the best of k without it. It is s, centred and "
    "rescaled: three papers describe this one estimator. Its weights sum to 0, so a wrong answer gets a "
    "negative one.",
    "dial": "A mixture of loo-1 (α = 0) and canonical (α = 1). Every fixed α is unbiased, and the best "
    "one depends on the problem.",
    "mix": "Part of it trains for a single try, the share α for the best of k: 1 - α times RLOO "
    "plus α times loo-1. It follows the mixture of max@1 and max@k without bias.",
    "naive": "The group is cut into sets of k, and every answer of a set gets the set's best. Simple, "
    "and it scatters much, as each answer is in one set only.",
    "naive_baselined": "As partitioned, less the mean best of the other sets.",
    "sloo_minus_one_partitioned": "The group is cut into sets of k, with loo-1 inside each. With k = n "
    "it is the estimator of Tang and others, TZSM25: only the best answer gets a weight, by how far it "
    "is ahead of the second.",
    "rloo": "The reward less the mean of the others: ordinary training for a single try, and what k = 1 "
    "means here.",
    "reinforce": "The reward itself, without a baseline. The oldest, and the noisiest, way to train for "
    "the mean reward.",
    "grpo": "The reward less the group's mean, in units of the group's standard deviation. Widely used; "
    "the division makes it follow another goal than the mean reward, and never that of best of k.",
    "dr_grpo": "GRPO without the division: the mean reward again, but for a factor.",
    "maxrl": "The reward less the mean, divided by the mean. On rewards 0 and 1 it follows a mixture of "
    "pass@k of every k, where a larger k counts less.",
    "tailrl": "What MaxRL is for right or wrong, for any rewards: a mixture of max@k of every k.",
    "passk_training": "Canonical weights, rescaled for each problem by how sure its pass@k is. The "
    "direction is right for one problem; among several, the scale prefers some.",
    "lstat": "Any weighting of the k kept answers by rank, centred and unbiased for its own goal: the "
    "best is max@k, the worst is caution, the median lies between. `lstat:top-2`, `lstat:cvar-0.25` "
    "or `lstat:0/0/1` choose another.",
    "rs_grpo": "Rewards through an exponential, less its mean: the larger β, the more the best answer "
    "counts. Between the mean reward and the best, but for no fixed number of tries.",
    "entropic": "As RS-GRPO, with β chosen for each group so that its weights are a fixed distance from "
    "equal ones: only how rewards compare counts, not their unit.",
}
"""By key of `pkpo.estimators.ESTIMATORS`."""

_ESTIMATOR_SLUGS = {
    "sloo": "loo",
    "sloo_minus_one": "loo-1",
    "naive": "partitioned",
    "naive_baselined": "partitioned-baselined",
    "sloo_minus_one_partitioned": "tzsm25",
    "dr_grpo": "dr-grpo",
    "mix": "mixture",
    "passk_training": "pass-at-k-training",
    "lstat": "l-statistic",
    "rs_grpo": "rs-grpo",
}
"""Where an estimator's address is not its key."""

_ESTIMATOR_SPELLINGS = {
    "sloo": r"\bloo\b(?!-)",
    "sloo_minus_one": r"\bloo-1\b",
    "canonical": r"\b[Cc]anonical\b",
    "dial": r"\b[Dd]ial\b|α",
    "mix": r"\b[Mm]ixture of max@1 and max@k\b",
    "sloo_minus_one_partitioned": r"\bTZSM25\b",
    "rloo": r"\bRLOO\b",
    "reinforce": r"\bREINFORCE\b",
    "grpo": r"(?<!Dr\. )(?<!RS-)\bGRPO\b",
    "dr_grpo": r"\bDr\. GRPO\b",
    "maxrl": r"\bMaxRL\b",
    "tailrl": r"\bTailRL\b",
    "passk_training": r"\bPass@k Training\b",
    "lstat": r"\bL-statistics?\b",
    "rs_grpo": r"\bRS-GRPO\b",
}
"""How texts write an estimator; those that are not here are linked by their slug only."""


def estimator_slug(key: str) -> str:
    """The address of an estimator's entry."""
    return _ESTIMATOR_SLUGS.get(key, key)


def _estimator_entry(key: str, meaning: str) -> GlossaryEntry:
    entry = ESTIMATORS[key]
    return GlossaryEntry(
        slug=estimator_slug(key),
        name=f"{entry.label}, TZSM25" if key == "sloo_minus_one_partitioned" else entry.label,
        section=_ESTIMATORS,
        meaning=meaning,
        formula="w_i = " + entry.formula,
        source=f"{entry.reference}; optimises {entry.optimises}",
        picture=pictures.weights_picture(key),
        spelled=_ESTIMATOR_SPELLINGS.get(key, ""),
    )


GLOSSARY = {
    entry.slug: entry
    for entry in (*_TERMS, *(_estimator_entry(*pair) for pair in _ESTIMATOR_MEANINGS.items()))
}
"""Every entry by its slug."""
SECTIONS = (_GOAL, _GROUPS, _ESTIMATORS, _TRAINING, _LANGUAGE)
"""Headings of the page, in order."""
